/* The archive, and formats chosen for a budget. */

static void archives(void) {
    const size_t max = SIZE_MAX, bound = hq_archive_bound(F, ROWS, COLS, 1);
    static uint8_t stream[80 + ROWS * (8 + sizeof row)], damaged[sizeof stream];
    hq_archive_decoder start, d;
    hq_archive_info info;
    hq_archive_unit unit;
    int8_t codes[HQ_ARCHIVE_CODES];
    uint8_t *p = out.bytes, back[sizeof packed];
    size_t *n = &out.sizes[0], size = 0, from, to, done, rows = 0, values = 0;

#define ENCODE(format, rows, cols, data, size, chunk, to, to_size, written) \
    hq_archive_encode(format, rows, cols, data, size, chunk, to, to_size, written)
    EXPECT(HQ_OK, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_OK, ENCODE(F, 0, COLS, NULL, 0, 0, p, 80, n));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, ENCODE(7, ROWS, COLS, packed, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_UNSUPPORTED, ENCODE(HQ_FORMAT_Q8_0, 1, 32, packed, 34, 1, p, bound, n));
    EXPECT(HQ_ERROR_UNSUPPORTED, ENCODE(HQ_FORMAT_FIVE_LEVEL, 1, 32, packed, 34, 1, p, bound, n));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(F, ROWS, COLS, NULL, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, NULL, bound, n));
    EXPECT(HQ_ERROR_NULL_POINTER, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound, ODD(size_t, n)));
    EXPECT(HQ_ERROR_SHAPE, ENCODE(F, ROWS, COLS, packed, sizeof packed - 1, 1, p, bound, n));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, p, bound - 1, n));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, ENCODE(F, max, COLS, packed, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(F, ROWS, COLS, p + bound - 1, sizeof packed, 1, p, bound, n));
    EXPECT(HQ_ERROR_OVERLAP, ENCODE(F, ROWS, COLS, packed, sizeof packed, 1, (uint8_t *)n, bound, n));
    SAME(HQ_OK, (size_t)hq_archive_encode(F, ROWS, COLS, packed, sizeof packed, 1, stream, bound, &size));

    EXPECT(HQ_OK, hq_archive_decoder_init(stream, size, &out.decoder, &out.info));
    EXPECT(HQ_OK, hq_archive_decoder_init(stream, HQ_ARCHIVE_HEADER_SIZE, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(stream, HQ_ARCHIVE_HEADER_SIZE - 1, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(NULL, 0, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(packed, sizeof packed, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_decoder_init(NULL, size, &out.decoder, &out.info));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_decoder_init(stream, size, NULL, &out.info));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_decoder_init(stream, size, &out.decoder, NULL));
    EXPECT(HQ_ERROR_MISALIGNED,
           hq_archive_decoder_init(stream, size, ODD(hq_archive_decoder, &out.decoder), &out.info));
    EXPECT(HQ_ERROR_OVERLAP,
           hq_archive_decoder_init(stream, size, &out.decoder, (hq_archive_info *)(void *)&out.decoder));
    memcpy(damaged, stream, size);
    damaged[4] = 2;
    EXPECT(HQ_ERROR_VERSION, hq_archive_decoder_init(damaged, size, &out.decoder, &out.info));
    damaged[4] = 1;
    damaged[8] ^= 1;
    EXPECT(HQ_ERROR_CORRUPT, hq_archive_decoder_init(damaged, size, &out.decoder, &out.info));
    damaged[8] ^= 1;
    damaged[size - 1] ^= 1; /* in the last chunk */

    SAME(HQ_OK, (size_t)hq_archive_decoder_init(stream, size, &start, &info));
    SAME(ROWS, (size_t)info.rows);
    SAME(COLS, (size_t)info.cols);
    SAME(size, (size_t)info.size);
    SAME(F, (size_t)info.format);
    SAME(1, info.chunk_rows);
    EXPECT(HQ_OK, hq_archive_window(&start, stream, size, 0, n, n + 1));
    EXPECT(HQ_OK, hq_archive_window(&start, NULL, 0, 0, n, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(NULL, stream, size, 0, n, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(&start, NULL, size, 0, n, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(&start, stream, size, 0, NULL, n + 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_window(&start, stream, size, 0, n, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_archive_window(&start, stream, size, 0, ODD(size_t, n), n + 1));
    EXPECT(HQ_ERROR_OVERLAP, hq_archive_window(&start, stream, size, 0, n, n));

    d = start;
#define CODES(window, size, at, to, len, u) hq_archive_next_codes(&d, window, size, at, to, len, u)
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream, 87, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream + 81, size - 81, 81, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream, size, max, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_NULL_POINTER, CODES(NULL, size, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_NULL_POINTER, CODES(stream, size, 0, NULL, CELLS, &out.unit));
    EXPECT(HQ_ERROR_NULL_POINTER, CODES(stream, size, 0, out.codes, CELLS, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_next_codes(NULL, stream, size, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_MISALIGNED, CODES(stream, size, 0, out.codes, CELLS, ODD(hq_archive_unit, &out.unit)));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, CODES(stream, size, 0, out.codes, 255, &out.unit));
    EXPECT(HQ_ERROR_OVERLAP, CODES(stream, size, 0, (int8_t *)&out.unit, 256, &out.unit));
    EXPECT(HQ_OK, CODES(stream, size, 0, out.codes, CELLS, &out.unit));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, hq_archive_next_rows(&d, stream, size, 0, 1, p, sizeof packed, n));

#define UNPACK(window, size, at, rows, to, to_size, count) \
    hq_archive_next_rows(&d, window, size, at, rows, to, to_size, count)
    d = start;
    EXPECT(HQ_ERROR_NULL_POINTER, UNPACK(NULL, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_ERROR_NULL_POINTER, UNPACK(stream, size, 0, 1, NULL, sizeof packed, n));
    EXPECT(HQ_ERROR_NULL_POINTER, UNPACK(stream, size, 0, 1, p, sizeof packed, NULL));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_archive_next_rows(NULL, stream, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_ERROR_MISALIGNED, UNPACK(stream, size, 0, 1, p, sizeof packed, ODD(size_t, n)));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, UNPACK(stream, size, 0, max, p, sizeof packed - 1, n));
    EXPECT(HQ_ERROR_OVERLAP, UNPACK(stream, size, 0, 1, (uint8_t *)n, sizeof packed, n));
    EXPECT(HQ_ERROR_CORRUPT, UNPACK(stream, size - 1, 1, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(stream, size, 0, 0, NULL, 0, n));
    EXPECT(HQ_OK, UNPACK(damaged, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(damaged, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_ERROR_CORRUPT, UNPACK(damaged, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(stream, size, 0, 1, p, sizeof packed, n));
    EXPECT(HQ_OK, UNPACK(stream, size, 0, 1, NULL, 0, n));

    /* a state of noise: any answer, no harm */
    memset(&d, 0xEE, sizeof d);
    EXPECT(HQ_ERROR_CORRUPT, CODES(stream, size, 0, out.codes, CELLS, &out.unit));
    memset(&d, 0, sizeof d);
    EXPECT(HQ_ERROR_CORRUPT, UNPACK(stream, size, 0, 1, p, sizeof packed, n));

    /* in windows of one chunk, to the end */
    d = start;
    while (hq_archive_window(&d, NULL, 0, 0, &from, &to) == HQ_OK && from < to) {
        SAME(HQ_OK, (size_t)hq_archive_window(&d, stream + from, to - from, from, &from, &to));
        SAME(HQ_OK, (size_t)CODES(stream + from, to - from, from, codes, sizeof codes, &unit));
        values += (size_t)unit.len;
    }
    SAME(CELLS, values);
    d = start;
    do {
        SAME(HQ_OK, (size_t)UNPACK(stream, size, 0, ROWS, back + rows * sizeof row, sizeof back - rows * sizeof row, &done));
        rows += done;
    } while (done > 0);
    SAME(ROWS, rows);
    SAME(0, (size_t)memcmp(back, packed, sizeof back));
}

static void mixed(void) {
    static const uint64_t bytes[6] = {10, 20, 40, 10, 20, 40};
    static const float errors[6] = {9, 4, 0, 100, 30, 1};
    float wrong[6] = {9, 4, 0, 100, 30, -1};
    uint16_t *c = out.choices;
    uint64_t huge[6] = {10, 20, 40, 10, 20, UINT64_MAX};
    const size_t max = SIZE_MAX;

    SAME(16u, sizeof(hq_mixed));
    SAME(0u, hq_mixed_workspace_size(0, 3));
    SAME(max, hq_mixed_workspace_size(max, 2));
    SAME(max, hq_mixed_workspace_size(max / 24, 1));

#define SMALLEST(tensors, count, b, e, cells, to) hq_mixed_smallest(tensors, count, b, e, cells, to)
    EXPECT(HQ_OK, SMALLEST(2, 3, bytes, errors, 6, &out.least));
    EXPECT(HQ_OK, SMALLEST(0, 3, NULL, NULL, 0, &out.least));
    EXPECT(HQ_ERROR_SHAPE, SMALLEST(2, 3, bytes, errors, 5, &out.least));
    EXPECT(HQ_ERROR_NULL_POINTER, SMALLEST(2, 3, NULL, errors, 6, &out.least));
    EXPECT(HQ_ERROR_NULL_POINTER, SMALLEST(2, 3, bytes, errors, 6, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, SMALLEST(2, 3, bytes, errors, 6, ODD(uint64_t, &out.least)));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SMALLEST(2, 3, bytes, wrong, 6, &out.least));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, SMALLEST(max, 3, bytes, errors, 6, &out.least));

#define SELECT(b, e, budget, to, to_len, s, s_size, result) \
    hq_mixed_select(2, 3, b, e, 6, budget, to, to_len, s, s_size, result)
    EXPECT(HQ_OK, SELECT(bytes, errors, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_OK, SELECT(bytes, errors, 20, c, 4, scratch + 1, sizeof scratch - 1, &out.mixed));
    EXPECT(HQ_ERROR_BUDGET, SELECT(bytes, errors, 19, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_INVALID_ARGUMENT, SELECT(bytes, wrong, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, SELECT(huge, errors, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, SELECT(bytes, errors, 50, c, 1, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_WORKSPACE_TOO_SMALL, SELECT(bytes, errors, 50, c, 2, scratch, 24 * 6 + 16 * 2 - 1, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(NULL, errors, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, NULL, 50, c, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, errors, 50, NULL, 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, errors, 50, c, 2, NULL, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_NULL_POINTER, SELECT(bytes, errors, 50, c, 2, scratch, sizeof scratch, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, SELECT(bytes, errors, 50, ODD(uint16_t, c), 2, scratch, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_OVERLAP, SELECT(bytes, errors, 50, c, 2, c, sizeof scratch, &out.mixed));
    EXPECT(HQ_ERROR_OVERLAP, SELECT(&out.least, errors, 50, c, 2, scratch, sizeof scratch, (hq_mixed *)(void *)&out.least));
    EXPECT(HQ_ERROR_SHAPE, hq_mixed_select(2, 2, bytes, errors, 6, 50, c, 2, scratch, sizeof scratch, &out.mixed));
}
