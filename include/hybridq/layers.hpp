// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Networks as arrays of layers, forward and backward, and losses.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_LAYERS_HPP
#define HYBRIDQ_LAYERS_HPP

#include "core.hpp"

#include <optional>

namespace hybridq {

/// Layers: each function makes one; a network is an array of them.
namespace layers {

/// How a layer sees its weights: as they are, or as trits by `fit`.
struct weights {
    std::int32_t form = HQ_WEIGHTS_FLOAT;
    std::int32_t fit = HQ_FIT_MSE;
    /// From 1, the floats behind the trits, to 0, the trits.
    float inverse_slope = 0;
    /// Floats beyond so many scales get no gradient; 0: all get it.
    float clip = 0;
};

inline weights ternary(std::int32_t fit = HQ_FIT_MSE, float inverse_slope = 0, float clip = 0) {
    return {HQ_WEIGHTS_TERNARY, fit, inverse_slope, clip};
}

namespace detail {

inline hq_layer layer(const hq_layer_kind& kind, std::size_t inputs, std::size_t outputs = 0,
                      std::size_t positions = 0, const weights& w = {}) {
    hq_layer made{};
    made.kind = &kind;
    made.inputs = inputs;
    made.outputs = outputs;
    made.positions = positions;
    made.weights = w.form;
    made.fit = w.fit;
    made.inverse_slope = w.inverse_slope;
    made.clip = w.clip;
    return made;
}

} // namespace detail

/// `W x + b` of each of `positions` vectors.
inline hq_layer linear(std::size_t inputs, std::size_t outputs, bool bias = true, const weights& w = {},
                       std::int32_t activations = HQ_ACTIVATIONS_FLOAT, std::size_t positions = 1) {
    hq_layer made = detail::layer(hq_layer_linear, inputs, outputs, positions, w);
    made.bias = bias;
    made.activations = activations;
    return made;
}

/// A bias for each of `channels`, which are `each` values long.
inline hq_layer bias(std::size_t channels, std::size_t each = 1) {
    return detail::layer(hq_layer_bias, channels, 0, each);
}

/// Each of `positions` vectors by its root mean square.
inline hq_layer rms_norm(std::size_t len, bool gain = false, std::size_t positions = 1, float epsilon = 1e-5f) {
    hq_layer made = detail::layer(hq_layer_rms_norm, len, 0, positions);
    made.gain = gain;
    made.epsilon = epsilon;
    return made;
}

/// `HQ_CURVE_*` of each value.
inline hq_layer activation(std::size_t len, std::int32_t curve = HQ_CURVE_RELU) {
    hq_layer made = detail::layer(hq_layer_activation, len);
    made.curve = curve;
    return made;
}

/// An image, plane after plane; a signal has height 1.
struct image {
    std::size_t channels;
    std::size_t height;
    std::size_t width;
};

/// A window: rows and columns, by how much it moves, and zeros on each side of the image.
struct window {
    std::size_t rows;
    std::size_t cols;
    std::size_t down = 0;
    std::size_t right = 0;
    std::size_t above = 0;
    std::size_t left = 0;
};

/// A square window that moves by one, with zeros around such that an odd size keeps the size of the image.
inline window square(std::size_t size) { return {size, size, 1, 1, (size - 1) / 2, (size - 1) / 2}; }

namespace detail {

inline hq_layer layer(const hq_layer_kind& kind, const image& i, const window& at, std::size_t outputs,
                      const weights& w) {
    hq_layer made = layer(kind, i.channels, outputs, 0, w);
    made.height = i.height;
    made.width = i.width;
    made.window[0] = at.rows;
    made.window[1] = at.cols;
    made.stride[0] = at.down;
    made.stride[1] = at.right;
    made.padding[0] = at.above;
    made.padding[1] = at.left;
    return made;
}

} // namespace detail

/// Convolution to so many channels.
inline hq_layer conv(const image& i, const window& at, std::size_t outputs, bool bias = true, const weights& w = {},
                     std::int32_t activations = HQ_ACTIVATIONS_FLOAT) {
    hq_layer made = detail::layer(hq_layer_conv, i, at, outputs, w);
    made.bias = bias;
    made.activations = activations;
    return made;
}

/// `HQ_POOLING_*` of each window; windows that do not say how they move stand side by side.
inline hq_layer pool(const image& i, const window& at, std::int32_t pooling = HQ_POOLING_MAX) {
    hq_layer made = detail::layer(hq_layer_pool, i, at, 0, {});
    made.pooling = pooling;
    return made;
}

/// The row of a table for each of `positions` whole numbers.
inline hq_layer embedding(std::size_t words, std::size_t len, std::size_t positions = 1) {
    return detail::layer(hq_layer_embedding, words, len, positions);
}

/// Causal self-attention; with `residual` its inputs are added to its outputs.
inline hq_layer attention(std::size_t len, std::size_t heads, std::size_t positions, bool residual = false,
                          const weights& w = {}) {
    hq_layer made = detail::layer(hq_layer_attention, len, 0, positions, w);
    made.heads = heads;
    made.residual = residual;
    return made;
}

/// Layers, one after the other.
using network = span<const hq_layer>;

/// Throws unless it is a network.
inline void check(network net) { hybridq::check(hq_layers_check(net.data(), net.size())); }

/// The first layer that is none, or does not take what the one before gives.
inline std::optional<std::size_t> misfit(network net) {
    const std::size_t layer = hq_layers_misfit(net.data(), net.size());
    return layer == SIZE_MAX ? std::nullopt : std::optional<std::size_t>(layer);
}

/// Values of a sample.
inline std::size_t input_len(network net) { return size(hq_layers_input_len(net.data(), net.size())); }

/// Values of a sample.
inline std::size_t output_len(network net) { return size(hq_layers_output_len(net.data(), net.size())); }

/// Parameters of all layers.
inline std::size_t parameters_len(network net) { return size(hq_layers_parameters_len(net.data(), net.size())); }

/// Floats that forward leaves for backward.
inline std::size_t saved_len(network net, std::size_t batch) {
    return size(hq_layers_saved_len(net.data(), net.size(), batch));
}

/// Bytes of `scratch`.
inline std::size_t workspace_size(network net, std::size_t batch) {
    return size(hq_layers_workspace_size(net.data(), net.size(), batch));
}

/// How many arrays the parameters are.
inline std::size_t arrays_len(network net) { return size(hq_layers_arrays_len(net.data(), net.size())); }

/// One of them.
inline hq_layer_array array(network net, std::size_t index) {
    hq_layer_array found{};
    hybridq::check(hq_layers_array(net.data(), net.size(), index, &found));
    return found;
}

/// All of them as groups of an optimizer with one learning rate and radius; `groups` has `arrays_len` values.
inline void groups(network net, float learning_rate, float radius, span<hq_optimizer_group> groups) {
    if (groups.size() != arrays_len(net)) throw error(HQ_ERROR_SHAPE);
    for (std::size_t i = 0; i < groups.size(); i++) {
        const hq_layer_array a = array(net, i);
        groups[i] = {a.rows, a.cols, learning_rate, radius};
    }
}

/// Parameters to begin training with.
inline void start(network net, std::uint64_t seed, span<float> parameters) {
    hybridq::check(hq_layers_start(net.data(), net.size(), seed, parameters.data(), parameters.size()));
}

/// A batch on its way through a network, in somebody else's memory.
struct pass {
    network net;
    std::size_t batch;
    span<const float> parameters;
    span<const float> input;
    span<float> output;
    span<float> saved;
    span<std::uint8_t> scratch;
};

namespace detail {

inline hq_layers_pass pointers(const pass& p) {
    return {p.net.data(),    p.net.size(),  p.batch,         p.parameters.data(), p.parameters.size(),
            p.input.data(),  p.input.size(), p.output.data(), p.output.size(),     p.saved.data(),
            p.saved.size(),  p.scratch.data(), p.scratch.size()};
}

} // namespace detail

/// Inputs to outputs.
inline void forward(const pass& p) {
    const hq_layers_pass raw = detail::pointers(p);
    hybridq::check(hq_layers_forward(&raw));
}

/// Gradients of outputs to those of parameters, which are added to, and of inputs, which may be empty.
inline void backward(const pass& p, span<const float> output_gradient, span<float> parameters_gradient,
                     span<float> input_gradient = {}) {
    const hq_layers_pass raw = detail::pointers(p);
    hybridq::check(hq_layers_backward(&raw, output_gradient.data(), output_gradient.size(), input_gradient.data(),
                                      input_gradient.size(), parameters_gradient.data(),
                                      parameters_gradient.size()));
}

static_assert(sizeof(hq_layer) == 13 * sizeof(std::size_t) + 48, "hq_layer is thirteen words and 48 bytes");
static_assert(sizeof(hq_layer_array) == 5 * sizeof(std::size_t) + 8, "hq_layer_array is five words and 8 bytes");
static_assert(sizeof(hq_layers_pass) == 13 * sizeof(std::size_t), "hq_layers_pass is thirteen words");

} // namespace layers

/// Losses: the mean over a batch; `gradient` may be empty where it is not wanted.
namespace loss {

/// Softmax and cross-entropy; `weights`, one a sample, may be empty.
inline float cross_entropy(std::size_t classes, span<const float> logits, span<const std::uint32_t> labels,
                           span<float> gradient = {}, span<const float> weights = {}) {
    float value = 0;
    check(hq_loss_cross_entropy(classes, logits.data(), logits.size(), labels.data(), labels.size(), weights.data(),
                                weights.size(), gradient.data(), gradient.size(), &value));
    return value;
}

/// The first label that is none of a class.
inline std::optional<std::size_t> first_bad_label(std::size_t classes, span<const std::uint32_t> labels) {
    const std::size_t at = hq_loss_first_bad_label(classes, labels.data(), labels.size());
    return at == SIZE_MAX ? std::nullopt : std::optional<std::size_t>(at);
}

inline float mean_squared_error(span<const float> outputs, span<const float> targets, span<float> gradient = {}) {
    float value = 0;
    check(hq_loss_mean_squared_error(outputs.data(), outputs.size(), targets.data(), targets.size(), gradient.data(),
                                     gradient.size(), &value));
    return value;
}

/// The Kullback-Leibler divergence of the student's softened distribution from the teacher's.
inline float distillation(std::size_t classes, span<const float> student, span<const float> teacher,
                          float temperature, span<float> gradient = {}) {
    float value = 0;
    check(hq_loss_distillation(classes, student.data(), student.size(), teacher.data(), teacher.size(), temperature,
                               gradient.data(), gradient.size(), &value));
    return value;
}

} // namespace loss

} // namespace hybridq

#endif // HYBRIDQ_LAYERS_HPP
