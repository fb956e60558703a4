/* Classifies handwritten digits with a packed two-layer network.
 *
 *   classify IMAGES.csv [--scores FILE]
 *
 * Each line of the CSV is the label and 64 integers 0..16. The network is y = fc2(relu(fc1(x))), x = pixel / 16.
 * Activations are int8. --scores writes all scores as little-endian float32, image after image.
 *
 * digits_weights.h is what `hybridq export --c-header` makes of the quantized network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digits_weights.h"
#include "hybridq.h"

/* The names of the generated header, in one place. */
#define FC1_WEIGHT digits_fc1_weight
#define FC1_FORMAT DIGITS_FC1_WEIGHT_FORMAT
#define FC1_ROWS DIGITS_FC1_WEIGHT_ROWS
#define FC1_COLS DIGITS_FC1_WEIGHT_COLS
#define FC1_BIAS digits_fc1_bias
#define FC2_WEIGHT digits_fc2_weight
#define FC2_FORMAT DIGITS_FC2_WEIGHT_FORMAT
#define FC2_ROWS DIGITS_FC2_WEIGHT_ROWS
#define FC2_COLS DIGITS_FC2_WEIGHT_COLS
#define FC2_BIAS digits_fc2_bias

#define PIXELS 64
#define CLASSES 10
#define MAX_IMAGES 4096

/* A wrong pair of header and program does not compile. */
typedef char fc1_takes_the_pixels[FC1_COLS == PIXELS ? 1 : -1];
typedef char fc2_takes_the_hidden_values[FC2_COLS == FC1_ROWS ? 1 : -1];
typedef char fc2_gives_the_classes[FC2_ROWS == CLASSES ? 1 : -1];

static float images[MAX_IMAGES][PIXELS], scores[MAX_IMAGES][CLASSES];
static int labels[MAX_IMAGES];

static hq_status layer(int32_t format, size_t rows, size_t cols, const uint8_t *weight, size_t weight_size,
                       const float *bias, const float *x, float *y) {
    /* Static: 292 bytes of stack are much on a small device. One thread calls this. */
    static hq_act_block acts[HQ_ACT_COUNT(FC1_COLS > FC2_COLS ? FC1_COLS : FC2_COLS)];
    const size_t blocks = hq_act_count(cols);
    hq_status status = hq_quantize_activations(1, cols, x, cols, HQ_NON_FINITE_ERROR, acts, blocks);
    if (status == HQ_OK) {
        status = hq_matvec(format, rows, cols, weight, weight_size, acts, blocks, y, rows);
    }
    return status == HQ_OK ? hq_vec_axpy(rows, 1.0f, bias, y) : status;
}

static hq_status classify(const float *image, float *out) {
    float hidden[FC1_ROWS];
    int i;
    hq_status status =
        layer(FC1_FORMAT, FC1_ROWS, FC1_COLS, FC1_WEIGHT, sizeof FC1_WEIGHT, FC1_BIAS, image, hidden);
    if (status != HQ_OK) {
        return status;
    }
    for (i = 0; i < FC1_ROWS; i++) {
        hidden[i] = hidden[i] > 0.0f ? hidden[i] : 0.0f;
    }
    return layer(FC2_FORMAT, FC2_ROWS, FC2_COLS, FC2_WEIGHT, sizeof FC2_WEIGHT, FC2_BIAS, hidden, out);
}

/* Returns the number of images, or -1. */
static int read_images(const char *path) {
    char line[512];
    int count = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return -1;
    }
    while (count < MAX_IMAGES && fgets(line, sizeof line, file)) {
        char *at = line, *end;
        int i;
        labels[count] = (int)strtol(at, &end, 10);
        for (i = 0; i < PIXELS && *end == ','; i++) {
            at = end + 1;
            images[count][i] = (float)strtol(at, &end, 10) / 16.0f;
        }
        if (i != PIXELS || end == at) {
            fprintf(stderr, "%s:%d: expected a label and %d pixels\n", path, count + 1, PIXELS);
            fclose(file);
            return -1;
        }
        count++;
    }
    fclose(file);
    return count;
}

static int write_scores(const char *path, int count) {
    int i, c, ok = 1;
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        return 0;
    }
    for (i = 0; i < count; i++) {
        for (c = 0; c < CLASSES; c++) {
            uint32_t bits;
            unsigned char bytes[4];
            memcpy(&bits, &scores[i][c], 4);
            bytes[0] = (unsigned char)bits;
            bytes[1] = (unsigned char)(bits >> 8);
            bytes[2] = (unsigned char)(bits >> 16);
            bytes[3] = (unsigned char)(bits >> 24);
            ok &= fwrite(bytes, 1, 4, file) == 4;
        }
    }
    ok &= fclose(file) == 0;
    if (!ok) {
        perror(path);
    }
    return ok;
}

int main(int argc, char **argv) {
    const char *scores_path = NULL;
    int count, i, c, correct = 0;
    clock_t start;
    double us;

    if (argc == 4 && strcmp(argv[2], "--scores") == 0) {
        scores_path = argv[3];
    } else if (argc != 2) {
        fprintf(stderr, "usage: %s IMAGES.csv [--scores FILE]\n", argv[0]);
        return 2;
    }
    count = read_images(argv[1]);
    if (count <= 0) {
        return 2;
    }

    start = clock();
    for (i = 0; i < count; i++) {
        hq_status status = classify(images[i], scores[i]);
        if (status != HQ_OK) {
            fprintf(stderr, "hybridq: %s\n", hq_status_string(status));
            return 1;
        }
    }
    us = 1e6 * (double)(clock() - start) / CLOCKS_PER_SEC / count;

    for (i = 0; i < count; i++) {
        int best = 0;
        for (c = 1; c < CLASSES; c++) {
            best = scores[i][c] > scores[i][best] ? c : best;
        }
        correct += best == labels[i];
    }
    printf("accuracy      %.2f %% (%d of %d)\n", 100.0 * correct / count, correct, count);
    printf("model         %u bytes (weights %u, biases %u)\n",
           (unsigned)(sizeof FC1_WEIGHT + sizeof FC2_WEIGHT + sizeof FC1_BIAS + sizeof FC2_BIAS),
           (unsigned)(sizeof FC1_WEIGHT + sizeof FC2_WEIGHT), (unsigned)(sizeof FC1_BIAS + sizeof FC2_BIAS));
    printf("time          %.2f us per image, tier %s\n", us, hq_tier_name(hq_tier_active()));
    return scores_path && !write_scores(scores_path, count) ? 1 : 0;
}
