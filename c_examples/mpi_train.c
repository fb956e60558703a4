/* Data-parallel training on MPI with gradients of 1.6 bits: a small network learns handwritten digits.
 *
 *   mpirun -np 4 mpi_train [--shards N] [--fp32] TRAIN.csv TEST.csv
 *
 * Each batch is cut into a fixed number of shards (4), each rank works on some of them. The parameters are cut into four
 * slices, each slice has an owner. In a step
 *
 *   1. every shard's gradient becomes a packet for each slice, which goes to the owner of the slice;
 *   2. the owner adds the packets up in integers, and sends the mean to all, as a packet again;
 *   3. every rank takes the same step, from the packets as they are.
 *
 * What a packet loses stays with its sender and goes into the next one: the residuals, one for each shard and slice, and
 * one for the mean of each slice. Nothing depends on which rank a shard or a slice belongs to, so 1, 2 and 4 ranks end with
 * the same bits. With --fp32 the ranks exchange floats by MPI_Allreduce, for comparison. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hybridq.h"

enum {
    INPUTS = 64,
    HIDDEN = 64,
    CLASSES = 10,
    PARAMS = HIDDEN * (INPUTS + 1) + CLASSES * (HIDDEN + 1),
    SLICES = 4,
    SLICE = (PARAMS + SLICES - 1) / SLICES, /* the last one is padded with zeros */
    ALL = SLICES * SLICE,
    MOST_SHARDS = 8,
    BATCH = 64,
    STEPS = 900,
    MOST = 1500
};

static struct images {
    size_t count;
    uint8_t label[MOST];
    float pixels[MOST][INPUTS];
} training, held_out;

/* Ends all ranks: one that fails would leave the others waiting. */
static void give_up(const char *what, const char *why) {
    fprintf(stderr, "mpi_train: %s: %s\n", what, why);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void check(hq_status status, const char *what) {
    if (status != HQ_OK) give_up(what, hq_status_string(status));
}

static void *room(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (memory == NULL) give_up("memory", "there is not enough");
    return memory;
}

static void load(const char *path, struct images *images) {
    FILE *file = fopen(path, "r");
    unsigned label, pixel;
    size_t i = INPUTS;
    if (file == NULL) give_up(path, "cannot be opened");
    while (images->count < MOST && i == INPUTS && fscanf(file, "%u", &label) == 1 && label < CLASSES) {
        for (i = 0; i < INPUTS && fscanf(file, ",%u", &pixel) == 1 && pixel <= 16; i++) {
            images->pixels[images->count][i] = (float)pixel / 16.0f;
        }
        images->label[images->count++] = (uint8_t)label;
    }
    if (!feof(file) || i != INPUTS || images->count == 0) give_up(path, "is not lines of label,64 pixels");
    fclose(file);
}

/* Parameters: for each hidden unit its 64 weights and bias, then the same for each class. */
static void forward(const float *p, const float *x, float *hidden, float *scores) {
    size_t i, j;
    for (i = 0; i < HIDDEN; i++, p += INPUTS + 1) {
        float sum = p[INPUTS];
        for (j = 0; j < INPUTS; j++) sum += p[j] * x[j];
        hidden[i] = sum > 0.0f ? sum : 0.0f;
    }
    for (i = 0; i < CLASSES; i++, p += HIDDEN + 1) {
        float sum = p[HIDDEN];
        for (j = 0; j < HIDDEN; j++) sum += p[j] * hidden[j];
        scores[i] = sum;
    }
}

/* Adds the gradient of the cross-entropy of an image, times `share`. */
static void backward(const float *p, const float *x, size_t label, float share, float *g) {
    float hidden[HIDDEN], error[CLASSES], back[HIDDEN] = {0.0f};
    float most, sum = 0.0f;
    size_t i, j;
    const float *of_class = p + HIDDEN * (INPUTS + 1);
    float *g_class = g + HIDDEN * (INPUTS + 1);
    forward(p, x, hidden, error);
    for (most = error[0], i = 1; i < CLASSES; i++) most = error[i] > most ? error[i] : most;
    for (i = 0; i < CLASSES; i++) sum += error[i] = expf(error[i] - most);
    for (i = 0; i < CLASSES; i++, of_class += HIDDEN + 1, g_class += HIDDEN + 1) {
        const float e = share * (error[i] / sum - (i == label ? 1.0f : 0.0f));
        for (j = 0; j < HIDDEN; j++) {
            back[j] += e * of_class[j];
            g_class[j] += e * hidden[j];
        }
        g_class[HIDDEN] += e;
    }
    for (i = 0; i < HIDDEN; i++, g += INPUTS + 1) {
        if (hidden[i] <= 0.0f) continue;
        for (j = 0; j < INPUTS; j++) g[j] += back[i] * x[j];
        g[INPUTS] += back[i];
    }
}

static double accuracy(const float *p, const struct images *images) {
    size_t n, right = 0, c;
    for (n = 0; n < images->count; n++) {
        float hidden[HIDDEN], scores[CLASSES];
        size_t best = 0;
        forward(p, images->pixels[n], hidden, scores);
        for (c = 1; c < CLASSES; c++) best = scores[c] > scores[best] ? c : best;
        right += best == images->label[n];
    }
    return 100.0 * (double)right / (double)images->count;
}

static uint32_t random32(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8; /* 24 bits */
}

static uint32_t crc32(const void *data, size_t size) {
    const uint8_t *bytes = (const uint8_t *)data;
    uint32_t crc = 0xFFFFFFFFu;
    int bit;
    while (size--) {
        crc ^= *bytes++;
        for (bit = 0; bit < 8; bit++) crc = crc & 1u ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

int main(int argc, char **argv) {
    int rank, ranks, i, shards = 4, fp32 = 0;
    const char *files[2] = {NULL, NULL};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--fp32") == 0) {
            fp32 = 1;
        } else if (strcmp(argv[i], "--shards") == 0 && i + 1 < argc) {
            shards = atoi(argv[++i]);
        } else if (files[0] == NULL || files[1] == NULL) {
            files[files[0] != NULL] = argv[i];
        }
    }
    if (files[1] == NULL) give_up("usage", "mpi_train [--shards N] [--fp32] TRAIN.csv TEST.csv");
    if (shards < 1 || shards > MOST_SHARDS || BATCH % shards != 0 || shards % ranks != 0 || SLICES % ranks != 0) {
        give_up("ranks", "take 1, 2 or 4, and 1, 2, 4 or 8 shards, as many as ranks or a multiple");
    }
    load(files[0], &training);
    load(files[1], &held_out);

    {
        const size_t packet = hq_gradient_packet_size(SLICE), kept = hq_gradient_packet_residual_size(NULL, SLICE);
        const size_t mine = (size_t)(shards / ranks), slices = (size_t)(SLICES / ranks);
        const size_t to_one = mine * slices * packet; /* bytes from this rank to another one, and back */
        const size_t sent = (size_t)(ranks - 1) * (to_one + slices * packet);
        /* What a ring all-reduce of floats sends: 2 (R - 1) / R of the array. */
        const size_t in_floats = 2 * (size_t)(ranks - 1) * (sizeof(float) * PARAMS) / (size_t)ranks;
        uint8_t *out = (uint8_t *)room((size_t)ranks, to_one), *in = (uint8_t *)room((size_t)ranks, to_one);
        uint8_t *own = (uint8_t *)room(slices, packet), *means = (uint8_t *)room(SLICES, packet);
        uint8_t *residuals = (uint8_t *)room(mine * SLICES, kept), *mean_residuals = (uint8_t *)room(slices, kept);
        int64_t *sums = (int64_t *)room(SLICE, sizeof *sums);
        float *p = (float *)room(ALL, sizeof *p), *g = (float *)room(ALL, sizeof *g);
        float *mean = (float *)room(ALL, sizeof *mean);
        /* A group for each slice: the bodies of its packets are the packed gradient of the optimizer. */
        const hq_optimizer_group slice_of_all = {1, SLICE, 0.1f, INFINITY};
        hq_optimizer_group groups[SLICES] = {{1, SLICE, 0.1f, INFINITY}};
        const size_t body = packet - HQ_GRADIENT_PACKET_HEADER_SIZE;
        uint8_t *gradient = (uint8_t *)room(SLICES, body);
        size_t memory_size, scratch_size;
        void *memory, *scratch;
        hq_optimizer_state state;
        uint32_t dice = 1, batch[BATCH];
        uint64_t step;
        size_t s, k, b;
        for (k = 0; k < SLICES; k++) groups[k] = slice_of_all;
        memory_size = hq_optimizer_memory_size(NULL, groups, SLICES);
        memory = room(memory_size, 1);
        scratch_size = hq_optimizer_workspace_size(NULL, groups, SLICES, NULL);
        if (scratch_size < hq_gradient_packet_workspace_size(SLICE)) {
            scratch_size = hq_gradient_packet_workspace_size(SLICE);
        }
        scratch = room(scratch_size, 1);
        for (k = 0; k < PARAMS; k++) {
            const float spread = k < HIDDEN * (INPUTS + 1) ? 0.2f : 0.25f;
            p[k] = spread * ((float)random32(&dice) / 8388608.0f - 1.0f);
        }
        check(hq_optimizer_start(NULL, groups, SLICES, &state, memory, memory_size), "start");

        for (step = 0; step < STEPS; step++) {
            hq_gradient_tag tag = {0, 0, 0, 1};
            tag.step = step;
            for (b = 0; b < BATCH; b++) batch[b] = random32(&dice) % (uint32_t)training.count;
            memset(mean, 0, ALL * sizeof *mean);
            for (s = 0; s < mine; s++) {
                const size_t images = BATCH / (size_t)shards, shard = (size_t)rank * mine + s;
                memset(g, 0, ALL * sizeof *g);
                for (b = 0; b < images; b++) {
                    const size_t n = batch[shard * images + b];
                    backward(p, training.pixels[n], training.label[n], 1.0f / (float)images, g);
                }
                tag.shard = (uint32_t)shard;
                for (k = 0; k < SLICES && !fp32; k++) {
                    /* For its owner: slice after slice, shard after shard. */
                    uint8_t *to = out + (k / slices) * to_one + ((k % slices) * mine + s) * packet;
                    tag.first = k * SLICE;
                    check(hq_gradient_packet_encode(NULL, &tag, g + k * SLICE, SLICE, residuals + (s * SLICES + k) * kept,
                                                    kept, to, packet, NULL, scratch, scratch_size),
                          "encode");
                }
                for (k = 0; k < ALL && fp32; k++) mean[k] += g[k] / (float)shards;
            }
            if (fp32) {
                MPI_Allreduce(MPI_IN_PLACE, mean, ALL, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            } else {
                MPI_Alltoall(out, (int)to_one, MPI_BYTE, in, (int)to_one, MPI_BYTE, MPI_COMM_WORLD);
                tag.shard = (uint32_t)shards; /* the mean of all */
                for (k = 0; k < slices; k++) {
                    hq_gradient_sums of;
                    tag.first = ((size_t)rank * slices + k) * SLICE;
                    memset(sums, 0, SLICE * sizeof *sums);
                    check(hq_gradient_sums_init(step, tag.first, -34, &of), "sums");
                    for (i = 0; i < ranks; i++) {
                        for (s = 0; s < mine; s++) {
                            check(hq_gradient_packet_merge(in + (size_t)i * to_one + (k * mine + s) * packet, packet, &of,
                                                           sums, SLICE),
                                  "merge");
                        }
                    }
                    check(hq_gradient_sums_finish(&of, sums, SLICE, g, SLICE), "mean");
                    check(hq_gradient_packet_encode(NULL, &tag, g, SLICE, mean_residuals + k * kept, kept,
                                                    own + k * packet, packet, NULL, scratch, scratch_size),
                          "encode the mean");
                }
                MPI_Allgather(own, (int)(slices * packet), MPI_BYTE, means, (int)(slices * packet), MPI_BYTE,
                              MPI_COMM_WORLD);
                for (k = 0; k < SLICES; k++) {
                    hq_gradient_packet info;
                    check(hq_gradient_packet_inspect(means + k * packet, packet, &info), "what came");
                    memcpy(gradient + k * body, means + k * packet + HQ_GRADIENT_PACKET_HEADER_SIZE, body);
                }
            }
            for (k = 0; k < SLICES; k++) {
                groups[k].learning_rate = slice_of_all.learning_rate * (1.0f - (float)step / STEPS);
            }
            if (fp32) {
                check(hq_optimizer_step(NULL, groups, SLICES, &state, memory, memory_size, mean, ALL, NULL, NULL, p, ALL,
                                        NULL, NULL, scratch, scratch_size),
                      "step");
            } else {
                check(hq_optimizer_step_packed(NULL, groups, SLICES, &state, memory, memory_size, gradient,
                                               SLICES * body, NULL, NULL, p, ALL, NULL, NULL, scratch, scratch_size),
                      "step");
            }
        }

        if (rank == 0) {
            printf("%.2f %% of %u training images, %.2f %% of %u held out\n", accuracy(p, &training),
                   (unsigned)training.count, accuracy(p, &held_out), (unsigned)held_out.count);
            printf("parameters %08lx\n", (unsigned long)crc32(p, PARAMS * sizeof *p));
            if (!fp32) {
                printf("%d shards; a packet of %d values: %u bytes, %.1f times fewer than floats\n", shards, SLICE,
                       (unsigned)packet, (double)(sizeof(float) * SLICE) / (double)packet);
            }
            if (!fp32 && ranks > 1) {
                printf("a rank sends in a step: %u bytes; in an all-reduce of floats %u: %.1f times fewer\n",
                       (unsigned)sent, (unsigned)in_floats, (double)in_floats / (double)sent);
            }
        }
        free(scratch);
        free(memory);
        free(gradient);
        free(mean);
        free(g);
        free(p);
        free(sums);
        free(mean_residuals);
        free(residuals);
        free(means);
        free(own);
        free(in);
        free(out);
    }
    MPI_Finalize();
    return 0;
}
