/* How many clusters. */

static void choices(void) {
    static uint8_t room[96 * CELLS + 65536];
    const size_t max = SIZE_MAX, n = CELLS / 4;
    float weights[CELLS / 4], huge[8] = {1e20f, 0.0f};
    hq_kmeans_candidate *curve = (hq_kmeans_candidate *)(void *)(out.f + 100);
    hq_kmeans_choice *choice = (hq_kmeans_choice *)(void *)(out.f + 200);
    uint32_t *labels = (uint32_t *)(void *)(out.f + CELLS);
    float *centers = out.f;
    hq_kmeans_options usual, odd;
    size_t i, need;
    for (i = 0; i < n; i++) weights[i] = (float)(i % 3);
    SAME(HQ_OK, (size_t)hq_kmeans_options_default(&usual));
    need = hq_kmeans_choose_k_workspace_size(n, 4, 5, &usual);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_choose_k_workspace_size(n, 4, 0, &usual));
    SAME(max, hq_kmeans_choose_k_workspace_size(n, max, 5, &usual));
    SAME(need, hq_kmeans_choose_k_workspace_size(n, 4, 5, NULL));
#define CHOOSE(n, d, x, xn, w, wn, k, o, cu, cun, c, cn, l, ln, ch, size) \
    hq_kmeans_choose_k(n, d, x, xn, w, wn, k, 1, o, cu, cun, c, cn, l, ln, ch, room + 1, size)
#define ALL curve, 5, centers, 20, labels, n, choice, need
    EXPECT(HQ_OK, CHOOSE(n, 4, x, 4 * n, NULL, 0, 5, &usual, curve, 5, centers, 20, labels, n, choice, need));
    EXPECT(HQ_OK, CHOOSE(n, 4, x, 4 * n, weights, n, 5, &usual, curve, 5, centers, 20, labels, n, choice, need));
#define CHOOSE_(n, d, x, xn, w, wn, k, o, ...) CHOOSE(n, d, x, xn, w, wn, k, o, __VA_ARGS__)
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(n, 0, NULL, 0, NULL, 0, 5, &usual, ALL));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(n, 4, x, 4 * n, NULL, 0, 0, &usual, ALL));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(2, 4, x, 8, NULL, 0, 5, &usual, ALL));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(n, 4, x, 4 * n, x, n, 5, &usual, ALL));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(1, 4, x, 4, weights, 1, 1, &usual, ALL));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(2, 4, huge, 8, NULL, 0, 2, &usual, ALL));
    odd = usual;
    odd.shift_tolerance = -1.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CHOOSE_(n, 4, x, 4 * n, NULL, 0, 5, &odd, ALL));
    odd = usual;
    odd.empty = -1;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, CHOOSE_(n, 4, x, 4 * n, NULL, 0, 5, &odd, ALL));
    EXPECT(HQ_OK, CHOOSE_(n, 4, x, 4 * n, NULL, 0, 5, NULL, ALL));
    EXPECT(HQ_ERROR_NULL_POINTER, CHOOSE_(n, 4, NULL, 4 * n, NULL, 0, 5, &usual, ALL));
    EXPECT(HQ_ERROR_NULL_POINTER, CHOOSE_(n, 4, x, 4 * n, NULL, n, 5, &usual, ALL));
    EXPECT(HQ_ERROR_SHAPE, CHOOSE_(n, 4, x, 4 * n - 1, NULL, 0, 5, &usual, ALL));
    EXPECT(HQ_ERROR_SHAPE, CHOOSE_(n, 4, x, 4 * n, weights, n - 1, 5, &usual, ALL));
    EXPECT(HQ_ERROR_NON_FINITE, CHOOSE_(n, 4, bad, 4 * n, NULL, 0, 5, &usual, ALL));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, CHOOSE_(max, 4, x, 4 * n, NULL, 0, 5, &usual, ALL));
    EXPECT(HQ_ERROR_MISALIGNED, CHOOSE_(n, 4, ODD(const float, x), 4 * n, NULL, 0, 5, &usual, ALL));
#define REST(want, ...) EXPECT(want, CHOOSE_(n, 4, x, 4 * n, NULL, 0, 5, &usual, __VA_ARGS__))
    REST(HQ_ERROR_OUTPUT_TOO_SMALL, curve, 4, centers, 20, labels, n, choice, need);
    REST(HQ_ERROR_OUTPUT_TOO_SMALL, curve, 5, centers, 19, labels, n, choice, need);
    REST(HQ_ERROR_OUTPUT_TOO_SMALL, curve, 5, centers, 20, labels, n - 1, choice, need);
    REST(HQ_ERROR_WORKSPACE_TOO_SMALL, curve, 5, centers, 20, labels, n, choice, need - 1);
    REST(HQ_ERROR_NULL_POINTER, NULL, 5, centers, 20, labels, n, choice, need);
    REST(HQ_ERROR_NULL_POINTER, curve, 5, NULL, 20, labels, n, choice, need);
    REST(HQ_ERROR_NULL_POINTER, curve, 5, centers, 20, NULL, n, choice, need);
    REST(HQ_ERROR_NULL_POINTER, curve, 5, centers, 20, labels, n, NULL, need);
    REST(HQ_ERROR_OVERLAP, curve, 5, centers, 20, (uint32_t *)(void *)centers, n, choice, need);
    REST(HQ_ERROR_OVERLAP, curve, 5, (float *)x, 20, labels, n, choice, need);
    REST(HQ_ERROR_OVERLAP, curve, 5, centers, 20, labels, n, (hq_kmeans_choice *)(void *)curve, need);
#undef REST
#undef ALL
}
