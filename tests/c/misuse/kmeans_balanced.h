/* k-means with bounds on sizes. */

static void balanced(void) {
    static uint8_t room[32 * 1024];
    const size_t max = SIZE_MAX, n = 20;
    const uint32_t three[3] = {5, 5, 5}, most[3] = {10, 10, 10}, seven = 7, six = 6;
    static float weights[20], start[12];
    float *centers = out.f + 200;
    uint32_t *labels = (uint32_t *)(void *)out.f;
    hq_kmeans_result *result = (hq_kmeans_result *)(void *)&out.mixed;
    hq_kmeans_options odd;
    size_t need = hq_kmeans_assign_balanced_workspace_size(n, 4, 3), i;
    for (i = 0; i < n; i++)
        weights[i] = 1.0f;
    memcpy(start, x, sizeof start);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_assign_balanced_workspace_size(n, 4, 0));
    SAME(max, hq_kmeans_assign_balanced_workspace_size(n, 4, 32769));
    SAME(max, hq_kmeans_assign_balanced_workspace_size(max, 4, 3));
    SAME(max, hq_kmeans_assign_balanced_workspace_size(n, max, 3));
#define FILL(d, xs, xn, w, wn, k, c, cn, lo, lon, hi, hin, l, ln, e, en, size) \
    hq_kmeans_assign_balanced(n, d, xs, xn, w, wn, k, c, cn, lo, lon, hi, hin, l, ln, e, en, room + 1, size)
#define FILL_SIZES(lo, lon, hi, hin) \
    FILL(4, x, 4 * n, NULL, 0, 3, start, 12, lo, lon, hi, hin, labels, n, NULL, 0, need)
    EXPECT(HQ_OK, FILL_SIZES(NULL, 0, NULL, 0));
    EXPECT(HQ_OK, FILL_SIZES(three, 3, NULL, 0));
    EXPECT(HQ_OK, FILL_SIZES(NULL, 0, &seven, 1));
    EXPECT(HQ_OK, FILL_SIZES(three, 3, most, 3));
    EXPECT(HQ_ERROR_INFEASIBLE, FILL_SIZES(NULL, 0, &six, 1));
    EXPECT(HQ_ERROR_INFEASIBLE, FILL_SIZES(&seven, 1, NULL, 0));
    EXPECT(HQ_ERROR_INFEASIBLE, FILL_SIZES(&seven, 1, &six, 1));
    EXPECT(HQ_ERROR_INFEASIBLE, FILL_SIZES(most, 3, most, 3));
    EXPECT(HQ_ERROR_SHAPE, FILL_SIZES(three, 2, most, 3));
    EXPECT(HQ_ERROR_SHAPE, FILL_SIZES(three, 3, most, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, FILL_SIZES(NULL, 3, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, FILL_SIZES(NULL, 0, NULL, 1));
    EXPECT(HQ_ERROR_MISALIGNED, FILL_SIZES(ODD(const uint32_t, three), 3, NULL, 0));
    EXPECT(HQ_ERROR_OVERLAP, FILL_SIZES(NULL, 0, labels, 3));
#define NEAR(xs, w, wn, k, c, cn, l, ln, e, en, size) \
    FILL(4, xs, 4 * n, w, wn, k, c, cn, NULL, 0, NULL, 0, l, ln, e, en, size)
    EXPECT(HQ_OK, NEAR(x, weights, n, 3, start, 12, labels, n, out.f + 100, n, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, NEAR(x, NULL, 0, 0, NULL, 0, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, NEAR(x, x, n, 3, start, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT,
           FILL(0, NULL, 0, NULL, 0, 3, NULL, 0, NULL, 0, NULL, 0, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_SHAPE, NEAR(x, weights, n - 1, 3, start, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_SHAPE, NEAR(x, NULL, 0, 3, start, 11, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, NEAR(x, NULL, 0, 3, start, 12, labels, n - 1, NULL, 0, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, NEAR(x, NULL, 0, 3, start, 12, labels, n, out.f + 100, n - 1, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, NEAR(x, NULL, 0, 3, start, 12, labels, n, NULL, 0, need - 1));
    EXPECT(HQ_ERROR_NON_FINITE, NEAR(bad, NULL, 0, 3, start, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_NON_FINITE, NEAR(x, NULL, 0, 3, bad, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_NULL_POINTER, NEAR(NULL, NULL, 0, 3, start, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_NULL_POINTER, NEAR(x, NULL, n, 3, start, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_NULL_POINTER, NEAR(x, NULL, 0, 3, NULL, 12, labels, n, NULL, 0, need));
    EXPECT(HQ_ERROR_NULL_POINTER, NEAR(x, NULL, 0, 3, start, 12, NULL, n, NULL, 0, need));
    EXPECT(HQ_ERROR_NULL_POINTER, NEAR(x, NULL, 0, 3, start, 12, labels, n, NULL, n, need));
    EXPECT(HQ_ERROR_OVERLAP, NEAR(x, NULL, 0, 3, start, 12, labels, n, out.f, n, need));

    need = hq_kmeans_fit_balanced_workspace_size(n, 4, 3);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_fit_balanced_workspace_size(n, 4, 0));
    SAME(max, hq_kmeans_fit_balanced_workspace_size(n, 4, 32769));
#define EVEN(xs, xn, w, wn, k, lo, lon, hi, hin, o, c, cn, l, ln, r, size) \
    hq_kmeans_fit_balanced(n, 4, xs, xn, w, wn, k, lo, lon, hi, hin, o, c, cn, l, ln, r, room + 1, size)
#define EVEN_SIZES(lo, lon, hi, hin, o) \
    EVEN(x, 4 * n, NULL, 0, 3, lo, lon, hi, hin, o, centers, 12, labels, n, result, need)
    EXPECT(HQ_OK, EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, start, 12, labels, n, result, need));
    EXPECT(HQ_OK, EVEN(x, 4 * n, weights, n, 3, three, 3, &seven, 1, NULL, start, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_INFEASIBLE,
           EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, &six, 1, NULL, start, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, EVEN(x, 4 * n, NULL, 0, 3, three, 2, NULL, 0, NULL, start, 12, labels, n, result, need));
    EXPECT(HQ_OK, hq_kmeans_options_default(&odd));
    odd.empty = HQ_EMPTY_SPLIT_LARGEST;
    EXPECT(HQ_ERROR_UNSUPPORTED,
           EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, &odd, start, 12, labels, n, result, need));
    odd.empty = 4;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, EVEN_SIZES(NULL, 0, NULL, 0, &odd));
    odd.empty = HQ_EMPTY_KEEP;
    odd.spherical = 2;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, EVEN_SIZES(NULL, 0, NULL, 0, &odd));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT,
           EVEN(x, 4 * n, NULL, 0, 0, NULL, 0, NULL, 0, NULL, NULL, 0, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, EVEN(x, 4 * n - 1, NULL, 0, 3, NULL, 0, NULL, 0, NULL, centers, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_SHAPE, EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, centers, 11, labels, n, result, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL,
           EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, start, 12, labels, n - 1, result, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL,
           EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, start, 12, labels, n, result, need - 1));
    EXPECT(HQ_ERROR_NON_FINITE,
           EVEN(bad, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, start, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER, EVEN_SIZES(NULL, 3, NULL, 0, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER,
           EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, NULL, 12, labels, n, result, need));
    EXPECT(HQ_ERROR_NULL_POINTER,
           EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, centers, 12, labels, n, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED, EVEN_SIZES(NULL, 0, ODD(const uint32_t, most), 3, NULL));
    EXPECT(HQ_ERROR_OVERLAP, EVEN_SIZES(labels, 3, NULL, 0, NULL));
    EXPECT(HQ_ERROR_OVERLAP, EVEN(x, 4 * n, NULL, 0, 3, NULL, 0, NULL, 0, NULL, x, 12, labels, n, result, need));
}
