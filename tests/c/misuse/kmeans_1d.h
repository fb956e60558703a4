/* One-dimensional k-means of bins; labels; clusters of parameters and their bits. */

static void bins(void) {
    static uint8_t room[48 * 64 + 1024];
    static const uint32_t full[2] = {UINT32_MAX, UINT32_MAX};
    const size_t max = SIZE_MAX;
    /* One bin: what the canary counts is few enough. */
    uint32_t *counts = (uint32_t *)(void *)out.f, mine[4] = {0, 0, 0, 0};
    float *centers = out.f;
    hq_kmeans_bins *found = (hq_kmeans_bins *)(void *)&out.mixed;
    const size_t need = hq_kmeans_bins_workspace_size(4, 2);
    SAME(16u, sizeof(hq_kmeans_bins));
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_bins_workspace_size(0, 2));
    SAME(max, hq_kmeans_bins_workspace_size(4, 0));
    SAME(max, hq_kmeans_bins_workspace_size(65537, 2));
    EXPECT(HQ_OK, hq_kmeans_bins_add(x, CELLS, -1.0f, 1.0f, mine, 4));
    EXPECT(HQ_OK, hq_kmeans_bins_add(NULL, 0, -1.0f, 1.0f, mine, 4));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_bins_add(x, 1, 1.0f, 1.0f, counts, 1));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_bins_add(x, 1, -3e38f, 3e38f, counts, 1));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_bins_add(x, 1, 0.0f, 1.0f, NULL, 0));
    EXPECT(HQ_ERROR_NON_FINITE, hq_kmeans_bins_add(x, 1, (float)NAN, 1.0f, counts, 1));
    EXPECT(HQ_ERROR_NON_FINITE, hq_kmeans_bins_add(bad, CELLS, 0.0f, 1.0f, counts, 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_kmeans_bins_add(x, 1, 0.0f, 1.0f, counts, 2));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_kmeans_bins_add(x, max / 2, 0.0f, 1.0f, counts, 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_bins_add(NULL, 1, 0.0f, 1.0f, counts, 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_bins_add(x, 1, 0.0f, 1.0f, NULL, 1));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_bins_add(x, 1, 0.0f, 1.0f, ODD(uint32_t, counts), 1));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_bins_add(out.f, 1, 0.0f, 1.0f, counts, 1));
    EXPECT(HQ_OK, hq_kmeans_bins_merge(counts, mine, 1));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_bins_merge(NULL, NULL, 0));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_kmeans_bins_merge(counts, full, 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_bins_merge(NULL, mine, 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_bins_merge(counts, NULL, 1));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_bins_merge(counts, ODD(uint32_t, mine), 1));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_bins_merge(counts, counts, 1));
#define BINS(c, n, low, high, k, to, to_len, size, result) \
    hq_kmeans_bins_cluster(c, n, low, high, k, to, to_len, room + 1, size, result)
    EXPECT(HQ_OK, BINS(mine, 4, -1.0f, 1.0f, 2, centers, 2, need, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BINS(mine, 4, -1.0f, 1.0f, 0, centers, 2, need, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BINS(NULL, 0, -1.0f, 1.0f, 2, centers, 2, need, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BINS(mine, 4, 1.0f, -1.0f, 2, centers, 2, need, found));
    EXPECT(HQ_ERROR_NON_FINITE, BINS(mine, 4, -1.0f, (float)INFINITY, 2, centers, 2, need, found));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, BINS(full, 2, -1.0f, 1.0f, 2, centers, 2, need, found));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, BINS(mine, 4, -1.0f, 1.0f, 2, centers, 1, need, found));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, BINS(mine, 4, -1.0f, 1.0f, 2, centers, 2, need - 1, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BINS(NULL, 4, -1.0f, 1.0f, 2, centers, 2, need, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BINS(mine, 4, -1.0f, 1.0f, 2, NULL, 2, need, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BINS(mine, 4, -1.0f, 1.0f, 2, centers, 2, need, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, BINS(mine, 4, -1.0f, 1.0f, 2, ODD(float, centers), 2, need, found));
    EXPECT(HQ_ERROR_OVERLAP, BINS(counts, 1, -1.0f, 1.0f, 1, centers, 1, need, found));
}

static void parameters(void) {
    static uint8_t room[CELLS * 96 + 1024];
    const size_t max = SIZE_MAX;
    const float centers[3] = {-1.0f, 0.0f, 1.0f}, falling[2] = {1.0f, 0.0f};
    hq_parameter_cluster *clusters = (hq_parameter_cluster *)(void *)out.f;
    hq_suggested_bits *found = (hq_suggested_bits *)(void *)&out.mixed;
    uint8_t *labels = out.bytes;
    hq_parameter_cluster mine[2];
    size_t need = hq_cluster_parameters_workspace_size(CELLS, 4, 1);
    SAME(24u, sizeof(hq_parameter_cluster));
    SAME(16u, sizeof(hq_suggested_bits));
#define LABEL(x, n, c, cn, to, to_len) hq_kmeans_label_1d(x, n, c, cn, to, to_len)
    EXPECT(HQ_OK, LABEL(x, CELLS, centers, 3, labels, CELLS));
    EXPECT(HQ_OK, LABEL(NULL, 0, centers, 3, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LABEL(x, 4, NULL, 0, labels, 4));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LABEL(x, 4, falling, 2, labels, 4));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LABEL(x, 4, x, 257, labels, 4));
    EXPECT(HQ_ERROR_NON_FINITE, LABEL(bad, CELLS, centers, 3, labels, CELLS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, LABEL(x, 4, centers, 3, labels, 3));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, LABEL(x, max / 2, centers, 3, labels, 4));
    EXPECT(HQ_ERROR_NULL_POINTER, LABEL(NULL, 4, centers, 3, labels, 4));
    EXPECT(HQ_ERROR_NULL_POINTER, LABEL(x, 4, NULL, 3, labels, 4));
    EXPECT(HQ_ERROR_NULL_POINTER, LABEL(x, 4, centers, 3, NULL, 4));
    EXPECT(HQ_ERROR_MISALIGNED, LABEL(ODD(const float, x), 4, centers, 3, labels, 4));
    EXPECT(HQ_ERROR_OVERLAP, LABEL((float *)(void *)out.f, 4, centers, 3, (uint8_t *)(void *)out.f, 4));

    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_cluster_parameters_workspace_size(CELLS, 0, 0));
    SAME(max, hq_cluster_parameters_workspace_size(CELLS, 257, 0));
    SAME(max, hq_cluster_parameters_workspace_size(CELLS, 4, 2));
    SAME(max, hq_cluster_parameters_workspace_size(max, 4, 0));
#define PARAMETERS(x, n, k, pin, l, ln, c, cn, count, size) \
    hq_cluster_parameters(x, n, k, pin, l, ln, c, cn, count, room + 1, size)
    EXPECT(HQ_OK, PARAMETERS(x, CELLS, 4, 1, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PARAMETERS(x, CELLS, 0, 0, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PARAMETERS(x, CELLS, 257, 0, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PARAMETERS(x, CELLS, 4, 2, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PARAMETERS(NULL, 0, 4, 0, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_NON_FINITE, PARAMETERS(bad, CELLS, 4, 0, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PARAMETERS(x, CELLS, 4, 0, labels, CELLS - 1, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PARAMETERS(x, CELLS, 4, 0, labels, CELLS, clusters, 3, out.sizes, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, PARAMETERS(x, CELLS, 4, 1, labels, CELLS, clusters, 4, out.sizes, need - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, PARAMETERS(x, max / 2, 4, 0, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_NULL_POINTER, PARAMETERS(NULL, CELLS, 4, 0, labels, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_NULL_POINTER, PARAMETERS(x, CELLS, 4, 0, NULL, CELLS, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_NULL_POINTER, PARAMETERS(x, CELLS, 4, 0, labels, CELLS, NULL, 4, out.sizes, need));
    EXPECT(HQ_ERROR_NULL_POINTER, PARAMETERS(x, CELLS, 4, 0, labels, CELLS, clusters, 4, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED,
           PARAMETERS(x, CELLS, 4, 0, labels, CELLS, ODD(hq_parameter_cluster, clusters), 4, out.sizes, need));
    EXPECT(HQ_ERROR_OVERLAP, PARAMETERS(out.f, 4, 4, 0, labels, 4, clusters, 4, out.sizes, need));
    EXPECT(HQ_ERROR_OVERLAP, PARAMETERS(x, CELLS, 4, 0, (uint8_t *)out.f, CELLS, clusters, 4, out.sizes, need));

    memset(mine, 0, sizeof mine);
    mine[0].size = mine[1].size = 3;
    mine[0].inertia = 1.0f;
    need = hq_suggest_bits_workspace_size(2);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_suggest_bits_workspace_size(max));
#define BITS(c, n, w, wn, average, most, b, bn, size, result) \
    hq_suggest_bits(c, n, w, wn, average, most, b, bn, room + 1, size, result)
    EXPECT(HQ_OK, BITS(mine, 2, NULL, 0, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_OK, BITS(mine, 2, centers + 1, 2, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_OK, BITS(NULL, 0, NULL, 0, 1.5f, 8, NULL, 0, need, found));
    EXPECT(HQ_ERROR_SHAPE, BITS(mine, 2, centers + 1, 1, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BITS(mine, 2, centers, 2, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BITS(mine, 2, NULL, 0, -1.0f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BITS(mine, 2, NULL, 0, 1.5f, 17, labels, 2, need, found));
    EXPECT(HQ_ERROR_NON_FINITE, BITS(mine, 2, NULL, 0, (float)NAN, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, BITS(mine, 2, NULL, 0, 1.5f, 8, labels, 1, need, found));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, BITS(mine, 2, NULL, 0, 1.5f, 8, labels, 2, need - 1, found));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, BITS(mine, max / 2, NULL, 0, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BITS(NULL, 2, NULL, 0, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BITS(mine, 2, NULL, 2, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BITS(mine, 2, NULL, 0, 1.5f, 8, NULL, 2, need, found));
    EXPECT(HQ_ERROR_NULL_POINTER, BITS(mine, 2, NULL, 0, 1.5f, 8, labels, 2, need, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, BITS(ODD(const hq_parameter_cluster, mine), 1, NULL, 0, 1.5f, 8, labels, 2, need, found));
    mine[1].inertia = -1.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, BITS(mine, 2, NULL, 0, 1.5f, 8, labels, 2, need, found));
    EXPECT(HQ_ERROR_OVERLAP, BITS(clusters, 1, NULL, 0, 1.5f, 8, (uint8_t *)out.f, 2, need, found));
}
