/* Streams of batches, and mini-batch k-means. */

/* Two centres of one value that weigh 2 and 3. */
static const float stream_good[6] = {-0.5f, 0.5f, 0.0f, 0.0f, 2.0f, 3.0f};
static float stream_state[6];
static uint8_t stream_room[1 << 16];

static void stream_expect(int line, const char *call, hq_status got, hq_status want) {
    expect(line, call, got, want);
    same(line, call, memcmp(stream_state, stream_good, sizeof stream_good) == 0, want != HQ_OK);
}
/* As EXPECT; the state, which is read and written, is checked as well. */
#define STREAM(want, call) \
    (memcpy(stream_state, stream_good, sizeof stream_good), stream_expect(__LINE__, #call, (call), (want)))

static void streams(void) {
    const size_t max = SIZE_MAX, n = CELLS;
    const size_t fit = hq_kmeans_stream_fit_workspace_size(2, 1);
    const size_t again = hq_kmeans_stream_reassign_workspace_size(n, 1, 2);
    const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}, nothing[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    int64_t partial[2 * 3 + 13] = {0, 0, 3, 0, 3, 0};
    float *state = stream_state, zeros[CELLS], weights[2] = {1.0f, -1.0f};
    uint32_t *labels = (uint32_t *)out.bytes;
    hq_kmeans_step *step = (hq_kmeans_step *)(void *)out.sizes;
    size_t *moved = out.sizes, i;
    for (i = 0; i < CELLS; i++) zeros[i] = 0.0f;

    SAME(6, hq_kmeans_stream_len(2, 1));
    SAME(max, hq_kmeans_stream_len(0, 1));
    SAME(max, hq_kmeans_stream_len(2, max / 2));
    SAME(max, hq_kmeans_stream_fit_workspace_size(0, 1));
    SAME(max, hq_kmeans_stream_fit_workspace_size(2, max / 8));
    SAME(max, hq_kmeans_stream_reassign_workspace_size(4, 1, 0));
    SAME(max, hq_kmeans_stream_reassign_workspace_size(max, max, 1000));
    SAME(1, fit <= sizeof stream_room - 1 && again <= sizeof stream_room - 1);

    EXPECT(HQ_OK, hq_kmeans_stream_start(2, 1, x, 2, NULL, 0, out.f, 6));
    EXPECT(HQ_OK, hq_kmeans_stream_start(2, 1, x, 2, limits, 2, out.f, 6));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_stream_start(0, 1, NULL, 0, NULL, 0, out.f, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_stream_start(2, 0, NULL, 0, NULL, 0, out.f, 2));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_stream_start(2, 1, x, 2, weights, 2, out.f, 6));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_stream_start(2, 1, x, 3, NULL, 0, out.f, 6));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_stream_start(2, 1, x, 2, limits, 1, out.f, 6));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_stream_start(2, 1, x, 2, NULL, 0, out.f, 5));
    EXPECT(HQ_ERROR_NON_FINITE, hq_kmeans_stream_start(2, 1, bad + 6, 2, NULL, 0, out.f, 6));
    EXPECT(HQ_ERROR_NON_FINITE, hq_kmeans_stream_start(2, 1, x, 2, bad + 6, 2, out.f, 6));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_stream_start(2, 1, NULL, 2, NULL, 0, out.f, 6));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_stream_start(2, 1, x, 2, NULL, 2, out.f, 6));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_stream_start(2, 1, x, 2, NULL, 0, NULL, 6));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_stream_start(2, 1, ODD(float, x), 2, NULL, 0, out.f, 6));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_stream_start(2, 1, x, 2, NULL, 0, ODD(float, out.f), 6));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_stream_start(2, 1, out.f + 5, 2, NULL, 0, out.f, 6));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_kmeans_stream_start(2, max / 2, x, 2, NULL, 0, out.f, 6));

#define STREAM_UPDATE(rows, l, ln, k, p, pn, decay, s, sn, to) \
    hq_kmeans_stream_update(rows, l, ln, k, p, pn, decay, s, sn, to)
    STREAM(HQ_OK, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_UPDATE(0, limits, 4, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_UPDATE(3, nothing, 4, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_UPDATE(3, limits, 4, 0, partial, 13, 0.5f, state, 0, step));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 1.5f, state, 6, step));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_UPDATE(3, limits, 4, 2, partial, 19, -0.5f, state, 6, step));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_UPDATE(3, limits, 4, 2, partial, 19, bad[7], state, 6, step));
    STREAM(HQ_ERROR_NON_FINITE, STREAM_UPDATE(3, bad + 4, 4, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_SHAPE, STREAM_UPDATE(3, limits, 3, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_SHAPE, STREAM_UPDATE(3, limits, 4, 2, partial, 18, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_SHAPE, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, state, 5, step));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_UPDATE(3, NULL, 4, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_UPDATE(3, limits, 4, 2, NULL, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, NULL, 6, step));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, state, 6, NULL));
    STREAM(HQ_ERROR_MISALIGNED, STREAM_UPDATE(3, limits, 4, 2, ODD(int64_t, partial), 18, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_MISALIGNED, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, state, 6, ODD(hq_kmeans_step, step)));
    STREAM(HQ_ERROR_OVERLAP, STREAM_UPDATE(3, state, 4, 2, partial, 19, 0.5f, state, 6, step));
    STREAM(HQ_ERROR_OVERLAP, STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, state, 6, (hq_kmeans_step *)state));
    STREAM(HQ_ERROR_SIZE_OVERFLOW, STREAM_UPDATE(max, limits, 4, 2, partial, 19, 0.5f, state, 6, step));
    memcpy(out.f, x, 6 * sizeof(float)); /* a state with negative weights, and one with a NaN */
    same(__LINE__, "negative weights", (size_t)(STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, out.f, 6, step) ==
                                                HQ_ERROR_INVALID_ARGUMENT), 1);
    memcpy(out.f, bad + 4, 6 * sizeof(float));
    same(__LINE__, "NaN", (size_t)(STREAM_UPDATE(3, limits, 4, 2, partial, 19, 0.5f, out.f, 6, step) ==
                                   HQ_ERROR_NON_FINITE), 1);
    arm();

#define STREAM_FIT(n, d, x, xn, w, wn, k, decay, s, sn, l, ln, to, size) \
    hq_kmeans_stream_fit(n, d, x, xn, w, wn, k, decay, s, sn, l, ln, to, stream_room + 1, size)
    STREAM(HQ_OK, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_OK, STREAM_FIT(2, 1, x, 2, limits, 2, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_FIT(0, 1, NULL, 0, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_FIT(n, 0, NULL, 0, NULL, 0, 2, 0.5f, state, 2, labels, n, step, fit));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_FIT(n, 1, x, n, NULL, 0, 0, 0.5f, state, 0, labels, n, step, fit));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 2.0f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_FIT(2, 1, x, 2, weights, 2, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_FIT(n, 1, x, n, zeros, n, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_NON_FINITE, STREAM_FIT(n, 1, bad, n, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_NON_FINITE, STREAM_FIT(n, 1, x, n, bad, n, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_SHAPE, STREAM_FIT(n, 1, x, n - 1, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_SHAPE, STREAM_FIT(n, 1, x, n, zeros, n - 1, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_SHAPE, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 5, labels, n, step, fit));
    STREAM(HQ_ERROR_SIZE_OVERFLOW, STREAM_FIT(max, 1, x, n, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_OUTPUT_TOO_SMALL, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, labels, n - 1, step, fit));
    STREAM(HQ_ERROR_WORKSPACE_TOO_SMALL, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit - 1));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_FIT(n, 1, NULL, n, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_FIT(n, 1, x, n, NULL, n, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, NULL, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, NULL, n, step, fit));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, labels, n, NULL, fit));
    STREAM(HQ_ERROR_MISALIGNED, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, ODD(uint32_t, labels), n, step, fit));
    STREAM(HQ_ERROR_OVERLAP, STREAM_FIT(6, 1, state, 6, NULL, 0, 2, 0.5f, state, 6, labels, n, step, fit));
    STREAM(HQ_ERROR_OVERLAP, STREAM_FIT(n, 1, x, n, NULL, 0, 2, 0.5f, state, 6, (uint32_t *)x, n, step, fit));

#define STREAM_AGAIN(n, d, x, xn, w, wn, k, ratio, s, sn, to, size) \
    hq_kmeans_stream_reassign(n, d, x, xn, w, wn, k, ratio, 7, s, sn, to, stream_room + 1, size)
    STREAM(HQ_OK, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_AGAIN(0, 1, NULL, 0, NULL, 0, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_AGAIN(n, 0, NULL, 0, NULL, 0, 2, 1.0f, state, 2, moved, again));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_AGAIN(n, 1, x, n, NULL, 0, 0, 1.0f, state, 0, moved, again));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.1f, state, 6, moved, again));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, bad[7], state, 6, moved, again));
    STREAM(HQ_ERROR_INVALID_ARGUMENT, STREAM_AGAIN(n, 1, x, n, zeros, n, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_NON_FINITE, STREAM_AGAIN(n, 1, bad, n, NULL, 0, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_SHAPE, STREAM_AGAIN(n, 1, x, n + 1, NULL, 0, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_SHAPE, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.0f, state, 7, moved, again));
    STREAM(HQ_ERROR_SIZE_OVERFLOW, STREAM_AGAIN(max, 2, x, n, NULL, 0, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_WORKSPACE_TOO_SMALL, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.0f, state, 6, moved, again - 1));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_AGAIN(n, 1, NULL, n, NULL, 0, 2, 1.0f, state, 6, moved, again));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.0f, NULL, 6, moved, again));
    STREAM(HQ_ERROR_NULL_POINTER, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.0f, state, 6, NULL, again));
    STREAM(HQ_ERROR_MISALIGNED, STREAM_AGAIN(n, 1, x, n, NULL, 0, 2, 1.0f, state, 6, ODD(size_t, moved), again));
    STREAM(HQ_ERROR_OVERLAP, STREAM_AGAIN(6, 1, state, 6, NULL, 0, 2, 1.0f, state, 6, moved, again));
}

static void mini_batches(void) {
    const size_t max = SIZE_MAX, n = CELLS;
    uint32_t *labels = (uint32_t *)out.bytes;
    hq_kmeans_result *result = (hq_kmeans_result *)(void *)&out.info;
    hq_kmeans_batch_options usual, other;
    float zeros[CELLS];
    size_t i, need;
    for (i = 0; i < CELLS; i++) zeros[i] = 0.0f;
    EXPECT(HQ_OK, hq_kmeans_batch_options_default(&usual));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_batch_options_default(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_batch_options_default(ODD(hq_kmeans_batch_options, out.bytes)));
    usual.batch = 100;
    usual.max_steps = 20;
    need = hq_kmeans_mini_batch_workspace_size(n, 1, 3, &usual);
    SAME(1, need <= sizeof stream_room - 1);
    SAME(max, hq_kmeans_mini_batch_workspace_size(n, 1, 0, &usual));
    SAME(max, hq_kmeans_mini_batch_workspace_size(n, max / 2, 3, &usual));
    other = usual;
    other.draw = 2;
    SAME(max, hq_kmeans_mini_batch_workspace_size(n, 1, 3, &other));
#define MINI(n, d, x, xn, w, wn, k, o, c, cn, l, ln, to, size) \
    hq_kmeans_mini_batch(n, d, x, xn, w, wn, k, o, c, cn, l, ln, to, stream_room + 1, size)
/* The centres, in and out, are the first of the arena, which holds tiny values then. */
#define GOOD(o) MINI(n, 1, x, n, NULL, 0, 3, o, out.f, 3, labels, n, result, need)
    EXPECT(HQ_OK, GOOD(&usual));
    EXPECT(HQ_OK, MINI(n, 1, x, n, NULL, 0, 3, NULL, out.f, 3, labels, n, result, sizeof stream_room - 1));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, GOOD(&other));
    other.draw = HQ_DRAW_SHUFFLE;
    EXPECT(HQ_OK, MINI(n, 1, x, n, NULL, 0, 3, &other, out.f, 3, labels, n, result, sizeof stream_room - 1));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, GOOD(&other));
    other = usual;
    other.batch = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GOOD(&other));
    other = usual;
    other.shift_tolerance = -1.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GOOD(&other));
    other = usual;
    other.reassignment_ratio = 1.5f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GOOD(&other));
    EXPECT(HQ_ERROR_MISALIGNED, GOOD(ODD(hq_kmeans_batch_options, &usual)));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, MINI(n, 1, x, n, NULL, 0, 0, &usual, NULL, 0, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, MINI(n, 0, NULL, 0, NULL, 0, 3, &usual, NULL, 0, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, MINI(2, 1, x, 2, NULL, 0, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, MINI(n, 1, x, n, zeros, n, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, MINI(n, 1, x, n, x, n, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_NON_FINITE, MINI(n, 1, bad, n, NULL, 0, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_NON_FINITE, MINI(n, 1, x, n, bad, n, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, MINI(n, 1, x, n - 1, NULL, 0, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, MINI(n, 1, x, n, zeros, 2, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, MINI(n, 1, x, n, NULL, 0, 3, &usual, out.f, 4, labels, n, result, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, MINI(max, 1, x, n, NULL, 0, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, MINI(n, 1, x, n, NULL, 0, 3, &usual, out.f, 3, labels, n - 1, result, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, MINI(n, 1, x, n, NULL, 0, 3, &usual, out.f, 3, labels, n, result, need - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, MINI(n, 1, NULL, n, NULL, 0, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, MINI(n, 1, x, n, NULL, n, 3, &usual, out.f, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, MINI(n, 1, x, n, NULL, 0, 3, &usual, NULL, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, MINI(n, 1, x, n, NULL, 0, 3, &usual, out.f, 3, NULL, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, MINI(n, 1, x, n, NULL, 0, 3, &usual, out.f, 3, labels, n, NULL, need));
    EXPECT(HQ_ERROR_OVERLAP, MINI(n, 1, x, n, NULL, 0, 3, &usual, x, 3, labels, n, result, need));
    EXPECT(HQ_ERROR_OVERLAP, MINI(n, 1, x, n, NULL, 0, 3, &usual, out.f, 3, (uint32_t *)out.f, n, result, need));
}
