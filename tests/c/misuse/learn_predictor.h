/* The predictor. Its state is in and out, so that it stands in the guarded arena only where nothing may be written. */

static void predictors(void) {
    static hq_predictor state, wrong;
    static hq_predictor room[1];
    static float weights[146], slope[146];
    hq_predictor *inside = (hq_predictor *)(void *)&out;
    hq_predictor_observation seen, odd;
    hq_counterfactual losses = {2.0f, 1.9f, 1.8f, 1.9f, 1.8f, 1}, strange;
    hq_prediction *made = (hq_prediction *)(void *)out.f, kept, bent;
    float *const options[] = {&wrong.options.lowest[0], &wrong.options.highest[1], &wrong.options.probe_factor,
                              &wrong.options.rate,      &wrong.options.decay,      &wrong.options.confidence,
                              &wrong.options.indifference};
    float *y = out.f;
    int32_t *flag = (int32_t *)(void *)out.f;
    size_t i;

    EXPECT(HQ_OK, hq_predictor_init(1, NULL, 0, room));
    memcpy(weights, room->weights, sizeof weights);
    EXPECT(HQ_OK, hq_predictor_init(1, weights, 146, room));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_init(1, NULL, 0, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_init(1, NULL, 146, inside));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_init(1, NULL, 0, ODD(hq_predictor, inside)));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_init(1, ODD(const float, weights), 145, inside));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_init(1, room->weights, 146, room));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_init(1, weights, 145, inside));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_predictor_init(1, weights, SIZE_MAX / 2, inside));
    EXPECT(HQ_ERROR_NON_FINITE, hq_predictor_init(1, bad, 146, inside));
    EXPECT(HQ_OK, hq_predictor_trained(slope, 146));
    EXPECT(HQ_OK, hq_predictor_init(1, slope, 146, room));
    SAME(1, memcmp(slope, room->weights, sizeof slope) == 0);
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_trained(NULL, 146));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_trained(ODD(float, y), 146));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_trained(y, 145));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_trained(y, 0));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_predictor_trained(y, SIZE_MAX / 2));
    weights[9] = -2e6f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_init(1, weights, 146, inside));
    weights[9] = 0.5f;

    memset(&seen, 0, sizeof seen);
    seen.loss = 2.0f;
    seen.gradient_norm = (float)NAN;
    seen.loss_ratio = (float)INFINITY;
    EXPECT(HQ_OK, hq_predictor_init(1, NULL, 0, &state));
    EXPECT(HQ_OK, hq_predictor_predict(&state, &seen, &kept));
    SAME(1, kept.learning_rate == 1.0f && kept.radius == 1.0f && kept.probe == 1 && kept.held == 0);
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_predict(NULL, &seen, made));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_predict(&state, NULL, made));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_predict(&state, &seen, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_predict(ODD(hq_predictor, &state), &seen, made));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_predict(&state, ODD(const hq_predictor_observation, &seen), made));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_predict(&state, &seen, ODD(hq_prediction, made)));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_predict(&state, &seen, (hq_prediction *)(void *)state.weights));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_predict(&state, (hq_predictor_observation *)(void *)&state.options, made));
    odd = seen;
    odd.reserved = 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_predict(&state, &odd, made));
    for (i = 0; i < sizeof options / sizeof options[0]; i++) {
        wrong = state;
        *options[i] = -0.5f;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_predict(&wrong, &seen, made));
        *options[i] = (float)NAN;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_predict(&wrong, &seen, made));
        SAME(1, wrong.statistics.steps == 1);
    }
    wrong = state;
    wrong.options.window = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_predict(&wrong, &seen, made));
    wrong = state;
    wrong.options.block = 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_predict(&wrong, &seen, made));
    wrong = state;
    wrong.weights[145] = (float)NAN;
    EXPECT(HQ_ERROR_NON_FINITE, hq_predictor_predict(&wrong, &seen, made));
    wrong.weights[145] = -2e6f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_predict(&wrong, &seen, made));
    wrong = state;
    wrong.memory[157] = 1;
    EXPECT(HQ_ERROR_CORRUPT, hq_predictor_predict(&wrong, &seen, made));
    memset(wrong.memory, 0xFF, sizeof wrong.memory);
    EXPECT(HQ_ERROR_NON_FINITE, hq_predictor_predict(&wrong, &seen, made));
    wrong = state;
    wrong.statistics.logs[1][0] = (float)INFINITY;
    EXPECT(HQ_ERROR_CORRUPT, hq_predictor_predict(&wrong, &seen, made));

#define ADAPT(p, m, l, to, n) hq_predictor_adapt(p, m, l, to, n)
    EXPECT(HQ_OK, ADAPT(&state, &kept, &losses, y, 2));
    SAME(1, state.statistics.compared == 1);
    EXPECT(HQ_ERROR_NULL_POINTER, ADAPT(NULL, &kept, &losses, y, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, ADAPT(&state, NULL, &losses, y, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, ADAPT(&state, &kept, NULL, y, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, ADAPT(&state, &kept, &losses, NULL, 2));
    EXPECT(HQ_ERROR_MISALIGNED, ADAPT(&state, ODD(const hq_prediction, &kept), &losses, y, 2));
    EXPECT(HQ_ERROR_MISALIGNED, ADAPT(&state, &kept, ODD(const hq_counterfactual, &losses), y, 2));
    EXPECT(HQ_ERROR_OVERLAP, ADAPT(&state, &kept, &losses, state.weights, 2));
    EXPECT(HQ_ERROR_OVERLAP, ADAPT(&state, &kept, &losses, kept.features, 2));
    EXPECT(HQ_ERROR_OVERLAP, ADAPT(&state, (const hq_prediction *)(const void *)state.weights, &losses, y, 2));
    EXPECT(HQ_ERROR_SHAPE, ADAPT(&state, &kept, &losses, y, 3));
    EXPECT(HQ_ERROR_SHAPE, ADAPT(&state, &kept, &losses, NULL, 0));
    strange = losses;
    strange.has_fresh = 2;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADAPT(&state, &kept, &strange, y, 2));
    bent = kept;
    bent.features[5] = (float)NAN;
    EXPECT(HQ_ERROR_NON_FINITE, ADAPT(&state, &bent, &losses, y, 2));
    bent.features[5] = 4.5f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADAPT(&state, &bent, &losses, y, 2));
    bent = kept;
    bent.alternative_radius = 0.0f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADAPT(&state, &bent, &losses, y, 2));
    bent = kept;
    bent.learning_rate = (float)INFINITY;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADAPT(&state, &bent, &losses, y, 2));
    bent = kept;
    bent.held = 2;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADAPT(&state, &bent, &losses, y, 2));
    bent = kept;
    bent.probe = -1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ADAPT(&state, &bent, &losses, y, 2));
    strange = losses;
    strange.before = (float)NAN; /* says nothing: counted, no error */
    EXPECT(HQ_OK, ADAPT(&state, &kept, &strange, y, 2));
    SAME(1, state.statistics.ignored == 1 && state.statistics.compared == 1);
#undef ADAPT

    EXPECT(HQ_OK, hq_predictor_feedback(&state, HQ_TRUST_REFUSED, (float)NAN, flag));
    EXPECT(HQ_OK, hq_predictor_feedback(&state, HQ_TRUST_ACCEPTED, 1.0f, flag));
    SAME(1, state.statistics.judged == 2 && state.statistics.accepted == 1);
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_predictor_feedback(&state, 3, 1.0f, flag));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_predictor_feedback(&state, -1, 1.0f, flag));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_feedback(NULL, HQ_TRUST_ACCEPTED, 1.0f, flag));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_feedback(&state, HQ_TRUST_ACCEPTED, 1.0f, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_feedback(&state, HQ_TRUST_ACCEPTED, 1.0f, ODD(int32_t, flag)));
    EXPECT(HQ_ERROR_OVERLAP,
           hq_predictor_feedback(&state, HQ_TRUST_ACCEPTED, 1.0f, (int32_t *)(void *)state.memory));
    wrong = state;
    wrong.options.good_steps = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_feedback(&wrong, HQ_TRUST_ACCEPTED, 1.0f, flag));
    SAME(1, wrong.statistics.judged == 2);

    EXPECT(HQ_OK, hq_predictor_forward(weights, 146, x, 6, y, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_forward(NULL, 146, x, 6, y, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_forward(weights, 146, NULL, 6, y, 2));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_forward(weights, 146, x, 6, NULL, 2));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_forward(weights, 146, ODD(const float, x), 6, y, 2));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_forward(weights, 146, x, 6, weights, 2));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_forward(weights, 146, y, 6, y + 5, 2));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_forward(weights, 147, x, 6, y, 2));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_forward(weights, 146, x, 5, y, 2));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_forward(weights, 146, x, 6, y, 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_predictor_forward(weights, SIZE_MAX / 2, x, 6, y, 2));
    EXPECT(HQ_ERROR_NON_FINITE, hq_predictor_forward(weights, 146, bad + 6, 6, y, 2));
    EXPECT(HQ_ERROR_NON_FINITE, hq_predictor_forward(bad, 146, x, 6, y, 2));
    weights[0] = 2e6f;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_forward(weights, 146, x, 6, y, 2));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_predictor_backward(weights, 146, x, 6, x, 2, slope, 146));
    weights[0] = 0.5f;

    EXPECT(HQ_OK, hq_predictor_backward(weights, 146, x, 6, x, 2, slope, 146));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_backward(NULL, 146, x, 6, x, 2, slope, 146));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_backward(weights, 146, NULL, 6, x, 2, slope, 146));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_backward(weights, 146, x, 6, NULL, 2, slope, 146));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_predictor_backward(weights, 146, x, 6, x, 2, NULL, 146));
    EXPECT(HQ_ERROR_MISALIGNED, hq_predictor_backward(weights, 146, x, 6, x, 2, ODD(float, slope), 145));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_backward(weights, 146, x, 6, x, 2, weights, 146));
    EXPECT(HQ_ERROR_OVERLAP, hq_predictor_backward(weights, 146, x, 6, slope + 4, 2, slope, 146));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_backward(weights, 146, x, 6, x, 3, slope, 146));
    EXPECT(HQ_ERROR_SHAPE, hq_predictor_backward(weights, 146, x, 6, x, 2, slope, 145));
    EXPECT(HQ_ERROR_NON_FINITE, hq_predictor_backward(weights, 146, x, 6, bad + 6, 2, slope, 146));
}
