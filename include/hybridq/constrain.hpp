// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Constraint sets, their projections and intersections, the trust region and its steps.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_CONSTRAIN_HPP
#define HYBRIDQ_CONSTRAIN_HPP

#include "core.hpp"

#include <exception>

namespace hybridq {
namespace constrain {

// Sets. A set points to the arrays it is made of, which live as long as it does.

namespace detail {

inline hq_set set(std::int32_t kind, float radius = 0, float value = 0, std::size_t count = 0,
                  span<const float> a = {}, span<const float> b = {}) {
    hq_set made{};
    made.kind = kind;
    made.radius = radius;
    made.value = value;
    made.count = count;
    made.a = a.data();
    made.a_len = a.size();
    made.b = b.data();
    made.b_len = b.size();
    return made;
}

/// Vectors of one call are equally long.
inline std::size_t same(std::size_t len, std::size_t other) {
    if (len != other) throw error(HQ_ERROR_SHAPE);
    return len;
}

} // namespace detail

/// No centre is the origin; so it is for all balls and the sphere.
inline hq_set l2_ball(float radius, span<const float> center = {}) {
    return detail::set(HQ_SET_L2_BALL, radius, 0, 0, center);
}

inline hq_set l1_ball(float radius, span<const float> center = {}) {
    return detail::set(HQ_SET_L1_BALL, radius, 0, 0, center);
}

inline hq_set linf_ball(float radius, span<const float> center = {}) {
    return detail::set(HQ_SET_LINF_BALL, radius, 0, 0, center);
}

/// Bounds for each value, one for all, or none.
inline hq_set box(span<const float> low, span<const float> high) {
    return detail::set(HQ_SET_BOX, 0, 0, 0, low, high);
}

inline hq_set non_negative() { return detail::set(HQ_SET_NON_NEGATIVE); }

/// `normal . x <= bound`.
inline hq_set halfspace(span<const float> normal, float bound) {
    return detail::set(HQ_SET_HALFSPACE, 0, bound, 0, normal);
}

/// `normal . x = bound`.
inline hq_set hyperplane(span<const float> normal, float bound) {
    return detail::set(HQ_SET_HYPERPLANE, 0, bound, 0, normal);
}

/// `factor` is what `affine_prepare` has made of a system of `rows` equations.
inline hq_set affine(std::size_t rows, span<const float> factor) {
    return detail::set(HQ_SET_AFFINE, 0, 0, rows, factor);
}

/// `|z| <= t` for the vector (t, z).
inline hq_set second_order_cone() { return detail::set(HQ_SET_SECOND_ORDER_CONE); }

inline hq_set sphere(float radius, span<const float> center = {}) {
    return detail::set(HQ_SET_SPHERE, radius, 0, 0, center);
}

/// Rows of `cols` values, each of norm `radius` at most.
inline hq_set row_max_norm(std::size_t cols, float radius) {
    return detail::set(HQ_SET_ROW_MAX_NORM, radius, 0, cols);
}

/// Not negative, and the sum is `total`.
inline hq_set simplex(float total = 1) { return detail::set(HQ_SET_SIMPLEX, total); }

/// That, and nothing above `cap`.
inline hq_set capped_simplex(float cap, float total = 1) { return detail::set(HQ_SET_CAPPED_SIMPLEX, total, cap); }

/// At most `count` values that are not zero.
inline hq_set top_k(std::size_t count) { return detail::set(HQ_SET_TOP_K, 0, 0, count); }

inline hq_set codebook(span<const float> values) { return detail::set(HQ_SET_CODEBOOK, 0, 0, 0, values); }

inline hq_set exact_ternary() { return detail::set(HQ_SET_EXACT_TERNARY); }

/// The part of a product that takes `len` values.
inline hq_set part(hq_set set, std::size_t len) {
    set.len = len;
    return set;
}

/// Sets side by side, each made with `part`; at most `HQ_SET_PARTS_MAX`.
inline hq_set product(span<const hq_set> parts) {
    hq_set made = detail::set(HQ_SET_PRODUCT, 0, 0, parts.size());
    made.sets = parts.data();
    return made;
}

inline std::size_t affine_factor_len(std::size_t rows, std::size_t cols) {
    return size(hq_affine_factor_len(rows, cols));
}

inline std::size_t affine_prepare_workspace_size(std::size_t rows, std::size_t cols) {
    return size(hq_affine_prepare_workspace_size(rows, cols));
}

/// Factors `A x = b`, `b.size()` equations, into the first `affine_factor_len` values of `factor`, which lives as long as
/// the set that is returned.
inline hq_set affine_prepare(std::size_t cols, span<const float> a, span<const float> b, span<float> factor,
                             span<std::uint8_t> scratch) {
    const std::size_t rows = b.size();
    check(hq_affine_prepare(rows, cols, a.data(), a.size(), b.data(), b.size(), factor.data(), factor.size(),
                            scratch.data(), scratch.size()));
    return affine(rows, span<const float>(factor.data(), affine_factor_len(rows, cols)));
}

// What can be done with any set.

inline std::size_t workspace_size(const hq_set& set, std::size_t len) {
    return size(hq_set_workspace_size(&set, len));
}

/// Writes the nearest point of the set; returns whether `x` was outside.
inline bool project(const hq_set& set, span<const float> x, span<float> out, span<std::uint8_t> scratch = {}) {
    std::int32_t active = 0;
    check(hq_set_project(&set, x.data(), out.data(), detail::same(x.size(), out.size()), scratch.data(),
                         scratch.size(), &active));
    return active != 0;
}

/// The same in place.
inline bool project_inplace(const hq_set& set, span<float> x, span<std::uint8_t> scratch = {}) {
    std::int32_t active = 0;
    check(hq_set_project_inplace(&set, x.data(), x.size(), scratch.data(), scratch.size(), &active));
    return active != 0;
}

/// How far outside `x` is; the kind says in which measure.
inline float violation(const hq_set& set, span<const float> x) {
    float found = 0;
    check(hq_set_violation(&set, x.data(), x.size(), &found));
    return found;
}

inline bool is_feasible(const hq_set& set, span<const float> x, float tolerance) {
    std::int32_t feasible = 0;
    check(hq_set_is_feasible(&set, x.data(), x.size(), tolerance, &feasible));
    return feasible != 0;
}

/// `out` is `v` times the derivative of the projection at `x`.
inline void vjp(const hq_set& set, span<const float> x, span<const float> v, span<float> out,
                span<std::uint8_t> scratch = {}) {
    const std::size_t len = detail::same(x.size(), v.size());
    check(hq_set_vjp(&set, x.data(), v.data(), out.data(), detail::same(len, out.size()), scratch.data(),
                     scratch.size()));
}

inline std::size_t dykstra_workspace_size(span<const hq_set> sets, std::size_t len) {
    return size(hq_sets_dykstra_workspace_size(sets.data(), sets.size(), len));
}

/// The nearest point of the intersection, in place. An empty intersection does not throw: it shows in `converged`.
inline hq_dykstra dykstra(span<const hq_set> sets, span<float> x, span<std::uint8_t> scratch,
                          const hq_dykstra_options& options = {1000, 1e-6f}) {
    hq_dykstra report{};
    check(hq_sets_dykstra(sets.data(), sets.size(), x.data(), x.size(), &options, &report, scratch.data(),
                          scratch.size()));
    return report;
}

// The trust region.

/// The usual constants; change them in the struct.
inline hq_trust_region trust_region(float radius) {
    hq_trust_region region{};
    check(hq_trust_region_init(radius, &region));
    return region;
}

/// Whether to keep a step of norm `step_norm` that was foretold to lower the loss by `predicted`; both losses are of the
/// same batch.
inline hq_trust_outcome update(hq_trust_region& region, float loss, float trial_loss, float predicted,
                               float step_norm) {
    hq_trust_outcome outcome{};
    check(hq_trust_region_update(&region, loss, trial_loss, predicted, step_norm, &outcome));
    return outcome;
}

inline std::size_t steihaug_workspace_size(std::size_t len) { return size(hq_steihaug_workspace_size(len)); }

namespace detail {

/// A function object behind a pointer of C. What it throws must not pass through C, and waits here.
template <class F>
struct products {
    F& function;
    std::exception_ptr thrown;

    static std::int32_t call(void* context, const float* v, float* out, std::size_t len) noexcept {
        auto& self = *static_cast<products*>(context);
        try {
            self.function(span<const float>(v, len), span<float>(out, len));
            return HQ_OK;
        } catch (...) {
            self.thrown = std::current_exception();
            return HQ_ERROR_INVALID_ARGUMENT;
        }
    }
};

} // namespace detail

/// The step of a model whose Hessian is known by its products: `hessian(v, out)` writes `H v` to `out`, two spans of float.
/// What it throws comes out of here again.
template <class F>
hq_steihaug_result steihaug(span<const float> gradient, F&& hessian, float radius, span<float> step,
                            span<std::uint8_t> scratch, const hq_steihaug_options& options = {0.1f, 100}) {
    hq_steihaug_result result{};
    detail::products<std::remove_reference_t<F>> products{hessian, nullptr};
    check(hq_steihaug(gradient.data(), gradient.size(), products.call, &products, radius, &options, step.data(),
                      step.size(), &result, scratch.data(), scratch.size()));
    if (products.thrown) std::rethrow_exception(products.thrown);
    return result;
}

/// A Hessian in memory, `len * len` values, for `steihaug`.
struct dense_hessian {
    span<const float> values;

    void operator()(span<const float> v, span<float> out) const {
        hq_dense_hessian context{values.data(), values.size()};
        check(hq_hessian_dense(&context, v.data(), out.data(), detail::same(v.size(), out.size())));
    }
};

static_assert(sizeof(hq_set) == 16 + 7 * sizeof(std::size_t), "hq_set has four values of 4 bytes and seven words");
static_assert(sizeof(hq_dykstra) == 24 && sizeof(hq_dykstra_options) == 8, "hq_dykstra is 24 bytes, its options 8");
static_assert(sizeof(hq_trust_region) == 88 && sizeof(hq_trust_outcome) == 20,
              "hq_trust_region is 88 bytes, its outcome 20");
static_assert(sizeof(hq_steihaug_result) == 20 && sizeof(hq_steihaug_options) == 8,
              "hq_steihaug_result is 20 bytes, its options 8");

} // namespace constrain
} // namespace hybridq

#endif // HYBRIDQ_CONSTRAIN_HPP
