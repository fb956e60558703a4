/* Whole steps of training through the C interface: gather a batch, forward, loss, backward, update. Python calls `run` once
 * for many of them, as a C program would make them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hybridq.h"

enum { LAYERS = 3, ARRAYS = 4 };

typedef struct trainer {
    hq_layer net[LAYERS];
    hq_layers_pass pass;
    hq_optimizer_options options;
    hq_optimizer_group groups[ARRAYS];
    hq_optimizer_state state;
    float *memory, *input, *output, *output_gradient, *parameters, *gradient, *saved;
    uint8_t *scratch;
    uint32_t *labels;
    size_t inputs, classes, batch, parameters_len, memory_size, scratch_size;
} trainer;

/* A network inputs-hidden-classes with biases and a ReLU, and NadamW without decay. The memory stays until the process
 * ends. */
trainer *make(size_t inputs, size_t hidden, size_t classes, size_t batch, int ternary, float rate) {
    trainer *t = calloc(1, sizeof *t);
    size_t i, step_scratch;
    if (!t) return NULL;
    t->inputs = inputs, t->classes = classes, t->batch = batch;
    t->net[0].kind = &hq_layer_linear, t->net[0].inputs = inputs, t->net[0].outputs = hidden;
    t->net[1].kind = &hq_layer_activation, t->net[1].inputs = hidden;
    t->net[2].kind = &hq_layer_linear, t->net[2].inputs = hidden, t->net[2].outputs = classes;
    for (i = 0; i < LAYERS; i += 2) {
        t->net[i].bias = 1;
        t->net[i].weights = ternary ? HQ_WEIGHTS_TERNARY : HQ_WEIGHTS_FLOAT;
        t->net[i].fit = ternary ? HQ_FIT_ABSMEAN : 0;
        t->net[i].activations = ternary ? HQ_ACTIVATIONS_INT8 : HQ_ACTIVATIONS_FLOAT;
    }
    for (i = 0; i < ARRAYS; i++) {
        hq_layer_array array;
        if (hq_layers_array(t->net, LAYERS, i, &array) != HQ_OK) return NULL;
        t->groups[i].rows = array.rows, t->groups[i].cols = array.cols;
        t->groups[i].learning_rate = rate, t->groups[i].radius = INFINITY;
    }
    if (hq_optimizer_options_default(&t->options) != HQ_OK) return NULL;
    t->options.base = HQ_BASE_NADAMW, t->options.weight_decay = 0.0f, t->options.clip_norm = INFINITY;
    t->parameters_len = hq_layers_parameters_len(t->net, LAYERS);
    t->memory_size = hq_optimizer_memory_size(&t->options, t->groups, ARRAYS);
    t->scratch_size = hq_layers_workspace_size(t->net, LAYERS, batch);
    step_scratch = hq_optimizer_workspace_size(&t->options, t->groups, ARRAYS, NULL);
    if (step_scratch > t->scratch_size) t->scratch_size = step_scratch;
    t->memory = malloc(t->memory_size);
    t->scratch = malloc(t->scratch_size);
    t->parameters = malloc(4 * t->parameters_len);
    t->gradient = malloc(4 * t->parameters_len);
    t->input = malloc(4 * batch * inputs);
    t->labels = malloc(4 * batch);
    t->output = malloc(4 * batch * classes);
    t->output_gradient = malloc(4 * batch * classes);
    t->pass.saved_len = hq_layers_saved_len(t->net, LAYERS, batch);
    t->saved = malloc(4 * t->pass.saved_len);
    if (!t->memory || !t->scratch || !t->parameters || !t->gradient || !t->input || !t->labels || !t->output ||
        !t->output_gradient || !t->saved ||
        hq_optimizer_start(&t->options, t->groups, ARRAYS, &t->state, t->memory, t->memory_size) != HQ_OK ||
        hq_layers_start(t->net, LAYERS, 1, t->parameters, t->parameters_len) != HQ_OK) {
        return NULL;
    }
    t->pass.layers = t->net, t->pass.layers_len = LAYERS, t->pass.batch = batch;
    t->pass.parameters = t->parameters, t->pass.parameters_len = t->parameters_len;
    t->pass.input = t->input, t->pass.input_len = batch * inputs;
    t->pass.output = t->output, t->pass.output_len = batch * classes;
    t->pass.saved = t->saved;
    t->pass.scratch = t->scratch, t->pass.scratch_size = t->scratch_size;
    return t;
}

float *parameters(trainer *t, size_t *len) {
    *len = t->parameters_len;
    return t->parameters;
}

/* One step for each row of `order`, which has a batch of sample numbers in each; the loss of the last one. */
hq_status run(trainer *t, const float *samples, const uint32_t *labels, const uint32_t *order, size_t steps, float *loss) {
    hq_status status = HQ_OK;
    size_t step, i;
    for (step = 0; step < steps && status == HQ_OK; step++, order += t->batch) {
        for (i = 0; i < t->batch; i++) {
            memcpy(t->input + i * t->inputs, samples + order[i] * t->inputs, 4 * t->inputs);
            t->labels[i] = labels[order[i]];
        }
        memset(t->gradient, 0, 4 * t->parameters_len);
        status = hq_layers_forward(&t->pass);
        if (status == HQ_OK) {
            status = hq_loss_cross_entropy(t->classes, t->output, t->batch * t->classes, t->labels, t->batch, NULL, 0,
                                           t->output_gradient, t->batch * t->classes, loss);
        }
        if (status == HQ_OK) {
            status = hq_layers_backward(&t->pass, t->output_gradient, t->batch * t->classes, NULL, 0, t->gradient,
                                        t->parameters_len);
        }
        if (status == HQ_OK) {
            status = hq_optimizer_step(&t->options, t->groups, ARRAYS, &t->state, t->memory, t->memory_size, t->gradient,
                                       t->parameters_len, NULL, NULL, t->parameters, t->parameters_len, NULL, NULL,
                                       t->scratch, t->scratch_size);
        }
    }
    return status;
}
