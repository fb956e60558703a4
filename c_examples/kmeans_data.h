/* The data of kmeans.c and mpi_kmeans.c: row i is a function of i, so any part can be made anywhere. */
#ifndef KMEANS_DATA_H
#define KMEANS_DATA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20000, COLS = 12, K = 9, GROUPS = 7, SAMPLE = 1000, MAX_ITERATIONS = 300 };

/* SplitMix64 of a number: bits that look random. */
static uint64_t bits_of(uint64_t x) {
    x = (x + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* A multiple of 2^-24 in 0..1. */
static float unit_of(uint64_t x) {
    return (float)(bits_of(x) >> 40) / 16777216.0f;
}

/* Rows first to first + n - 1: points around one of seven places, and for each a weight from 0 to 4. */
static void make_rows(size_t first, size_t n, float *x, float *weights) {
    size_t i, j;
    for (i = 0; i < n; i++) {
        const uint64_t row = first + i, group = bits_of(row) % GROUPS;
        for (j = 0; j < COLS; j++) {
            const uint64_t at = (row * COLS + j) * 4;
            const float noise = unit_of(at) + unit_of(at + 1) + unit_of(at + 2) - 1.5f;
            x[i * COLS + j] = 10.0f * unit_of((1000000007u + group) * COLS + j) + 2.0f * noise;
        }
        weights[i] = 4.0f * unit_of(row * 4 + 3);
    }
}

/* What the command line says: kmeans [--weighted] [--seed N] [FILE for centres, inertia and labels]. */
typedef struct settings {
    int weighted;
    uint64_t seed;
    const char *file;
} settings;

static settings settings_of(int argc, char **argv) {
    settings s = {0, 1, NULL};
    int i;
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--weighted") == 0) {
            s.weighted = 1;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            s.seed = strtoull(argv[++i], NULL, 10);
        } else {
            s.file = argv[i];
        }
    }
    return s;
}

/* n elements; never NULL. */
static void *room(size_t n, size_t size) {
    void *memory = calloc(n > 0 ? n : 1, size);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

/* First centres, from the first rows, the same on every rank. */
static hq_status first_centers(const settings *s, float *centers) {
    float *x = (float *)room(SAMPLE * COLS, sizeof *x), *weights = (float *)room(SAMPLE, sizeof *weights);
    const size_t size = hq_kmeans_seed_workspace_size(HQ_SEEDING_PLUS_PLUS, SAMPLE, K);
    void *scratch = room(size, 1);
    uint32_t rows[K];
    hq_status status;
    make_rows(0, SAMPLE, x, weights);
    status = hq_kmeans_seed(SAMPLE, COLS, x, SAMPLE * COLS, s->weighted ? weights : NULL, s->weighted ? SAMPLE : 0, K,
                            HQ_SEEDING_PLUS_PLUS, 0, s->seed, rows, K, centers, K * COLS, scratch, size);
    free(scratch);
    free(weights);
    free(x);
    return status;
}

/* Prints a summary and writes the file, if one is wanted. Returns the status of the program. */
static int report(const settings *s, unsigned iterations, float inertia, const float *centers,
                  const uint32_t *labels) {
    size_t sizes[K] = {0}, i;
    FILE *file;
    int good;
    for (i = 0; i < ROWS; i++) sizes[labels[i]]++;
    printf("%d rows, %u iterations, inertia %.9g, sizes", ROWS, iterations, (double)inertia);
    for (i = 0; i < K; i++) printf(" %lu", (unsigned long)sizes[i]);
    printf("\n");
    if (s->file == NULL) return 0;
    file = fopen(s->file, "wb");
    if (file == NULL) {
        perror(s->file);
        return 1;
    }
    good = fwrite(centers, sizeof *centers, K * COLS, file) == K * COLS &&
           fwrite(&inertia, sizeof inertia, 1, file) == 1 && fwrite(labels, sizeof *labels, ROWS, file) == ROWS;
    if (fclose(file) != 0 || !good) {
        fprintf(stderr, "%s: cannot be written\n", s->file);
        return 1;
    }
    return 0;
}

#endif
