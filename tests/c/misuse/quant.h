/* Room quant: sizes, quantizing, codes, activations. */

static void sizes(void) {
    const size_t max = SIZE_MAX;
    size_t n;
    for (n = 0; n < 2000; n++) {
        SAME(HQ_Q8_0_ROW_SIZE(n), hq_row_size(HQ_FORMAT_Q8_0, n));
        SAME(HQ_TQ1_0_ROW_SIZE(n), hq_row_size(HQ_FORMAT_TQ1_0, n));
        SAME(HQ_TQ2_0_ROW_SIZE(n), hq_row_size(HQ_FORMAT_TQ2_0, n));
        SAME(HQ_DENSE_TERNARY_ROW_SIZE(n), hq_row_size(HQ_FORMAT_DENSE_TERNARY, n));
        SAME(HQ_FIVE_LEVEL_ROW_SIZE(n), hq_row_size(HQ_FORMAT_FIVE_LEVEL, n));
        SAME(HQ_Q35B_ROW_SIZE(n), hq_row_size(HQ_FORMAT_Q35B, n));
        SAME(HQ_Q35P_ROW_SIZE(n), hq_row_size(HQ_FORMAT_Q35P, n));
        SAME(HQ_ACT_COUNT(n), hq_act_count(n));
        SAME(HQ_FIT_SCRATCH_SIZE(n), hq_codes_workspace_size(NULL, n));
        SAME(hq_row_size(F, n) * 7, hq_matrix_size(F, 7, n));
    }
    SAME(max / 256 + 1, hq_act_count(max));
    SAME(max, hq_row_size(0, 10));
    SAME(max, hq_row_size(-1, 10));
    SAME(max, hq_row_size(HQ_FORMAT_Q8_0, max));
    SAME(max, hq_matrix_size(F, max, 256));
    SAME(max, hq_matrix_size(F, max / 66 + 1, 256));
    SAME(0u, hq_matrix_size(F, max, 0));
    SAME(0u, hq_matrix_size(F, 0, 1000));
    SAME(max, hq_codes_workspace_size(NULL, max / 4));
    SAME(max, hq_quantize_workspace_size(F, NULL, max, max));
    SAME(max, hq_quantize_workspace_size(1, NULL, 1, 1));
    o = with(99, 0, 0, 0, 0, 0);
    SAME(max, hq_quantize_workspace_size(F, &o, 1, 1));
    SAME(max, hq_codes_workspace_size(&o, 1));
    o = with(HQ_FIT_PERCENTILE, 0, 0, 100.0f, 0, 0);
    SAME(max, hq_quantize_workspace_size(F, &o, 1, 1));
    o = with(HQ_FIT_ABSMAX, HQ_GRANULARITY_TENSOR, 0, 0, 0, 0);
    SAME(0u, hq_quantize_workspace_size(F, &o, 1000, 1000));
    SAME(HQ_FIT_SCRATCH_SIZE(256), hq_quantize_workspace_size(F, NULL, 1000, 1000));
    SAME(HQ_WEIGHTED_SCRATCH_SIZE(256), hq_quantize_weighted_workspace_size(F, NULL, 1000, 1000));
    SAME(HQ_WEIGHTED_SCRATCH_SIZE(7), hq_quantize_weighted_workspace_size(F, NULL, 1000, 7));
    SAME(0u, hq_quantize_weighted_workspace_size(HQ_FORMAT_Q8_0, NULL, 1000, 1000));
    SAME(0u, hq_quantize_weighted_workspace_size(F, NULL, 0, 1000));
    SAME(max, hq_quantize_weighted_workspace_size(F, &o, 1000, 1000)); /* absmax */
    SAME(max, hq_quantize_weighted_workspace_size(F, NULL, max, max));
    SAME(max, hq_quantize_weighted_workspace_size(1, NULL, 1, 1));
    SAME(292u, sizeof(hq_act_block));
    SAME(24u, sizeof(hq_quantize_options));
    SAME(8u, sizeof(hq_ternary));
    SAME(160u, sizeof(hq_archive_decoder));
    SAME(32u, sizeof(hq_archive_info));
    SAME(24u, sizeof(hq_archive_unit));
    SAME(80u + 8u + sizeof packed, hq_archive_bound(F, ROWS, COLS, 0));
    SAME(80u + ROWS * (8u + sizeof row), hq_archive_bound(F, ROWS, COLS, 1));
    SAME(80u, hq_archive_bound(F, 0, COLS, 0));
    SAME(max, hq_archive_bound(HQ_FORMAT_Q8_0, ROWS, COLS, 0));
    SAME(max, hq_archive_bound(-1, ROWS, COLS, 0));
    SAME(max, hq_archive_bound(F, max, COLS, 0));
}

static void weighted(void) {
    const size_t max = SIZE_MAX;
    static float importance[COLS], wrong[COLS];
    static uint8_t room[HQ_WEIGHTED_SCRATCH_SIZE(CELLS) + 8];
    float *y = out.f;
    uint8_t *p = out.bytes;

    for (size_t i = 0; i < COLS; i++) {
        importance[i] = (float)(1 + i % 5);
    }
#define WEIGHTED(format, opts, rows, in, in_len, imp, imp_len, to, size) \
    hq_quantize_weighted(format, opts, rows, COLS, in, in_len, imp, imp_len, to, size, room, sizeof room)
    EXPECT(HQ_OK, WEIGHTED(F, NULL, ROWS, x, CELLS, importance, COLS, p, sizeof packed));
    EXPECT(HQ_OK, WEIGHTED(F, NULL, 0, NULL, 0, importance, COLS, NULL, 0));
    EXPECT(HQ_OK, hq_quantize_weighted(F, NULL, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, WEIGHTED(-1, NULL, ROWS, x, CELLS, importance, COLS, p, sizeof packed));
    o = with(HQ_FIT_ABSMEAN, 0, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, WEIGHTED(F, &o, ROWS, x, CELLS, importance, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_NULL_POINTER, WEIGHTED(F, NULL, ROWS, NULL, CELLS, importance, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_NULL_POINTER, WEIGHTED(F, NULL, ROWS, x, CELLS, NULL, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_NULL_POINTER, WEIGHTED(F, NULL, ROWS, x, CELLS, importance, COLS, NULL, sizeof packed));
    EXPECT(HQ_ERROR_MISALIGNED,
           WEIGHTED(F, NULL, ROWS, x, CELLS, ODD(const float, importance), COLS - 1, p, sizeof packed));
    EXPECT(HQ_ERROR_SHAPE, WEIGHTED(F, NULL, ROWS, x, CELLS - 1, importance, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SHAPE, WEIGHTED(F, NULL, ROWS, x, CELLS, importance, COLS - 1, p, sizeof packed));
    EXPECT(HQ_ERROR_SHAPE, WEIGHTED(F, NULL, ROWS, x, CELLS, NULL, 0, p, sizeof packed));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, WEIGHTED(F, NULL, max, x, CELLS, importance, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, WEIGHTED(F, NULL, ROWS, x, CELLS, importance, max / 2, p, sizeof packed));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, WEIGHTED(F, NULL, ROWS, x, CELLS, importance, COLS, p, sizeof packed - 1));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, hq_quantize_weighted(F, NULL, ROWS, COLS, x, CELLS, importance, COLS, p,
                                                              sizeof packed, NULL, 0));
    EXPECT(HQ_ERROR_OVERLAP, WEIGHTED(F, NULL, ROWS, x, CELLS, y, COLS, (uint8_t *)y, sizeof packed));
    EXPECT(HQ_ERROR_OVERLAP, hq_quantize_weighted(F, NULL, ROWS, COLS, x, CELLS, y, COLS, p + sizeof(float) * COLS,
                                                  sizeof packed, y, 64));
    memcpy(wrong, importance, sizeof wrong);
    wrong[3] = -1.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, WEIGHTED(F, NULL, ROWS, x, CELLS, wrong, COLS, p, sizeof packed));
    wrong[3] = (float)NAN;
    EXPECT(HQ_ERROR_NON_FINITE, WEIGHTED(F, NULL, ROWS, x, CELLS, wrong, COLS, p, sizeof packed));
    memset(wrong, 0, sizeof wrong);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, WEIGHTED(F, NULL, ROWS, x, CELLS, wrong, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_NON_FINITE, WEIGHTED(F, NULL, ROWS, bad, CELLS, importance, COLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SCALE_RANGE, WEIGHTED(F, NULL, ROWS, huge_values, CELLS, importance, COLS, p, sizeof packed));
}

static void options_and_quantize(void) {
    const size_t max = SIZE_MAX;
    float *y = out.f;
    uint8_t *p = out.bytes;
    hq_quantize_options *none = NULL;
    static const float beyond[2] = {3e38f, -3e38f};

    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_quantize_options_init(7, &out.options));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_quantize_options_init(F, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_quantize_options_init(F, ODD(hq_quantize_options, &out.options)));
    EXPECT(HQ_OK, hq_quantize_options_init(F, &out.options));

#define QUANTIZE(format, opts, rows, cols, in, in_len, to, size) \
    hq_quantize(format, opts, rows, cols, in, in_len, to, size, scratch, sizeof scratch)
    EXPECT(HQ_OK, QUANTIZE(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed));
    /* unknown enums */
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, QUANTIZE(-1, NULL, ROWS, COLS, x, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, QUANTIZE(2147483647, NULL, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(8, 0, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(0, 3, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(0, 0, -1, 0, 0, 0);
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    /* parameters and combinations */
    o = with(HQ_FIT_PERCENTILE, 0, 0, -1.0f, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(HQ_FIT_PERCENTILE, 0, 0, (float)NAN, 0, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(HQ_FIT_FIXED, 0, 0, 0, -1.0f, 1.0f);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(HQ_FIT_FIXED, 0, 0, 0, 1.0f, (float)INFINITY);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    o = with(HQ_FIT_MSE, HQ_GRANULARITY_BLOCK, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(HQ_FORMAT_DENSE_TERNARY, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(HQ_FORMAT_Q8_0, &o, 1, 32, x, 32, p, 34));
    EXPECT(HQ_OK, QUANTIZE(HQ_FORMAT_Q35B, &o, 1, 32, x, 32, p, HQ_Q35B_ROW_SIZE(32)));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, QUANTIZE(HQ_FORMAT_Q35B, &o, 1, 32, x, 32, p, HQ_Q35B_ROW_SIZE(32) - 1));
    EXPECT(HQ_ERROR_SCALE_RANGE, QUANTIZE(HQ_FORMAT_Q35B, &o, 1, 32, huge_values, 32, p, HQ_Q35B_ROW_SIZE(32)));
    o = with(HQ_FIT_ABSMAX, HQ_GRANULARITY_BLOCK, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(HQ_FORMAT_Q35B, &o, 1, 32, x, 32, p, HQ_Q35B_ROW_SIZE(32)));
    o = with(HQ_FIT_MSE, HQ_GRANULARITY_ROW, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(HQ_FORMAT_Q35B, &o, 1, 32, x, 32, p, HQ_Q35B_ROW_SIZE(32)));
    o = with(HQ_FIT_MSE, HQ_GRANULARITY_BLOCK, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(HQ_FORMAT_Q35P, &o, 1, 32, x, 32, p, 22));
    o = with(HQ_FIT_ABSMAX, HQ_GRANULARITY_ROW, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(HQ_FORMAT_Q35P, &o, 1, 32, x, 32, p, 22));
    o = with(HQ_FIT_MINMAX, HQ_GRANULARITY_ROW, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNSUPPORTED, QUANTIZE(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_UNSUPPORTED, hq_fit_ternary(&o, x, CELLS, scratch, sizeof scratch, &out.ternary));
    EXPECT(HQ_OK, hq_quantize(HQ_FORMAT_Q35P, &o, 1, 32, x, 32, p, 22, NULL, 0));
    EXPECT(HQ_ERROR_MISALIGNED,
           QUANTIZE(F, ODD(const hq_quantize_options, &o), ROWS, COLS, x, CELLS, p, sizeof packed));
    /* NULL, alignment, lengths */
    EXPECT(HQ_ERROR_NULL_POINTER, QUANTIZE(F, NULL, ROWS, COLS, NULL, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_NULL_POINTER, QUANTIZE(F, NULL, ROWS, COLS, x, CELLS, NULL, sizeof packed));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed, NULL, 1));
    EXPECT(HQ_ERROR_MISALIGNED, QUANTIZE(F, NULL, ROWS, COLS, ODD(const float, x), CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SHAPE, QUANTIZE(F, NULL, ROWS, COLS, x, CELLS - 1, p, sizeof packed));
    EXPECT(HQ_ERROR_SHAPE, QUANTIZE(F, NULL, ROWS - 1, COLS, x, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SHAPE, QUANTIZE(F, NULL, ROWS, COLS, NULL, 0, p, sizeof packed));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, QUANTIZE(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed - 1));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, QUANTIZE(F, NULL, ROWS, COLS, x, CELLS, NULL, 0));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed, NULL, 0));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed, scratch,
                                                     hq_quantize_workspace_size(F, NULL, ROWS, COLS) - 1));
    /* scratch at any alignment, any output alignment, no scratch where none is needed, nothing at all */
    EXPECT(HQ_OK, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed, scratch + 1, sizeof scratch - 1));
    EXPECT(HQ_OK, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p + 3, sizeof packed, scratch + 2, sizeof scratch - 2));
    o = with(HQ_FIT_ABSMAX, HQ_GRANULARITY_BLOCK, 0, 0, 0, 0);
    EXPECT(HQ_OK, hq_quantize(F, &o, ROWS, COLS, x, CELLS, p, sizeof packed, NULL, 0));
    EXPECT(HQ_OK, hq_quantize(F, NULL, 0, 0, NULL, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_OK, hq_quantize(F, NULL, 0, COLS, NULL, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_OK, hq_quantize(F, none, max, 0, NULL, 0, NULL, 0, NULL, 0));
    /* sizes that overflow */
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, QUANTIZE(F, NULL, max, COLS, x, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, QUANTIZE(F, NULL, ROWS, COLS, x, max / 2, p, sizeof packed));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, QUANTIZE(F, NULL, ROWS, COLS, x, CELLS, p, max));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed, scratch, max));
    /* values */
    EXPECT(HQ_ERROR_NON_FINITE, QUANTIZE(F, NULL, ROWS, COLS, bad, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SCALE_RANGE, QUANTIZE(F, NULL, ROWS, COLS, huge_values, CELLS, p, sizeof packed));
    EXPECT(HQ_ERROR_SCALE_RANGE, QUANTIZE(HQ_FORMAT_Q35P, NULL, 1, 2, beyond, 2, p, 15));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, QUANTIZE(HQ_FORMAT_Q35P, NULL, 1, 2, x, 2, p, 14));
    o = with(HQ_FIT_MSE, HQ_GRANULARITY_BLOCK, HQ_NON_FINITE_SATURATE, 0, 0, 0);
    EXPECT(HQ_OK, QUANTIZE(F, &o, ROWS, COLS, bad, CELLS, p, sizeof packed));
    EXPECT(HQ_OK, QUANTIZE(F, &o, ROWS, COLS, huge_values, CELLS, p, sizeof packed));
    /* overlap */
    EXPECT(HQ_ERROR_OVERLAP, QUANTIZE(F, NULL, ROWS, COLS, y, CELLS, (uint8_t *)y, sizeof packed));
    EXPECT(HQ_ERROR_OVERLAP, QUANTIZE(F, NULL, ROWS, COLS, y, CELLS, (uint8_t *)(y + CELLS) - 1, sizeof packed));
    EXPECT(HQ_ERROR_OVERLAP, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, p, sizeof packed, p + 8, 4096));
    EXPECT(HQ_ERROR_OVERLAP, hq_quantize(F, NULL, ROWS, COLS, y, CELLS, p, sizeof packed, y, sizeof(float) * CELLS));

    weighted();

    EXPECT(HQ_OK, hq_dequantize(F, ROWS, COLS, packed, sizeof packed, y, CELLS));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_dequantize(0, ROWS, COLS, packed, sizeof packed, y, CELLS));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dequantize(F, ROWS, COLS, NULL, sizeof packed, y, CELLS));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dequantize(F, ROWS, COLS, packed, sizeof packed, NULL, CELLS));
    EXPECT(HQ_ERROR_MISALIGNED, hq_dequantize(F, ROWS, COLS, packed, sizeof packed, ODD(float, y), CELLS));
    EXPECT(HQ_ERROR_SHAPE, hq_dequantize(F, ROWS, COLS, packed, sizeof packed - 1, y, CELLS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_dequantize(F, ROWS, COLS, packed, sizeof packed, y, CELLS - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_dequantize(F, max, COLS, packed, sizeof packed, y, CELLS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_dequantize(F, ROWS, COLS, packed, sizeof packed, y, max / 2));
    EXPECT(HQ_ERROR_OVERLAP, hq_dequantize(F, ROWS, COLS, (uint8_t *)y + 5, sizeof packed, y, CELLS));
    EXPECT(HQ_OK, hq_dequantize(F, 0, 0, NULL, 0, NULL, 0));
}

static void codes_and_activations(void) {
    const size_t max = SIZE_MAX, blocks = HQ_ACT_COUNT(COLS);
    int8_t *c = out.codes;
    float *y = out.f;
    hq_ternary *t = &out.ternary;

    EXPECT(HQ_OK, hq_fit_ternary(NULL, x, CELLS, scratch, sizeof scratch, t));
    EXPECT(HQ_OK, hq_fit_ternary(NULL, NULL, 0, NULL, 0, t));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_fit_ternary(NULL, x, CELLS, scratch, sizeof scratch, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_fit_ternary(NULL, NULL, CELLS, scratch, sizeof scratch, t));
    EXPECT(HQ_ERROR_MISALIGNED, hq_fit_ternary(NULL, x, CELLS, scratch, sizeof scratch, ODD(hq_ternary, t)));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, hq_fit_ternary(NULL, x, CELLS, scratch, 8 * CELLS - 9, t));
    EXPECT(HQ_ERROR_NON_FINITE, hq_fit_ternary(NULL, bad, CELLS, scratch, sizeof scratch, t));
    EXPECT(HQ_ERROR_OVERLAP, hq_fit_ternary(NULL, x, CELLS, t, sizeof scratch, t));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_fit_ternary(NULL, x, max / 4, scratch, sizeof scratch, t));
    o = with(-1, 0, 0, 0, 0, 0);
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_fit_ternary(&o, x, CELLS, scratch, sizeof scratch, t));
    o = with(HQ_FIT_FIXED, 0, 0, 0, (float)NAN, 0);
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_fit_ternary(&o, x, CELLS, scratch, sizeof scratch, t));

    EXPECT(HQ_OK, hq_ternary_codes(NULL, x, CELLS, c, CELLS, scratch + 1, sizeof scratch - 1, t));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_ternary_codes(NULL, x, CELLS, c, CELLS - 1, scratch, sizeof scratch, t));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_ternary_codes(NULL, x, CELLS, NULL, CELLS, scratch, sizeof scratch, t));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_ternary_codes(NULL, x, CELLS, c, CELLS, scratch, sizeof scratch, NULL));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, hq_ternary_codes(NULL, x, CELLS, c, CELLS, NULL, 0, t));
    EXPECT(HQ_ERROR_NON_FINITE, hq_ternary_codes(NULL, bad, CELLS, c, CELLS, scratch, sizeof scratch, t));
    EXPECT(HQ_ERROR_OVERLAP, hq_ternary_codes(NULL, y, CELLS, (int8_t *)y, CELLS, scratch, sizeof scratch, t));
    EXPECT(HQ_ERROR_OVERLAP, hq_ternary_codes(NULL, x, CELLS, (int8_t *)t, CELLS, scratch, sizeof scratch, t));

    EXPECT(HQ_OK, hq_five_level_codes(NULL, x, CELLS, c, CELLS, scratch, sizeof scratch, y));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_five_level_codes(NULL, x, CELLS, c, 0, scratch, sizeof scratch, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_five_level_codes(NULL, x, CELLS, c, CELLS, scratch, sizeof scratch, NULL));
    EXPECT(HQ_ERROR_NON_FINITE, hq_five_level_codes(NULL, bad, CELLS, c, CELLS, scratch, sizeof scratch, y));
    EXPECT(HQ_ERROR_MISALIGNED,
           hq_five_level_codes(NULL, x, CELLS, c, CELLS, scratch, sizeof scratch, ODD(float, y)));

#define ACTS(batch, cols, in, in_len, policy, to, len) hq_quantize_activations(batch, cols, in, in_len, policy, to, len)
    EXPECT(HQ_OK, ACTS(ROWS, COLS, x, CELLS, 0, out.acts, ROWS * blocks));
    EXPECT(HQ_OK, ACTS(0, COLS, NULL, 0, 0, NULL, 0));
    EXPECT(HQ_OK, ACTS(max, 0, NULL, 0, 0, NULL, 0));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, ACTS(1, COLS, x, COLS, 2, out.acts, blocks));
    EXPECT(HQ_ERROR_NULL_POINTER, ACTS(1, COLS, NULL, COLS, 0, out.acts, blocks));
    EXPECT(HQ_ERROR_NULL_POINTER, ACTS(1, COLS, x, COLS, 0, NULL, blocks));
    EXPECT(HQ_ERROR_MISALIGNED, ACTS(1, COLS, x, COLS, 0, ODD(hq_act_block, out.acts), blocks));
    EXPECT(HQ_ERROR_SHAPE, ACTS(2, COLS, x, COLS, 0, out.acts, 2 * blocks));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, ACTS(1, COLS, x, COLS, 0, out.acts, blocks - 1));
    EXPECT(HQ_ERROR_NON_FINITE, ACTS(1, COLS, bad, COLS, 0, out.acts, blocks));
    EXPECT(HQ_OK, ACTS(1, COLS, bad, COLS, HQ_NON_FINITE_SATURATE, out.acts, blocks));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, ACTS(max, COLS, x, COLS, 0, out.acts, blocks));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, ACTS(1, COLS, x, COLS, 0, out.acts, max / 100));
    EXPECT(HQ_ERROR_OVERLAP, ACTS(1, COLS, (float *)out.acts, COLS, 0, out.acts, blocks));

    EXPECT(HQ_OK, hq_dequantize_activations(COLS, acts, blocks, y, COLS));
    EXPECT(HQ_OK, hq_dequantize_activations(0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, hq_dequantize_activations(COLS, acts, blocks - 1, y, COLS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_dequantize_activations(COLS, acts, blocks, y, COLS - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dequantize_activations(COLS, NULL, blocks, y, COLS));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dequantize_activations(COLS, acts, blocks, NULL, COLS));
    EXPECT(HQ_ERROR_OVERLAP, hq_dequantize_activations(COLS, (hq_act_block *)y, blocks, y, COLS));
}
