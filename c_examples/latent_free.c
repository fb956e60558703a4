/* Trains a ternary classifier of handwritten digits in 1310 bytes of state: packed trits with their scales, and one byte of
 * inertia for each weight. No float weight ever exists; the gradient is made, used and forgotten row by row.
 *
 *   latent_free TRAIN.csv TEST.csv     lines of "label,p0,...,p63" with pixels 0..16 (data/digits in the repository)
 *
 * Run twice, it prints the same digest: the random numbers are a function of seed, step, row and column. */
#include <stdio.h>
#include <string.h>

#include "hybridq.h"

#define CLASSES 10
#define INPUTS 65 /* 64 pixels, and a 1 whose weight is the bias */
#define FORMAT HQ_FORMAT_TQ2_0
#define ROW HQ_TQ2_0_ROW_SIZE(INPUTS)
#define MOST 1500
#define BATCH 48
#define STEPS 3000

/* All that is trained. */
static uint8_t weights[CLASSES * ROW];
static int8_t inertia[CLASSES * INPUTS];

static struct images {
    size_t count;
    uint8_t label[MOST];
    uint8_t pixels[MOST][INPUTS];
} training, held_out;

#define NEED(call)                                                                     \
    do {                                                                               \
        hq_status status_ = (call);                                                    \
        if (status_ != HQ_OK) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, hq_status_string(status_)); \
            return 1;                                                                  \
        }                                                                              \
    } while (0)

static int load(const char *path, struct images *images) {
    FILE *file = fopen(path, "r");
    unsigned label, pixel;
    if (file == NULL) return 0;
    while (images->count < MOST && fscanf(file, "%u", &label) == 1 && label < CLASSES) {
        uint8_t *x = images->pixels[images->count];
        size_t i;
        for (i = 0; i < INPUTS - 1; i++) {
            if (fscanf(file, ",%u", &pixel) != 1 || pixel > 16) break;
            x[i] = (uint8_t)pixel;
        }
        if (i != INPUTS - 1) break;
        x[i] = 16;
        images->label[images->count++] = (uint8_t)label;
    }
    label = (unsigned)feof(file);
    fclose(file);
    return label != 0 && images->count > 0;
}

static void input(const struct images *images, size_t n, float *x) {
    size_t i;
    for (i = 0; i < INPUTS; i++) x[i] = (float)images->pixels[n][i] / 16.0f;
}

static hq_status scores(const float *x, float *y) {
    return hq_matvec_f32(FORMAT, CLASSES, INPUTS, weights, sizeof weights, x, INPUTS, y, CLASSES);
}

static int accuracy(const struct images *images, double *percent) {
    size_t n, right = 0, c;
    for (n = 0; n < images->count; n++) {
        float x[INPUTS], y[CLASSES];
        size_t best = 0;
        input(images, n, x);
        NEED(scores(x, y));
        for (c = 1; c < CLASSES; c++) best = y[c] > y[best] ? c : best;
        right += best == images->label[n];
    }
    *percent = 100.0 * (double)right / (double)images->count;
    return 0;
}

int main(int argc, char **argv) {
    static float x[BATCH][INPUTS], zeros[INPUTS];
    static uint8_t scratch[HQ_FIT_SCRATCH_SIZE(INPUTS)];
    hq_quantize_options start;
    hq_latent_free_options options;
    uint64_t step, flips = 0;
    uint32_t state = 1, digest = 2166136261u;
    double on_training, on_held_out;
    size_t b, c, i;

    if (argc != 3) {
        fprintf(stderr, "usage: latent_free TRAIN.csv TEST.csv\n");
        return 2;
    }
    if (!load(argv[1], &training) || !load(argv[2], &held_out)) {
        fprintf(stderr, "latent_free: cannot read %s or %s as label,64 pixels\n", argv[1], argv[2]);
        return 2;
    }
    /* All trits 0, all scales 1. */
    NEED(hq_quantize_options_init(FORMAT, &start));
    start.fit = HQ_FIT_FIXED;
    start.threshold = 0.5f;
    start.scale = 1.0f;
    for (c = 0; c < CLASSES; c++) {
        NEED(hq_quantize(FORMAT, &start, 1, INPUTS, zeros, INPUTS, weights + c * ROW, ROW, scratch, sizeof scratch));
    }
    NEED(hq_latent_free_options_init(&options));
    options.threshold = 100;
    options.scale_rate = 0.02f;

    for (step = 0; step < STEPS; step++) {
        static float error[BATCH][CLASSES];
        options.rate = 200.0f * (1.0f - (float)step / STEPS);
        for (b = 0; b < BATCH; b++) {
            float y[CLASSES];
            size_t n, label;
            state = state * 1664525u + 1013904223u;
            n = (size_t)(state >> 8) % training.count;
            label = training.label[n];
            input(&training, n, x[b]);
            NEED(scores(x[b], y));
            /* The loss: by how much each wrong score comes within 1 of the right one. */
            for (c = 0, error[b][label] = 0.0f; c < CLASSES; c++) {
                if (c != label) {
                    error[b][c] = y[c] > y[label] - 1.0f ? 1.0f / BATCH : 0.0f;
                }
            }
            for (c = 0, y[0] = 0.0f; c < CLASSES; c++) y[0] += c == label ? 0.0f : error[b][c];
            error[b][label] = -y[0];
        }
        for (c = 0; c < CLASSES; c++) {
            float gradient[INPUTS] = {0.0f};
            hq_latent_free_report report;
            for (b = 0; b < BATCH; b++) {
                NEED(hq_vec_axpy(INPUTS, error[b][c], x[b], gradient));
            }
            NEED(hq_latent_free_update(FORMAT, &options, 7, step, c, 1, INPUTS, gradient, INPUTS, weights + c * ROW, ROW,
                                       inertia + c * INPUTS, INPUTS, &report));
            flips += report.raised + report.lowered;
        }
    }
    if (accuracy(&training, &on_training) != 0 || accuracy(&held_out, &on_held_out) != 0) return 1;
    for (i = 0; i < sizeof weights; i++) digest = (digest ^ weights[i]) * 16777619u;
    for (i = 0; i < sizeof inertia; i++) digest = (digest ^ (uint8_t)inertia[i]) * 16777619u;
    printf("%u bytes of state, %lu flips: %.2f %% of %u training images, %.2f %% of %u held out, digest %08lx\n",
           (unsigned)(sizeof weights + sizeof inertia), (unsigned long)flips, on_training, (unsigned)training.count,
           on_held_out, (unsigned)held_out.count, (unsigned long)digest);
    return 0;
}
