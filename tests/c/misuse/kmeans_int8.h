/* Room kmeans: int8 points. 6 rows of 2 features, 3 centers. */

static void kmeans_int8(void) {
    enum { N = 6, D = 2, K = 3, P = K * D + K + 1 };
    static const int8_t points[N * D] = {1, 2, 3, 4, -100, 100, -101, 99, 50, 50, 51, 52};
    static const int16_t start[K * D] = {0, 0, -1600, 1600, 800, 800};
    static const int16_t beyond[K * D] = {0, 0, -2049, 1600, 800, 2033};
    static const int16_t far[K * D] = {0, 0, -1600, 1600, 2032, -2048};
    static uint8_t room[HQ_KMEANS_INT8_FIT_SIZE(N, D, K) + 64];
    const size_t max = SIZE_MAX, need = HQ_KMEANS_INT8_FIT_SIZE(N, D, K), part = HQ_KMEANS_INT8_ASSIGN_SIZE(D, K);
    int16_t *c = out.centers;
    uint16_t *l = out.labels;
    int64_t *p = out.partial, good[P] = {4, 6, -201, 199, 101, 102, 2, 2, 2, 9}, bad_partial[P];
    hq_kmeans_int8_options given, wrong;
    size_t k, d;

    SAME(24u, sizeof(hq_kmeans_int8_options));
    SAME(24u, sizeof(hq_kmeans_int8_result));
    SAME(24u, sizeof(hq_kmeans_int8_step));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_int8_options_init(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_int8_options_init(ODD(hq_kmeans_int8_options, &out.kmeans)));
    EXPECT(HQ_OK, hq_kmeans_int8_options_init(&out.kmeans));
    SAME(HQ_OK, (size_t)hq_kmeans_int8_options_init(&given));
    SAME(100u, given.max_iterations);
    wrong = given;
    wrong.seeding = 2;
    SAME(max, hq_kmeans_int8_fit_workspace_size(N, D, K, &wrong));
    given.seeding = HQ_KMEANS_INT8_SEEDING_GIVEN;

    for (k = 1; k < 40; k++) {
        for (d = 1; d < 40; d++) {
            SAME(HQ_KMEANS_INT8_ASSIGN_SIZE(d, k), hq_kmeans_int8_assign_workspace_size(d, k));
            SAME(HQ_KMEANS_INT8_LLOYD_SIZE(d, k), hq_kmeans_int8_fit_workspace_size(1000, d, k, &given));
            SAME(HQ_KMEANS_INT8_FIT_SIZE(1000, d, k), hq_kmeans_int8_fit_workspace_size(1000, d, k, NULL));
            SAME(k * d + k + 1, hq_kmeans_int8_partial_len(d, k));
        }
    }
    SAME(max, hq_kmeans_int8_fit_workspace_size(N, 0, K, NULL));
    SAME(max, hq_kmeans_int8_fit_workspace_size(N, D, 0, NULL));
    SAME(max, hq_kmeans_int8_fit_workspace_size(max, D, K, NULL));
    SAME(max, hq_kmeans_int8_fit_workspace_size(K - 1, D, K, NULL));
    SAME(max, hq_kmeans_int8_plus_plus_workspace_size(K - 1, D, K));
    SAME(max, hq_kmeans_int8_plus_plus_workspace_size(max, D, K));
    SAME(max, hq_kmeans_int8_plus_plus_workspace_size(N, D, 65536));
    SAME(max, hq_kmeans_int8_assign_workspace_size(5462, K));
    SAME(max, hq_kmeans_int8_assign_workspace_size(D, 65536));
    SAME(max, hq_kmeans_int8_partial_len(5462, K));
    SAME(max, hq_kmeans_int8_partial_len(0, K));

#define I8_FIT(n, d, x, xn, k, o, c, cn, l, ln, r, s, size) hq_kmeans_int8_fit(n, d, x, xn, k, o, c, cn, l, ln, r, s, size)
    EXPECT(HQ_OK, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N, &out.found, room + 1, need));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, I8_FIT(N, D, points, N * D, K, &wrong, c, K * D, l, N, &out.found, room, need));
    wrong.seeding = 0;
    wrong.empty = HQ_EMPTY_SPLIT_LARGEST;
    EXPECT(HQ_ERROR_UNSUPPORTED, I8_FIT(N, D, points, N * D, K, &wrong, c, K * D, l, N, &out.found, room, need));
    SAME(max, hq_kmeans_int8_fit_workspace_size(N, D, K, &wrong));
    wrong.empty = 4;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, I8_FIT(N, D, points, N * D, K, &wrong, c, K * D, l, N, &out.found, room, need));
    wrong.empty = 0;
    wrong.reserved = 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_FIT(N, D, points, N * D, K, &wrong, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_MISALIGNED, I8_FIT(N, D, points, N * D, K, ODD(const hq_kmeans_int8_options, &wrong), c, K * D, l, N,
                                    &out.found, room, need));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_FIT(N, D, NULL, N * D, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_FIT(N, D, points, N * D, K, NULL, NULL, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, NULL, N, &out.found, room, need));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N, NULL, room, need));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N, &out.found, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED, I8_FIT(N, D, points, N * D, K, NULL, ODD(int16_t, c), K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_MISALIGNED, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, ODD(uint16_t, l), N, &out.found, room, need));
    EXPECT(HQ_ERROR_MISALIGNED,
           I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N, ODD(hq_kmeans_int8_result, &out.found), room, need));
    EXPECT(HQ_ERROR_OVERLAP, I8_FIT(N, D, (const int8_t *)c, N * D, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_OVERLAP, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N, &out.found, l + 1, need));
    EXPECT(HQ_ERROR_OVERLAP, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, (uint16_t *)(c + 1), N, &out.found, room, need));
    EXPECT(HQ_ERROR_SHAPE, I8_FIT(N, D, points, N * D - 1, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_SHAPE, I8_FIT(N + 1, D, points, N * D, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, I8_FIT(max, D, points, N * D, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, I8_FIT(N, D, points, max, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_FIT(0, D, NULL, 0, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_FIT(N, 0, NULL, 0, K, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_FIT(N, D, points, N * D, 0, NULL, c, K * D, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_FIT(N, D, points, N * D, N + 1, NULL, c, 16, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, I8_FIT(N, D, points, N * D, K, NULL, c, K * D - 1, l, N, &out.found, room, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N - 1, &out.found, room, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, I8_FIT(N, D, points, N * D, K, NULL, c, K * D, l, N, &out.found, room, 30));
    /* the canary is no center */
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_FIT(N, D, points, N * D, K, &given, c, K * D, l, N, &out.found, room, need));
    memcpy(c, start, sizeof start);
    EXPECT(HQ_OK, I8_FIT(N, D, points, N * D, K, &given, c, K * D, l, N, &out.found, room, need));
    {
        /* an empty cluster as an error: neither labels nor centers are touched */
        int16_t centers[K * D];
        uint16_t labels[N] = {9, 9, 9, 9, 9, 9};
        hq_kmeans_int8_result found;
        given.empty = HQ_EMPTY_ERROR;
        memcpy(centers, far, sizeof far);
        EXPECT(HQ_ERROR_EMPTY_CLUSTER,
               I8_FIT(N, D, points, N * D, K, &given, centers, K * D, labels, N, &found, room, sizeof room));
        SAME(0, (size_t)memcmp(centers, far, sizeof far));
        for (d = 0; d < N; d++) {
            SAME(9, labels[d]);
        }
        given.empty = HQ_EMPTY_KEEP;
        SAME(HQ_OK, (size_t)I8_FIT(N, D, points, N * D, K, &given, centers, K * D, labels, N, &found, room, sizeof room));
        SAME(1, found.empty);
        SAME(1, found.converged);
    }

#define I8_SEED(n, d, x, xn, k, c, cn, s, size) hq_kmeans_int8_plus_plus(n, d, x, xn, k, 5, c, cn, s, size)
    EXPECT(HQ_OK, I8_SEED(N, D, points, N * D, K, c, K * D, room + 1, 4 * N + 3));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_SEED(N, D, NULL, N * D, K, c, K * D, room, 4 * N + 3));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_SEED(N, D, points, N * D, K, NULL, K * D, room, 4 * N + 3));
    EXPECT(HQ_ERROR_MISALIGNED, I8_SEED(N, D, points, N * D, K, ODD(int16_t, c), K * D, room, 4 * N + 3));
    EXPECT(HQ_ERROR_OVERLAP, I8_SEED(N, D, points, N * D, K, c, K * D, c, 4 * N + 3));
    EXPECT(HQ_ERROR_SHAPE, I8_SEED(N, D, points, N * D - 2, K, c, K * D, room, 4 * N + 3));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, I8_SEED(max, D, points, N * D, K, c, K * D, room, 4 * N + 3));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_SEED(N, D, points, N * D, N + 1, c, 16, room, 4 * N + 3));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_SEED(N, D, points, N * D, 0, c, K * D, room, 4 * N + 3));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, I8_SEED(N, D, points, N * D, K, c, K * D - 1, room, 4 * N + 3));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, I8_SEED(N, D, points, N * D, K, c, K * D, room, 4 * N - 1));

#define I8_ASSIGN(n, d, x, xn, k, c, cn, l, ln, i, s, size) hq_kmeans_int8_assign(n, d, x, xn, k, c, cn, l, ln, i, s, size)
    EXPECT(HQ_OK, I8_ASSIGN(N, D, points, N * D, K, start, K * D, l, N, &out.inertia, room + 3, part));
    EXPECT(HQ_OK, I8_ASSIGN(0, D, NULL, 0, K, start, K * D, NULL, 0, &out.inertia, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ASSIGN(N, D, NULL, N * D, K, start, K * D, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ASSIGN(N, D, points, N * D, K, NULL, K * D, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ASSIGN(N, D, points, N * D, K, start, K * D, NULL, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ASSIGN(N, D, points, N * D, K, start, K * D, l, N, NULL, room, part));
    EXPECT(HQ_ERROR_MISALIGNED,
           I8_ASSIGN(N, D, points, N * D, K, ODD(const int16_t, start), K * D - 1, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_MISALIGNED,
           I8_ASSIGN(N, D, points, N * D, K, start, K * D, l, N, ODD(uint64_t, &out.inertia), room, part));
    EXPECT(HQ_ERROR_OVERLAP, I8_ASSIGN(N, D, points, N * D, K, c, K * D, (uint16_t *)c, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_OVERLAP, I8_ASSIGN(N, D, points, N * D, K, start, K * D, l, N, &out.inertia, l, part));
    EXPECT(HQ_ERROR_SHAPE, I8_ASSIGN(N, D, points, N * D - 1, K, start, K * D, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_SHAPE, I8_ASSIGN(N, D, points, N * D, K, start, K * D - 1, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, I8_ASSIGN(N, D, points, N * D, max, start, K * D, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_ASSIGN(N, D, points, N * D, K, beyond, K * D, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_ASSIGN(N, D, points, N * D, 0, NULL, 0, l, N, &out.inertia, room, part));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, I8_ASSIGN(N, D, points, N * D, K, start, K * D, l, N - 1, &out.inertia, room, part));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, I8_ASSIGN(N, D, points, N * D, K, start, K * D, l, N, &out.inertia, room, 100));

#define I8_ADD(n, x, xn, c, cn, l, ln, p, pn, s, size) hq_kmeans_int8_accumulate(n, D, x, xn, K, c, cn, l, ln, p, pn, s, size)
    EXPECT(HQ_OK, I8_ADD(N, points, N * D, start, K * D, l, N, p, P, room + 3, part));
    EXPECT(HQ_OK, I8_ADD(N, points, N * D, start, K * D, NULL, 0, p, P, room, part));
    EXPECT(HQ_OK, I8_ADD(0, NULL, 0, start, K * D, NULL, 0, p, P, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ADD(N, NULL, N * D, start, K * D, l, N, p, P, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ADD(N, points, N * D, NULL, K * D, l, N, p, P, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ADD(N, points, N * D, start, K * D, NULL, N, p, P, room, part));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_ADD(N, points, N * D, start, K * D, l, N, NULL, P, room, part));
    EXPECT(HQ_ERROR_MISALIGNED, I8_ADD(N, points, N * D, start, K * D, l, N, ODD(int64_t, p), P, room, part));
    EXPECT(HQ_ERROR_OVERLAP, I8_ADD(N, points, N * D, start, K * D, (uint16_t *)p, N, p, P, room, part));
    EXPECT(HQ_ERROR_SHAPE, I8_ADD(N, points, N * D, start, K * D, l, N, p, P - 1, room, part));
    EXPECT(HQ_ERROR_SHAPE, I8_ADD(N, points, N * D, start, K * D, l, N, p, P + 1, room, part));
    EXPECT(HQ_ERROR_SHAPE, I8_ADD(N - 1, points, N * D, start, K * D, l, N, p, P, room, part));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_ADD(N, points, N * D, beyond, K * D, l, N, p, P, room, part));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, I8_ADD(N, points, N * D, start, K * D, l, N - 1, p, P, room, part));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, I8_ADD(N, points, N * D, start, K * D, l, N, p, P, room, 100));

    EXPECT(HQ_OK, hq_kmeans_int8_merge(p, good, P));
    EXPECT(HQ_OK, hq_kmeans_int8_merge(NULL, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_int8_merge(NULL, good, P));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_int8_merge(p, NULL, P));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_int8_merge(ODD(int64_t, p), good, P));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_int8_merge(p, p + 1, P));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_kmeans_int8_merge(p, good, max / 4));

#define I8_UPDATE(d, k, p, pn, c, cn, r) hq_kmeans_int8_update(d, k, p, pn, c, cn, r)
    EXPECT(HQ_OK, I8_UPDATE(D, K, good, P, c, K * D, &out.step));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_UPDATE(D, K, NULL, P, c, K * D, &out.step));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_UPDATE(D, K, good, P, NULL, K * D, &out.step));
    EXPECT(HQ_ERROR_NULL_POINTER, I8_UPDATE(D, K, good, P, c, K * D, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, I8_UPDATE(D, K, ODD(const int64_t, good), P - 1, c, K * D, &out.step));
    EXPECT(HQ_ERROR_MISALIGNED, I8_UPDATE(D, K, good, P, ODD(int16_t, c), K * D, &out.step));
    EXPECT(HQ_ERROR_OVERLAP, I8_UPDATE(D, K, p, P, (int16_t *)p, K * D, &out.step));
    EXPECT(HQ_ERROR_SHAPE, I8_UPDATE(D, K, good, P - 1, c, K * D, &out.step));
    EXPECT(HQ_ERROR_SHAPE, I8_UPDATE(D, K, good, P, c, K * D - 1, &out.step));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, I8_UPDATE(D, max, good, P, c, K * D, &out.step));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_UPDATE(0, K, good, P, NULL, 0, &out.step));
    memcpy(bad_partial, good, sizeof good);
    bad_partial[K * D] = -1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_UPDATE(D, K, bad_partial, P, c, K * D, &out.step));
    bad_partial[K * D] = (int64_t)1 << 50;
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, I8_UPDATE(D, K, bad_partial, P, c, K * D, &out.step));
    bad_partial[K * D] = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, I8_UPDATE(D, K, bad_partial, P, c, K * D, &out.step));

    memset(p, 0, P * sizeof *p);
    EXPECT(HQ_OK, hq_kmeans_int8_decay(D, K, p, P, 60000));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_int8_decay(D, K, p, P, 60000)); /* canaries are no partial */
    EXPECT(HQ_ERROR_SHAPE, hq_kmeans_int8_decay(D, K, p, P + 1, 60000));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_int8_decay(D, K, NULL, P, 60000));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_int8_decay(D, K, ODD(int64_t, p), P, 60000));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_int8_decay(D, 0, p, P, 60000));

    EXPECT(HQ_OK, hq_kmeans_int8_round_centers(start, K * D, out.codes, K * D));
    EXPECT(HQ_OK, hq_kmeans_int8_round_centers(NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_kmeans_int8_round_centers(beyond, K * D, out.codes, K * D));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_kmeans_int8_round_centers(start, K * D, out.codes, K * D - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_int8_round_centers(NULL, K * D, out.codes, K * D));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_kmeans_int8_round_centers(start, K * D, NULL, K * D));
    EXPECT(HQ_ERROR_MISALIGNED, hq_kmeans_int8_round_centers(ODD(const int16_t, start), K, out.codes, K));
    EXPECT(HQ_ERROR_OVERLAP, hq_kmeans_int8_round_centers(c, K, (int8_t *)c, K));
}
