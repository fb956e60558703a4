// k-means through the C++ wrapper: every way to the same clusters gives the same bits.
#include <cstdio>
#include <cstring>
#include <vector>

#include "hybridq.hpp"

using hybridq::centers;
using hybridq::points;
namespace km = hybridq::kmeans;
namespace k8 = hybridq::kmeans_int8;
namespace k1 = hybridq::kmeans_1d;

template <class T>
static void same(const char* what, const std::vector<T>& a, const std::vector<T>& b) {
    if (a.size() != b.size() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) != 0) {
        std::printf("%s differs\n", what);
        throw hybridq::error(HQ_ERROR_SELF_TEST);
    }
}

static void must(const char* what, bool holds) {
    if (!holds) {
        std::printf("%s does not hold\n", what);
        throw hybridq::error(HQ_ERROR_SELF_TEST);
    }
}

using bytes = std::vector<std::uint8_t>;
constexpr std::size_t rows = 300, cols = 3, k = 5;

static std::vector<float> blobs() {
    std::vector<float> x(rows * cols);
    for (std::size_t i = 0; i < x.size(); i++)
        x[i] = static_cast<float>(i / cols % k * 20 + i * 37 % 11) * (i % cols == 1 ? -1.0f : 1.0f);
    return x;
}

static void floats() {
    const std::vector<float> x = blobs();
    const points all{rows, cols, x};
    hq_kmeans_options options = km::default_options();
    options.max_iterations = 1;

    std::vector<std::uint32_t> chosen(k), labels(rows), others(rows);
    std::vector<float> start(k * cols), fitted, merged;
    bytes scratch(km::seed_workspace_size(HQ_SEEDING_PLUS_PLUS, rows, k));
    km::seed(all, HQ_SEEDING_PLUS_PLUS, 0, 1, chosen, centers{k, start}, scratch);
    fitted = merged = start;
    scratch.resize(km::fit_workspace_size(rows, cols, k, options));
    const hq_kmeans_result result = km::fit(all, options, centers{k, fitted}, labels, scratch);
    must("one iteration", result.iterations == 1);

    // The same iteration from two parts.
    const std::size_t half = rows / 2;
    const points parts[] = {{half, cols, {x.data(), half * cols}},
                            {rows - half, cols, {x.data() + half * cols, (rows - half) * cols}}};
    std::vector<float> limits(km::limits_len(cols)), other(limits.size());
    std::vector<std::int64_t> partial(km::partial_len(k, cols)), rest(partial.size());
    km::limits_clear(limits);
    km::limits_clear(other);
    km::limits_add(parts[0], limits);
    km::limits_add(parts[1], other);
    km::limits_merge(limits, other);
    scratch.resize(km::assign_workspace_size(k, cols));
    km::accumulate(rows, limits, parts[0], k, merged, {others.data(), half}, partial, scratch);
    km::accumulate(rows, limits, parts[1], k, merged, {others.data() + half, rows - half}, rest, scratch);
    km::merge(partial, rest);
    must("all rows in the partials", km::update(rows, limits, partial, HQ_EMPTY_KEEP, centers{k, merged}).empty == 0);
    same("the centres of merged partials", merged, fitted);

    // And as the only batch of a stream.
    std::vector<float> state(km::stream_len(k, cols)), again(state.size());
    km::stream_start(cols, k, start, {}, state);
    again = state;
    scratch.resize(km::stream_fit_workspace_size(k, cols));
    km::stream_fit(all, k, 1.0f, state, others, scratch);
    km::stream_update(rows, limits, k, partial, 1.0f, again);
    same("the state of a stream", state, again);
    scratch.resize(km::stream_reassign_workspace_size(rows, cols, k));
    must("no centre is idle", km::stream_reassign(all, k, 0.001f, 1, state, scratch) == 0);

    // Labels, distances and the nearest two agree.
    std::vector<float> distances(rows), table(rows * k);
    std::vector<hq_kmeans_top2> nearest(rows);
    scratch.resize(km::assign_workspace_size(k, cols));
    km::predict(all, k, fitted, others, distances, scratch);
    same("the labels of predict", others, labels);
    km::nearest_two(all, k, fitted, nearest, scratch);
    km::transform(all, k, fitted, table);
    for (std::size_t i = 0; i < rows; i++) {
        must("the nearest is the label", nearest[i].label == labels[i]);
        for (std::size_t j = 0; j < k; j++)
            must("no distance is less", table[i * k + j] >= table[i * k + labels[i]]);
    }
    std::vector<hq_kmeans_summary> summaries(k);
    scratch.resize(km::summarize_workspace_size(k));
    km::summarize({}, labels, distances, summaries, scratch);
    std::size_t counted = 0;
    for (const hq_kmeans_summary& s : summaries) counted += s.points;
    must("every row is in a cluster", counted == rows);

    options = km::default_options();
    scratch.resize(km::fit_seeded_workspace_size(rows, cols, k, options, HQ_SEEDING_PLUS_PLUS));
    const float best = km::fit_seeded(all, options, HQ_SEEDING_PLUS_PLUS, 0, 4, 1, centers{k, fitted}, labels, scratch)
                           .inertia;
    must("a fit is no worse than an iteration", best <= result.inertia);
    hq_kmeans_batch_options batches = km::default_batch_options();
    batches.batch = 64;
    scratch.resize(km::mini_batch_workspace_size(rows, cols, k, batches));
    must("nor better than the best by much",
         km::mini_batch(all, batches, centers{k, start}, labels, scratch).inertia >= best * 0.999f);

    std::vector<hq_kmeans_candidate> curve(8);
    std::vector<float> room(8 * cols);
    scratch.resize(km::choose_k_workspace_size(rows, cols, 8));
    const hq_kmeans_choice choice =
        km::choose_k(all, 1, km::default_options(), curve, centers{8, room}, labels, scratch);
    must("five clusters are five", choice.k == k);

    std::vector<float> unit = x;
    for (std::size_t i = 0; i < rows; i++) unit[i * cols] += 1.0f;
    km::normalize_rows(cols, unit);
    must("rows of length 1", unit[0] * unit[0] + unit[1] * unit[1] + unit[2] * unit[2] < 1.0001f);
}

static void codes() {
    std::vector<std::int8_t> x(rows * cols);
    for (std::size_t i = 0; i < x.size(); i++) x[i] = static_cast<std::int8_t>(i / cols % k * 20 + i * 37 % 11);
    const k8::points all{rows, cols, x};
    std::vector<std::int16_t> start(k * cols), fitted, merged;
    bytes scratch(k8::plus_plus_workspace_size(rows, cols, k));
    k8::plus_plus(all, 7, k8::centers{k, start}, scratch);
    fitted = merged = start;
    hq_kmeans_int8_options options = k8::default_options();
    options.seeding = HQ_KMEANS_INT8_SEEDING_GIVEN;
    options.max_iterations = 1;
    std::vector<std::uint16_t> labels(rows), others(rows);
    scratch.resize(k8::fit_workspace_size(rows, cols, k, options));
    const hq_kmeans_int8_result result = k8::fit(all, options, k8::centers{k, fitted}, labels, scratch);

    const std::size_t half = rows / 2;
    std::vector<std::int64_t> partial(k8::partial_len(cols, k)), rest(partial.size());
    scratch.resize(k8::assign_workspace_size(cols, k));
    k8::accumulate({half, cols, {x.data(), half * cols}}, k, start, {}, partial, scratch);
    k8::accumulate({rows - half, cols, {x.data() + half * cols, (rows - half) * cols}}, k, start, {}, rest, scratch);
    k8::merge(partial, rest);
    must("every point is counted", k8::update(cols, partial, k8::centers{k, merged}).rows == rows);
    same("the int8 centres of merged partials", merged, fitted);
    must("the inertia of the result", k8::assign(all, k, fitted, others, scratch) == result.inertia);
    same("the int8 labels", others, labels);
    k8::decay(cols, k, partial, 32768);
    std::vector<std::int8_t> rounded(k * cols);
    k8::round_centers(fitted, rounded);
    must("codes of centres", rounded[0] * 16 - fitted[0] <= 8 && fitted[0] - rounded[0] * 16 <= 8);
}

static void values() {
    const float x[] = {1, 1, 2, 10, 11, 12, 12, 0, 0};
    std::vector<float> found(3), binned(3);
    std::vector<std::uint8_t> labels(9), own(9), bits(3);
    bytes scratch(k1::exact_workspace_size(9, 3, false));
    const float inertia = k1::exact(x, {}, false, found, scratch);
    k1::label(x, found, labels);
    std::vector<std::uint32_t> counts(13), more(13);
    k1::bins_add({x, 4}, -0.5f, 12.5f, counts);
    k1::bins_add({x + 4, 5}, -0.5f, 12.5f, more);
    k1::bins_merge(counts, more);
    scratch.resize(k1::bins_workspace_size(13, 3));
    const hq_kmeans_bins bins = k1::bins_cluster(counts, -0.5f, 12.5f, binned, scratch);
    must("bins of width 1 are the values", bins.inertia > inertia * 0.999f);
    for (std::size_t i = 0; i < 3; i++) must("centres of bins", binned[i] - found[i] < 1e-3f && found[i] - binned[i] < 1e-3f);

    std::vector<hq_parameter_cluster> clusters(3);
    scratch.resize(k1::parameters_workspace_size(9, 3, false));
    clusters.resize(k1::cluster_parameters(x, false, own, clusters, scratch));
    same("labels of parameters", own, labels);
    bits.resize(clusters.size());
    scratch.resize(k1::suggest_bits_workspace_size(clusters.size()));
    must("within the budget", k1::suggest_bits(clusters, {}, 4.0f, 8, bits, scratch).total <= 4 * 9);
}

static void balanced() {
    const std::vector<float> x = blobs();
    const points all{rows, cols, x};
    std::vector<float> start(x.begin(), x.begin() + k * cols), fitted = start, distances(rows);
    std::vector<std::uint32_t> labels(rows), again(rows);
    bytes scratch(km::fit_balanced_workspace_size(rows, cols, k));
    const hq_kmeans_result result =
        km::fit_balanced(all, {}, km::default_options(), centers{k, fitted}, labels, scratch);
    must("a fit within sizes ends", result.stop == HQ_STOP_LABELS);
    scratch.resize(km::assign_balanced_workspace_size(rows, cols, k));
    km::assign_balanced(all, k, fitted, {}, again, distances, scratch);
    same("the labels of the centres", labels, again);

    std::vector<std::uint32_t> starts(k + 1), order(rows), batch(32), seen(rows);
    const hybridq::data::clusters groups = hybridq::data::group(labels, starts, order);
    for (std::size_t j = 0; j < k; j++) must("sizes alike", starts[j + 1] - starts[j] == rows / k);
    const std::size_t count = hybridq::data::batches(rows, 32);
    for (std::size_t step = 0; step < count; step++)
        for (std::uint32_t row : hybridq::data::balanced_batch(groups, 32, false, 1, step, batch)) seen[row]++;
    for (std::uint32_t times : seen) must("every row once", times == 1);
    std::vector<std::uint64_t> tickets(k);
    std::vector<float> chances(k), weights(32);
    hybridq::data::sampling(groups, 1.0f, tickets, chances);
    const hq_data_batch found = hybridq::data::cluster_batch(groups, tickets, 1, 0, batch);
    must("a batch of a cluster", found.rows == 32 && found.weight == 1.0f && labels[batch[31]] == found.cluster);
    hybridq::data::sample(groups, tickets, 1, 0, batch, weights);
    must("weights of 1", weights[0] == 1.0f && weights[31] == 1.0f);

    // A cluster that nobody is near gets the farthest row.
    std::vector<float> far = start, limits(km::limits_len(cols));
    for (std::size_t j = 0; j < cols; j++) far[j] = 1e6f;
    fitted = far;
    hq_kmeans_options once = km::default_options();
    once.max_iterations = 1;
    scratch.resize(km::fit_workspace_size(rows, cols, k, once));
    km::fit(all, once, centers{k, fitted}, labels, scratch);
    std::vector<std::int64_t> partial(km::partial_len(k, cols));
    std::vector<std::uint32_t> farthest(km::farthest_len(k, cols)), none(farthest.size());
    km::limits_clear(limits);
    km::limits_add(all, limits);
    scratch.resize(km::assign_workspace_size(k, cols));
    km::accumulate(rows, limits, all, k, far, labels, partial, scratch);
    km::farthest_add(rows, limits, 0, all, k, far, labels, none);
    km::farthest_merge(k, cols, farthest, none);
    must("one was empty", km::update_farthest(rows, limits, partial, farthest, centers{k, far}).empty == 1);
    same("the step of a fit", far, fitted);
}

static void errors() {
    std::vector<std::uint32_t> counts(3), fewer(2);
    try {
        k1::bins_merge(counts, fewer);
    } catch (const hybridq::error& e) {
        must("the status of lengths that differ", e.status() == HQ_ERROR_INVALID_ARGUMENT);
        return;
    }
    must("an exception", false);
}

int main() try {
    floats();
    codes();
    values();
    balanced();
    errors();
    std::printf("the same clusters\n");
    return 0;
} catch (const hybridq::error& e) {
    std::printf("hybridq: %s (%d)\n", e.what(), static_cast<int>(e.status()));
    return 1;
}
