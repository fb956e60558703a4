// Constraint sets, the trust region and all of learning through the C++ wrapper: what each gives is known, or is the bits
// of the C functions, or of another way to the same.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "hybridq.hpp"

namespace cs = hybridq::constrain;
namespace hy = hybridq::hybrid;
namespace la = hybridq::layers;
namespace lf = hybridq::latent_free;
namespace opt = hybridq::optimizer;
namespace pk = hybridq::packets;
namespace pre = hybridq::predictor;
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

/// A step from packed trits: a known one, and the bits of a step from their numbers.
static void packed_steps() {
    const auto options = opt::default_options();
    const hq_optimizer_group groups[] = {{1, 5, 0.5f, 10}};
    const bytes trits = {0, 0, 0, 0x3E, 0 + 2 * 3 + 1 * 9 + 1 * 27 + 1 * 81}; // 1/8 times -1, 1, 0, 0, 0
    floats params(5, 1), again(5, 1), gradient(5);
    bytes memory(opt::memory_size(options, groups)), memory_again(memory.size());
    bytes scratch(opt::workspace_size(options, groups));
    auto state = opt::start(options, groups, memory), state_again = opt::start(options, groups, memory_again);
    opt::unpack_gradient(groups, trits, gradient);
    for (int step = 0; step < 2; step++) {
        opt::packed_inputs in{trits};
        opt::inputs numbers{gradient};
        if (step > 0) in.previous = numbers.previous = opt::losses{2, 1};
        const auto report = opt::step_packed(options, groups, state, memory, in, params, scratch);
        const auto same = opt::step(options, groups, state_again, memory_again, numbers, again, scratch);
        if (step == 0) must("the packed step", params == floats({1.0625f, 0.9375f, 1, 1, 1}));
        must("as from numbers", params == again && memory == memory_again && report.ratio == same.ratio &&
                                    std::memcmp(&state, &state_again, sizeof state) == 0);
        must("the packed ratio", report.has_ratio == (step > 0 ? 1u : 0u));
    }
    const floats before = params;
    const bytes bad = {0, 0, 0, 0x3E, 243};
    throws("no trits", HQ_ERROR_CORRUPT,
           [&] { opt::step_packed(options, groups, state, memory, opt::packed_inputs{bad}, params, scratch); });
    must("nothing has changed", params == before && memory == memory_again);
}

/// The loss is half the squared norm of the parameters.
static float half_square(const floats& x) {
    float sum = 0;
    for (float v : x) sum += v * v;
    return 0.5f * sum;
}

static void hybrid() {
    auto options = opt::default_options();
    const hq_optimizer_group two[] = {{1, 2, 0.25f, INFINITY}};
    floats params = {3, -1};
    bytes memory(opt::memory_size(options, two)), undo(hy::undo_size(options, two));
    bytes scratch(hy::workspace_size(options, two));
    auto state = hy::start(options, two, 0.5f, memory);
    const hy::model model{options, two, state, memory, undo, params};
    for (int step = 0; step < 100; step++) {
        const floats gradient = params;
        const auto made = hy::propose(model, half_square(params), gradient, scratch);
        must("proposed", made.verdict == HQ_TRUST_ACCEPTED && made.report.step_norm > 0 && state.waiting == 1);
        hy::judge(model, half_square(params));
    }
    must("found", half_square(params) < 0.01f && state.region.steps == 100);

    const hq_optimizer_group one[] = {{1, 1, 0.5f, INFINITY}};
    const floats gradient = {1}, most = {3.8f}, visible_before = {7};
    const hq_set set = cs::box({}, most);
    options.clip_norm = 0.5f;
    const bytes packed_before(opt::bytes_held(options, one).packed, 9);
    floats x = {4}, visible = visible_before;
    bytes packed = packed_before;
    const auto as_before = [&] { return x[0] == 4 && visible == visible_before && packed == packed_before; };
    memory.assign(opt::memory_size(options, one), 0);
    undo.assign(hy::undo_size(options, one, visible.size(), packed.size()), 0);
    scratch.assign(hy::workspace_size(options, one, &set), 0);
    state = hy::start(options, one, 1, memory);
    hy::model bounded{options, one, state, memory, undo, x, visible, packed};
    bounded.set = &set;
    must("half the rate", hy::propose(bounded, 8, gradient, scratch, {0.5f, 1}).verdict == HQ_TRUST_ACCEPTED);
    must("within the set", x[0] == 3.8f && visible != visible_before && packed != packed_before);
    throws("one waits", HQ_ERROR_INVALID_ARGUMENT, [&] { hy::propose(bounded, 8, gradient, scratch); });
    hy::undo(bounded);
    must("unjudged", as_before() && state.waiting == 0 && state.region.radius == 1);
    throws("none waits", HQ_ERROR_INVALID_ARGUMENT, [&] { hy::judge(bounded, 8); });
    hy::propose(bounded, 8, gradient, scratch);
    must("the whole rate, the gradient clipped", x[0] == 3.75f);
    must("the loss rose", hy::judge(bounded, 9).verdict == HQ_TRUST_REJECTED);
    must("taken back", as_before() && state.region.radius < 1);
    const float radius = state.region.radius;
    const auto refused = hy::propose(bounded, NAN, gradient, scratch);
    must("refused", refused.verdict == HQ_TRUST_REFUSED && refused.report.step_norm == 0);
    must("refused", as_before() && state.waiting == 0 && state.region.radius < radius);

    // Momentum carries on uphill, where no reduction is foretold: the loss alone judges, unless that is switched off.
    const floats uphill = {-0.1f};
    const auto verdict_of = [&](const floats& slope, float after) {
        hy::propose(bounded, 8, slope, scratch);
        return hy::judge(bounded, after).verdict;
    };
    must("down", verdict_of(gradient, 7.9f) == HQ_TRUST_ACCEPTED);
    bounded.tolerated_rise = 0;
    must("none tolerated", verdict_of(uphill, 8.5f) == HQ_TRUST_REJECTED);
    bounded.tolerated_rise = 0.1f;
    bounded.least_efficiency = -1;
    must("judged by the ratio", verdict_of(uphill, 8.5f) == HQ_TRUST_REJECTED);
    bounded.least_efficiency = 0.05f;
    must("tolerated", verdict_of(uphill, 8.5f) == HQ_TRUST_ACCEPTED);
}

static void predictor() {
    auto p = pre::start(1);
    p.options.highest[1] = p.options.lowest[1] = 1;
    const hq_predictor_observation seen{0, 2.3f, 0.7f, NAN, NAN, 3, 0};
    pre::moves moved{};
    for (int i = 0; i < 16; i++) {
        const auto made = pre::predict(p, seen);
        must("nothing learnt yet", i > 0 || (made.learning_rate == 1 && made.radius == 1));
        if (made.probe == 0) continue;
        // The larger rate is the better one, on both batches.
        if (made.alternative_learning_rate > made.learning_rate) {
            moved = pre::adapt(p, made, {2.3f, 2.2f, 2.15f, 2.25f, 2.2f, 1});
        } else {
            moved = pre::adapt(p, made, {2.3f, 2.15f, 2.2f, 2.2f, 2.25f, 1});
        }
    }
    must("learnt", p.statistics.moves == 1 && moved.learning_rate > 0.2f && moved.radius == 0);
    must("used", pre::predict(p, seen).learning_rate > 1);
    must("accepted", !pre::feedback(p, HQ_TRUST_ACCEPTED, 0.9f) && p.statistics.accepted == 1);
    throws("no verdict", HQ_ERROR_UNKNOWN_ENUM, [&] { pre::feedback(p, 3, 0.9f); });

    must("trained", pre::trained() == pre::trained() && pre::start(1, pre::trained()).weights[0] == pre::trained()[0]);
    const auto fresh = pre::start(1), trained = pre::start(2, p.weights);
    must("weights", std::memcmp(trained.weights, p.weights, sizeof p.weights) == 0);
    const float features[HQ_PREDICTOR_FEATURES] = {0.1f, -0.2f, 0, 0.3f, 0, -1}, gradient[2] = {1, 0};
    floats outputs(2, 9), slope(HQ_PREDICTOR_WEIGHTS);
    pre::forward(fresh.weights, features, outputs);
    must("forward", outputs == floats({0, 0}));
    pre::backward(fresh.weights, features, gradient, slope);
    must("backward", slope[144] == 1 && slope[145] == 0);
    throws("a feature is missing", HQ_ERROR_SHAPE, [&] { pre::forward(fresh.weights, {features, 5}, outputs); });
}

static void packets() {
    auto options = pk::default_options();
    must("sizes", options.unit == -34 && pk::packet_size(12800) == 40 + 10 * 260 &&
                      pk::residual_size(options, 100) == 400 && pk::workspace_size(1000000) <= 15369);
    bytes packet(pk::packet_size(2)), residual(pk::residual_size(options, 2)), scratch(pk::workspace_size(2));
    const floats gradients[] = {{0.5f, -0.5f}, {0.25f, 0.25f}};
    floats back(2), mean(2);
    std::vector<std::int64_t> values(2), there(2);
    auto sums = pk::start_sums(3, 0, options.unit), sums_there = sums;
    for (std::uint32_t shard = 0; shard < 2; shard++) {
        const hq_gradient_tag tag{3, 0, shard, 1};
        must("nothing is lost", pk::encode(options, tag, gradients[shard], residual, packet, scratch) == 0);
        const auto info = pk::inspect(packet);
        must("the tag", info.step == 3 && info.shard == shard && info.len == 2 && info.unit == options.unit);
        must("the same", pk::decode(packet, back).shard == shard && back == gradients[shard]);
        pk::merge(packet, sums, values);
        if (shard == 1) pk::merge(packet, sums_there, there);
    }
    pk::finish(sums, values, mean);
    must("the mean", sums.packets == 2 && mean == floats({0.375f, -0.125f}));
    pk::join(sums_there, there, sums, values);
    pk::finish(sums, values, mean);
    must("the second one twice", sums.packets == 3 && near(mean, {1.0f / 3, 0}));
    pk::finish(sums_there, there, mean);
    must("the second one", mean == gradients[1]);
    throws("another step", HQ_ERROR_INVALID_ARGUMENT, [&] {
        auto later = pk::start_sums(4, 0, options.unit);
        pk::merge(packet, later, there);
    });
    packet.back() ^= 1;
    throws("damaged", HQ_ERROR_CORRUPT, [&] { pk::inspect(packet); });
    const auto before = values;
    throws("damaged", HQ_ERROR_CORRUPT, [&] { pk::merge(packet, sums, values); });
    must("nothing has changed", values == before && sums.packets == 3);

    // The body of a packet is a gradient that the optimizer takes.
    const floats gradient = {0.25f, -0.25f, 0, 0.25f, 0};
    packet.assign(pk::packet_size(5), 0);
    residual.assign(pk::residual_size(options, 5), 0);
    scratch.assign(pk::workspace_size(5), 0);
    pk::encode(options, {0, 0, 0, 1}, gradient, residual, packet, scratch);
    const auto usual = opt::default_options();
    const hq_optimizer_group groups[] = {{1, 5, 0.5f, INFINITY}};
    floats params(5, 1);
    bytes memory(opt::memory_size(usual, groups)), room(opt::workspace_size(usual, groups));
    auto state = opt::start(usual, groups, memory);
    const std::size_t header = HQ_GRADIENT_PACKET_HEADER_SIZE;
    opt::step_packed(usual, groups, state, memory, {{packet.data() + header, packet.size() - header}}, params, room);
    must("a step from a packet", params == floats({0.875f, 1.125f, 1, 0.875f, 1}));
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

    // In 4 bits: what 8 bits learn with the same options.
    bytes nibbles(lf::int4_size(rows, cols)), nibbles_whole(nibbles.size()), packed(size);
    must("half a byte", lf::int4_size(10, 65) == 330);
    must("the state in 4 bits", lf::int4_state_size(format, rows, cols) == size + nibbles.size());
    options.rate = 4;
    throws("the threshold", HQ_ERROR_INVALID_ARGUMENT,
           [&] { lf::update_int4(options, 3, 0, {format, 0, rows, cols, packed, nibbles}, gradient); });
    options.threshold = 8;
    hybridq::quantize(start, format, rows, cols, floats(rows * cols), packed, scratch);
    whole = pieces = packed;
    inertia.assign(inertia.size(), 0);
    flips = 0;
    for (std::uint64_t step = 0; step < 10; step++) {
        const auto wide = lf::update(options, 3, step, {format, 0, rows, cols, whole, inertia}, gradient);
        const auto report = lf::update_int4(options, 3, step, {format, 0, rows, cols, packed, nibbles_whole}, gradient);
        must("the same report", std::memcmp(&wide, &report, sizeof report) == 0);
        flips += report.raised + report.lowered;
        for (std::size_t row = rows; row-- > 0;) {
            const std::size_t bytes_of = size / rows, inertia_of = nibbles.size() / rows;
            lf::update_int4(options, 3, step,
                            {format, row, 1, cols, {pieces.data() + row * bytes_of, bytes_of},
                             {nibbles.data() + row * inertia_of, inertia_of}},
                            {gradient.data() + row * cols, cols});
        }
    }
    must("something was learnt", flips > 0);
    must("the same trits", whole == packed && whole == pieces && nibbles == nibbles_whole);
}

/// A convolutional net with everything but words, and an attention net: what the wrapper makes are the layers of C, a step
/// against the gradient lowers the loss, and errors are named.
static void layers() {
    const la::image image{2, 4, 6};
    const hq_layer net[] = {
        la::bias(2, 24),
        la::conv(image, la::square(3), 3, true, la::ternary(HQ_FIT_LLOYD), HQ_ACTIVATIONS_INT8),
        la::pool({3, 4, 6}, {2, 2}, HQ_POOLING_MEAN),
        la::rms_norm(18, true),
        la::activation(18, HQ_CURVE_RELU_SQUARED),
        la::linear(18, 4, true, la::ternary(HQ_FIT_ABSMEAN, 0, 2)),
    };
    la::check(net);
    must("no misfit", !la::misfit(net));
    constexpr std::size_t batch = 5;
    must("lengths", la::input_len(net) == 48 && la::output_len(net) == 4 && la::arrays_len(net) == 6);
    must("names", std::strcmp(la::array(net, 3).name, "gain") == 0 && la::array(net, 4).is_matrix == 1);
    floats params(la::parameters_len(net)), gradient(params.size()), input(batch * 48), output(batch * 4), by_output(batch * 4);
    floats saved(la::saved_len(net, batch)), by_input(input.size());
    bytes scratch(la::workspace_size(net, batch));
    std::vector<hq_optimizer_group> groups(la::arrays_len(net));
    la::groups(net, 0.1f, INFINITY, groups);
    must("groups", groups[1].rows == 3 && groups[1].cols == 18 && groups[5].cols == 4);
    la::start(net, 3, params);
    for (std::size_t i = 0; i < input.size(); i++) input[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
    const std::vector<std::uint32_t> labels = {0, 1, 2, 3, 1};
    const la::pass pass{net, batch, params, input, output, saved, scratch};
    float first = 0, last = 0;
    for (int step = 0; step < 60; step++) {
        la::forward(pass);
        last = hybridq::loss::cross_entropy(4, output, labels, by_output);
        first = step == 0 ? last : first;
        std::fill(gradient.begin(), gradient.end(), 0.0f);
        la::backward(pass, by_output, gradient, by_input);
        for (std::size_t i = 0; i < params.size(); i++) params[i] -= 0.05f * gradient[i];
    }
    must("learns", last < 0.5f * first && std::fabs(by_input[0]) < 100);
    const std::vector<std::uint32_t> wrong = {0, 1, 2, 4, 1};
    throws("a label", HQ_ERROR_INVALID_ARGUMENT, [&] { hybridq::loss::cross_entropy(4, output, wrong); });
    must("that label", *hybridq::loss::first_bad_label(4, wrong) == 3 && !hybridq::loss::first_bad_label(4, labels));
    must("weights", hybridq::loss::cross_entropy(4, output, labels, {}, floats{1, 1, 1, 1, 1}) == last);

    const hq_layer text[] = {la::embedding(7, 4, 3), la::attention(4, 2, 3, true, la::ternary()), la::linear(12, 2)};
    floats words = {0, 6, 3}, weights(la::parameters_len(text)), two(2);
    floats kept(la::saved_len(text, 1));
    bytes room(la::workspace_size(text, 1));
    la::start(text, 1, weights);
    la::forward({text, 1, weights, words, two, kept, room});
    must("softened", hybridq::loss::distillation(2, two, two, 2) == 0);
    must("squares", hybridq::loss::mean_squared_error(two, two) == 0);
    words[1] = 7;
    throws("no such word", HQ_ERROR_INVALID_ARGUMENT, [&] { la::forward({text, 1, weights, words, two, kept, room}); });
    const hq_layer apart[] = {la::linear(4, 3), la::linear(4, 3)};
    throws("apart", HQ_ERROR_SHAPE, [&] { la::check(apart); });
    must("apart", *la::misfit(apart) == 1);
}

int main() try {
    hybridq::selftest_constrain();
    hybridq::selftest_learn();
    sets();
    trust();
    optimizer();
    packed_steps();
    hybrid();
    predictor();
    packets();
    latent_free();
    layers();
    std::printf("the same steps\n");
    return 0;
} catch (const hybridq::error& e) {
    std::printf("hybridq: %s (%d)\n", e.what(), static_cast<int>(e.status()));
    return 1;
}
