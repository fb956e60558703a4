/* The optimizer. */

static void optimizer(void) {
    static float memory[64], gradient[16], odd[16];
    static uint8_t room[65536];
    static hq_optimizer_state state, fresh;
    static const hq_optimizer_group groups[2] = {{1, 4, 0.1f, 1.0f}, {2, 6, 0.1f, 1.0f}};
    hq_optimizer_group wrong[2];
    hq_optimizer_options usual, options;
    hq_optimizer_outputs outputs = {0};
    hq_set ball = {0};
    const size_t max = SIZE_MAX;
    const float losses[2] = {1.0f, 0.5f}, no_losses[2] = {(float)NAN, 0.5f};
    size_t i;
    ball.kind = HQ_SET_L2_BALL;
    ball.radius = 1.0f;
    for (i = 0; i < 16; i++) odd[i] = gradient[i] = 0.25f;
    odd[9] = (float)INFINITY;

    EXPECT(HQ_ERROR_NULL_POINTER, hq_optimizer_options_default(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_optimizer_options_default(ODD(hq_optimizer_options, &usual)));
    EXPECT(HQ_OK, hq_optimizer_options_default(&usual));

    SAME(64, hq_optimizer_memory_size(NULL, groups, 2));
    SAME(0, hq_optimizer_memory_size(NULL, NULL, 0));
    SAME(max, hq_optimizer_memory_size(NULL, NULL, 2));
    SAME(max, hq_optimizer_memory_size(ODD(const hq_optimizer_options, &usual), groups, 2));
    SAME(max, hq_optimizer_workspace_size(NULL, NULL, 2, NULL));
    wrong[0] = groups[0];
    wrong[0].rows = max;
    SAME(max, hq_optimizer_memory_size(NULL, wrong, 1));
    SAME(max, hq_optimizer_workspace_size(NULL, wrong, 1, NULL));
    ball.kind = -1;
    SAME(max, hq_optimizer_workspace_size(NULL, groups, 2, &ball));
    ball.kind = HQ_SET_L2_BALL;
    EXPECT(HQ_OK, hq_optimizer_workspace_size(NULL, groups, 2, &ball) <= sizeof room ? HQ_OK : HQ_ERROR_SHAPE);

#define BYTES(o, g, n, b) hq_optimizer_bytes_held(o, g, n, b)
    EXPECT(HQ_OK, BYTES(NULL, groups, 2, (hq_optimizer_bytes *)out.bytes));
    EXPECT(HQ_ERROR_NULL_POINTER, BYTES(NULL, groups, 2, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, BYTES(NULL, NULL, 2, (hq_optimizer_bytes *)out.bytes));
    EXPECT(HQ_ERROR_MISALIGNED, BYTES(NULL, groups, 2, ODD(hq_optimizer_bytes, out.sizes)));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, BYTES(NULL, wrong, 1, (hq_optimizer_bytes *)out.bytes));

#define START(o, g, n, s, m, size) hq_optimizer_start(o, g, n, s, m, size)
    EXPECT(HQ_OK, START(NULL, groups, 2, &state, memory, 64));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, START(NULL, groups, 2, (hq_optimizer_state *)out.bytes, out.f, 63));
    EXPECT(HQ_ERROR_NULL_POINTER, START(NULL, groups, 2, NULL, out.f, 64));
    EXPECT(HQ_ERROR_NULL_POINTER, START(NULL, groups, 2, (hq_optimizer_state *)out.bytes, NULL, 64));
    EXPECT(HQ_ERROR_OVERLAP, START(NULL, groups, 2, (hq_optimizer_state *)out.bytes, out.bytes, 64));
    fresh = state;

#define STEP(o, g, n, s, m, size, d, dn, l, set, p, pn, outs, r, room_size) \
    hq_optimizer_step(o, g, n, s, m, size, d, dn, l, set, p, pn, outs, r, room + 1, room_size)
/* Parameters in the arena, where a change would be seen; its canaries are small negative numbers as floats. */
#define USUAL(o, d, l, set, outs) \
    STEP(o, groups, 2, &state, memory, 64, d, 16, l, set, out.f, 16, outs, NULL, sizeof room - 1)
    EXPECT(HQ_OK, USUAL(NULL, gradient, NULL, NULL, NULL));
    EXPECT(HQ_OK, USUAL(&usual, gradient, losses, &ball, &outputs));
    EXPECT(HQ_ERROR_NON_FINITE, USUAL(NULL, odd, NULL, NULL, NULL));
    EXPECT(HQ_ERROR_NON_FINITE, USUAL(NULL, gradient, no_losses, NULL, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, USUAL(NULL, NULL, NULL, NULL, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, USUAL(NULL, ODD(const float, gradient), NULL, NULL, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, USUAL(NULL, gradient, ODD(const float, losses), NULL, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, USUAL(NULL, gradient, NULL, ODD(const hq_set, &ball), NULL));
    EXPECT(HQ_ERROR_MISALIGNED, USUAL(NULL, gradient, NULL, NULL, ODD(const hq_optimizer_outputs, &outputs)));
    EXPECT(HQ_ERROR_OVERLAP, USUAL(NULL, out.f + 15, NULL, NULL, NULL));
    EXPECT(HQ_ERROR_OVERLAP, USUAL(NULL, gradient, out.f, NULL, NULL));
    ball.kind = -1;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, USUAL(NULL, gradient, NULL, &ball, NULL));
    ball.kind = HQ_SET_L2_BALL;
    ball.radius = -1.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, USUAL(NULL, gradient, NULL, &ball, NULL));
    ball.radius = 1.0f;
    ball.a = gradient;
    ball.a_len = 15;
    EXPECT(HQ_ERROR_SHAPE, USUAL(NULL, gradient, NULL, &ball, NULL));

#define WITH(field, value, want)   \
    options = usual;               \
    options.field = value;         \
    EXPECT(want, USUAL(&options, gradient, NULL, NULL, NULL))
    WITH(base, 3, HQ_ERROR_UNKNOWN_ENUM);
    WITH(moment, 5, HQ_ERROR_UNKNOWN_ENUM);
    WITH(second, -1, HQ_ERROR_UNKNOWN_ENUM);
    WITH(gradient, 2, HQ_ERROR_UNKNOWN_ENUM);
    WITH(residual, 5, HQ_ERROR_UNKNOWN_ENUM);
    WITH(format, 1, HQ_ERROR_UNKNOWN_ENUM);
    WITH(fit, 99, HQ_ERROR_UNKNOWN_ENUM);
    WITH(format, HQ_FORMAT_Q8_0, HQ_ERROR_UNSUPPORTED);
    WITH(fit, HQ_FIT_FIXED, HQ_ERROR_UNSUPPORTED);
    WITH(residual, HQ_STORAGE_TERNARY, HQ_ERROR_UNSUPPORTED);
    WITH(moment, HQ_STORAGE_NONE, HQ_ERROR_UNSUPPORTED);
    WITH(reserved, 1, HQ_ERROR_INVALID_ARGUMENT);
    WITH(momentum, 1.0f, HQ_ERROR_INVALID_ARGUMENT);
    WITH(beta2, -0.5f, HQ_ERROR_INVALID_ARGUMENT);
    WITH(epsilon, 0.0f, HQ_ERROR_INVALID_ARGUMENT);
    WITH(weight_decay, (float)NAN, HQ_ERROR_INVALID_ARGUMENT);
    WITH(clip_norm, 0.0f, HQ_ERROR_INVALID_ARGUMENT);
    WITH(sigma, -1.0f, HQ_ERROR_INVALID_ARGUMENT);
    WITH(ramp_start, 1, HQ_ERROR_INVALID_ARGUMENT);
    WITH(moment, HQ_STORAGE_INT8, HQ_ERROR_SHAPE);

#define SHAPES(g, n, size, dn, pn, room_size) \
    STEP(NULL, g, n, &state, memory, size, gradient, dn, NULL, NULL, out.f, pn, NULL, NULL, room_size)
    EXPECT(HQ_ERROR_SHAPE, SHAPES(groups, 2, 64, 15, 16, sizeof room - 1));
    EXPECT(HQ_ERROR_SHAPE, SHAPES(groups, 2, 64, 16, 15, sizeof room - 1));
    EXPECT(HQ_ERROR_SHAPE, SHAPES(groups, 1, 64, 4, 4, sizeof room - 1));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SHAPES(groups, 2, 63, 16, 16, sizeof room - 1));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, SHAPES(groups, 2, 64, 16, 16, 100));
    EXPECT(HQ_ERROR_NULL_POINTER, SHAPES(NULL, 2, 64, 16, 16, sizeof room - 1));
    wrong[0] = groups[0];
    wrong[1] = groups[1];
    wrong[1].radius = 0.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SHAPES(wrong, 2, 64, 16, 16, sizeof room - 1));
    wrong[1].radius = 1.0f;
    wrong[1].learning_rate = -0.1f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SHAPES(wrong, 2, 64, 16, 16, sizeof room - 1));

    outputs.visible = out.f + 16;
    outputs.visible_len = 15;
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, USUAL(NULL, gradient, NULL, NULL, &outputs));
    outputs.visible = out.f + 15;
    outputs.visible_len = 16;
    EXPECT(HQ_ERROR_OVERLAP, USUAL(NULL, gradient, NULL, NULL, &outputs));
    outputs.visible = out.f + 16;
    EXPECT(HQ_OK, USUAL(NULL, gradient, NULL, NULL, &outputs));
    outputs.packed = out.bytes;
    outputs.packed_size = 3 * HQ_TQ2_0_ROW_SIZE(6) - 1;
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, USUAL(NULL, gradient, NULL, NULL, &outputs));
    outputs.packed_size++;
    outputs.gradient = out.bytes + 1000;
    outputs.gradient_size = 13;
    EXPECT(HQ_ERROR_UNSUPPORTED, USUAL(NULL, gradient, NULL, NULL, &outputs));
    outputs.gradient_size = 11;
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, USUAL(NULL, gradient, NULL, NULL, &outputs));
    state.moment_power = 2.0f;
    EXPECT(HQ_ERROR_CORRUPT, USUAL(NULL, gradient, NULL, NULL, NULL));
    state = fresh;
    state.layout ^= 1;
    EXPECT(HQ_ERROR_SHAPE, USUAL(NULL, gradient, NULL, NULL, NULL));
    state = fresh;

    /* Steps from packed gradients; zeros of scale 0, five trits of value 0 a byte. */
    {
        static uint8_t trits[13];
        memset(trits, 121, sizeof trits);
        memset(trits, 0, 4);
        memset(trits + 5, 0, 4);
#define PACKED(g, n, s, m, d, dn, p, pn, outs)                                                                     \
    hq_optimizer_step_packed(NULL, g, n, s, m, 64, d, dn, NULL, NULL, p, pn, outs, NULL, room + 1, sizeof room - 1)
#define FROM(d, dn) PACKED(groups, 2, &state, memory, d, dn, out.f, 16, NULL)
        EXPECT(HQ_OK, FROM(trits, 12));
        EXPECT(HQ_ERROR_SHAPE, FROM(trits, 11));
        EXPECT(HQ_ERROR_SHAPE, FROM(trits, 13));
        EXPECT(HQ_ERROR_SHAPE, FROM(NULL, 0));
        EXPECT(HQ_ERROR_NULL_POINTER, FROM(NULL, 12));
        EXPECT(HQ_ERROR_SIZE_OVERFLOW, FROM(trits, max));
        EXPECT(HQ_ERROR_OVERLAP, FROM((const uint8_t *)out.f, 12));
        EXPECT(HQ_ERROR_NULL_POINTER, PACKED(groups, 2, NULL, memory, trits, 12, out.f, 16, NULL));
        EXPECT(HQ_ERROR_NULL_POINTER, PACKED(groups, 2, &state, NULL, trits, 12, out.f, 16, NULL));
        EXPECT(HQ_ERROR_NULL_POINTER, PACKED(groups, 2, &state, memory, trits, 12, NULL, 16, NULL));
        EXPECT(HQ_ERROR_MISALIGNED, PACKED(groups, 2, &state, memory, trits, 12, ODD(float, out.f), 16, NULL));
        EXPECT(HQ_ERROR_SHAPE, PACKED(groups, 2, &state, memory, trits, 12, out.f, 15, NULL));
        outputs.gradient_size = 11;
        EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PACKED(groups, 2, &state, memory, trits, 12, out.f, 16, &outputs));
        for (i = 0; i < 12; i++) {
            if (i < 4 || (i > 4 && i < 9)) continue;
            trits[i] = 243;
            EXPECT(HQ_ERROR_CORRUPT, FROM(trits, 12));
            trits[i] = 121;
        }
        trits[3] = 0xBF; /* a scale of -1/2 */
        EXPECT(HQ_ERROR_CORRUPT, FROM(trits, 12));
        trits[2] = 0x80;
        trits[3] = 0x7F; /* infinity */
        EXPECT(HQ_ERROR_NON_FINITE, FROM(trits, 12));
        state = fresh;
#undef FROM
#undef PACKED
    }

#define TRITS(g, n, p, size, to, len) hq_optimizer_unpack_gradient(g, n, p, size, to, len)
    SAME(12, (size_t)(1 + 4 + 3 + 4));
    EXPECT(HQ_OK, TRITS(groups, 2, room, 12, out.f, 16));
    EXPECT(HQ_ERROR_SHAPE, TRITS(groups, 2, room, 11, out.f, 16));
    EXPECT(HQ_ERROR_SHAPE, TRITS(groups, 2, room, 12, out.f, 15));
    EXPECT(HQ_ERROR_NULL_POINTER, TRITS(groups, 2, NULL, 12, out.f, 16));
    EXPECT(HQ_ERROR_NULL_POINTER, TRITS(groups, 2, room, 12, NULL, 16));
    EXPECT(HQ_ERROR_MISALIGNED, TRITS(groups, 2, room, 12, ODD(float, out.f), 16));
    EXPECT(HQ_ERROR_OVERLAP, TRITS(groups, 2, (const uint8_t *)(out.f + 15), 12, out.f, 16));
}
