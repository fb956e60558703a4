/* Trains a network of 64 hidden neurons on handwritten digits: once in float, once with ternary weights and int8
 * activations, by the same recipe.
 *
 *   train_mlp TRAIN.csv TEST.csv
 *
 * Each line of the CSVs is the label and 64 integers 0..16. A network is an array of layers; this program owns all memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hybridq.h"

enum { PIXELS = 64, HIDDEN = 64, CLASSES = 10, BATCH = 32, EPOCHS = 60, MOST = 2000, LAYERS = 5, ARRAYS = 5 };
enum { PARAMETERS = HIDDEN * PIXELS + HIDDEN + HIDDEN + CLASSES * HIDDEN + CLASSES };

#define RATE 0.02f

typedef struct digits {
    float pixels[MOST][PIXELS];
    uint32_t labels[MOST];
    int count;
} digits;

static digits train_set, test_set;
static float parameters[PARAMETERS], gradient[PARAMETERS];
static float memory[2 * PARAMETERS];     /* the two moments of the optimizer */
static float saved[MOST * 264];          /* what forward leaves for backward */
static uint8_t scratch[4 * 1024 * 1024]; /* of every function in turn */
static float output[MOST * CLASSES], output_gradient[BATCH * CLASSES];

static int read_digits(const char *path, digits *to) {
    char line[512];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 0;
    }
    while (to->count < MOST && fgets(line, sizeof line, file)) {
        char *at = line, *end;
        int i;
        to->labels[to->count] = (uint32_t)strtol(at, &end, 10);
        for (i = 0; i < PIXELS && *end == ','; i++) {
            at = end + 1;
            to->pixels[to->count][i] = (float)strtol(at, &end, 10) / 16.0f;
        }
        if (i != PIXELS || end == at) {
            fprintf(stderr, "%s:%d: expected a label and %d pixels\n", path, to->count + 1, PIXELS);
            fclose(file);
            return 0;
        }
        to->count++;
    }
    fclose(file);
    return to->count > 0;
}

static uint32_t below(uint64_t *state, uint32_t n) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

/* The mean loss of the last epoch. */
static hq_status train(const hq_layer *net, float *loss) {
    hq_optimizer_group groups[ARRAYS];
    hq_optimizer_options options;
    hq_optimizer_state state;
    hq_optimizer_report report;
    static float input[BATCH][PIXELS];
    static int order[MOST];
    uint32_t labels[BATCH];
    uint64_t random = 1;
    hq_layers_pass pass = {0};
    hq_status status = hq_layers_check(net, LAYERS);
    const int batches = train_set.count / BATCH;
    int epoch, i, j;

    if (status != HQ_OK) {
        fprintf(stderr, "layer %u\n", (unsigned)hq_layers_misfit(net, LAYERS));
        return status;
    }
    if (hq_layers_parameters_len(net, LAYERS) != PARAMETERS || hq_layers_arrays_len(net, LAYERS) != ARRAYS ||
        hq_layers_saved_len(net, LAYERS, MOST) > sizeof saved / sizeof saved[0] ||
        hq_layers_workspace_size(net, LAYERS, MOST) > sizeof scratch) {
        return HQ_ERROR_SHAPE;
    }
    for (i = 0; i < ARRAYS && status == HQ_OK; i++) {
        hq_layer_array array;
        status = hq_layers_array(net, LAYERS, (size_t)i, &array);
        if (status != HQ_OK) return status;
        groups[i].rows = array.rows;
        groups[i].cols = array.cols;
        groups[i].radius = INFINITY;
    }
    status = hq_optimizer_options_default(&options);
    options.base = HQ_BASE_NADAMW;
    options.weight_decay = 0.05f;
    if (status == HQ_OK) status = hq_layers_start(net, LAYERS, 1, parameters, PARAMETERS);
    if (status == HQ_OK) status = hq_optimizer_start(&options, groups, ARRAYS, &state, memory, sizeof memory);

    pass.layers = net, pass.layers_len = LAYERS, pass.batch = BATCH;
    pass.parameters = parameters, pass.parameters_len = PARAMETERS;
    pass.input = input[0], pass.input_len = BATCH * PIXELS;
    pass.output = output, pass.output_len = BATCH * CLASSES;
    pass.saved = saved, pass.saved_len = sizeof saved / sizeof saved[0];
    pass.scratch = scratch, pass.scratch_size = sizeof scratch;
    for (i = 0; i < train_set.count; i++) order[i] = i;
    for (epoch = 0; epoch < EPOCHS; epoch++) {
        *loss = 0.0f;
        for (i = train_set.count - 1; i > 0; i--) {
            const int other = (int)below(&random, (uint32_t)i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (i = 0; i < batches && status == HQ_OK; i++) {
            const float done = (float)(epoch * batches + i) / (float)(EPOCHS * batches);
            float value = 0.0f;
            for (j = 0; j < BATCH; j++) {
                memcpy(input[j], train_set.pixels[order[i * BATCH + j]], sizeof input[j]);
                labels[j] = train_set.labels[order[i * BATCH + j]];
            }
            status = hq_layers_forward(&pass);
            if (status == HQ_OK) {
                status = hq_loss_cross_entropy(CLASSES, output, BATCH * CLASSES, labels, BATCH, NULL, 0, output_gradient,
                                               BATCH * CLASSES, &value);
            }
            memset(gradient, 0, sizeof gradient);
            if (status == HQ_OK) {
                status = hq_layers_backward(&pass, output_gradient, BATCH * CLASSES, NULL, 0, gradient, PARAMETERS);
            }
            /* From 1 to 0 with slope 0 at both ends. */
            for (j = 0; j < ARRAYS; j++) groups[j].learning_rate = RATE * (1.0f - done * done * (3.0f - 2.0f * done));
            if (status == HQ_OK) {
                status = hq_optimizer_step(&options, groups, ARRAYS, &state, memory, sizeof memory, gradient, PARAMETERS,
                                           NULL, NULL, parameters, PARAMETERS, NULL, &report, scratch, sizeof scratch);
            }
            *loss += value / (float)batches;
        }
    }
    return status;
}

/* Test images whose largest output is that of their label. */
static hq_status right_of(const hq_layer *net, int *right) {
    hq_layers_pass pass = {0};
    hq_status status;
    int i, c;
    pass.layers = net, pass.layers_len = LAYERS, pass.batch = (size_t)test_set.count;
    pass.parameters = parameters, pass.parameters_len = PARAMETERS;
    pass.input = test_set.pixels[0], pass.input_len = (size_t)test_set.count * PIXELS;
    pass.output = output, pass.output_len = sizeof output / sizeof output[0];
    pass.saved = saved, pass.saved_len = sizeof saved / sizeof saved[0];
    pass.scratch = scratch, pass.scratch_size = sizeof scratch;
    status = hq_layers_forward(&pass);
    *right = 0;
    for (i = 0; i < test_set.count && status == HQ_OK; i++) {
        const float *score = output + i * CLASSES;
        int best = 0;
        for (c = 1; c < CLASSES; c++) best = score[c] > score[best] ? c : best;
        *right += (uint32_t)best == test_set.labels[i];
    }
    return status;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"float", "ternary"};
    int form, all = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: %s TRAIN.csv TEST.csv\n", argv[0]);
        return 2;
    }
    if (!read_digits(argv[1], &train_set) || !read_digits(argv[2], &test_set)) return 2;
    for (form = 0; form < 2; form++) {
        const int32_t weights = form ? HQ_WEIGHTS_TERNARY : HQ_WEIGHTS_FLOAT, fit = form ? HQ_FIT_ABSMEAN : 0;
        const int32_t activations = form ? HQ_ACTIVATIONS_INT8 : HQ_ACTIVATIONS_FLOAT;
        const hq_layer net[LAYERS] = {
            {.kind = &hq_layer_rms_norm, .inputs = PIXELS},
            {.kind = &hq_layer_linear,
             .inputs = PIXELS,
             .outputs = HIDDEN,
             .bias = 1,
             .weights = weights,
             .fit = fit,
             .activations = activations},
            {.kind = &hq_layer_rms_norm, .inputs = HIDDEN, .gain = 1},
            {.kind = &hq_layer_activation, .inputs = HIDDEN, .curve = HQ_CURVE_RELU},
            {.kind = &hq_layer_linear,
             .inputs = HIDDEN,
             .outputs = CLASSES,
             .bias = 1,
             .weights = weights,
             .fit = fit,
             .activations = activations},
        };
        float loss = 0.0f;
        int right = 0;
        hq_status status = train(net, &loss);
        if (status == HQ_OK) status = right_of(net, &right);
        if (status != HQ_OK) {
            fprintf(stderr, "hybridq: %s\n", hq_status_string(status));
            return 1;
        }
        printf("%-8s trained %.2f %% of %d images, loss %.4f\n", names[form], 100.0 * right / test_set.count,
               test_set.count, (double)loss);
        all = all && right * 100 > test_set.count * 95;
    }
    return all ? 0 : 1;
}
