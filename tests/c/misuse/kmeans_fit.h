/* Lloyd's algorithm, at once and in parts. */

static void fits(void) {
    static uint8_t room[64 * CELLS + 65536];
    static const float limits[10] = {9.0f, 9.0f, 9.0f, 9.0f, 9.0f, 9.0f, 9.0f, 9.0f, 9.0f, 1.0f};
    const size_t max = SIZE_MAX, n = CELLS / 4, parts = 3 * 6 + 13;
    float weights[CELLS / 4], *centers = out.f, start[12];
    uint32_t *labels = (uint32_t *)(void *)(out.f + CELLS), own_labels[CELLS / 4];
    int64_t *partial = (int64_t *)(void *)(out.f + 400), sums[3 * 6 + 13] = {0};
    hq_kmeans_result *result = (hq_kmeans_result *)(void *)(out.f + 600);
    hq_kmeans_step *step = (hq_kmeans_step *)(void *)(out.f + 600);
    hq_kmeans_options usual, odd;
    size_t i, need, assign;
    for (i = 0; i < n; i++) weights[i] = (float)(i % 3);
    for (i = 0; i < 12; i++) start[i] = x[i];
    SAME(HQ_OK, (size_t)hq_kmeans_options_default(&usual));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_options_default(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_options_default(ODD(hq_kmeans_options, &out.f)));

    need = hq_kmeans_fit_workspace_size(n, 4, 3, &usual);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_fit_workspace_size(n, 4, 0, &usual));
    SAME(max, hq_kmeans_fit_workspace_size(max, 4, 3, &usual));
    SAME(max, hq_kmeans_fit_workspace_size(n, max, 3, &usual));
    SAME(need, hq_kmeans_fit_workspace_size(n, 4, 3, NULL));
#define FIT(n, d, x, xn, w, wn, k, o, c, cn, l, ln, r, size) \
    hq_kmeans_fit(n, d, x, xn, w, wn, k, o, c, cn, l, ln, r, room + 1, size)
    EXPECT(HQ_OK, FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, start, 12, labels, n, result, need));
    EXPECT(HQ_OK, FIT(n, 4, x, 4 * n, weights, n, 3, &usual, start, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(n, 0, NULL, 0, NULL, 0, 3, &usual, NULL, 0, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(n, 4, x, 4 * n, NULL, 0, 0, &usual, NULL, 0, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(2, 4, x, 8, NULL, 0, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(n, 4, x, 4 * n, x, n, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(1, 4, x, 4, weights, 1, 1, &usual, centers, 4, labels, n, result, need));
    odd = usual;
    odd.shift_tolerance = -1.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(n, 4, x, 4 * n, NULL, 0, 3, &odd, centers, 12, labels, n, result, need));
    odd = usual;
    odd.inertia_tolerance = (float)NAN;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(n, 4, x, 4 * n, NULL, 0, 3, &odd, centers, 12, labels, n, result, need));
    odd = usual;
    odd.spherical = 2;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FIT(n, 4, x, 4 * n, NULL, 0, 3, &odd, centers, 12, labels, n, result, need));
    odd = usual;
    odd.empty = 4;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, FIT(n, 4, x, 4 * n, NULL, 0, 3, &odd, centers, 12, labels, n, result, need));
    odd = usual;
    odd.bounds = 4;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, FIT(n, 4, x, 4 * n, NULL, 0, 3, &odd, centers, 12, labels, n, result, need));
    odd = usual;
    odd.empty = HQ_EMPTY_ERROR; /* all centres in one place */
    EXPECT(HQ_ERROR_EMPTY_CLUSTER, FIT(n, 4, x, 4 * n, NULL, 0, 3, &odd, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, FIT(n, 4, x, 4 * n - 1, NULL, 0, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, FIT(n, 4, x, 4 * n, weights, n - 1, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 11, labels, n, result, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, FIT(max, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL,
           FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 12, labels, n - 1, result, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL,
           FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 12, labels, n, result, need - 1));
    EXPECT(HQ_ERROR_NON_FINITE, FIT(n, 4, bad, 4 * n, NULL, 0, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, FIT(n, 4, NULL, 4 * n, NULL, 0, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, FIT(n, 4, x, 4 * n, NULL, n, 3, &usual, centers, 12, labels, n, result, need));
    EXPECT(HQ_OK, FIT(n, 4, x, 4 * n, NULL, 0, 3, NULL, start, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, NULL, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 12, NULL, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 12, labels, n, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED,
           FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, ODD(float, centers), 12, labels, n, result, need));
    EXPECT(HQ_ERROR_OVERLAP, FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, x, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_OVERLAP,
           FIT(n, 4, x, 4 * n, NULL, 0, 3, &usual, centers, 12, (uint32_t *)(void *)centers, n, result, need));

    assign = hq_kmeans_assign_workspace_size(3, 4);
    EXPECT(HQ_OK, assign <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_assign_workspace_size(0, 4));
    SAME(max, hq_kmeans_assign_workspace_size(max, 4));
#define PREDICT(n, d, x, xn, k, c, cn, l, ln, e, en, size) \
    hq_kmeans_predict(n, d, x, xn, k, c, cn, l, ln, e, en, room + 1, size)
    EXPECT(HQ_OK, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n, out.f, n, assign));
    EXPECT(HQ_OK, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n, NULL, 0, assign));
    EXPECT(HQ_OK, PREDICT(0, 4, NULL, 0, 3, start, 12, NULL, 0, NULL, 0, assign));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PREDICT(n, 0, NULL, 0, 3, NULL, 0, labels, n, NULL, 0, assign));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PREDICT(n, 4, x, 4 * n, 0, NULL, 0, labels, n, NULL, 0, assign));
    EXPECT(HQ_ERROR_SHAPE, PREDICT(n, 4, x, 4 * n, 3, start, 11, labels, n, NULL, 0, assign));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n - 1, NULL, 0, assign));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n, out.f, n - 1, assign));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n, NULL, 0, assign - 1));
    EXPECT(HQ_ERROR_NON_FINITE, PREDICT(n, 4, bad, 4 * n, 3, start, 12, labels, n, NULL, 0, assign));
    EXPECT(HQ_ERROR_NON_FINITE, PREDICT(n, 4, x, 4 * n, 3, bad, 12, labels, n, NULL, 0, assign));
    EXPECT(HQ_ERROR_NULL_POINTER, PREDICT(n, 4, x, 4 * n, 3, NULL, 12, labels, n, NULL, 0, assign));
    EXPECT(HQ_ERROR_NULL_POINTER, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n, NULL, n, assign));
    EXPECT(HQ_ERROR_OVERLAP, PREDICT(n, 4, x, 4 * n, 3, start, 12, labels, n, (float *)(void *)labels, n, assign));

    EXPECT(HQ_OK, hq_kmeans_normalize_rows(4, start, 12));
    EXPECT(HQ_OK, hq_kmeans_normalize_rows(4, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_normalize_rows(0, out.f, 12));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_normalize_rows(5, out.f, 12));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_normalize_rows(4, NULL, 12));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_normalize_rows(4, ODD(float, out.f), 12));
    SAME((size_t)HQ_ERROR_NON_FINITE, (size_t)hq_kmeans_normalize_rows(8, bad, 8));

    SAME(10, hq_kmeans_limits_len(4));
    SAME(max, hq_kmeans_limits_len(max));
    EXPECT(HQ_OK, hq_kmeans_limits_clear(out.f, 10));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_limits_clear(NULL, 10));
#define LIMITS(n, d, x, xn, w, wn, l, ln) hq_kmeans_limits_add(n, d, x, xn, w, wn, l, ln)
    EXPECT(HQ_OK, LIMITS(n, 4, x, 4 * n, weights, n, out.f, 10));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LIMITS(n, 4, x, 4 * n, x, n, out.f, 10));
    EXPECT(HQ_ERROR_SHAPE, LIMITS(n, 4, x, 4 * n, NULL, 0, out.f, 9));
    EXPECT(HQ_ERROR_SHAPE, LIMITS(n, 4, x, 4 * n - 1, NULL, 0, out.f, 10));
    EXPECT(HQ_ERROR_NON_FINITE, LIMITS(n, 4, bad, 4 * n, NULL, 0, out.f, 10));
    EXPECT(HQ_ERROR_NULL_POINTER, LIMITS(n, 4, x, 4 * n, NULL, 0, NULL, 10));
    EXPECT(HQ_ERROR_OVERLAP, LIMITS(n, 4, x, 4 * n, NULL, 0, x, 10));
    EXPECT(HQ_OK, hq_kmeans_limits_merge(out.f, 10, limits, 10));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_limits_merge(out.f, 9, limits, 10));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_limits_merge(out.f, 10, NULL, 10));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_limits_merge(out.f, 10, out.f + 9, 10));

    SAME(parts, hq_kmeans_partial_len(3, 4));
    SAME(max, hq_kmeans_partial_len(max, 4));
#define ADD(rows, lim, limn, x, w, wn, k, c, cn, l, ln, p, pn, size) \
    hq_kmeans_accumulate(rows, lim, limn, n, 4, x, 4 * n, w, wn, k, c, cn, l, ln, p, pn, room + 1, size)
    memset(partial, 0, sizeof sums);
    EXPECT(HQ_OK, ADD(n, limits, 10, x, weights, n, 3, start, 12, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADD(0, limits, 10, x, NULL, 0, 3, start, 12, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADD(n, limits, 10, x, NULL, 0, 0, NULL, 0, labels, n, partial, 13, assign));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT,
           ADD(n, limits, 10, huge_values, NULL, 0, 3, start, 12, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_SHAPE, ADD(n, limits, 9, x, NULL, 0, 3, start, 12, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_SHAPE, ADD(n, limits, 10, x, NULL, 0, 3, start, 12, labels, n, partial, parts - 1, assign));
    EXPECT(HQ_ERROR_SHAPE, ADD(n, limits, 10, x, NULL, 0, 3, start, 11, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_NON_FINITE, ADD(n, limits, 10, bad, NULL, 0, 3, start, 12, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_NULL_POINTER, ADD(n, NULL, 10, x, NULL, 0, 3, start, 12, labels, n, partial, parts, assign));
    EXPECT(HQ_ERROR_NULL_POINTER, ADD(n, limits, 10, x, NULL, 0, 3, start, 12, labels, n, NULL, parts, assign));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL,
           ADD(n, limits, 10, x, NULL, 0, 3, start, 12, labels, n - 1, partial, parts, assign));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL,
           ADD(n, limits, 10, x, NULL, 0, 3, start, 12, labels, n, partial, parts, assign - 1));
    EXPECT(HQ_ERROR_OVERLAP,
           ADD(n, limits, 10, x, NULL, 0, 3, start, 12, (uint32_t *)(void *)partial, n, partial, parts, assign));
    SAME(HQ_OK, (size_t)ADD(n, limits, 10, x, NULL, 0, 3, start, 12, own_labels, n, sums, parts, assign));
    EXPECT(HQ_OK, hq_kmeans_merge(partial, parts, sums, parts));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_merge(partial, parts - 1, sums, parts));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_merge(NULL, parts, sums, parts));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_merge(partial, parts, partial, parts));

#define UPDATE(rows, lim, limn, k, p, pn, e, c, cn, s) hq_kmeans_update(rows, lim, limn, k, p, pn, e, c, cn, s)
    EXPECT(HQ_OK, UPDATE(n, limits, 10, 3, sums, parts, HQ_EMPTY_KEEP, start, 12, step));
    EXPECT(HQ_ERROR_UNSUPPORTED, UPDATE(n, limits, 10, 3, sums, parts, HQ_EMPTY_FARTHEST, centers, 12, step));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, UPDATE(n, limits, 10, 3, sums, parts, -1, centers, 12, step));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, UPDATE(0, limits, 10, 3, sums, parts, HQ_EMPTY_KEEP, centers, 12, step));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, UPDATE(n, limits, 10, 0, sums, 13, HQ_EMPTY_KEEP, NULL, 0, step));
    EXPECT(HQ_ERROR_SHAPE, UPDATE(n, limits, 10, 3, sums, parts - 1, HQ_EMPTY_KEEP, centers, 12, step));
    EXPECT(HQ_ERROR_SHAPE, UPDATE(n, limits, 10, 3, sums, parts, HQ_EMPTY_KEEP, centers, 11, step));
    EXPECT(HQ_ERROR_NULL_POINTER, UPDATE(n, limits, 10, 3, NULL, parts, HQ_EMPTY_KEEP, centers, 12, step));
    EXPECT(HQ_ERROR_NULL_POINTER, UPDATE(n, limits, 10, 3, sums, parts, HQ_EMPTY_KEEP, centers, 12, NULL));
    EXPECT(HQ_ERROR_OVERLAP, UPDATE(n, limits, 10, 3, sums, parts, HQ_EMPTY_KEEP, (float *)(void *)sums, 12, step));
    memset(sums, 0, sizeof sums);
    EXPECT(HQ_ERROR_EMPTY_CLUSTER, UPDATE(n, limits, 10, 3, sums, parts, HQ_EMPTY_ERROR, centers, 12, step));

#define SEEDED(k, o, method, starts, c, cn, l, ln, r, size) \
    hq_kmeans_fit_seeded(n, 4, x, 4 * n, NULL, 0, k, o, method, 0, starts, 1, c, cn, l, ln, r, room + 1, size)
    need = hq_kmeans_fit_seeded_workspace_size(n, 4, 3, &usual, HQ_SEEDING_PLUS_PLUS);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_fit_seeded_workspace_size(n, 4, 0, &usual, HQ_SEEDING_PLUS_PLUS));
    SAME(max, hq_kmeans_fit_seeded_workspace_size(n, 4, 3, &usual, 3));
    SAME(need, hq_kmeans_fit_seeded_workspace_size(n, 4, 3, NULL, HQ_SEEDING_PLUS_PLUS));
    EXPECT(HQ_OK, SEEDED(3, &usual, 0, 2, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEEDED(3, &usual, 0, 0, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEEDED(0, &usual, 0, 2, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, SEEDED(3, &usual, 3, 2, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SEEDED(3, &usual, 0, 2, centers, 11, labels, n, result, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SEEDED(3, &usual, 0, 2, centers, 12, labels, n - 1, result, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, SEEDED(3, &usual, 0, 2, centers, 12, labels, n, result, need - 1));
    EXPECT(HQ_OK, SEEDED(3, NULL, 0, 2, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, SEEDED(3, &usual, 0, 2, centers, 12, labels, n, NULL, need));
    EXPECT(HQ_ERROR_OVERLAP, SEEDED(3, &usual, 0, 2, centers, 12, (uint32_t *)(void *)centers, n, result, need));

    EXPECT(HQ_OK, hq_kmeans_transform(n, 4, x, 4 * n, 3, start, 12, out.f, 3 * n));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_transform(n, 4, x, 4 * n, 0, NULL, 0, out.f, 3 * n));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_transform(n, 4, x, 4 * n, 3, start, 11, out.f, 3 * n));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_kmeans_transform(n, 4, x, 4 * n, 3, start, 12, out.f, 3 * n - 1));
    EXPECT(HQ_ERROR_NON_FINITE, hq_kmeans_transform(n, 4, bad, 4 * n, 3, start, 12, out.f, 3 * n));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_transform(n, 4, x, 4 * n, 3, start, 12, NULL, 3 * n));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_transform(n, 4, x, 4 * n, 3, start, 12, x, 3 * n));
    {
        hq_kmeans_top2 *two = (hq_kmeans_top2 *)(void *)out.f;
        hq_kmeans_summary *summaries = (hq_kmeans_summary *)(void *)out.f;
        const size_t room_size = hq_kmeans_summarize_workspace_size(3);
        const size_t pass_size = hq_kmeans_assign_workspace_size(3, 4);
#define TWO(x, xn, k, c, cn, to, tn, size) hq_kmeans_nearest_two(n, 4, x, xn, k, c, cn, to, tn, room + 1, size)
        EXPECT(HQ_OK, TWO(x, 4 * n, 3, start, 12, two, n, pass_size));
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, TWO(x, 4 * n, 0, NULL, 0, two, n, pass_size));
        EXPECT(HQ_ERROR_SHAPE, TWO(x, 4 * n - 1, 3, start, 12, two, n, pass_size));
        EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, TWO(x, 4 * n, 3, start, 12, two, n - 1, pass_size));
        EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, TWO(x, 4 * n, 3, start, 12, two, n, pass_size - 1));
        EXPECT(HQ_ERROR_NON_FINITE, TWO(bad, 4 * n, 3, start, 12, two, n, pass_size));
        EXPECT(HQ_ERROR_NULL_POINTER, TWO(x, 4 * n, 3, start, 12, NULL, n, pass_size));
        EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_nearest_two(n, 4, x, 4 * n, 3, start, 12, two, n, NULL, pass_size));
        EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_nearest_two(n, 4, x, 4 * n, 3, start, 12, two, n, two, pass_size));
#undef TWO
        SAME(max, hq_kmeans_summarize_workspace_size(0));
#define SUM(w, wn, k, l, ln, e, en, s, sn, size) hq_kmeans_summarize(n, w, wn, k, l, ln, e, en, s, sn, room + 1, size)
        EXPECT(HQ_OK, SUM(NULL, 0, 3, own_labels, n, weights, n, summaries, 3, room_size));
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, SUM(NULL, 0, 1, own_labels, n, weights, n, summaries, 3, room_size));
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, SUM(NULL, 0, 3, own_labels, n, x, n, summaries, 3, room_size));
        EXPECT(HQ_ERROR_SHAPE, SUM(NULL, 0, 3, own_labels, n - 1, weights, n, summaries, 3, room_size));
        EXPECT(HQ_ERROR_SHAPE, SUM(NULL, 0, 3, own_labels, n, weights, n - 1, summaries, 3, room_size));
        EXPECT(HQ_ERROR_SHAPE, SUM(weights, n - 1, 3, own_labels, n, weights, n, summaries, 3, room_size));
        EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SUM(NULL, 0, 3, own_labels, n, weights, n, summaries, 2, room_size));
        EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, SUM(NULL, 0, 3, own_labels, n, weights, n, summaries, 3, room_size - 1));
        EXPECT(HQ_ERROR_NULL_POINTER, SUM(NULL, 0, 3, NULL, n, weights, n, summaries, 3, room_size));
        EXPECT(HQ_ERROR_NULL_POINTER, SUM(NULL, 0, 3, own_labels, n, weights, n, NULL, 3, room_size));
    }
}
