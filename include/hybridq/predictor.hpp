// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The auxiliary network: by what to multiply learning rate and trust radius of the next step.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_PREDICTOR_HPP
#define HYBRIDQ_PREDICTOR_HPP

#include <array>

#include "core.hpp"

namespace hybridq {

/// Multipliers for steps, learnt from comparisons.
namespace predictor {

/// A predictor with the default options that has seen nothing yet. Without weights, both multipliers are exactly 1
/// until it has learnt something.
inline hq_predictor start(std::uint64_t seed, span<const float> weights = {}) {
    hq_predictor predictor{};
    check(hq_predictor_init(seed, weights.data(), weights.size(), &predictor));
    return predictor;
}

/// The weights of a network that was trained offline; to be used with `options.probe_every` 0.
inline std::array<float, HQ_PREDICTOR_WEIGHTS> trained() {
    std::array<float, HQ_PREDICTOR_WEIGHTS> weights{};
    check(hq_predictor_trained(weights.data(), weights.size()));
    return weights;
}

/// The multipliers of the step that is to be made; once a step.
inline hq_prediction predict(hq_predictor& predictor, const hq_predictor_observation& seen) {
    hq_prediction made{};
    check(hq_predictor_predict(&predictor, &seen, &made));
    return made;
}

/// By how much log multipliers changed.
struct moves {
    float learning_rate;
    float radius;
};

/// Learns from the comparison that a prediction with `probe` asks for.
inline moves adapt(hq_predictor& predictor, const hq_prediction& made, const hq_counterfactual& losses) {
    float moved[2] = {};
    check(hq_predictor_adapt(&predictor, &made, &losses, moved, 2));
    return {moved[0], moved[1]};
}

/// Tells what became of the step; returns whether the output layer was rolled back.
inline bool feedback(hq_predictor& predictor, std::int32_t verdict, float ratio) {
    std::int32_t rolled_back = 0;
    check(hq_predictor_feedback(&predictor, verdict, ratio, &rolled_back));
    return rolled_back != 0;
}

// The network itself, for training it offline.

/// Two outputs of `HQ_PREDICTOR_WEIGHTS` weights and `HQ_PREDICTOR_FEATURES` features.
inline void forward(span<const float> weights, span<const float> features, span<float> outputs) {
    check(hq_predictor_forward(weights.data(), weights.size(), features.data(), features.size(), outputs.data(),
                               outputs.size()));
}

/// `slope` is the derivative with respect to each weight; `gradient`, that with respect to each output.
inline void backward(span<const float> weights, span<const float> features, span<const float> gradient,
                     span<float> slope) {
    check(hq_predictor_backward(weights.data(), weights.size(), features.data(), features.size(), gradient.data(),
                                gradient.size(), slope.data(), slope.size()));
}

static_assert(sizeof(hq_predictor) == 1648 && sizeof(hq_predictor_options) == 72,
              "hq_predictor is 1648 bytes, its options 72");
static_assert(sizeof(hq_predictor_statistics) == 104, "hq_predictor_statistics is 104 bytes");
static_assert(sizeof(hq_predictor_observation) == 32, "hq_predictor_observation is 32 bytes");
static_assert(sizeof(hq_prediction) == 48 && sizeof(hq_counterfactual) == 24,
              "hq_prediction is 48 bytes, hq_counterfactual 24");

} // namespace predictor

} // namespace hybridq

#endif // HYBRIDQ_PREDICTOR_HPP
