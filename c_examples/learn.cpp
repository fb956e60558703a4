// Ternary weights learnt in two ways, in C++17. A layer of ternary weights makes outputs of random inputs; two students
// are to find its trits from them.
//
//   the first holds float parameters, and the optimizer steps them with ternary gradients within a trust radius and an
//   L1 budget; the model sees them packed;
//   the second has no float weights: packed trits and a byte of inertia each.
#include <cmath>
#include <cstdio>
#include <vector>

#include "hybridq.hpp"

namespace {

constexpr std::size_t rows = 8, cols = 32, weights = rows * cols, batch = 16;
constexpr std::int32_t format = HQ_FORMAT_TQ2_0;
constexpr int steps = 400;

using floats = std::vector<float>;
using bytes = std::vector<std::uint8_t>;

/// Evenly in -1..1.
class numbers {
public:
    float next() {
        state_ = state_ * 1664525u + 1013904223u;
        return static_cast<float>(state_ >> 8) / 8388608.0f - 1.0f;
    }

private:
    std::uint32_t state_ = 1;
};

/// The trits to be found: of each four weights one is 1 and one is -1.
float teacher(std::size_t i) { return i % 4 == i / cols % 4 ? 1.0f : i % 4 == (i / cols + 2) % 4 ? -1.0f : 0.0f; }

/// The mean squared error of packed weights on a batch of random inputs, and its gradient.
float loss_of(const bytes& packed, numbers& random, floats& gradient) {
    floats x(cols), y(rows);
    float loss = 0.0f;
    gradient.assign(weights, 0.0f);
    for (std::size_t sample = 0; sample < batch; sample++) {
        for (float& value : x) value = random.next();
        hybridq::matvec_f32({format, rows, cols, packed}, x, y);
        for (std::size_t r = 0; r < rows; r++) {
            for (std::size_t c = 0; c < cols; c++) y[r] -= teacher(r * cols + c) * x[c];
            loss += y[r] * y[r] / batch;
            for (std::size_t c = 0; c < cols; c++) gradient[r * cols + c] += 2.0f * y[r] * x[c] / batch;
        }
    }
    return loss;
}

/// Weights whose sign is that of the teacher's.
std::size_t found(const bytes& packed) {
    floats w(weights);
    std::size_t right = 0;
    hybridq::dequantize({format, rows, cols, packed}, w);
    for (std::size_t i = 0; i < weights; i++) {
        const float sign = w[i] > 0.0f ? 1.0f : w[i] < 0.0f ? -1.0f : 0.0f;
        right += sign == teacher(i) ? 1 : 0;
    }
    return right;
}

/// Packed zeros with scales of 1.
bytes zeros() {
    auto options = hybridq::default_options(format);
    options.fit = HQ_FIT_FIXED;
    options.threshold = 0.5f;
    options.scale = 1.0f;
    bytes packed(hybridq::matrix_size(format, rows, cols));
    bytes scratch(hybridq::quantize_workspace_size(options, format, rows, cols));
    hybridq::quantize(options, format, rows, cols, floats(weights), packed, scratch);
    return packed;
}

void constrained() {
    namespace optimizer = hybridq::optimizer;
    auto options = optimizer::default_options();
    options.gradient = HQ_GRADIENT_TERNARY;
    options.residual = HQ_STORAGE_INT8;
    options.moment = HQ_STORAGE_INT8;
    const hq_optimizer_group groups[] = {{rows, cols, 0.01f, 0.05f}};
    const hq_set budget = hybridq::constrain::l1_ball(weights / 2);

    bytes memory(optimizer::memory_size(options, groups));
    bytes scratch(optimizer::workspace_size(options, groups, &budget));
    auto state = optimizer::start(options, groups, memory);
    bytes packed = zeros();
    floats params(weights), gradient;
    numbers random;
    float loss = 0.0f;
    unsigned bounded = 0, projected = 0;
    for (int step = 0; step < steps; step++) {
        loss = loss_of(packed, random, gradient);
        optimizer::inputs in{gradient};
        in.set = &budget;
        optimizer::outputs out;
        out.packed = packed;
        const auto report = optimizer::step(options, groups, state, memory, in, params, scratch, out);
        bounded += report.bounded;
        projected += report.projected;
    }
    std::printf("constrained  %zu of %zu trits, loss %.4f, the radius active in %u steps, the budget in %u\n",
                found(packed), weights, static_cast<double>(loss), bounded, projected);
}

void without_floats() {
    namespace latent_free = hybridq::latent_free;
    auto options = latent_free::default_options();
    bytes packed = zeros();
    std::vector<std::int8_t> inertia(latent_free::inertia_len(rows, cols));
    floats gradient;
    numbers random;
    float loss = 0.0f;
    for (int step = 0; step < steps; step++) {
        loss = loss_of(packed, random, gradient);
        options.rate = 20.0f * (1.0f - static_cast<float>(step) / steps);
        latent_free::update(options, 1, static_cast<std::uint64_t>(step), {format, 0, rows, cols, packed, inertia},
                            gradient);
    }
    std::printf("latent-free  %zu of %zu trits, loss %.4f, %zu bytes of state\n", found(packed), weights,
                static_cast<double>(loss), latent_free::state_size(format, rows, cols));
}

} // namespace

int main() try {
    constrained();
    without_floats();
    return 0;
} catch (const hybridq::error& e) {
    std::fprintf(stderr, "hybridq: %s (%d)\n", e.what(), static_cast<int>(e.status()));
    return 1;
}
