// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Quantizing weights and activations, and multiplying them.
#ifndef HYBRIDQ_LINEAR_HPP
#define HYBRIDQ_LINEAR_HPP

#include "core.hpp"

namespace hybridq {

/// A packed weight matrix in somebody else's bytes.
struct matrix {
    std::int32_t format;
    std::size_t rows;
    std::size_t cols;
    span<const std::uint8_t> data;
};

inline hq_quantize_options default_options(std::int32_t format) {
    hq_quantize_options options{};
    check(hq_quantize_options_init(format, &options));
    return options;
}

inline std::size_t matrix_size(std::int32_t format, std::size_t rows, std::size_t cols) {
    return size(hq_matrix_size(format, rows, cols));
}

inline std::size_t quantize_workspace_size(const hq_quantize_options& options, std::int32_t format,
                                           std::size_t rows, std::size_t cols) {
    return size(hq_quantize_workspace_size(format, &options, rows, cols));
}

/// `out` holds matrix_size(...) bytes, `scratch` quantize_workspace_size(...).
inline void quantize(const hq_quantize_options& options, std::int32_t format, std::size_t rows, std::size_t cols,
                     span<const float> x, span<std::uint8_t> out, span<std::uint8_t> scratch) {
    check(hq_quantize(format, &options, rows, cols, x.data(), x.size(), out.data(), out.size(), scratch.data(),
                      scratch.size()));
}

inline void dequantize(const matrix& w, span<float> out) {
    check(hq_dequantize(w.format, w.rows, w.cols, w.data.data(), w.data.size(), out.data(), out.size()));
}

/// `out` holds batch * hq_act_count(cols) blocks.
inline void quantize_activations(std::size_t batch, std::size_t cols, span<const float> x,
                                 span<hq_act_block> out, std::int32_t non_finite = HQ_NON_FINITE_ERROR) {
    check(hq_quantize_activations(batch, cols, x.data(), x.size(), non_finite, out.data(), out.size()));
}

inline void matvec(const matrix& w, span<const hq_act_block> acts, span<float> y) {
    check(hq_matvec(w.format, w.rows, w.cols, w.data.data(), w.data.size(), acts.data(), acts.size(), y.data(),
                    y.size()));
}

inline void matmul(const matrix& w, std::size_t batch, span<const hq_act_block> acts, span<float> y) {
    check(hq_matmul(w.format, w.rows, w.cols, w.data.data(), w.data.size(), batch, acts.data(), acts.size(),
                    y.data(), y.size()));
}

/// A ternary matrix prepared for faster products: bytes that `prepare` wrote.
struct prepared {
    std::size_t rows;
    std::size_t cols;
    span<const std::uint8_t> data;
};

inline std::size_t prepared_size(std::size_t rows, std::size_t cols) { return size(hq_prepared_size(rows, cols)); }

/// `w` is TQ1_0 or TQ2_0; `out` holds prepared_size(w.rows, w.cols) bytes and lives as long as the result.
inline prepared prepare(const matrix& w, span<std::uint8_t> out) {
    check(hq_prepare(w.format, w.rows, w.cols, w.data.data(), w.data.size(), out.data(), out.size()));
    return {w.rows, w.cols, span<const std::uint8_t>(out.data(), prepared_size(w.rows, w.cols))};
}

inline void matvec(const prepared& w, span<const hq_act_block> acts, span<float> y) {
    check(hq_matvec_prepared(w.rows, w.cols, w.data.data(), w.data.size(), acts.data(), acts.size(), y.data(),
                             y.size()));
}

inline void matmul(const prepared& w, std::size_t batch, span<const hq_act_block> acts, span<float> y) {
    check(hq_matmul_prepared(w.rows, w.cols, w.data.data(), w.data.size(), batch, acts.data(), acts.size(),
                             y.data(), y.size()));
}

/// `out` holds a table for each block.
inline void act_tables(span<const hq_act_block> acts, span<hq_act_table> out) {
    check(hq_act_tables(acts.data(), acts.size(), out.data(), out.size()));
}

inline void matvec(const matrix& w, span<const hq_act_block> acts, span<const hq_act_table> tables, span<float> y) {
    check(hq_matvec_with_tables(w.format, w.rows, w.cols, w.data.data(), w.data.size(), acts.data(), acts.size(),
                                tables.data(), tables.size(), y.data(), y.size()));
}

inline void matvec_f32(const matrix& w, span<const float> x, span<float> y) {
    check(hq_matvec_f32(w.format, w.rows, w.cols, w.data.data(), w.data.size(), x.data(), x.size(), y.data(),
                        y.size()));
}

inline void matmul_f32(const matrix& w, std::size_t batch, span<const float> x, span<float> y) {
    check(hq_matmul_f32(w.format, w.rows, w.cols, w.data.data(), w.data.size(), batch, x.data(), x.size(),
                        y.data(), y.size()));
}

static_assert(sizeof(hq_act_block) == 292 && alignof(hq_act_block) == 4, "hq_act_block is 292 bytes");
static_assert(sizeof(hq_act_table) == 516 && alignof(hq_act_table) == 4, "hq_act_table is 516 bytes");
static_assert(sizeof(hq_quantize_options) == 24, "hq_quantize_options is 24 bytes");
static_assert(sizeof(hq_ternary) == 8, "hq_ternary is 8 bytes");

} // namespace hybridq

#endif // HYBRIDQ_LINEAR_HPP
