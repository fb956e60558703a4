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
    hq_act_table tables[2];
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
    hq_kmeans_int8_options kmeans;
    hq_kmeans_int8_result found;
    hq_kmeans_int8_step step;
    uint64_t inertia;
    int64_t partial[16];
    int16_t centers[16];
    uint16_t labels[16];
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

#include "misuse/constrain.h"
#include "misuse/constrain_search.h"
#include "misuse/constrain_trust.h"
#include "misuse/kmeans_1d.h"
#include "misuse/kmeans_balanced.h"
#include "misuse/kmeans_choose.h"
#include "misuse/kmeans_data.h"
#include "misuse/kmeans_farthest.h"
#include "misuse/kmeans_fit.h"
#include "misuse/kmeans_int8.h"
#include "misuse/kmeans_seed.h"
#include "misuse/kmeans_stream.h"
#include "misuse/learn_latent_free.h"
#include "misuse/learn_layers.h"
#include "misuse/learn_optimizer.h"
#include "misuse/learn_hybrid.h"
#include "misuse/learn_predictor.h"
#include "misuse/learn_packets.h"
#include "misuse/products.h"
#include "misuse/quant.h"
#include "misuse/storage.h"

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
    EXPECT(HQ_OK, hq_vec_squared_distance(CELLS, x, x, y));
    EXPECT(HQ_OK, hq_vec_squared_distance(0, NULL, NULL, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_squared_distance(1, x, NULL, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_vec_squared_distance(1, x, x, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_vec_squared_distance(1, ODD(float, x), x, y));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_vec_squared_distance(max / 2, x, x, y));
    EXPECT(HQ_ERROR_OVERLAP, hq_vec_squared_distance(4, x, y, y + 3));
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
    EXPECT(HQ_OK, hq_selftest_constrain());
    EXPECT(HQ_OK, hq_selftest_learn());
    EXPECT(HQ_OK, hq_force_tier(HQ_TIER_DETECT));
    SAME((size_t)hq_tier_detected(), (size_t)hq_tier_active());
    EXPECT(HQ_OK, hq_selftest());
    EXPECT(HQ_OK, hq_selftest_constrain());
    EXPECT(HQ_OK, hq_selftest_learn());
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
    prepared_weights();
    archives();
    mixed();
    vectors_and_tiers();
    clusters();
    balanced();
    farthest();
    data_clusters();
    constraint_sets();
    fits();
    choices();
    search_sets();
    intersections();
    bins();
    parameters();
    seeds();
    kmeans_int8();
    streams();
    mini_batches();
    trust_regions();
    steihaug_steps();
    latent_free();
    optimizer();
    hybrid();
    predictors();
    gradient_packets();
    layers();
    losses();
    printf("%d cases\n", cases);
    return 0;
}
