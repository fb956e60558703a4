// Every product of the C++ wrapper gives the bits of every other.
#include <cstring>
#include <cstdio>
#include <vector>

#include "hybridq.hpp"

static void same(const char* what, const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) != 0) {
        std::printf("%s differs\n", what);
        throw hybridq::error(HQ_ERROR_SELF_TEST);
    }
}

int main() try {
    constexpr std::size_t rows = 19, cols = 700, batch = 5;
    std::vector<float> w(rows * cols), x(batch * cols);
    for (std::size_t i = 0; i < w.size(); i++) w[i] = static_cast<float>(i * 37 % 101) - 50.0f;
    for (std::size_t i = 0; i < x.size(); i++) x[i] = static_cast<float>(i * 53 % 97) - 48.0f;

    for (std::int32_t format : {HQ_FORMAT_TQ1_0, HQ_FORMAT_TQ2_0}) {
        const auto options = hybridq::default_options(format);
        std::vector<std::uint8_t> packed(hybridq::matrix_size(format, rows, cols));
        std::vector<std::uint8_t> scratch(hybridq::quantize_workspace_size(options, format, rows, cols));
        hybridq::quantize(options, format, rows, cols, w, packed, scratch);
        const hybridq::matrix weights{format, rows, cols, packed};

        const std::size_t blocks = hq_act_count(cols);
        std::vector<hq_act_block> acts(batch * blocks);
        hybridq::quantize_activations(batch, cols, x, acts);
        std::vector<hq_act_table> tables(acts.size());
        hybridq::act_tables(acts, tables);

        std::vector<float> expected(batch * rows), found(batch * rows);
        hybridq::matmul(weights, batch, acts, expected);
        std::vector<std::uint8_t> room(hybridq::prepared_size(rows, cols));
        const hybridq::prepared prepared = hybridq::prepare(weights, room);
        hybridq::matmul(prepared, batch, acts, found);
        same("matmul of prepared weights", found, expected);

        for (std::size_t b = 0; b < batch; b++) {
            const hybridq::span<const hq_act_block> vector(acts.data() + b * blocks, blocks);
            const std::vector<float> want(expected.begin() + static_cast<std::ptrdiff_t>(b * rows),
                                          expected.begin() + static_cast<std::ptrdiff_t>((b + 1) * rows));
            std::vector<float> y(rows);
            hybridq::matvec(prepared, vector, y);
            same("matvec of prepared weights", y, want);
            hybridq::matvec(weights, vector, {tables.data() + b * blocks, blocks}, y);
            same("matvec with tables", y, want);
        }
    }
    std::printf("the same bits\n");
    return 0;
} catch (const hybridq::error& e) {
    std::printf("hybridq: %s (%d)\n", e.what(), static_cast<int>(e.status()));
    return 1;
}
