/* Classifies handwritten digits with a network that `hybridq train` has trained and exported.
 *
 *   classify_trained IMAGES.csv [--scores FILE]
 *
 * Each line of the CSV is the label and the features. --scores writes all scores as little-endian float32, image after
 * image.
 *
 * digits_trained.h is what `hybridq train --digits --qat --c-header digits_trained.h --prefix digits` writes: the packed
 * weights, and the function digits_scores, which runs them by libhybridq.a. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digits_trained.h"

#define MAX_IMAGES 4096

static float images[MAX_IMAGES][DIGITS_FEATURES], scores[MAX_IMAGES][DIGITS_CLASSES];
static int labels[MAX_IMAGES];

/* Returns the number of images, or -1. */
static int read_images(const char *path) {
    static char line[32 * (DIGITS_FEATURES + 1)];
    int count = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return -1;
    }
    while (count < MAX_IMAGES && fgets(line, sizeof line, file)) {
        char *end;
        int i;
        labels[count] = (int)strtol(line, &end, 10);
        for (i = 0; i < DIGITS_FEATURES && *end == ','; i++) {
            images[count][i] = strtof(end + 1, &end);
        }
        if (i != DIGITS_FEATURES) {
            fprintf(stderr, "%s:%d: expected a label and %d features\n", path, count + 1, DIGITS_FEATURES);
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
        for (c = 0; c < DIGITS_CLASSES; c++) {
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
    static digits_workspace work;
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
        hq_status status = digits_scores(images[i], scores[i], &work);
        if (status != HQ_OK) {
            fprintf(stderr, "hybridq: %s\n", hq_status_string(status));
            return 1;
        }
    }
    us = 1e6 * (double)(clock() - start) / CLOCKS_PER_SEC / count;

    for (i = 0; i < count; i++) {
        int best = 0;
        for (c = 1; c < DIGITS_CLASSES; c++) {
            best = scores[i][c] > scores[i][best] ? c : best;
        }
        correct += best == labels[i];
    }
    printf("accuracy      %.2f %% (%d of %d)\n", 100.0 * correct / count, correct, count);
    printf("workspace     %u bytes\n", (unsigned)sizeof work);
    printf("time          %.2f us per image, tier %s\n", us, hq_tier_name(hq_tier_active()));
    return scores_path && !write_scores(scores_path, count) ? 1 : 0;
}
