/* What the few files of ggml need from the rest of it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ggml.h"
#include "ggml-impl.h"
#include "ggml-cpu-impl.h"
#include "simd-mappings.h"

float ggml_table_f32_f16[1 << 16];
float ggml_table_f32_e8m0_half[1 << 8];
float ggml_table_f32_ue4m3[1 << 8];

void ggml_abort(const char *file, int line, const char *fmt, ...) {
    va_list args;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    abort();
}

void ggml_log_internal(enum ggml_log_level level, const char *format, ...) {
    (void)level;
    (void)format;
}

void ggml_critical_section_start(void) {}
void ggml_critical_section_end(void) {}

void *ggml_aligned_malloc(size_t size) { return aligned_alloc(64, (size + 63) / 64 * 64); }
void ggml_aligned_free(void *ptr, size_t size) {
    (void)size;
    free(ptr);
}

/* ggml fills its f16 table at start-up; so must we. */
void peer_init(void) {
    for (int i = 0; i < (1 << 16); ++i) {
        ggml_table_f32_f16[i] = GGML_COMPUTE_FP16_TO_FP32((ggml_fp16_t)i);
    }
}

/* The table of IQ3_S; freed by the end of the process. */
void iq3xs_init_impl(int grid_size);
void peer_init_iq3_s(void) { iq3xs_init_impl(512); }

/* Only the formats that the suites quantize to. */
size_t ggml_row_size(enum ggml_type type, int64_t ne) {
    switch (type) {
    case GGML_TYPE_TQ1_0: return (size_t)(ne / 256 * 54);
    case GGML_TYPE_Q4_0: return (size_t)(ne / 32 * 18);
    case GGML_TYPE_Q8_0: return (size_t)(ne / 32 * 34);
    case GGML_TYPE_Q3_K: return (size_t)(ne / 256 * 110);
    case GGML_TYPE_IQ3_S: return (size_t)(ne / 256 * 110);
    case GGML_TYPE_Q4_K: return (size_t)(ne / 256 * 144);
    case GGML_TYPE_TQ2_0: return (size_t)(ne / 256 * 66);
    default: ggml_abort(__FILE__, __LINE__, "no row size for type %d", (int)type);
    }
    return 0;
}
