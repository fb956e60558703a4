/* The trust region, and the steps for it. */

static int32_t refuse(void *context, const float *v, float *out, size_t len) {
    (void)context, (void)v, (void)out, (void)len;
    return 7;
}

static int32_t poison(void *context, const float *v, float *out, size_t len) {
    (void)context, (void)v;
    while (len-- > 0) out[len] = (float)NAN;
    return 0;
}

static void trust_regions(void) {
    hq_trust_region *place = (hq_trust_region *)(void *)out.partial, region, wrong;
    hq_trust_outcome *outcome = (hq_trust_outcome *)(void *)out.f;
    size_t i;
    float *const constants[] = {&wrong.radius,     &wrong.min_radius, &wrong.max_radius, &wrong.accept_above,
                                &wrong.grow_above, &wrong.shrink,     &wrong.grow,       &wrong.boundary,
                                &wrong.guard,      &wrong.loss_scale, &wrong.shrink_below};
    EXPECT(HQ_OK, hq_trust_region_init(1.0f, place));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_trust_region_init(1.0f, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_trust_region_init(1.0f, ODD(hq_trust_region, place)));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_init(0.0f, place));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_init(-1.0f, place));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_init((float)NAN, place));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_init((float)INFINITY, place));

    EXPECT(HQ_OK, hq_trust_region_init(1.0f, &region));
    EXPECT(HQ_OK, hq_trust_region_update(&region, 2.0f, 1.0f, 1.0f, 1.0f, outcome));
    EXPECT(HQ_OK, hq_trust_region_update(&region, 2.0f, (float)NAN, 1.0f, 1.0f, outcome));
    EXPECT(HQ_OK, hq_trust_region_update(&region, 0.0f, 0.0f, 0.0f, 0.0f, outcome));
    SAME(3, (size_t)region.steps);
    SAME(2, (size_t)region.accepted);
    SAME(1, (size_t)region.refused);
    EXPECT(HQ_ERROR_NULL_POINTER, hq_trust_region_update(NULL, 2.0f, 1.0f, 1.0f, 1.0f, outcome));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_trust_region_update(&region, 2.0f, 1.0f, 1.0f, 1.0f, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_trust_region_update(&region, 2.0f, 1.0f, 1.0f, 1.0f, ODD(hq_trust_outcome, outcome)));
    EXPECT(HQ_ERROR_MISALIGNED, hq_trust_region_update(ODD(hq_trust_region, place), 2.0f, 1.0f, 1.0f, 1.0f, outcome));
    EXPECT(HQ_ERROR_OVERLAP,
           hq_trust_region_update(place, 2.0f, 1.0f, 1.0f, 1.0f, (hq_trust_outcome *)(void *)&place->steps));
    for (i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        wrong = region;
        *constants[i] = -1.0f;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_update(&wrong, 2.0f, 1.0f, 1.0f, 1.0f, outcome));
        SAME(3, (size_t)wrong.steps);
        *constants[i] = (float)NAN;
        EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_update(&wrong, 2.0f, 1.0f, 1.0f, 1.0f, outcome));
    }
    wrong = region;
    wrong.shrink_from_step = 2;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_update(&wrong, 2.0f, 1.0f, 1.0f, 1.0f, outcome));
    wrong = region;
    wrong.reserved = 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_trust_region_update(&wrong, 2.0f, 1.0f, 1.0f, 1.0f, outcome));
}

static void steihaug_steps(void) {
    static const float values[9] = {2.0f, 0.0f, 0.0f, 0.0f, 3.0f, 0.0f, 0.0f, 0.0f, 4.0f};
    hq_dense_hessian h, none;
    hq_steihaug_options options = {0.1f, 10}, loose = {1.1f, 10}, nan_options = {0.0f, 10};
    hq_steihaug_result *result = (hq_steihaug_result *)(void *)out.bytes, found;
    float *step = out.f, p[3];
    const size_t max = SIZE_MAX, need = hq_steihaug_workspace_size(3);
    h.values = values, h.values_len = 9;
    none.values = NULL, none.values_len = 9;
    nan_options.tolerance = (float)NAN;
    SAME(45, need);
    SAME(max, hq_steihaug_workspace_size(max / 8));

    EXPECT(HQ_OK, hq_hessian_dense(&h, x, step, 3));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_hessian_dense(NULL, x, step, 3));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_hessian_dense(&none, x, step, 3));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_hessian_dense(&h, NULL, step, 3));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_hessian_dense(&h, x, NULL, 3));
    EXPECT(HQ_ERROR_MISALIGNED, hq_hessian_dense(ODD(void, &h), x, step, 3));
    EXPECT(HQ_ERROR_MISALIGNED, hq_hessian_dense(&h, ODD(const float, x), step, 3));
    EXPECT(HQ_ERROR_OVERLAP, hq_hessian_dense(&h, step, step + 2, 3));
    EXPECT(HQ_ERROR_SHAPE, hq_hessian_dense(&h, x, step, 4));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_hessian_dense(&h, x, step, max / 2));

#define STEP(g, gn, ...) hq_steihaug(g, gn, __VA_ARGS__)
#define DENSE hq_hessian_dense, &h
    EXPECT(HQ_OK, STEP(x, 3, DENSE, 1.0f, &options, step, 3, result, scratch + 1, need));
    EXPECT(HQ_OK, STEP(x, 3, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_OK, STEP(NULL, 0, DENSE, 1.0f, NULL, NULL, 0, result, scratch + 1, 0));
    EXPECT(HQ_OK, STEP(x, 3, refuse, NULL, 1.0f, NULL, p, 3, &found, scratch + 1, need));
    SAME(HQ_STEIHAUG_HESSIAN, (size_t)found.stop);
    SAME(1, p[0] == 0.0f && p[1] == 0.0f && p[2] == 0.0f && found.predicted == 0.0f);
    EXPECT(HQ_OK, STEP(x, 3, poison, NULL, 1.0f, NULL, p, 3, &found, scratch + 1, need));
    SAME(HQ_STEIHAUG_HESSIAN, (size_t)found.stop);
    EXPECT(HQ_ERROR_NULL_POINTER, STEP(x, 3, NULL, NULL, 1.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_NULL_POINTER, STEP(NULL, 3, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_NULL_POINTER, STEP(x, 3, DENSE, 1.0f, NULL, NULL, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_NULL_POINTER, STEP(x, 3, DENSE, 1.0f, NULL, step, 3, NULL, scratch + 1, need));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_steihaug(x, 3, DENSE, 1.0f, NULL, step, 3, result, NULL, need));
    EXPECT(HQ_ERROR_MISALIGNED, STEP(ODD(const float, x), 3, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_MISALIGNED, STEP(x, 3, DENSE, 1.0f, NULL, ODD(float, step), 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_MISALIGNED, STEP(x, 3, DENSE, 1.0f, ODD(hq_steihaug_options, &options), step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_OVERLAP, STEP(step, 3, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_OVERLAP, STEP(x, 3, DENSE, 1.0f, NULL, step, 3, (hq_steihaug_result *)(void *)(step + 2), scratch + 1, need));
    EXPECT(HQ_ERROR_OVERLAP, hq_steihaug(x, 3, DENSE, 1.0f, NULL, step, 3, result, step, need));
    EXPECT(HQ_ERROR_SHAPE, STEP(x, 3, DENSE, 1.0f, NULL, step, 4, result, scratch + 1, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, STEP(x, 3, DENSE, 0.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, STEP(x, 3, DENSE, (float)NAN, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, STEP(x, 3, DENSE, (float)INFINITY, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, STEP(x, 3, DENSE, 1.0f, &loose, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, STEP(x, 3, DENSE, 1.0f, &nan_options, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, STEP(x, 3, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, 35));
    EXPECT(HQ_ERROR_NON_FINITE, STEP(bad + 6, 3, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, need));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, STEP(x, max / 2, DENSE, 1.0f, NULL, step, 3, result, scratch + 1, need));
#undef DENSE
#undef STEP
}
