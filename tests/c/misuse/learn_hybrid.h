/* The hybrid step. Parameters stand in the guarded arena; the state is compared by hand where it must not change. */

static void hybrid(void) {
    static float hy_memory[16], gradient[16], odd[16];
    static uint8_t undo[256], room[65536];
    static hq_hybrid_state state, kept;
    static const hq_optimizer_group groups[2] = {{1, 4, 0.1f, 1.0f}, {2, 6, 0.1f, 1.0f}};
    hq_optimizer_group wrong[2];
    hq_hybrid model, usual;
    hq_set ball;
    hq_trust_outcome *outcome = (hq_trust_outcome *)(void *)out.bytes;
    int32_t verdict = -7;
    const size_t max = SIZE_MAX;
    size_t i;
    memset(&usual, 0, sizeof usual);
    memset(&ball, 0, sizeof ball);
    ball.kind = HQ_SET_L2_BALL;
    ball.radius = 1.0f;
    for (i = 0; i < 16; i++) odd[i] = gradient[i] = 0.25f;
    odd[9] = (float)INFINITY;

    SAME(128, hq_hybrid_undo_size(NULL, groups, 2, 0, 0));
    SAME(128 + 64 + 9, hq_hybrid_undo_size(NULL, groups, 2, 16, 9));
    SAME(max, hq_hybrid_undo_size(NULL, NULL, 2, 0, 0));
    SAME(max, hq_hybrid_undo_size(NULL, groups, 2, max, 0));
    SAME(max, hq_hybrid_undo_size(NULL, groups, 2, 0, max));
    wrong[0] = groups[0];
    wrong[0].rows = max;
    SAME(max, hq_hybrid_undo_size(NULL, wrong, 1, 0, 0));
    SAME(max, hq_hybrid_workspace_size(NULL, wrong, 1, NULL));
    SAME(max, hq_hybrid_workspace_size(NULL, NULL, 2, NULL));
    ball.kind = -1;
    SAME(max, hq_hybrid_workspace_size(NULL, groups, 2, &ball));
    ball.kind = HQ_SET_L2_BALL;
    EXPECT(HQ_OK, hq_hybrid_workspace_size(NULL, groups, 2, &ball) <= sizeof room - 1 ? HQ_OK : HQ_ERROR_SHAPE);

#define HY_START(g, radius, s, m, size) hq_hybrid_start(NULL, g, 2, radius, s, m, size)
    EXPECT(HQ_OK, HY_START(groups, 1.0f, &state, hy_memory, 64));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, HY_START(groups, 0.0f, (hq_hybrid_state *)(void *)out.f, out.bytes, 64));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, HY_START(groups, (float)NAN, (hq_hybrid_state *)(void *)out.f, out.bytes, 64));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, HY_START(groups, 1.0f, (hq_hybrid_state *)(void *)out.f, out.bytes, 63));
    EXPECT(HQ_ERROR_NULL_POINTER, HY_START(NULL, 1.0f, (hq_hybrid_state *)(void *)out.f, out.bytes, 64));
    EXPECT(HQ_ERROR_NULL_POINTER, HY_START(groups, 1.0f, NULL, out.bytes, 64));
    EXPECT(HQ_ERROR_NULL_POINTER, HY_START(groups, 1.0f, (hq_hybrid_state *)(void *)out.f, NULL, 64));
    EXPECT(HQ_ERROR_OVERLAP, HY_START(groups, 1.0f, (hq_hybrid_state *)(void *)out.f, out.f, 64));

    usual.groups = groups;
    usual.groups_len = 2;
    usual.state = &state;
    usual.memory = hy_memory;
    usual.memory_size = 64;
    usual.undo = undo;
    usual.undo_size = 128;
    usual.params = out.f;
    usual.params_len = 16;
    usual.least_efficiency = 0.05f;
    usual.tolerated_rise = 0.1f;
    model = usual;
    kept = state;

#define HY_PROPOSE(m, loss, g, n, rate, radius, r, v, size) \
    hq_hybrid_propose(m, loss, g, n, rate, radius, r, v, room + 1, size)
#define HY_USUAL HY_PROPOSE(&model, 1.0f, gradient, 16, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1)
/* Every field of the model spoilt once; the state stays what it was. */
#define HY_SPOIL(status, change)                                           \
    model = usual;                                                         \
    change;                                                                \
    EXPECT(status, HY_USUAL);                                              \
    EXPECT(HQ_OK, memcmp(&state, &kept, sizeof state) ? HQ_ERROR_SHAPE : HQ_OK)
    HY_SPOIL(HQ_ERROR_NULL_POINTER, model.groups = NULL);
    HY_SPOIL(HQ_ERROR_NULL_POINTER, model.memory = NULL);
    HY_SPOIL(HQ_ERROR_NULL_POINTER, model.undo = NULL);
    HY_SPOIL(HQ_ERROR_NULL_POINTER, model.params = NULL);
    HY_SPOIL(HQ_ERROR_NULL_POINTER, model.state = NULL);
    HY_SPOIL(HQ_ERROR_MISALIGNED, model.params = ODD(float, out.f));
    HY_SPOIL(HQ_ERROR_MISALIGNED, model.options = ODD(const hq_optimizer_options, room));
    HY_SPOIL(HQ_ERROR_MISALIGNED, model.set = ODD(const hq_set, &ball));
    HY_SPOIL(HQ_ERROR_OVERLAP, model.undo = out.f);
    HY_SPOIL(HQ_ERROR_OVERLAP, (model.visible = out.f + 15, model.visible_len = 16));
    HY_SPOIL(HQ_ERROR_OVERLAP, model.params = gradient);
    HY_SPOIL(HQ_ERROR_OVERLAP, (model.packed = room + 2, model.packed_size = 8));
    HY_SPOIL(HQ_ERROR_OUTPUT_TOO_SMALL, model.undo_size = 127);
    HY_SPOIL(HQ_ERROR_OUTPUT_TOO_SMALL, model.memory_size = 63);
    HY_SPOIL(HQ_ERROR_SHAPE, model.params_len = 15);
    HY_SPOIL(HQ_ERROR_SHAPE, model.groups_len = 1);
    HY_SPOIL(HQ_ERROR_INVALID_ARGUMENT, model.least_efficiency = 1.5f);
    HY_SPOIL(HQ_ERROR_INVALID_ARGUMENT, model.tolerated_rise = (float)NAN);
    model = usual;
    EXPECT(HQ_ERROR_NULL_POINTER, HY_PROPOSE(NULL, 1.0f, gradient, 16, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_ERROR_MISALIGNED,
           HY_PROPOSE(ODD(const hq_hybrid, &model), 1.0f, gradient, 16, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, HY_PROPOSE(&model, 1.0f, NULL, 16, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, HY_PROPOSE(&model, 1.0f, gradient, 16, 1.0f, 1.0f, NULL, NULL, sizeof room - 1));
    EXPECT(HQ_ERROR_SHAPE, HY_PROPOSE(&model, 1.0f, gradient, 15, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, HY_PROPOSE(&model, 1.0f, gradient, 16, 1.0f, 1.0f, NULL, &verdict, 9));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT,
           HY_PROPOSE(&model, 1.0f, gradient, 16, -1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT,
           HY_PROPOSE(&model, 1.0f, gradient, 16, 1.0f, 0.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_ERROR_OVERLAP,
           HY_PROPOSE(&model, 1.0f, gradient, 16, 1.0f, 1.0f, NULL, (int32_t *)(void *)&state, sizeof room - 1));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_hybrid_judge(&model, 1.0f, outcome));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_hybrid_undo(&model));
    state.waiting = 2;
    EXPECT(HQ_ERROR_CORRUPT, HY_USUAL);
    state.waiting = 0;
    state.optimizer.layout ^= 1;
    EXPECT(HQ_ERROR_SHAPE, HY_USUAL);
    state.optimizer.layout ^= 1;
    EXPECT(HQ_ERROR_NULL_POINTER, hq_hybrid_undo(NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_hybrid_judge(&model, 1.0f, NULL));
    EXPECT(HQ_OK, verdict == -7 ? HQ_OK : HQ_ERROR_SHAPE);

    /* Not an error: refused, and nothing but the radius changes. */
    EXPECT(HQ_OK, HY_PROPOSE(&model, (float)NAN, gradient, 16, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_OK, verdict == HQ_TRUST_REFUSED && state.region.radius == 0.25f ? HQ_OK : HQ_ERROR_SHAPE);
    EXPECT(HQ_OK, HY_PROPOSE(&model, 1.0f, odd, 16, 1.0f, 1.0f, NULL, &verdict, sizeof room - 1));
    EXPECT(HQ_OK, verdict == HQ_TRUST_REFUSED ? HQ_OK : HQ_ERROR_SHAPE);
    EXPECT(HQ_OK, HY_USUAL);
    EXPECT(HQ_OK, verdict == HQ_TRUST_ACCEPTED && state.waiting == 1 ? HQ_OK : HQ_ERROR_SHAPE);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, HY_USUAL);
    EXPECT(HQ_OK, hq_hybrid_undo(&model));
    EXPECT(HQ_OK, HY_USUAL);
    EXPECT(HQ_OK, hq_hybrid_judge(&model, 0.5f, outcome));
    EXPECT(HQ_OK, state.waiting == 0 ? HQ_OK : HQ_ERROR_SHAPE);
#undef HY_SPOIL
#undef HY_USUAL
#undef HY_PROPOSE
#undef HY_START
}
