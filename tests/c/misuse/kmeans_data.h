/* Data clustering: groups, chances, batches. */

static void data_clusters(void) {
    const size_t max = SIZE_MAX;
    const uint32_t labels[6] = {0, 2, 0, 0, 2, 0}, odd[6] = {0, 3, 0, 0, 2, 0};
    static uint32_t starts[4], rows[6], falling[4] = {0, 4, 2, 6}, short_of[4] = {0, 4, 4, 5}, empty[2];
    const uint64_t tickets[3] = {4, 0, 2}, none[3] = {0, 9, 0}, many[3] = {UINT64_MAX, 0, 1};
    uint32_t *to = (uint32_t *)(void *)out.f;
    uint64_t *chances = (uint64_t *)(void *)out.partial;
    float *floats = out.f + 100;
    hq_data_batch *found = (hq_data_batch *)(void *)&out.mixed;
    SAME(12, sizeof(hq_data_batch));
#define GROUP(l, n, s, sn, r, rn) hq_data_group(l, n, s, sn, r, rn)
    EXPECT(HQ_OK, GROUP(labels, 6, starts, 4, rows, 6));
    EXPECT(HQ_OK, GROUP(NULL, 0, to, 1, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GROUP(odd, 6, to, 4, to + 4, 6));
    EXPECT(HQ_ERROR_SHAPE, GROUP(labels, 6, NULL, 0, to, 6));
    EXPECT(HQ_ERROR_SHAPE, GROUP(labels, 6, to, 4, to + 4, 5));
    EXPECT(HQ_ERROR_NULL_POINTER, GROUP(NULL, 6, to, 4, to + 4, 6));
    EXPECT(HQ_ERROR_NULL_POINTER, GROUP(labels, 6, NULL, 4, to + 4, 6));
    EXPECT(HQ_ERROR_NULL_POINTER, GROUP(labels, 6, to, 4, NULL, 6));
    EXPECT(HQ_ERROR_MISALIGNED, GROUP(labels, 6, ODD(uint32_t, to), 4, to + 8, 6));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, GROUP(labels, max, to, 4, to + 4, 6));
    EXPECT(HQ_ERROR_OVERLAP, GROUP(labels, 6, to, 4, to + 3, 6));
    EXPECT(HQ_ERROR_OVERLAP, GROUP(to, 6, to + 5, 4, to + 20, 6));
#define CHANCES(s, sn, r, rn, e, t, tn, p, pn) hq_data_sampling(s, sn, r, rn, e, t, tn, p, pn)
    EXPECT(HQ_OK, CHANCES(starts, 4, rows, 6, 0.5f, chances, 3, floats, 3));
    EXPECT(HQ_OK, CHANCES(starts, 4, rows, 6, 0.5f, chances, 3, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHANCES(falling, 4, rows, 6, 1.0f, chances, 3, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHANCES(empty, 2, NULL, 0, 1.0f, chances, 1, floats, 1));
    EXPECT(HQ_ERROR_SHAPE, CHANCES(short_of, 4, rows, 6, 1.0f, chances, 3, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, CHANCES(NULL, 0, rows, 6, 1.0f, chances, 3, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, CHANCES(starts, 4, rows, 6, 1.0f, chances, 2, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, CHANCES(starts, 4, rows, 6, 1.0f, chances, 3, floats, 2));
    EXPECT(HQ_ERROR_NON_FINITE, CHANCES(starts, 4, rows, 6, (float)NAN, chances, 3, floats, 3));
    EXPECT(HQ_ERROR_NULL_POINTER, CHANCES(NULL, 4, rows, 6, 1.0f, chances, 3, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, CHANCES(starts, 4, NULL, 6, 1.0f, chances, 3, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, CHANCES(starts, 4, rows, 6, 1.0f, NULL, 3, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, CHANCES(starts, 4, rows, 6, 1.0f, chances, 3, NULL, 3));
    EXPECT(HQ_ERROR_MISALIGNED, CHANCES(starts, 4, rows, 6, 1.0f, ODD(uint64_t, chances), 3, NULL, 0));
    EXPECT(HQ_ERROR_OVERLAP, CHANCES(starts, 4, rows, 6, 1.0f, chances, 3, (float *)(void *)chances, 3));
#define PICK(s, sn, r, rn, t, tn, step, b, bn, f) hq_data_cluster_batch(s, sn, r, rn, t, tn, 1, step, b, bn, f)
    EXPECT(HQ_OK, PICK(starts, 4, rows, 6, tickets, 3, 9, to, 2, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PICK(starts, 4, rows, 6, none, 3, 9, to, 2, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PICK(starts, 4, rows, 6, tickets, 3, 9, NULL, 0, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PICK(falling, 4, rows, 6, tickets, 3, 9, to, 2, found));
    EXPECT(HQ_ERROR_SHAPE, PICK(starts, 4, rows, 6, tickets, 2, 9, to, 2, found));
    EXPECT(HQ_ERROR_SHAPE, PICK(starts, 4, rows, 5, tickets, 3, 9, to, 2, found));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, PICK(starts, 4, rows, 6, many, 3, 9, to, 2, found));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, PICK(starts, 4, rows, 6, tickets, 3, (uint64_t)1 << 56, to, 2, found));
    EXPECT(HQ_ERROR_NULL_POINTER, PICK(starts, 4, rows, 6, NULL, 3, 9, to, 2, found));
    EXPECT(HQ_ERROR_NULL_POINTER, PICK(starts, 4, rows, 6, tickets, 3, 9, NULL, 2, found));
    EXPECT(HQ_ERROR_NULL_POINTER, PICK(starts, 4, rows, 6, tickets, 3, 9, to, 2, NULL));
    EXPECT(HQ_ERROR_OVERLAP, PICK(starts, 4, to, 6, tickets, 3, 9, to, 2, found));
#define DRAW(s, sn, r, rn, t, tn, b, bn, w, wn) hq_data_sample(s, sn, r, rn, t, tn, 1, 9, b, bn, w, wn)
    EXPECT(HQ_OK, DRAW(starts, 4, rows, 6, tickets, 3, to, 5, floats, 5));
    EXPECT(HQ_OK, DRAW(starts, 4, rows, 6, tickets, 3, to, 5, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, DRAW(starts, 4, rows, 6, none, 3, to, 5, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, DRAW(starts, 4, rows, 6, tickets, 3, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, DRAW(starts, 4, rows, 6, tickets, 3, to, 5, floats, 4));
    EXPECT(HQ_ERROR_SHAPE, DRAW(starts, 3, rows, 6, tickets, 3, to, 5, NULL, 0));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, DRAW(starts, 4, rows, 6, many, 3, to, 5, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, DRAW(starts, 4, rows, 6, tickets, 3, NULL, 5, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, DRAW(starts, 4, rows, 6, tickets, 3, to, 5, NULL, 5));
    EXPECT(HQ_ERROR_OVERLAP, DRAW(starts, 4, rows, 6, tickets, 3, to, 5, out.f + 4, 5));
    SAME(2, hq_data_batches(6, 3, 0));
    SAME(max, hq_data_batches(6, 0, 0));
    SAME(max, hq_data_batches(6, 7, 1));
    SAME(max, hq_data_batches(6, 3, 2));
#define BATCH(s, sn, r, rn, size, drop, b, bn, c) hq_data_balanced_batch(s, sn, r, rn, size, drop, 1, 9, b, bn, c)
    EXPECT(HQ_OK, BATCH(starts, 4, rows, 6, 3, 0, to, 3, out.sizes));
    EXPECT(HQ_OK, BATCH(starts, 4, rows, 6, 4, 1, to, 4, out.sizes));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BATCH(starts, 4, rows, 6, 0, 0, to, 3, out.sizes));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BATCH(starts, 4, rows, 6, 7, 1, to, 7, out.sizes));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BATCH(starts, 4, rows, 6, 3, -1, to, 3, out.sizes));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BATCH(falling, 4, rows, 6, 3, 0, to, 3, out.sizes));
    EXPECT(HQ_ERROR_SHAPE, BATCH(short_of, 4, rows, 6, 3, 0, to, 3, out.sizes));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, BATCH(starts, 4, rows, 6, 3, 0, to, 2, out.sizes));
    EXPECT(HQ_ERROR_NULL_POINTER, BATCH(starts, 4, rows, 6, 3, 0, NULL, 3, out.sizes));
    EXPECT(HQ_ERROR_NULL_POINTER, BATCH(starts, 4, rows, 6, 3, 0, to, 3, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, BATCH(starts, 4, ODD(const uint32_t, rows), 5, 3, 0, to, 3, out.sizes));
    EXPECT(HQ_ERROR_OVERLAP, BATCH(starts, 4, to, 6, 3, 0, to + 5, 3, out.sizes));
}
