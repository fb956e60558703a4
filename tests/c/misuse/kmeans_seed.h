/* First centres of k-means. */

static void seeds(void) {
    static uint8_t room[12 * CELLS + 1024];
    const size_t max = SIZE_MAX, n = CELLS / 4;
    const size_t need = hq_kmeans_seed_workspace_size(HQ_SEEDING_PLUS_PLUS, n, 3);
    uint32_t *rows = (uint32_t *)out.bytes;
    float *centers = out.f, weights[CELLS / 4];
    size_t i;
    for (i = 0; i < n; i++) weights[i] = (float)(i % 3);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_seed_workspace_size(3, n, 3));
    SAME(max, hq_kmeans_seed_workspace_size(HQ_SEEDING_RANDOM, max, 3));
#define SEED(n, d, x, xn, w, wn, k, method, r, rn, c, cn, size) \
    hq_kmeans_seed(n, d, x, xn, w, wn, k, method, 0, 7, r, rn, c, cn, room + 1, size)
    for (i = 0; i < 3; i++) {
        EXPECT(HQ_OK, SEED(n, 4, x, 4 * n, NULL, 0, 3, (int32_t)i, rows, 3, centers, 12, need));
        EXPECT(HQ_OK, SEED(n, 4, x, 4 * n, weights, n, 3, (int32_t)i, rows, 3, centers, 12, need));
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEED(n, 0, NULL, 0, NULL, 0, 3, (int32_t)i, rows, 3, NULL, 0, need));
        EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, SEED(n, 4, x, 4 * n, weights, n, 3, (int32_t)i, rows, 3, centers, 12, 64));
        EXPECT(HQ_ERROR_NON_FINITE, SEED(n, 4, bad, 4 * n, NULL, 0, 3, (int32_t)i, rows, 3, centers, 12, need));
    }
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, SEED(n, 4, x, 4 * n, NULL, 0, 3, 3, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEED(n, 4, x, 4 * n, NULL, 0, 0, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEED(2, 4, x, 8, NULL, 0, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEED(n, 4, x, 4 * n, x, n, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SEED(1, 4, x, 4, weights, 1, 1, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_SHAPE, SEED(n, 4, x, 4 * n - 1, NULL, 0, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_SHAPE, SEED(n, 4, x, 4 * n, weights, n - 1, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, SEED(max, 4, x, 4 * n, NULL, 0, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, rows, 2, centers, 12, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, rows, 3, centers, 11, need));
    EXPECT(HQ_ERROR_NULL_POINTER, SEED(n, 4, NULL, 4 * n, NULL, 0, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_NULL_POINTER, SEED(n, 4, x, 4 * n, NULL, n, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_NULL_POINTER, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, NULL, 3, centers, 12, need));
    EXPECT(HQ_ERROR_NULL_POINTER, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, rows, 3, NULL, 12, need));
    EXPECT(HQ_ERROR_MISALIGNED, SEED(n, 4, ODD(const float, x), 4 * n, NULL, 0, 3, 0, rows, 3, centers, 12, need));
    EXPECT(HQ_ERROR_MISALIGNED, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, ODD(uint32_t, rows), 3, centers, 12, need));
    EXPECT(HQ_ERROR_OVERLAP, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, rows, 3, x, 12, need));
    EXPECT(HQ_ERROR_OVERLAP, SEED(n, 4, x, 4 * n, NULL, 0, 3, 0, (uint32_t *)centers, 3, centers, 12, need));
}
