// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Learning in few bits: the optimizer with quantized gradients and state, and ternary weights that learn in place.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_LEARN_HPP
#define HYBRIDQ_LEARN_HPP

#include "core.hpp"

#include <optional>

namespace hybridq {

/// Steps with quantized gradients and state, within trust radii and a constraint set.
namespace optimizer {

inline hq_optimizer_options default_options() {
    hq_optimizer_options options{};
    check(hq_optimizer_options_default(&options));
    return options;
}

/// Matrices of parameters, one after the other in all arrays.
using groups = span<const hq_optimizer_group>;

/// Bytes of `memory`.
inline std::size_t memory_size(const hq_optimizer_options& options, groups g) {
    return size(hq_optimizer_memory_size(&options, g.data(), g.size()));
}

/// Bytes of `scratch`, for steps with `set` or, with NULL, without one.
inline std::size_t workspace_size(const hq_optimizer_options& options, groups g, const hq_set* set = nullptr) {
    return size(hq_optimizer_workspace_size(&options, g.data(), g.size(), set));
}

/// What every part takes.
inline hq_optimizer_bytes bytes_held(const hq_optimizer_options& options, groups g) {
    hq_optimizer_bytes bytes{};
    check(hq_optimizer_bytes_held(&options, g.data(), g.size(), &bytes));
    return bytes;
}

/// The state before the first step. `memory` is aligned to 4 if a part of it is held in float.
inline hq_optimizer_state start(const hq_optimizer_options& options, groups g, span<std::uint8_t> memory) {
    hq_optimizer_state state{};
    check(hq_optimizer_start(&options, g.data(), g.size(), &state, memory.data(), memory.size()));
    return state;
}

/// Losses before and after the previous step, on the batch of that step.
struct losses {
    float before;
    float after;
};

/// What a step goes by.
struct inputs {
    span<const float> gradient;
    /// None: the report has no ratio.
    std::optional<losses> previous = {};
    /// NULL: the parameters are free.
    const hq_set* set = nullptr;
};

/// What a step goes by whose gradient is packed trits.
struct packed_inputs {
    /// As a step writes them to `outputs::gradient`; or the body of a gradient packet for each group.
    span<const std::uint8_t> gradient;
    /// None: the report has no ratio.
    std::optional<losses> previous = {};
    /// NULL: the parameters are free.
    const hq_set* set = nullptr;
};

/// What a step writes beside the parameters; empty where that is not wanted.
struct outputs {
    span<float> visible = {};
    span<std::uint8_t> packed = {};
    span<std::uint8_t> gradient = {};
    span<hq_optimizer_group_step> groups = {};
};

namespace detail {

inline hq_optimizer_outputs pointers(const outputs& out) {
    return {out.visible.data(),  out.visible.size(),  out.packed.data(), out.packed.size(),
            out.gradient.data(), out.gradient.size(), out.groups.data(), out.groups.size()};
}

} // namespace detail

/// One step of `params`. A step that throws has changed nothing.
inline hq_optimizer_report step(const hq_optimizer_options& options, groups g, hq_optimizer_state& state,
                                span<std::uint8_t> memory, const inputs& in, span<float> params,
                                span<std::uint8_t> scratch, const outputs& out = {}) {
    hq_optimizer_report report{};
    const losses previous = in.previous.value_or(losses{});
    const float pair[2] = {previous.before, previous.after};
    const hq_optimizer_outputs wanted = detail::pointers(out);
    check(hq_optimizer_step(&options, g.data(), g.size(), &state, memory.data(), memory.size(), in.gradient.data(),
                            in.gradient.size(), in.previous ? pair : nullptr, in.set, params.data(), params.size(),
                            &wanted, &report, scratch.data(), scratch.size()));
    return report;
}

/// The same, to the bit, from the trits of a gradient: no float copy of it is held.
inline hq_optimizer_report step_packed(const hq_optimizer_options& options, groups g, hq_optimizer_state& state,
                                       span<std::uint8_t> memory, const packed_inputs& in, span<float> params,
                                       span<std::uint8_t> scratch, const outputs& out = {}) {
    hq_optimizer_report report{};
    const losses previous = in.previous.value_or(losses{});
    const float pair[2] = {previous.before, previous.after};
    const hq_optimizer_outputs wanted = detail::pointers(out);
    check(hq_optimizer_step_packed(&options, g.data(), g.size(), &state, memory.data(), memory.size(),
                                   in.gradient.data(), in.gradient.size(), in.previous ? pair : nullptr, in.set,
                                   params.data(), params.size(), &wanted, &report, scratch.data(), scratch.size()));
    return report;
}

/// Reads the trits that a step has written to `outputs::gradient`.
inline void unpack_gradient(groups g, span<const std::uint8_t> packed, span<float> out) {
    check(hq_optimizer_unpack_gradient(g.data(), g.size(), packed.data(), packed.size(), out.data(), out.size()));
}

static_assert(sizeof(hq_optimizer_options) == 80, "hq_optimizer_options is 80 bytes");
static_assert(sizeof(hq_optimizer_group) == 8 + 2 * sizeof(std::size_t), "hq_optimizer_group is 8 bytes and two words");
static_assert(sizeof(hq_optimizer_state) == 40, "hq_optimizer_state is 40 bytes");
static_assert(sizeof(hq_optimizer_report) == 52, "hq_optimizer_report is 52 bytes");

} // namespace optimizer

/// Ternary weights that learn without a float copy.
namespace latent_free {

inline hq_latent_free_options default_options() {
    hq_latent_free_options options{};
    check(hq_latent_free_options_init(&options));
    return options;
}

/// Values of inertia; they start as zeros.
inline std::size_t inertia_len(std::size_t rows, std::size_t cols) {
    return size(hq_latent_free_inertia_len(rows, cols));
}

/// Bytes of packed trits and inertia together.
inline std::size_t state_size(std::int32_t format, std::size_t rows, std::size_t cols) {
    return size(hq_latent_free_state_size(format, rows, cols));
}

/// Rows of a packed ternary matrix and their inertia, in somebody else's memory; `first_row` says where in the whole
/// matrix they stand.
struct rows {
    std::int32_t format;
    std::size_t first_row;
    std::size_t count;
    std::size_t cols;
    span<std::uint8_t> weights;
    span<std::int8_t> inertia;
};

/// `seed`: one for each tensor of a run; `step`: another one each time.
inline hq_latent_free_report update(const hq_latent_free_options& options, std::uint64_t seed, std::uint64_t step,
                                    const rows& w, span<const float> gradient) {
    hq_latent_free_report report{};
    check(hq_latent_free_update(w.format, &options, seed, step, w.first_row, w.count, w.cols, gradient.data(),
                                gradient.size(), w.weights.data(), w.weights.size(), w.inertia.data(),
                                w.inertia.size(), &report));
    return report;
}

// Inertia in 4 bits, two values a byte.

/// Bytes of inertia; they start as zeros.
inline std::size_t int4_size(std::size_t rows, std::size_t cols) { return size(hq_latent_free_int4_size(rows, cols)); }

/// Bytes of packed trits and inertia together.
inline std::size_t int4_state_size(std::int32_t format, std::size_t rows, std::size_t cols) {
    return size(hq_latent_free_int4_state_size(format, rows, cols));
}

/// `rows` with inertia in 4 bits.
struct rows_int4 {
    std::int32_t format;
    std::size_t first_row;
    std::size_t count;
    std::size_t cols;
    span<std::uint8_t> weights;
    span<std::uint8_t> inertia;
};

/// `update` for thresholds up to 8, which the usual one is not: the same trits and report.
inline hq_latent_free_report update_int4(const hq_latent_free_options& options, std::uint64_t seed, std::uint64_t step,
                                         const rows_int4& w, span<const float> gradient) {
    hq_latent_free_report report{};
    check(hq_latent_free_update_int4(w.format, &options, seed, step, w.first_row, w.count, w.cols, gradient.data(),
                                     gradient.size(), w.weights.data(), w.weights.size(), w.inertia.data(),
                                     w.inertia.size(), &report));
    return report;
}

static_assert(sizeof(hq_latent_free_options) == 24, "hq_latent_free_options is 24 bytes");
static_assert(sizeof(hq_latent_free_report) == 40, "hq_latent_free_report is 40 bytes");

} // namespace latent_free

} // namespace hybridq

#endif // HYBRIDQ_LEARN_HPP
