/* Gradient packets. */

static void gradient_packets(void) {
    enum { N = 190, BODY = 4 + 38, SIZE = HQ_GRADIENT_PACKET_HEADER_SIZE + BODY };
    static uint8_t room[3 * 192 * 4 + 16], packet[SIZE], hostile[SIZE];
    static uint8_t kept[4 * N];
    static int64_t zeros[N];
    static float outside[N];
    hq_gradient_packet_options usual, options;
    hq_gradient_tag tag = {1, 2, 3, 4}, wrong;
    hq_gradient_packet info;
    hq_gradient_sums sums, other;
    const size_t max = SIZE_MAX;
    uint8_t *residual = out.bytes, *to = (uint8_t *)(void *)out.f;
    float *error = (float *)(void *)out.partial;
    hq_gradient_sums *held = (hq_gradient_sums *)(void *)out.partial;
    hq_gradient_packet *about = (hq_gradient_packet *)(void *)out.partial;
    int64_t *values = (int64_t *)(void *)out.f;
    size_t i;

    EXPECT(HQ_OK, sizeof out.bytes >= 4 * N && sizeof out.f >= 8 * N ? HQ_OK : HQ_ERROR_SHAPE);
    EXPECT(HQ_OK, hq_gradient_packet_options_init((hq_gradient_packet_options *)(void *)out.partial));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_gradient_packet_options_init(NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_gradient_packet_options_init(ODD(hq_gradient_packet_options, out.partial)));
    EXPECT(HQ_OK, hq_gradient_packet_options_init(&usual));

    SAME(SIZE, hq_gradient_packet_size(N));
    SAME(40, hq_gradient_packet_size(0));
    SAME(max, hq_gradient_packet_size(max));
    SAME(4 * N, hq_gradient_packet_residual_size(NULL, N));
    SAME(max, hq_gradient_packet_residual_size(NULL, max));
    SAME(max, hq_gradient_packet_residual_size(ODD(const hq_gradient_packet_options, &usual), N));
    SAME(sizeof room - 16 + 9, hq_gradient_packet_workspace_size(N));

    /* The residual stands in the guarded arena as zeros. */
#define ENCODE(...) hq_gradient_packet_encode(__VA_ARGS__)
#define ROOM room + 1, sizeof room - 1
#define R residual, 4 * N
#define P to, SIZE
    EXPECT(HQ_OK, ENCODE(NULL, &tag, x, N, kept, sizeof kept, P, error, ROOM));
    EXPECT(HQ_OK, ENCODE(&usual, &tag, x, N, kept, sizeof kept, packet, SIZE, NULL, ROOM));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(NULL, NULL, x, N, R, P, error, ROOM));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(NULL, &tag, NULL, N, R, P, error, ROOM));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(NULL, &tag, x, N, NULL, 4 * N, P, error, ROOM));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(NULL, &tag, x, N, R, NULL, SIZE, error, ROOM));
    EXPECT(HQ_ERROR_MISALIGNED, ENCODE(NULL, &tag, ODD(const float, x), N, R, P, error, ROOM));
    EXPECT(HQ_ERROR_MISALIGNED, ENCODE(NULL, ODD(const hq_gradient_tag, &tag), x, N, R, P, error, ROOM));
    EXPECT(HQ_ERROR_MISALIGNED, ENCODE(NULL, &tag, x, N, R, P, ODD(float, error), ROOM));
    EXPECT(HQ_ERROR_MISALIGNED, ENCODE(ODD(const hq_gradient_packet_options, &usual), &tag, x, N, R, P, error, ROOM));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(NULL, &tag, x, N, R, residual, SIZE, error, ROOM));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(NULL, &tag, out.f, N, R, P, error, ROOM));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(NULL, &tag, x, N, R, P, out.f, ROOM));
    EXPECT(HQ_ERROR_SHAPE, ENCODE(NULL, &tag, x, N, residual, 4 * N - 1, P, error, ROOM));
    EXPECT(HQ_ERROR_SHAPE, ENCODE(NULL, &tag, x, N, R, to, SIZE - 1, error, ROOM));
    EXPECT(HQ_ERROR_SHAPE, ENCODE(NULL, &tag, x, N - 1, R, P, error, ROOM));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, ENCODE(NULL, &tag, x, N, R, P, error, room, 100));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, ENCODE(NULL, &tag, x, max / 2, R, P, error, ROOM));
    EXPECT(HQ_ERROR_NON_FINITE, ENCODE(NULL, &tag, bad, N, kept, sizeof kept, P, error, ROOM));
    EXPECT(HQ_ERROR_SCALE_RANGE, ENCODE(NULL, &tag, huge_values, N, kept, sizeof kept, P, error, ROOM));
    wrong = tag;
    wrong.weight = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ENCODE(NULL, &wrong, x, N, R, P, error, ROOM));
    wrong.weight = HQ_GRADIENT_MAX_WEIGHT + 1;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, ENCODE(NULL, &wrong, x, N, R, P, error, ROOM));
#define WRONG(field, value, want)   \
    options = usual;                \
    options.field = value;          \
    EXPECT(want, ENCODE(&options, &tag, x, N, R, P, error, ROOM))
    WRONG(sigma, 0.0f, HQ_ERROR_INVALID_ARGUMENT);
    WRONG(sigma, (float)NAN, HQ_ERROR_INVALID_ARGUMENT);
    WRONG(unit, 61, HQ_ERROR_INVALID_ARGUMENT);
    WRONG(unit, -101, HQ_ERROR_INVALID_ARGUMENT);
    WRONG(reserved, 1, HQ_ERROR_INVALID_ARGUMENT);
    WRONG(residual, 5, HQ_ERROR_UNKNOWN_ENUM);
    WRONG(residual, HQ_STORAGE_TERNARY, HQ_ERROR_UNSUPPORTED);
#undef WRONG
#undef P
#undef R
#undef ROOM
#undef ENCODE

    EXPECT(HQ_OK, hq_gradient_packet_inspect(packet, SIZE, &info));
    SAME(N, (size_t)info.len);
    EXPECT(HQ_OK, hq_gradient_packet_inspect(packet, SIZE, about));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_gradient_packet_inspect(NULL, SIZE, about));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_gradient_packet_inspect(packet, SIZE, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_gradient_packet_inspect(packet, SIZE, ODD(hq_gradient_packet, about)));
    EXPECT(HQ_ERROR_OVERLAP, hq_gradient_packet_inspect((const uint8_t *)about, SIZE, about));
    EXPECT(HQ_ERROR_CORRUPT, hq_gradient_packet_inspect(packet, SIZE - 1, about));
    EXPECT(HQ_ERROR_CORRUPT, hq_gradient_packet_inspect(NULL, 0, about));

    EXPECT(HQ_OK, hq_gradient_packet_decode(packet, SIZE, out.f, N, about));
    EXPECT(HQ_OK, hq_gradient_packet_decode(packet, SIZE, out.f, N, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_gradient_packet_decode(packet, SIZE, NULL, N, about));
    EXPECT(HQ_ERROR_MISALIGNED, hq_gradient_packet_decode(packet, SIZE, ODD(float, out.f), N, about));
    EXPECT(HQ_ERROR_OVERLAP, hq_gradient_packet_decode(packet, SIZE, out.f, N, (hq_gradient_packet *)(void *)out.f));
    EXPECT(HQ_ERROR_SHAPE, hq_gradient_packet_decode(packet, SIZE, out.f, N - 1, about));

    EXPECT(HQ_ERROR_NULL_POINTER, hq_gradient_sums_init(1, 2, -34, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_gradient_sums_init(1, 2, -34, ODD(hq_gradient_sums, held)));
    EXPECT(HQ_OK, hq_gradient_sums_init(1, 2, -34, held));
    EXPECT(HQ_OK, hq_gradient_sums_init(1, 2, -34, &sums));

    /* Sums in the arena are canaries: of another kind, but that is looked at last. */
#define MERGE(p, size, s, v, n) hq_gradient_packet_merge(p, size, s, v, n)
    EXPECT(HQ_OK, MERGE(packet, SIZE, &sums, zeros, N));
    SAME(4, sums.weight);
    EXPECT(HQ_ERROR_NULL_POINTER, MERGE(NULL, SIZE, held, values, N));
    EXPECT(HQ_ERROR_NULL_POINTER, MERGE(packet, SIZE, NULL, values, N));
    EXPECT(HQ_ERROR_NULL_POINTER, MERGE(packet, SIZE, held, NULL, N));
    EXPECT(HQ_ERROR_MISALIGNED, MERGE(packet, SIZE, held, ODD(int64_t, values), N - 1));
    EXPECT(HQ_ERROR_MISALIGNED, MERGE(packet, SIZE, ODD(hq_gradient_sums, held), values, N));
    EXPECT(HQ_ERROR_OVERLAP, MERGE(packet, SIZE, held, (int64_t *)(void *)held, N));
    EXPECT(HQ_ERROR_OVERLAP, MERGE((const uint8_t *)out.f, SIZE, held, values, N));
    EXPECT(HQ_ERROR_SHAPE, MERGE(packet, SIZE, held, values, N - 1));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, MERGE(packet, SIZE, held, values, N));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, MERGE(packet, SIZE, held, values, max / 4));
    EXPECT(HQ_ERROR_CORRUPT, MERGE(packet, SIZE - 1, held, values, N));
    for (i = 0; i < SIZE; i++) {
        memcpy(hostile, packet, SIZE);
        hostile[i] ^= 0x10;
        EXPECT(i == 4 ? HQ_ERROR_VERSION : HQ_ERROR_CORRUPT, MERGE(hostile, SIZE, held, values, N));
    }
    for (i = 0; i < N; i++) {
        if (zeros[i] != 0) break;
    }
    EXPECT(HQ_OK, i < N ? HQ_OK : HQ_ERROR_SHAPE);
#undef MERGE

    other = sums;
    EXPECT(HQ_OK, hq_gradient_sums_join(&sums, zeros, N, &other, values, N));
    SAME(8, other.weight);
#define JOIN(f, fv, fn, s, v, n) hq_gradient_sums_join(f, fv, fn, s, v, n)
    EXPECT(HQ_ERROR_NULL_POINTER, JOIN(NULL, zeros, N, held, values, N));
    EXPECT(HQ_ERROR_NULL_POINTER, JOIN(&sums, NULL, N, held, values, N));
    EXPECT(HQ_ERROR_NULL_POINTER, JOIN(&sums, zeros, N, NULL, values, N));
    EXPECT(HQ_ERROR_NULL_POINTER, JOIN(&sums, zeros, N, held, NULL, N));
    EXPECT(HQ_ERROR_MISALIGNED, JOIN(ODD(const hq_gradient_sums, &sums), zeros, N, held, values, N));
    EXPECT(HQ_ERROR_OVERLAP, JOIN(held, zeros, N, held, values, N));
    EXPECT(HQ_ERROR_OVERLAP, JOIN(&sums, values, N, held, values, N));
    EXPECT(HQ_ERROR_SHAPE, JOIN(&sums, zeros, N - 1, held, values, N));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, JOIN(&sums, zeros, N, held, values, N));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, JOIN(&sums, zeros, max / 4, held, values, N));
#undef JOIN

#define FINISH(s, v, n, m, mn) hq_gradient_sums_finish(s, v, n, m, mn)
    EXPECT(HQ_OK, FINISH(&sums, zeros, N, out.f, N));
    EXPECT(HQ_OK, FINISH(&sums, zeros, N, outside, N));
    EXPECT(HQ_ERROR_NULL_POINTER, FINISH(NULL, zeros, N, out.f, N));
    EXPECT(HQ_ERROR_NULL_POINTER, FINISH(&sums, NULL, N, out.f, N));
    EXPECT(HQ_ERROR_NULL_POINTER, FINISH(&sums, zeros, N, NULL, N));
    EXPECT(HQ_ERROR_MISALIGNED, FINISH(&sums, zeros, N, ODD(float, out.f), N));
    EXPECT(HQ_ERROR_OVERLAP, FINISH(&sums, values, N, out.f, N));
    EXPECT(HQ_ERROR_SHAPE, FINISH(&sums, zeros, N, out.f, N - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, FINISH(&sums, zeros, max / 4, out.f, N));
    sums.weight = 0;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FINISH(&sums, zeros, N, out.f, N));
    sums.weight = 1;
    sums.unit = 61;
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, FINISH(&sums, zeros, N, out.f, N));
#undef FINISH
}
