// SPDX-License-Identifier: MIT OR Apache-2.0
//
// k-means: of float points, of parts of them, of streams, of int8 points, of single values, and the choice of k.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_KMEANS_HPP
#define HYBRIDQ_KMEANS_HPP

#include "core.hpp"

namespace hybridq {

/// Rows of features in somebody else's memory, with a weight each or none.
struct points {
    std::size_t rows;
    std::size_t cols;
    span<const float> data;
    span<const float> weights = {};
};

/// Centres in somebody else's memory.
struct centers {
    std::size_t k;
    span<float> data;
};

namespace kmeans {

inline hq_kmeans_options default_options() {
    hq_kmeans_options options{};
    check(hq_kmeans_options_default(&options));
    return options;
}

// Seeding and fitting.

inline std::size_t seed_workspace_size(std::int32_t method, std::size_t rows, std::size_t k) {
    return size(hq_kmeans_seed_workspace_size(method, rows, k));
}

/// `rows` says which rows became centres; it holds `k` numbers.
inline void seed(const points& x, std::int32_t method, std::size_t effort, std::uint64_t seed,
                 span<std::uint32_t> rows, const centers& out, span<std::uint8_t> scratch) {
    check(hq_kmeans_seed(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(), out.k,
                         method, effort, seed, rows.data(), rows.size(), out.data.data(), out.data.size(),
                         scratch.data(), scratch.size()));
}

inline std::size_t fit_workspace_size(std::size_t rows, std::size_t cols, std::size_t k,
                                      const hq_kmeans_options& options = default_options()) {
    return size(hq_kmeans_fit_workspace_size(rows, cols, k, &options));
}

/// `c` is the start, and the outcome.
inline hq_kmeans_result fit(const points& x, const hq_kmeans_options& options, const centers& c,
                            span<std::uint32_t> labels, span<std::uint8_t> scratch) {
    hq_kmeans_result result{};
    check(hq_kmeans_fit(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(), c.k,
                        &options, c.data.data(), c.data.size(), labels.data(), labels.size(), &result,
                        scratch.data(), scratch.size()));
    return result;
}

inline std::size_t fit_seeded_workspace_size(std::size_t rows, std::size_t cols, std::size_t k,
                                             const hq_kmeans_options& options, std::int32_t method) {
    return size(hq_kmeans_fit_seeded_workspace_size(rows, cols, k, &options, method));
}

/// The best of `starts` fits.
inline hq_kmeans_result fit_seeded(const points& x, const hq_kmeans_options& options, std::int32_t method,
                                   std::size_t effort, std::size_t starts, std::uint64_t seed, const centers& out,
                                   span<std::uint32_t> labels, span<std::uint8_t> scratch) {
    hq_kmeans_result result{};
    check(hq_kmeans_fit_seeded(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(),
                               out.k, &options, method, effort, starts, seed, out.data.data(), out.data.size(),
                               labels.data(), labels.size(), &result, scratch.data(), scratch.size()));
    return result;
}

inline hq_kmeans_batch_options default_batch_options() {
    hq_kmeans_batch_options options{};
    check(hq_kmeans_batch_options_default(&options));
    return options;
}

inline std::size_t mini_batch_workspace_size(std::size_t rows, std::size_t cols, std::size_t k,
                                             const hq_kmeans_batch_options& options) {
    return size(hq_kmeans_mini_batch_workspace_size(rows, cols, k, &options));
}

inline hq_kmeans_result mini_batch(const points& x, const hq_kmeans_batch_options& options, const centers& c,
                                   span<std::uint32_t> labels, span<std::uint8_t> scratch) {
    hq_kmeans_result result{};
    check(hq_kmeans_mini_batch(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(),
                               c.k, &options, c.data.data(), c.data.size(), labels.data(), labels.size(), &result,
                               scratch.data(), scratch.size()));
    return result;
}

/// Brings rows to length 1, for spherical k-means.
inline void normalize_rows(std::size_t cols, span<float> x) {
    check(hq_kmeans_normalize_rows(cols, x.data(), x.size()));
}

// What the clusters of given centres are.

inline std::size_t assign_workspace_size(std::size_t k, std::size_t cols) {
    return size(hq_kmeans_assign_workspace_size(k, cols));
}

/// `distances` holds the squared distance of each row, or is empty.
inline void predict(const points& x, std::size_t k, span<const float> centers, span<std::uint32_t> labels,
                    span<float> distances, span<std::uint8_t> scratch) {
    check(hq_kmeans_predict(x.rows, x.cols, x.data.data(), x.data.size(), k, centers.data(), centers.size(),
                            labels.data(), labels.size(), distances.data(), distances.size(), scratch.data(),
                            scratch.size()));
}

/// The distance of each row to each centre: `rows * k` values.
inline void transform(const points& x, std::size_t k, span<const float> centers, span<float> distances) {
    check(hq_kmeans_transform(x.rows, x.cols, x.data.data(), x.data.size(), k, centers.data(), centers.size(),
                              distances.data(), distances.size()));
}

/// `scratch` has `assign_workspace_size(k, x.cols)` bytes, as that of `predict`.
inline void nearest_two(const points& x, std::size_t k, span<const float> centers, span<hq_kmeans_top2> found,
                        span<std::uint8_t> scratch) {
    check(hq_kmeans_nearest_two(x.rows, x.cols, x.data.data(), x.data.size(), k, centers.data(), centers.size(),
                                found.data(), found.size(), scratch.data(), scratch.size()));
}

inline std::size_t summarize_workspace_size(std::size_t k) { return size(hq_kmeans_summarize_workspace_size(k)); }

/// Size, mean distance and cohesion of each of `summaries.size()` clusters.
inline void summarize(span<const float> weights, span<const std::uint32_t> labels, span<const float> distances,
                      span<hq_kmeans_summary> summaries, span<std::uint8_t> scratch) {
    check(hq_kmeans_summarize(labels.size(), weights.data(), weights.size(), summaries.size(), labels.data(),
                              labels.size(), distances.data(), distances.size(), summaries.data(),
                              summaries.size(), scratch.data(), scratch.size()));
}

inline std::size_t choose_k_workspace_size(std::size_t rows, std::size_t cols, std::size_t max_k,
                                           const hq_kmeans_options& options = default_options()) {
    return size(hq_kmeans_choose_k_workspace_size(rows, cols, max_k, &options));
}

/// `curve` and `c` have room for `max_k`.
inline hq_kmeans_choice choose_k(const points& x, std::uint64_t seed, const hq_kmeans_options& options,
                                 span<hq_kmeans_candidate> curve, const centers& c, span<std::uint32_t> labels,
                                 span<std::uint8_t> scratch) {
    hq_kmeans_choice choice{};
    check(hq_kmeans_choose_k(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(), c.k,
                             seed, &options, curve.data(), curve.size(), c.data.data(), c.data.size(),
                             labels.data(), labels.size(), &choice, scratch.data(), scratch.size()));
    return choice;
}

// Parts of the data: limits first, agreed on by all, then partials, merged in any order.

inline std::size_t limits_len(std::size_t cols) { return size(hq_kmeans_limits_len(cols)); }

inline void limits_clear(span<float> limits) { check(hq_kmeans_limits_clear(limits.data(), limits.size())); }

inline void limits_add(const points& x, span<float> limits) {
    check(hq_kmeans_limits_add(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(),
                               limits.data(), limits.size()));
}

inline void limits_merge(span<float> limits, span<const float> other) {
    check(hq_kmeans_limits_merge(limits.data(), limits.size(), other.data(), other.size()));
}

inline std::size_t partial_len(std::size_t k, std::size_t cols) { return size(hq_kmeans_partial_len(k, cols)); }

/// `all_rows` counts the rows of all parts together, `x` those of this one.
inline void accumulate(std::size_t all_rows, span<const float> limits, const points& x, std::size_t k,
                       span<const float> centers, span<std::uint32_t> labels, span<std::int64_t> partial,
                       span<std::uint8_t> scratch) {
    check(hq_kmeans_accumulate(all_rows, limits.data(), limits.size(), x.rows, x.cols, x.data.data(),
                               x.data.size(), x.weights.data(), x.weights.size(), k, centers.data(), centers.size(),
                               labels.data(), labels.size(), partial.data(), partial.size(), scratch.data(),
                               scratch.size()));
}

inline void merge(span<std::int64_t> partial, span<const std::int64_t> other) {
    check(hq_kmeans_merge(partial.data(), partial.size(), other.data(), other.size()));
}

inline hq_kmeans_step update(std::size_t all_rows, span<const float> limits, span<const std::int64_t> partial,
                             std::int32_t empty, const centers& c) {
    hq_kmeans_step step{};
    check(hq_kmeans_update(all_rows, limits.data(), limits.size(), c.k, partial.data(), partial.size(), empty,
                           c.data.data(), c.data.size(), &step));
    return step;
}

/// Candidates for empty clusters, of a part whose first row has the number `first` in all the data.
inline std::size_t farthest_len(std::size_t k, std::size_t cols) { return size(hq_kmeans_farthest_len(k, cols)); }

inline void farthest_add(std::size_t all_rows, span<const float> limits, std::size_t first, const points& x,
                         std::size_t k, span<const float> centers, span<const std::uint32_t> labels,
                         span<std::uint32_t> farthest) {
    check(hq_kmeans_farthest_add(all_rows, limits.data(), limits.size(), first, x.rows, x.cols, x.data.data(),
                                 x.data.size(), x.weights.data(), x.weights.size(), k, centers.data(), centers.size(),
                                 labels.data(), labels.size(), farthest.data(), farthest.size()));
}

inline void farthest_merge(std::size_t k, std::size_t cols, span<std::uint32_t> farthest,
                           span<const std::uint32_t> other) {
    check(hq_kmeans_farthest_merge(k, cols, farthest.data(), farthest.size(), other.data(), other.size()));
}

inline hq_kmeans_step update_farthest(std::size_t all_rows, span<const float> limits, span<std::int64_t> partial,
                                      span<std::uint32_t> farthest, const centers& c) {
    hq_kmeans_step step{};
    check(hq_kmeans_update_farthest(all_rows, limits.data(), limits.size(), c.k, partial.data(), partial.size(),
                                    farthest.data(), farthest.size(), c.data.data(), c.data.size(), &step));
    return step;
}

// Clusters within sizes.

/// Rows of each cluster at least and at most: none, one number for all, or one for each. None of either: balanced.
struct sizes {
    span<const std::uint32_t> least = {};
    span<const std::uint32_t> most = {};
};

inline std::size_t assign_balanced_workspace_size(std::size_t rows, std::size_t cols, std::size_t k) {
    return size(hq_kmeans_assign_balanced_workspace_size(rows, cols, k));
}

/// `distances` may be empty.
inline void assign_balanced(const points& x, std::size_t k, span<const float> centers, const sizes& bounds,
                            span<std::uint32_t> labels, span<float> distances, span<std::uint8_t> scratch) {
    check(hq_kmeans_assign_balanced(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(),
                                    x.weights.size(), k, centers.data(), centers.size(), bounds.least.data(),
                                    bounds.least.size(), bounds.most.data(), bounds.most.size(), labels.data(),
                                    labels.size(), distances.data(), distances.size(), scratch.data(),
                                    scratch.size()));
}

inline std::size_t fit_balanced_workspace_size(std::size_t rows, std::size_t cols, std::size_t k) {
    return size(hq_kmeans_fit_balanced_workspace_size(rows, cols, k));
}

/// `c` is the start, and the outcome.
inline hq_kmeans_result fit_balanced(const points& x, const sizes& bounds, const hq_kmeans_options& options,
                                     const centers& c, span<std::uint32_t> labels, span<std::uint8_t> scratch) {
    hq_kmeans_result result{};
    check(hq_kmeans_fit_balanced(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(),
                                 c.k, bounds.least.data(), bounds.least.size(), bounds.most.data(),
                                 bounds.most.size(), &options, c.data.data(), c.data.size(), labels.data(),
                                 labels.size(), &result, scratch.data(), scratch.size()));
    return result;
}

// Streams: the state lives from batch to batch.

inline std::size_t stream_len(std::size_t k, std::size_t cols) { return size(hq_kmeans_stream_len(k, cols)); }

/// `weights` says how much each centre has seen; empty for nothing.
inline void stream_start(std::size_t cols, std::size_t k, span<const float> centers, span<const float> weights,
                         span<float> state) {
    check(hq_kmeans_stream_start(k, cols, centers.data(), centers.size(), weights.data(), weights.size(),
                                 state.data(), state.size()));
}

inline hq_kmeans_step stream_update(std::size_t all_rows, span<const float> limits, std::size_t k,
                                    span<const std::int64_t> partial, float decay, span<float> state) {
    hq_kmeans_step step{};
    check(hq_kmeans_stream_update(all_rows, limits.data(), limits.size(), k, partial.data(), partial.size(), decay,
                                  state.data(), state.size(), &step));
    return step;
}

inline std::size_t stream_fit_workspace_size(std::size_t k, std::size_t cols) {
    return size(hq_kmeans_stream_fit_workspace_size(k, cols));
}

inline hq_kmeans_step stream_fit(const points& x, std::size_t k, float decay, span<float> state,
                                 span<std::uint32_t> labels, span<std::uint8_t> scratch) {
    hq_kmeans_step step{};
    check(hq_kmeans_stream_fit(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(), x.weights.size(), k,
                               decay, state.data(), state.size(), labels.data(), labels.size(), &step,
                               scratch.data(), scratch.size()));
    return step;
}

inline std::size_t stream_reassign_workspace_size(std::size_t rows, std::size_t cols, std::size_t k) {
    return size(hq_kmeans_stream_reassign_workspace_size(rows, cols, k));
}

/// Gives rows of `x` to centres that see less than `ratio` of the busiest; returns to how many.
inline std::size_t stream_reassign(const points& x, std::size_t k, float ratio, std::uint64_t seed,
                                   span<float> state, span<std::uint8_t> scratch) {
    std::size_t moved = 0;
    check(hq_kmeans_stream_reassign(x.rows, x.cols, x.data.data(), x.data.size(), x.weights.data(),
                                    x.weights.size(), k, ratio, seed, state.data(), state.size(), &moved,
                                    scratch.data(), scratch.size()));
    return moved;
}

} // namespace kmeans

/// int8 points, in integers only.
namespace kmeans_int8 {

inline hq_kmeans_int8_options default_options() {
    hq_kmeans_int8_options options{};
    check(hq_kmeans_int8_options_init(&options));
    return options;
}

/// Rows of codes in somebody else's memory.
struct points {
    std::size_t rows;
    std::size_t cols;
    span<const std::int8_t> data;
};

/// Centres, in sixteenths of a code, in somebody else's memory.
struct centers {
    std::size_t k;
    span<std::int16_t> data;
};

inline std::size_t fit_workspace_size(std::size_t rows, std::size_t cols, std::size_t k,
                                      const hq_kmeans_int8_options& options = default_options()) {
    return size(hq_kmeans_int8_fit_workspace_size(rows, cols, k, &options));
}

inline hq_kmeans_int8_result fit(const points& x, const hq_kmeans_int8_options& options, const centers& c,
                                 span<std::uint16_t> labels, span<std::uint8_t> scratch) {
    hq_kmeans_int8_result result{};
    check(hq_kmeans_int8_fit(x.rows, x.cols, x.data.data(), x.data.size(), c.k, &options, c.data.data(),
                             c.data.size(), labels.data(), labels.size(), &result, scratch.data(), scratch.size()));
    return result;
}

inline std::size_t plus_plus_workspace_size(std::size_t rows, std::size_t cols, std::size_t k) {
    return size(hq_kmeans_int8_plus_plus_workspace_size(rows, cols, k));
}

inline void plus_plus(const points& x, std::uint64_t seed, const centers& out, span<std::uint8_t> scratch) {
    check(hq_kmeans_int8_plus_plus(x.rows, x.cols, x.data.data(), x.data.size(), out.k, seed, out.data.data(),
                                   out.data.size(), scratch.data(), scratch.size()));
}

inline std::size_t assign_workspace_size(std::size_t cols, std::size_t k) {
    return size(hq_kmeans_int8_assign_workspace_size(cols, k));
}

/// Returns the inertia.
inline std::uint64_t assign(const points& x, std::size_t k, span<const std::int16_t> centers,
                            span<std::uint16_t> labels, span<std::uint8_t> scratch) {
    std::uint64_t inertia = 0;
    check(hq_kmeans_int8_assign(x.rows, x.cols, x.data.data(), x.data.size(), k, centers.data(), centers.size(),
                                labels.data(), labels.size(), &inertia, scratch.data(), scratch.size()));
    return inertia;
}

inline std::size_t partial_len(std::size_t cols, std::size_t k) {
    return size(hq_kmeans_int8_partial_len(cols, k));
}

inline void accumulate(const points& x, std::size_t k, span<const std::int16_t> centers,
                       span<std::uint16_t> labels, span<std::int64_t> partial, span<std::uint8_t> scratch) {
    check(hq_kmeans_int8_accumulate(x.rows, x.cols, x.data.data(), x.data.size(), k, centers.data(),
                                    centers.size(), labels.data(), labels.size(), partial.data(), partial.size(),
                                    scratch.data(), scratch.size()));
}

/// Both are equally long.
inline void merge(span<std::int64_t> partial, span<const std::int64_t> other) {
    if (partial.size() != other.size()) throw error(HQ_ERROR_INVALID_ARGUMENT);
    check(hq_kmeans_int8_merge(partial.data(), other.data(), partial.size()));
}

inline hq_kmeans_int8_step update(std::size_t cols, span<const std::int64_t> partial, const centers& c) {
    hq_kmeans_int8_step step{};
    check(hq_kmeans_int8_update(cols, c.k, partial.data(), partial.size(), c.data.data(), c.data.size(), &step));
    return step;
}

/// Keeps `keep` of 65536 parts of what `partial` remembers.
inline void decay(std::size_t cols, std::size_t k, span<std::int64_t> partial, std::uint16_t keep) {
    check(hq_kmeans_int8_decay(cols, k, partial.data(), partial.size(), keep));
}

inline void round_centers(span<const std::int16_t> centers, span<std::int8_t> codes) {
    check(hq_kmeans_int8_round_centers(centers.data(), centers.size(), codes.data(), codes.size()));
}

} // namespace kmeans_int8

/// Single values: the exact optimum, the same of counts in bins, and clusters of parameters.
namespace kmeans_1d {

inline std::size_t exact_workspace_size(std::size_t len, std::size_t k, bool pin_zero) {
    return size(hq_kmeans_exact_1d_workspace_size(len, k, pin_zero));
}

/// Fills `centers` and returns the inertia. `weights` may be empty.
inline float exact(span<const float> x, span<const float> weights, bool pin_zero, span<float> centers,
                   span<std::uint8_t> scratch) {
    float inertia = 0;
    check(hq_kmeans_exact_1d(x.data(), x.size(), weights.data(), weights.size(), centers.size(), pin_zero,
                             centers.data(), centers.size(), &inertia, scratch.data(), scratch.size()));
    return inertia;
}

inline void label(span<const float> x, span<const float> centers, span<std::uint8_t> labels) {
    check(hq_kmeans_label_1d(x.data(), x.size(), centers.data(), centers.size(), labels.data(), labels.size()));
}

inline void bins_add(span<const float> x, float low, float high, span<std::uint32_t> counts) {
    check(hq_kmeans_bins_add(x.data(), x.size(), low, high, counts.data(), counts.size()));
}

/// Both are equally long.
inline void bins_merge(span<std::uint32_t> counts, span<const std::uint32_t> other) {
    if (counts.size() != other.size()) throw error(HQ_ERROR_INVALID_ARGUMENT);
    check(hq_kmeans_bins_merge(counts.data(), other.data(), counts.size()));
}

inline std::size_t bins_workspace_size(std::size_t bins, std::size_t k) {
    return size(hq_kmeans_bins_workspace_size(bins, k));
}

inline hq_kmeans_bins bins_cluster(span<const std::uint32_t> counts, float low, float high, span<float> centers,
                                   span<std::uint8_t> scratch) {
    hq_kmeans_bins found{};
    check(hq_kmeans_bins_cluster(counts.data(), counts.size(), low, high, centers.size(), centers.data(),
                                 centers.size(), scratch.data(), scratch.size(), &found));
    return found;
}

inline std::size_t parameters_workspace_size(std::size_t len, std::size_t k, bool pin_zero) {
    return size(hq_cluster_parameters_workspace_size(len, k, pin_zero));
}

/// At most `clusters.size()` clusters of parameters; returns how many there are.
inline std::size_t cluster_parameters(span<const float> x, bool pin_zero, span<std::uint8_t> labels,
                                      span<hq_parameter_cluster> clusters, span<std::uint8_t> scratch) {
    std::size_t found = 0;
    check(hq_cluster_parameters(x.data(), x.size(), clusters.size(), pin_zero, labels.data(), labels.size(),
                                clusters.data(), clusters.size(), &found, scratch.data(), scratch.size()));
    return found;
}

inline std::size_t suggest_bits_workspace_size(std::size_t clusters) {
    return size(hq_suggest_bits_workspace_size(clusters));
}

/// Bits for each cluster, `average` a parameter at most; `weights` may be empty.
inline hq_suggested_bits suggest_bits(span<const hq_parameter_cluster> clusters, span<const float> weights,
                                      float average, std::uint8_t most, span<std::uint8_t> bits,
                                      span<std::uint8_t> scratch) {
    hq_suggested_bits result{};
    check(hq_suggest_bits(clusters.data(), clusters.size(), weights.data(), weights.size(), average, most,
                          bits.data(), bits.size(), scratch.data(), scratch.size(), &result));
    return result;
}

} // namespace kmeans_1d

} // namespace hybridq

#endif // HYBRIDQ_KMEANS_HPP
