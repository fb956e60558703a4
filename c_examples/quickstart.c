/* Quantizes a 4 x 8 matrix to ternary, multiplies it with a vector, and prints the result beside the float one. */
#include <stdio.h>

#include "hybridq.h"

#define ROWS 4
#define COLS 8
#define FORMAT HQ_FORMAT_TQ2_0

static void need(hq_status status) {
    if (status != HQ_OK) {
        fprintf(stderr, "hybridq: %s\n", hq_status_string(status));
    }
}

int main(void) {
    static const float w[ROWS * COLS] = {
        0.9f,  -1.1f, 0.1f,  0.0f,  1.0f,  -0.1f, 0.2f,  -1.0f, 0.5f,  0.4f,  -0.6f, 0.0f,  0.0f,  -0.5f, 0.5f, 0.1f,
        -2.1f, 0.0f,  1.9f,  -0.1f, 0.3f,  2.0f,  -1.9f, 0.1f,  0.0f,  0.02f, 0.1f,  -0.1f, 0.09f, 0.0f,  0.0f, -0.1f,
    };
    static const float x[COLS] = {1.0f, 2.0f, -1.0f, 0.5f, 0.0f, 1.5f, -2.0f, 1.0f};

    uint8_t packed[ROWS * HQ_TQ2_0_ROW_SIZE(COLS)];
    uint8_t scratch[HQ_FIT_SCRATCH_SIZE(COLS)];
    hq_act_block acts[HQ_ACT_COUNT(COLS)];
    float y[ROWS] = {0};
    int row, col;

    need(hq_quantize(FORMAT, NULL, ROWS, COLS, w, ROWS * COLS, packed, sizeof packed, scratch, sizeof scratch));
    need(hq_quantize_activations(1, COLS, x, COLS, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(COLS)));
    need(hq_matvec(FORMAT, ROWS, COLS, packed, sizeof packed, acts, HQ_ACT_COUNT(COLS), y, ROWS));

    for (row = 0; row < ROWS; row++) {
        float exact = 0.0f;
        for (col = 0; col < COLS; col++) {
            exact += w[row * COLS + col] * x[col];
        }
        printf("row %d: ternary %8.3f   float %8.3f\n", row, (double)y[row], (double)exact);
    }
    return 0;
}
