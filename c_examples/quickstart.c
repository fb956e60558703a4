/* Quantizes a 2 x 8 matrix to packed ternary and multiplies it with a vector. */
#include <stdio.h>
#include "hybridq.h"

enum { ROWS = 2, COLS = 8 };

int main(void) {
    static const float w[ROWS * COLS] = {
        0.9f, -1.1f, 0.1f, 0.0f, 1.0f, -0.1f, 0.2f, -1.0f, -2.1f, 0.0f, 1.9f, -0.1f, 0.3f, 2.0f, -1.9f, 0.1f,
    };
    static const float x[COLS] = {1.0f, 2.0f, -1.0f, 0.5f, 0.0f, 1.5f, -2.0f, 1.0f};
    uint8_t packed[ROWS * HQ_TQ2_0_ROW_SIZE(COLS)], scratch[HQ_FIT_SCRATCH_SIZE(COLS)];
    hq_act_block acts[HQ_ACT_COUNT(COLS)];
    float y[ROWS];

    hq_status status = hq_quantize(HQ_FORMAT_TQ2_0, NULL, ROWS, COLS, w, ROWS * COLS, packed, sizeof packed,
                                   scratch, sizeof scratch);
    if (status == HQ_OK) {
        status = hq_quantize_activations(1, COLS, x, COLS, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(COLS));
    }
    if (status == HQ_OK) {
        status = hq_matvec(HQ_FORMAT_TQ2_0, ROWS, COLS, packed, sizeof packed, acts, HQ_ACT_COUNT(COLS), y, ROWS);
    }
    if (status != HQ_OK) {
        fprintf(stderr, "hybridq: %s\n", hq_status_string(status));
        return 1;
    }
    printf("y = %.3f %.3f\n", (double)y[0], (double)y[1]);
    return 0;
}
