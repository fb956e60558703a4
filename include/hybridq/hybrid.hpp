// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The hybrid step: one of the optimizer's within a trust region, tried on its batch, and kept or taken back.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_HYBRID_HPP
#define HYBRIDQ_HYBRID_HPP

#include "core.hpp"
#include "learn.hpp"

namespace hybridq {

/// Steps that are proposed, tried and judged.
namespace hybrid {

/// Bytes of `model::undo`, for as many visible floats and packed bytes as the model has.
inline std::size_t undo_size(const hq_optimizer_options& options, optimizer::groups g, std::size_t visible_len = 0,
                             std::size_t packed_size = 0) {
    return size(hq_hybrid_undo_size(&options, g.data(), g.size(), visible_len, packed_size));
}

/// Bytes of `scratch`, for steps with `set` or, with NULL, without one.
inline std::size_t workspace_size(const hq_optimizer_options& options, optimizer::groups g,
                                  const hq_set* set = nullptr) {
    return size(hq_hybrid_workspace_size(&options, g.data(), g.size(), set));
}

/// The state before the first step, with a trust region of that radius. `memory` is `optimizer::memory_size` bytes,
/// aligned to 4 if a part of it is held in float.
inline hq_hybrid_state start(const hq_optimizer_options& options, optimizer::groups g, float radius,
                             span<std::uint8_t> memory) {
    hq_hybrid_state state{};
    check(hq_hybrid_start(&options, g.data(), g.size(), radius, &state, memory.data(), memory.size()));
    return state;
}

/// A model in training, in somebody else's memory. A copy of it is the same model.
struct model {
    hq_optimizer_options options;
    /// Rates and radii may change between steps, shapes may not.
    optimizer::groups groups;
    /// What `start` or the last step left.
    hq_hybrid_state& state;
    span<std::uint8_t> memory;
    span<std::uint8_t> undo;
    span<float> params;
    /// The parameters as the forward pass is to see them; empty where it reads `params` or `packed`.
    span<float> visible = {};
    /// Empty where it is not wanted.
    span<std::uint8_t> packed = {};
    /// NULL: the parameters are free.
    const hq_set* set = nullptr;
    /// Steps whose efficiency is below are judged by the loss alone, ...
    float least_efficiency = 0.05f;
    /// ... which may rise by that part of itself.
    float tolerated_rise = 0.1f;
};

/// What the learning rates and the radius are multiplied with for one step.
struct multipliers {
    float learning_rate = 1;
    float radius = 1;
};

/// What became of a proposal.
struct proposal {
    /// `HQ_TRUST_ACCEPTED`: the step was made and waits for `judge`; `HQ_TRUST_REFUSED`: only the radius has changed.
    std::int32_t verdict;
    /// Of the step; zeros if there was none.
    hq_optimizer_report report;
};

namespace detail {

inline hq_hybrid pointers(const model& m) {
    hq_hybrid raw{};
    raw.options = &m.options;
    raw.groups = m.groups.data();
    raw.groups_len = m.groups.size();
    raw.set = m.set;
    raw.state = &m.state;
    raw.memory = m.memory.data();
    raw.memory_size = m.memory.size();
    raw.undo = m.undo.data();
    raw.undo_size = m.undo.size();
    raw.params = m.params.data();
    raw.params_len = m.params.size();
    raw.visible = m.visible.data();
    raw.visible_len = m.visible.size();
    raw.packed = m.packed.data();
    raw.packed_size = m.packed.size();
    raw.least_efficiency = m.least_efficiency;
    raw.tolerated_rise = m.tolerated_rise;
    return raw;
}

} // namespace detail

/// Makes a step. A loss or gradient that is NaN does not throw: it is refused. If this throws, nothing has changed.
inline proposal propose(const model& m, float loss, span<const float> gradient, span<std::uint8_t> scratch,
                        const multipliers& by = {}) {
    proposal made{};
    const hq_hybrid raw = detail::pointers(m);
    check(hq_hybrid_propose(&raw, loss, gradient.data(), gradient.size(), by.learning_rate, by.radius, &made.report,
                            &made.verdict, scratch.data(), scratch.size()));
    return made;
}

/// Keeps the step or takes it back to the bit; `trial_loss` is that after it, on the batch of the proposal.
inline hq_trust_outcome judge(const model& m, float trial_loss) {
    hq_trust_outcome outcome{};
    const hq_hybrid raw = detail::pointers(m);
    check(hq_hybrid_judge(&raw, trial_loss, &outcome));
    return outcome;
}

/// Takes the step back unjudged.
inline void undo(const model& m) {
    const hq_hybrid raw = detail::pointers(m);
    check(hq_hybrid_undo(&raw));
}

static_assert(sizeof(hq_hybrid_state) == 200, "hq_hybrid_state is 200 bytes");
static_assert(sizeof(hq_hybrid) == 15 * sizeof(std::size_t) + 8, "hq_hybrid is fifteen words and 8 bytes");

} // namespace hybrid

} // namespace hybridq

#endif // HYBRIDQ_HYBRID_HPP
