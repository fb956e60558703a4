/* Sets that search a threshold, sets that are not convex, and intersections. */

static void search_sets(void) {
    static uint8_t room[8 * CELLS + 8300];
    static const float huge[2] = {3e38f, -3e38f};
    const size_t max = SIZE_MAX;
    float violation = 0.0f;
    size_t need;
    hq_set simplex = set_of(HQ_SET_SIMPLEX, 1.0f, NULL, 0, 0), capped = set_of(HQ_SET_CAPPED_SIMPLEX, 1.0f, NULL, 0, 0);
    hq_set ball = set_of(HQ_SET_L1_BALL, 1.0f, NULL, 0, 0), top = set_of(HQ_SET_TOP_K, 0.0f, NULL, 0, 0);
    hq_set book = set_of(HQ_SET_CODEBOOK, 0.0f, NULL, 0, 0), ternary = set_of(HQ_SET_EXACT_TERNARY, 0.0f, NULL, 0, 0), wrong;
    capped.value = 0.5f;
    top.count = 3;
    book.a = x;
    book.a_len = 4;
#define PROJECT(set, x, n, size) hq_set_project(&(set), x, out.f, n, room + 1, size, NULL)
    EXPECT(HQ_OK, PROJECT(simplex, x, CELLS, 0));
    EXPECT(HQ_OK, PROJECT(capped, x, CELLS, 0));
    EXPECT(HQ_OK, PROJECT(ball, x, CELLS, 0));
    EXPECT(HQ_OK, PROJECT(ball, huge, 2, 0));
    EXPECT(HQ_OK, PROJECT(book, x, CELLS, 0));
    EXPECT(HQ_ERROR_NON_FINITE, PROJECT(simplex, bad, CELLS, 0));
    EXPECT(HQ_ERROR_NON_FINITE, PROJECT(capped, bad, CELLS, 0));
    EXPECT(HQ_ERROR_NON_FINITE, PROJECT(ball, bad, CELLS, 0));
    EXPECT(HQ_ERROR_NON_FINITE, PROJECT(book, bad, CELLS, 0));
    /* A sum that no vector has. */
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PROJECT(simplex, x, 0, 0));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PROJECT(capped, x, 1, 0));
    wrong = set_of(HQ_SET_SIMPLEX, -1.0f, NULL, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PROJECT(wrong, x, CELLS, 0));
    wrong = set_of(HQ_SET_L1_BALL, (float)NAN, NULL, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PROJECT(wrong, x, CELLS, 0));
    wrong = set_of(HQ_SET_CODEBOOK, 0.0f, NULL, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, PROJECT(wrong, x, CELLS, 0));
    /* Arrays of the set. */
    wrong = ball;
    wrong.a = x;
    wrong.a_len = 3;
    EXPECT(HQ_ERROR_SHAPE, PROJECT(wrong, x, CELLS, 0));
    wrong.a = NULL;
    EXPECT(HQ_ERROR_NULL_POINTER, PROJECT(wrong, x, CELLS, 0));
    wrong.a = out.f;
    EXPECT(HQ_ERROR_OVERLAP, PROJECT(wrong, x, 3, 0));
    /* Scratch. */
    need = hq_set_workspace_size(&top, CELLS);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    EXPECT(HQ_OK, PROJECT(top, x, CELLS, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, PROJECT(top, x, CELLS, need - 1));
    EXPECT(HQ_ERROR_NON_FINITE, PROJECT(top, bad, CELLS, need));
    need = hq_set_workspace_size(&ternary, CELLS);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    EXPECT(HQ_OK, PROJECT(ternary, x, CELLS, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, PROJECT(ternary, x, CELLS, need - 1));
    EXPECT(HQ_ERROR_NON_FINITE, PROJECT(ternary, bad, CELLS, need));
    SAME(max, hq_set_workspace_size(&ternary, max / 2));
    /* A derivative where there is none. */
    EXPECT(HQ_ERROR_UNSUPPORTED, hq_set_vjp(&book, x, x, out.f, CELLS, NULL, 0));
    EXPECT(HQ_OK, hq_set_vjp(&simplex, x, x, out.f, CELLS, NULL, 0));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_vjp(&ball, x, bad, out.f, CELLS, NULL, 0));
    EXPECT(HQ_OK, hq_set_violation(&ball, huge, 2, &violation));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_violation(&simplex, bad, CELLS, out.f));
}

static void intersections(void) {
    static uint8_t room[16 * CELLS * sizeof(float) + 64];
    const size_t max = SIZE_MAX;
    hq_set both[2];
    hq_dykstra *report = (hq_dykstra *)(void *)&out.mixed;
    hq_dykstra_options options = {100, 1e-5f}, none = {0, 1e-5f}, nan = {1, (float)NAN};
    float y[CELLS];
    size_t need;
    SAME(24u, sizeof(hq_dykstra));
    SAME(8u, sizeof(hq_dykstra_options));
    both[0] = set_of(HQ_SET_L1_BALL, 1.0f, NULL, 0, 0);
    both[1] = set_of(HQ_SET_L2_BALL, 0.5f, NULL, 0, 0);
    memcpy(y, x, sizeof y);
    need = hq_sets_dykstra_workspace_size(both, 2, CELLS);
    EXPECT(HQ_OK, need <= sizeof room - 1 ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_sets_dykstra_workspace_size(both, 2, max / 4));
    SAME(max, hq_sets_dykstra_workspace_size(NULL, 2, 1));
    SAME(max, hq_sets_dykstra_workspace_size(both, max / 2, 1));
#define DYKSTRA(sets, n, x, len, options, report, size) \
    hq_sets_dykstra(sets, n, x, len, options, report, room + 1, size)
    EXPECT(HQ_OK, DYKSTRA(both, 2, y, CELLS, NULL, report, need));
    EXPECT(HQ_OK, DYKSTRA(both, 2, y, CELLS, &options, report, need));
    EXPECT(HQ_OK, DYKSTRA(NULL, 0, y, CELLS, NULL, report, need));
    EXPECT(HQ_OK, DYKSTRA(both, 2, NULL, 0, NULL, report, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, DYKSTRA(both, 2, out.f, 4, &none, report, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, DYKSTRA(both, 2, out.f, 4, &nan, report, need));
    EXPECT(HQ_ERROR_NON_FINITE, DYKSTRA(both, 2, bad, CELLS, NULL, report, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, DYKSTRA(both, 2, y, CELLS, NULL, report, 64));
    EXPECT(HQ_ERROR_NULL_POINTER, DYKSTRA(NULL, 2, y, 4, NULL, report, need));
    EXPECT(HQ_ERROR_NULL_POINTER, DYKSTRA(both, 2, NULL, 4, NULL, report, need));
    EXPECT(HQ_ERROR_NULL_POINTER, DYKSTRA(both, 2, y, 4, NULL, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED, DYKSTRA(ODD(const hq_set, both), 1, y, 4, NULL, report, need));
    EXPECT(HQ_ERROR_MISALIGNED, DYKSTRA(both, 2, ODD(float, y), 4, NULL, report, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, DYKSTRA(both, max / 2, y, 4, NULL, report, need));
    EXPECT(HQ_ERROR_OVERLAP, hq_sets_dykstra(both, 2, y, 4, NULL, report, both, sizeof both));
    EXPECT(HQ_ERROR_OVERLAP, hq_sets_dykstra(both, 2, y, CELLS, NULL, report, y, sizeof y));
    EXPECT(HQ_ERROR_OVERLAP, DYKSTRA(both, 2, (float *)(void *)report, 2, NULL, report, need));
    both[1] = set_of(HQ_SET_TOP_K, 0.0f, NULL, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, DYKSTRA(both, 2, y, 4, NULL, report, need));
    both[1].kind = -1;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, DYKSTRA(both, 2, y, 4, NULL, report, need));
    SAME(max, hq_sets_dykstra_workspace_size(both, 2, 4));
}
