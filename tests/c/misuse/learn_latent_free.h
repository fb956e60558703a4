/* Latent-free learning. Weights and inertia are changed in place, so they stand in the guarded arena. */

static void latent_free(void) {
    const size_t max = SIZE_MAX, size = ROWS * HQ_TQ2_0_ROW_SIZE(COLS);
    hq_latent_free_options options, wrong;
    hq_latent_free_options *place = (hq_latent_free_options *)(void *)out.f;
    hq_latent_free_report *report = (hq_latent_free_report *)(void *)out.partial;
    float *const numbers[] = {&wrong.rate, &wrong.decay, &wrong.weight_decay, &wrong.scale_rate};
    size_t i;

    EXPECT(HQ_OK, hq_latent_free_options_init(place));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_latent_free_options_init(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_latent_free_options_init(ODD(hq_latent_free_options, place)));
    EXPECT(HQ_OK, hq_latent_free_options_init(&options));

    SAME(CELLS, hq_latent_free_inertia_len(ROWS, COLS));
    SAME(max, hq_latent_free_inertia_len(max, COLS));
    SAME(CELLS + size, hq_latent_free_state_size(F, ROWS, COLS));
    SAME(max, hq_latent_free_state_size(HQ_FORMAT_Q8_0, ROWS, COLS));
    SAME(max, hq_latent_free_state_size(-1, ROWS, COLS));
    SAME(max, hq_latent_free_state_size(F, max, COLS));

#define LEARN(format, o, ...) hq_latent_free_update(format, o, 1, 2, __VA_ARGS__)
#define W out.bytes, size
#define M out.codes, CELLS
    EXPECT(HQ_OK, LEARN(F, &options, 0, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_OK, LEARN(F, NULL, 5, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_OK, LEARN(F, NULL, 0, 0, COLS, NULL, 0, NULL, 0, NULL, 0, report));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, LEARN(33, NULL, 0, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_UNSUPPORTED, LEARN(HQ_FORMAT_Q8_0, NULL, 0, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_UNSUPPORTED, LEARN(HQ_FORMAT_FIVE_LEVEL, NULL, 0, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, NULL, 0, ROWS, COLS, NULL, CELLS, W, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, NULL, size, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, W, NULL, CELLS, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, W, M, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, LEARN(F, NULL, 0, ROWS, COLS, ODD(const float, x), CELLS - 1, W, M, report));
    EXPECT(HQ_ERROR_MISALIGNED, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, W, M, ODD(hq_latent_free_report, report)));
    EXPECT(HQ_ERROR_MISALIGNED,
           LEARN(F, ODD(hq_latent_free_options, &options), 0, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_OVERLAP, LEARN(F, NULL, 0, ROWS, COLS, out.f, CELLS, (uint8_t *)(void *)out.f, size, M, report));
    EXPECT(HQ_ERROR_OVERLAP, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, W, (int8_t *)out.bytes, CELLS, report));
    EXPECT(HQ_ERROR_OVERLAP,
           LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, out.bytes, size, (int8_t *)(void *)report, CELLS, report));
    EXPECT(HQ_ERROR_SHAPE, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS - 1, W, M, report));
    EXPECT(HQ_ERROR_SHAPE, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, out.bytes, size - 1, M, report));
    EXPECT(HQ_ERROR_SHAPE, LEARN(F, NULL, 0, ROWS, COLS, x, CELLS, W, out.codes, CELLS - 1, report));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, LEARN(F, NULL, 0, max, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, LEARN(F, NULL, max, ROWS, COLS, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, LEARN(F, NULL, 0, ROWS, COLS, x, max / 2, W, M, report));
    EXPECT(HQ_ERROR_NON_FINITE, LEARN(F, NULL, 0, ROWS, COLS, bad, CELLS, W, M, report));
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        wrong = options;
        *numbers[i] = -0.5f;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, LEARN(F, &wrong, 0, ROWS, COLS, x, CELLS, W, M, report));
        *numbers[i] = (float)NAN;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, LEARN(F, &wrong, 0, ROWS, COLS, x, CELLS, W, M, report));
        *numbers[i] = (float)INFINITY;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, LEARN(F, &wrong, 0, ROWS, COLS, x, CELLS, W, M, report));
    }
    wrong = options;
    wrong.threshold = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LEARN(F, &wrong, 0, ROWS, COLS, x, CELLS, W, M, report));
    wrong.threshold = 128;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LEARN(F, &wrong, 0, ROWS, COLS, x, CELLS, W, M, report));
    wrong = options;
    wrong.non_finite = 2;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, LEARN(F, &wrong, 0, ROWS, COLS, x, CELLS, W, M, report));
    wrong.non_finite = HQ_NON_FINITE_SATURATE;
    EXPECT(HQ_OK, LEARN(F, &wrong, 0, ROWS, COLS, bad, CELLS, W, M, report));
#undef M
#undef LEARN

    /* Inertia in 4 bits. */
    SAME(ROWS * COLS / 2, hq_latent_free_int4_size(ROWS, COLS));
    SAME(max, hq_latent_free_int4_size(max, COLS));
    SAME(CELLS / 2 + size, hq_latent_free_int4_state_size(F, ROWS, COLS));
    SAME(max, hq_latent_free_int4_state_size(HQ_FORMAT_Q8_0, ROWS, COLS));
    SAME(max, hq_latent_free_int4_state_size(-1, ROWS, COLS));
#define LEARN(format, o, ...) hq_latent_free_update_int4(format, o, 1, 2, 0, ROWS, COLS, __VA_ARGS__)
#define M (uint8_t *)out.codes, CELLS / 2
    options.threshold = 8;
    EXPECT(HQ_OK, LEARN(F, &options, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, NULL, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, LEARN(33, &options, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_UNSUPPORTED, LEARN(HQ_FORMAT_Q8_0, &options, x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, &options, NULL, CELLS, W, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, &options, x, CELLS, NULL, size, M, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, &options, x, CELLS, W, NULL, CELLS / 2, report));
    EXPECT(HQ_ERROR_NULL_POINTER, LEARN(F, &options, x, CELLS, W, M, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, LEARN(F, ODD(hq_latent_free_options, &options), x, CELLS, W, M, report));
    EXPECT(HQ_ERROR_OVERLAP, LEARN(F, &options, x, CELLS, W, out.bytes, CELLS / 2, report));
    EXPECT(HQ_ERROR_SHAPE, LEARN(F, &options, x, CELLS - 1, W, M, report));
    EXPECT(HQ_ERROR_SHAPE, LEARN(F, &options, x, CELLS, W, (uint8_t *)out.codes, CELLS / 2 - 1, report));
    EXPECT(HQ_ERROR_NON_FINITE, LEARN(F, &options, bad, CELLS, W, M, report));
    wrong = options;
    wrong.threshold = 9;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, LEARN(F, &wrong, x, CELLS, W, M, report));
    wrong.threshold = 8;
    wrong.non_finite = 2;
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, LEARN(F, &wrong, x, CELLS, W, M, report));
#undef M
#undef W
#undef LEARN
}
