/* Room linear: packed and prepared weights times vectors. */

static void products(void) {
    const size_t max = SIZE_MAX, n = HQ_ACT_COUNT(COLS);
    float *y = out.f;
    uint8_t *w = packed;

#define MATVEC(format, rows, cols, data, size, a, a_len, to, len) \
    hq_matvec(format, rows, cols, data, size, a, a_len, to, len)
    EXPECT(HQ_OK, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_OK, MATVEC(F, 0, COLS, NULL, 0, acts, n, NULL, 0));
    EXPECT(HQ_OK, MATVEC(F, ROWS, 0, NULL, 0, NULL, 0, y, ROWS));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, MATVEC(3, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, MATVEC(F, ROWS, COLS, NULL, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, MATVEC(F, ROWS, COLS, w, sizeof packed, NULL, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, NULL, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, MATVEC(F, ROWS, COLS, w, sizeof packed, ODD(hq_act_block, acts), n, y, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, ODD(float, y), ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(F, ROWS, COLS, w, sizeof packed - 1, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(F, ROWS - 1, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(HQ_FORMAT_TQ1_0, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n - 1, y, ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, n, y, ROWS - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, MATVEC(F, max, COLS, w, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, MATVEC(F, ROWS, COLS, w, sizeof packed, acts, max / 8, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, MATVEC(F, ROWS, COLS, (uint8_t *)y, sizeof packed, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, MATVEC(F, ROWS, COLS, w, sizeof packed, (hq_act_block *)y, n, y, ROWS));

    EXPECT(HQ_OK, hq_matmul(F, ROWS, COLS, w, sizeof packed, 2, acts, 2 * n, y, 2 * ROWS));
    EXPECT(HQ_OK, hq_matmul(F, ROWS, COLS, w, sizeof packed, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, hq_matmul(F, ROWS, COLS, w, sizeof packed, 2, acts, 2 * n - 1, y, 2 * ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_matmul(F, ROWS, COLS, w, sizeof packed, 2, acts, 2 * n, y, 2 * ROWS - 1));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_matmul(F, ROWS, COLS, w, sizeof packed, max, acts, 2 * n, y, 2 * ROWS));

    EXPECT(HQ_OK, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS, y, ROWS));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, hq_matvec_f32(9, ROWS, COLS, w, sizeof packed, x, COLS, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS - 1, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS + 1, y, ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, x, COLS, y, ROWS - 1));
    EXPECT(HQ_ERROR_MISALIGNED, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, ODD(float, x), COLS, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, hq_matvec_f32(F, ROWS, COLS, w, sizeof packed, y, COLS, y + COLS - 1, ROWS));

    EXPECT(HQ_OK, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, 2, x, 2 * COLS, y, 2 * ROWS));
    EXPECT(HQ_ERROR_SHAPE, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, 2, x, COLS, y, 2 * ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, max, x, COLS, y, 2 * ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_matmul_f32(F, ROWS, COLS, w, sizeof packed, 2, NULL, 2 * COLS, y, 2 * ROWS));

    EXPECT(HQ_OK, hq_dot(F, COLS, row, sizeof row, acts, n, y));
    EXPECT(HQ_ERROR_SHAPE, hq_dot(F, COLS, packed, sizeof packed, acts, n, y));
    EXPECT(HQ_ERROR_SHAPE, hq_dot(F, COLS, row, sizeof row, acts, n - 1, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dot(F, COLS, row, sizeof row, acts, n, NULL));
    EXPECT(HQ_ERROR_OVERLAP, hq_dot(F, COLS, row, sizeof row, (hq_act_block *)y, n, y));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_dot(HQ_FORMAT_Q8_0, max, row, sizeof row, acts, n, y));
    EXPECT(HQ_OK, hq_dot_f32(F, COLS, row, sizeof row, x, COLS, y));
    EXPECT(HQ_ERROR_SHAPE, hq_dot_f32(F, COLS, row, sizeof row, x, COLS - 1, y));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_dot_f32(F, COLS, row, sizeof row, x, COLS, NULL));
    EXPECT(HQ_ERROR_MISALIGNED, hq_dot_f32(F, COLS, row, sizeof row, x, COLS, ODD(float, y)));
}

static void prepared_weights(void) {
    const size_t max = SIZE_MAX, n = HQ_ACT_COUNT(COLS);
    static uint8_t made[HQ_PREPARED_SIZE(ROWS, COLS)];
    static hq_act_table tables[HQ_ACT_COUNT(COLS)];
    uint8_t *w = packed, *p = out.bytes;
    float *y = out.f;
    size_t r;
    for (r = 0; r < 40; r++) {
        SAME(HQ_PREPARED_SIZE(r, 0), hq_prepared_size(r, 0));
        SAME(HQ_PREPARED_SIZE(r, 257), hq_prepared_size(r, 257));
    }
    SAME(max, hq_prepared_size(max, COLS));
    SAME(max, hq_prepared_size(8, max));

#define PREPARE(format, rows, cols, data, size, to, to_size) hq_prepare(format, rows, cols, data, size, to, to_size)
    EXPECT(HQ_OK, PREPARE(F, ROWS, COLS, w, sizeof packed, made, sizeof made));
    EXPECT(HQ_OK, PREPARE(F, ROWS, COLS, w, sizeof packed, p + 1, sizeof made));
    EXPECT(HQ_OK, PREPARE(F, 0, COLS, NULL, 0, NULL, 0));
    EXPECT(HQ_OK, PREPARE(F, ROWS, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, PREPARE(3, ROWS, COLS, w, sizeof packed, p, sizeof made));
    EXPECT(HQ_ERROR_UNSUPPORTED, PREPARE(HQ_FORMAT_DENSE_TERNARY, 1, 5, w, 3, p, sizeof made));
    EXPECT(HQ_ERROR_UNSUPPORTED, PREPARE(HQ_FORMAT_Q35B, 1, 256, w, 112, p, sizeof made));
    EXPECT(HQ_ERROR_NULL_POINTER, PREPARE(F, ROWS, COLS, NULL, sizeof packed, p, sizeof made));
    EXPECT(HQ_ERROR_NULL_POINTER, PREPARE(F, ROWS, COLS, w, sizeof packed, NULL, sizeof made));
    EXPECT(HQ_ERROR_OVERLAP, PREPARE(F, ROWS, COLS, p + sizeof made - 1, sizeof packed, p, sizeof made));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, PREPARE(F, max, COLS, w, sizeof packed, p, sizeof made));
    EXPECT(HQ_ERROR_SHAPE, PREPARE(F, ROWS, COLS, w, sizeof packed - 1, p, sizeof made));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PREPARE(F, ROWS, COLS, w, sizeof packed, p, sizeof made - 1));

#define PRODUCT(rows, cols, data, size, batch, a, a_len, to, len) \
    hq_matmul_prepared(rows, cols, data, size, batch, a, a_len, to, len)
    EXPECT(HQ_OK, hq_matvec_prepared(ROWS, COLS, made, sizeof made, acts, n, y, ROWS));
    EXPECT(HQ_OK, PRODUCT(ROWS, COLS, made, sizeof made, 2, acts, 2 * n, y, 2 * ROWS));
    EXPECT(HQ_OK, PRODUCT(0, COLS, NULL, 0, 2, acts, 2 * n, NULL, 0));
    EXPECT(HQ_OK, PRODUCT(ROWS, 0, NULL, 0, 1, NULL, 0, y, ROWS));
    EXPECT(HQ_OK, PRODUCT(ROWS, COLS, made, sizeof made, 0, NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_SHAPE, hq_matvec_prepared(ROWS, COLS, made, sizeof made - 1, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, PRODUCT(ROWS + 8, COLS, made, sizeof made, 1, acts, n, y, 2 * CELLS));
    EXPECT(HQ_ERROR_SHAPE, PRODUCT(ROWS, COLS, made, sizeof made, 2, acts, 2 * n - 1, y, 2 * ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, PRODUCT(ROWS, COLS, made, sizeof made, 2, acts, 2 * n, y, 2 * ROWS - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, PRODUCT(ROWS, COLS, NULL, sizeof made, 1, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, PRODUCT(ROWS, COLS, made, sizeof made, 1, NULL, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, PRODUCT(ROWS, COLS, made, sizeof made, 1, acts, n, NULL, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, PRODUCT(ROWS, COLS, made, sizeof made, 1, ODD(hq_act_block, acts), n, y, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, PRODUCT(ROWS, COLS, made, sizeof made, 1, acts, n, ODD(float, y), ROWS));
    EXPECT(HQ_ERROR_OVERLAP, PRODUCT(ROWS, COLS, (uint8_t *)y, sizeof made, 1, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, PRODUCT(ROWS, COLS, made, sizeof made, 1, (hq_act_block *)y, n, y, ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, PRODUCT(max, COLS, made, sizeof made, 1, acts, n, y, ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, PRODUCT(ROWS, COLS, made, sizeof made, max, acts, n, y, ROWS));

    EXPECT(HQ_OK, hq_act_tables(acts, n, tables, n));
    EXPECT(HQ_OK, hq_act_tables(NULL, 0, NULL, 0));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, hq_act_tables(acts, n, out.tables, n - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_act_tables(NULL, n, out.tables, n));
    EXPECT(HQ_ERROR_NULL_POINTER, hq_act_tables(acts, n, NULL, n));
    EXPECT(HQ_ERROR_MISALIGNED, hq_act_tables(ODD(hq_act_block, acts), n, out.tables, n));
    EXPECT(HQ_ERROR_MISALIGNED, hq_act_tables(acts, n, ODD(hq_act_table, out.tables), n));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, hq_act_tables(acts, max / 100, out.tables, n));
    EXPECT(HQ_ERROR_OVERLAP, hq_act_tables((hq_act_block *)out.tables, n, out.tables, n));

#define TABLES(format, data, size, a, a_len, t, t_len, to, len) \
    hq_matvec_with_tables(format, ROWS, COLS, data, size, a, a_len, t, t_len, to, len)
    EXPECT(HQ_OK, TABLES(F, w, sizeof packed, acts, n, tables, n, y, ROWS));
    EXPECT(HQ_OK, TABLES(HQ_FORMAT_TQ1_0, w, ROWS * HQ_TQ1_0_ROW_SIZE(COLS), acts, n, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_UNKNOWN_ENUM, TABLES(3, w, sizeof packed, acts, n, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, TABLES(F, w, sizeof packed - 1, acts, n, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, TABLES(F, w, sizeof packed, acts, n - 1, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_SHAPE, TABLES(F, w, sizeof packed, acts, n, tables, n - 1, y, ROWS));
    EXPECT(HQ_ERROR_OUTPUT_TOO_SMALL, TABLES(F, w, sizeof packed, acts, n, tables, n, y, ROWS - 1));
    EXPECT(HQ_ERROR_NULL_POINTER, TABLES(F, NULL, sizeof packed, acts, n, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, TABLES(F, w, sizeof packed, NULL, n, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, TABLES(F, w, sizeof packed, acts, n, NULL, n, y, ROWS));
    EXPECT(HQ_ERROR_NULL_POINTER, TABLES(F, w, sizeof packed, acts, n, tables, n, NULL, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, TABLES(F, w, sizeof packed, ODD(hq_act_block, acts), n, tables, n, y, ROWS));
    EXPECT(HQ_ERROR_MISALIGNED, TABLES(F, w, sizeof packed, acts, n, ODD(hq_act_table, tables), n, y, ROWS));
    EXPECT(HQ_ERROR_SIZE_OVERFLOW, TABLES(F, w, sizeof packed, acts, n, tables, max / 8, y, ROWS));
    EXPECT(HQ_ERROR_OVERLAP, TABLES(F, w, sizeof packed, acts, n, (hq_act_table *)y, n, y, ROWS));
}
