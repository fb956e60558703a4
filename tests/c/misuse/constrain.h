/* Constraint sets: what their functions refuse. */

static hq_set set_of(int32_t kind, float radius, const float *a, size_t a_len, size_t count) {
    hq_set set = {0};
    set.kind = kind;
    set.radius = radius;
    set.a = a;
    set.a_len = a_len;
    set.count = count;
    return set;
}

static void constraint_sets(void) {
    const size_t max = SIZE_MAX, n = CELLS;
    float *y = out.f, *result = out.f + CELLS;
    int32_t *active = (int32_t *)(void *)&out.least;
    static float factor[2 * (COLS + 1)];
    static uint8_t room[2 * (COLS + 1) * 4 + 3];
    hq_set ball = set_of(HQ_SET_L2_BALL, 0.5f, NULL, 0, 0), other = ball, parts[3];
    float v[COLS];
    int i;
    for (i = 0; i < COLS; i++) v[i] = x[i];

    EXPECT(HQ_OK, hq_set_project(&ball, x, y, n, NULL, 0, active));
    EXPECT(HQ_OK, hq_set_project(&ball, x, y, n, NULL, 0, NULL));
    EXPECT(HQ_OK, hq_set_project(&ball, NULL, NULL, 0, NULL, 0, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project(NULL, x, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_MISALIGNED, hq_set_project(ODD(const hq_set, &ball), x, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project(&ball, NULL, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project(&ball, x, NULL, n, NULL, 0, active));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project(&ball, x, y, n, NULL, 1, active));
    EXPECT(HQ_ERROR_MISALIGNED, hq_set_project(&ball, ODD(const float, x), y, n - 1, NULL, 0, active));
    EXPECT(HQ_ERROR_MISALIGNED, hq_set_project(&ball, x, y, n, NULL, 0, ODD(int32_t, active)));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_set_project(&ball, x, y, max / 4, NULL, 0, active));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project(&ball, y, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project(&ball, x, y, n, y, 4, active));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project(&ball, x, y, n, NULL, 0, (int32_t *)(void *)y));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_project(&ball, bad, y, n, NULL, 0, active));

    other.kind = -1;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_set_project(&other, x, y, n, NULL, 0, active));
    SAME(max, hq_set_workspace_size(&other, n));
    other.kind = 1000;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_set_violation(&other, x, n, result));
    other = ball;
    other.reserved = 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, -1.0f, NULL, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, NAN, NULL, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, 1.0f, x, n - 1, 0);
    EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, 1.0f, NULL, n, 0);
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, 1.0f, ODD(const float, x), n - 1, 0);
    EXPECT(HQ_ERROR_MISALIGNED, hq_set_project(&other, x, y, n - 1, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, 1.0f, y + 1, n, 0);
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_L2_BALL, 1.0f, bad, n, 0);
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_project(&other, x, y, n, NULL, 0, active));

    /* In place, on an array of our own: the arena holds no numbers. */
    EXPECT(HQ_OK, hq_set_project_inplace(&ball, v, COLS, NULL, 0, active));
    EXPECT(HQ_OK, hq_set_project_inplace(&ball, NULL, 0, NULL, 0, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project_inplace(&ball, NULL, 1, NULL, 0, active));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project_inplace(NULL, v, COLS, NULL, 0, active));
    EXPECT(HQ_ERROR_MISALIGNED, hq_set_project_inplace(&ball, ODD(float, v), 1, NULL, 0, active));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_set_project_inplace(&ball, v, max, NULL, 0, active));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project_inplace(&ball, v, COLS, v, 4, active));
    other = set_of(HQ_SET_L2_BALL, 1.0f, v, COLS, 0);
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project_inplace(&other, v, COLS, NULL, 0, active));

    EXPECT(HQ_OK, hq_set_violation(&ball, x, n, result));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_violation(&ball, x, n, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_violation(&ball, NULL, n, result));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_violation(&ball, result, 1, result));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_violation(&ball, bad, n, result));
    EXPECT(HQ_OK, hq_set_is_feasible(&ball, x, n, 0.0f, active));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_is_feasible(&ball, x, n, -1.0f, active));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_is_feasible(&ball, x, n, NAN, active));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_is_feasible(&ball, x, n, 0.0f, NULL));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_is_feasible(&ball, bad, n, 0.0f, active));
    EXPECT(HQ_OK, hq_set_vjp(&ball, x, x, y, n, NULL, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_vjp(&ball, x, NULL, y, n, NULL, 0));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_vjp(&ball, x, y, y, n, NULL, 0));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_vjp(&ball, bad, x, y, n, NULL, 0));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_vjp(&ball, x, bad, y, n, NULL, 0));

    /* Each kind: what it takes, and what it does not. */
    other = set_of(HQ_SET_BOX, 0.0f, x, n, 0);
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
    other.b = x;
    other.b_len = 2;
    EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_BOX, 0.0f, v, 1, 0);
    other.b = v + 1;
    other.b_len = 1;
    v[0] = 1.0f;
    v[1] = 0.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_NON_NEGATIVE, 0.0f, NULL, 0, 0);
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_project(&other, bad, y, n, NULL, 0, active));
    other = set_of(HQ_SET_LINF_BALL, 1.0f, x, n, 0);
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
    other = set_of(HQ_SET_LINF_BALL, -1.0f, NULL, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
    for (i = HQ_SET_HALFSPACE; i <= HQ_SET_HYPERPLANE; i++) {
        static const float zeros[CELLS];
        other = set_of(i, 0.0f, x, n, 0);
        EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
        other.value = INFINITY;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
        other = set_of(i, 0.0f, NULL, 0, 0);
        EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, x, y, n, NULL, 0, active));
        other = set_of(i, 0.0f, zeros, n, 0);
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));
    }
    other = set_of(HQ_SET_SECOND_ORDER_CONE, 0.0f, NULL, 0, 0);
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, NULL, NULL, 0, NULL, 0, active));
    other = set_of(HQ_SET_SPHERE, 1.0f, x, n, 0);
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_UNSUPPORTED, hq_set_vjp(&other, x, x, y, n, NULL, 0));
    other = set_of(HQ_SET_ROW_MAX_NORM, 1.0f, NULL, 0, COLS);
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, NULL, 0, active));
    EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, x, y, n - 1, NULL, 0, active));
    other.count = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, NULL, 0, active));

    SAME(2 * (COLS + 1), hq_affine_factor_len(2, COLS));
    SAME(max, hq_affine_factor_len(max, 2));
    SAME(sizeof room, hq_affine_prepare_workspace_size(2, COLS));
    SAME(max, hq_affine_prepare_workspace_size(max / 8, 8));
#define FACTOR(rows, a, an, b, bn, f, fn, s, sn) hq_affine_prepare(rows, COLS, a, an, b, bn, f, fn, s, sn)
    EXPECT(HQ_OK, FACTOR(2, x, 2 * COLS, x, 2, y, 2 * (COLS + 1), room, sizeof room));
    EXPECT(HQ_OK, FACTOR(0, NULL, 0, NULL, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, FACTOR(2, x, COLS, x, 2, y, n, room, sizeof room));
    EXPECT(HQ_ERROR_SHAPE, FACTOR(2, x, 2 * COLS, x, 1, y, n, room, sizeof room));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, FACTOR(2, x, 2 * COLS, x, 2, y, 2 * COLS, room, sizeof room));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, FACTOR(2, x, 2 * COLS, x, 2, y, n, room, 4));
    EXPECT(HQ_ERROR_NON_FINITE, FACTOR(2, bad, 2 * COLS, x, 2, y, n, room, sizeof room));
    EXPECT(HQ_ERROR_OVERLAP, FACTOR(2, x, 2 * COLS, x, 2, y, n, y, sizeof room));
    EXPECT(HQ_ERROR_NULL_POINTER, FACTOR(2, NULL, 2 * COLS, x, 2, y, n, room, sizeof room));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, FACTOR(max, x, 2 * COLS, x, 2, y, n, room, sizeof room));
    memset(factor, 0, sizeof factor);
    EXPECT(HQ_ERROR_RANK_DEFICIENT, FACTOR(2, factor, 2 * COLS, x, 2, y, n, room, sizeof room));
    EXPECT(HQ_OK, FACTOR(2, x, 2 * COLS, x, 2, factor, 2 * (COLS + 1), room, sizeof room));
    other = set_of(HQ_SET_AFFINE, 0.0f, factor, 2 * (COLS + 1), 2);
    SAME(11, hq_set_workspace_size(&other, COLS));
    EXPECT(HQ_OK, hq_set_project(&other, x, y, COLS, room + 1, 11, active));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, hq_set_project(&other, x, y, COLS, room + 1, 10, active));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project(&other, x, y, COLS, factor, 11, active));
    EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, x, y, COLS - 1, room, 11, active));

    parts[0] = set_of(HQ_SET_L2_BALL, 0.5f, x, COLS, 0);
    parts[1] = set_of(HQ_SET_NON_NEGATIVE, 0.0f, NULL, 0, 0);
    parts[2] = other;
    for (i = 0; i < 3; i++) parts[i].len = COLS;
    other = set_of(HQ_SET_PRODUCT, 0.0f, NULL, 0, 3);
    other.sets = parts;
    SAME(11, hq_set_workspace_size(&other, n));
    EXPECT(HQ_OK, hq_set_project(&other, x, y, n, room, 11, active));
    EXPECT(HQ_OK, hq_set_violation(&other, x, n, result));
    EXPECT(HQ_ERROR_SHAPE, hq_set_project(&other, x, y, n - 1, room, 11, active));
    EXPECT(HQ_ERROR_OVERLAP, hq_set_project(&other, x, y, n, factor, 11, active));
    EXPECT(HQ_ERROR_NON_FINITE, hq_set_project(&other, bad, y, n, room, 11, active));
    parts[2].radius = 0.0f;
    parts[1] = other;
    EXPECT(HQ_ERROR_UNSUPPORTED, hq_set_project(&other, x, y, n, room, 11, active));
    parts[1] = set_of(99, 0.0f, NULL, 0, 0);
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_set_project(&other, x, y, n, room, 11, active));
    other.count = HQ_SET_PARTS_MAX + 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_set_project(&other, x, y, n, room, 11, active));
    other.count = 1;
    other.sets = NULL;
    EXPECT(HQ_ERROR_NULL_POINTER, hq_set_project(&other, x, y, n, room, 11, active));
}
