/* Networks as arrays of layers, and losses. What forward leaves for backward counts as scratch, so it stands outside the
 * guarded arena. */

/* A network that is an array of one layer. */
static hq_status check_one(hq_layer layer) {
    return hq_layers_check(&layer, 1);
}

static void layer_fields(void) {
    static const hq_layer linear = {.kind = &hq_layer_linear, .inputs = 4, .outputs = 3};
    static const hq_layer conv = {.kind = &hq_layer_conv,
                                  .inputs = 2,
                                  .outputs = 3,
                                  .height = 5,
                                  .width = 6,
                                  .window = {3, 3},
                                  .padding = {1, 1}};
    static const hq_layer pool = {.kind = &hq_layer_pool, .inputs = 2, .height = 5, .width = 6, .window = {2, 2}};
    static const hq_layer norm = {.kind = &hq_layer_rms_norm, .inputs = 4};
    static const hq_layer curve = {.kind = &hq_layer_activation, .inputs = 4};
    static const hq_layer bias = {.kind = &hq_layer_bias, .inputs = 4};
    static const hq_layer words = {.kind = &hq_layer_embedding, .inputs = 7, .outputs = 4, .positions = 3};
    static const hq_layer attention = {.kind = &hq_layer_attention, .inputs = 4, .positions = 3, .heads = 2};
    static const double numbers[16] = {1.0};
    const hq_layer *const all[] = {&linear, &conv, &pool, &norm, &curve, &bias, &words, &attention};
    const size_t max = SIZE_MAX;
    hq_layer layer;
    size_t i;

    for (i = 0; i < sizeof all / sizeof all[0]; i++) {
        EXPECT(HQ_OK, check_one(*all[i]));
        SAME(max, hq_layers_misfit(all[i], 1));
/* One field changed. */
#define SPOIL(status, change) \
    layer = *all[i];          \
    change;                   \
    EXPECT(status, check_one(layer))
        SPOIL(HQ_ERROR_NULL_POINTER, layer.kind = NULL);
        SPOIL(HQ_ERROR_MISALIGNED, layer.kind = ODD(const hq_layer_kind, &hq_layer_linear));
        SPOIL(HQ_ERROR_UNKNOWN_ENUM, layer.kind = (const hq_layer_kind *)(const void *)numbers);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.reserved = 1);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.inputs = 0);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.epsilon = (float)NAN);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.epsilon = -1.0f);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.clip = 1.0f);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.fit = HQ_FIT_LLOYD);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.inverse_slope = 0.5f);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.bias = 2);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.gain = 2);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.residual = -1);
        SPOIL(all[i] == &linear || all[i] == &conv ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT, layer.bias = 1);
        SPOIL(all[i] == &norm ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT, layer.gain = 1);
        SPOIL(all[i] == &attention ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT, layer.residual = 1);
        SPOIL(all[i] == &curve ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT, layer.curve = HQ_CURVE_RELU_SQUARED);
        SPOIL(all[i] == &curve ? HQ_ERROR_UNKNOWN_ENUM : HQ_ERROR_INVALID_ARGUMENT, layer.curve = 2);
        SPOIL(all[i] == &pool ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT, layer.pooling = HQ_POOLING_MEAN);
        SPOIL(all[i] == &pool ? HQ_ERROR_UNKNOWN_ENUM : HQ_ERROR_INVALID_ARGUMENT, layer.pooling = -1);
        SPOIL(all[i] == &linear || all[i] == &conv ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT,
              layer.activations = HQ_ACTIVATIONS_INT8);
        SPOIL(all[i] == &linear || all[i] == &conv ? HQ_ERROR_UNKNOWN_ENUM : HQ_ERROR_INVALID_ARGUMENT,
              layer.activations = 2);
        if (all[i] == &linear || all[i] == &conv || all[i] == &attention) {
            SPOIL(HQ_OK, (layer.weights = HQ_WEIGHTS_TERNARY, layer.fit = HQ_FIT_ABSMEAN, layer.clip = 2.0f));
            SPOIL(HQ_OK, (layer.weights = HQ_WEIGHTS_TERNARY, layer.inverse_slope = 0.5f));
            SPOIL(HQ_ERROR_UNKNOWN_ENUM, layer.weights = 2);
            SPOIL(HQ_ERROR_UNKNOWN_ENUM, (layer.weights = HQ_WEIGHTS_TERNARY, layer.fit = 99));
            SPOIL(HQ_ERROR_UNSUPPORTED, (layer.weights = HQ_WEIGHTS_TERNARY, layer.fit = HQ_FIT_MINMAX));
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, (layer.weights = HQ_WEIGHTS_TERNARY, layer.clip = -1.0f));
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, (layer.weights = HQ_WEIGHTS_TERNARY, layer.clip = (float)NAN));
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, (layer.weights = HQ_WEIGHTS_TERNARY, layer.inverse_slope = 1.5f));
        } else {
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.weights = HQ_WEIGHTS_TERNARY);
        }
        if (all[i] == &conv || all[i] == &pool) {
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.window[0] = 0);
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.window[1] = 9);
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.width = 0);
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.padding[0] = 3);
            SPOIL(HQ_OK, layer.stride[0] = 2);
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.positions = 1);
        } else {
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.width = 1);
            SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.stride[1] = 1);
            SPOIL(HQ_OK, layer.positions = 2);
            SPOIL(HQ_ERROR_SIZE_OVERFLOW, layer.positions = max);
        }
        SPOIL(all[i] == &attention ? HQ_OK : HQ_ERROR_INVALID_ARGUMENT, layer.heads = 1);
        SPOIL(HQ_ERROR_INVALID_ARGUMENT, layer.heads = 3);
    }
#undef SPOIL
}

static void layers(void) {
    enum { IN = 6, HIDDEN = 5, OUT = 3, BATCH = 4, PARAMETERS = IN * HIDDEN + HIDDEN * OUT + OUT };
    hq_layer net[] = {
        {.kind = &hq_layer_linear,
         .inputs = IN,
         .outputs = HIDDEN,
         .weights = HQ_WEIGHTS_TERNARY,
         .activations = HQ_ACTIVATIONS_INT8},
        {.kind = &hq_layer_activation, .inputs = HIDDEN},
        {.kind = &hq_layer_linear, .inputs = HIDDEN, .outputs = OUT, .bias = 1},
    };
    static float parameters[PARAMETERS], saved[128], by_input[IN * BATCH];
    static uint8_t room[65536];
    const size_t max = SIZE_MAX, size = sizeof room - 1;
    const size_t held = hq_layers_saved_len(net, 3, BATCH);
    hq_layer_array *array = (hq_layer_array *)(void *)out.partial;
    hq_layers_pass usual, pass;

    layer_fields();

    EXPECT(HQ_OK, hq_layers_check(net, 3));
    SAME(max, hq_layers_misfit(net, 3));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_layers_check(net, 0));
    SAME(0, hq_layers_misfit(net, 0));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_check(NULL, 3));
    SAME(0, hq_layers_misfit(NULL, 3));
    EXPECT(HQ_ERROR_MISALIGNED, hq_layers_check(ODD(const hq_layer, net), 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_layers_check(net, max / 16));
    net[1].inputs = 4;
    EXPECT(HQ_ERROR_SHAPE, hq_layers_check(net, 3));
    SAME(1, hq_layers_misfit(net, 3));
    SAME(max, hq_layers_input_len(net, 3));
    SAME(max, hq_layers_output_len(net, 3));
    SAME(max, hq_layers_parameters_len(net, 3));
    SAME(max, hq_layers_arrays_len(net, 3));
    SAME(max, hq_layers_saved_len(net, 3, BATCH));
    SAME(max, hq_layers_workspace_size(net, 3, BATCH));
    net[1].inputs = HIDDEN;
    net[2].curve = 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_layers_check(net, 3));
    SAME(2, hq_layers_misfit(net, 3));
    net[2].curve = 0;

    SAME(IN, hq_layers_input_len(net, 3));
    SAME(OUT, hq_layers_output_len(net, 3));
    SAME(PARAMETERS, hq_layers_parameters_len(net, 3));
    SAME(3, hq_layers_arrays_len(net, 3));
    SAME(HIDDEN * (IN + 1) + 2 * BATCH * HIDDEN, held);
    SAME(max, hq_layers_saved_len(net, 3, max));
    SAME(max, hq_layers_workspace_size(net, 3, max));
    EXPECT(HQ_OK, held <= 128 && hq_layers_workspace_size(net, 3, BATCH) <= size ? HQ_OK : HQ_ERROR_SHAPE);

    EXPECT(HQ_OK, hq_layers_array(net, 3, 2, array));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_layers_array(net, 3, 3, array));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_layers_array(net, 3, max, array));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_array(net, 3, 0, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_array(NULL, 3, 0, array));
    EXPECT(HQ_ERROR_MISALIGNED, hq_layers_array(net, 3, 0, ODD(hq_layer_array, array)));
    EXPECT(HQ_ERROR_OVERLAP, hq_layers_array(net, 3, 0, (hq_layer_array *)(void *)&net[1]));

    EXPECT(HQ_OK, hq_layers_start(net, 3, 1, parameters, PARAMETERS));
    EXPECT(HQ_ERROR_SHAPE, hq_layers_start(net, 3, 1, out.f, PARAMETERS - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_start(net, 3, 1, NULL, PARAMETERS));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_start(NULL, 3, 1, out.f, PARAMETERS));
    EXPECT(HQ_ERROR_MISALIGNED, hq_layers_start(net, 3, 1, ODD(float, out.f), PARAMETERS));
    EXPECT(HQ_ERROR_OVERLAP, hq_layers_start(net, 3, 1, (float *)(void *)net, PARAMETERS));

    usual.layers = net;
    usual.layers_len = 3;
    usual.batch = BATCH;
    usual.parameters = parameters;
    usual.parameters_len = PARAMETERS;
    usual.input = x;
    usual.input_len = IN * BATCH;
    usual.output = out.f;
    usual.output_len = OUT * BATCH;
    usual.saved = saved;
    usual.saved_len = held;
    usual.scratch = room + 1;
    usual.scratch_size = size;
#define FORWARD(status, change) \
    pass = usual;               \
    change;                     \
    EXPECT(status, hq_layers_forward(&pass))
    FORWARD(HQ_OK, (void)0);
    FORWARD(HQ_OK, (pass.batch = 0, pass.input_len = 0, pass.input = NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_forward(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_layers_forward(ODD(const hq_layers_pass, &usual)));
    FORWARD(HQ_ERROR_NULL_POINTER, pass.layers = NULL);
    FORWARD(HQ_ERROR_NULL_POINTER, pass.parameters = NULL);
    FORWARD(HQ_ERROR_NULL_POINTER, pass.input = NULL);
    FORWARD(HQ_ERROR_NULL_POINTER, pass.output = NULL);
    FORWARD(HQ_ERROR_NULL_POINTER, pass.saved = NULL);
    FORWARD(HQ_ERROR_NULL_POINTER, pass.scratch = NULL);
    FORWARD(HQ_ERROR_MISALIGNED, pass.input = ODD(const float, x));
    FORWARD(HQ_ERROR_MISALIGNED, pass.saved = ODD(float, saved));
    FORWARD(HQ_ERROR_OVERLAP, pass.input = out.f);
    FORWARD(HQ_ERROR_OVERLAP, pass.saved = parameters);
    FORWARD(HQ_ERROR_OVERLAP, pass.scratch = saved);
    FORWARD(HQ_ERROR_OVERLAP, (pass.output = (float *)(void *)net));
    FORWARD(HQ_ERROR_INVALID_ARGUMENT, pass.layers_len = 0);
    FORWARD(HQ_ERROR_SHAPE, pass.layers_len = 2);
    FORWARD(HQ_ERROR_SHAPE, pass.parameters_len--);
    FORWARD(HQ_ERROR_SHAPE, pass.input_len--);
    FORWARD(HQ_ERROR_OUTPUT_TOO_SMALL, pass.output_len--);
    FORWARD(HQ_ERROR_OUTPUT_TOO_SMALL, pass.saved_len--);
    FORWARD(HQ_ERROR_WORKSPACE_TOO_SMALL, pass.scratch_size = 9);
    FORWARD(HQ_ERROR_SIZE_OVERFLOW, pass.batch = max);
    FORWARD(HQ_ERROR_NON_FINITE, pass.input = bad);
    parameters[0] = 1e30f;
    FORWARD(HQ_ERROR_SCALE_RANGE, (void)0);
    parameters[0] = (float)INFINITY;
    FORWARD(HQ_ERROR_NON_FINITE, (void)0);
    parameters[0] = 0.5f;

    usual.output = x + 400;
    EXPECT(HQ_OK, hq_layers_forward(&usual));
#define BACKWARD(status, change, ...) \
    pass = usual;                     \
    change;                           \
    EXPECT(status, hq_layers_backward(&pass, __VA_ARGS__))
#define G x + 100, OUT *BATCH
#define TO by_input, IN *BATCH
#define GRAD out.f, PARAMETERS
    BACKWARD(HQ_OK, (void)0, G, TO, GRAD);
    BACKWARD(HQ_OK, (void)0, G, NULL, 0, GRAD);
    EXPECT(HQ_ERROR_NULL_POINTER, hq_layers_backward(NULL, G, TO, GRAD));
    EXPECT(HQ_ERROR_MISALIGNED, hq_layers_backward(ODD(const hq_layers_pass, &usual), G, TO, GRAD));
    BACKWARD(HQ_ERROR_NULL_POINTER, pass.layers = NULL, G, TO, GRAD);
    BACKWARD(HQ_ERROR_NULL_POINTER, pass.output = NULL, G, TO, GRAD);
    BACKWARD(HQ_ERROR_NULL_POINTER, pass.saved = NULL, G, TO, GRAD);
    BACKWARD(HQ_ERROR_NULL_POINTER, (void)0, NULL, OUT * BATCH, TO, GRAD);
    BACKWARD(HQ_ERROR_NULL_POINTER, (void)0, G, NULL, IN * BATCH, GRAD);
    BACKWARD(HQ_ERROR_NULL_POINTER, (void)0, G, TO, NULL, PARAMETERS);
    BACKWARD(HQ_ERROR_MISALIGNED, (void)0, G, TO, ODD(float, out.f), PARAMETERS);
    BACKWARD(HQ_ERROR_OVERLAP, pass.saved = out.f, G, TO, GRAD);
    BACKWARD(HQ_ERROR_OVERLAP, pass.parameters = out.f, G, TO, GRAD);
    BACKWARD(HQ_ERROR_OVERLAP, (void)0, out.f, OUT * BATCH, TO, GRAD);
    BACKWARD(HQ_ERROR_OVERLAP, (void)0, G, out.f, IN * BATCH, GRAD);
    BACKWARD(HQ_ERROR_SHAPE, pass.output_len++, G, TO, GRAD);
    BACKWARD(HQ_ERROR_SHAPE, pass.saved_len--, G, TO, GRAD);
    BACKWARD(HQ_ERROR_SHAPE, pass.input_len--, G, TO, GRAD);
    BACKWARD(HQ_ERROR_SHAPE, pass.parameters_len++, G, TO, GRAD);
    BACKWARD(HQ_ERROR_SHAPE, (void)0, x + 100, OUT * BATCH + 1, TO, GRAD);
    BACKWARD(HQ_ERROR_OUTPUT_TOO_SMALL, (void)0, G, by_input, IN * BATCH - 1, GRAD);
    BACKWARD(HQ_ERROR_OUTPUT_TOO_SMALL, (void)0, G, TO, out.f, PARAMETERS - 1);
    BACKWARD(HQ_ERROR_WORKSPACE_TOO_SMALL, pass.scratch_size = 9, G, TO, GRAD);
    BACKWARD(HQ_ERROR_SIZE_OVERFLOW, pass.batch = max, G, TO, GRAD);
#undef GRAD
#undef TO
#undef G
#undef BACKWARD
#undef FORWARD
}

static void losses(void) {
    const uint32_t labels[3] = {0, 4, 2}, wrong[3] = {0, 1, 5};
    const float weights[3] = {1.0f, 0.0f, 2.0f}, negative[3] = {1.0f, -1.0f, 1.0f}, zeros[3] = {0.0f};
    const size_t max = SIZE_MAX;
    float *loss = (float *)(void *)out.partial;

    SAME(max, hq_loss_first_bad_label(5, labels, 3));
    SAME(2, hq_loss_first_bad_label(5, wrong, 3));
    SAME(max, hq_loss_first_bad_label(5, NULL, 3));

#define LOSS(status, ...) EXPECT(status, hq_loss_cross_entropy(5, __VA_ARGS__))
    LOSS(HQ_OK, x, 15, labels, 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_OK, x, 15, labels, 3, weights, 3, NULL, 0, loss);
    LOSS(HQ_ERROR_NULL_POINTER, NULL, 15, labels, 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, NULL, 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, labels, 3, NULL, 3, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, labels, 3, NULL, 0, NULL, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, labels, 3, NULL, 0, out.f, 15, NULL);
    LOSS(HQ_ERROR_MISALIGNED, x, 15, ODD(const uint32_t, labels), 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_ERROR_MISALIGNED, x, 15, labels, 3, NULL, 0, out.f, 15, ODD(float, loss));
    LOSS(HQ_ERROR_OVERLAP, out.f, 15, labels, 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_ERROR_OVERLAP, x, 15, labels, 3, NULL, 0, out.f, 15, out.f);
    LOSS(HQ_ERROR_SHAPE, x, 14, labels, 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_ERROR_SHAPE, x, 15, labels, 3, weights, 2, out.f, 15, loss);
    LOSS(HQ_ERROR_OUTPUT_TOO_SMALL, x, 15, labels, 3, NULL, 0, out.f, 14, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, x, 15, wrong, 3, NULL, 0, out.f, 15, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, x, 15, labels, 3, negative, 3, out.f, 15, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, x, 15, labels, 3, zeros, 3, out.f, 15, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, NULL, 0, NULL, 0, NULL, 0, NULL, 0, loss);
    LOSS(HQ_ERROR_NON_FINITE, bad, 15, labels, 3, NULL, 0, out.f, 15, loss);
#undef LOSS

#define LOSS(status, ...) EXPECT(status, hq_loss_mean_squared_error(__VA_ARGS__))
    LOSS(HQ_OK, x, 15, x + 20, 15, out.f, 15, loss);
    LOSS(HQ_OK, x, 15, x, 15, NULL, 0, loss);
    LOSS(HQ_ERROR_NULL_POINTER, NULL, 15, x, 15, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, NULL, 15, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, x, 15, NULL, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, x, 15, out.f, 15, NULL);
    LOSS(HQ_ERROR_MISALIGNED, ODD(const float, x), 15, x, 15, out.f, 15, loss);
    LOSS(HQ_ERROR_OVERLAP, x, 15, out.f, 15, out.f, 15, loss);
    LOSS(HQ_ERROR_SHAPE, x, 15, x, 14, out.f, 15, loss);
    LOSS(HQ_ERROR_OUTPUT_TOO_SMALL, x, 15, x, 15, out.f, 14, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, NULL, 0, NULL, 0, NULL, 0, loss);
    LOSS(HQ_ERROR_NON_FINITE, x, 15, bad, 15, out.f, 15, loss);
#undef LOSS

#define LOSS(status, ...) EXPECT(status, hq_loss_distillation(5, __VA_ARGS__))
    LOSS(HQ_OK, x, 15, x + 20, 15, 2.0f, out.f, 15, loss);
    LOSS(HQ_OK, x, 15, x, 15, 2.0f, NULL, 0, loss);
    LOSS(HQ_ERROR_NULL_POINTER, NULL, 15, x, 15, 2.0f, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, NULL, 15, 2.0f, out.f, 15, loss);
    LOSS(HQ_ERROR_NULL_POINTER, x, 15, x, 15, 2.0f, out.f, 15, NULL);
    LOSS(HQ_ERROR_MISALIGNED, x, 15, x, 15, 2.0f, ODD(float, out.f), 15, loss);
    LOSS(HQ_ERROR_OVERLAP, out.f, 15, x, 15, 2.0f, out.f, 15, loss);
    LOSS(HQ_ERROR_SHAPE, x, 15, x, 10, 2.0f, out.f, 15, loss);
    LOSS(HQ_ERROR_SHAPE, x, 14, x, 14, 2.0f, out.f, 15, loss);
    LOSS(HQ_ERROR_OUTPUT_TOO_SMALL, x, 15, x, 15, 2.0f, out.f, 14, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, x, 15, x, 15, 0.0f, out.f, 15, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, x, 15, x, 15, (float)NAN, out.f, 15, loss);
    LOSS(HQ_ERROR_INVALID_ARGUMENT, NULL, 0, NULL, 0, 2.0f, NULL, 0, loss);
    LOSS(HQ_ERROR_NON_FINITE, x, 15, bad, 15, 2.0f, out.f, 15, loss);
#undef LOSS
}
