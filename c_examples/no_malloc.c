/* A two-layer network whose every byte is static: what a device without a heap does. The sizes are constant
 * expressions of the header; the queries must agree. */
#include <stdio.h>

#include "hybridq.h"

#define INPUTS 300
#define HIDDEN 96
#define OUTPUTS 4
#define FORMAT HQ_FORMAT_DENSE_TERNARY

static uint8_t layer1[HIDDEN * HQ_DENSE_TERNARY_ROW_SIZE(INPUTS)];
static uint8_t layer2[OUTPUTS * HQ_DENSE_TERNARY_ROW_SIZE(HIDDEN)];
static uint8_t scratch[HQ_FIT_SCRATCH_SIZE(INPUTS)];
static hq_act_block acts[HQ_ACT_COUNT(INPUTS)];
static float row[INPUTS], input[INPUTS], hidden[HIDDEN], output[OUTPUTS];

/* Stops at the first failure, as a device would. */
#define NEED(call)                                                                       \
    do {                                                                                 \
        hq_status status_ = (call);                                                      \
        if (status_ != HQ_OK) {                                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, hq_status_string(status_)); \
            return 1;                                                                    \
        }                                                                                \
    } while (0)
#define SAME(a, b)                                                                 \
    do {                                                                           \
        if ((a) != (b)) {                                                          \
            fprintf(stderr, "%s:%d: sizes differ: " #a "\n", __FILE__, __LINE__);  \
            return 1;                                                              \
        }                                                                          \
    } while (0)

/* Stand-in for trained weights: a small generator, values in -1..1. */
static void noise(float *out, size_t len, uint32_t seed) {
    size_t i;
    for (i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (float)(seed >> 16) / 32768.0f - 1.0f;
    }
}

/* Quantizes row by row: only one row of floats is ever in memory. */
static hq_status load(uint8_t *packed, size_t rows, size_t cols, uint32_t seed) {
    const size_t row_size = hq_row_size(FORMAT, cols);
    size_t r;
    for (r = 0; r < rows; r++) {
        hq_status status;
        noise(row, cols, seed + (uint32_t)r);
        status = hq_quantize(FORMAT, NULL, 1, cols, row, cols, packed + r * row_size, row_size, scratch,
                             sizeof scratch);
        if (status != HQ_OK) {
            return status;
        }
    }
    return HQ_OK;
}

int main(void) {
    int i;
    NEED(hq_selftest());
    SAME(hq_version(), HQ_VERSION);
    SAME(hq_matrix_size(FORMAT, HIDDEN, INPUTS), sizeof layer1);
    SAME(hq_matrix_size(FORMAT, OUTPUTS, HIDDEN), sizeof layer2);
    SAME(hq_quantize_workspace_size(FORMAT, NULL, 1, INPUTS), sizeof scratch);
    SAME(hq_act_count(INPUTS), sizeof acts / sizeof acts[0]);
    SAME(sizeof(hq_act_block), 292u);

    NEED(load(layer1, HIDDEN, INPUTS, 1));
    NEED(load(layer2, OUTPUTS, HIDDEN, 1000));
    noise(input, INPUTS, 2000);

    NEED(hq_quantize_activations(1, INPUTS, input, INPUTS, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(INPUTS)));
    NEED(hq_matvec(FORMAT, HIDDEN, INPUTS, layer1, sizeof layer1, acts, HQ_ACT_COUNT(INPUTS), hidden, HIDDEN));
    for (i = 0; i < HIDDEN; i++) {
        hidden[i] = hidden[i] > 0.0f ? hidden[i] : 0.0f;
    }
    NEED(hq_quantize_activations(1, HIDDEN, hidden, HIDDEN, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(HIDDEN)));
    NEED(hq_matvec(FORMAT, OUTPUTS, HIDDEN, layer2, sizeof layer2, acts, HQ_ACT_COUNT(HIDDEN), output, OUTPUTS));

    printf("outputs:");
    for (i = 0; i < OUTPUTS; i++) {
        printf(" %.4f", (double)output[i]);
    }
    printf("\nweights %u bytes, scratch %u, activations %u, no heap\n", (unsigned)(sizeof layer1 + sizeof layer2),
           (unsigned)sizeof scratch, (unsigned)sizeof acts);
    return 0;
}
