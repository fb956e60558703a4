/* ggml's quantizers and decoders behind three plain functions, and what two of its files want from the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ggml.h"

/* The number of the type with this name in lower case, or -1. */
int peer_type(const char *name) {
    for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
        const char *own = ggml_get_type_traits((enum ggml_type)type)->type_name;
        if (own != NULL && strcmp(own, name) == 0) {
            return type;
        }
    }
    return -1;
}

/* Bytes of a row; 0 where blocks do not divide it. */
size_t peer_row_size(int type, int64_t cols) {
    const struct ggml_type_traits *traits = ggml_get_type_traits((enum ggml_type)type);
    return cols % traits->blck_size == 0 ? ggml_row_size((enum ggml_type)type, cols) : 0;
}

/* Quantizes rows x cols floats to `packed`, then decodes them in place. `importance`: cols floats, or NULL. */
void peer_round_trip(int type, int64_t rows, int64_t cols, float *values, void *packed, const float *importance) {
    ggml_quantize_chunk((enum ggml_type)type, values, packed, 0, rows, cols, importance);
    ggml_get_type_traits((enum ggml_type)type)->to_float(packed, values, rows * cols);
}

/* One thread quantizes: nothing to lock. */
void ggml_critical_section_start(void) {}
void ggml_critical_section_end(void) {}

/* ggml.c names these for tensors on devices; there are none. */
static void no_backend(void) {
    fprintf(stderr, "ggml wants a backend\n");
    abort();
}
int ggml_backend_buffer_get_usage(void *buffer) {
    (void)buffer;
    no_backend();
    return 0;
}
void ggml_backend_tensor_set(void *tensor, const void *data, size_t offset, size_t size) {
    (void)tensor, (void)data, (void)offset, (void)size;
    no_backend();
}
void ggml_backend_tensor_memset(void *tensor, uint8_t value, size_t offset, size_t size) {
    (void)tensor, (void)value, (void)offset, (void)size;
    no_backend();
}
