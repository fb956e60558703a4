/* Clusters 1500 int8 points of 32 features into 16 clusters, in 64 KB of RAM and without a heap: what a microcontroller
 * does with a window of its sensors' features. The same program runs on this machine and, built with -DBOARD, on an
 * emulated Cortex-M4 (scripts/cross/cortex_m.sh): what it prints is the same to the byte, but for lines that begin
 * with "device". */
#include "hybridq.h"

#ifdef BOARD
#include "board.h"
#else
#include <stdio.h>
#endif

enum { ROWS = 1500, COLS = 32, K = 16, SLICE = 100, PARTIAL = K * COLS + K + 1 };
/* What every machine must find. */
static const uint32_t EXPECTED_LABELS = 1129195698u, EXPECTED_CENTERS = 2811553973u;

static int8_t points[ROWS * COLS];
static uint16_t labels[ROWS];
static int16_t centers[K * COLS];
/* One memory for what is needed one after the other. */
static union {
    uint8_t fit[HQ_KMEANS_INT8_FIT_SIZE(ROWS, COLS, K)];
    struct {
        int64_t partial[PARTIAL];
        uint8_t scratch[HQ_KMEANS_INT8_ASSIGN_SIZE(COLS, K)];
    } slices;
} memory;
static hq_kmeans_int8_options options;
static hq_kmeans_int8_result found;

#ifndef BOARD
static void print(const char *text) {
    fputs(text, stdout);
}

static void print_value(const char *name, uint32_t value) {
    printf("%s %lu\n", name, (unsigned long)value);
}
#endif

/* A number below n, 65536 at most, from the generator of Numerical Recipes: integers only. */
static uint32_t draw(uint32_t n) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % n;
}

static int32_t noise(int32_t most) {
    return (int32_t)draw(2u * (uint32_t)most + 1u) - most;
}

/* Rows around 20 places, more than there are clusters and near each other, so that it takes a while until nothing moves. */
static void make_points(void) {
    static int8_t places[20][COLS];
    int row, col;
    for (row = 0; row < 20; row++) {
        for (col = 0; col < COLS; col++) {
            places[row][col] = (int8_t)noise(40);
        }
    }
    for (row = 0; row < ROWS; row++) {
        const int8_t *place = places[draw(20)];
        for (col = 0; col < COLS; col++) {
            points[row * COLS + col] = (int8_t)(place[col] + noise(43) + noise(43));
        }
    }
}

/* FNV-1a of 16-bit numbers, low byte first on every machine. */
static uint32_t checksum(const uint16_t *numbers, size_t len) {
    uint32_t hash = 2166136261u;
    size_t i;
    for (i = 0; i < len; i++) {
        hash = (hash ^ (numbers[i] & 0xFFu)) * 16777619u;
        hash = (hash ^ (uint32_t)(numbers[i] >> 8)) * 16777619u;
    }
    return hash;
}

static int32_t seed_centers(void) {
    return hq_kmeans_int8_plus_plus(ROWS, COLS, points, ROWS * COLS, K, 7, centers, K * COLS, &memory, sizeof memory);
}

static int32_t fit(void) {
    return hq_kmeans_int8_fit(ROWS, COLS, points, ROWS * COLS, K, &options, centers, K * COLS, labels, ROWS, &found,
                              &memory, sizeof memory);
}

static int32_t assign(void) {
    uint64_t inertia;
    const int32_t status = hq_kmeans_int8_assign(ROWS, COLS, points, ROWS * COLS, K, centers, K * COLS, labels, ROWS,
                                                 &inertia, &memory, sizeof memory);
    return status == HQ_OK && inertia != found.inertia ? HQ_ERROR_SELF_TEST : status;
}

/* One iteration in slices, as a task of a real-time system does it between two deadlines: must find that nothing moves. */
static int32_t slices(void) {
    hq_kmeans_int8_step step;
    size_t at;
    int32_t status;
    for (at = 0; at < PARTIAL; at++) {
        memory.slices.partial[at] = 0;
    }
    for (at = 0; at < ROWS; at += SLICE) {
        status = hq_kmeans_int8_accumulate(SLICE, COLS, points + at * COLS, SLICE * COLS, K, centers, K * COLS, labels + at,
                                           SLICE, memory.slices.partial, PARTIAL, memory.slices.scratch,
                                           sizeof memory.slices.scratch);
        if (status != HQ_OK) {
            return status;
        }
    }
    status = hq_kmeans_int8_update(COLS, K, memory.slices.partial, PARTIAL, centers, K * COLS, &step);
    if (status == HQ_OK && (step.moved || step.rows != ROWS || step.inertia != found.inertia)) {
        return HQ_ERROR_SELF_TEST;
    }
    return status;
}

/* Runs one part. On the device it also tells what it took; `passes` are those over all points. */
static int32_t part(const char *name, int32_t (*f)(void), const uint32_t *passes) {
#ifdef BOARD
    const uint32_t before = instructions();
    const int32_t status = f();
    const uint32_t took = instructions() - before;
    const hq_kmeans_int8_result first = found;
    int32_t again = HQ_ERROR_SELF_TEST;
    print("device ");
    print(name);
    print_value(": instructions", took);
    print("device ");
    print(name);
    print_value(": instructions a point and pass", took / (ROWS * *passes));
    print("device ");
    print(name);
    print_value(": stack bytes", stack_used(f, &again));
    found = first;
    return again == HQ_OK ? status : again;
#else
    (void)name;
    (void)passes;
    return f();
#endif
}

static int32_t cluster(void) {
    static const uint32_t one = 1, seeding = K * 5; /* 2 + ln K candidates, and the one chosen */
    int32_t status = hq_kmeans_int8_options_init(&options);
    options.seeding = HQ_KMEANS_INT8_SEEDING_GIVEN;
    if (status == HQ_OK) {
        status = part("k-means++", seed_centers, &seeding);
    }
    if (status == HQ_OK) {
        status = part("fit", fit, &found.iterations);
    }
    if (status == HQ_OK) {
        status = part("assign", assign, &one);
    }
    if (status == HQ_OK) {
        status = part("slices", slices, &one);
    }
    return status;
}

static int report(int32_t status) {
    const size_t bytes = sizeof points + sizeof labels + sizeof centers + sizeof memory;
    const uint32_t label_sum = checksum(labels, ROWS);
    const uint32_t center_sum = checksum((const uint16_t *)(const void *)centers, K * COLS);
    size_t i, cluster_of;
    print("status ");
    print(hq_status_string(status));
    print("\n");
    print_value("iterations", found.iterations);
    print_value("converged", found.converged);
    print_value("inertia upper 32 bits", (uint32_t)(found.inertia >> 32));
    print_value("inertia lower 32 bits", (uint32_t)found.inertia);
    for (cluster_of = 0; cluster_of < K; cluster_of++) {
        uint32_t count = 0;
        for (i = 0; i < ROWS; i++) {
            count += labels[i] == cluster_of;
        }
        print_value("rows of a cluster", count);
    }
    print_value("checksum of labels", label_sum);
    print_value("checksum of centers", center_sum);
    print_value("bytes of points", sizeof points);
    print_value("bytes of labels", sizeof labels);
    print_value("bytes of centers", sizeof centers);
    print_value("bytes of scratch for k-means++ (4 a row)", (uint32_t)hq_kmeans_int8_plus_plus_workspace_size(ROWS, COLS, K));
    print_value("bytes of scratch for Lloyd", (uint32_t)hq_kmeans_int8_fit_workspace_size(ROWS, COLS, K, &options));
    print_value("bytes of a partial and of its scratch", sizeof memory.slices);
    print_value("bytes in all, the scratch once", (uint32_t)bytes);
    print_value("bytes left of 64 KB for stack and everything else", (uint32_t)(65536u - bytes));
    if (status != HQ_OK || label_sum != EXPECTED_LABELS || center_sum != EXPECTED_CENTERS) {
        print("not what every machine must find\n");
        return 1;
    }
    return 0;
}

#ifdef BOARD
int run(void) {
#else
int main(void) {
#endif
    make_points();
#ifdef MUST_FAIL /* one wrong code must be seen */
    points[0] = (int8_t)(points[0] ^ 64);
#endif
    return report(cluster());
}
