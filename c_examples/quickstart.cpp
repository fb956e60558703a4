// The same as quickstart.c in C++17: spans and exceptions.
#include <cstdio>
#include <vector>

#include "hybridq.hpp"

int main() try {
    constexpr std::size_t rows = 2, cols = 5;
    const float w[rows * cols] = {1.0f, -1.0f, 0.1f, 0.0f, 0.9f, 0.5f, 0.5f, -0.5f, 0.0f, 0.1f};
    const float x[cols] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};

    const auto format = HQ_FORMAT_FIVE_LEVEL;
    auto options = hybridq::default_options(format);
    options.granularity = HQ_GRANULARITY_ROW;

    std::vector<std::uint8_t> packed(hybridq::matrix_size(format, rows, cols));
    std::vector<std::uint8_t> scratch(hybridq::quantize_workspace_size(options, format, rows, cols));
    hybridq::quantize(options, format, rows, cols, w, packed, scratch);

    const hybridq::matrix weights{format, rows, cols, packed};
    hq_act_block acts[HQ_ACT_COUNT(cols)];
    hybridq::quantize_activations(1, cols, x, acts);
    float y[rows];
    hybridq::matvec(weights, acts, y);
    std::printf("five-level: %.3f %.3f\n", static_cast<double>(y[0]), static_cast<double>(y[1]));

    try {
        hybridq::matvec(weights, acts, hybridq::span<float>(y, 1));
    } catch (const hybridq::error& e) {
        std::printf("too short an output: %s\n", e.what());
    }
    return 0;
} catch (const hybridq::error& e) {
    std::fprintf(stderr, "hybridq: %s (%d)\n", e.what(), static_cast<int>(e.status()));
    return 1;
}
