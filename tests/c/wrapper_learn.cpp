// Constraint sets, the trust region, the optimizer and latent-free learning through the C++ wrapper: what each gives is
// known, or is the bits of the C functions.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "hybridq.hpp"

namespace cs = hybridq::constrain;
namespace lf = hybridq::latent_free;
namespace opt = hybridq::optimizer;
using floats = std::vector<float>;
using bytes = std::vector<std::uint8_t>;

static void must(const char* what, bool holds) {
    if (!holds) {
        std::printf("%s does not hold\n", what);
        throw hybridq::error(HQ_ERROR_SELF_TEST);
    }
}

template <class F>
static void throws(const char* what, hq_status status, F&& f) {
    try {
        f();
    } catch (const hybridq::error& e) {
        return must(what, e.status() == status);
    }
    must(what, false);
}

static bool near(const floats& a, const floats& b) {
    bool close = a.size() == b.size();
    for (std::size_t i = 0; close && i < a.size(); i++) close = std::fabs(a[i] - b[i]) <= 1e-6f;
    return close;
}

/// The projection of `x`, out of place and in place, and what violation and feasibility say of both ends.
static floats nearest(const char* what, const hq_set& set, const floats& x, bool outside = true) {
    floats out(x.size()), same = x;
    bytes scratch(cs::workspace_size(set, x.size()));
    must(what, cs::project(set, x, out, scratch) == outside);
    must(what, cs::project_inplace(set, same, scratch) == outside);
    must(what, std::memcmp(out.data(), same.data(), out.size() * sizeof(float)) == 0);
    must(what, cs::is_feasible(set, out, 1e-5f) && cs::violation(set, out) <= 1e-5f);
    must(what, cs::is_feasible(set, x, 1e-5f) == !outside && (cs::violation(set, x) > 1e-5f) == outside);
    return out;
}

static void sets() {
    const floats c = {1, 1}, one = {-1}, high = {1}, levels = {-2, 0, 3};
    must("l2", near(nearest("l2", cs::l2_ball(2, c), {4, 5}), {2.2f, 2.6f}));
    must("l1", near(nearest("l1", cs::l1_ball(1), {3, 1}), {1, 0}));
    must("l1 centre", near(nearest("l1 centre", cs::l1_ball(1, c), {4, 2}), {2, 1}));
    must("linf", near(nearest("linf", cs::linf_ball(0.5f, c), {4, 1}), {1.5f, 1}));
    must("box", near(nearest("box", cs::box(one, high), {-3, 0.5f}), {-1, 0.5f}));
    must("half box", near(nearest("half box", cs::box({}, high), {-3, 2}), {-3, 1}));
    must("non_negative", near(nearest("non_negative", cs::non_negative(), {-3, 2}), {0, 2}));
    must("inside", near(nearest("inside", cs::non_negative(), {3, 2}, false), {3, 2}));
    must("halfspace", near(nearest("halfspace", cs::halfspace(c, 1), {2, 1}), {1, 0}));
    must("hyperplane", near(nearest("hyperplane", cs::hyperplane(c, 3), {0, 1}), {1, 2}));
    must("cone", near(nearest("cone", cs::second_order_cone(), {0, 3, 4}), {2.5f, 1.5f, 2}));
    must("sphere", near(nearest("sphere", cs::sphere(5), {0.3f, 0.4f}), {3, 4}));
    must("rows", near(nearest("rows", cs::row_max_norm(2, 1), {3, 4, 0.5f, 0}), {0.6f, 0.8f, 0.5f, 0}));
    must("simplex", near(nearest("simplex", cs::simplex(2), {3, 1, -1}), {2, 0, 0}));
    must("capped", near(nearest("capped", cs::capped_simplex(1, 2), {5, 1, 0}), {1, 1, 0}));
    must("top_k", near(nearest("top_k", cs::top_k(1), {1, -2, 2}), {0, -2, 0}));
    must("codebook", near(nearest("codebook", cs::codebook(levels), {-5, 1, 2}), {-2, 0, 3}));
    must("ternary", near(nearest("ternary", cs::exact_ternary(), {2, -4, 0.5f}), {3, -3, 0}));
    const hq_set parts[] = {cs::part(cs::simplex(), 2), cs::part(cs::l2_ball(1), 2)};
    must("product", near(nearest("product", cs::product(parts), {2, 0, 0, 4}), {1, 0, 0, 1}));

    const floats a = {1, 1, 0, 0, 1, 1}, b = {2, 4};
    floats factor(cs::affine_factor_len(2, 3));
    bytes scratch(cs::affine_prepare_workspace_size(2, 3));
    const hq_set affine = cs::affine_prepare(3, a, b, factor, scratch);
    const floats solved = nearest("affine", affine, {9, 9, 9});
    must("affine", std::fabs(solved[0] + solved[1] - 2) < 1e-5f && std::fabs(solved[1] + solved[2] - 4) < 1e-5f);

    floats out(2);
    const floats x = {3, 4}, v = {4, -3}, ones = {1, 1};
    cs::vjp(cs::l2_ball(1), x, v, out);
    must("vjp", near(out, {0.8f, -0.6f}));
    throws("another length", HQ_ERROR_SHAPE, [&] { cs::vjp(cs::l2_ball(1), x, v, hybridq::span<float>(out.data(), 1)); });
    throws("another length", HQ_ERROR_SHAPE, [&] { cs::project(cs::l2_ball(1), x, hybridq::span<float>(out.data(), 1)); });
    throws("no scratch", HQ_ERROR_WORKSPACE_TOO_SMALL, [&] { cs::project_inplace(cs::top_k(1), out); });

    const hq_set both[] = {cs::non_negative(), cs::halfspace(ones, 1)};
    floats point = {2, -1};
    bytes room(cs::dykstra_workspace_size(both, 2));
    const hq_dykstra report = cs::dykstra(both, point, room);
    must("dykstra", report.converged == 1 && near(point, {1, 0}) && report.distance <= 1e-5f);
    const hq_set apart[] = {cs::non_negative(), cs::halfspace(ones, -1)};
    point = {2, -1};
    must("nothing in common", cs::dykstra(apart, point, room, {50, 1e-6f}).converged == 0);
}

static void trust() {
    auto region = cs::trust_region(1);
    must("grows", cs::update(region, 5, 4, 1.1f, 1).verdict == HQ_TRUST_ACCEPTED && region.radius > 1.5f);
    must("refuses", cs::update(region, 4, NAN, 1, 1).verdict == HQ_TRUST_REFUSED && region.radius < 1.5f);

    const floats h = {2, 0.5f, 0.5f, 2}, g = {-2, -3};
    floats step(2);
    bytes scratch(cs::steihaug_workspace_size(2));
    const hq_steihaug_options exact{1e-6f, 10};
    auto found = cs::steihaug(g, cs::dense_hessian{h}, 10, step, scratch, exact);
    must("Newton", found.stop == HQ_STEIHAUG_CONVERGED && near(step, {2.0f / 3, 4.0f / 3}));
    int products = 0;
    const auto twice = [&](hybridq::span<const float> v, hybridq::span<float> out) {
        products++;
        for (std::size_t i = 0; i < v.size(); i++) out[i] = 2 * v[i];
    };
    found = cs::steihaug(g, twice, 1, step, scratch);
    must("boundary", found.stop == HQ_STEIHAUG_BOUNDARY && found.norm == 1 && products == 1);
    bool caught = false;
    try {
        cs::steihaug(g, [](auto, auto) { throw std::runtime_error("no product"); }, 1, step, scratch);
    } catch (const std::runtime_error& e) {
        caught = std::strcmp(e.what(), "no product") == 0;
    }
    must("an exception passes through", caught);
}

static void optimizer() {
    constexpr std::size_t rows = 6, cols = 64, len = rows * cols;
    auto options = opt::default_options();
    options.gradient = HQ_GRADIENT_TERNARY;
    options.residual = HQ_STORAGE_INT8;
    const hq_optimizer_group groups[] = {{rows / 2, cols, 0.1f, INFINITY}, {rows / 2, cols, 0.05f, 0.01f}};
    const hq_set set = cs::l1_ball(30);

    const auto held = opt::bytes_held(options, groups);
    floats params(len), again(len), gradient(len), visible(len), trits(len);
    bytes memory(opt::memory_size(options, groups)), memory_c(memory.size());
    bytes scratch(opt::workspace_size(options, groups, &set)), packed(held.packed), codes(held.gradient);
    must("sizes", held.memory == memory.size() && opt::workspace_size(options, groups) <= scratch.size());
    hq_optimizer_group_step steps[2];
    auto state = opt::start(options, groups, memory);
    hq_optimizer_state state_c{};
    hybridq::check(hq_optimizer_start(&options, groups, 2, &state_c, memory_c.data(), memory_c.size()));
    for (std::size_t i = 0; i < len; i++) gradient[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
    for (int step = 0; step < 3; step++) {
        opt::inputs in{gradient};
        in.set = &set;
        if (step > 0) in.previous = opt::losses{2, 1};
        const auto report =
            opt::step(options, groups, state, memory, in, params, scratch, {visible, packed, codes, steps});
        const float pair[2] = {2, 1};
        hybridq::check(hq_optimizer_step(&options, groups, 2, &state_c, memory_c.data(), memory_c.size(),
                                         gradient.data(), len, step > 0 ? pair : nullptr, &set, again.data(), len,
                                         nullptr, nullptr, scratch.data(), scratch.size()));
        must("as in C", std::memcmp(params.data(), again.data(), len * sizeof(float)) == 0 && memory == memory_c &&
                            std::memcmp(&state, &state_c, sizeof state) == 0);
        must("the ratio", report.has_ratio == (step > 0 ? 1u : 0u));
        must("a radius each", steps[0].bounded == 0 && steps[1].bounded == 1 && report.bounded == 1);
        must("the set", cs::is_feasible(set, params, 1e-4f));
    }
    opt::unpack_gradient(groups, codes, trits);
    std::size_t zeros = 0;
    for (float t : trits) zeros += t == 0 ? 1 : 0;
    must("trits", zeros > len / 10 && zeros < len);
    floats decoded(len);
    hybridq::dequantize({HQ_FORMAT_TQ2_0, rows, cols, packed}, decoded);
    must("what the model sees", decoded == visible);
    gradient[5] = NAN;
    const floats before = params;
    throws("NaN", HQ_ERROR_NON_FINITE,
           [&] { opt::step(options, groups, state, memory, opt::inputs{gradient}, params, scratch); });
    must("nothing has changed", params == before && memory == memory_c);
}

static void latent_free() {
    constexpr std::size_t rows = 4, cols = 70;
    const std::int32_t format = HQ_FORMAT_DENSE_TERNARY;
    const std::size_t size = hybridq::matrix_size(format, rows, cols);
    bytes whole(size), pieces;
    std::vector<std::int8_t> inertia(lf::inertia_len(rows, cols));
    must("the state", lf::state_size(format, rows, cols) == size + inertia.size());
    const auto start = hybridq::default_options(format);
    bytes scratch(hybridq::quantize_workspace_size(start, format, rows, cols));
    hybridq::quantize(start, format, rows, cols, floats(rows * cols), whole, scratch);
    pieces = whole;
    std::vector<std::int8_t> inertia_pieces = inertia;

    auto options = lf::default_options();
    options.rate = 20.5f;
    floats gradient(rows * cols);
    for (std::size_t i = 0; i < gradient.size(); i++) gradient[i] = static_cast<float>(i * 29 % 83) / 40 - 1;
    std::uint64_t flips = 0;
    for (std::uint64_t step = 0; step < 10; step++) {
        const auto report = lf::update(options, 3, step, {format, 0, rows, cols, whole, inertia}, gradient);
        flips += report.raised + report.lowered;
        for (std::size_t row = rows; row-- > 0;) {
            const std::size_t bytes_of = size / rows;
            lf::update(options, 3, step,
                       {format, row, 1, cols, {pieces.data() + row * bytes_of, bytes_of},
                        {inertia_pieces.data() + row * cols, cols}},
                       {gradient.data() + row * cols, cols});
        }
    }
    must("something was learnt", flips > 0);
    must("rows in any order", whole == pieces && inertia == inertia_pieces);
}

int main() try {
    hybridq::selftest_constrain();
    hybridq::selftest_learn();
    sets();
    trust();
    optimizer();
    latent_free();
    std::printf("the same steps\n");
    return 0;
} catch (const hybridq::error& e) {
    std::printf("hybridq: %s (%d)\n", e.what(), static_cast<int>(e.status()));
    return 1;
}
