/* One program, two Rust archives that both carry pulp. */
#include <stdio.h>

#include "hybridq.h"

float second_sum(const float *x, size_t len);

int main(void) {
    static float x[1000];
    float dot = 0.0f;
    int i;
    for (i = 0; i < 1000; i++) {
        x[i] = (float)(i % 7);
    }
    if (hq_vec_dot(1000, x, x, &dot) != HQ_OK || hq_selftest() != HQ_OK) {
        return 1;
    }
    printf("%.0f %.0f\n", (double)second_sum(x, 1000), (double)dot);
    return 0;
}
