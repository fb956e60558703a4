/* Candidates for empty clusters. */

static void farthest(void) {
    const size_t max = SIZE_MAX, n = 8, parts = 3 * 6 + 13;
    static int64_t sums[3 * 6 + 13];
    static float limits[10], start[12];
    static uint32_t labels[8], wrong[8], kept[24], odd[24];
    uint32_t *to = (uint32_t *)(void *)out.f;
    int64_t *partial = (int64_t *)(void *)(out.f + 100);
    float *centers = out.f + 400;
    hq_kmeans_step *step = (hq_kmeans_step *)(void *)&out.mixed;
    static uint8_t room[32 * 1024];
    size_t i;
    memcpy(start, x, sizeof start);
    for (i = 0; i < n; i++)
        wrong[i] = 3;
    SAME(24, hq_kmeans_farthest_len(3, 4));
    SAME(max, hq_kmeans_farthest_len(0, 4));
    SAME(max, hq_kmeans_farthest_len(3, max));
    SAME(HQ_OK, (size_t)hq_kmeans_limits_clear(limits, 10));
    SAME(HQ_OK, (size_t)hq_kmeans_limits_add(n, 4, x, 4 * n, NULL, 0, limits, 10));
    SAME(HQ_OK, (size_t)hq_kmeans_accumulate(n, limits, 10, n, 4, x, 4 * n, NULL, 0, 3, start, 12, labels, n, sums, parts,
                                             room, sizeof room));
#define CANDIDATES(rows, lim, limn, first, xs, w, wn, k, c, cn, l, ln, f, fn) \
    hq_kmeans_farthest_add(rows, lim, limn, first, n, 4, xs, 4 * n, w, wn, k, c, cn, l, ln, f, fn)
    EXPECT(HQ_OK, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, labels, n, kept, 24));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CANDIDATES(0, limits, 10, 0, x, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 0, NULL, 0, labels, n, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, wrong, n, to, 24));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CANDIDATES(n, limits, 10, 0, huge_values, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_SHAPE, CANDIDATES(n, limits, 9, 0, x, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_SHAPE, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 11, labels, n, to, 24));
    EXPECT(HQ_ERROR_SHAPE, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, labels, n - 1, to, 24));
    EXPECT(HQ_ERROR_SHAPE, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, labels, n, to, 23));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW,
           CANDIDATES(n, limits, 10, (size_t)1 << 31, x, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, CANDIDATES(n, limits, 10, max, x, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_NON_FINITE, CANDIDATES(n, limits, 10, 0, bad, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_NULL_POINTER, CANDIDATES(n, NULL, 10, 0, x, NULL, 0, 3, start, 12, labels, n, to, 24));
    EXPECT(HQ_ERROR_NULL_POINTER, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, NULL, n, to, 24));
    EXPECT(HQ_ERROR_NULL_POINTER, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, labels, n, NULL, 24));
    EXPECT(HQ_ERROR_OVERLAP, CANDIDATES(n, limits, 10, 0, x, NULL, 0, 3, start, 12, to, n, to, 24));
    EXPECT(HQ_OK, hq_kmeans_farthest_merge(3, 4, odd, 24, kept, 24));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_farthest_merge(0, 4, to, 24, kept, 24));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_farthest_merge(3, 4, to, 23, kept, 24));
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_farthest_merge(3, 4, to, 24, kept, 23));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_farthest_merge(3, 4, NULL, 24, kept, 24));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_farthest_merge(3, 4, to, 24, NULL, 24));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_farthest_merge(3, 4, to, 24, ODD(const uint32_t, kept), 23));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_farthest_merge(3, 4, to, 24, to + 23, 24));
#define GIVE(rows, lim, limn, k, p, pn, f, fn, c, cn, s) \
    hq_kmeans_update_farthest(rows, lim, limn, k, p, pn, f, fn, c, cn, s)
    /* No points anywhere: all clusters are empty, so the candidates are looked at. */
    memset(sums, 0, sizeof sums);
    EXPECT(HQ_ERROR_SHAPE, GIVE(n, limits, 10, 3, sums, parts, NULL, 0, centers, 12, step));
    odd[0] = 0x7F800000; /* an infinite distance */
    EXPECT(HQ_ERROR_NON_FINITE, GIVE(n, limits, 10, 3, sums, parts, odd, 24, start, 12, step));
    odd[0] = 0x3F800000;
    odd[2] = 3;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GIVE(n, limits, 10, 3, sums, parts, odd, 24, start, 12, step));
    EXPECT(HQ_OK, GIVE(n, limits, 10, 3, sums, parts, kept, 24, start, 12, step));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GIVE(0, limits, 10, 3, sums, parts, kept, 24, start, 12, step));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, GIVE(n, limits, 10, 0, sums, 13, NULL, 0, NULL, 0, step));
    EXPECT(HQ_ERROR_SHAPE, GIVE(n, limits, 10, 3, sums, parts - 1, kept, 24, start, 12, step));
    EXPECT(HQ_ERROR_SHAPE, GIVE(n, limits, 10, 3, sums, parts, kept, 24, start, 11, step));
    EXPECT(HQ_ERROR_NULL_POINTER, GIVE(n, limits, 10, 3, NULL, parts, kept, 24, start, 12, step));
    EXPECT(HQ_ERROR_NULL_POINTER, GIVE(n, limits, 10, 3, partial, parts, kept, 24, start, 12, NULL));
    EXPECT(HQ_ERROR_OVERLAP, GIVE(n, limits, 10, 3, partial, parts, (uint32_t *)(void *)partial, 24, start, 12, step));
}
