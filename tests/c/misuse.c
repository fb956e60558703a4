/* What the C ABI refuses: every row of the table is one wrong call, the status it must give, and the promise
 * that no output byte changes. Prints the number of cases; exits with 1 at the first surprise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hybridq.h"

#define ROWS 3
#define COLS 300
#define CELLS (ROWS * COLS)
#define F HQ_FORMAT_TQ2_0
#define CANARY 0xA5

static float x[CELLS], bad[CELLS], huge_values[CELLS];
static uint8_t packed[ROWS * HQ_TQ2_0_ROW_SIZE(COLS)];
static uint8_t row[HQ_TQ2_0_ROW_SIZE(COLS)];
static hq_act_block acts[2 * HQ_ACT_COUNT(COLS)];

/* The outputs, all in one arena between guards, so that a change anywhere is seen. */
static struct arena {
    uint8_t before[64];
    float f[2 * CELLS];
    uint8_t bytes[2 * sizeof packed];
    hq_act_block acts[8];
    int8_t codes[CELLS];
    hq_ternary ternary;
    hq_quantize_options options;
    hq_archive_decoder decoder;
    hq_archive_info info;
    hq_archive_unit unit;
    hq_mixed mixed;
    uint64_t least;
    uint16_t choices[4];
    size_t sizes[2];
    uint8_t after[64];
} out;
static uint8_t scratch[HQ_FIT_SCRATCH_SIZE(CELLS) + 8];
static hq_quantize_options o;

static int cases;

static void arm(void) {
    memset(&out, CANARY, sizeof out);
}

static void expect(int line, const char *call, hq_status got, hq_status want) {
    const uint8_t *bytes = (const uint8_t *)&out;
    size_t i;
    cases++;
    if (got != want) {
        printf("line %d: %s\n  gave %d (%s), expected %d (%s)\n", line, call, (int)got, hq_status_string(got),
               (int)want, hq_status_string(want));
        exit(1);
    }
    if (want != HQ_OK) {
        for (i = 0; i < sizeof out; i++) {
            if (bytes[i] != CANARY) {
                printf("line %d: %s\n  wrote to byte %u of its outputs\n", line, call, (unsigned)i);
                exit(1);
            }
        }
    }
    arm();
}
#define EXPECT(want, call) expect(__LINE__, #call, (call), (want))

static void same(int line, const char *what, size_t got, size_t want) {
    cases++;
    if (got != want) {
        printf("line %d: %s gave %lu, expected %lu\n", line, what, (unsigned long)got, (unsigned long)want);
        exit(1);
    }
}
#define SAME(want, value) same(__LINE__, #value, (value), (want))

static hq_quantize_options with(int32_t fit, int32_t granularity, int32_t non_finite, float percentile,
                                float threshold, float scale) {
    hq_quantize_options options;
    options.fit = fit;
    options.granularity = granularity;
    options.non_finite = non_finite;
    options.percentile = percentile;
    options.threshold = threshold;
    options.scale = scale;
    return options;
}

/* A misaligned pointer without dereferencing it here. */
#define ODD(type, pointer) ((type *)(void *)((char *)(void *)(pointer) + 1))

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
    o = with(7, 0, 0, 0, 0, 0);
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

static void products(void) {
    const size_t max = SIZE_MAX, n = HQ_ACT_COUNT(COLS);
    float *y = out.f;
    uint8_t *w = packed;

#define MATVEC(format, rows, cols, data, size, a, a_len, to, len) \
    hq_matvec(format, rows, cols, data, size, a, a_len, to, len)
    EXPECT(HQ_OK, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_OK, MATVEC(F, 0, COLS, NULL, 0, acts, n, NULL, 0));
    EXPECT(HQ_OK, MATVEC(F, ROWS, 0, NULL, 0, NULL, 0, y, ROWS));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, MATVEC(3, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, MATVEC(F, ROWS, COLS, NULL, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, MATVEC(F, ROWS, COLS, w, sizeof packed, NULL, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, NULL, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, MATVEC(F, ROWS, COLS, w, sizeof packed, ODD(hq_act_block, acts), n, y, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, ODD(float, y), ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(F, ROWS, COLS, w, sizeof packed - 1, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(F, ROWS - 1, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(HQ_FORMAT_TQ1_0, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n - 1, y, ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, MATVEC(F, max, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, max / 8, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, MATVEC(F, ROWS, COLS, (uint8_t *)y, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, MATVEC(F, ROWS, COLS, w, sizeof packed, (hq_act_block *)y, n, y, ROWS));

    EXPECT(HQ_OK, hq_matmul(F, ROWS, COLS, w, sizeof packed, 2, acts, 2 * n, y, 2 * ROWS));
    EXPECT(HQ_OK, hq_matmul(F, ROWS, COLS, w, sizeof packed, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, hq_matmul(F, ROWS, COLS, w, sizeof packed, 2, acts, 2 * n - 1, y, 2 * ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_matmul(F, ROWS, COLS, w, sizeof packed, 2, acts, 2 * n, y, 2 * ROWS - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_matmul(F, ROWS, COLS, w, sizeof packed, max, acts, 2 * n, y, 2 * ROWS));

    EXPECT(HQ_OK, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS, y, ROWS));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_matvec_f32(9, ROWS, COLS, w, sizeof packed, x, COLS, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS - 1, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS + 1, y, ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS, y, ROWS - 1));
    EXPECT(HQ_ERROR_MISALIGNED, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, ODD(float, x), COLS, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, y, COLS, y + COLS - 1, ROWS));

    EXPECT(HQ_OK, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, 2, x, 2 * COLS, y, 2 * ROWS));
    EXPECT(HQ_ERROR_SHAPE, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, 2, x, COLS, y, 2 * ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, max, x, COLS, y, 2 * ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, 2, NULL, 2 * COLS, y, 2 * ROWS));

    EXPECT(HQ_OK, hq_dot(F, COLS, row, sizeof row, acts, n, y));
    EXPECT(HQ_ERROR_SHAPE, hq_dot(F, COLS, packed, sizeof packed, acts, n, y));
    EXPECT(HQ_ERROR_SHAPE, hq_dot(F, COLS, row, sizeof row, acts, n - 1, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dot(F, COLS, row, sizeof row, acts, n, NULL));
    EXPECT(HQ_ERROR_OVERLAP, hq_dot(F, COLS, row, sizeof row, (hq_act_block *)y, n, y));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_dot(HQ_FORMAT_Q8_0, max, row, sizeof row, acts, n, y));
    EXPECT(HQ_OK, hq_dot_f32(F, COLS, row, sizeof row, x, COLS, y));
    EXPECT(HQ_ERROR_SHAPE, hq_dot_f32(F, COLS, row, sizeof row, x, COLS - 1, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dot_f32(F, COLS, row, sizeof row, x, COLS, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_dot_f32(F, COLS, row, sizeof row, x, COLS, ODD(float, y)));
}

static void archives(void) {
    const size_t max = SIZE_MAX, bound = hq_archive_bound(F, ROWS, COLS, 1);
    static uint8_t stream[80 + ROWS * (8 + sizeof row)], damaged[sizeof stream];
    hq_archive_decoder start, d;
    hq_archive_info info;
    hq_archive_unit unit;
    int8_t codes[HQ_ARCHIVE_CODES];
    uint8_t *p = out.bytes, back[sizeof packed];
    size_t *n = &out.sizes[0], size = 0, from, to, done, rows = 0, values = 0;

#define ENCODE(format, rows, cols, data, size, chunk, to, to_size, written) \
    hq_archive_encode(format, rows, cols, data, size, chunk, to, to_size, written)
    EXPECT(HQ_OK, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_OK, ENCODE(F, 0, COLS, NULL, 0, 0, p, 80, n));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, ENCODE(7, ROWS, COLS, packed, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_UNSUPPORTED, ENCODE(HQ_FORMAT_Q8_0, 1, 32, packed, 34, 1, p, bound, n));
    EXPECT(HQ_ERROR_UNSUPPORTED, ENCODE(HQ_FORMAT_FIVE_LEVEL, 1, 32, packed, 34, 1, p, bound, n));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(F, ROWS, COLS, NULL, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, NULL, bound, n));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound, ODD(size_t, n)));
    EXPECT(HQ_ERROR_SHAPE, ENCODE(F, ROWS, COLS, packed, sizeof packed - 1, 1, p, bound, n));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound - 1, n));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, ENCODE(F, max, COLS, packed, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(F, ROWS, COLS, p + bound - 1, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, (uint8_t *)n, bound, n));
    SAME(HQ_OK, (size_t)hq_archive_encode(F, ROWS, COLS, packed, sizeof packed, 1, stream, bound, &size));

    EXPECT(HQ_OK, hq_archive_decoder_init(stream, size, &out.decoder, &out.info));
    EXPECT(HQ_OK, hq_archive_decoder_init(stream, HQ_ARCHIVE_HEADER_SIZE, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(stream, HQ_ARCHIVE_HEADER_SIZE - 1, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(NULL, 0, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(packed, sizeof packed, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_decoder_init(NULL, size, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_decoder_init(stream, size, NULL, &out.info));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_decoder_init(stream, size, &out.decoder, NULL));
    EXPECT(HQ_ERROR_MISALIGNED,
           hq_archive_decoder_init(stream, size, ODD(hq_archive_decoder, &out.decoder), &out.info));
    EXPECT(HQ_ERROR_OVERLAP,
           hq_archive_decoder_init(stream, size, &out.decoder, (hq_archive_info *)(void *)&out.decoder));
    memcpy(damaged, stream, size);
    damaged[4] = 2;
    EXPECT(HQ_ERROR_VERSION, hq_archive_decoder_init(damaged, size, &out.decoder, &out.info));
    damaged[4] = 1;
    damaged[8] ^= 1;
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(damaged, size, &out.decoder, &out.info));
    damaged[8] ^= 1;
    damaged[size - 1] ^= 1; /* in the last chunk */

    SAME(HQ_OK, (size_t)hq_archive_decoder_init(stream, size, &start, &info));
    SAME(ROWS, (size_t)info.rows);
    SAME(COLS, (size_t)info.cols);
    SAME(size, (size_t)info.size);
    SAME(F, (size_t)info.format);
    SAME(1, info.chunk_rows);
    EXPECT(HQ_OK, hq_archive_window(&start, stream, size, 0, n, n + 1));
    EXPECT(HQ_OK, hq_archive_window(&start, NULL, 0, 0, n, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(NULL, stream, size, 0, n, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(&start, NULL, size, 0, n, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(&start, stream, size, 0, NULL, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(&start, stream, size, 0, n, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_archive_window(&start, stream, size, 0, ODD(size_t, n), n + 1));
    EXPECT(HQ_ERROR_OVERLAP, hq_archive_window(&start, stream, size, 0, n, n));

    d = start;
#define CODES(window, size, at, to, len, u) hq_archive_next_codes(&d, window, size, at, to, len, u)
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream, 87, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream + 81, size - 81, 81, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream, size, max, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_NULL_POINTER, CODES(NULL, size, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_NULL_POINTER, CODES(stream, size, 0, NULL, CELLS, &out.unit));
    EXPECT(HQ_ERROR_NULL_POINTER, CODES(stream, size, 0, out.codes, CELLS, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_next_codes(NULL, stream, size, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_MISALIGNED, CODES(stream, size, 0, out.codes, CELLS, ODD(hq_archive_unit, &out.unit)));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, CODES(stream, size, 0, out.codes, 255, &out.unit));
    EXPECT(HQ_ERROR_OVERLAP, CODES(stream, size, 0, (int8_t *)&out.unit, 256, &out.unit));
    EXPECT(HQ_OK, CODES(stream, size, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_archive_next_rows(&d, stream, size, 0, 1, p, sizeof packed, n));

#define UNPACK(window, size, at, rows, to, to_size, count) \
    hq_archive_next_rows(&d, window, size, at, rows, to, to_size, count)
    d = start;
    EXPECT(HQ_ERROR_NULL_POINTER, UNPACK(NULL, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_ERROR_NULL_POINTER, UNPACK(stream, size, 0, 1, NULL, sizeof packed, n));
    EXPECT(HQ_ERROR_NULL_POINTER, UNPACK(stream, size, 0, 1, p, sizeof packed, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_next_rows(NULL, stream, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_ERROR_MISALIGNED, UNPACK(stream, size, 0, 1, p, sizeof packed, ODD(size_t, n)));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, UNPACK(stream, size, 0, max, p, sizeof packed - 1, n));
    EXPECT(HQ_ERROR_OVERLAP, UNPACK(stream, size, 0, 1, (uint8_t *)n, sizeof packed, n));
    EXPECT(HQ_ERROR_CORRUPT, UNPACK(stream, size - 1, 1, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(stream, size, 0, 0, NULL, 0, n));
    EXPECT(HQ_OK, UNPACK(damaged, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(damaged, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_ERROR_CORRUPT, UNPACK(damaged, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(stream, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(stream, size, 0, 1, NULL, 0, n));

    /* a state of noise: any answer, no harm */
    memset(&d, 0xEE, sizeof d);
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream, size, 0, out.codes, CELLS, &out.unit));
    memset(&d, 0, sizeof d);
    EXPECT(HQ_ERROR_CORRUPT, UNPACK(stream, size, 0, 1, p, sizeof packed, n));

    /* in windows of one chunk, to the end */
    d = start;
    while (hq_archive_window(&d, NULL, 0, 0, &from, &to) == HQ_OK && from < to) {
        SAME(HQ_OK, (size_t)hq_archive_window(&d, stream + from, to - from, from, &from, &to));
        SAME(HQ_OK, (size_t)CODES(stream + from, to - from, from, codes, sizeof codes, &unit));
        values += (size_t)unit.len;
    }
    SAME(CELLS, values);
    d = start;
    do {
        SAME(HQ_OK, (size_t)UNPACK(stream, size, 0, ROWS, back + rows * sizeof row, sizeof back - rows * sizeof row, &done));
        rows += done;
    } while (done > 0);
    SAME(ROWS, rows);
    SAME(0, (size_t)memcmp(back, packed, sizeof back));
}

static void mixed(void) {
    static const uint64_t bytes[6] = {10, 20, 40, 10, 20, 40};
    static const float errors[6] = {9, 4, 0, 100, 30, 1};
    float wrong[6] = {9, 4, 0, 100, 30, -1};
    uint16_t *c = out.choices;
    uint64_t huge[6] = {10, 20, 40, 10, 20, UINT64_MAX};
    const size_t max = SIZE_MAX;

    SAME(16u, sizeof(hq_mixed));
    SAME(0u, hq_mixed_workspace_size(0, 3));
    SAME(max, hq_mixed_workspace_size(max, 2));
    SAME(max, hq_mixed_workspace_size(max / 24, 1));

#define SMALLEST(tensors, count, b, e, cells, to) hq_mixed_smallest(tensors, count, b, e, cells, to)
    EXPECT(HQ_OK, SMALLEST(2, 3, bytes, errors, 6, &out.least));
    EXPECT(HQ_OK, SMALLEST(0, 3, NULL, NULL, 0, &out.least));
    EXPECT(HQ_ERROR_SHAPE, SMALLEST(2, 3, bytes, errors, 5, &out.least));
    EXPECT(HQ_ERROR_NULL_POINTER, SMALLEST(2, 3, NULL, errors, 6, &out.least));
    EXPECT(HQ_ERROR_NULL_POINTER, SMALLEST(2, 3, bytes, errors, 6, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, SMALLEST(2, 3, bytes, errors, 6, ODD(uint64_t, &out.least)));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SMALLEST(2, 3, bytes, wrong, 6, &out.least));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, SMALLEST(max, 3, bytes, errors, 6, &out.least));

#define SELECT(b, e, budget, to, to_len, s, s_size, result) \
    hq_mixed_select(2, 3, b, e, 6, budget, to, to_len, s, s_size, result)
    EXPECT(HQ_OK, SELECT(bytes, errors, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_OK, SELECT(bytes, errors, 20, c, 4, scratch + 1, sizeof scratch - 1, &out.mixed));
    EXPECT(HQ_ERROR_BUDGET, SELECT(bytes, errors, 19, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SELECT(bytes, wrong, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, SELECT(huge, errors, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SELECT(bytes, errors, 50, c, 1, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, SELECT(bytes, errors, 50, c, 2, scratch, 24 * 6 + 16 * 2 - 1, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(NULL, errors, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, NULL, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, errors, 50, NULL, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, errors, 50, c, 2, NULL, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, errors, 50, c, 2, scratch, sizeof scratch, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, SELECT(bytes, errors, 50, ODD(uint16_t, c), 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_OVERLAP, SELECT(bytes, errors, 50, c, 2, c, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_OVERLAP, SELECT(&out.least, errors, 50, c, 2, scratch, sizeof scratch, (hq_mixed *)(void *)&out.least));
    EXPECT(HQ_ERROR_SHAPE, hq_mixed_select(2, 2, bytes, errors, 6, 50, c, 2, scratch, sizeof scratch, &out.mixed));
}

static void vectors_and_tiers(void) {
    const size_t max = SIZE_MAX;
    float *y = out.f;
    EXPECT(HQ_OK, hq_vec_dot(CELLS, x, x, y));
    EXPECT(HQ_OK, hq_vec_dot(0, NULL, NULL, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_dot(1, NULL, x, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_dot(1, x, NULL, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_dot(1, x, x, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_vec_dot(1, ODD(float, x), x, y));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_vec_dot(max / 2, x, x, y));
    EXPECT(HQ_ERROR_OVERLAP, hq_vec_dot(4, x, y, y + 3));
    EXPECT(HQ_OK, hq_vec_norm(CELLS, x, y));
    EXPECT(HQ_OK, hq_vec_norm(0, NULL, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_norm(3, NULL, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_norm(3, x, NULL));
    EXPECT(HQ_ERROR_OVERLAP, hq_vec_norm(3, y, y));
    EXPECT(HQ_OK, hq_vec_axpy(CELLS, 2.0f, x, y));
    EXPECT(HQ_OK, hq_vec_axpy(0, 2.0f, NULL, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_axpy(1, 2.0f, x, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_vec_axpy(1, 2.0f, x, ODD(float, y)));
    EXPECT(HQ_ERROR_OVERLAP, hq_vec_axpy(4, 2.0f, y, y));
    EXPECT(HQ_ERROR_OVERLAP, hq_vec_axpy(4, 2.0f, y, y + 1));

    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_force_tier(4));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_force_tier(-2));
    EXPECT(HQ_ERROR_TIER_UNAVAILABLE,
           hq_force_tier(hq_tier_detected() == HQ_TIER_NEON ? HQ_TIER_AVX2 : HQ_TIER_NEON));
    EXPECT(HQ_OK, hq_force_tier(HQ_TIER_SCALAR));
    SAME(HQ_TIER_SCALAR, (size_t)hq_tier_active());
    EXPECT(HQ_OK, hq_selftest());
    EXPECT(HQ_OK, hq_force_tier(HQ_TIER_DETECT));
    SAME((size_t)hq_tier_detected(), (size_t)hq_tier_active());
    EXPECT(HQ_OK, hq_selftest());
}

static void clusters(void) {
    static uint8_t room[CELLS * 160 + 1024];
    const size_t max = SIZE_MAX;
    float centers[4], inertia;
    const size_t need = hq_kmeans_exact_1d_workspace_size(CELLS, 4, 1);
    EXPECT(HQ_OK, need <= sizeof room ? HQ_OK : HQ_ERROR_WORKSPACE_TOO_SMALL);
    SAME(max, hq_kmeans_exact_1d_workspace_size(CELLS, 0, 0));
    SAME(max, hq_kmeans_exact_1d_workspace_size(CELLS, 4, 2));
    SAME(max, hq_kmeans_exact_1d_workspace_size(max, 4, 0));
#define CLUSTERS(x, n, w, wn, k, pin, c, cn, i, size) hq_kmeans_exact_1d(x, n, w, wn, k, pin, c, cn, i, room + 1, size)
    EXPECT(HQ_OK, CLUSTERS(x, CELLS, NULL, 0, 4, 1, centers, 4, &inertia, need));
    EXPECT(HQ_OK, CLUSTERS(NULL, 0, NULL, 0, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CLUSTERS(x, CELLS, NULL, 0, 0, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CLUSTERS(x, CELLS, NULL, 0, 4, -1, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, CLUSTERS(x, CELLS, x, CELLS, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_SHAPE, CLUSTERS(x, CELLS, x, CELLS - 1, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_NULL_POINTER, CLUSTERS(NULL, CELLS, NULL, 0, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_NULL_POINTER, CLUSTERS(x, CELLS, NULL, CELLS, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_NULL_POINTER, CLUSTERS(x, CELLS, NULL, 0, 4, 0, NULL, 4, &inertia, need));
    EXPECT(HQ_ERROR_NULL_POINTER, CLUSTERS(x, CELLS, NULL, 0, 4, 0, centers, 4, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED, CLUSTERS(ODD(const float, x), CELLS - 1, NULL, 0, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_OVERLAP, CLUSTERS(x, CELLS, NULL, 0, 4, 0, x, 4, &inertia, need));
    EXPECT(HQ_ERROR_OVERLAP, CLUSTERS(x, CELLS, NULL, 0, 4, 0, centers, 4, centers, need));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, CLUSTERS(x, CELLS, NULL, 0, 4, 0, centers, 3, &inertia, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, CLUSTERS(x, CELLS, NULL, 0, 4, 1, centers, 4, &inertia, need - 1));
    EXPECT(HQ_ERROR_NON_FINITE, CLUSTERS(bad, CELLS, NULL, 0, 4, 0, centers, 4, &inertia, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, CLUSTERS(x, max / 4, NULL, 0, 4, 0, centers, 4, &inertia, need));
}

int main(void) {
    int i;
    for (i = 0; i < CELLS; i++) {
        x[i] = (float)(i * 37 % 101 - 50) / 32.0f;
        bad[i] = x[i];
        huge_values[i] = 1e6f * (x[i] + 2.0f);
    }
    bad[COLS - 1] = (float)INFINITY;
    bad[7] = (float)NAN;
    EXPECT(HQ_OK, hq_quantize(F, NULL, ROWS, COLS, x, CELLS, packed, sizeof packed, scratch, sizeof scratch));
    memcpy(row, packed, sizeof row);
    EXPECT(HQ_OK, hq_quantize_activations(2, COLS, x, 2 * COLS, 0, acts, 2 * HQ_ACT_COUNT(COLS)));

    sizes();
    options_and_quantize();
    codes_and_activations();
    products();
    archives();
    mixed();
    vectors_and_tiers();
    clusters();
    printf("%d cases\n", cases);
    return 0;
}
