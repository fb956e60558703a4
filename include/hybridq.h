/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * hybridq: ultra-low-bit weights on small machines. Link with libhybridq.a.
 *
 * Generated from src/capi by `make header`. Do not edit.
 *
 * What all functions share:
 *
 * - They return HQ_OK or a negative HQ_ERROR_*; size queries return the size, SIZE_MAX where there is none.
 * - Outputs are written only on HQ_OK. Inputs (const) are never written.
 * - A pointer may be NULL only with length 0; with length 0 it is not looked at.
 * - Arrays are aligned for their element type: float and structs 4 bytes, bytes and scratch none.
 * - Outputs and scratch must not overlap any other buffer of the call; this is checked.
 * - `_len` counts elements, `_size` counts bytes. Matrices are row-major.
 * - Enums are int32_t; a number that is no value of the enum is refused.
 * - Nothing allocates, blocks, or keeps a pointer. All functions may be called from any thread at any time,
 *   as long as no two calls write the same memory.
 *
 * More in docs/c-abi.md.
 */

#ifndef HYBRIDQ_H
#define HYBRIDQ_H

#include <stddef.h>
#include <stdint.h>

/** Version of this header as one number, as hq_version() gives it. */
#define HQ_VERSION (HQ_VERSION_MAJOR * 65536u + HQ_VERSION_MINOR * 256u + HQ_VERSION_PATCH)

/** Sizes as constant expressions, for static buffers. `cols` and `n` are evaluated more than once. */
#define HQ_CEIL_DIV(n, d) ((size_t)(n) / (d) + ((size_t)(n) % (d) != 0))
/** Blocks of a vector of int8 activations: hq_act_count(cols). */
#define HQ_ACT_COUNT(cols) HQ_CEIL_DIV(cols, 256u)
/** Bytes of a packed row: hq_row_size(HQ_FORMAT_..., cols). A matrix takes rows times as many. */
#define HQ_Q8_0_ROW_SIZE(cols) (HQ_CEIL_DIV(cols, 32u) * 34u)
#define HQ_TQ1_0_ROW_SIZE(cols) (HQ_CEIL_DIV(cols, 256u) * 54u)
#define HQ_TQ2_0_ROW_SIZE(cols) (HQ_CEIL_DIV(cols, 256u) * 66u)
#define HQ_DENSE_TERNARY_ROW_SIZE(cols) ((size_t)(cols) == 0 ? 0u : HQ_CEIL_DIV(cols, 5u) + 2u)
#define HQ_FIVE_LEVEL_ROW_SIZE(cols) ((size_t)(cols) / 192u * 58u + ((size_t)(cols) % 192u == 0 ? 0u : HQ_CEIL_DIV(7u * HQ_CEIL_DIV((size_t)(cols) % 192u, 3u), 8u) + 2u))
#define HQ_Q35B_GROUPS(cols) HQ_CEIL_DIV((size_t)(cols) % 256u, 16u)
#define HQ_Q35B_ROW_SIZE(cols) ((size_t)(cols) / 256u * 112u + ((size_t)(cols) % 256u == 0 ? 0u : 6u * HQ_Q35B_GROUPS(cols) + HQ_CEIL_DIV(HQ_Q35B_GROUPS(cols), 8u) + HQ_CEIL_DIV(6u * HQ_Q35B_GROUPS(cols), 8u) + 2u))
#define HQ_Q35P_ROW_SIZE(cols) ((size_t)(cols) == 0 ? 0u : HQ_CEIL_DIV(cols, 16u) * 7u + 8u)
/** Bytes of a prepared ternary matrix: hq_prepared_size(rows, cols). */
#define HQ_PREPARED_SIZE(rows, cols) (HQ_CEIL_DIV(rows, 8u) * HQ_CEIL_DIV(cols, 256u) * 528u)
/** Scratch bytes that are enough for every fit when `n` values share a scale. */
#define HQ_FIT_SCRATCH_SIZE(n) ((size_t)(n) == 0 ? 0u : (size_t)(n) * 8u + 6u)
/** Scratch bytes for quantizing with importance when `n` values share a scale. */
#define HQ_WEIGHTED_SCRATCH_SIZE(n) ((size_t)(n) == 0 ? 0u : (size_t)(n) * 16u + 14u)
/** Scratch bytes of k-means of int8 points: hq_kmeans_int8_assign_workspace_size(cols, k). */
#define HQ_KMEANS_INT8_ASSIGN_SIZE(cols, k) (HQ_CEIL_DIV(cols, 2u) * HQ_CEIL_DIV(k, 8u) * 32u + HQ_CEIL_DIV(k, 8u) * 64u + HQ_CEIL_DIV(cols, 2u) * 16u + 10u)
/** Of hq_kmeans_int8_fit with given centers, for up to 2^24 rows and without HQ_EMPTY_ERROR. */
#define HQ_KMEANS_INT8_LLOYD_SIZE(cols, k) (HQ_KMEANS_INT8_ASSIGN_SIZE(cols, k) + (size_t)(k) * (cols) * 4u + (size_t)(k) * 4u + 6u)
/** Of hq_kmeans_int8_fit, for up to 2^24 rows and without HQ_EMPTY_ERROR. */
#define HQ_KMEANS_INT8_FIT_SIZE(rows, cols, k) (HQ_KMEANS_INT8_LLOYD_SIZE(cols, k) > (size_t)(rows) * 4u + 3u ? HQ_KMEANS_INT8_LLOYD_SIZE(cols, k) : (size_t)(rows) * 4u + 3u)


/**
 * Version of this header. `hq_version()` gives that of the linked library.
 */
#define HQ_VERSION_MAJOR 0

/**
 * Version of this header.
 */
#define HQ_VERSION_MINOR 1

/**
 * Version of this header.
 */
#define HQ_VERSION_PATCH 0

/**
 * For `hq_force_tier`: the best tier of this machine.
 */
#define HQ_TIER_DETECT -1

/**
 * Portable code; the reference of all others.
 */
#define HQ_TIER_SCALAR 0

/**
 * x86-64-v2: SSE4.2 and SSSE3.
 */
#define HQ_TIER_SSE42 1

/**
 * x86-64-v3: AVX2, FMA, BMI1/2 and LZCNT.
 */
#define HQ_TIER_AVX2 2

/**
 * aarch64 Advanced SIMD.
 */
#define HQ_TIER_NEON 3

/**
 * GGUF type 8: int8, blocks of 32 weights in 34 bytes.
 */
#define HQ_FORMAT_Q8_0 8

/**
 * GGUF type 34: base-3 ternary, blocks of 256 weights in 54 bytes.
 */
#define HQ_FORMAT_TQ1_0 34

/**
 * GGUF type 35: 2-bit ternary, blocks of 256 weights in 66 bytes.
 */
#define HQ_FORMAT_TQ2_0 35

/**
 * Ternary, five weights a byte and one 16-bit scale a row.
 */
#define HQ_FORMAT_DENSE_TERNARY 1000

/**
 * Levels {-1, -1/2, 0, 1/2, 1}, blocks of 192 weights in 58 bytes; the last block of a row is shorter.
 */
#define HQ_FORMAT_FIVE_LEVEL 1001

/**
 * 3.5 bits: pairs of a 4-bit and a 3-bit weight, 16 weights in 7 bytes, a 32-bit scale and offset a row.
 */
#define HQ_FORMAT_Q35P 1002

/**
 * 3.5 bits: two codebooks, blocks of 256 weights in 112 bytes; the last block of a row is shorter. Only with
 * `HQ_FIT_MSE` and `HQ_GRANULARITY_BLOCK`; magnitudes up to 98304.
 */
#define HQ_FORMAT_Q35B 1003

/**
 * The exact least-squares projection: the default.
 */
#define HQ_FIT_MSE 0

/**
 * BitNet b1.58: scale = mean |x|. For models trained with it.
 */
#define HQ_FIT_ABSMEAN 1

/**
 * Scale = max |x|: what GGUF writers do. The only fit of `HQ_FORMAT_Q8_0`.
 */
#define HQ_FIT_ABSMAX 2

/**
 * The share `percentile` of the magnitudes becomes zero; scale = std(x) / mean |code|.
 */
#define HQ_FIT_PERCENTILE 3

/**
 * Thresholds of `HQ_FIT_MSE`, and the scale that keeps the L2 norm. For gradients.
 */
#define HQ_FIT_NORM_PRESERVING 4

/**
 * The given `threshold` and `scale`.
 */
#define HQ_FIT_FIXED 5

/**
 * The range of the row, from its smallest to its largest value. Only for `HQ_FORMAT_Q35P`.
 */
#define HQ_FIT_MINMAX 6

/**
 * Near `HQ_FIT_MSE` at several times its speed: two turns of Lloyd's iteration from the threshold of Ternary Weight
 * Networks. On normal values 0.1 % above its error.
 */
#define HQ_FIT_LLOYD 7

/**
 * One scale per block of the format. Not for `HQ_FORMAT_DENSE_TERNARY` and `HQ_FORMAT_Q35P`.
 */
#define HQ_GRANULARITY_BLOCK 0

/**
 * One scale per row. The only one of `HQ_FORMAT_Q35P`.
 */
#define HQ_GRANULARITY_ROW 1

/**
 * One scale for all values of a call.
 */
#define HQ_GRANULARITY_TENSOR 2

/**
 * Refuse NaN and infinity with `HQ_ERROR_NON_FINITE`.
 */
#define HQ_NON_FINITE_ERROR 0

/**
 * NaN counts as 0, an infinity as the largest finite magnitude of its group; scales stop at 65504.
 */
#define HQ_NON_FINITE_SATURATE 1

/**
 * Values in one `hq_act_block`.
 */
#define HQ_ACT_BLOCK_LEN 256

/**
 * Bytes of the header of an archive stream: what `hq_archive_decoder_init` has to see.
 */
#define HQ_ARCHIVE_HEADER_SIZE 80

/**
 * The most codes that `hq_archive_next_codes` writes.
 */
#define HQ_ARCHIVE_CODES 256

/**
 * Greedy k-means++: each centre is the best of several rows drawn in proportion to weight times squared distance to the
 * nearest centre so far. `effort`: how many; 0: 2 + floor(ln k).
 */
#define HQ_SEEDING_PLUS_PLUS 0

/**
 * k-means++ approximated by Markov chains (AFK-MC2): for many rows. `effort`: steps per centre; 0: 200.
 */
#define HQ_SEEDING_AFK_MC2 1

/**
 * Rows in proportion to their weights, none twice. `effort` is not read.
 */
#define HQ_SEEDING_RANDOM 2

/**
 * An empty cluster takes the point that is farthest from its centre, as long as there is one not on its centre.
 */
#define HQ_EMPTY_FARTHEST 0

/**
 * The cluster with the largest weight is split.
 */
#define HQ_EMPTY_SPLIT_LARGEST 1

/**
 * The centre of an empty cluster stays where it is.
 */
#define HQ_EMPTY_KEEP 2

/**
 * An empty cluster is an error: `HQ_ERROR_EMPTY_CLUSTER`.
 */
#define HQ_EMPTY_ERROR 3

/**
 * Bounds are used where they pay: `HQ_BOUNDS_YINYANG` if `k * cols` is at least 16,384 and they take no more memory than the
 * points, else `HQ_BOUNDS_HAMERLY`.
 */
#define HQ_BOUNDS_AUTO 0

/**
 * Every point is compared with every centre in every iteration; takes no memory for bounds.
 */
#define HQ_BOUNDS_OFF 1

/**
 * One lower bound a point (Hamerly's): 12 bytes a point in all.
 */
#define HQ_BOUNDS_HAMERLY 2

/**
 * Beside it one for every 16 centres (Yinyang's), whatever memory they take: 4 bytes each, their number a multiple of 16.
 */
#define HQ_BOUNDS_YINYANG 3

/**
 * No label changed: a fixed point of the algorithm.
 */
#define HQ_STOP_LABELS 0

/**
 * The centres moved no farther than the tolerance.
 */
#define HQ_STOP_SHIFT 1

/**
 * The inertia fell by no more than the tolerance.
 */
#define HQ_STOP_INERTIA 2

/**
 * The most iterations that were allowed.
 */
#define HQ_STOP_ITERATIONS 3

/**
 * Centres by greedy k-means++ from `seed`.
 */
#define HQ_KMEANS_INT8_SEEDING_PLUS_PLUS 0

/**
 * Centres are what the caller has put into `centers`.
 */
#define HQ_KMEANS_INT8_SEEDING_GIVEN 1

/**
 * A batch is drawn from all rows, whatever has been drawn before.
 */
#define HQ_DRAW_REPLACE 0

/**
 * Every row comes once, in random order, before any comes again. Takes 4 bytes a row.
 */
#define HQ_DRAW_SHUFFLE 1

/**
 * `{x : |x - c| <= radius}` in the Euclidean norm. `a`: the centre c, or NULL for the origin. Violation: the distance.
 */
#define HQ_SET_L2_BALL 0

/**
 * `{x : low <= x <= high}`. `a`: the lower bounds, `b`: the upper ones; each of `len` values, of one for all coordinates,
 * or NULL for none. Infinite bounds are none. Violation: the largest distance of a value from its bounds.
 */
#define HQ_SET_BOX 1

/**
 * `{x : x >= 0}`. Violation: the largest magnitude of a negative value.
 */
#define HQ_SET_NON_NEGATIVE 2

/**
 * `{x : |x[i] - c[i]| <= radius}`. `a`: the centre c, or NULL for the origin. Violation: as of a box.
 */
#define HQ_SET_LINF_BALL 3

/**
 * `{x : a . x <= value}`. `a`: `len` values, not all 0. Violation: the distance. `HQ_ERROR_NON_FINITE` also where the
 * distance is beyond the range of `float`.
 */
#define HQ_SET_HALFSPACE 4

/**
 * `{x : a . x = value}`. Otherwise as `HQ_SET_HALFSPACE`.
 */
#define HQ_SET_HYPERPLANE 5

/**
 * `{x : A x = b}`. `a`: the factor that `hq_affine_prepare` made; `count`: the rows of A. Violation: the distance.
 */
#define HQ_SET_AFFINE 6

/**
 * `{(t, z) : |z| <= t}`; `t` is the first value. Violation: `|z| - t`.
 */
#define HQ_SET_SECOND_ORDER_CONE 7

/**
 * `{x : |x - c| = radius}`. `a`: the centre c, or NULL for the origin, from which the first value is moved. Violation: the
 * distance.
 */
#define HQ_SET_SPHERE 8

/**
 * Matrices whose rows have a Euclidean norm of at most `radius`. `count`: values of a row, at least 1; `len` is a multiple.
 * Violation: that of the worst row.
 */
#define HQ_SET_ROW_MAX_NORM 9

/**
 * Sets side by side: `sets` points to `count` of them, at most `HQ_SET_PARTS_MAX`; each takes its `len` values, together all
 * of them. A part may not be a product (`HQ_ERROR_UNSUPPORTED`). Violation: the largest of its parts.
 */
#define HQ_SET_PRODUCT 10

/**
 * The most parts of a product.
 */
#define HQ_SET_PARTS_MAX 16

/**
 * `{x >= 0 : sum x = radius}`. Violation: the larger of `|sum x - radius|` and the most negative value.
 */
#define HQ_SET_SIMPLEX 32

/**
 * `{0 <= x <= value : sum x = radius}`; `radius` is at most `value` times `len`. Violation: as of the simplex, or the most
 * that a value is above `value`.
 */
#define HQ_SET_CAPPED_SIMPLEX 33

/**
 * `{x : sum |x - c| <= radius}`. `a`: the centre c, or NULL for the origin. Violation: `sum |x - c| - radius`.
 */
#define HQ_SET_L1_BALL 34

/**
 * At most `count` values are not zero; of equal magnitudes the first stay. Not convex. Violation: how many are too many.
 */
#define HQ_SET_TOP_K 35

/**
 * Every value is one of `a`, in any order; of equally near ones the lowest. Not convex, no derivative. Violation: the
 * largest distance from the nearest one.
 */
#define HQ_SET_CODEBOOK 36

/**
 * Every value is -s, 0 or s, for one s: the least squared error over all s. Not convex. Violation: the largest distance
 * from -s, 0 and s, with s the largest magnitude.
 */
#define HQ_SET_EXACT_TERNARY 37

/**
 * Keep the new parameters.
 */
#define HQ_TRUST_ACCEPTED 0

/**
 * Go back to the old parameters: the loss fell by too little, or rose.
 */
#define HQ_TRUST_REJECTED 1

/**
 * Go back to the old parameters: a number was NaN or infinite.
 */
#define HQ_TRUST_REFUSED 2

/**
 * The step is that of Newton's method, within the tolerance.
 */
#define HQ_STEIHAUG_CONVERGED 0

/**
 * The next iterate would leave the region: the step ends on the boundary.
 */
#define HQ_STEIHAUG_BOUNDARY 1

/**
 * No positive curvature along the direction: the step follows it to the boundary.
 */
#define HQ_STEIHAUG_NEGATIVE_CURVATURE 2

/**
 * The iterations are used up; the step is the last iterate.
 */
#define HQ_STEIHAUG_ITERATIONS 3

/**
 * The callback failed or gave NaN or infinity; the step is the last iterate before that, zeros if there is none.
 */
#define HQ_STEIHAUG_HESSIAN 4

/**
 * Gradient descent with momentum: `m = momentum m + g`, step along `m`.
 */
#define HQ_BASE_SGD 0

/**
 * With Nesterov's momentum: step along `g + momentum m`.
 */
#define HQ_BASE_NESTEROV 1

/**
 * Adam with Nesterov momentum and decoupled weight decay.
 */
#define HQ_BASE_NADAMW 2

/**
 * Not held. For the residual only: what the gradient loses by quantization is lost for good.
 */
#define HQ_STORAGE_NONE 0

/**
 * 32 bits for each parameter.
 */
#define HQ_STORAGE_F32 1

/**
 * 8.125 bits: a scale per 256.
 */
#define HQ_STORAGE_INT8 2

/**
 * 4.25 bits: a scale per 128.
 */
#define HQ_STORAGE_INT4 3

/**
 * 1.625 bits: five trits a byte and a scale per 1280. The second moment has one number per 1280. Not for the residual.
 */
#define HQ_STORAGE_TERNARY 4

/**
 * The gradient is used as it is.
 */
#define HQ_GRADIENT_F32 0

/**
 * 1280 values at a time become trits with a scale, after a clip at `sigma` standard deviations.
 */
#define HQ_GRADIENT_TERNARY 1

/**
 * Bytes before the body of a gradient packet. The body is the packed gradient of the optimizer.
 */
#define HQ_GRADIENT_PACKET_HEADER_SIZE 40

/**
 * All weights of sums of gradients together: 2^19.
 */
#define HQ_GRADIENT_MAX_WEIGHT 524288

/**
 * Features that the network of a predictor sees.
 */
#define HQ_PREDICTOR_FEATURES 6

/**
 * Parameters of the network of a predictor.
 */
#define HQ_PREDICTOR_WEIGHTS 146

/**
 * Steps that the history of a predictor holds.
 */
#define HQ_PREDICTOR_HISTORY 16

/**
 * Weights as they are.
 */
#define HQ_WEIGHTS_FLOAT 0

/**
 * Each row of the weights as trits with a scale; gradients go straight through to the floats behind them.
 */
#define HQ_WEIGHTS_TERNARY 1

/**
 * Inputs as they are.
 */
#define HQ_ACTIVATIONS_FLOAT 0

/**
 * Inputs as int8 with a scale for every 256 values of a vector.
 */
#define HQ_ACTIVATIONS_INT8 1

/**
 * `max(x, 0)`.
 */
#define HQ_CURVE_RELU 0

/**
 * `max(x, 0)^2`.
 */
#define HQ_CURVE_RELU_SQUARED 1

/**
 * The largest value of a window.
 */
#define HQ_POOLING_MAX 0

/**
 * The mean of a window.
 */
#define HQ_POOLING_MEAN 1

/**
 * What a layer does. Only the addresses of `hq_layer_linear` and the others below count; what is behind them is not
 * for programs.
 */
typedef struct hq_layer_kind hq_layer_kind;

/**
 * What a function returns: `HQ_OK`, or one of the negative `HQ_ERROR_*` values.
 *
 * Numbers are never changed or reused; later versions may add some, so treat every negative value as an
 * error.
 */
typedef int32_t hq_status;

/**
 * How to quantize; 24 bytes. Fill it with `hq_quantize_options_init`, then change what you need.
 */
typedef struct hq_quantize_options {
    /**
     * `HQ_FIT_*`: how scales and thresholds are chosen.
     */
    int32_t fit;
    /**
     * `HQ_GRANULARITY_*`: over which values.
     */
    int32_t granularity;
    /**
     * `HQ_NON_FINITE_*`: what happens to NaN and infinity.
     */
    int32_t non_finite;
    /**
     * For `HQ_FIT_PERCENTILE`: percent of the magnitudes that become zero, in [0, 100). Else not read.
     */
    float percentile;
    /**
     * For `HQ_FIT_FIXED`: the smallest magnitude that is not zero; finite, >= 0. Else not read.
     */
    float threshold;
    /**
     * For `HQ_FIT_FIXED`: the value of the largest level; finite, >= 0. Else not read.
     */
    float scale;
} hq_quantize_options;

/**
 * What a ternary fit found: |x| >= `threshold` becomes `scale` with the sign of x, all else 0; 8 bytes.
 */
typedef struct hq_ternary {
    /**
     * Smallest magnitude that is not zero; infinite when everything is zero.
     */
    float threshold;
    /**
     * Value of code 1.
     */
    float scale;
} hq_ternary;

/**
 * 256 int8 activations with their scale; 292 bytes. Value = `codes[i] * scale`.
 *
 * A form in memory, in the byte order of the machine: not for files.
 */
typedef struct hq_act_block {
    /**
     * Value of code 1.
     */
    float scale;
    /**
     * Codes -127..127; zero beyond the end of the vector.
     */
    int8_t codes[256];
    /**
     * Sums of 16 consecutive codes each.
     */
    int16_t sums[16];
} hq_act_block;

/**
 * Where a decoder stands; 160 bytes. It refers to no memory and may be copied, to come back to a place. Do not read
 * or change the contents; they are for one run of one program, not for files.
 */
typedef struct hq_archive_decoder {
    /**
     * The library's own.
     */
    uint64_t state[20];
} hq_archive_decoder;

/**
 * What an archived tensor is; 32 bytes.
 */
typedef struct hq_archive_info {
    /**
     * Rows of the matrix.
     */
    uint64_t rows;
    /**
     * Columns of the matrix.
     */
    uint64_t cols;
    /**
     * Bytes of the whole stream.
     */
    uint64_t size;
    /**
     * `HQ_FORMAT_*`: the format that it was packed in, and decodes to.
     */
    int32_t format;
    /**
     * Rows in a chunk; the last chunk may have fewer.
     */
    uint32_t chunk_rows;
} hq_archive_info;

/**
 * What `hq_archive_next_codes` gives beside the codes; 24 bytes.
 */
typedef struct hq_archive_unit {
    /**
     * The row that the codes belong to.
     */
    uint64_t row;
    /**
     * How many codes there are; 0 at the end of the stream.
     */
    uint64_t len;
    /**
     * Weight = code * scale.
     */
    float scale;
    /**
     * 0.
     */
    uint32_t reserved;
} hq_archive_unit;

/**
 * What `hq_mixed_select` found; 16 bytes.
 */
typedef struct hq_mixed {
    /**
     * Bytes of the chosen formats; at most the budget.
     */
    uint64_t bytes;
    /**
     * The sum of their errors.
     */
    float error;
    /**
     * No choice within the budget has a smaller error. Equal to `error` where the choice is proved to be the best.
     */
    float bound;
} hq_mixed;

/**
 * What a block of activations costs once in products with base-3 weights; 516 bytes. Made by `hq_act_tables`.
 *
 * A form in memory, in the byte order of the machine: not for files.
 */
typedef struct hq_act_table {
    /**
     * Sum of the codes.
     */
    int32_t sum;
    /**
     * In an order of the library's own.
     */
    int16_t coefficients[16][16];
} hq_act_table;

/**
 * What `hq_kmeans_bins_cluster` found; 16 bytes.
 */
typedef struct hq_kmeans_bins {
    /**
     * Sum of squared distances of the binned values, in 1/256 of a squared bin width; the same on every target.
     */
    uint64_t cost;
    /**
     * The same in squared units of the values.
     */
    float inertia;
    /**
     * How many of the centres are different clusters; the rest repeat the last one.
     */
    uint32_t clusters;
} hq_kmeans_bins;

/**
 * One cluster of parameters; 24 bytes.
 */
typedef struct hq_parameter_cluster {
    /**
     * The mean of its values, or 0 if pinned.
     */
    float center;
    /**
     * Mean of |value - center|; 0 if it has no values.
     */
    float mean_distance;
    /**
     * Sum of (value - center)^2.
     */
    float inertia;
    /**
     * d / (d + mean_distance), d being the mean distance of all values from their mean: 1 for a cluster without spread,
     * 0.5 for one as spread as the whole layer.
     */
    float cohesion;
    /**
     * Share of size times cohesion; those of all clusters add up to 1.
     */
    float importance;
    /**
     * How many values.
     */
    uint32_t size;
} hq_parameter_cluster;

/**
 * What `hq_suggest_bits` found; 16 bytes.
 */
typedef struct hq_suggested_bits {
    /**
     * Bits of all values together.
     */
    uint64_t total;
    /**
     * The error that is left.
     */
    float error;
    /**
     * No allotment within the budget leaves less. Equal to `error` where that one is proved to be the best.
     */
    float bound;
} hq_suggested_bits;

/**
 * How to fit; `hq_kmeans_options_default` fills it. All fields 0 means no iteration at all.
 */
typedef struct hq_kmeans_options {
    /**
     * Updates of the centres at most.
     */
    uint32_t max_iterations;
    /**
     * `HQ_EMPTY_*`.
     */
    int32_t empty;
    /**
     * `HQ_BOUNDS_*`: whether time may be saved; the result is the same.
     */
    int32_t bounds;
    /**
     * 1: spherical k-means, for rows of length 1 (`hq_kmeans_normalize_rows`): centres are brought to length 1 after every
     * update. Else 0.
     */
    int32_t spherical;
    /**
     * Stop once no centre moves farther than this in one update; >= 0.
     */
    float shift_tolerance;
    /**
     * Stop once an update lowers the inertia by no more than this part of it; >= 0, 0: never.
     */
    float inertia_tolerance;
} hq_kmeans_options;

/**
 * What a fit has found, beside centres and labels.
 */
typedef struct hq_kmeans_result {
    /**
     * Sum of weight * squared distance to the centre of the label.
     */
    float inertia;
    /**
     * The largest distance that a centre moved in the last update; 0 if there was none.
     */
    float shift;
    /**
     * Updates of the centres.
     */
    uint32_t iterations;
    /**
     * `HQ_STOP_*`.
     */
    int32_t stop;
    /**
     * Clusters without weight at the end.
     */
    uint32_t empty;
} hq_kmeans_result;

/**
 * What `hq_kmeans_update` has found.
 */
typedef struct hq_kmeans_step {
    /**
     * The largest distance that a centre has moved.
     */
    float shift;
    /**
     * The sum of weighted squared distances to the centres before the update, those that the labels belong to.
     */
    float inertia;
    /**
     * Clusters without weight, before the policy was applied.
     */
    uint32_t empty;
} hq_kmeans_step;

/**
 * One number of clusters, and what the criteria say of it.
 */
typedef struct hq_kmeans_candidate {
    /**
     * Clusters.
     */
    uint32_t k;
    /**
     * Sum of weight * squared distance to the nearest centre.
     */
    float inertia;
    /**
     * Calinski and Harabasz (1974): variance between clusters over that within. 0 for one cluster.
     */
    float calinski_harabasz;
    /**
     * The Bayesian information criterion (Pelleg and Moore 2000) less that of one cluster.
     */
    float bic;
    /**
     * The simplified silhouette: mean of 1 - (distance to the nearest centre) / (distance to the second nearest). 0 for
     * one cluster.
     */
    float silhouette;
    /**
     * The inertia over that of points which fill a box with the same principal components evenly; its negative
     * logarithm is the gap of Tibshirani, Walther and Hastie (2001). Near 1 or above without structure.
     */
    float concentration;
} hq_kmeans_candidate;

/**
 * What the criteria want, and what is made of it.
 */
typedef struct hq_kmeans_choice {
    /**
     * The number of clusters; 1 if the data show no structure.
     */
    uint32_t k;
    /**
     * The number with the largest Calinski-Harabasz index.
     */
    uint32_t calinski_harabasz;
    /**
     * The number with the largest Bayesian information criterion; may be 1.
     */
    uint32_t bic;
    /**
     * The number with the largest simplified silhouette.
     */
    uint32_t silhouette;
    /**
     * The number with the least concentration; 1 if none is below 0.7.
     */
    uint32_t concentration;
    /**
     * Entries of the curve: fewer than `max_k` if fewer rows differ.
     */
    uint32_t candidates;
} hq_kmeans_choice;

/**
 * What `hq_kmeans_int8_fit` shall do; 24 bytes. Fill it with `hq_kmeans_int8_options_init`, then change what you need.
 */
typedef struct hq_kmeans_int8_options {
    /**
     * For k-means++: the same seed gives the same centres on every machine.
     */
    uint64_t seed;
    /**
     * How often centres are moved at most; with 0 rows are only assigned.
     */
    uint32_t max_iterations;
    /**
     * `HQ_KMEANS_INT8_SEEDING_*`.
     */
    int32_t seeding;
    /**
     * `HQ_EMPTY_FARTHEST`, `HQ_EMPTY_KEEP` or `HQ_EMPTY_ERROR`: what happens to clusters without rows.
     */
    int32_t empty;
    /**
     * 0.
     */
    int32_t reserved;
} hq_kmeans_int8_options;

/**
 * What `hq_kmeans_int8_fit` has found; 24 bytes.
 */
typedef struct hq_kmeans_int8_result {
    /**
     * The sum of squared distances of rows to their centres, in sixteenths: 256 for a distance of 1.
     */
    uint64_t inertia;
    /**
     * How often the centres were worked out anew.
     */
    uint32_t iterations;
    /**
     * 1 if they no longer move, else 0.
     */
    uint32_t converged;
    /**
     * Clusters without a row.
     */
    uint32_t empty;
    /**
     * 0.
     */
    uint32_t reserved;
} hq_kmeans_int8_result;

/**
 * What `hq_kmeans_int8_update` has found; 24 bytes.
 */
typedef struct hq_kmeans_int8_step {
    /**
     * The inertia of the rows for the centres that they were assigned to, as in `hq_kmeans_int8_result`.
     */
    uint64_t inertia;
    /**
     * How many rows there were.
     */
    uint64_t rows;
    /**
     * Clusters without a row; their centres stay.
     */
    uint32_t empty;
    /**
     * 1 if a centre moved, else 0.
     */
    uint32_t moved;
} hq_kmeans_int8_step;

/**
 * A batch from one cluster.
 */
typedef struct hq_data_batch {
    /**
     * Which cluster.
     */
    uint32_t cluster;
    /**
     * How many rows were written.
     */
    uint32_t rows;
    /**
     * The share of the cluster among all rows, over its probability: times this, the mean over the batch has the
     * expectation of the mean over all rows. 1 if clusters are drawn by size.
     */
    float weight;
} hq_data_batch;

/**
 * The two nearest centres of a point.
 */
typedef struct hq_kmeans_top2 {
    /**
     * The nearest, its label.
     */
    uint32_t label;
    /**
     * The one after it; the same as the first if there is no other.
     */
    uint32_t second_label;
    /**
     * The squared distance to the nearest.
     */
    float distance;
    /**
     * The squared distance to the second; infinite if there is none.
     */
    float second;
} hq_kmeans_top2;

/**
 * One cluster in numbers.
 */
typedef struct hq_kmeans_summary {
    /**
     * How many points it has.
     */
    uint32_t points;
    /**
     * What they weigh.
     */
    float weight;
    /**
     * Their weighted mean distance to the centre; 0 without weight.
     */
    float mean_distance;
    /**
     * Their weighted mean squared distance to the centre, the smaller the tighter; 0 without weight.
     */
    float cohesion;
    /**
     * The largest distance of a point to the centre.
     */
    float radius;
} hq_kmeans_summary;

/**
 * How to fit by batches. `hq_kmeans_batch_options_default` gives a good start, which NULL stands for, too.
 */
typedef struct hq_kmeans_batch_options {
    /**
     * The same seed draws the same batches on every machine.
     */
    uint64_t seed;
    /**
     * Rows of a batch, at least 1; more than there are count as so many.
     */
    uint32_t batch;
    /**
     * Batches at most.
     */
    uint32_t max_steps;
    /**
     * Stop once this many batches in a row have not lowered the smoothed inertia; 0: never.
     */
    uint32_t max_no_improvement;
    /**
     * `HQ_DRAW_*`.
     */
    int32_t draw;
    /**
     * Stop once no centre moves farther than this for a batch; >= 0, 0: never.
     */
    float shift_tolerance;
    /**
     * Centres that weigh less than this part of the heaviest get a new place now and then; 0 to 1, 0: never.
     */
    float reassignment_ratio;
} hq_kmeans_batch_options;

/**
 * A constraint set. Which fields count says the kind; set all others to 0 or NULL (`hq_set s = {0};` does).
 *
 * The struct and the arrays that it points to are only read, and are not kept. Radii are finite and at least 0. 72 bytes
 * where pointers have 8, 44 where they have 4.
 */
typedef struct hq_set {
    /**
     * One of `HQ_SET_*`.
     */
    int32_t kind;
    /**
     * 0.
     */
    int32_t reserved;
    /**
     * A radius, or a sum.
     */
    float radius;
    /**
     * The right-hand side of a halfspace or hyperplane; a cap.
     */
    float value;
    /**
     * The first array.
     */
    const float *a;
    /**
     * Its length; 0 for NULL.
     */
    size_t a_len;
    /**
     * The second array.
     */
    const float *b;
    /**
     * Its length; 0 for NULL.
     */
    size_t b_len;
    /**
     * How many rows, columns, parts or values.
     */
    size_t count;
    /**
     * As a part of a product: how many values it takes.
     */
    size_t len;
    /**
     * The parts of a product.
     */
    const struct hq_set *sets;
} hq_set;

/**
 * When `hq_sets_dykstra` stops. NULL instead: 1000 cycles, 1e-6.
 */
typedef struct hq_dykstra_options {
    /**
     * The most cycles (one projection onto each set); at least 1.
     */
    uint32_t max_cycles;
    /**
     * A cycle that moves the point by no more than this share of its norm is the last; finite, at least 0.
     */
    float tolerance;
} hq_dykstra_options;

/**
 * How `hq_sets_dykstra` ended, and what its result is worth.
 *
 * For every point z of the intersection, with x0 the input and x the result: (x0 - x) . (z - x) <= gap + residual |z - x|,
 * up to rounding. The projection is the only point of the intersection where the left side is never positive. If x is in the
 * intersection, |x - projection| <= residual + sqrt(gap). docs/constrain.md says what that does not certify.
 */
typedef struct hq_dykstra {
    /**
     * 1 if the last cycle moved the point by no more than the tolerance. If 0, the result is only the last iterate: the
     * intersection is empty, or not reached within the cycles.
     */
    int32_t converged;
    /**
     * Cycles done.
     */
    uint32_t cycles;
    /**
     * By how much the last cycle moved the point: the sum over the projections.
     */
    float change;
    /**
     * The point is at most this far from every set.
     */
    float distance;
    /**
     * Constant part of the bound on the variational inequality.
     */
    float gap;
    /**
     * The part of it that grows with the distance.
     */
    float residual;
} hq_dykstra;

/**
 * A trust region: how long a step may be, `|step| <= radius` in the Euclidean norm, learnt from how well the model
 * foretold the last ones. Plain state of 88 bytes: fill it with `hq_trust_region_init`, change constants as needed, copy
 * and store it as you like.
 *
 * For a width `w` that is learnt or configured instead: `|step| <= w` is `radius = w`, `|step| <= w * w` is
 * `radius = w * w`, and `|step|^2 <= w` is `radius = sqrt(w)`.
 */
typedef struct hq_trust_region {
    /**
     * The norm that a step may have.
     */
    float radius;
    /**
     * The radius never shrinks below; above 0.
     */
    float min_radius;
    /**
     * The radius never grows above.
     */
    float max_radius;
    /**
     * A step is accepted if its ratio is above this: 0 to `shrink_below`.
     */
    float accept_above;
    /**
     * The radius shrinks if the ratio is below this; below `grow_above`.
     */
    float shrink_below;
    /**
     * The radius grows if the ratio is above this and the step reached the boundary.
     */
    float grow_above;
    /**
     * What the radius is multiplied with when it shrinks; between 0 and 1.
     */
    float shrink;
    /**
     * What the radius is multiplied with when it grows; at least 1.
     */
    float grow;
    /**
     * A step reaches the boundary if its norm is at least this part of the radius; above 0, at most 1.
     */
    float boundary;
    /**
     * The rounding guard in units of `2^-23 max(loss_scale, |loss|)`; 0 (none) to 2^23.
     */
    float guard;
    /**
     * The least magnitude of the loss that the guard believes in; 0 makes it relative to the loss alone.
     */
    float loss_scale;
    /**
     * 1: shrink from the norm of the step where that is below the radius. 0: from the radius.
     */
    int32_t shrink_from_step;
    /**
     * Calls of `hq_trust_region_update`.
     */
    uint64_t steps;
    /**
     * Steps that were accepted.
     */
    uint64_t accepted;
    /**
     * Steps that reached the boundary; `on_boundary / steps` is the activation rate.
     */
    uint64_t on_boundary;
    /**
     * Steps that were refused because a number was NaN or infinite; they count as rejected too.
     */
    uint64_t refused;
    /**
     * Rejected or refused steps since the last accepted one.
     */
    uint32_t rejected_in_row;
    /**
     * 0.
     */
    uint32_t reserved;
} hq_trust_region;

/**
 * What `hq_trust_region_update` says about a step; 20 bytes.
 */
typedef struct hq_trust_outcome {
    /**
     * `HQ_TRUST_ACCEPTED`, `HQ_TRUST_REJECTED` or `HQ_TRUST_REFUSED`.
     */
    int32_t verdict;
    /**
     * Actual over predicted reduction, guarded, always finite; 0 where there is none.
     */
    float ratio;
    /**
     * The radius that the step was made with.
     */
    float radius_before;
    /**
     * The radius for the next step.
     */
    float radius;
    /**
     * 1 if the step reached the boundary, else 0.
     */
    int32_t on_boundary;
} hq_trust_outcome;

/**
 * The product of a symmetric matrix with a vector: writes `H v` to `out`, both of `len` floats, and returns 0; anything
 * else ends the search. `context` is what the caller of `hq_steihaug` has passed. It must return (no `longjmp`, no
 * exception) and must not write `v`.
 */
typedef int32_t (*hq_hessian_vector)(void *context, const float *v, float *out, size_t len);

/**
 * When `hq_steihaug` stops; 8 bytes. NULL stands for a tolerance of 0.1 and 100 iterations.
 */
typedef struct hq_steihaug_options {
    /**
     * Stop when the norm of `g + H p` is at most this part of that of `g`; 0 to 1.
     */
    float tolerance;
    /**
     * Stop after so many products.
     */
    uint32_t max_iterations;
} hq_steihaug_options;

/**
 * What `hq_steihaug` has found; 20 bytes.
 */
typedef struct hq_steihaug_result {
    /**
     * By how much the model falls: at least 0, finite.
     */
    float predicted;
    /**
     * The norm of the step; the radius, exactly, if the step ends on the boundary.
     */
    float norm;
    /**
     * The norm of `g + H p` over that of `g`, of the last iterate inside the region.
     */
    float residual;
    /**
     * Products with the Hessian.
     */
    uint32_t iterations;
    /**
     * `HQ_STEIHAUG_*`.
     */
    int32_t stop;
} hq_steihaug_result;

/**
 * How `hq_latent_free_update` learns; 24 bytes. Fill it with `hq_latent_free_options_init`, then change what you need.
 */
typedef struct hq_latent_free_options {
    /**
     * Units of inertia for a gradient of 1; at least 0, finite. `threshold / rate` is the sum of gradients that moves a
     * trit. A step moves inertia by at most 127 units.
     */
    float rate;
    /**
     * The part of the inertia that is forgotten each step, 0 to 1, rounded to a multiple of 2^-15.
     */
    float decay;
    /**
     * Pressure towards zero, in units of inertia a step; 0 to 16, rounded to a multiple of 2^-15.
     */
    float weight_decay;
    /**
     * The learning rate of the stored scales; 0 leaves them alone.
     */
    float scale_rate;
    /**
     * The inertia that moves a trit, 1 to 127; 1 to 8 for inertia in 4 bits.
     */
    int32_t threshold;
    /**
     * `HQ_NON_FINITE_ERROR`, or `HQ_NON_FINITE_SATURATE`: NaN counts as 0, an infinity as the largest step.
     */
    int32_t non_finite;
} hq_latent_free_options;

/**
 * What `hq_latent_free_update` did; 40 bytes. Reports of parts are added up, field by field.
 */
typedef struct hq_latent_free_report {
    /**
     * Weights seen.
     */
    uint64_t weights;
    /**
     * Trits that went up by one.
     */
    uint64_t raised;
    /**
     * Trits that went down by one; `(raised + lowered) / weights` is the flip rate.
     */
    uint64_t lowered;
    /**
     * Trits that are zero now.
     */
    uint64_t zeros;
    /**
     * Weights whose `rate * gradient` was beyond 127 units and was cut: many of them say that the rate is too high.
     */
    uint64_t clipped;
} hq_latent_free_report;

/**
 * How to step. `hq_optimizer_options_default` gives a good start, which NULL stands for, too.
 */
typedef struct hq_optimizer_options {
    /**
     * The step, counted from 0, with which the proximal map of the parameters begins to turn from the identity ...
     */
    uint64_t ramp_start;
    /**
     * ... and the one from which it is hard ternary. Both 0: from the beginning.
     */
    uint64_t ramp_end;
    /**
     * Of stochastic rounding, where there is any.
     */
    uint64_t seed;
    /**
     * `HQ_BASE_*`.
     */
    int32_t base;
    /**
     * How the momentum is held: `HQ_STORAGE_*`.
     */
    int32_t moment;
    /**
     * How the second moment of `HQ_BASE_NADAMW` is held.
     */
    int32_t second;
    /**
     * `HQ_GRADIENT_*`.
     */
    int32_t gradient;
    /**
     * How the error of quantization is held that is fed back to the next gradient.
     */
    int32_t residual;
    /**
     * The packed format of the parameters: `HQ_FORMAT_TQ1_0` or `HQ_FORMAT_TQ2_0`.
     */
    int32_t format;
    /**
     * How their scales are fitted: `HQ_FIT_MSE`, `HQ_FIT_ABSMEAN`, `HQ_FIT_ABSMAX` or `HQ_FIT_LLOYD`.
     */
    int32_t fit;
    /**
     * 0.
     */
    int32_t reserved;
    /**
     * The decay of the momentum; of `HQ_BASE_NADAMW` the first beta. At least 0, below 1.
     */
    float momentum;
    /**
     * The second beta of `HQ_BASE_NADAMW`. At least 0, below 1.
     */
    float beta2;
    /**
     * Added to the root of the second moment; above 0.
     */
    float epsilon;
    /**
     * Decoupled weight decay; at least 0.
     */
    float weight_decay;
    /**
     * The gradient of all groups together is scaled down to this norm; above 0, `INFINITY`: never.
     */
    float clip_norm;
    /**
     * Standard deviations at which the ternary gradient is clipped; above 0, `INFINITY`: never.
     */
    float sigma;
} hq_optimizer_options;

/**
 * A matrix of parameters with a learning rate and a trust radius of its own. Groups lie one after the other in all arrays.
 */
typedef struct hq_optimizer_group {
    /**
     * Rows of the matrix; vectors have one.
     */
    size_t rows;
    /**
     * Columns: what is quantized lies in a row.
     */
    size_t cols;
    /**
     * At least 0.
     */
    float learning_rate;
    /**
     * The L2 norm of a step of this group stays within it; above 0, `INFINITY`: unbounded.
     */
    float radius;
} hq_optimizer_group;

/**
 * Bytes of every part of an optimizer.
 */
typedef struct hq_optimizer_bytes {
    /**
     * The momentum.
     */
    size_t moment;
    /**
     * The second moment of `HQ_BASE_NADAMW`.
     */
    size_t second;
    /**
     * The memory of error feedback.
     */
    size_t residual;
    /**
     * The three above with their padding: `hq_optimizer_memory_size`.
     */
    size_t memory;
    /**
     * The gradient as packed trits.
     */
    size_t gradient;
    /**
     * The parameters, packed.
     */
    size_t packed;
    /**
     * The parameters in `float` that steps are added to.
     */
    size_t latent;
} hq_optimizer_bytes;

/**
 * The few numbers of an optimizer beside its memory. Save and restore it with the memory, and the run goes on with the
 * same bits. `hq_optimizer_start` makes one; change nothing in it.
 */
typedef struct hq_optimizer_state {
    /**
     * Steps taken.
     */
    uint64_t steps;
    /**
     * What base, forms and groups the memory was laid out for.
     */
    uint64_t layout;
    /**
     * `momentum ^ steps`.
     */
    float moment_power;
    /**
     * `beta2 ^ steps`.
     */
    float second_power;
    /**
     * No momentum is larger than this.
     */
    float moment_bound;
    /**
     * No residual is larger than this.
     */
    float residual_bound;
    /**
     * By how much the last step should have lowered the loss, to first order.
     */
    float predicted;
    /**
     * 0.
     */
    uint32_t reserved;
} hq_optimizer_state;

/**
 * The step of one group.
 */
typedef struct hq_optimizer_group_step {
    /**
     * The norm of the step that was asked for.
     */
    float wanted;
    /**
     * The norm of the step within the radius.
     */
    float taken;
    /**
     * By how much this group's step should lower the loss, to first order.
     */
    float predicted;
    /**
     * 1 if the radius was active, else 0.
     */
    uint32_t bounded;
} hq_optimizer_group_step;

/**
 * What a step writes beside the parameters; NULL with length 0 where that is not wanted.
 */
typedef struct hq_optimizer_outputs {
    /**
     * The parameters as the model is to see them: through the proximal map, at the end of the ramp what `packed` decodes
     * to. As many as there are parameters.
     */
    float *visible;
    /**
     * How many.
     */
    size_t visible_len;
    /**
     * The parameters in the packed format, `hq_optimizer_bytes.packed` bytes: the matrix of each group after the other.
     */
    uint8_t *packed;
    /**
     * How many bytes.
     */
    size_t packed_size;
    /**
     * The gradient that was used as packed trits, `hq_optimizer_bytes.gradient` bytes; for `HQ_GRADIENT_TERNARY`.
     */
    uint8_t *gradient;
    /**
     * How many bytes.
     */
    size_t gradient_size;
    /**
     * The step of each group.
     */
    struct hq_optimizer_group_step *groups;
    /**
     * How many.
     */
    size_t groups_len;
} hq_optimizer_outputs;

/**
 * What happened in a step.
 */
typedef struct hq_optimizer_report {
    /**
     * The norm of the gradient as it came.
     */
    float gradient_norm;
    /**
     * The same after the clip to `clip_norm`.
     */
    float clipped_norm;
    /**
     * The norm of the step that the direction and the learning rates ask for.
     */
    float wanted_norm;
    /**
     * The norm of the step within the radii, before the set.
     */
    float step_norm;
    /**
     * The radius that holds for all groups together; infinity if one has none.
     */
    float radius;
    /**
     * (Loss before - loss after) / predicted, of the *previous* step; 0 if `has_ratio` is 0.
     */
    float ratio;
    /**
     * By how much this step should lower the loss, to first order.
     */
    float predicted;
    /**
     * What quantization changed of the gradient (with residual), relative to it: root of the ratio of the squares.
     */
    float gradient_error;
    /**
     * What packing changed of the parameters, likewise; 0 if they were not packed.
     */
    float parameter_error;
    /**
     * The cosine between the step and the negative gradient: the part of the step that goes downhill.
     */
    float efficiency;
    /**
     * Groups whose radius was active.
     */
    uint32_t bounded;
    /**
     * 1 if losses were given and there was a step before this one, else 0.
     */
    uint32_t has_ratio;
    /**
     * 1 if the constraint set moved the parameters, else 0.
     */
    uint32_t projected;
} hq_optimizer_report;

/**
 * What is kept between hybrid steps beside the arrays; 200 bytes. `hq_hybrid_start` makes one. Save it between steps, with
 * parameters and memory, and the run goes on with the same bits. Constants of `region` may be changed.
 */
typedef struct hq_hybrid_state {
    /**
     * The optimizer's.
     */
    struct hq_optimizer_state optimizer;
    /**
     * The trust region.
     */
    struct hq_trust_region region;
    /**
     * The optimizer's state before the step that waits for its judgement.
     */
    struct hq_optimizer_state before;
    /**
     * Of that step: the loss before it ...
     */
    float loss;
    /**
     * ... by how much it should fall ...
     */
    float predicted;
    /**
     * ... the norm ...
     */
    float norm;
    /**
     * ... the efficiency ...
     */
    float efficiency;
    /**
     * ... what the radius was multiplied with ...
     */
    float multiplier;
    /**
     * ... and 1 if a radius shortened it.
     */
    uint32_t bounded;
    /**
     * 1 if a step waits for its judgement, else 0.
     */
    uint32_t waiting;
    /**
     * 0.
     */
    uint32_t reserved;
} hq_hybrid_state;

/**
 * A model in training: everything that a hybrid step reads and writes. The arrays are the caller's.
 */
typedef struct hq_hybrid {
    /**
     * How to step; NULL for the usual options.
     */
    const struct hq_optimizer_options *options;
    /**
     * The parameters, in this order. Rates and radii may change between steps, shapes may not.
     */
    const struct hq_optimizer_group *groups;
    /**
     * How many.
     */
    size_t groups_len;
    /**
     * All parameters together are projected to it after every step; NULL for none.
     */
    const struct hq_set *set;
    /**
     * What `hq_hybrid_start` or the last step left.
     */
    struct hq_hybrid_state *state;
    /**
     * `hq_optimizer_memory_size` bytes, aligned to 4 if a part of it is held in `float`.
     */
    void *memory;
    /**
     * How many bytes.
     */
    size_t memory_size;
    /**
     * `hq_hybrid_undo_size` bytes.
     */
    void *undo;
    /**
     * How many bytes.
     */
    size_t undo_size;
    /**
     * The parameters in full precision.
     */
    float *params;
    /**
     * How many.
     */
    size_t params_len;
    /**
     * The parameters as the forward pass is to see them, as many; NULL where it reads `params` or `packed`.
     */
    float *visible;
    /**
     * How many.
     */
    size_t visible_len;
    /**
     * The packed parameters; NULL where they are not wanted.
     */
    uint8_t *packed;
    /**
     * How many bytes.
     */
    size_t packed_size;
    /**
     * Steps whose efficiency (cosine between step and negative gradient) is below are judged by the loss alone: -1 to 1. 0.05
     * is a good start.
     */
    float least_efficiency;
    /**
     * By what part of itself the loss may rise in such a step; at least 0. 0.1 is a good start.
     */
    float tolerated_rise;
} hq_hybrid;

/**
 * How gradients become packets; 24 bytes. Fill it with `hq_gradient_packet_options_init`, then change what you need.
 */
typedef struct hq_gradient_packet_options {
    /**
     * Root mean squares at which magnitudes are clipped when the scale is fitted; above 0, infinity: never.
     */
    float sigma;
    /**
     * Scales are multiples of 2^unit, -100 to 60; the same for all packets of a run. Gradients with their residual must
     * stay below 2^(unit + 44).
     */
    int32_t unit;
    /**
     * How the residual is held: `HQ_STORAGE_F32`, `HQ_STORAGE_INT8`, `HQ_STORAGE_INT4`, or `HQ_STORAGE_NONE`: what is
     * lost is lost for good.
     */
    int32_t residual;
    /**
     * Zero.
     */
    int32_t reserved;
    /**
     * Of the random rounding of residuals in few bits.
     */
    uint64_t seed;
} hq_gradient_packet_options;

/**
 * What a packet is of; 24 bytes.
 */
typedef struct hq_gradient_tag {
    /**
     * The step of the run.
     */
    uint64_t step;
    /**
     * Where the values begin among all parameters: a gradient may be sent in slices.
     */
    uint64_t first;
    /**
     * The shard of the batch.
     */
    uint32_t shard;
    /**
     * Samples of the shard, 1 to `HQ_GRADIENT_MAX_WEIGHT`; 1 for all where shards are of equal size.
     */
    uint32_t weight;
} hq_gradient_tag;

/**
 * What a packet says about itself; 40 bytes.
 */
typedef struct hq_gradient_packet {
    /**
     * The step of the run.
     */
    uint64_t step;
    /**
     * Where its values begin among all parameters.
     */
    uint64_t first;
    /**
     * Its values.
     */
    uint64_t len;
    /**
     * The shard of the batch.
     */
    uint32_t shard;
    /**
     * Samples of the shard.
     */
    uint32_t weight;
    /**
     * Its scales are multiples of 2^unit.
     */
    int32_t unit;
    /**
     * Zero.
     */
    uint32_t reserved;
} hq_gradient_packet;

/**
 * What an array of `int64_t` sums of packets stands for; 32 bytes, plain: it may be sent with the array. Fill it with
 * `hq_gradient_sums_init`.
 */
typedef struct hq_gradient_sums {
    /**
     * Of all packets in it.
     */
    uint64_t step;
    /**
     * Where the values begin among all parameters.
     */
    uint64_t first;
    /**
     * Of all packets together: at most `HQ_GRADIENT_MAX_WEIGHT`.
     */
    uint32_t weight;
    /**
     * How many packets are in it.
     */
    uint32_t packets;
    /**
     * The sums are multiples of 2^unit, times weights.
     */
    int32_t unit;
    /**
     * Zero.
     */
    uint32_t reserved;
} hq_gradient_sums;

/**
 * How a predictor behaves; 72 bytes. `hq_predictor_init` fills it with the defaults; change what you need. Arrays have one
 * value for the learning rate and one for the radius.
 */
typedef struct hq_predictor_options {
    /**
     * Of the signs of probes; 0.
     */
    uint64_t seed;
    /**
     * No multiplier is smaller; above 0, at most 1; 1/4.
     */
    float lowest[2];
    /**
     * No multiplier is larger; at least 1; 4. An output whose bounds are both 1 is switched off.
     */
    float highest[2];
    /**
     * The factor between the multipliers and the alternative of a probe; above 1, at most 16; 1.5.
     */
    float probe_factor;
    /**
     * The largest change of a log multiplier by one block of probes; 0 (nothing is learnt) to 1; 0.35.
     */
    float rate;
    /**
     * The part of what was learnt that is forgotten with each block; 0 to 1; 0.02.
     */
    float decay;
    /**
     * Evidence counts if its mean is so many of its standard errors from 0; at least 0; 2.
     */
    float confidence;
    /**
     * Evidence counts if its mean is beyond this; 0 to 1; 0.05.
     */
    float indifference;
    /**
     * A step whose trust-region ratio is below this is a bad one, as is one that was not accepted; 0.1.
     */
    float bad_ratio;
    /**
     * Steps that the running means of the features reach back; at least 1; 100.
     */
    uint32_t window;
    /**
     * Steps from one probe to the next; 0: never; 4.
     */
    uint32_t probe_every;
    /**
     * Probes of an output that are judged together; at least 2; 4.
     */
    uint32_t block;
    /**
     * Bad steps in a row that roll the output layer back; 0: never; 3.
     */
    uint32_t bad_steps;
    /**
     * Good steps in a row after which the output layer is kept to roll back to; at least 1; 20.
     */
    uint32_t good_steps;
    /**
     * Steps without multipliers after a roll-back; 20.
     */
    uint32_t hold_steps;
} hq_predictor_options;

/**
 * What a predictor has counted; 104 bytes. Arrays have one value for the learning rate and one for the radius.
 */
typedef struct hq_predictor_statistics {
    /**
     * Predictions made.
     */
    uint64_t steps;
    /**
     * Of them, those without multipliers because of a roll-back.
     */
    uint64_t held;
    /**
     * Predictions whose outcome was fed back.
     */
    uint64_t judged;
    /**
     * Of them, those whose step was accepted; `accepted / judged` is the success rate.
     */
    uint64_t accepted;
    /**
     * Predictions for which a multiplier was at its bound; over `steps` the clamp rates.
     */
    uint64_t clamped[2];
    /**
     * Predictions that came with an alternative to compare with.
     */
    uint64_t probes;
    /**
     * Comparisons that said something.
     */
    uint64_t compared;
    /**
     * Comparisons that said nothing: no finite loss, no difference between the two, or made before a roll-back.
     */
    uint64_t ignored;
    /**
     * Changes of the output layer for evidence.
     */
    uint64_t moves;
    /**
     * Times the output layer was rolled back.
     */
    uint64_t roll_backs;
    /**
     * Sums of the log multipliers, each in two parts to be added up: `exp((logs[k][0] + logs[k][1]) / steps)` are the
     * geometric means.
     */
    float logs[2][2];
} hq_predictor_statistics;

/**
 * One step of the history of a predictor; 16 bytes.
 */
typedef struct hq_predictor_record {
    /**
     * The multiplier of the learning rate.
     */
    float learning_rate;
    /**
     * The multiplier of the radius.
     */
    float radius;
    /**
     * The trust-region ratio fed back; 0 where there is none.
     */
    float ratio;
    /**
     * 0: not fed back; 1: accepted; 2: rejected or refused.
     */
    uint32_t fate;
} hq_predictor_record;

/**
 * A predictor: its options, its network, all that it remembers. Plain state of 1648 bytes: fill it with
 * `hq_predictor_init`, copy and store it as you like; a run that goes on from a stored one ends with the same bits.
 */
typedef struct hq_predictor {
    /**
     * How it behaves. May be changed at any time.
     */
    struct hq_predictor_options options;
    /**
     * What has happened so far.
     */
    struct hq_predictor_statistics statistics;
    /**
     * The network: 16 x 6 hidden weights, row after row, 16 hidden biases, 2 x 16 output weights, 2 output biases.
     */
    float weights[146];
    /**
     * The last steps: step `i` at `i mod 16`.
     */
    struct hq_predictor_record history[16];
    /**
     * The rest of the memory, not to be touched.
     */
    uint32_t memory[158];
} hq_predictor;

/**
 * What is known of a step before it is made; 32 bytes. Any numbers may stand here, NaN and infinity too.
 */
typedef struct hq_predictor_observation {
    /**
     * Steps made before this one.
     */
    uint64_t step;
    /**
     * The loss on the batch. NaN counts as infinitely large, 0 and less as the smallest there can be.
     */
    float loss;
    /**
     * The Euclidean norm of the gradient on the batch. NaN counts as infinitely large.
     */
    float gradient_norm;
    /**
     * The loss over the one before it. NaN: there is none yet.
     */
    float loss_ratio;
    /**
     * The variance of the gradient: over its entries, or over parts of the batch; always the same. NaN: not measured.
     */
    float gradient_variance;
    /**
     * The cluster that the batch came from; 0 where there are none. 32 clusters are told apart.
     */
    uint32_t cluster;
    /**
     * 0.
     */
    uint32_t reserved;
} hq_predictor_observation;

/**
 * The answer of `hq_predictor_predict`; 48 bytes.
 */
typedef struct hq_prediction {
    /**
     * What the network saw: six numbers within -4 to 4.
     */
    float features[6];
    /**
     * What to multiply the learning rate with.
     */
    float learning_rate;
    /**
     * What to multiply the radius with.
     */
    float radius;
    /**
     * The learning-rate multiplier to compare with.
     */
    float alternative_learning_rate;
    /**
     * The radius multiplier to compare with.
     */
    float alternative_radius;
    /**
     * 1: this step is a probe: the loss after a step with the alternative is wanted too. Else 0.
     */
    int32_t probe;
    /**
     * 1: the multipliers are 1 because of a roll-back. Else 0.
     */
    int32_t held;
} hq_prediction;

/**
 * Losses of the step that was made and of the one that might have been, from the same parameters along the same
 * direction; 24 bytes. A loss that is not finite counts as infinitely large.
 */
typedef struct hq_counterfactual {
    /**
     * Before the step, on the batch that the gradient is of.
     */
    float before;
    /**
     * On that batch, after the step with the multipliers predicted.
     */
    float chosen;
    /**
     * On that batch, after the step with the alternative.
     */
    float alternative;
    /**
     * After the first step, on a batch that the gradient has not seen, such as the next one.
     */
    float fresh_chosen;
    /**
     * After the second step, on that other batch.
     */
    float fresh_alternative;
    /**
     * 1: the two `fresh` losses are there. 0: they are not; then multipliers only come closer to 1.
     */
    int32_t has_fresh;
} hq_counterfactual;

/**
 * A layer. A network is an array of them, each of which takes what the one before gives.
 *
 * `kind` says which fields count, see `hq_layer_linear` and the others; all others must be 0 (designated initializers of C
 * leave them so). The array is only read, may lie in flash, and is not kept. A sample is `positions` vectors in a row, or an
 * image, plane after plane; 0 counts as 1 for `positions`, `heads`, `height` and `stride`.
 */
typedef struct hq_layer {
    /**
     * `&hq_layer_linear`, `&hq_layer_activation`, ...
     */
    const struct hq_layer_kind *kind;
    /**
     * Values of a vector that come in; or channels.
     */
    size_t inputs;
    /**
     * Values of a vector that go out; or channels.
     */
    size_t outputs;
    /**
     * Vectors of a sample.
     */
    size_t positions;
    /**
     * Heads of an attention layer; a divisor of `inputs`.
     */
    size_t heads;
    /**
     * Rows of an image.
     */
    size_t height;
    /**
     * Values of a row.
     */
    size_t width;
    /**
     * Rows and columns of a window.
     */
    size_t window[2];
    /**
     * By how much it moves, down and to the right.
     */
    size_t stride[2];
    /**
     * Zeros above and below the image, and to its left and right; fewer than the window has.
     */
    size_t padding[2];
    /**
     * 1 for a bias, else 0.
     */
    int32_t bias;
    /**
     * 1 for a gain for each value, else 0.
     */
    int32_t gain;
    /**
     * 1 if the inputs are added to the outputs, else 0.
     */
    int32_t residual;
    /**
     * `HQ_CURVE_*`.
     */
    int32_t curve;
    /**
     * `HQ_POOLING_*`.
     */
    int32_t pooling;
    /**
     * `HQ_WEIGHTS_*`: how the layer sees its weights.
     */
    int32_t weights;
    /**
     * With ternary weights: `HQ_FIT_MSE`, `HQ_FIT_ABSMEAN`, `HQ_FIT_ABSMAX` or `HQ_FIT_LLOYD`.
     */
    int32_t fit;
    /**
     * With ternary weights: 0 for trits, 1 for the floats behind them, between for the proximal map between both.
     */
    float inverse_slope;
    /**
     * With ternary weights: floats beyond so many scales of their row get no gradient; 0: all get it.
     */
    float clip;
    /**
     * `HQ_ACTIVATIONS_*`: how the layer sees its inputs.
     */
    int32_t activations;
    /**
     * Added to the mean of squares, 1e-30 to 1; 0 counts as 1e-5.
     */
    float epsilon;
    /**
     * 0.
     */
    int32_t reserved;
} hq_layer;

/**
 * An array among the parameters of a network.
 */
typedef struct hq_layer_array {
    /**
     * `"weight"`, `"bias"`, `"gain"`, `"qkv"` or `"out"`; static text.
     */
    const char *name;
    /**
     * The layer that it belongs to.
     */
    size_t layer;
    /**
     * Outputs of a weight matrix; 1 for a vector.
     */
    size_t rows;
    /**
     * Inputs of a weight matrix; the length of a vector.
     */
    size_t cols;
    /**
     * Where it begins among all parameters.
     */
    size_t offset;
    /**
     * 1 for a weight matrix, which ternary training quantizes; 0 for biases and gains, which stay float.
     */
    int32_t is_matrix;
    /**
     * 0.
     */
    int32_t reserved;
} hq_layer_array;

/**
 * A batch on its way through a network: everything that forward reads and writes, and that backward reads again. The
 * arrays are the caller's.
 */
typedef struct hq_layers_pass {
    /**
     * The network.
     */
    const struct hq_layer *layers;
    /**
     * How many layers.
     */
    size_t layers_len;
    /**
     * Samples.
     */
    size_t batch;
    /**
     * Exactly `hq_layers_parameters_len` floats.
     */
    const float *parameters;
    /**
     * How many.
     */
    size_t parameters_len;
    /**
     * Exactly `batch * hq_layers_input_len` floats, sample after sample.
     */
    const float *input;
    /**
     * How many.
     */
    size_t input_len;
    /**
     * `batch * hq_layers_output_len` floats; at least that for forward, exactly that for backward.
     */
    float *output;
    /**
     * How many.
     */
    size_t output_len;
    /**
     * At least `hq_layers_saved_len` floats: what forward leaves for backward.
     */
    float *saved;
    /**
     * How many.
     */
    size_t saved_len;
    /**
     * At least `hq_layers_workspace_size` bytes at any alignment; holds nothing between calls.
     */
    void *scratch;
    /**
     * How many bytes.
     */
    size_t scratch_size;
} hq_layers_pass;

/**
 * The `context` of `hq_hessian_dense`: a symmetric `len` x `len` matrix, row after row.
 */
typedef struct hq_dense_hessian {
    /**
     * Its values.
     */
    const float *values;
    /**
     * How many: `len * len`.
     */
    size_t values_len;
} hq_dense_hessian;

/**
 * Done; the outputs are written.
 */
#define HQ_OK 0

/**
 * A pointer is NULL although its length is not zero.
 */
#define HQ_ERROR_NULL_POINTER -1

/**
 * The length of an input does not fit the shape given with it.
 */
#define HQ_ERROR_SHAPE -2

/**
 * An output buffer is shorter than the shape requires; the size queries say how much it must hold.
 */
#define HQ_ERROR_OUTPUT_TOO_SMALL -3

/**
 * The scratch buffer is shorter than the `*_workspace_size` function says.
 */
#define HQ_ERROR_WORKSPACE_TOO_SMALL -4

/**
 * The size of a buffer for this shape does not fit `size_t`, or an array would not fit the address space.
 */
#define HQ_ERROR_SIZE_OVERFLOW -5

/**
 * An input holds a NaN or an infinity. Clean it, or choose `HQ_NON_FINITE_SATURATE`.
 */
#define HQ_ERROR_NON_FINITE -6

/**
 * A parameter is outside its documented range.
 */
#define HQ_ERROR_INVALID_ARGUMENT -7

/**
 * A number is not a value of the enum it stands for.
 */
#define HQ_ERROR_UNKNOWN_ENUM -8

/**
 * The combination of format, fit and granularity does not exist.
 */
#define HQ_ERROR_UNSUPPORTED -9

/**
 * A pointer is not aligned for its element type.
 */
#define HQ_ERROR_MISALIGNED -10

/**
 * An output overlaps an input or another output.
 */
#define HQ_ERROR_OVERLAP -11

/**
 * A fitted scale exceeds the largest that the format can store (a 16-bit float: 65504). Rescale the input, or choose
 * `HQ_NON_FINITE_SATURATE` where there is that choice.
 */
#define HQ_ERROR_SCALE_RANGE -12

/**
 * The tier asked for does not exist on this machine.
 */
#define HQ_ERROR_TIER_UNAVAILABLE -13

/**
 * A self-test vector gave a wrong result: do not trust this build on this machine.
 */
#define HQ_ERROR_SELF_TEST -14

/**
 * Data are damaged, cut short, or not what they should be: a checksum, a length or a field is wrong.
 */
#define HQ_ERROR_CORRUPT -15

/**
 * Data were written by a newer version of this library.
 */
#define HQ_ERROR_VERSION -16

/**
 * No choice of formats fits the budget; `hq_mixed_smallest` tells the least that one does.
 */
#define HQ_ERROR_BUDGET -17

/**
 * A cluster has no points, and the policy is to refuse that.
 */
#define HQ_ERROR_EMPTY_CLUSTER -18

/**
 * No answer meets all bounds at once: the least values add up to too much, the largest to too little, or a least one is
 * above its largest.
 */
#define HQ_ERROR_INFEASIBLE -19

/**
 * The rows of a system of equations depend on each other, to the precision of `float`.
 */
#define HQ_ERROR_RANK_DEFICIENT -20

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Weights times inputs, plus a bias if there is one. Reads `inputs`, `outputs`, `positions`, `bias`, `activations`, and
 * `weights` with what belongs to it.
 */
extern const struct hq_layer_kind hq_layer_linear;

/**
 * A bias for each channel. Reads `inputs` (channels) and `positions` (values of a channel: 1 for vectors, the pixels of
 * a plane for images).
 */
extern const struct hq_layer_kind hq_layer_bias;

/**
 * `x / sqrt(mean(x^2) + epsilon)`, times a gain for each value if there is one. Reads `inputs`, `positions`, `gain`,
 * `epsilon`.
 */
extern const struct hq_layer_kind hq_layer_rms_norm;

/**
 * Each value through a curve. Reads `inputs`, `positions`, `curve`.
 */
extern const struct hq_layer_kind hq_layer_activation;

/**
 * Convolution of images (`height` rows of `width`), plus a bias if there is one; signals are images of height 1. Reads
 * `inputs` (channels), `outputs` (channels), `height`, `width`, `window`, `stride`, `padding`, `bias`, `activations`, and
 * `weights` with what belongs to it.
 */
extern const struct hq_layer_kind hq_layer_conv;

/**
 * The largest value of each window, or the mean. Reads `inputs` (channels), `height`, `width`, `window`, `stride` (0: as long
 * as the window), `pooling`.
 */
extern const struct hq_layer_kind hq_layer_pool;

/**
 * The row of a table for each of the `positions` whole numbers of a sample. Reads `inputs` (rows of the table), `outputs`
 * (values of a row), `positions`. `HQ_ERROR_INVALID_ARGUMENT` in forward for a number that is none of a row.
 */
extern const struct hq_layer_kind hq_layer_embedding;

/**
 * Causal self-attention over `positions` vectors of `inputs` values. Reads `inputs`, `positions`, `heads`, `residual`, and
 * `weights` with what belongs to it.
 */
extern const struct hq_layer_kind hq_layer_attention;

/**
 * Version of the linked library: major * 65536 + minor * 256 + patch.
 *
 * Equal to `HQ_VERSION` when header and library belong together. Callable from any thread.
 *
 * ```c
 * assert(hq_version() == HQ_VERSION);
 * ```
 */
uint32_t hq_version(void);

/**
 * What a status means and how to mend it: one line of English, without a newline, never NULL.
 *
 * The text is static and NUL-terminated; do not free it. A number that is no status gives
 * "unknown status". Callable from any thread.
 *
 * ```c
 * assert(strcmp(hq_status_string(HQ_OK), "ok") == 0);
 * ```
 */
const char *hq_status_string(hq_status status);

/**
 * Runs golden vectors through every format on the tier in use: quantize, decode, products with int8 and
 * with f32 activations; and int8 points to the nearest centres.
 *
 * For start-up checks and for the first boot of a new board. Uses 12 KB of stack on a Cortex-M4. Callable from any
 * thread.
 *
 * Returns `HQ_OK`, or `HQ_ERROR_SELF_TEST`: this build gives wrong results on this machine.
 *
 * ```c
 * assert(hq_selftest() == HQ_OK);
 * ```
 */
hq_status hq_selftest(void);

/**
 * The same for constraint sets and the trust region: a projection onto every kind of set, judged steps, and steps by
 * `hq_steihaug`. For programs that use them: this test brings all of them into the program.
 *
 * Uses 16 KB of stack on a Cortex-M4. Callable from any thread. Returns `HQ_OK` or `HQ_ERROR_SELF_TEST`.
 *
 * ```c
 * assert(hq_selftest_constrain() == HQ_OK);
 * ```
 */
hq_status hq_selftest_constrain(void);

/**
 * The same for learning: steps of the optimizer with every direction, ternary gradients and error feedback, and of
 * latent-free learning in every format. For programs that use them: this test brings all of them into the program.
 *
 * Uses 24 KB of stack on a Cortex-M4. Callable from any thread. Returns `HQ_OK` or `HQ_ERROR_SELF_TEST`.
 *
 * ```c
 * assert(hq_selftest_learn() == HQ_OK);
 * ```
 */
hq_status hq_selftest_learn(void);

/**
 * The best tier of this machine (`HQ_TIER_*`), whatever has been forced. Callable from any thread.
 *
 * ```c
 * assert(hq_tier_detected() >= HQ_TIER_SCALAR);
 * ```
 */
int32_t hq_tier_detected(void);

/**
 * The tier that the kernels use now (`HQ_TIER_*`). Callable from any thread.
 *
 * ```c
 * printf("running on %s\n", hq_tier_name(hq_tier_active()));
 * ```
 */
int32_t hq_tier_active(void);

/**
 * The name of a tier: "scalar", "sse4.2", "avx2", "neon"; "unknown" for any other number.
 *
 * The text is static; do not free it. Callable from any thread.
 *
 * ```c
 * assert(strcmp(hq_tier_name(HQ_TIER_SCALAR), "scalar") == 0);
 * ```
 */
const char *hq_tier_name(int32_t tier);

/**
 * Makes every later call of all threads use `tier`; `HQ_TIER_DETECT` goes back to the best one. For tests,
 * benchmarks, and machines whose faster tier must not be used. Results do not depend on the tier.
 *
 * Calls that run in other threads at that moment finish on the tier they began with.
 *
 * Returns `HQ_OK`, `HQ_ERROR_UNKNOWN_ENUM`, or `HQ_ERROR_TIER_UNAVAILABLE` if this machine lacks the tier;
 * nothing changes then.
 *
 * ```c
 * assert(hq_force_tier(HQ_TIER_SCALAR) == HQ_OK);
 * assert(hq_tier_active() == HQ_TIER_SCALAR);
 * assert(hq_force_tier(HQ_TIER_DETECT) == HQ_OK);
 * ```
 */
hq_status hq_force_tier(int32_t tier);

/**
 * Bytes of one packed row of `cols` weights; 0 for no columns.
 *
 * `SIZE_MAX` if `format` is unknown or the size does not fit `size_t`. For static buffers there are the
 * `HQ_*_ROW_SIZE` macros, which give the same numbers.
 *
 * ```c
 * assert(hq_row_size(HQ_FORMAT_TQ1_0, 256) == 54);
 * assert(hq_row_size(HQ_FORMAT_TQ1_0, 257) == HQ_TQ1_0_ROW_SIZE(257));
 * ```
 */
size_t hq_row_size(int32_t format, size_t cols);

/**
 * Bytes of a packed matrix: `rows * hq_row_size(format, cols)`. Row `r` begins at byte
 * `r * hq_row_size(format, cols)`, so that a range of rows is a matrix of its own.
 *
 * `SIZE_MAX` if `format` is unknown or the size does not fit `size_t`.
 *
 * ```c
 * assert(hq_matrix_size(HQ_FORMAT_DENSE_TERNARY, 64, 100) == 64 * 22);
 * assert(hq_matrix_size(-1, 64, 100) == SIZE_MAX);
 * ```
 */
size_t hq_matrix_size(int32_t format, size_t rows, size_t cols);

/**
 * Fills `options` with the defaults of `format`: the fit with the lowest error over the smallest group that
 * the format has a scale for; NaN and infinity refused. These are the defaults that NULL stands for.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then.
 *
 * # Safety
 * `options` points to one writable struct.
 *
 * ```c
 * hq_quantize_options options;
 * assert(hq_quantize_options_init(HQ_FORMAT_TQ2_0, &options) == HQ_OK);
 * options.fit = HQ_FIT_ABSMEAN;
 * ```
 */
hq_status hq_quantize_options_init(int32_t format, struct hq_quantize_options *options);

/**
 * Bytes of scratch that `hq_quantize` needs for the same arguments; 0 for fits that do not sort (absmean,
 * absmax, fixed), else at most `HQ_FIT_SCRATCH_SIZE(n)` for `n` values that share a scale.
 *
 * `SIZE_MAX` for arguments that `hq_quantize` would refuse too. `options` may be NULL: the defaults.
 *
 * # Safety
 * `options` is NULL or points to one readable struct.
 *
 * ```c
 * size_t scratch_size = hq_quantize_workspace_size(HQ_FORMAT_TQ2_0, NULL, 64, 1000);
 * assert(scratch_size == HQ_FIT_SCRATCH_SIZE(256));
 * ```
 */
size_t hq_quantize_workspace_size(int32_t format,
                                  const struct hq_quantize_options *options,
                                  size_t rows,
                                  size_t cols);

/**
 * Quantizes and packs `rows` x `cols` floats.
 *
 * - `options`: NULL for the defaults of the format.
 * - `x`: exactly `rows * cols` floats, row-major; `x_len` counts floats.
 * - `out`: at least `hq_matrix_size(format, rows, cols)` bytes, of which just those are written; any
 *   alignment.
 * - `scratch`: at least `hq_quantize_workspace_size(...)` bytes at any alignment; its contents are lost. NULL
 *   with size 0 if that is 0.
 *
 * Buffers must not overlap. Callable from any thread; threads that share a matrix take a range of rows each.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (`Q8_0` takes only absmax per block, `Q35P` only mse
 * and minmax per row, no other format minmax, dense ternary no block granularity), `HQ_ERROR_INVALID_ARGUMENT` (percentile, threshold, scale), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_SCALE_RANGE`.
 * `out` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[8] = {0.9f, -1.1f, 0.1f, 0.0f, 1.0f, -0.1f, 0.2f, -1.0f};
 * uint8_t packed[2 * HQ_DENSE_TERNARY_ROW_SIZE(4)];
 * uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
 * assert(hq_quantize(HQ_FORMAT_DENSE_TERNARY, NULL, 2, 4, x, 8, packed, sizeof packed, scratch,
 *                    sizeof scratch) == HQ_OK);
 * ```
 */
hq_status hq_quantize(int32_t format,
                      const struct hq_quantize_options *options,
                      size_t rows,
                      size_t cols,
                      const float *x,
                      size_t x_len,
                      uint8_t *out,
                      size_t out_size,
                      void *scratch,
                      size_t scratch_size);

/**
 * Bytes of scratch that `hq_quantize_weighted` needs for the same arguments: at most
 * `HQ_WEIGHTED_SCRATCH_SIZE(n)` for `n` values that share a scale, 0 for `HQ_FORMAT_Q8_0`.
 *
 * `SIZE_MAX` for arguments that `hq_quantize_weighted` would refuse too. `options` may be NULL: the defaults.
 *
 * # Safety
 * `options` is NULL or points to one readable struct.
 *
 * ```c
 * size_t weighted_size = hq_quantize_weighted_workspace_size(HQ_FORMAT_TQ2_0, NULL, 64, 1000);
 * assert(weighted_size == HQ_WEIGHTED_SCRATCH_SIZE(256));
 * ```
 */
size_t hq_quantize_weighted_workspace_size(int32_t format,
                                           const struct hq_quantize_options *options,
                                           size_t rows,
                                           size_t cols);

/**
 * `hq_quantize` with an importance per column: minimises the sum of importance * (x - decoded)^2.
 *
 * - `importance`: exactly `cols` floats, finite and not negative, not all zero; the same for every row; only
 *   their ratios count. The usual choice is the mean square of each input of the layer over calibration data.
 *   Values that share a scale and whose columns all have the same importance, zero included, are fitted without.
 * - `options`: NULL for the defaults of the format. The fit must be `HQ_FIT_MSE`; for `HQ_FORMAT_Q8_0`, whose only
 *   fit is absmax, smaller scales are tried and kept where they lower the weighted error.
 * - `scratch`: at least `hq_quantize_weighted_workspace_size(...)` bytes at any alignment; its contents are lost.
 *   NULL with size 0 if that is 0.
 * - `x`, `out`: as for `hq_quantize`.
 *
 * `out` and `scratch` must not overlap any other buffer. Callable from any thread; threads that share a matrix
 * take a range of rows each.
 *
 * Errors: those of `hq_quantize`; `HQ_ERROR_UNSUPPORTED` also for other fits, `HQ_ERROR_SHAPE` if there are not
 * `cols` importances, `HQ_ERROR_NON_FINITE` if one is NaN or infinite (whatever the policy),
 * `HQ_ERROR_INVALID_ARGUMENT` if one is negative or all are zero. `out` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float wx[4] = {1.0f, 0.5f, 0.4f, 0.1f}, importance[4] = {1.0f, 100.0f, 100.0f, 1.0f};
 * uint8_t wpacked[HQ_TQ2_0_ROW_SIZE(4)], wscratch[HQ_WEIGHTED_SCRATCH_SIZE(4)];
 * assert(hq_quantize_weighted(HQ_FORMAT_TQ2_0, NULL, 1, 4, wx, 4, importance, 4, wpacked, sizeof wpacked,
 *                             wscratch, sizeof wscratch) == HQ_OK);
 * ```
 */
hq_status hq_quantize_weighted(int32_t format,
                               const struct hq_quantize_options *options,
                               size_t rows,
                               size_t cols,
                               const float *x,
                               size_t x_len,
                               const float *importance,
                               size_t importance_len,
                               uint8_t *out,
                               size_t out_size,
                               void *scratch,
                               size_t scratch_size);

/**
 * Decodes a packed `rows` x `cols` matrix to floats: code * scale (`Q35P`: offset + code * scale).
 *
 * - `data`: at least `hq_matrix_size(format, rows, cols)` bytes, any alignment. Any bytes decode.
 * - `out`: at least `rows * cols` floats, of which just those are written; `out_len` counts floats.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE` (`data` too short), `HQ_ERROR_OUTPUT_TOO_SMALL`. `out` is
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint8_t row[3] = {0xFF, 0x00, 0x3C}; // five digits "2", scale 1.0 as a 16-bit float
 * float out[5];
 * assert(hq_dequantize(HQ_FORMAT_DENSE_TERNARY, 1, 5, row, sizeof row, out, 5) == HQ_OK);
 * assert(out[0] == 1.0f && out[4] == 1.0f);
 * ```
 */
hq_status hq_dequantize(int32_t format,
                        size_t rows,
                        size_t cols,
                        const uint8_t *data,
                        size_t data_size,
                        float *out,
                        size_t out_len);

/**
 * Bytes of scratch that `hq_fit_ternary`, `hq_ternary_codes` and `hq_five_level_codes` need for `len` values: 0
 * for fits that do not sort (absmean, absmax, fixed), else at most `HQ_FIT_SCRATCH_SIZE(len)`.
 *
 * `SIZE_MAX` for options that those functions would refuse, and on overflow. `options` may be NULL: the
 * defaults (mse; NaN and infinity refused). Its `granularity` is not read: all values share one scale.
 *
 * # Safety
 * `options` is NULL or points to one readable struct.
 *
 * ```c
 * assert(hq_codes_workspace_size(NULL, 1000) == HQ_FIT_SCRATCH_SIZE(1000));
 * ```
 */
size_t hq_codes_workspace_size(const struct hq_quantize_options *options,
                               size_t len);

/**
 * Fits trits to `len` floats without encoding them: for a tensor in slices, whose parts are then encoded with
 * `HQ_FIT_FIXED` and the numbers found.
 *
 * - `options`: as `hq_codes_workspace_size`.
 * - `scratch`: at least `hq_codes_workspace_size(options, len)` bytes at any alignment.
 * - `result`: one struct.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_INVALID_ARGUMENT`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
 * `HQ_ERROR_NON_FINITE`. `result` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {1.0f, -3.0f, 0.1f, 3.0f};
 * uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
 * hq_ternary found;
 * assert(hq_fit_ternary(NULL, x, 4, scratch, sizeof scratch, &found) == HQ_OK);
 * assert(found.scale == 3.0f);
 * ```
 */
hq_status hq_fit_ternary(const struct hq_quantize_options *options,
                         const float *x,
                         size_t len,
                         void *scratch,
                         size_t scratch_size,
                         struct hq_ternary *result);

/**
 * Writes one trit (-1, 0, 1) per float, and the scale in 32 bits: for gradients, whose magnitudes a packed
 * format's 16-bit scale could not hold. All values share one scale.
 *
 * - `options`: as `hq_codes_workspace_size`. `HQ_FIT_NORM_PRESERVING` keeps the length of a gradient.
 * - `codes`: at least `len` bytes, of which just those are written.
 * - `scratch`: at least `hq_codes_workspace_size(options, len)` bytes at any alignment.
 * - `result`: one struct.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: those of `hq_fit_ternary`, and `HQ_ERROR_OUTPUT_TOO_SMALL`. `codes` and `result` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float gradient[4] = {3e-9f, -1e-10f, -3e-9f, 0.0f};
 * int8_t codes[4];
 * uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
 * hq_ternary found;
 * assert(hq_ternary_codes(NULL, gradient, 4, codes, 4, scratch, sizeof scratch, &found) == HQ_OK);
 * assert(codes[0] == 1 && codes[1] == 0 && codes[2] == -1 && codes[3] == 0);
 * ```
 */
hq_status hq_ternary_codes(const struct hq_quantize_options *options,
                           const float *x,
                           size_t len,
                           int8_t *codes,
                           size_t codes_len,
                           void *scratch,
                           size_t scratch_size,
                           struct hq_ternary *result);

/**
 * Writes one code -2..2 per float; code c stands for `c * scale / 2`. All values share one scale.
 *
 * - `options`, `codes`, `scratch`: as `hq_ternary_codes`.
 * - `scale`: one float, the value of code 2.
 *
 * Buffers must not overlap. Callable from any thread. Errors: those of `hq_ternary_codes`; `codes` and `scale`
 * are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {2.0f, -1.0f, 0.0f, -2.0f};
 * int8_t codes[4];
 * uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
 * float scale;
 * assert(hq_five_level_codes(NULL, x, 4, codes, 4, scratch, sizeof scratch, &scale) == HQ_OK);
 * assert(scale == 2.0f && codes[0] == 2 && codes[1] == -1);
 * ```
 */
hq_status hq_five_level_codes(const struct hq_quantize_options *options,
                              const float *x,
                              size_t len,
                              int8_t *codes,
                              size_t codes_len,
                              void *scratch,
                              size_t scratch_size,
                              float *scale);

/**
 * Blocks that a vector of `cols` activations takes: `cols / 256`, rounded up. `HQ_ACT_COUNT(cols)` is the same
 * for static buffers.
 *
 * ```c
 * assert(hq_act_count(0) == 0 && hq_act_count(257) == 2 && hq_act_count(257) == HQ_ACT_COUNT(257));
 * ```
 */
size_t hq_act_count(size_t cols);

/**
 * Quantizes `batch` vectors of `cols` floats to int8, blocks of 256: code = x * (127 / max |x|), to nearest,
 * ties to even.
 *
 * - `x`: exactly `batch * cols` floats, one vector after the other; `x_len` counts floats.
 * - `non_finite`: `HQ_NON_FINITE_*`.
 * - `out`: at least `batch * hq_act_count(cols)` blocks, of which just those are written; `out_len` counts
 *   blocks.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `out` is
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[3] = {0.5f, -1.0f, 0.25f};
 * hq_act_block acts[HQ_ACT_COUNT(3)];
 * assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(3)) == HQ_OK);
 * assert(acts[0].codes[1] == -127);
 * ```
 */
hq_status hq_quantize_activations(size_t batch,
                                  size_t cols,
                                  const float *x,
                                  size_t x_len,
                                  int32_t non_finite,
                                  struct hq_act_block *out,
                                  size_t out_len);

/**
 * Decodes `cols` activations from their blocks: code * scale.
 *
 * - `acts`: at least `hq_act_count(cols)` blocks; `acts_len` counts blocks.
 * - `out`: at least `cols` floats, of which just those are written.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_SHAPE` (too few blocks), `HQ_ERROR_OUTPUT_TOO_SMALL`. `out` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * hq_act_block acts[1] = {{0.5f, {2, -4}, {-2}}};
 * float x[2];
 * assert(hq_dequantize_activations(2, acts, 1, x, 2) == HQ_OK);
 * assert(x[0] == 1.0f && x[1] == -2.0f);
 * ```
 */
hq_status hq_dequantize_activations(size_t cols,
                                    const struct hq_act_block *acts,
                                    size_t acts_len,
                                    float *out,
                                    size_t out_len);

/**
 * The most bytes that `hq_archive_encode` writes for such a matrix: those of one that cannot be compressed.
 *
 * `SIZE_MAX` for arguments that `hq_archive_encode` would refuse: a format that is not ternary, or a size that does
 * not fit `size_t`.
 *
 * ```c
 * assert(hq_archive_bound(HQ_FORMAT_TQ2_0, 2, 256, 0) == HQ_ARCHIVE_HEADER_SIZE + 8 + 2 * 66);
 * ```
 */
size_t hq_archive_bound(int32_t format,
                        size_t rows,
                        size_t cols,
                        size_t chunk_rows);

/**
 * Archives a packed ternary matrix: an entropy-coded stream with checksums, about 1.55 bits a weight for real
 * weights, that decodes to the same bytes.
 *
 * - `format`: `HQ_FORMAT_TQ1_0`, `HQ_FORMAT_TQ2_0` or `HQ_FORMAT_DENSE_TERNARY`.
 * - `data`: at least `hq_matrix_size(format, rows, cols)` bytes.
 * - `chunk_rows`: rows that are checked and decoded together, 0 for as many as hold about 32768 weights (6 KB
 *   coded). A chunk costs about 12 bytes.
 * - `out`: at least `hq_archive_bound(format, rows, cols, chunk_rows)` bytes.
 * - `written`: how many of them the stream takes.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (the format is not ternary), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE` (`data` too short),
 * `HQ_ERROR_OUTPUT_TOO_SMALL`. Nothing is written then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `written` points to one `size_t`.
 *
 * ```c
 * const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
 * uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
 * size_t written;
 * assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, sizeof packed, 0, stream, sizeof stream,
 *                          &written) == HQ_OK);
 * ```
 */
hq_status hq_archive_encode(int32_t format,
                            size_t rows,
                            size_t cols,
                            const uint8_t *data,
                            size_t data_size,
                            size_t chunk_rows,
                            uint8_t *out,
                            size_t out_size,
                            size_t *written);

/**
 * Begins to decode: reads the header, fills `decoder` and `info`.
 *
 * `stream` holds the beginning of the stream, `HQ_ARCHIVE_HEADER_SIZE` bytes at least. The buffers must not overlap.
 * Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_CORRUPT` (not a stream,
 * damaged or cut short), `HQ_ERROR_VERSION`, `HQ_ERROR_SIZE_OVERFLOW` (too large for this machine). Nothing is
 * written then.
 *
 * # Safety
 * `stream` is valid for `stream_size` bytes; `decoder` and `info` point to one struct each.
 *
 * ```c
 * const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
 * uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
 * size_t size;
 * hq_archive_decoder decoder;
 * hq_archive_info info;
 * assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
 * assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK); // else damaged, or no archive
 * assert(info.rows == 1 && info.cols == 5 && info.format == HQ_FORMAT_DENSE_TERNARY);
 * ```
 */
hq_status hq_archive_decoder_init(const uint8_t *stream,
                                  size_t stream_size,
                                  struct hq_archive_decoder *decoder,
                                  struct hq_archive_info *info);

/**
 * Which bytes of the stream the next call of `hq_archive_next_codes` or `hq_archive_next_rows` must see: `from` up
 * to but not including `to`; equal at the end. For streams that pass through a small buffer; one that is in memory
 * as a whole needs no such question.
 *
 * The bytes are a whole chunk, or the 8 that tell its length while the window does not hold those: load what is
 * named, and ask again.
 *
 * - `window`: the part of the stream at hand; `at` is where in the stream it begins.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_CORRUPT`. Nothing is written
 * then.
 *
 * # Safety
 * `window` is valid for `window_size` bytes; `decoder`, `from` and `to` point to one value each.
 *
 * ```c
 * const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
 * uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
 * size_t size;
 * hq_archive_decoder decoder;
 * hq_archive_info info;
 * assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
 * assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK);
 * uint8_t window[64]; // holds stream[at .. at + have]
 * size_t from, to, at = 0, have = 0;
 * int8_t codes[HQ_ARCHIVE_CODES];
 * hq_archive_unit unit;
 * while (hq_archive_window(&decoder, window, have, at, &from, &to) == HQ_OK && from < to) {
 *     if (from < at || to > at + have) {
 *         at = from, have = to - from;
 *         assert(have <= sizeof window);
 *         memcpy(window, stream + at, have); // from flash, or from a line
 *     } else {
 *         assert(hq_archive_next_codes(&decoder, window, have, at, codes, sizeof codes, &unit) == HQ_OK);
 *     }
 * }
 * ```
 */
hq_status hq_archive_window(const struct hq_archive_decoder *decoder,
                            const uint8_t *window,
                            size_t window_size,
                            size_t at,
                            size_t *from,
                            size_t *to);

/**
 * Decodes the next codes: a block of the format (`TQ1_0`, `TQ2_0`: 256), or 160 of a dense ternary row; fewer at the
 * end of a row. `unit->len` is 0 at the end of the stream.
 *
 * - `window`, `at`: the whole stream and 0, or the part that `hq_archive_window` asks for and where it begins.
 * - `codes`: `HQ_ARCHIVE_CODES` at least; -1, 0, 1 (2 where a `TQ2_0` file holds the code that no encoder writes).
 *   Those behind `unit->len` become 0.
 *
 * The checksum of a chunk is compared before its first code is given. Buffers must not overlap.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
 * `HQ_ERROR_CORRUPT` (the stream is damaged, or the window does not hold what is needed). Nothing is written then,
 * and the decoder stays where it was.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `decoder` and `unit` point to one struct each, and
 * `hq_archive_decoder_init` has filled the decoder.
 *
 * ```c
 * const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
 * uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
 * size_t size;
 * hq_archive_decoder decoder;
 * hq_archive_info info;
 * assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
 * assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK);
 * int8_t codes[HQ_ARCHIVE_CODES];
 * hq_archive_unit unit;
 * float sum = 0.0f;
 * while (hq_archive_next_codes(&decoder, stream, size, 0, codes, sizeof codes, &unit) == HQ_OK && unit.len > 0) {
 *     for (size_t i = 0; i < unit.len; i++) sum += (float)codes[i] * unit.scale;
 * }
 * assert(sum == 5.0f);
 * ```
 */
hq_status hq_archive_next_codes(struct hq_archive_decoder *decoder,
                                const uint8_t *window,
                                size_t window_size,
                                size_t at,
                                int8_t *codes,
                                size_t codes_len,
                                struct hq_archive_unit *unit);

/**
 * Unpacks the next rows to the bytes that were archived: `rows` of them, or fewer where the chunk ends; `done` tells
 * how many. 0 only at the end of the stream, or for `rows` 0.
 *
 * - `window`, `at`: as for `hq_archive_next_codes`.
 * - `out`: at least `hq_matrix_size(format, rows, cols)` bytes, or those of the rows that are left.
 *
 * Buffers must not overlap.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_INVALID_ARGUMENT` (`hq_archive_next_codes` has left off inside a row),
 * `HQ_ERROR_CORRUPT`. The decoder stays where it was; `done` and `out` are untouched, `out` with one exception: in
 * a forged stream, whose checksum is right and whose contents are not, the fault shows when rows have been written.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `decoder` and `done` point to one value each, and
 * `hq_archive_decoder_init` has filled the decoder.
 *
 * ```c
 * const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
 * uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
 * size_t size;
 * hq_archive_decoder decoder;
 * hq_archive_info info;
 * assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
 * assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK);
 * uint8_t back[3];
 * size_t row = 0, done = 1, row_size = hq_row_size(info.format, 5);
 * while (done > 0 && hq_archive_next_rows(&decoder, stream, size, 0, 1 - row, back + row * row_size,
 *                                         sizeof back - row * row_size, &done) == HQ_OK) {
 *     row += done;
 * }
 * assert(row == info.rows && memcmp(back, packed, 3) == 0); // fewer rows: the stream is damaged
 * ```
 */
hq_status hq_archive_next_rows(struct hq_archive_decoder *decoder,
                               const uint8_t *window,
                               size_t window_size,
                               size_t at,
                               size_t rows,
                               uint8_t *out,
                               size_t out_size,
                               size_t *done);

/**
 * Bytes of scratch that `hq_mixed_select` needs: 24 for each of `tensors * candidates`, 16 for each tensor, and
 * padding. `SIZE_MAX` if that does not fit `size_t`.
 *
 * ```c
 * assert(hq_mixed_workspace_size(300, 6) <= 24 * 300 * 6 + 16 * 300 + 16);
 * ```
 */
size_t hq_mixed_workspace_size(size_t tensors,
                               size_t candidates);

/**
 * The smallest budget for which `hq_mixed_select` has an answer.
 *
 * - `bytes`, `errors`: as for `hq_mixed_select`, `cells` of each.
 * - `result`: one number of bytes.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT`. `result` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `result` points to one `uint64_t`.
 *
 * ```c
 * const uint64_t bytes[4] = {10, 20, 30, 60};
 * const float errors[4] = {5.0f, 1.0f, 7.0f, 1.0f};
 * uint64_t least;
 * assert(hq_mixed_smallest(2, 2, bytes, errors, 4, &least) == HQ_OK && least == 40);
 * ```
 */
hq_status hq_mixed_smallest(size_t tensors,
                            size_t candidates,
                            const uint64_t *bytes,
                            const float *errors,
                            size_t cells,
                            uint64_t *result);

/**
 * Chooses one of several formats for each tensor (or row group): within a budget of bytes, with the least sum of
 * errors.
 *
 * - `tensors`, `candidates`: how many tensors, and how many formats each can have (65536 at most).
 * - `bytes`, `errors`: `cells` = `tensors * candidates` of each, those of the first tensor first: what the tensor
 *   takes in that format, and its squared error there, weighted as you see fit. `INFINITY` as the error: the tensor
 *   cannot have this format.
 * - `budget`: bytes of all tensors together.
 * - `choices`: at least `tensors` numbers, of which just those are written: the index of the format of each.
 * - `scratch`: at least `hq_mixed_workspace_size(tensors, candidates)` bytes at any alignment.
 * - `result`: one struct.
 *
 * The result is the best that there is where `bound` equals `error`, else within `error - bound` of it. Takes about
 * `32 * tensors * candidates` steps, and a search of four million steps at most. Buffers must not overlap. Callable
 * from any thread.
 *
 * Errors: `HQ_ERROR_BUDGET` (`hq_mixed_smallest` tells the least budget), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`,
 * `HQ_ERROR_INVALID_ARGUMENT` (an error that is negative or NaN, a tensor without a format),
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `choices` and `result` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `result` points to one struct.
 *
 * ```c
 * const uint64_t bytes[6] = {10, 20, 40, 10, 20, 40}; // two tensors, each in 10, 20 or 40 bytes
 * const float errors[6] = {9.0f, 4.0f, 0.0f, 100.0f, 30.0f, 1.0f};
 * uint16_t choices[2];
 * uint8_t scratch[192];
 * hq_mixed found;
 * assert(hq_mixed_workspace_size(2, 3) <= sizeof scratch);
 * assert(hq_mixed_select(2, 3, bytes, errors, 6, 50, choices, 2, scratch, sizeof scratch, &found) == HQ_OK);
 * assert(choices[0] == 0 && choices[1] == 2 && found.bytes == 50);
 * ```
 */
hq_status hq_mixed_select(size_t tensors,
                          size_t candidates,
                          const uint64_t *bytes,
                          const float *errors,
                          size_t cells,
                          uint64_t budget,
                          uint16_t *choices,
                          size_t choices_len,
                          void *scratch,
                          size_t scratch_size,
                          struct hq_mixed *result);

/**
 * One packed row times int8 activations.
 *
 * - `row`: exactly `hq_row_size(format, cols)` bytes, any alignment.
 * - `acts`: at least `hq_act_count(cols)` blocks; `acts_len` counts blocks.
 * - `result`: one float.
 *
 * Same bits on every tier and target. `result` must not overlap the inputs. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`. `result` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint8_t row[3] = {0xFF, 0x00, 0x3C}; // five weights of 1.0
 * const hq_act_block acts[1] = {{1.0f, {1, 2, 3, 4, 5}, {15}}};
 * float result;
 * assert(hq_dot(HQ_FORMAT_DENSE_TERNARY, 5, row, sizeof row, acts, 1, &result) == HQ_OK);
 * assert(result == 15.0f);
 * ```
 */
hq_status hq_dot(int32_t format,
                 size_t cols,
                 const uint8_t *row,
                 size_t row_size,
                 const struct hq_act_block *acts,
                 size_t acts_len,
                 float *result);

/**
 * `y = W a`: a packed `rows` x `cols` matrix times int8 activations.
 *
 * - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
 * - `acts`: at least `hq_act_count(cols)` blocks of the vector; `acts_len` counts blocks.
 * - `y`: at least `rows` floats, of which just those are written; `y_len` counts floats.
 *
 * Sums of codes are exact 32-bit integers; each of the n = `hq_act_count(cols)` blocks adds one rounded float
 * term, so |error| <= (n + 4) * 2^-24 * (sum of the terms' magnitudes). Same bits on every tier and target.
 *
 * Buffers must not overlap. Callable from any thread; threads that share a product take a range of rows each
 * (`weights + r * hq_row_size(format, cols)`).
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`. `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float w[6] = {1.0f, 0.0f, -1.0f, 0.0f, 1.0f, 1.0f}; // 2 x 3
 * const float x[3] = {127.0f, 5.0f, 27.0f};
 * uint8_t packed[2 * HQ_TQ2_0_ROW_SIZE(3)], scratch[HQ_FIT_SCRATCH_SIZE(3)];
 * hq_act_block acts[HQ_ACT_COUNT(3)];
 * float y[2];
 * assert(hq_quantize(HQ_FORMAT_TQ2_0, NULL, 2, 3, w, 6, packed, sizeof packed, scratch, sizeof scratch) == HQ_OK);
 * assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(3)) == HQ_OK);
 * assert(hq_matvec(HQ_FORMAT_TQ2_0, 2, 3, packed, sizeof packed, acts, HQ_ACT_COUNT(3), y, 2) == HQ_OK);
 * assert(y[0] == 100.0f && y[1] == 32.0f);
 * ```
 */
hq_status hq_matvec(int32_t format,
                    size_t rows,
                    size_t cols,
                    const uint8_t *weights,
                    size_t weights_size,
                    const struct hq_act_block *acts,
                    size_t acts_len,
                    float *y,
                    size_t y_len);

/**
 * `Y = A W^T`: a packed `rows` x `cols` matrix times `batch` vectors of int8 activations.
 *
 * - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
 * - `acts`: at least `batch * hq_act_count(cols)` blocks, one vector after the other.
 * - `y`: at least `batch * rows` floats, of which just those are written: output of row `r` for vector `b` is
 *   `y[b * rows + r]`, with exactly the bits of `hq_matvec`.
 *
 * Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`; `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint8_t w[2 * 3] = {0xFF, 0x00, 0x3C, 0x00, 0x00, 0x3C}; // 2 x 5: ones; minus ones
 * const hq_act_block acts[2] = {{1.0f, {1, 1}, {2}}, {0.5f, {4}, {4}}};
 * float y[2 * 2];
 * assert(hq_matmul(HQ_FORMAT_DENSE_TERNARY, 2, 5, w, sizeof w, 2, acts, 2, y, 4) == HQ_OK);
 * assert(y[0] == 2.0f && y[1] == -2.0f && y[2] == 2.0f && y[3] == -2.0f);
 * ```
 */
hq_status hq_matmul(int32_t format,
                    size_t rows,
                    size_t cols,
                    const uint8_t *weights,
                    size_t weights_size,
                    size_t batch,
                    const struct hq_act_block *acts,
                    size_t acts_len,
                    float *y,
                    size_t y_len);

/**
 * One packed row times f32 activations.
 *
 * - `row`: exactly `hq_row_size(format, cols)` bytes, any alignment.
 * - `x`: exactly `cols` floats.
 * - `result`: one float.
 *
 * Same bits on every tier and target. `result` must not overlap the inputs. Callable from any thread.
 *
 * Errors: those of `hq_dot`; `result` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint8_t row[3] = {0xFF, 0x00, 0x3C}; // five weights of 1.0
 * const float x[5] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
 * float result;
 * assert(hq_dot_f32(HQ_FORMAT_DENSE_TERNARY, 5, row, sizeof row, x, 5, &result) == HQ_OK);
 * assert(result == 15.0f);
 * ```
 */
hq_status hq_dot_f32(int32_t format,
                     size_t cols,
                     const uint8_t *row,
                     size_t row_size,
                     const float *x,
                     size_t x_len,
                     float *result);

/**
 * `y = W x`: a packed `rows` x `cols` matrix times f32 activations.
 *
 * - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
 * - `x`: exactly `cols` floats. They follow IEEE: a zero weight times an infinity is NaN.
 * - `y`: at least `rows` floats, of which just those are written.
 *
 * |error| <= (cols / 16 + cols / 128 + 8) * 2^-24 * (sum of |w x|). Same bits on every tier and target.
 *
 * Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`; `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint8_t w[2 * 3] = {0xFF, 0x00, 0x3C, 0x00, 0x00, 0x3C}; // 2 x 5: ones; minus ones
 * const float x[5] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
 * float y[2];
 * assert(hq_matvec_f32(HQ_FORMAT_DENSE_TERNARY, 2, 5, w, sizeof w, x, 5, y, 2) == HQ_OK);
 * assert(y[0] == 15.0f && y[1] == -15.0f);
 * ```
 */
hq_status hq_matvec_f32(int32_t format,
                        size_t rows,
                        size_t cols,
                        const uint8_t *weights,
                        size_t weights_size,
                        const float *x,
                        size_t x_len,
                        float *y,
                        size_t y_len);

/**
 * `Y = X W^T`: a packed `rows` x `cols` matrix times `batch` vectors of floats.
 *
 * - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
 * - `x`: exactly `batch * cols` floats, one vector after the other.
 * - `y`: at least `batch * rows` floats, of which just those are written: output of row `r` for vector `b` is
 *   `y[b * rows + r]`, with exactly the bits of `hq_matvec_f32`.
 *
 * Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`; `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint8_t w[3] = {0xFF, 0x00, 0x3C}; // 1 x 5: ones
 * const float x[2 * 5] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
 * float y[2];
 * assert(hq_matmul_f32(HQ_FORMAT_DENSE_TERNARY, 1, 5, w, sizeof w, 2, x, 10, y, 2) == HQ_OK);
 * assert(y[0] == 15.0f && y[1] == 5.0f);
 * ```
 */
hq_status hq_matmul_f32(int32_t format,
                        size_t rows,
                        size_t cols,
                        const uint8_t *weights,
                        size_t weights_size,
                        size_t batch,
                        const float *x,
                        size_t x_len,
                        float *y,
                        size_t y_len);

/**
 * Bytes of a prepared `rows` x `cols` matrix: `528 * ceil(rows / 8) * ceil(cols / 256)`, 2.0625 bits a weight.
 * `HQ_PREPARED_SIZE(rows, cols)` is the same as a constant expression.
 *
 * `SIZE_MAX` if that overflows.
 *
 * ```c
 * assert(hq_prepared_size(2, 3) == 528 && hq_prepared_size(9, 257) == 4 * 528);
 * assert(hq_prepared_size(9, 257) == HQ_PREPARED_SIZE(9, 257));
 * ```
 */
size_t hq_prepared_size(size_t rows,
                        size_t cols);

/**
 * Interleaves the rows of a ternary matrix by eights, once at load, for faster products: `hq_matvec_prepared` and
 * `hq_matmul_prepared`. The packed bytes are not needed afterwards.
 *
 * - `format`: `HQ_FORMAT_TQ1_0` or `HQ_FORMAT_TQ2_0`; both give the same bytes for the same trits and scales.
 * - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
 * - `out`: at least `hq_prepared_size(rows, cols)` bytes, of which just those are written; any alignment, 64 is fastest.
 *
 * The layout is a form in memory of this version of the library, the same on every machine: not for files. Threads
 * that share the work take a multiple of eight rows each. `out` must not overlap `weights`.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (another format), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`. `out` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float w[6] = {1.0f, 0.0f, -1.0f, 0.0f, 1.0f, 1.0f}; // 2 x 3
 * const float x[3] = {127.0f, 5.0f, 27.0f};
 * uint8_t packed[2 * HQ_TQ1_0_ROW_SIZE(3)], scratch[HQ_FIT_SCRATCH_SIZE(3)];
 * static uint8_t prepared[HQ_PREPARED_SIZE(2, 3)];
 * hq_act_block acts[HQ_ACT_COUNT(3)];
 * float y[2];
 * assert(hq_quantize(HQ_FORMAT_TQ1_0, NULL, 2, 3, w, 6, packed, sizeof packed, scratch, sizeof scratch) == HQ_OK);
 * assert(hq_prepare(HQ_FORMAT_TQ1_0, 2, 3, packed, sizeof packed, prepared, sizeof prepared) == HQ_OK);
 * assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(3)) == HQ_OK);
 * assert(hq_matvec_prepared(2, 3, prepared, sizeof prepared, acts, HQ_ACT_COUNT(3), y, 2) == HQ_OK);
 * assert(y[0] == 100.0f && y[1] == 32.0f);
 * ```
 */
hq_status hq_prepare(int32_t format,
                     size_t rows,
                     size_t cols,
                     const uint8_t *weights,
                     size_t weights_size,
                     uint8_t *out,
                     size_t out_size);

/**
 * `y = W a` of a prepared matrix: `hq_matvec` with the same bits as the packed matrix gives.
 *
 * - `prepared`: exactly `hq_prepared_size(rows, cols)` bytes that `hq_prepare` wrote for this shape.
 * - `acts`: at least `hq_act_count(cols)` blocks of the vector; `acts_len` counts blocks.
 * - `y`: at least `rows` floats, of which just those are written; `y_len` counts floats.
 *
 * Buffers must not overlap. Callable from any thread; threads that share a product take a multiple of eight rows each
 * (`prepared + r / 8 * hq_prepared_size(8, cols)`).
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`. `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static const uint8_t zeros[HQ_PREPARED_SIZE(3, 5)]; // scales of zero
 * const hq_act_block acts[1] = {{1.0f, {1, 2, 3, 4, 5}, {15}}};
 * float y[3];
 * assert(hq_matvec_prepared(3, 5, zeros, sizeof zeros, acts, 1, y, 3) == HQ_OK);
 * assert(y[0] == 0.0f && y[1] == 0.0f && y[2] == 0.0f);
 * ```
 */
hq_status hq_matvec_prepared(size_t rows,
                             size_t cols,
                             const uint8_t *prepared,
                             size_t prepared_size,
                             const struct hq_act_block *acts,
                             size_t acts_len,
                             float *y,
                             size_t y_len);

/**
 * `Y = A W^T` of a prepared matrix: `hq_matmul` with the same bits as the packed matrix gives.
 *
 * - `prepared`: exactly `hq_prepared_size(rows, cols)` bytes that `hq_prepare` wrote for this shape.
 * - `acts`: at least `batch * hq_act_count(cols)` blocks, one vector after the other.
 * - `y`: at least `batch * rows` floats, of which just those are written: output of row `r` for vector `b` is
 *   `y[b * rows + r]`.
 *
 * Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec_prepared`; `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static const uint8_t zeros[HQ_PREPARED_SIZE(1, 5)]; // scales of zero
 * const hq_act_block acts[2] = {{1.0f, {1, 1}, {2}}, {0.5f, {4}, {4}}};
 * float y[2];
 * assert(hq_matmul_prepared(1, 5, zeros, sizeof zeros, 2, acts, 2, y, 2) == HQ_OK);
 * assert(y[0] == 0.0f && y[1] == 0.0f);
 * ```
 */
hq_status hq_matmul_prepared(size_t rows,
                             size_t cols,
                             const uint8_t *prepared,
                             size_t prepared_size,
                             size_t batch,
                             const struct hq_act_block *acts,
                             size_t acts_len,
                             float *y,
                             size_t y_len);

/**
 * Makes the tables of `acts_len` activation blocks, one each: for `hq_matvec_with_tables`.
 *
 * - `tables`: at least `acts_len` tables, of which just those are written; `tables_len` counts tables.
 *
 * Buffers must not overlap. Callable from any thread. Same bits on every tier and target.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`. `tables` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const hq_act_block acts[1] = {{1.0f, {1, 2, 3, 4, 5}, {15}}};
 * hq_act_table tables[1];
 * assert(hq_act_tables(acts, 1, tables, 1) == HQ_OK);
 * assert(tables[0].sum == 15);
 * ```
 */
hq_status hq_act_tables(const struct hq_act_block *acts,
                        size_t acts_len,
                        struct hq_act_table *tables,
                        size_t tables_len);

/**
 * `hq_matvec` with the tables of the activations made before: a caller who multiplies many matrices, or threads that
 * share one, with the same vector pay for them once. Of use for `HQ_FORMAT_TQ1_0`; other formats do not look at them.
 *
 * - `weights`, `acts`, `y`: as for `hq_matvec`.
 * - `tables`: at least `hq_act_count(cols)` tables, made by `hq_act_tables` of those `acts`.
 *
 * Same bits as `hq_matvec`. Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`,
 * `HQ_ERROR_SHAPE` too for too few tables; `y` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float w[3] = {1.0f, 0.0f, -1.0f}, x[3] = {127.0f, 5.0f, 27.0f};
 * uint8_t packed[HQ_TQ1_0_ROW_SIZE(3)], scratch[HQ_FIT_SCRATCH_SIZE(3)];
 * hq_act_block acts[HQ_ACT_COUNT(3)];
 * hq_act_table tables[HQ_ACT_COUNT(3)];
 * float y[1];
 * assert(hq_quantize(HQ_FORMAT_TQ1_0, NULL, 1, 3, w, 3, packed, sizeof packed, scratch, sizeof scratch) == HQ_OK);
 * assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, 1) == HQ_OK);
 * assert(hq_act_tables(acts, 1, tables, 1) == HQ_OK);
 * assert(hq_matvec_with_tables(HQ_FORMAT_TQ1_0, 1, 3, packed, sizeof packed, acts, 1, tables, 1, y, 1) == HQ_OK);
 * assert(y[0] == 100.0f);
 * ```
 */
hq_status hq_matvec_with_tables(int32_t format,
                                size_t rows,
                                size_t cols,
                                const uint8_t *weights,
                                size_t weights_size,
                                const struct hq_act_block *acts,
                                size_t acts_len,
                                const struct hq_act_table *tables,
                                size_t tables_len,
                                float *y,
                                size_t y_len);

/**
 * Sum of `a[i] * b[i]` over `len` floats; 0 for none.
 *
 * |error| <= (len / 16 + 6) * 2^-24 * (sum of |a b|), short of overflow. Same bits on every tier and target.
 * `a` and `b` may be the same array; `result` (one float) must not overlap them. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OVERLAP`; `result`
 * is untouched then.
 *
 * # Safety
 * `a` and `b` are valid for `len` floats, `result` for one.
 *
 * ```c
 * const float a[3] = {1.0f, 2.0f, 3.0f}, b[3] = {4.0f, 5.0f, 6.0f};
 * float result;
 * assert(hq_vec_dot(3, a, b, &result) == HQ_OK && result == 32.0f);
 * ```
 */
hq_status hq_vec_dot(size_t len,
                     const float *a,
                     const float *b,
                     float *result);

/**
 * Sum of `(a[i] - b[i])^2` over `len` floats; 0 for none. No cancellation, unlike `|a|^2 - 2 a b + |b|^2`.
 *
 * Relative error <= (len / 16 + 8) * 2^-24, short of overflow and underflow. Same bits on every tier and target.
 * `a` and `b` may be the same array; `result` (one float) must not overlap them. Callable from any thread.
 * Errors: as `hq_vec_dot`; `result` is untouched then.
 *
 * # Safety
 * `a` and `b` are valid for `len` floats, `result` for one.
 *
 * ```c
 * const float a[3] = {1.0f, 2.0f, 3.0f}, b[3] = {4.0f, 6.0f, 3.0f};
 * float result;
 * assert(hq_vec_squared_distance(3, a, b, &result) == HQ_OK && result == 25.0f);
 * ```
 */
hq_status hq_vec_squared_distance(size_t len,
                                  const float *a,
                                  const float *b,
                                  float *result);

/**
 * Euclidean norm of `len` floats; 0 for none. Values of 1e30 and of 1e-30 give the right norm too; an infinity
 * gives infinity, a NaN gives NaN.
 *
 * |error| <= (len / 32 + 6) * 2^-24 * norm. Same bits on every tier and target. `result` (one float) must not
 * overlap `x`. Callable from any thread. Errors: as `hq_vec_dot`; `result` is untouched then.
 *
 * # Safety
 * `x` is valid for `len` floats, `result` for one.
 *
 * ```c
 * const float x[2] = {3.0f, -4.0f};
 * float result;
 * assert(hq_vec_norm(2, x, &result) == HQ_OK && result == 5.0f);
 * ```
 */
hq_status hq_vec_norm(size_t len,
                      const float *x,
                      float *result);

/**
 * `y[i] += alpha * x[i]` over `len` floats: the product is rounded, then the sum. Same bits on every tier and
 * target.
 *
 * `y` must not overlap `x`. Callable from any thread. Errors: as `hq_vec_dot`; `y` is untouched then.
 *
 * # Safety
 * `x` and `y` are valid for `len` floats.
 *
 * ```c
 * const float x[2] = {2.0f, 4.0f};
 * float y[2] = {1.0f, 2.0f};
 * assert(hq_vec_axpy(2, 0.5f, x, y) == HQ_OK && y[0] == 2.0f && y[1] == 4.0f);
 * ```
 */
hq_status hq_vec_axpy(size_t len, float alpha, const float *x, float *y);

/**
 * Bytes of scratch that `hq_kmeans_exact_1d` needs for `len` values: about `82 * len`; above 2048 values
 * `24 * len + 32 k (1024 + 8 k)` more, the last part at most `128 * len` and twice with `pin_zero`.
 *
 * `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_exact_1d_workspace_size(1000, 8, 0) < 1000 * 90);
 * ```
 */
size_t hq_kmeans_exact_1d_workspace_size(size_t len, size_t k, int32_t pin_zero);

/**
 * Exact one-dimensional k-means: the `k` centres with the least sum of weighted squared distances, ascending. For
 * codebooks, levels and thresholds.
 *
 * - `x`: `len` finite values in any order.
 * - `weights`: `weights_len` = `len` weights >= 0, or NULL with `weights_len` 0: all 1.
 * - `pin_zero`: 1 if one of the centres shall be 0, else 0.
 * - `centers`: at least `k` floats, of which just those are written. If there are fewer different values than
 *   centres, the rest repeat the last one.
 * - `inertia`: one float, the sum of weighted squared distances.
 * - `scratch`: at least `hq_kmeans_exact_1d_workspace_size(len, k, pin_zero)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Time: about that of sorting, if `k` is small beside `len`; k len log(len) at worst.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0, another `pin_zero`, a negative weight), `HQ_ERROR_SHAPE` (`weights_len`),
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `centers` and `inertia` are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[5] = {9.0f, 1.0f, 1.5f, 9.5f, 0.5f};
 * float centers[2], inertia;
 * uint8_t scratch[1024];
 * assert(hq_kmeans_exact_1d_workspace_size(5, 2, 0) <= sizeof scratch);
 * assert(hq_kmeans_exact_1d(x, 5, NULL, 0, 2, 0, centers, 2, &inertia, scratch, sizeof scratch) == HQ_OK);
 * assert(centers[0] > 0.99f && centers[0] < 1.01f && centers[1] > 9.24f && centers[1] < 9.26f);
 * ```
 */
hq_status hq_kmeans_exact_1d(const float *x,
                             size_t len,
                             const float *weights,
                             size_t weights_len,
                             size_t k,
                             int32_t pin_zero,
                             float *centers,
                             size_t centers_len,
                             float *inertia,
                             void *scratch,
                             size_t scratch_size);

/**
 * Counts values in equal bins from `low` to `high`: adds to `counts`. Start with zeros; call it as values come.
 *
 * - `x`: `len` finite values. Those outside the range count in the bin at that end.
 * - `counts`: `bins` numbers, 1 to 65536.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (an empty or overflowing range, no bins, too many), `HQ_ERROR_NON_FINITE`,
 * `HQ_ERROR_SIZE_OVERFLOW` (more than 2^32 - 1 values together; with 2^b bins, b above 11, more than 2^(54 - 2 b) - 1),
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. `counts` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {0.1f, 0.9f, 0.2f, 7.0f};
 * uint32_t counts[2] = {0, 0};
 * assert(hq_kmeans_bins_add(x, 4, 0.0f, 1.0f, counts, 2) == HQ_OK);
 * assert(counts[0] == 2 && counts[1] == 2);
 * ```
 */
hq_status hq_kmeans_bins_add(const float *x,
                             size_t len,
                             float low,
                             float high,
                             uint32_t *counts,
                             size_t bins);

/**
 * Adds the counts of another part of the data, in the same bins, to `counts`: in any order, with the same result.
 *
 * - `counts`, `other`: `bins` numbers each.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (no bins, too many), `HQ_ERROR_SIZE_OVERFLOW` (too many values together, see
 * `hq_kmeans_bins_add`), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. `counts` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t other[2] = {3, 4};
 * uint32_t counts[2] = {1, 0};
 * assert(hq_kmeans_bins_merge(counts, other, 2) == HQ_OK);
 * assert(counts[0] == 4 && counts[1] == 4);
 * ```
 */
hq_status hq_kmeans_bins_merge(uint32_t *counts,
                               const uint32_t *other,
                               size_t bins);

/**
 * Bytes of scratch that `hq_kmeans_bins_cluster` needs: about 48 a bin, and 4 a centre. `SIZE_MAX` for no bins or
 * centres, and for more than 65536 bins.
 *
 * ```c
 * assert(hq_kmeans_bins_workspace_size(256, 16) < 13000);
 * ```
 */
size_t hq_kmeans_bins_workspace_size(size_t bins,
                                     size_t k);

/**
 * Exact one-dimensional k-means of binned values, in integers: the `k` centres with the least sum of squared distances
 * to the values as their bins count them, each at the middle of its bin. For devices: memory is fixed by the number of
 * bins, and parts merge.
 *
 * - `counts`: `bins` numbers, as `hq_kmeans_bins_add` made them; `low`, `high` as given there.
 * - `centers`: at least `k` floats, of which just those are written, ascending; without values the middle of the first
 *   bin.
 * - `scratch`: at least `hq_kmeans_bins_workspace_size(bins, k)` bytes at any alignment.
 * - `result`: one struct.
 *
 * If no value was outside the range, the root mean square distance of the values themselves to these centres exceeds
 * the least possible by at most one bin width. Buffers must not overlap. Callable from any thread. Time: k bins
 * log(bins).
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (no centres, no bins, too many, an empty range), `HQ_ERROR_NON_FINITE` (the range),
 * `HQ_ERROR_SIZE_OVERFLOW` (too many values), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `centers` and `result` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `result` points to one struct.
 *
 * ```c
 * // 2 values in the first of ten bins, 1 in the fourth, 5 in the last.
 * const uint32_t counts[10] = {2, 0, 0, 1, 0, 0, 0, 0, 0, 5};
 * float centers[2];
 * hq_kmeans_bins found;
 * uint8_t scratch[640];
 * assert(hq_kmeans_bins_workspace_size(10, 2) <= sizeof scratch);
 * assert(hq_kmeans_bins_cluster(counts, 10, 0.0f, 10.0f, 2, centers, 2, scratch, sizeof scratch, &found) == HQ_OK);
 * assert(centers[0] == 1.5f && centers[1] == 9.5f && found.cost == 6 * 256 && found.clusters == 2);
 * ```
 */
hq_status hq_kmeans_bins_cluster(const uint32_t *counts,
                                 size_t bins,
                                 float low,
                                 float high,
                                 size_t k,
                                 float *centers,
                                 size_t centers_len,
                                 void *scratch,
                                 size_t scratch_size,
                                 struct hq_kmeans_bins *result);

/**
 * The label of each value: the index of the nearest of ascending centres, the lower one at the midpoint (as float rounds
 * it); of equal centres the first.
 *
 * - `x`: `len` finite values.
 * - `centers`: `centers_len` finite values, ascending, 1 to 256 of them: those of `hq_kmeans_exact_1d` or
 *   `hq_kmeans_bins_cluster`.
 * - `labels`: at least `len` bytes, of which just those are written.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (no centres, more than 256, not ascending), `HQ_ERROR_NON_FINITE`,
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`. `labels` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {0.4f, 3.0f, -9.0f, 1.6f};
 * const float centers[3] = {0.0f, 1.0f, 2.0f};
 * uint8_t labels[4];
 * assert(hq_kmeans_label_1d(x, 4, centers, 3, labels, 4) == HQ_OK);
 * assert(labels[0] == 0 && labels[1] == 2 && labels[2] == 0 && labels[3] == 2);
 * ```
 */
hq_status hq_kmeans_label_1d(const float *x,
                             size_t len,
                             const float *centers,
                             size_t centers_len,
                             uint8_t *labels,
                             size_t labels_len);

/**
 * Bytes of scratch that `hq_cluster_parameters` needs: that of `hq_kmeans_exact_1d`, and 4 a centre. `SIZE_MAX` for
 * arguments that the function would refuse, and on overflow.
 *
 * ```c
 * assert(hq_cluster_parameters_workspace_size(1000, 4, 0) < 1000 * 90);
 * ```
 */
size_t hq_cluster_parameters_workspace_size(size_t len,
                                            size_t k,
                                            int32_t pin_zero);

/**
 * Clusters the parameters of one layer by exact one-dimensional k-means: what each value belongs to, and size, spread,
 * cohesion and importance of each cluster.
 *
 * - `x`: `len` finite values, at least one.
 * - `k`: clusters, 1 to 256; `pin_zero`: 1 if one of the centres shall be 0, else 0.
 * - `labels`: at least `len` bytes: the cluster of each value.
 * - `clusters`: at least `k` structs, ascending by centre; as many are written as there are clusters.
 * - `found`: one number: how many clusters. Fewer than `k` if there are fewer different values.
 * - `scratch`: at least `hq_cluster_parameters_workspace_size(len, k, pin_zero)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. The same input gives the same bits on every target.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0 or above 256, another `pin_zero`, no values), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
 * `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `labels`, `clusters` and `found` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `found` points to one `size_t`.
 *
 * ```c
 * const float x[6] = {-1.0f, 0.5f, -1.0f, 1.0f, 0.0f, 0.5f};
 * hq_parameter_cluster clusters[2];
 * uint8_t labels[6], scratch[1024];
 * size_t found;
 * assert(hq_cluster_parameters_workspace_size(6, 2, 0) <= sizeof scratch);
 * assert(hq_cluster_parameters(x, 6, 2, 0, labels, 6, clusters, 2, &found, scratch, sizeof scratch) == HQ_OK);
 * assert(found == 2 && labels[0] == 0 && labels[1] == 1);
 * assert(clusters[0].size == 2 && clusters[0].cohesion == 1.0f && clusters[1].mean_distance == 0.25f);
 * ```
 */
hq_status hq_cluster_parameters(const float *x,
                                size_t len,
                                size_t k,
                                int32_t pin_zero,
                                uint8_t *labels,
                                size_t labels_len,
                                struct hq_parameter_cluster *clusters,
                                size_t clusters_len,
                                size_t *found,
                                void *scratch,
                                size_t scratch_size);

/**
 * Bytes of scratch that `hq_suggest_bits` needs: about 650 a cluster. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_suggest_bits_workspace_size(16) < 11000);
 * ```
 */
size_t hq_suggest_bits_workspace_size(size_t clusters);

/**
 * Allots bits to the clusters of a layer: for what each value differs from its centre, so that the values have `average`
 * bits at most on average and the sum of weight * inertia * 4^-bits is least. (Without bits every value becomes the
 * centre; each bit quarters the squared error.)
 *
 * - `clusters`: `count` structs; `size` and `inertia` of each are read.
 * - `weights`: `weights_len` = `count` factors >= 0, or NULL with `weights_len` 0: all 1. Curvatures, or `importance / size`.
 * - `average` >= 0; `most`: most bits of one cluster, 0 to 16.
 * - `bits`: at least `count` bytes, of which just those are written.
 * - `scratch`: at least `hq_suggest_bits_workspace_size(count)` bytes at any alignment.
 * - `result`: one struct.
 *
 * Buffers must not overlap. Callable from any thread. Time as `hq_mixed_select`, whose proof it has.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`average`, `most`, a weight or an inertia outside its range), `HQ_ERROR_SHAPE`
 * (`weights_len`), `HQ_ERROR_NON_FINITE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `bits` and `result` are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `result` points to one struct.
 *
 * ```c
 * // A wide cluster of 10 values, a narrow one of 30; 1 bit on average, so 40 bits.
 * const hq_parameter_cluster clusters[2] = {{0.0f, 2.0f, 64.0f, 0.5f, 0.3f, 10}, {9.0f, 0.2f, 3.0f, 0.9f, 0.7f, 30}};
 * uint8_t bits[2], scratch[1400];
 * hq_suggested_bits found;
 * assert(hq_suggest_bits_workspace_size(2) <= sizeof scratch);
 * assert(hq_suggest_bits(clusters, 2, NULL, 0, 1.0f, 8, bits, 2, scratch, sizeof scratch, &found) == HQ_OK);
 * assert(bits[0] == 4 && bits[1] == 0 && found.total == 40 && found.error == 3.25f);
 * ```
 */
hq_status hq_suggest_bits(const struct hq_parameter_cluster *clusters,
                          size_t count,
                          const float *weights,
                          size_t weights_len,
                          float average,
                          uint8_t most,
                          uint8_t *bits,
                          size_t bits_len,
                          void *scratch,
                          size_t scratch_size,
                          struct hq_suggested_bits *result);

/**
 * Bytes of scratch that `hq_kmeans_seed` needs for `n` rows and `k` centres: about 8 n for `HQ_SEEDING_PLUS_PLUS`, 4 n
 * otherwise. `SIZE_MAX` for an unknown `method`, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_seed_workspace_size(HQ_SEEDING_PLUS_PLUS, 1000, 8) < 9000);
 * assert(hq_kmeans_seed_workspace_size(7, 1000, 8) == SIZE_MAX);
 * ```
 */
size_t hq_kmeans_seed_workspace_size(int32_t method,
                                     size_t n,
                                     size_t k);

/**
 * Chooses `k` of `n` rows as first centres of k-means. The same seed gives the same rows on every machine.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all the same.
 * - `method`, `effort`: `HQ_SEEDING_*`.
 * - `rows`: at least `k` numbers: which rows. If fewer than `k` rows differ, rows repeat.
 * - `centers`: at least `k * d` floats: their values.
 * - `scratch`: at least `hq_kmeans_seed_workspace_size(method, n, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0 or above `n`, `d` 0, a negative weight, no weight above 0),
 * `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW` (also for more than 2^31 rows), `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
 * `HQ_ERROR_NON_FINITE`. `rows` and `centers` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[6] = {0.0f, 0.1f, 9.0f, 9.1f, 0.2f, 9.2f};
 * uint32_t rows[2];
 * float centers[2];
 * uint8_t scratch[256];
 * assert(hq_kmeans_seed_workspace_size(HQ_SEEDING_PLUS_PLUS, 6, 2) <= sizeof scratch);
 * assert(hq_kmeans_seed(6, 1, x, 6, NULL, 0, 2, HQ_SEEDING_PLUS_PLUS, 0, 1, rows, 2, centers, 2, scratch,
 *                       sizeof scratch) == HQ_OK);
 * assert((centers[0] < 5.0f) != (centers[1] < 5.0f) && centers[0] == x[rows[0]]);
 * ```
 */
hq_status hq_kmeans_seed(size_t n,
                         size_t d,
                         const float *x,
                         size_t x_len,
                         const float *weights,
                         size_t weights_len,
                         size_t k,
                         int32_t method,
                         size_t effort,
                         uint64_t seed,
                         uint32_t *rows,
                         size_t rows_len,
                         float *centers,
                         size_t centers_len,
                         void *scratch,
                         size_t scratch_size);

/**
 * Writes the usual options, which NULL stands for: 300 iterations at most, until no label changes; empty clusters take
 * the farthest point.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`.
 *
 * # Safety
 * `options` is valid.
 *
 * ```c
 * hq_kmeans_options options;
 * assert(hq_kmeans_options_default(&options) == HQ_OK && options.max_iterations == 300);
 * ```
 */
hq_status hq_kmeans_options_default(struct hq_kmeans_options *options);

/**
 * Bytes of scratch that `hq_kmeans_fit` needs. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * # Safety
 * `options` is valid, or NULL: the usual ones.
 *
 * ```c
 * hq_kmeans_options options;
 * assert(hq_kmeans_options_default(&options) == HQ_OK);
 * assert(hq_kmeans_fit_workspace_size(1000, 2, 8, &options) < 64 * 1024);
 * assert(hq_kmeans_fit_workspace_size(1000, 2, 0, &options) == SIZE_MAX);
 * ```
 */
size_t hq_kmeans_fit_workspace_size(size_t n,
                                    size_t d,
                                    size_t k,
                                    const struct hq_kmeans_options *options);

/**
 * Lloyd's algorithm from given centres. The result is the same on every machine.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
 * - `k`: 1 to `n`.
 * - `centers`: `centers_len` = `k * d` floats: in, the start (`hq_kmeans_seed` finds one); out, the outcome.
 * - `options`: NULL for the usual ones.
 * - `labels`: at least `n` numbers, of which just those are written: for each row the nearest of the returned centres,
 *   of equally near ones the first.
 * - `result`: inertia (of these labels), iterations, why it stopped.
 * - `scratch`: at least `hq_kmeans_fit_workspace_size(n, d, k, options)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Time: at most `n d k` multiply-adds an iteration.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0, `k` above `n`, another `spherical`, a tolerance that is negative or not finite, a
 * negative weight, no weight above 0), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
 * `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_EMPTY_CLUSTER` (only with `HQ_EMPTY_ERROR`). The
 * outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[5] = {0.0f, 1.0f, 10.0f, 12.0f, 2.0f};
 * float centers[2] = {0.0f, 1.0f};
 * uint32_t labels[5];
 * uint8_t scratch[16384];
 * hq_kmeans_options options;
 * hq_kmeans_result result;
 * assert(hq_kmeans_options_default(&options) == HQ_OK);
 * assert(hq_kmeans_fit_workspace_size(5, 1, 2, &options) <= sizeof scratch);
 * assert(hq_kmeans_fit(5, 1, x, 5, NULL, 0, 2, &options, centers, 2, labels, 5, &result, scratch,
 *                      sizeof scratch) == HQ_OK);
 * assert(centers[0] == 1.0f && centers[1] == 11.0f && labels[3] == 1 && labels[4] == 0);
 * assert(result.inertia == 4.0f && result.stop == HQ_STOP_LABELS);
 * ```
 */
hq_status hq_kmeans_fit(size_t n,
                        size_t d,
                        const float *x,
                        size_t x_len,
                        const float *weights,
                        size_t weights_len,
                        size_t k,
                        const struct hq_kmeans_options *options,
                        float *centers,
                        size_t centers_len,
                        uint32_t *labels,
                        size_t labels_len,
                        struct hq_kmeans_result *result,
                        void *scratch,
                        size_t scratch_size);

/**
 * Scales every row to length 1, for spherical k-means; rows of zeros stay.
 *
 * - `x`: `x_len` finite values, rows of `d`; `d` at least 1.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` 0), `HQ_ERROR_SHAPE` (no whole number of rows), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. `x` is untouched then.
 *
 * # Safety
 * The pointer is valid for the length given with it.
 *
 * ```c
 * float x[4] = {0.0f, -2.0f, 0.0f, 0.0f};
 * assert(hq_kmeans_normalize_rows(2, x, 4) == HQ_OK && x[1] == -1.0f && x[3] == 0.0f);
 * ```
 */
hq_status hq_kmeans_normalize_rows(size_t d,
                                   float *x,
                                   size_t x_len);

/**
 * Bytes of scratch that `hq_kmeans_predict` and `hq_kmeans_accumulate` need: about `4 * d * (k + 16)`, whatever the
 * number of rows. `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_assign_workspace_size(8, 2) < 32 * 1024);
 * ```
 */
size_t hq_kmeans_assign_workspace_size(size_t k,
                                       size_t d);

/**
 * The nearest of `k` centres for every point.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
 * - `centers`: `centers_len` = `k * d` finite values.
 * - `labels`: at least `n` numbers, of which just those are written. Of equally near centres it is the first.
 * - `distances`: at least `n` floats for the squared distances to these centres, or NULL with `distances_len` 0.
 * - `scratch`: at least `hq_kmeans_assign_workspace_size(k, d)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
 * `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {0.0f, 4.0f, 9.0f, 6.0f}, centers[2] = {9.0f, 1.0f};
 * uint32_t labels[4];
 * float distances[4];
 * uint8_t scratch[16384];
 * assert(hq_kmeans_assign_workspace_size(2, 1) <= sizeof scratch);
 * assert(hq_kmeans_predict(4, 1, x, 4, 2, centers, 2, labels, 4, distances, 4, scratch, sizeof scratch) == HQ_OK);
 * assert(labels[0] == 1 && labels[2] == 0 && distances[1] == 9.0f);
 * ```
 */
hq_status hq_kmeans_predict(size_t n,
                            size_t d,
                            const float *x,
                            size_t x_len,
                            size_t k,
                            const float *centers,
                            size_t centers_len,
                            uint32_t *labels,
                            size_t labels_len,
                            float *distances,
                            size_t distances_len,
                            void *scratch,
                            size_t scratch_size);

/**
 * Bytes of scratch that `hq_kmeans_assign_balanced` needs: 4 for each row and cluster, and some for each row and each pair of
 * clusters. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_assign_balanced_workspace_size(1000, 2, 8) < 96 * 1024);
 * assert(hq_kmeans_assign_balanced_workspace_size(1000, 2, 0) == SIZE_MAX);
 * ```
 */
size_t hq_kmeans_assign_balanced_workspace_size(size_t n,
                                                size_t d,
                                                size_t k);

/**
 * The clusters of all points that have the least sum of weight * squared distance to `k` given centres while their sizes
 * stay within bounds. This is the exact optimum; of equally good ones it is the one whose labels come first, compared row by
 * row. The same labels on every machine.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1. They count in the
 *   sum, not in the sizes, which are numbers of rows.
 * - `k`: 1 to 32768.
 * - `centers`: `centers_len` = `k * d` finite values.
 * - `least`, `most`: the bounds of the sizes. A length of `k`: a bound for each cluster; 1: the same for all; 0: none. Both lengths
 *   0: balanced, `n / k` rows each, rounded up or down.
 * - `labels`: at least `n` numbers, of which just those are written.
 * - `distances`: at least `n` floats for the squared distances to the centres of these labels, or NULL with
 *   `distances_len` 0.
 * - `scratch`: at least `hq_kmeans_assign_balanced_workspace_size(n, d, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INFEASIBLE` (no assignment keeps the sizes), `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0, a negative
 * weight, no weight above 0), `HQ_ERROR_SHAPE` (also: neither 0, 1 nor `k` bounds), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
 * `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
 * `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {0.0f, 1.0f, 2.0f, 9.0f}, centers[2] = {0.0f, 8.0f};
 * const uint32_t most = 3;
 * uint32_t labels[4];
 * uint8_t scratch[4096];
 * assert(hq_kmeans_assign_balanced_workspace_size(4, 1, 2) <= sizeof scratch);
 * assert(hq_kmeans_assign_balanced(4, 1, x, 4, NULL, 0, 2, centers, 2, NULL, 0, NULL, 0, labels, 4, NULL, 0, scratch,
 *                                  sizeof scratch) == HQ_OK);
 * assert(labels[1] == 0 && labels[2] == 1 && labels[3] == 1); // two each
 * assert(hq_kmeans_assign_balanced(4, 1, x, 4, NULL, 0, 2, centers, 2, NULL, 0, &most, 1, labels, 4, NULL, 0, scratch,
 *                                  sizeof scratch) == HQ_OK);
 * assert(labels[2] == 0 && labels[3] == 1); // three at most
 * ```
 */
hq_status hq_kmeans_assign_balanced(size_t n,
                                    size_t d,
                                    const float *x,
                                    size_t x_len,
                                    const float *weights,
                                    size_t weights_len,
                                    size_t k,
                                    const float *centers,
                                    size_t centers_len,
                                    const uint32_t *least,
                                    size_t least_len,
                                    const uint32_t *most,
                                    size_t most_len,
                                    uint32_t *labels,
                                    size_t labels_len,
                                    float *distances,
                                    size_t distances_len,
                                    void *scratch,
                                    size_t scratch_size);

/**
 * Bytes of scratch that `hq_kmeans_fit_balanced` needs: 4 for each row and cluster, and some for each row and each pair of
 * clusters. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_fit_balanced_workspace_size(1000, 2, 8) < 96 * 1024);
 * ```
 */
size_t hq_kmeans_fit_balanced_workspace_size(size_t n,
                                             size_t d,
                                             size_t k);

/**
 * Lloyd's algorithm from given centres, with clusters whose sizes stay within bounds: labels as from
 * `hq_kmeans_assign_balanced`, then centres at their means, until no label changes. The inertia does not rise from one iteration to the next
 * (but for the rounding of the means). The same result on every machine.
 *
 * - `x`, `weights`: as for `hq_kmeans_assign_balanced`.
 * - `k`: 1 to `n`, at most 32768.
 * - `least`, `most`: as for `hq_kmeans_assign_balanced`.
 * - `options`: NULL for the usual ones. `bounds` has no part in it. `HQ_EMPTY_SPLIT_LARGEST` is not offered; with a least
 *   size of 1 no cluster is empty.
 * - `centers`: `centers_len` = `k * d` floats: in, the start (`hq_kmeans_seed` finds one); out, the outcome.
 * - `labels`: at least `n` numbers, of which just those are written: what `hq_kmeans_assign_balanced` gives for the
 *   returned centres.
 * - `result`: inertia (of these labels), iterations, why it stopped.
 * - `scratch`: at least `hq_kmeans_fit_balanced_workspace_size(n, d, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INFEASIBLE` (no assignment keeps the sizes), `HQ_ERROR_INVALID_ARGUMENT` (as `hq_kmeans_fit`),
 * `HQ_ERROR_UNSUPPORTED` (`HQ_EMPTY_SPLIT_LARGEST`), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE` (also: neither 0, 1 nor `k` bounds),
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_EMPTY_CLUSTER` (only with
 * `HQ_EMPTY_ERROR`). The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[6] = {0.0f, 1.0f, 2.0f, 3.0f, 8.0f, 10.0f};
 * float centers[2] = {0.0f, 9.0f};
 * uint32_t labels[6];
 * uint8_t scratch[4096];
 * hq_kmeans_result result;
 * assert(hq_kmeans_fit_balanced_workspace_size(6, 1, 2) <= sizeof scratch);
 * assert(hq_kmeans_fit_balanced(6, 1, x, 6, NULL, 0, 2, NULL, 0, NULL, 0, NULL, centers, 2, labels, 6, &result,
 *                               scratch, sizeof scratch) == HQ_OK);
 * assert(centers[0] == 1.0f && centers[1] == 7.0f && labels[3] == 1 && result.inertia == 28.0f);
 * ```
 */
hq_status hq_kmeans_fit_balanced(size_t n,
                                 size_t d,
                                 const float *x,
                                 size_t x_len,
                                 const float *weights,
                                 size_t weights_len,
                                 size_t k,
                                 const uint32_t *least,
                                 size_t least_len,
                                 const uint32_t *most,
                                 size_t most_len,
                                 const struct hq_kmeans_options *options,
                                 float *centers,
                                 size_t centers_len,
                                 uint32_t *labels,
                                 size_t labels_len,
                                 struct hq_kmeans_result *result,
                                 void *scratch,
                                 size_t scratch_size);

/**
 * Floats of the limits of `d` features: `2 d + 2`. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_kmeans_limits_len(3) == 8);
 * ```
 */
size_t hq_kmeans_limits_len(size_t d);

/**
 * Makes limits empty, to add points to.
 *
 * - `limits`: `limits_len` = `hq_kmeans_limits_len(d)` floats.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`.
 *
 * # Safety
 * The pointer is valid for the length given with it.
 *
 * ```c
 * float limits[4];
 * assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
 * ```
 */
hq_status hq_kmeans_limits_clear(float *limits, size_t limits_len);

/**
 * Adds points to limits: where the data lie, which fixes the units of all sums.
 *
 * Limits of parts of the data are merged by `hq_kmeans_limits_merge`; over MPI by `MPI_Allreduce` with `MPI_MAX` and
 * `MPI_FLOAT`, in place. NaN, infinity and negative weights are refused here.
 *
 * - `x`: `x_len` = `n * d` values, row after row; `d` at least 1.
 * - `weights`: `weights_len` = `n` weights >= 0, or NULL with `weights_len` 0: all 1.
 * - `limits`: `limits_len` = `hq_kmeans_limits_len(d)` floats.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` 0, a negative weight), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. `limits` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[3] = {1.0f, -2.0f, 0.5f};
 * float limits[4];
 * assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
 * assert(hq_kmeans_limits_add(3, 1, x, 3, NULL, 0, limits, 4) == HQ_OK);
 * assert(limits[0] == 1.0f && limits[1] == 2.0f); // the largest value, and the largest negated one
 * ```
 */
hq_status hq_kmeans_limits_add(size_t n,
                               size_t d,
                               const float *x,
                               size_t x_len,
                               const float *weights,
                               size_t weights_len,
                               float *limits,
                               size_t limits_len);

/**
 * Adds limits to limits: the larger of each.
 *
 * - `limits`, `other`: the same length. They must not overlap.
 *
 * Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`. `limits` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * float limits[4] = {1.0f, 2.0f, 1.0f, 0.0f};
 * const float other[4] = {0.0f, 3.0f, 1.0f, 0.0f};
 * assert(hq_kmeans_limits_merge(limits, 4, other, 4) == HQ_OK && limits[0] == 1.0f && limits[1] == 3.0f);
 * ```
 */
hq_status hq_kmeans_limits_merge(float *limits, size_t limits_len, const float *other, size_t other_len);

/**
 * `int64_t` of a partial for `k` centres: `k * (d + 2) + 13`. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_kmeans_partial_len(4, 2) == 4 * 4 + 13);
 * ```
 */
size_t hq_kmeans_partial_len(size_t k, size_t d);

/**
 * Labels points and adds them to a partial.
 *
 * A partial is an array of `int64_t`, which the caller fills with zeros at the start of an iteration. Those of parts of
 * the data are merged by adding them up, in any order: by `hq_kmeans_merge`, or over MPI by `MPI_Allreduce` with `MPI_SUM` and
 * `MPI_INT64_T`, in place. The bits of what `hq_kmeans_update` makes of the sum do not depend on how the data were
 * split. The function may be called for one row range after the other.
 *
 * - `rows`: how many rows there are in all, in all parts.
 * - `limits`: `limits_len` = `hq_kmeans_limits_len(d)` floats, merged from all parts.
 * - `x`: `x_len` = `n * d` values, row after row, which have been added to the limits.
 * - `weights`: `weights_len` = `n` weights, or NULL with `weights_len` 0: all 1. All parts have weights, or none.
 * - `centers`: `centers_len` = `k * d` finite values, the same in all parts.
 * - `labels`: at least `n` numbers, of which just those are written.
 * - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers, added to.
 * - `scratch`: at least `hq_kmeans_assign_workspace_size(k, d)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d`, `k` or `rows` 0, a point or weight outside the limits, no weight above 0),
 * `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW` (also for
 * more than 2^31 rows), `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The outputs are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[5] = {0.0f, 1.0f, 10.0f, 12.0f, 2.0f};
 * float limits[4], centers[2] = {0.0f, 12.0f};
 * int64_t partial[2 * 3 + 13] = {0};
 * uint32_t labels[5];
 * uint8_t scratch[16384];
 * hq_kmeans_step step;
 * assert(hq_kmeans_assign_workspace_size(2, 1) <= sizeof scratch);
 * assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
 * assert(hq_kmeans_limits_add(5, 1, x, 5, NULL, 0, limits, 4) == HQ_OK);
 * for (size_t i = 0; i < 5; i++) // row by row, as an interrupt would have it
 *     assert(hq_kmeans_accumulate(5, limits, 4, 1, 1, x + i, 1, NULL, 0, 2, centers, 2, labels + i, 1, partial, 19,
 *                                 scratch, sizeof scratch) == HQ_OK);
 * assert(hq_kmeans_update(5, limits, 4, 2, partial, 19, HQ_EMPTY_KEEP, centers, 2, &step) == HQ_OK);
 * assert(centers[0] == 1.0f && centers[1] == 11.0f && step.inertia == 9.0f && step.shift == 1.0f);
 * ```
 */
hq_status hq_kmeans_accumulate(size_t rows,
                               const float *limits,
                               size_t limits_len,
                               size_t n,
                               size_t d,
                               const float *x,
                               size_t x_len,
                               const float *weights,
                               size_t weights_len,
                               size_t k,
                               const float *centers,
                               size_t centers_len,
                               uint32_t *labels,
                               size_t labels_len,
                               int64_t *partial,
                               size_t partial_len,
                               void *scratch,
                               size_t scratch_size);

/**
 * Adds a partial to a partial, element by element.
 *
 * - `partial`, `other`: the same length. They must not overlap.
 *
 * Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`. `partial` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * int64_t partial[2] = {1, 2};
 * const int64_t other[2] = {10, -2};
 * assert(hq_kmeans_merge(partial, 2, other, 2) == HQ_OK && partial[0] == 11 && partial[1] == 0);
 * ```
 */
hq_status hq_kmeans_merge(int64_t *partial, size_t partial_len, const int64_t *other, size_t other_len);

/**
 * Moves the centres to the means that a merged partial of all the data stands for.
 *
 * - `rows`, `limits`: as for `hq_kmeans_accumulate`.
 * - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers.
 * - `empty`: `HQ_EMPTY_*`, what becomes of a cluster without weight; `HQ_EMPTY_FARTHEST` is refused: see
 *   `hq_kmeans_update_farthest`.
 * - `centers`: `centers_len` = `k * d` floats: in, those that the partial was accumulated with; out, the new ones.
 * - `step`: how far they moved, and the inertia before.
 *
 * Buffers must not overlap. Callable from any thread. Iterate until `step.shift` is 0, or small enough.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `rows` 0, no weight above 0), `HQ_ERROR_UNKNOWN_ENUM`,
 * `HQ_ERROR_UNSUPPORTED` (`HQ_EMPTY_FARTHEST`), `HQ_ERROR_EMPTY_CLUSTER` (only with `HQ_EMPTY_ERROR`), `HQ_ERROR_SHAPE`,
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_NON_FINITE`. `centers` and `step` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}; // three values from 0 to 3, no weights
 * const int64_t partial[1 + 2 + 13] = {0, 3, 3}; // their sum is 0
 * float center = 1.0f;
 * hq_kmeans_step step;
 * assert(hq_kmeans_update(3, limits, 4, 1, partial, 16, HQ_EMPTY_KEEP, &center, 1, &step) == HQ_OK);
 * assert(center == 0.0f && step.shift == 1.0f && step.empty == 0);
 * ```
 */
hq_status hq_kmeans_update(size_t rows,
                           const float *limits,
                           size_t limits_len,
                           size_t k,
                           const int64_t *partial,
                           size_t partial_len,
                           int32_t empty,
                           float *centers,
                           size_t centers_len,
                           struct hq_kmeans_step *step);

/**
 * `uint32_t` of the candidates for empty clusters: `k * (d + 4)`. `SIZE_MAX` for `k` 0, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_farthest_len(3, 10) == 42);
 * ```
 */
size_t hq_kmeans_farthest_len(size_t k, size_t d);

/**
 * Adds the rows of a part of the data to the candidates for empty clusters, after `hq_kmeans_accumulate`.
 *
 * Candidates are an array of `uint32_t` with the `k` rows that are farthest from their centres; the caller fills it with zeros at the
 * start of an iteration. Those of parts of the data are merged by `hq_kmeans_farthest_merge` (over MPI: gather them, and merge one
 * after the other), in any order.
 *
 * - `rows`, `limits`: as for `hq_kmeans_accumulate`.
 * - `first`: the number of the part's first row in all the data: every row has a number of its own, below 2^31.
 * - `x`, `weights`, `centers`: as for `hq_kmeans_accumulate`.
 * - `labels`: `labels_len` = `n` numbers, as `hq_kmeans_accumulate` gave them for these centres.
 * - `farthest`: `farthest_len` = `hq_kmeans_farthest_len(k, d)` numbers, added to.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d`, `k` or `rows` 0, a point or weight outside the limits, a label that is not below `k`, no weight above 0),
 * `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_NON_FINITE`. `farthest` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {0.0f, 1.0f, 2.0f, 9.0f};
 * float limits[4], centers[2] = {1.0f, 100.0f}; // nobody is near the second
 * int64_t partial[2 * 3 + 13] = {0};
 * uint32_t labels[4], farthest[2 * 5] = {0};
 * uint8_t scratch[16384];
 * hq_kmeans_step step;
 * assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
 * assert(hq_kmeans_limits_add(4, 1, x, 4, NULL, 0, limits, 4) == HQ_OK);
 * assert(hq_kmeans_assign_workspace_size(2, 1) <= sizeof scratch);
 * assert(hq_kmeans_accumulate(4, limits, 4, 4, 1, x, 4, NULL, 0, 2, centers, 2, labels, 4, partial, 19, scratch,
 *                             sizeof scratch) == HQ_OK);
 * assert(hq_kmeans_farthest_add(4, limits, 4, 0, 4, 1, x, 4, NULL, 0, 2, centers, 2, labels, 4, farthest, 10) == HQ_OK);
 * assert(hq_kmeans_update_farthest(4, limits, 4, 2, partial, 19, farthest, 10, centers, 2, &step) == HQ_OK);
 * assert(centers[0] == 1.0f && centers[1] == 9.0f && step.empty == 1);
 * ```
 */
hq_status hq_kmeans_farthest_add(size_t rows,
                                 const float *limits,
                                 size_t limits_len,
                                 size_t first,
                                 size_t n,
                                 size_t d,
                                 const float *x,
                                 size_t x_len,
                                 const float *weights,
                                 size_t weights_len,
                                 size_t k,
                                 const float *centers,
                                 size_t centers_len,
                                 const uint32_t *labels,
                                 size_t labels_len,
                                 uint32_t *farthest,
                                 size_t farthest_len);

/**
 * Merges the candidates of two parts of the data, which have no row in common, in any order.
 *
 * - `farthest`, `other`: `hq_kmeans_farthest_len(k, d)` numbers each. They must not overlap.
 *
 * Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
 * `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `farthest` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * uint32_t farthest[5] = {0};
 * const uint32_t other[5] = {0x3F800000, 7, 0, 1, 0x40000000}; // row 7, at distance 1
 * assert(hq_kmeans_farthest_merge(1, 1, farthest, 5, other, 5) == HQ_OK && farthest[1] == 7);
 * ```
 */
hq_status hq_kmeans_farthest_merge(size_t k,
                                   size_t d,
                                   uint32_t *farthest,
                                   size_t farthest_len,
                                   const uint32_t *other,
                                   size_t other_len);

/**
 * As `hq_kmeans_update` with `HQ_EMPTY_FARTHEST`: every cluster without weight gets the row that is farthest from its centre, among
 * those that do not leave their own cluster without weight; then the centres move to their means. This is the step that `hq_kmeans_fit`
 * takes, to the bit.
 *
 * - `rows`, `limits`: as for `hq_kmeans_accumulate`.
 * - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers, of all the data; the rows are moved to their new clusters in it.
 * - `farthest`: `farthest_len` = `hq_kmeans_farthest_len(k, d)` numbers, of all the data; records that are used are taken away. Not
 *   looked at if no cluster is empty (`partial[k * d + j]` is the weight of cluster `j`), and may be NULL with length 0 then.
 * - `centers`: `centers_len` = `k * d` floats: in, those that the partial was accumulated with; out, the new ones.
 * - `step`: how far they moved, the inertia before, and how many clusters were empty.
 *
 * Buffers must not overlap. Callable from any thread. The example of `hq_kmeans_farthest_add` shows all steps.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `rows` 0, a label or value in `farthest` that cannot be, no weight above 0),
 * `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}; // three values from 0 to 3, no weights
 * int64_t partial[1 + 2 + 13] = {0, 3, 3}; // their sum is 0
 * float center = 1.0f;
 * hq_kmeans_step step;
 * assert(hq_kmeans_update_farthest(3, limits, 4, 1, partial, 16, NULL, 0, &center, 1, &step) == HQ_OK);
 * assert(center == 0.0f && step.empty == 0);
 * ```
 */
hq_status hq_kmeans_update_farthest(size_t rows,
                                    const float *limits,
                                    size_t limits_len,
                                    size_t k,
                                    int64_t *partial,
                                    size_t partial_len,
                                    uint32_t *farthest,
                                    size_t farthest_len,
                                    float *centers,
                                    size_t centers_len,
                                    struct hq_kmeans_step *step);

/**
 * Bytes of scratch that `hq_kmeans_choose_k` needs. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * # Safety
 * `fit` is valid, or NULL: the usual options.
 *
 * ```c
 * hq_kmeans_options fit;
 * assert(hq_kmeans_options_default(&fit) == HQ_OK);
 * assert(hq_kmeans_choose_k_workspace_size(1000, 2, 8, &fit) < 128 * 1024);
 * assert(hq_kmeans_choose_k_workspace_size(1000, 2, 0, &fit) == SIZE_MAX);
 * ```
 */
size_t hq_kmeans_choose_k_workspace_size(size_t n,
                                         size_t d,
                                         size_t max_k,
                                         const struct hq_kmeans_options *fit);

/**
 * Looks for the number of clusters: one nested run from one cluster upwards, and what four published criteria make of the
 * sums of squares. "No structure" is an answer: 1. The result is the same on every machine.
 *
 * Begins with the mean of all points and adds one centre after the other, the best of ten rows drawn in proportion to
 * their squared distances; then Lloyd's algorithm from there. The number with most votes is taken, of equal ones that with
 * the least concentration; 1 if the concentration shows no structure.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row, the largest magnitude 0 or within 2^-40 to 2^40.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1. A weight of 2
 *   counts as two points.
 * - `max_k`: the most clusters that are tried, 1 to `n`.
 * - `seed`: for the draws.
 * - `fit`: how each number is fitted; NULL: as usual.
 * - `curve`: at least `max_k` entries; `choice->candidates` of them are written, for 1, 2, ... clusters.
 * - `centers`: at least `max_k * d` floats; those of the chosen number are written.
 * - `labels`: at least `n` numbers: for each row one of these centres.
 * - `choice`: the number, and what each criterion wants.
 * - `scratch`: at least `hq_kmeans_choose_k_workspace_size(n, d, max_k, fit)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Time: that of fitting every number up to `max_k`, and once more up to
 * the chosen one.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `max_k` 0, `max_k` above `n`, a tolerance out of range, a negative weight,
 * no weight above 0, a magnitude out of range: scale the data), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`,
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_EMPTY_CLUSTER` (only
 * with `HQ_EMPTY_ERROR`). The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * float x[60], centers[8];
 * uint32_t labels[60];
 * hq_kmeans_candidate curve[8];
 * hq_kmeans_choice choice;
 * hq_kmeans_options fit;
 * static uint8_t scratch[65536];
 * for (int i = 0; i < 60; i++) x[i] = 100.0f * (float)(i % 3) + (float)(i / 3);
 * assert(hq_kmeans_options_default(&fit) == HQ_OK);
 * assert(hq_kmeans_choose_k_workspace_size(60, 1, 8, &fit) <= sizeof scratch);
 * assert(hq_kmeans_choose_k(60, 1, x, 60, NULL, 0, 8, 1, &fit, curve, 8, centers, 8, labels, 60, &choice, scratch,
 *                           sizeof scratch) == HQ_OK);
 * assert(choice.k == 3 && choice.candidates == 8 && curve[2].k == 3);
 * ```
 */
hq_status hq_kmeans_choose_k(size_t n,
                             size_t d,
                             const float *x,
                             size_t x_len,
                             const float *weights,
                             size_t weights_len,
                             size_t max_k,
                             uint64_t seed,
                             const struct hq_kmeans_options *fit,
                             struct hq_kmeans_candidate *curve,
                             size_t curve_len,
                             float *centers,
                             size_t centers_len,
                             uint32_t *labels,
                             size_t labels_len,
                             struct hq_kmeans_choice *choice,
                             void *scratch,
                             size_t scratch_size);

/**
 * Fills `options` with the defaults, which NULL stands for: k-means++ from seed 0, at most 100 iterations, farthest
 * rows for empty clusters.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then.
 *
 * # Safety
 * `options` points to one writable struct.
 *
 * ```c
 * hq_kmeans_int8_options options;
 * assert(hq_kmeans_int8_options_init(&options) == HQ_OK);
 * options.seed = 7;
 * ```
 */
hq_status hq_kmeans_int8_options_init(struct hq_kmeans_int8_options *options);

/**
 * Bytes of scratch that `hq_kmeans_int8_fit` needs: about `2 cols (k + 4) + 4 cols k` (`k` a multiple of 8), or `4 rows` for
 * k-means++ if that is more. For `rows` up to 2^24 and a policy other than `HQ_EMPTY_ERROR`,
 * `HQ_KMEANS_INT8_FIT_SIZE(rows, cols, k)` is that, and `HQ_KMEANS_INT8_LLOYD_SIZE(cols, k)` with given centres.
 *
 * `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * # Safety
 * `options` is NULL (the defaults) or points to one struct.
 *
 * ```c
 * assert(hq_kmeans_int8_fit_workspace_size(1500, 32, 16, NULL) == HQ_KMEANS_INT8_FIT_SIZE(1500, 32, 16));
 * ```
 */
size_t hq_kmeans_int8_fit_workspace_size(size_t rows,
                                         size_t cols,
                                         size_t k,
                                         const struct hq_kmeans_int8_options *options);

/**
 * Clusters int8 points with Lloyd's algorithm, in integers alone: the same labels and centres on every machine.
 *
 * - `points`: `points_len` = `rows * cols` codes; a row is a point.
 * - `k`: number of clusters, 1..=65535, at most `rows`. `cols`: 1..=5461.
 * - `options`: NULL for the defaults.
 * - `centers`: at least `k * cols` numbers, of which just those are written: centres in sixteenths of a code
 *   (`hq_kmeans_int8_round_centers` makes codes of them). With `HQ_KMEANS_INT8_SEEDING_GIVEN` they are read first,
 *   -2048..=2032 each.
 * - `labels`: at least `rows` numbers, of which just those are written: the nearest of the centres returned, the lowest
 *   number among equally near ones.
 * - `result`: one struct.
 * - `scratch`: at least `hq_kmeans_int8_fit_workspace_size(rows, cols, k, options)` bytes at any alignment.
 *
 * The inertia never rises from one iteration to the next. Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (`HQ_EMPTY_SPLIT_LARGEST`), `HQ_ERROR_INVALID_ARGUMENT` (`cols` or `k` 0, `k` above 65535 or `rows`, a given centre out of
 * range, `reserved`), `HQ_ERROR_EMPTY_CLUSTER`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
 * `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW` (also for `cols` above 5461 and more than 2^39 codes),
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const int8_t points[8] = {1, 2, 3, 4, 101, 100, 99, 98};
 * int16_t centers[4];
 * uint16_t labels[4];
 * uint8_t scratch[HQ_KMEANS_INT8_FIT_SIZE(4, 2, 2)];
 * hq_kmeans_int8_result found;
 * assert(hq_kmeans_int8_fit(4, 2, points, 8, 2, NULL, centers, 4, labels, 4, &found, scratch, sizeof scratch) == HQ_OK);
 * assert(found.converged && labels[0] == labels[1] && labels[0] != labels[2]);
 * assert(centers[2 * labels[0]] == 16 * 2); // the mean of 1 and 3
 * ```
 */
hq_status hq_kmeans_int8_fit(size_t rows,
                             size_t cols,
                             const int8_t *points,
                             size_t points_len,
                             size_t k,
                             const struct hq_kmeans_int8_options *options,
                             int16_t *centers,
                             size_t centers_len,
                             uint16_t *labels,
                             size_t labels_len,
                             struct hq_kmeans_int8_result *result,
                             void *scratch,
                             size_t scratch_size);

/**
 * Bytes of scratch that `hq_kmeans_int8_plus_plus` needs: `4 rows`, and padding.
 *
 * `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_int8_plus_plus_workspace_size(1500, 32, 16) < 4 * 1500 + 4);
 * ```
 */
size_t hq_kmeans_int8_plus_plus_workspace_size(size_t rows, size_t cols, size_t k);

/**
 * Greedy k-means++: `k` of the rows as centres, far from each other, as `hq_kmeans_int8_fit` begins. For fits by parts.
 *
 * - `points`: `points_len` = `rows * cols` codes, `rows` at least `k`.
 * - `centers`: at least `k * cols` numbers, of which just those are written, in sixteenths.
 * - `scratch`: at least `hq_kmeans_int8_plus_plus_workspace_size(rows, cols, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Time: `3 + ln k` passes over the rows for each centre.
 *
 * Errors: those of `hq_kmeans_int8_fit`; `centers` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const int8_t points[4] = {0, 1, 100, 101};
 * int16_t centers[2];
 * uint8_t scratch[19];
 * assert(hq_kmeans_int8_plus_plus_workspace_size(4, 1, 2) <= sizeof scratch);
 * assert(hq_kmeans_int8_plus_plus(4, 1, points, 4, 2, 7, centers, 2, scratch, sizeof scratch) == HQ_OK);
 * assert((centers[0] < 800) != (centers[1] < 800));
 * ```
 */
hq_status hq_kmeans_int8_plus_plus(size_t rows,
                                   size_t cols,
                                   const int8_t *points,
                                   size_t points_len,
                                   size_t k,
                                   uint64_t seed,
                                   int16_t *centers,
                                   size_t centers_len,
                                   void *scratch,
                                   size_t scratch_size);

/**
 * Bytes of scratch that `hq_kmeans_int8_assign` and `hq_kmeans_int8_accumulate` need: about `2 cols (k + 4)`, `k` a multiple
 * of 8. `HQ_KMEANS_INT8_ASSIGN_SIZE(cols, k)` is the same number.
 *
 * `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_int8_assign_workspace_size(32, 16) == HQ_KMEANS_INT8_ASSIGN_SIZE(32, 16));
 * ```
 */
size_t hq_kmeans_int8_assign_workspace_size(size_t cols,
                                            size_t k);

/**
 * The nearest centre of every row, the lowest number among equally near ones.
 *
 * - `points`: `points_len` = `rows * cols` codes.
 * - `centers`: `centers_len` = `k * cols` numbers in sixteenths, -2048..=2032.
 * - `labels`: at least `rows` numbers, of which just those are written.
 * - `inertia`: one number, the sum of squared distances in sixteenths (256 for a distance of 1).
 * - `scratch`: at least `hq_kmeans_int8_assign_workspace_size(cols, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: those of `hq_kmeans_int8_fit`; the outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const int8_t points[3] = {1, -3, 99};
 * const int16_t centers[2] = {0, 16 * 100};
 * uint16_t labels[3];
 * uint64_t inertia;
 * uint8_t scratch[HQ_KMEANS_INT8_ASSIGN_SIZE(1, 2)];
 * assert(hq_kmeans_int8_assign(3, 1, points, 3, 2, centers, 2, labels, 3, &inertia, scratch, sizeof scratch) == HQ_OK);
 * assert(labels[1] == 0 && labels[2] == 1 && inertia == 256 * (1 + 9 + 1));
 * ```
 */
hq_status hq_kmeans_int8_assign(size_t rows,
                                size_t cols,
                                const int8_t *points,
                                size_t points_len,
                                size_t k,
                                const int16_t *centers,
                                size_t centers_len,
                                uint16_t *labels,
                                size_t labels_len,
                                uint64_t *inertia,
                                void *scratch,
                                size_t scratch_size);

/**
 * Numbers in a partial for `k` centres of `cols` features: `k * cols` sums of codes, `k` counts, the inertia.
 *
 * `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_int8_partial_len(32, 16) == 16 * 32 + 16 + 1);
 * ```
 */
size_t hq_kmeans_int8_partial_len(size_t cols, size_t k);

/**
 * Assigns rows to the nearest centres and adds them to a partial: the part of an iteration that threads, ranks or slices of
 * time can share. Any split of the rows, in any order, gives the same numbers.
 *
 * - `points`: `points_len` = `rows * cols` codes.
 * - `centers`: `centers_len` = `k * cols` numbers in sixteenths, -2048..=2032.
 * - `labels`: at least `rows` numbers, of which just those are written; or NULL with `labels_len` 0.
 * - `partial`: `partial_len` = `hq_kmeans_int8_partial_len(cols, k)` numbers, zero before the first call of an iteration.
 * - `scratch`: at least `hq_kmeans_int8_assign_workspace_size(cols, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Every call prepares the centres, which takes as long as a dozen
 * rows or so; slices should have more.
 *
 * Errors: those of `hq_kmeans_int8_fit`; the outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const int8_t points[4] = {1, 2, 4, 100};
 * int16_t centers[2] = {0, 1600};
 * int64_t partial[5] = {0};
 * uint8_t scratch[HQ_KMEANS_INT8_ASSIGN_SIZE(1, 2)];
 * hq_kmeans_int8_step step;
 * assert(hq_kmeans_int8_accumulate(1, 1, points, 1, 2, centers, 2, NULL, 0, partial, 5, scratch, sizeof scratch) == HQ_OK);
 * assert(hq_kmeans_int8_accumulate(3, 1, points + 1, 3, 2, centers, 2, NULL, 0, partial, 5, scratch, sizeof scratch) == HQ_OK);
 * assert(partial[0] == 7 && partial[2] == 3 && partial[4] == 256 * (1 + 4 + 16));
 * assert(hq_kmeans_int8_update(1, 2, partial, 5, centers, 2, &step) == HQ_OK && step.moved && step.rows == 4);
 * assert(centers[0] == 37 && centers[1] == 1600); // 16 * 7 / 3
 * ```
 */
hq_status hq_kmeans_int8_accumulate(size_t rows,
                                    size_t cols,
                                    const int8_t *points,
                                    size_t points_len,
                                    size_t k,
                                    const int16_t *centers,
                                    size_t centers_len,
                                    uint16_t *labels,
                                    size_t labels_len,
                                    int64_t *partial,
                                    size_t partial_len,
                                    void *scratch,
                                    size_t scratch_size);

/**
 * Adds a partial to another one, number by number; an `MPI_Allreduce` of `MPI_INT64_T` with `MPI_SUM` does the same.
 *
 * - `partial`, `other`: `len` numbers each.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`.
 *
 * # Safety
 * Each pointer is valid for `len` numbers.
 *
 * ```c
 * int64_t a[5] = {7, 0, 3, 0, 21};
 * const int64_t b[5] = {100, 5, 1, 1, 9};
 * assert(hq_kmeans_int8_merge(a, b, 5) == HQ_OK && a[0] == 107 && a[4] == 30);
 * ```
 */
hq_status hq_kmeans_int8_merge(int64_t *partial,
                               const int64_t *other,
                               size_t len);

/**
 * Moves centres to the means that a partial tells, to the nearest sixteenth, ties towards the greater. Centres of clusters
 * without rows stay. If the partial holds several batches, each assigned to the centres of its time, this is mini-batch
 * k-means with a rate of 1 / count.
 *
 * - `partial`: `partial_len` = `hq_kmeans_int8_partial_len(cols, k)` numbers.
 * - `centers`: `centers_len` = `k * cols` numbers, in and out.
 * - `step`: one struct.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (also for a partial that no rows make), `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const int64_t partial[5] = {7, 0, 3, 0, 0};
 * int16_t centers[2] = {0, 1600};
 * hq_kmeans_int8_step step;
 * assert(hq_kmeans_int8_update(1, 2, partial, 5, centers, 2, &step) == HQ_OK);
 * assert(step.empty == 1 && centers[0] == 37 && centers[1] == 1600);
 * ```
 */
hq_status hq_kmeans_int8_update(size_t cols,
                                size_t k,
                                const int64_t *partial,
                                size_t partial_len,
                                int16_t *centers,
                                size_t centers_len,
                                struct hq_kmeans_int8_step *step);

/**
 * Forgets: every number of a partial becomes `keep / 65536` of itself, with the same means. Between batches of a stream, so
 * that centres follow what changes.
 *
 * - `partial`: `partial_len` = `hq_kmeans_int8_partial_len(cols, k)` numbers, in and out.
 *
 * Callable from any thread.
 *
 * Errors: as `hq_kmeans_int8_update`; `partial` is untouched then.
 *
 * # Safety
 * `partial` is valid for `partial_len` numbers.
 *
 * ```c
 * int64_t partial[5] = {300, -40, 3, 4, 1000};
 * assert(hq_kmeans_int8_decay(1, 2, partial, 5, 32768) == HQ_OK);
 * assert(partial[0] == 100 && partial[2] == 1 && partial[1] == -20 && partial[3] == 2);
 * ```
 */
hq_status hq_kmeans_int8_decay(size_t cols,
                               size_t k,
                               int64_t *partial,
                               size_t partial_len,
                               uint16_t keep);

/**
 * Centres as int8 codes: each number of sixteenths to the nearest code, ties towards the greater. For codebooks.
 *
 * - `centers`: `len` numbers, -2048..=2032.
 * - `codes`: at least `len` codes, of which just those are written.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
 * `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `codes` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const int16_t centers[3] = {-2048, 8, 23};
 * int8_t codes[3];
 * assert(hq_kmeans_int8_round_centers(centers, 3, codes, 3) == HQ_OK);
 * assert(codes[0] == -128 && codes[1] == 1 && codes[2] == 1);
 * ```
 */
hq_status hq_kmeans_int8_round_centers(const int16_t *centers,
                                       size_t len,
                                       int8_t *codes,
                                       size_t codes_len);

/**
 * Floats of the state of a stream: `k * (2 d + 1)`. `SIZE_MAX` for `k` 0, and on overflow.
 *
 * In order: the centres (`k * d`, to be used as such), what rounding left over of them (`k * d`), and what each centre
 * weighs (`k`). Nothing else: to save a stream is to save these floats.
 *
 * ```c
 * assert(hq_kmeans_stream_len(4, 2) == 20 && hq_kmeans_stream_len(0, 2) == SIZE_MAX);
 * ```
 */
size_t hq_kmeans_stream_len(size_t k,
                            size_t d);

/**
 * Begins a stream at given centres.
 *
 * - `centers`: `centers_len` = `k * d` finite values; `hq_kmeans_seed` finds some in a first batch.
 * - `weights`: `weights_len` = `k` values >= 0, if the centres shall weigh as much as so many points of weight 1; or NULL
 *   with `weights_len` 0: nothing, so that the first points that a centre gets are its mean.
 * - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `d` 0, a negative weight), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. `state` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float centers[2] = {0.0f, 10.0f};
 * float state[6];
 * assert(hq_kmeans_stream_start(2, 1, centers, 2, NULL, 0, state, 6) == HQ_OK && state[1] == 10.0f);
 * ```
 */
hq_status hq_kmeans_stream_start(size_t k,
                                 size_t d,
                                 const float *centers,
                                 size_t centers_len,
                                 const float *weights,
                                 size_t weights_len,
                                 float *state,
                                 size_t state_len);

/**
 * Moves the centres of a stream by one batch, of which `partial` is the merged partial.
 *
 * With `w` the weight of the batch in a cluster, `m` the mean of its points there and `W` what the centre weighs,
 * `W` becomes `decay * W`, the centre moves by `(m - c) * w / (W + w)`, and `W` grows by `w` (Sculley 2010; the decay of
 * Spark's streaming k-means). With `decay` 1 a centre is the mean of all points it was ever given; with `decay` d half of
 * the memory is the last `ln 2 / -ln d` batches. A cluster without weight in this batch keeps its centre. The result is
 * the same on every machine, however the batch was split.
 *
 * - `rows`, `limits`: how many rows the batch has in all its parts, and their merged limits, as for
 *   `hq_kmeans_accumulate`. Every batch may have limits of its own.
 * - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers, accumulated with the centres of `state`.
 * - `decay`: 0 (forget all that was) to 1 (forget nothing).
 * - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats, moved in place.
 * - `step`: how far the centres moved, the inertia of the batch before, and how many clusters got nothing.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `rows` 0, `decay` outside its range, no weight above 0, a weight of `state`
 * below 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_NON_FINITE`. `state` and `step` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}; // three values from 0 to 3, no weights
 * const int64_t partial[1 + 2 + 13] = {0, 3, 3}; // their sum is 0
 * float state[3] = {1.0f, 0.0f, 6.0f}; // a centre at 1 that weighs 6
 * hq_kmeans_step step;
 * assert(hq_kmeans_stream_update(3, limits, 4, 1, partial, 16, 0.5f, state, 3, &step) == HQ_OK);
 * assert(state[0] == 0.5f && state[2] == 6.0f && step.shift == 0.5f);
 * ```
 */
hq_status hq_kmeans_stream_update(size_t rows,
                                  const float *limits,
                                  size_t limits_len,
                                  size_t k,
                                  const int64_t *partial,
                                  size_t partial_len,
                                  float decay,
                                  float *state,
                                  size_t state_len,
                                  struct hq_kmeans_step *step);

/**
 * Bytes of scratch that `hq_kmeans_stream_fit` needs: about `4 * d * (3 * k + 16)`, whatever the number of rows.
 * `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_stream_fit_workspace_size(8, 2) < 32 * 1024);
 * ```
 */
size_t hq_kmeans_stream_fit_workspace_size(size_t k,
                                           size_t d);

/**
 * One batch of a stream in one call: labels it, and moves the centres as `hq_kmeans_stream_update` does. (Others call
 * this `partial_fit`.)
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `n` and `d` at least 1. They may lie anywhere.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
 * - `decay`: 0 (forget all that was) to 1 (forget nothing).
 * - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats, moved in place.
 * - `labels`: at least `n` numbers, of which just those are written: the nearest of the centres before the update.
 * - `step`: how far the centres moved, the inertia of the batch before, and how many clusters got nothing.
 * - `scratch`: at least `hq_kmeans_stream_fit_workspace_size(k, d)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`n`, `d` or `k` 0, `decay` outside its range, a negative weight, no weight above 0, a
 * weight of `state` below 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The
 * outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float batches[2][3] = {{1.0f, 3.0f, 11.0f}, {2.0f, 10.0f, 12.0f}};
 * float state[6] = {0.0f, 10.0f}; // two centres that weigh nothing yet
 * uint32_t labels[3];
 * uint8_t scratch[16384];
 * hq_kmeans_step step;
 * assert(hq_kmeans_stream_fit_workspace_size(2, 1) <= sizeof scratch);
 * for (int i = 0; i < 2; i++)
 *     assert(hq_kmeans_stream_fit(3, 1, batches[i], 3, NULL, 0, 2, 1.0f, state, 6, labels, 3, &step, scratch,
 *                                 sizeof scratch) == HQ_OK);
 * assert(state[0] == 2.0f && state[1] == 11.0f && state[4] == 3.0f && labels[2] == 1);
 * ```
 */
hq_status hq_kmeans_stream_fit(size_t n,
                               size_t d,
                               const float *x,
                               size_t x_len,
                               const float *weights,
                               size_t weights_len,
                               size_t k,
                               float decay,
                               float *state,
                               size_t state_len,
                               uint32_t *labels,
                               size_t labels_len,
                               struct hq_kmeans_step *step,
                               void *scratch,
                               size_t scratch_size);

/**
 * Bytes of scratch that `hq_kmeans_stream_reassign` needs for a batch of `n` rows. `SIZE_MAX` for `k` 0, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_stream_reassign_workspace_size(1000, 2, 8) < 8 * 1024);
 * ```
 */
size_t hq_kmeans_stream_reassign_workspace_size(size_t n,
                                                size_t d,
                                                size_t k);

/**
 * Gives centres of a stream that have fallen behind a new place: those that weigh less than `ratio` times the heaviest
 * move to rows of a recent batch, drawn in proportion to their weights, and weigh as much as the lightest of the others.
 * At most `n / 2` move, the lightest first. (`reassignment_ratio` of scikit-learn, where it is 0.01.)
 *
 * Call it now and then, not for every batch: a centre that has just been placed needs time to gain weight.
 * Over ranks, one calls it with rows of its own and broadcasts the state.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `n` and `d` at least 1.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
 * - `ratio`: 0 (none moves) to 1.
 * - `seed`: the same seed draws the same rows on every machine.
 * - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats, changed in place.
 * - `moved`: one number: how many centres have moved.
 * - `scratch`: at least `hq_kmeans_stream_reassign_workspace_size(n, d, k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`n`, `d` or `k` 0, `ratio` outside its range, a negative weight, no weight above 0, a
 * weight of `state` below 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `state` and `moved` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {1.0f, 2.0f, 8.0f, 9.0f};
 * float state[6] = {0.0f, 1e6f, 0.0f, 0.0f, 100.0f, 0.5f}; // the second centre is far from all there is
 * uint8_t scratch[256];
 * size_t moved;
 * assert(hq_kmeans_stream_reassign_workspace_size(4, 1, 2) <= sizeof scratch);
 * assert(hq_kmeans_stream_reassign(4, 1, x, 4, NULL, 0, 2, 0.01f, 7, state, 6, &moved, scratch, sizeof scratch) ==
 *        HQ_OK);
 * assert(moved == 1 && state[0] == 0.0f && state[1] <= 9.0f && state[5] == 100.0f);
 * ```
 */
hq_status hq_kmeans_stream_reassign(size_t n,
                                    size_t d,
                                    const float *x,
                                    size_t x_len,
                                    const float *weights,
                                    size_t weights_len,
                                    size_t k,
                                    float ratio,
                                    uint64_t seed,
                                    float *state,
                                    size_t state_len,
                                    size_t *moved,
                                    void *scratch,
                                    size_t scratch_size);

/**
 * Groups rows by cluster: those of cluster `j` are `rows[starts[j]]` to `rows[starts[j + 1] - 1]`, in their order.
 *
 * - `labels`: `n` numbers below `k`, as `hq_kmeans_fit` or `hq_kmeans_fit_balanced` gives them.
 * - `starts`: `starts_len` = `k + 1` numbers.
 * - `rows`: `rows_len` = `n` numbers.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_SHAPE` (also: `starts_len` 0), `HQ_ERROR_INVALID_ARGUMENT` (a label that is not below `k`), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW` (also for more than 2^31 rows). The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t labels[5] = {1, 0, 1, 1, 0};
 * uint32_t starts[3], rows[5];
 * assert(hq_data_group(labels, 5, starts, 3, rows, 5) == HQ_OK);
 * assert(starts[1] == 2 && rows[0] == 1 && rows[1] == 4 && rows[2] == 0);
 * ```
 */
hq_status hq_data_group(const uint32_t *labels,
                        size_t n,
                        uint32_t *starts,
                        size_t starts_len,
                        uint32_t *rows,
                        size_t rows_len);

/**
 * Writes how likely each cluster is to be drawn: tickets in proportion to its size to the power of `exponent`, and the probabilities
 * that they stand for.
 *
 * A cluster with t of T tickets is drawn with probability t / T. Tickets may also be any other numbers whose sum is below 2^64.
 *
 * - `starts`, `rows`: what `hq_data_group` has written; `starts_len` = `k + 1`.
 * - `exponent`: 1 by size, as rows are; 0: all clusters that have rows alike; between: rare clusters more often than their rows.
 * - `tickets`: `tickets_len` = `k` numbers; 0 for clusters without rows.
 * - `probabilities`: `probabilities_len` = `k` floats, or NULL with length 0.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (`starts` does not rise; no rows, where probabilities are asked for),
 * `HQ_ERROR_NON_FINITE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. The outputs are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t starts[3] = {0, 4, 5}, rows[5] = {0, 1, 3, 4, 2};
 * uint64_t tickets[2];
 * float probabilities[2];
 * assert(hq_data_sampling(starts, 3, rows, 5, 1.0f, tickets, 2, probabilities, 2) == HQ_OK);
 * assert(tickets[0] == 4 && tickets[1] == 1 && probabilities[0] == 0.8f);
 * ```
 */
hq_status hq_data_sampling(const uint32_t *starts,
                           size_t starts_len,
                           const uint32_t *rows,
                           size_t rows_len,
                           float exponent,
                           uint64_t *tickets,
                           size_t tickets_len,
                           float *probabilities,
                           size_t probabilities_len);

/**
 * Draws a cluster, by its tickets, and different rows from it: `batch_len` of them, or all if there are fewer.
 *
 * A function of seed and step: nothing is kept between steps, so any step can be had again, by anybody.
 *
 * - `starts`, `rows`: what `hq_data_group` has written; `starts_len` = `k + 1`.
 * - `tickets`: `tickets_len` = `k` numbers (`hq_data_sampling`). Those of clusters without rows are not looked at.
 * - `step`: below 2^56.
 * - `batch`: `batch_len` numbers, 1 at least; as many are written as `found->rows` says.
 * - `found`: which cluster, how many rows, and the weight that makes up for its probability.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (`starts` does not rise, no cluster with rows has a ticket, `batch_len` 0),
 * `HQ_ERROR_SIZE_OVERFLOW` (also: the tickets add up to 2^64 or more, the step), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
 * `HQ_ERROR_OVERLAP`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t starts[3] = {0, 4, 6}, rows[6] = {0, 2, 3, 5, 1, 4};
 * const uint64_t tickets[2] = {4, 2}; // by size
 * uint32_t batch[3];
 * hq_data_batch found;
 * assert(hq_data_cluster_batch(starts, 3, rows, 6, tickets, 2, 7, 1000, batch, 3, &found) == HQ_OK);
 * assert(found.cluster == 0 && found.rows == 3 && found.weight == 1.0f);
 * ```
 */
hq_status hq_data_cluster_batch(const uint32_t *starts,
                                size_t starts_len,
                                const uint32_t *rows,
                                size_t rows_len,
                                const uint64_t *tickets,
                                size_t tickets_len,
                                uint64_t seed,
                                uint64_t step,
                                uint32_t *batch,
                                size_t batch_len,
                                struct hq_data_batch *found);

/**
 * Draws every row of a batch by itself, with replacement: a cluster by its tickets, then any of its rows. A function of seed and
 * step.
 *
 * - `starts`, `rows`, `tickets`, `step`: as for `hq_data_cluster_batch`.
 * - `batch`: `batch_len` numbers, 1 at least; all are written.
 * - `weights`: `weights_len` = `batch_len` floats, or NULL with length 0: how much rarer each row is drawn than in proportion. The mean of
 *   weight times a quantity has the expectation of the mean over all rows.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: as `hq_data_cluster_batch`.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t starts[3] = {0, 5, 6}, rows[6] = {0, 1, 2, 3, 5, 4};
 * const uint64_t tickets[2] = {1, 1}; // the rare cluster as often as the other
 * uint32_t batch[8];
 * float weights[8];
 * assert(hq_data_sample(starts, 3, rows, 6, tickets, 2, 7, 0, batch, 8, weights, 8) == HQ_OK);
 * for (int i = 0; i < 8; i++)
 *     assert(batch[i] == 4 ? weights[i] < 0.4f : weights[i] > 1.6f); // 1/6 over 1/2, 5/6 over 1/2
 * ```
 */
hq_status hq_data_sample(const uint32_t *starts,
                         size_t starts_len,
                         const uint32_t *rows,
                         size_t rows_len,
                         const uint64_t *tickets,
                         size_t tickets_len,
                         uint64_t seed,
                         uint64_t step,
                         uint32_t *batch,
                         size_t batch_len,
                         float *weights,
                         size_t weights_len);

/**
 * Batches of an epoch of `n` rows: `n / batch_size`, rounded down with `drop_last` 1, up with 0. `SIZE_MAX` if `batch_size` is 0,
 * no batch is left, or `drop_last` is neither.
 *
 * ```c
 * assert(hq_data_batches(100, 32, 0) == 4 && hq_data_batches(100, 32, 1) == 3);
 * ```
 */
size_t hq_data_batches(size_t n,
                       size_t batch_size,
                       int32_t drop_last);

/**
 * The rows of a balanced batch: batch `step mod T` of epoch `step / T`, T = `hq_data_batches(n, batch_size, drop_last)`. Every batch of an
 * epoch has the size of a cluster over T rows of it, rounded up or down, and every row comes once an epoch. Epochs differ in
 * order. A function of seed and step.
 *
 * - `starts`, `rows`: what `hq_data_group` has written; `starts_len` = `k + 1`.
 * - `batch_size`: rows of a batch at most.
 * - `drop_last`: 1: all batches are full, and an epoch leaves out what fills none: of every cluster its share, other rows each time.
 *   0: no row is left out, and sizes differ by one at most.
 * - `batch`: at least `batch_size` numbers (or `n`, if that is less).
 * - `count`: how many were written.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (`starts` does not rise, `batch_size` 0, no batch is left, another `drop_last`),
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. The outputs
 * are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t starts[3] = {0, 4, 6}, rows[6] = {0, 2, 3, 5, 1, 4};
 * uint32_t batch[3];
 * size_t count;
 * for (uint64_t step = 0; step < 2; step++) { // one epoch: two rows of the first cluster each, one of the second
 *     assert(hq_data_balanced_batch(starts, 3, rows, 6, 3, 0, 7, step, batch, 3, &count) == HQ_OK && count == 3);
 *     assert(batch[2] == 1 || batch[2] == 4);
 * }
 * ```
 */
hq_status hq_data_balanced_batch(const uint32_t *starts,
                                 size_t starts_len,
                                 const uint32_t *rows,
                                 size_t rows_len,
                                 size_t batch_size,
                                 int32_t drop_last,
                                 uint64_t seed,
                                 uint64_t step,
                                 uint32_t *batch,
                                 size_t batch_len,
                                 size_t *count);

/**
 * Bytes of scratch that `hq_kmeans_fit_seeded` needs. `SIZE_MAX` for arguments that the function would refuse, and on
 * overflow.
 *
 * # Safety
 * `options` is valid, or NULL: the usual ones.
 *
 * ```c
 * hq_kmeans_options options;
 * assert(hq_kmeans_options_default(&options) == HQ_OK);
 * assert(hq_kmeans_fit_seeded_workspace_size(100, 2, 8, &options, HQ_SEEDING_PLUS_PLUS) < 64 * 1024);
 * ```
 */
size_t hq_kmeans_fit_seeded_workspace_size(size_t n,
                                           size_t d,
                                           size_t k,
                                           const struct hq_kmeans_options *options,
                                           int32_t method);

/**
 * `hq_kmeans_fit` from `starts` starts that `hq_kmeans_seed` chooses with the seeds `seed`, `seed + 1`, ...; the result
 * with the least inertia. The same on every machine.
 *
 * - `x`, `weights`, `k`, `options`, `labels`, `result`: as for `hq_kmeans_fit`.
 * - `method`, `effort`: as for `hq_kmeans_seed`.
 * - `starts`: at least 1.
 * - `centers`: at least `k * d` floats, of which just those are written.
 * - `scratch`: at least `hq_kmeans_fit_seeded_workspace_size(n, d, k, options, method)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: as `hq_kmeans_fit`, and `HQ_ERROR_INVALID_ARGUMENT` for no `starts`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[5] = {0.0f, 1.0f, 10.0f, 12.0f, 2.0f};
 * float centers[2];
 * uint32_t labels[5];
 * uint8_t scratch[32768];
 * hq_kmeans_options options;
 * hq_kmeans_result result;
 * assert(hq_kmeans_options_default(&options) == HQ_OK);
 * assert(hq_kmeans_fit_seeded_workspace_size(5, 1, 2, &options, HQ_SEEDING_PLUS_PLUS) <= sizeof scratch);
 * assert(hq_kmeans_fit_seeded(5, 1, x, 5, NULL, 0, 2, &options, HQ_SEEDING_PLUS_PLUS, 0, 10, 1, centers, 2, labels, 5,
 *                             &result, scratch, sizeof scratch) == HQ_OK);
 * assert(result.inertia == 4.0f && labels[0] == labels[4] && labels[0] != labels[2]);
 * ```
 */
hq_status hq_kmeans_fit_seeded(size_t n,
                               size_t d,
                               const float *x,
                               size_t x_len,
                               const float *weights,
                               size_t weights_len,
                               size_t k,
                               const struct hq_kmeans_options *options,
                               int32_t method,
                               size_t effort,
                               size_t starts,
                               uint64_t seed,
                               float *centers,
                               size_t centers_len,
                               uint32_t *labels,
                               size_t labels_len,
                               struct hq_kmeans_result *result,
                               void *scratch,
                               size_t scratch_size);

/**
 * The squared distance of every point to every centre.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
 * - `centers`: `centers_len` = `k * d` finite values; `k` at least 1.
 * - `distances`: at least `n * k` floats, of which just those are written: row after row.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
 * `HQ_ERROR_NON_FINITE`. `distances` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[4] = {0.0f, 0.0f, 3.0f, 4.0f}, centers[4] = {0.0f, 0.0f, 3.0f, 0.0f};
 * float distances[4];
 * assert(hq_kmeans_transform(2, 2, x, 4, 2, centers, 4, distances, 4) == HQ_OK);
 * assert(distances[1] == 9.0f && distances[2] == 25.0f && distances[3] == 16.0f);
 * ```
 */
hq_status hq_kmeans_transform(size_t n,
                              size_t d,
                              const float *x,
                              size_t x_len,
                              size_t k,
                              const float *centers,
                              size_t centers_len,
                              float *distances,
                              size_t distances_len);

/**
 * The two nearest centres of every point, out of one pass.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
 * - `centers`: `centers_len` = `k * d` finite values; `k` at least 1.
 * - `found`: at least `n` structs, of which just those are written.
 * - `scratch`: at least `hq_kmeans_assign_workspace_size(k, d)` bytes, of any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: as `hq_kmeans_transform`, and `HQ_ERROR_WORKSPACE_TOO_SMALL`. `found` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float x[1] = {3.0f}, centers[3] = {0.0f, 4.0f, 9.0f};
 * uint8_t scratch[1024];
 * hq_kmeans_top2 found;
 * assert(hq_kmeans_assign_workspace_size(3, 1) <= sizeof scratch);
 * assert(hq_kmeans_nearest_two(1, 1, x, 1, 3, centers, 3, &found, 1, scratch, sizeof scratch) == HQ_OK);
 * assert(found.label == 1 && found.second_label == 0 && found.distance == 1.0f && found.second == 9.0f);
 * ```
 */
hq_status hq_kmeans_nearest_two(size_t n,
                                size_t d,
                                const float *x,
                                size_t x_len,
                                size_t k,
                                const float *centers,
                                size_t centers_len,
                                struct hq_kmeans_top2 *found,
                                size_t found_len,
                                void *scratch,
                                size_t scratch_size);

/**
 * Bytes of scratch that `hq_kmeans_summarize` needs: `24 k + 3`. `SIZE_MAX` for `k` 0, and on overflow.
 *
 * ```c
 * assert(hq_kmeans_summarize_workspace_size(4) == 99);
 * ```
 */
size_t hq_kmeans_summarize_workspace_size(size_t k);

/**
 * Each cluster in numbers: size, weight, mean distance, cohesion, radius.
 *
 * - `n`: how many points there are.
 * - `weights`: `weights_len` = `n` weights >= 0, or NULL with `weights_len` 0: all 1.
 * - `labels`: `labels_len` = `n` labels below `k`.
 * - `distances`: `distances_len` = `n` squared distances to the centres of the labels, from `hq_kmeans_predict`.
 * - `summaries`: at least `k` structs, of which just those are written.
 * - `scratch`: at least `hq_kmeans_summarize_workspace_size(k)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0, a label of `k` or more, a negative weight or distance), `HQ_ERROR_SHAPE`,
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `summaries` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const uint32_t labels[3] = {0, 0, 1};
 * const float distances[3] = {4.0f, 4.0f, 0.0f};
 * hq_kmeans_summary summaries[2];
 * uint8_t scratch[51];
 * assert(hq_kmeans_summarize(3, NULL, 0, 2, labels, 3, distances, 3, summaries, 2, scratch, sizeof scratch) == HQ_OK);
 * assert(summaries[0].points == 2 && summaries[0].mean_distance == 2.0f && summaries[0].cohesion == 4.0f);
 * ```
 */
hq_status hq_kmeans_summarize(size_t n,
                              const float *weights,
                              size_t weights_len,
                              size_t k,
                              const uint32_t *labels,
                              size_t labels_len,
                              const float *distances,
                              size_t distances_len,
                              struct hq_kmeans_summary *summaries,
                              size_t summaries_len,
                              void *scratch,
                              size_t scratch_size);

/**
 * Writes the usual options: batches of 1024 rows, 1000 at most, until 10 in a row bring nothing; centres below 1 % of
 * the heaviest are moved.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`.
 *
 * # Safety
 * `options` is valid.
 *
 * ```c
 * hq_kmeans_batch_options options;
 * assert(hq_kmeans_batch_options_default(&options) == HQ_OK && options.batch == 1024);
 * ```
 */
hq_status hq_kmeans_batch_options_default(struct hq_kmeans_batch_options *options);

/**
 * Bytes of scratch that `hq_kmeans_mini_batch` needs: about `4 * d * (batch + 5 * k + 16)`, and 4 a row with
 * `HQ_DRAW_SHUFFLE`. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
 *
 * # Safety
 * `options` is valid or NULL.
 *
 * ```c
 * hq_kmeans_batch_options options;
 * assert(hq_kmeans_batch_options_default(&options) == HQ_OK);
 * assert(hq_kmeans_mini_batch_workspace_size(1000000, 2, 8, &options) < 64 * 1024);
 * ```
 */
size_t hq_kmeans_mini_batch_workspace_size(size_t n,
                                           size_t d,
                                           size_t k,
                                           const struct hq_kmeans_batch_options *options);

/**
 * Mini-batch k-means from given centres: most of the way to Lloyd's result for a small part of its work, where rows are
 * many. The result is the same on every machine.
 *
 * - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
 * - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
 * - `k`: 1 to `n`.
 * - `options`: NULL for the usual ones.
 * - `centers`: `centers_len` = `k * d` floats: in, the start (`hq_kmeans_seed` finds one); out, the outcome.
 * - `labels`: at least `n` numbers, of which just those are written: for each row the nearest of the returned centres.
 * - `result`: inertia (of these labels, over all rows), `iterations` (batches), `stop` (`HQ_STOP_SHIFT`,
 *   `HQ_STOP_INERTIA` or `HQ_STOP_ITERATIONS`), `shift` for the last batch.
 * - `scratch`: at least `hq_kmeans_mini_batch_workspace_size(n, d, k, options)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Time: `batch * d * k` multiply-adds a batch, and `n * d * k`.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d`, `k` or `batch` 0, `k` above `n`, a tolerance that is negative or not finite, a
 * ratio outside its range, a negative weight, no weight above 0), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`,
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * float x[100], centers[2] = {0.0f, 1.0f};
 * uint32_t labels[100];
 * uint8_t scratch[32768];
 * hq_kmeans_batch_options options;
 * hq_kmeans_result result;
 * for (int i = 0; i < 100; i++) x[i] = (float)(i % 2 * 10);
 * assert(hq_kmeans_batch_options_default(&options) == HQ_OK);
 * options.batch = 20;
 * assert(hq_kmeans_mini_batch_workspace_size(100, 1, 2, &options) <= sizeof scratch);
 * assert(hq_kmeans_mini_batch(100, 1, x, 100, NULL, 0, 2, &options, centers, 2, labels, 100, &result, scratch,
 *                             sizeof scratch) == HQ_OK);
 * assert(centers[0] == 0.0f && centers[1] == 10.0f && labels[3] == 1 && result.inertia == 0.0f);
 * ```
 */
hq_status hq_kmeans_mini_batch(size_t n,
                               size_t d,
                               const float *x,
                               size_t x_len,
                               const float *weights,
                               size_t weights_len,
                               size_t k,
                               const struct hq_kmeans_batch_options *options,
                               float *centers,
                               size_t centers_len,
                               uint32_t *labels,
                               size_t labels_len,
                               struct hq_kmeans_result *result,
                               void *scratch,
                               size_t scratch_size);

/**
 * Bytes of scratch that the functions of a set need for vectors of `len` values; 0 for most. `SIZE_MAX` for a set that
 * they would refuse, and on overflow.
 *
 * # Safety
 * `set` is valid, and so are its arrays.
 *
 * ```c
 * hq_set ball = {0};
 * ball.kind = HQ_SET_L2_BALL;
 * ball.radius = 1.0f;
 * assert(hq_set_workspace_size(&ball, 1000) == 0);
 * ```
 */
size_t hq_set_workspace_size(const struct hq_set *set,
                             size_t len);

/**
 * The nearest point of a set: `out` is the projection of `x`.
 *
 * - `x`: `len` finite values.
 * - `out`: `len` floats. An input inside the set, or outside by no more than rounding, is copied bit for bit.
 * - `scratch`: at least `hq_set_workspace_size(set, len)` bytes at any alignment.
 * - `active`: 1 if the point was outside and has been moved, else 0; may be NULL.
 *
 * Same bits on every tier and target. Buffers must not overlap, nor the arrays of the set. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM` (the kind), `HQ_ERROR_INVALID_ARGUMENT` (a parameter out of the range that the kind
 * states), `HQ_ERROR_SHAPE` (an array of the set does not fit `len`), `HQ_ERROR_NON_FINITE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. The outputs are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `set` and `active` point to one of theirs.
 *
 * ```c
 * const float x[2] = {3.0f, -4.0f};
 * float out[2];
 * int32_t active;
 * hq_set ball = {0};
 * ball.kind = HQ_SET_L2_BALL;
 * ball.radius = 1.0f;
 * assert(hq_set_project(&ball, x, out, 2, NULL, 0, &active) == HQ_OK);
 * assert(active == 1 && out[0] == 0.6f && out[1] == -0.8f);
 * ```
 */
hq_status hq_set_project(const struct hq_set *set,
                         const float *x,
                         float *out,
                         size_t len,
                         void *scratch,
                         size_t scratch_size,
                         int32_t *active);

/**
 * `hq_set_project` that overwrites its input.
 *
 * - `x`: `len` finite values, replaced by their projection; not written at all if they are inside.
 * - `scratch`, `active`, errors: as for `hq_set_project`.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `set` and `active` point to one of theirs.
 *
 * ```c
 * float x[2] = {0.3f, 0.4f};
 * int32_t active;
 * hq_set ball = {0};
 * ball.kind = HQ_SET_L2_BALL;
 * ball.radius = 1.0f;
 * assert(hq_set_project_inplace(&ball, x, 2, NULL, 0, &active) == HQ_OK);
 * assert(active == 0 && x[0] == 0.3f);
 * ```
 */
hq_status hq_set_project_inplace(const struct hq_set *set,
                                 float *x,
                                 size_t len,
                                 void *scratch,
                                 size_t scratch_size,
                                 int32_t *active);

/**
 * How far outside a set a point is, in the measure that the kind states; 0 inside, at most `FLT_MAX`.
 *
 * - `x`: `len` finite values.
 * - `violation`: one float.
 *
 * Callable from any thread. Errors: as `hq_set_project`; `violation` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `set` and `violation` point to one of theirs.
 *
 * ```c
 * const float x[2] = {3.0f, -4.0f};
 * float violation;
 * hq_set ball = {0};
 * ball.kind = HQ_SET_L2_BALL;
 * ball.radius = 1.0f;
 * assert(hq_set_violation(&ball, x, 2, &violation) == HQ_OK && violation == 4.0f);
 * ```
 */
hq_status hq_set_violation(const struct hq_set *set, const float *x, size_t len, float *violation);

/**
 * Whether a point violates a set by at most `tolerance`.
 *
 * - `x`: `len` finite values.
 * - `tolerance`: at least 0. A projected point is feasible within the rounding of its values, not always within 0.
 * - `feasible`: one number, 1 or 0.
 *
 * Callable from any thread. Errors: as `hq_set_project`, and `HQ_ERROR_INVALID_ARGUMENT` for the tolerance; `feasible` is
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `set` and `feasible` point to one of theirs.
 *
 * ```c
 * const float x[2] = {0.6f, -0.8f};
 * int32_t feasible;
 * hq_set ball = {0};
 * ball.kind = HQ_SET_L2_BALL;
 * ball.radius = 1.0f;
 * assert(hq_set_is_feasible(&ball, x, 2, 1e-6f, &feasible) == HQ_OK && feasible == 1);
 * ```
 */
hq_status hq_set_is_feasible(const struct hq_set *set,
                             const float *x,
                             size_t len,
                             float tolerance,
                             int32_t *feasible);

/**
 * The vector-Jacobian product of a projection: `out` is `v` times the derivative at `x`, what backpropagation needs. Where
 * the projection has a kink, the derivative from inside is taken.
 *
 * - `x`: `len` finite values, the input of the projection.
 * - `v`: `len` finite values, the gradient with respect to its output.
 * - `out`: `len` floats.
 * - `scratch`: at least `hq_set_workspace_size(set, len)` bytes at any alignment.
 *
 * Buffers must not overlap, nor the arrays of the set. Callable from any thread. Errors: as `hq_set_project`, and
 * `HQ_ERROR_UNSUPPORTED` where there is no derivative; `out` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `set` points to one.
 *
 * ```c
 * const float x[2] = {2.0f, 0.0f}, v[2] = {5.0f, 6.0f};
 * float out[2];
 * hq_set ball = {0};
 * ball.kind = HQ_SET_L2_BALL;
 * ball.radius = 1.0f;
 * assert(hq_set_vjp(&ball, x, v, out, 2, NULL, 0) == HQ_OK);
 * assert(out[0] == 0.0f && out[1] == 3.0f);
 * ```
 */
hq_status hq_set_vjp(const struct hq_set *set,
                     const float *x,
                     const float *v,
                     float *out,
                     size_t len,
                     void *scratch,
                     size_t scratch_size);

/**
 * Floats of the factor of a `rows x cols` system: `rows * (cols + 1)`. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_affine_factor_len(2, 10) == 22);
 * ```
 */
size_t hq_affine_factor_len(size_t rows, size_t cols);

/**
 * Bytes of scratch that `hq_affine_prepare` needs: those of the factor, and 3 for alignment. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_affine_prepare_workspace_size(2, 10) == 91);
 * ```
 */
size_t hq_affine_prepare_workspace_size(size_t rows,
                                        size_t cols);

/**
 * Factors the system `A x = b` once, for any number of projections onto `HQ_SET_AFFINE`: an orthonormal basis of the rows
 * of A, by Gram-Schmidt with every row orthogonalised twice.
 *
 * - `a`: `a_len` = `rows * cols` finite values, row after row.
 * - `b`: `b_len` = `rows` finite values.
 * - `factor`: at least `hq_affine_factor_len(rows, cols)` floats, of which just those are written: `a_len` of an `hq_set`
 *   is that number, not more.
 * - `scratch`: at least `hq_affine_prepare_workspace_size(rows, cols)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread. Time: 2 rows^2 cols multiplications.
 *
 * Errors: `HQ_ERROR_RANK_DEFICIENT` (a row follows from those before it to within 2^-16 of its norm; more rows than
 * columns), `HQ_ERROR_SHAPE`, `HQ_ERROR_NON_FINITE` (also where a plane is farther from the origin than `float` reaches),
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `factor` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float a[3] = {1.0f, 1.0f, 1.0f}, b[1] = {6.0f}; // values that sum to 6
 * float factor[4], x[3] = {1.0f, 1.0f, 1.0f};
 * uint8_t scratch[32];
 * assert(hq_affine_prepare(1, 3, a, 3, b, 1, factor, 4, scratch, sizeof scratch) == HQ_OK);
 * hq_set set = {0};
 * set.kind = HQ_SET_AFFINE;
 * set.a = factor;
 * set.a_len = 4;
 * set.count = 1;
 * assert(hq_set_project_inplace(&set, x, 3, scratch, sizeof scratch, NULL) == HQ_OK);
 * assert(x[0] > 1.99999f && x[0] < 2.00001f);
 * ```
 */
hq_status hq_affine_prepare(size_t rows,
                            size_t cols,
                            const float *a,
                            size_t a_len,
                            const float *b,
                            size_t b_len,
                            float *factor,
                            size_t factor_len,
                            void *scratch,
                            size_t scratch_size);

/**
 * Bytes of scratch that `hq_sets_dykstra` needs: an increment a set, two more vectors of `len` floats, and what the sets
 * need themselves. `SIZE_MAX` for sets that it would refuse, and on overflow.
 *
 * # Safety
 * `sets` is valid for `count` sets, and so are their arrays.
 *
 * ```c
 * hq_set both[2] = {{0}, {0}};
 * both[0].kind = HQ_SET_L1_BALL;
 * both[1].kind = HQ_SET_L2_BALL;
 * both[0].radius = both[1].radius = 1.0f;
 * assert(hq_sets_dykstra_workspace_size(both, 2, 100) >= 4 * 100 * sizeof(float));
 * ```
 */
size_t hq_sets_dykstra_workspace_size(const struct hq_set *sets,
                                      size_t count,
                                      size_t len);

/**
 * Projects a vector onto the intersection of convex sets, in place, by Dykstra's algorithm. Projecting onto the sets in turn
 * does not do that: it ends at *some* point of the intersection.
 *
 * - `sets`: `count` sets; the order matters for speed only.
 * - `x`: `len` finite values, replaced by the result. A vector in all sets keeps its bits.
 * - `options`: NULL for the defaults.
 * - `report`: read it. **An empty intersection is no error**: it shows as `converged` 0, and `x` is then the last iterate.
 * - `scratch`: at least `hq_sets_dykstra_workspace_size(sets, count, len)` bytes at any alignment.
 *
 * Same bits on every tier and target. Buffers must not overlap, nor the sets and their arrays. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNSUPPORTED` if a set is not convex, `HQ_ERROR_INVALID_ARGUMENT` for options out of range, and those of
 * `hq_set_project`. `x` and `report` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `options` and `report` point to one of theirs.
 *
 * ```c
 * float x[2] = {2.0f, 1.0f};
 * hq_set both[2] = {{0}, {0}};
 * uint8_t scratch[64];
 * hq_dykstra report;
 * both[0].kind = HQ_SET_L1_BALL;
 * both[1].kind = HQ_SET_L2_BALL;
 * both[0].radius = both[1].radius = 1.0f;
 * assert(hq_sets_dykstra_workspace_size(both, 2, 2) <= sizeof scratch);
 * assert(hq_sets_dykstra(both, 2, x, 2, NULL, &report, scratch, sizeof scratch) == HQ_OK);
 * assert(report.converged == 1 && x[0] == 1.0f && x[1] == 0.0f);
 * ```
 */
hq_status hq_sets_dykstra(const struct hq_set *sets,
                          size_t count,
                          float *x,
                          size_t len,
                          const struct hq_dykstra_options *options,
                          struct hq_dykstra *report,
                          void *scratch,
                          size_t scratch_size);

/**
 * A trust region with the constants of Nocedal and Wright (Algorithm 4.1) and the rounding guard of Conn, Gould and Toint:
 * radius 1e-30 to 1e30, accept above 0.1, a quarter below 1/4, double above 3/4 at 0.99 of the radius, guard 1000, loss
 * scale 1; all counts 0.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_INVALID_ARGUMENT` (a radius outside 1e-30 to 1e30);
 * nothing is written then. Callable from any thread.
 *
 * # Safety
 * `region` points to one writable struct.
 *
 * ```c
 * hq_trust_region region;
 * assert(hq_trust_region_init(0.01f, &region) == HQ_OK);
 * region.max_radius = 1.0f;
 * region.loss_scale = 1e-3f;
 * ```
 */
hq_status hq_trust_region_init(float radius,
                               struct hq_trust_region *region);

/**
 * Judges a step by its ratio `(loss - trial_loss + d) / (predicted + d)` with the guard
 * `d = guard 2^-23 max(loss_scale, |loss|)`, and sets the radius for the next one.
 *
 * - `region`: in and out.
 * - `loss`, `trial_loss`: before and after the step, **on the same batch**.
 * - `predicted`: by how much the model says that the loss falls (`hq_steihaug_result`; for a plain gradient step
 *   `-(g . step)`).
 * - `step_norm`: its Euclidean norm (`hq_vec_norm`).
 * - `outcome`: whether to keep the step, and why.
 *
 * A number that is NaN or infinite (or a negative norm) refuses the step, shrinks the radius and changes nothing else but
 * the counts: that is no error. A step of norm 0 is accepted with ratio 1 and leaves the radius alone.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_INVALID_ARGUMENT` (a constant or the
 * radius of `region` out of range); nothing is written then. Callable from any thread.
 *
 * # Safety
 * `region` and `outcome` point to one writable struct each.
 *
 * ```c
 * hq_trust_region region;
 * hq_trust_outcome outcome;
 * assert(hq_trust_region_init(1.0f, &region) == HQ_OK);
 * assert(hq_trust_region_update(&region, 5.0f, 4.0f, 1.1f, 1.0f, &outcome) == HQ_OK);
 * assert(outcome.verdict == HQ_TRUST_ACCEPTED && outcome.radius == 2.0f);
 * assert(hq_trust_region_update(&region, 4.0f, 9.0f, 1.0f, 2.0f, &outcome) == HQ_OK);
 * assert(outcome.verdict == HQ_TRUST_REJECTED && region.radius == 0.5f);
 * ```
 */
hq_status hq_trust_region_update(struct hq_trust_region *region,
                                 float loss,
                                 float trial_loss,
                                 float predicted,
                                 float step_norm,
                                 struct hq_trust_outcome *outcome);

/**
 * A ready-made `hq_hessian_vector` for a small matrix in memory; `context` points to an `hq_dense_hessian`.
 *
 * Returns `HQ_OK` (0), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OVERLAP`, or
 * `HQ_ERROR_SHAPE` if `values_len` is not `len * len`; `out` is untouched then. Callable from any thread.
 *
 * # Safety
 * `context` points to one struct whose `values` are valid; `v` and `out` are valid for `len` floats.
 *
 * ```c
 * const float values[4] = {2.0f, 1.0f, 1.0f, 3.0f}, v[2] = {1.0f, 2.0f};
 * hq_dense_hessian hessian = {values, 4};
 * float out[2];
 * assert(hq_hessian_dense(&hessian, v, out, 2) == HQ_OK && out[0] == 4.0f && out[1] == 7.0f);
 * ```
 */
hq_status hq_hessian_dense(void *context,
                           const float *v,
                           float *out,
                           size_t len);

/**
 * Bytes of scratch that `hq_steihaug` needs: three vectors of `len` floats, and 9 bytes. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_steihaug_workspace_size(100) == 3 * 400 + 9);
 * ```
 */
size_t hq_steihaug_workspace_size(size_t len);

/**
 * The step of a trust region: minimises the model `g . p + p . H p / 2` over `|p| <= radius`, approximately, by conjugate
 * gradients that stop at the boundary (Steihaug 1983, Toint 1981). `H` is known only by its products with vectors.
 * Gradients, curvatures and radii of 1e-30 to 1e30 neither overflow nor get lost.
 *
 * - `gradient`: `gradient_len` finite values.
 * - `hessian`, `context`: the products; called at most `max_iterations` times from this thread, with vectors in `scratch`
 *   whose values are of the order of 1.
 * - `radius`: above 0, finite.
 * - `options`: NULL for the usual ones.
 * - `step`: `step_len` = `gradient_len` floats.
 * - `result`: how long the step is, what it promises (for `hq_trust_region_update`), why the search stopped. A callback
 *   that fails is a reason to stop (`HQ_STEIHAUG_HESSIAN`), no error: `step` is good then, if perhaps zero.
 * - `scratch`: at least `hq_steihaug_workspace_size(gradient_len)` bytes at any alignment.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER` (the callback too), `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
 * `HQ_ERROR_INVALID_ARGUMENT` (radius, tolerance), `HQ_ERROR_SHAPE`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
 * `HQ_ERROR_NON_FINITE` (of the gradient or its norm). The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `hessian` may be called with `context`.
 *
 * ```c
 * const float values[4] = {2.0f, 0.5f, 0.5f, 2.0f}, gradient[2] = {-2.0f, -3.0f};
 * hq_dense_hessian hessian = {values, 4};
 * hq_steihaug_options options = {1e-6f, 10};
 * hq_steihaug_result result;
 * float step[2];
 * uint8_t scratch[64];
 * assert(hq_steihaug(gradient, 2, hq_hessian_dense, &hessian, 10.0f, &options, step, 2, &result, scratch,
 *                    sizeof scratch) == HQ_OK);
 * assert(result.stop == HQ_STEIHAUG_CONVERGED && step[0] > 0.6666f && step[0] < 0.6667f);
 * ```
 */
hq_status hq_steihaug(const float *gradient,
                      size_t gradient_len,
                      hq_hessian_vector hessian,
                      void *context,
                      float radius,
                      const struct hq_steihaug_options *options,
                      float *step,
                      size_t step_len,
                      struct hq_steihaug_result *result,
                      void *scratch,
                      size_t scratch_size);

/**
 * Fills `options` with the defaults, which NULL stands for: rate 1, threshold 64, no decay, no weight decay, fixed scales,
 * NaN and infinity refused.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then. Callable from any thread.
 *
 * # Safety
 * `options` points to one writable struct.
 *
 * ```c
 * hq_latent_free_options options;
 * assert(hq_latent_free_options_init(&options) == HQ_OK && options.threshold == 64);
 * options.rate = 100.0f;
 * ```
 */
hq_status hq_latent_free_options_init(struct hq_latent_free_options *options);

/**
 * Values (bytes) of inertia for `rows` x `cols` weights; they start as zeros. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_latent_free_inertia_len(10, 65) == 650);
 * ```
 */
size_t hq_latent_free_inertia_len(size_t rows, size_t cols);

/**
 * Bytes of the whole training state of `rows` x `cols` weights, packed trits and inertia: 1.2 to 1.26 a weight, where a
 * latent float with the two moments of Adam takes 12. `SIZE_MAX` on overflow and for formats that are not ternary.
 *
 * ```c
 * assert(hq_latent_free_state_size(HQ_FORMAT_TQ2_0, 512, 512) == 512 * 512 + 512 * HQ_TQ2_0_ROW_SIZE(512));
 * ```
 */
size_t hq_latent_free_state_size(int32_t format,
                                 size_t rows,
                                 size_t cols);

/**
 * One step of learning for rows `first_row` to `first_row + rows - 1` of a ternary matrix that has no float copy: trits
 * and inertia are changed in place. No scratch.
 *
 * In exact arithmetic the inertia becomes `inertia * (1 - decay) - rate * gradient - weight_decay * trit`; it is rounded
 * to an integer at random, and from `threshold` on (or `-threshold`) it moves the trit by one and starts again from what is
 * left. The random numbers are a function of `seed`, `step`, row and column alone: rows may be updated in any order, one
 * at a time, in any thread, and a run that goes on from its stored bytes ends with the same bits. Same bits on every tier
 * and target; the same trits for every format.
 *
 * - `format`: `HQ_FORMAT_TQ2_0`, `HQ_FORMAT_TQ1_0` or `HQ_FORMAT_DENSE_TERNARY`.
 * - `options`: NULL for the usual ones.
 * - `seed`: one for each tensor of a run. `step`: another one each time.
 * - `gradient`: `gradient_len` = `rows * cols` values. With `HQ_NON_FINITE_ERROR` they are read twice, so give slices that
 *   fit the cache: a row at a time will do.
 * - `weights`: `weights_size` = `hq_matrix_size(format, rows, cols)` bytes: these rows, packed.
 * - `inertia`: `inertia_len` = `rows * cols` values: those of these rows.
 * - `report`: what happened.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (another format), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_INVALID_ARGUMENT` (an option out of range), `HQ_ERROR_SHAPE` (a
 * length), `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. Weights, inertia and report are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static uint8_t weights[HQ_TQ2_0_ROW_SIZE(4)], scratch[64];
 * static int8_t inertia[4];
 * const float zeros[4] = {0.0f}, gradient[4] = {0.5f, 0.0f, -0.6f, 0.0f};
 * hq_latent_free_options options;
 * hq_latent_free_report report;
 * uint64_t step, flips = 0;
 * assert(hq_quantize(HQ_FORMAT_TQ2_0, NULL, 1, 4, zeros, 4, weights, sizeof weights, scratch, sizeof scratch) == HQ_OK);
 * assert(hq_latent_free_options_init(&options) == HQ_OK);
 * options.rate = 10.0f;
 * options.threshold = 20;
 * for (step = 0; step < 4; step++) {
 *     assert(hq_latent_free_update(HQ_FORMAT_TQ2_0, &options, 1, step, 0, 1, 4, gradient, 4, weights, sizeof weights,
 *                                  inertia, 4, &report) == HQ_OK);
 *     flips += report.raised + report.lowered;
 * }
 * assert(flips == 2 && report.zeros == 2);
 * ```
 */
hq_status hq_latent_free_update(int32_t format,
                                const struct hq_latent_free_options *options,
                                uint64_t seed,
                                uint64_t step,
                                size_t first_row,
                                size_t rows,
                                size_t cols,
                                const float *gradient,
                                size_t gradient_len,
                                uint8_t *weights,
                                size_t weights_size,
                                int8_t *inertia,
                                size_t inertia_len,
                                struct hq_latent_free_report *report);

/**
 * Bytes of inertia in 4 bits for `rows` x `cols` weights, `ceil(cols / 2)` a row; they start as zeros. `SIZE_MAX` on
 * overflow.
 *
 * ```c
 * assert(hq_latent_free_int4_size(10, 65) == 330);
 * ```
 */
size_t hq_latent_free_int4_size(size_t rows,
                                size_t cols);

/**
 * Bytes of the whole training state of `rows` x `cols` weights with inertia in 4 bits: 0.7 to 0.76 a weight. `SIZE_MAX` on
 * overflow and for formats that are not ternary.
 *
 * ```c
 * assert(hq_latent_free_int4_state_size(HQ_FORMAT_TQ2_0, 512, 512) == 512 * 256 + 512 * HQ_TQ2_0_ROW_SIZE(512));
 * ```
 */
size_t hq_latent_free_int4_state_size(int32_t format,
                                      size_t rows,
                                      size_t cols);

/**
 * `hq_latent_free_update` with inertia in 4 bits, two values a byte: half the state, for thresholds of 1 to 8.
 *
 * Trits and report are those of `hq_latent_free_update` with the same options.
 *
 * - `inertia`: `inertia_size` = `hq_latent_free_int4_size(rows, cols)` bytes: those of these rows. 64 values of a row are 32
 *   bytes (what is left at its end fewer), byte `j` with value `j` in its low half and value `32 + j` in its high half.
 * - all others: as there. `options` must not be NULL, as the usual threshold is 64.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: as `hq_latent_free_update`; `HQ_ERROR_INVALID_ARGUMENT` for a threshold above 8. Weights, inertia and report are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static uint8_t weights[HQ_TQ2_0_ROW_SIZE(4)], inertia[2], scratch[64];
 * const float zeros[4] = {0.0f}, gradient[4] = {0.5f, 0.0f, -0.75f, 0.0f};
 * hq_latent_free_options options;
 * hq_latent_free_report report;
 * uint64_t step, flips = 0;
 * assert(hq_quantize(HQ_FORMAT_TQ2_0, NULL, 1, 4, zeros, 4, weights, sizeof weights, scratch, sizeof scratch) == HQ_OK);
 * assert(hq_latent_free_options_init(&options) == HQ_OK);
 * options.rate = 4.0f;
 * options.threshold = 8;
 * for (step = 0; step < 4; step++) {
 *     assert(hq_latent_free_update_int4(HQ_FORMAT_TQ2_0, &options, 1, step, 0, 1, 4, gradient, 4, weights,
 *                                       sizeof weights, inertia, sizeof inertia, &report) == HQ_OK);
 *     flips += report.raised + report.lowered;
 * }
 * assert(flips == 2 && report.zeros == 2);
 * ```
 */
hq_status hq_latent_free_update_int4(int32_t format,
                                     const struct hq_latent_free_options *options,
                                     uint64_t seed,
                                     uint64_t step,
                                     size_t first_row,
                                     size_t rows,
                                     size_t cols,
                                     const float *gradient,
                                     size_t gradient_len,
                                     uint8_t *weights,
                                     size_t weights_size,
                                     uint8_t *inertia,
                                     size_t inertia_size,
                                     struct hq_latent_free_report *report);

/**
 * Writes the usual options: momentum 0.9 in `float`, gradients as they are, clipped to norm 1; parameters hard ternary
 * where they are asked for.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`.
 *
 * # Safety
 * `options` is valid.
 *
 * ```c
 * hq_optimizer_options options;
 * assert(hq_optimizer_options_default(&options) == HQ_OK && options.momentum == 0.9f);
 * ```
 */
hq_status hq_optimizer_options_default(struct hq_optimizer_options *options);

/**
 * Bytes of the memory that an optimizer keeps between steps. `SIZE_MAX` for arguments that the functions would refuse, and
 * on overflow.
 *
 * # Safety
 * `options` is valid or NULL; `groups` points to `groups_len` groups.
 *
 * ```c
 * const hq_optimizer_group group = {10, 128, 0.1f, 1.0f};
 * assert(hq_optimizer_memory_size(NULL, &group, 1) == 4 * 1280);
 * ```
 */
size_t hq_optimizer_memory_size(const struct hq_optimizer_options *options,
                                const struct hq_optimizer_group *groups,
                                size_t groups_len);

/**
 * Bytes of scratch that `hq_optimizer_step` needs: 24 for each value of a block (at most 1280) and 11 KB, or what the set
 * needs, if that is more. `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
 *
 * # Safety
 * `options` is valid or NULL; `groups` points to `groups_len` groups; `set` is NULL or valid, and so are its arrays.
 *
 * ```c
 * const hq_optimizer_group group = {1000, 1000, 0.1f, 1.0f};
 * assert(hq_optimizer_workspace_size(NULL, &group, 1, NULL) < 64 * 1024);
 * ```
 */
size_t hq_optimizer_workspace_size(const struct hq_optimizer_options *options,
                                   const struct hq_optimizer_group *groups,
                                   size_t groups_len,
                                   const struct hq_set *set);

/**
 * The bytes of every part: what is held between steps, and what the packed gradient and parameters take.
 *
 * - `groups`: `groups_len` groups.
 * - `bytes`: one struct.
 *
 * Callable from any thread. Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_INVALID_ARGUMENT` (an option out of range),
 * `HQ_ERROR_UNSUPPORTED` (a form, format or fit that an optimizer does not have), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `bytes` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `options` may be NULL.
 *
 * ```c
 * const hq_optimizer_group group = {1000, 1280, 0.1f, 1.0f};
 * hq_optimizer_bytes bytes;
 * assert(hq_optimizer_bytes_held(NULL, &group, 1, &bytes) == HQ_OK);
 * assert(bytes.moment == 5120000 && bytes.gradient == 260000); // 19.7 times less
 * ```
 */
hq_status hq_optimizer_bytes_held(const struct hq_optimizer_options *options,
                                  const struct hq_optimizer_group *groups,
                                  size_t groups_len,
                                  struct hq_optimizer_bytes *bytes);

/**
 * The state before the first step.
 *
 * - `groups`: `groups_len` groups. Rates and radii may change later, shapes may not.
 * - `state`: one struct.
 * - `memory`: at least `hq_optimizer_memory_size(options, groups, groups_len)` bytes, of which just those are cleared;
 *   aligned to 4 if a part is held in `float`.
 *
 * Buffers must not overlap. Callable from any thread. Errors: as `hq_optimizer_bytes_held`, and
 * `HQ_ERROR_OUTPUT_TOO_SMALL` for the memory. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `options` may be NULL.
 *
 * ```c
 * const hq_optimizer_group group = {2, 2, 0.1f, 1.0f};
 * hq_optimizer_state state;
 * float memory[4];
 * assert(hq_optimizer_start(NULL, &group, 1, &state, memory, sizeof memory) == HQ_OK && state.steps == 0);
 * ```
 */
hq_status hq_optimizer_start(const struct hq_optimizer_options *options,
                             const struct hq_optimizer_group *groups,
                             size_t groups_len,
                             struct hq_optimizer_state *state,
                             void *memory,
                             size_t memory_size);

/**
 * Takes one step: clip, quantize the gradient, momentum, learning rate and radius of each group, apply, quantize the
 * parameters.
 *
 * - `options`: NULL for the usual ones. Of a running optimizer base and storage forms must stay the same, other options
 *   may change.
 * - `groups`: `groups_len` groups, in shapes as at `hq_optimizer_start`.
 * - `state`, `memory`: what `hq_optimizer_start` or the last step left.
 * - `gradient`: `gradient_len` finite values, one for each parameter of all groups.
 * - `losses`: two finite values, the losses before and after the *previous* step on the batch of that step, or NULL.
 * - `set`: the parameters of all groups together are projected to it after the step; NULL for none.
 * - `params`: `params_len` = `gradient_len` finite values that the step is added to. They stay `float`; what is quantized
 *   goes to `outputs`.
 * - `outputs`: what else is wanted, or NULL. Only read; the arrays in it are written.
 * - `report`: one struct, or NULL.
 * - `scratch`: at least `hq_optimizer_workspace_size(options, groups, groups_len, set)` bytes at any alignment.
 *
 * The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NON_FINITE` (a gradient, parameter or loss is NaN or infinite, or the step would leave the `float`
 * range), `HQ_ERROR_SHAPE` (a length is not that of the groups, or the state is that of other groups or options),
 * `HQ_ERROR_CORRUPT` (the state holds a number that no step leaves), `HQ_ERROR_INVALID_ARGUMENT`,
 * `HQ_ERROR_UNSUPPORTED`, `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_OUTPUT_TOO_SMALL` (the memory or an array of `outputs`),
 * `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_SIZE_OVERFLOW`. The step is refused whole: parameters, state, memory and outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `losses` points to two values.
 *
 * ```c
 * const hq_optimizer_group group = {1, 2, 0.5f, 10.0f};
 * const float gradient[2] = {0.5f, -0.5f};
 * float params[2] = {1.0f, 1.0f}, memory[2];
 * static uint8_t scratch[65536];
 * hq_optimizer_state state;
 * hq_optimizer_report report;
 * assert(hq_optimizer_workspace_size(NULL, &group, 1, NULL) <= sizeof scratch);
 * assert(hq_optimizer_start(NULL, &group, 1, &state, memory, sizeof memory) == HQ_OK);
 * assert(hq_optimizer_step(NULL, &group, 1, &state, memory, sizeof memory, gradient, 2, NULL, NULL, params, 2, NULL,
 *                          &report, scratch, sizeof scratch) == HQ_OK);
 * assert(state.steps == 1 && params[0] == 0.75f && params[1] == 1.25f && report.bounded == 0);
 * ```
 */
hq_status hq_optimizer_step(const struct hq_optimizer_options *options,
                            const struct hq_optimizer_group *groups,
                            size_t groups_len,
                            struct hq_optimizer_state *state,
                            void *memory,
                            size_t memory_size,
                            const float *gradient,
                            size_t gradient_len,
                            const float *losses,
                            const struct hq_set *set,
                            float *params,
                            size_t params_len,
                            const struct hq_optimizer_outputs *outputs,
                            struct hq_optimizer_report *report,
                            void *scratch,
                            size_t scratch_size);

/**
 * `hq_optimizer_step` with a gradient of packed trits: 0.2 bytes a value are held of it, and no `float` copy.
 *
 * The step is that from the numbers which `hq_optimizer_unpack_gradient` gives, to the bit.
 *
 * - `gradient`: `gradient_size` = `hq_optimizer_bytes.gradient` bytes, as a step writes them to `outputs`, or for each group
 *   the body of a gradient packet (`HQ_GRADIENT_PACKET_HEADER_SIZE` bytes after its beginning).
 * - all others: as there.
 *
 * The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
 *
 * Errors: as `hq_optimizer_step`; `HQ_ERROR_NON_FINITE` for a scale that is NaN or infinite, `HQ_ERROR_CORRUPT` for one below 0
 * and for codes above 242. The step is refused whole: parameters, state, memory and outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `losses` points to two values.
 *
 * ```c
 * const hq_optimizer_group group = {1, 5, 0.5f, 10.0f};
 * const uint8_t gradient[5] = {0, 0, 0, 0x3E, 0 + 2 * 3 + 1 * 9 + 1 * 27 + 1 * 81}; // 1/8 times -1, 1, 0, 0, 0
 * float params[5] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f}, memory[5];
 * static uint8_t scratch[65536];
 * hq_optimizer_state state;
 * assert(hq_optimizer_start(NULL, &group, 1, &state, memory, sizeof memory) == HQ_OK);
 * assert(hq_optimizer_step_packed(NULL, &group, 1, &state, memory, sizeof memory, gradient, 5, NULL, NULL, params, 5,
 *                                 NULL, NULL, scratch, sizeof scratch) == HQ_OK);
 * assert(params[0] == 1.0625f && params[1] == 0.9375f && params[2] == 1.0f);
 * ```
 */
hq_status hq_optimizer_step_packed(const struct hq_optimizer_options *options,
                                   const struct hq_optimizer_group *groups,
                                   size_t groups_len,
                                   struct hq_optimizer_state *state,
                                   void *memory,
                                   size_t memory_size,
                                   const uint8_t *gradient,
                                   size_t gradient_size,
                                   const float *losses,
                                   const struct hq_set *set,
                                   float *params,
                                   size_t params_len,
                                   const struct hq_optimizer_outputs *outputs,
                                   struct hq_optimizer_report *report,
                                   void *scratch,
                                   size_t scratch_size);

/**
 * Reads the packed trits of a gradient that a step has written.
 *
 * - `groups`: `groups_len` groups, those of the step.
 * - `packed`: `packed_size` = `hq_optimizer_bytes.gradient` bytes.
 * - `out`: `out_len` floats, one for each parameter.
 *
 * Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `out` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const hq_optimizer_group group = {1, 5, 0.5f, 1.0f};
 * const uint8_t packed[5] = {0, 0, 0, 0x40, 0 + 2 * 3 + 1 * 9 + 1 * 27 + 2 * 81}; // the scale 2, and five trits
 * float out[5];
 * assert(hq_optimizer_unpack_gradient(&group, 1, packed, 5, out, 5) == HQ_OK);
 * assert(out[0] == -2.0f && out[1] == 2.0f && out[2] == 0.0f && out[4] == 2.0f);
 * ```
 */
hq_status hq_optimizer_unpack_gradient(const struct hq_optimizer_group *groups,
                                       size_t groups_len,
                                       const uint8_t *packed,
                                       size_t packed_size,
                                       float *out,
                                       size_t out_len);

/**
 * Bytes of the undo buffer of `hq_hybrid`: a copy of all that a step changes, with `visible_len` floats and `packed_size`
 * bytes; `SIZE_MAX` if `options` or `groups` are refused.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `options` may be NULL.
 *
 * ```c
 * const hq_optimizer_group group = {2, 8, 0.1f, 1.0f};
 * assert(hq_hybrid_undo_size(NULL, &group, 1, 0, 0) == 2 * 16 * sizeof(float)); // parameters and momentum
 * ```
 */
size_t hq_hybrid_undo_size(const struct hq_optimizer_options *options,
                           const struct hq_optimizer_group *groups,
                           size_t groups_len,
                           size_t visible_len,
                           size_t packed_size);

/**
 * Bytes of scratch that `hq_hybrid_propose` needs; `SIZE_MAX` if an argument is refused.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `options` and `set` may be NULL.
 *
 * ```c
 * const hq_optimizer_group group = {2, 8, 0.1f, 1.0f};
 * assert(hq_hybrid_workspace_size(NULL, &group, 1, NULL) > hq_optimizer_workspace_size(NULL, &group, 1, NULL));
 * ```
 */
size_t hq_hybrid_workspace_size(const struct hq_optimizer_options *options,
                                const struct hq_optimizer_group *groups,
                                size_t groups_len,
                                const struct hq_set *set);

/**
 * The state before the first step: a trust region of that radius with the constants of `hq_trust_region_init`, and the
 * optimizer's.
 *
 * - `groups`: `groups_len` groups.
 * - `memory`: at least `hq_optimizer_memory_size` bytes, of which just those are cleared.
 *
 * Buffers must not overlap. Callable from any thread. Errors: as `hq_optimizer_start`, and
 * `HQ_ERROR_INVALID_ARGUMENT` for a radius outside 1e-30 to 1e30. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it; `options` may be NULL.
 *
 * ```c
 * const hq_optimizer_group group = {1, 2, 0.1f, INFINITY};
 * float memory[2];
 * hq_hybrid_state state;
 * assert(hq_hybrid_start(NULL, &group, 1, 0.01f, &state, memory, sizeof memory) == HQ_OK);
 * assert(state.region.radius == 0.01f && state.waiting == 0);
 * ```
 */
hq_status hq_hybrid_start(const struct hq_optimizer_options *options,
                          const struct hq_optimizer_group *groups,
                          size_t groups_len,
                          float radius,
                          struct hq_hybrid_state *state,
                          void *memory,
                          size_t memory_size);

/**
 * Makes a step and waits for its judgement: the optimizer's step with learning rates and radius times the multipliers, the
 * radius shared out among the groups by the roots of their sizes.
 *
 * - `model`: the parameters, the state, the buffers.
 * - `loss`, `gradient`: on a batch; `gradient_len` floats, one for each parameter.
 * - `rate_multiplier`: of the learning rates, at least 0; `radius_multiplier`: of the radius, above 0. 1 and 1: the base
 *   optimizer.
 * - `report`: what the step did, if it was made; or NULL.
 * - `verdict`: `HQ_TRUST_ACCEPTED` if the step was made: compute the loss on the same batch, then call `hq_hybrid_judge`. It is
 *   `HQ_TRUST_REFUSED` for a loss or gradient that is NaN or infinite, or so large that the step would be: the radius has
 *   shrunk, nothing else has changed; go on with the next batch.
 * - `scratch`: at least `hq_hybrid_workspace_size` bytes at any alignment.
 *
 * The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_INVALID_ARGUMENT` (options, multipliers or rates out of range, or a step waits already),
 * `HQ_ERROR_NON_FINITE` (a parameter), `HQ_ERROR_CORRUPT` (the state holds a number that no step leaves), and as
 * `hq_optimizer_step`. Nothing has changed then.
 *
 * # Safety
 * Each pointer is valid for the length given with it, also those in `model`.
 *
 * ```c
 * const hq_optimizer_group group = {1, 2, 0.25f, INFINITY};
 * float params[2] = {3.0f, -1.0f}, gradient[2], memory[2], loss = 0.0f;
 * static uint8_t undo[64], scratch[65536];
 * hq_hybrid_state state;
 * hq_hybrid model = {0};
 * hq_trust_outcome outcome;
 * int32_t verdict, step;
 * assert(hq_hybrid_undo_size(NULL, &group, 1, 0, 0) <= sizeof undo);
 * assert(hq_hybrid_workspace_size(NULL, &group, 1, NULL) <= sizeof scratch);
 * assert(hq_hybrid_start(NULL, &group, 1, 0.5f, &state, memory, sizeof memory) == HQ_OK);
 * model.groups = &group, model.groups_len = 1, model.state = &state;
 * model.memory = memory, model.memory_size = sizeof memory, model.undo = undo, model.undo_size = sizeof undo;
 * model.params = params, model.params_len = 2;
 * model.least_efficiency = 0.05f, model.tolerated_rise = 0.1f;
 * for (step = 0; step < 100; step++) { // the loss is half the squared norm
 *     loss = 0.5f * (params[0] * params[0] + params[1] * params[1]);
 *     gradient[0] = params[0], gradient[1] = params[1];
 *     assert(hq_hybrid_propose(&model, loss, gradient, 2, 1.0f, 1.0f, NULL, &verdict, scratch, sizeof scratch) == HQ_OK);
 *     assert(verdict == HQ_TRUST_ACCEPTED);
 *     loss = 0.5f * (params[0] * params[0] + params[1] * params[1]);
 *     assert(hq_hybrid_judge(&model, loss, &outcome) == HQ_OK);
 * }
 * assert(loss < 0.01f && state.region.steps == 100);
 * ```
 */
hq_status hq_hybrid_propose(const struct hq_hybrid *model,
                            float loss,
                            const float *gradient,
                            size_t gradient_len,
                            float rate_multiplier,
                            float radius_multiplier,
                            struct hq_optimizer_report *report,
                            int32_t *verdict,
                            void *scratch,
                            size_t scratch_size);

/**
 * Keeps the waiting step or takes it back to the bit, and sets the radius for the next one.
 *
 * - `trial_loss`: the loss on the batch of the proposal with the parameters after the step; NaN and infinity refuse it.
 * - `outcome`: what became of it.
 *
 * Callable from any thread. Errors: `HQ_ERROR_INVALID_ARGUMENT` (no step waits), `HQ_ERROR_OUTPUT_TOO_SMALL` (buffers
 * shorter than at the proposal), `HQ_ERROR_CORRUPT`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`.
 * Nothing has changed then.
 *
 * # Safety
 * Each pointer is valid, also those in `model`.
 *
 * ```c
 * const hq_optimizer_group group = {1, 1, 0.5f, INFINITY};
 * const float x_gradient = 1.0f;
 * float x = 4.0f, memory;
 * static uint8_t undo[16], scratch[65536];
 * hq_hybrid_state state;
 * hq_hybrid model = {0};
 * hq_trust_outcome outcome;
 * int32_t verdict;
 * model.groups = &group, model.groups_len = 1, model.state = &state, model.params = &x, model.params_len = 1;
 * model.memory = &memory, model.memory_size = sizeof memory, model.undo = undo, model.undo_size = sizeof undo;
 * assert(hq_hybrid_start(NULL, &group, 1, 1.0f, &state, &memory, sizeof memory) == HQ_OK);
 * assert(hq_hybrid_propose(&model, 8.0f, &x_gradient, 1, 1.0f, 1.0f, NULL, &verdict, scratch, sizeof scratch) == HQ_OK);
 * assert(x == 3.5f);
 * assert(hq_hybrid_judge(&model, 9.0f, &outcome) == HQ_OK); // the loss rose
 * assert(outcome.verdict == HQ_TRUST_REJECTED && x == 4.0f && state.region.radius == 0.25f);
 * ```
 */
hq_status hq_hybrid_judge(const struct hq_hybrid *model,
                          float trial_loss,
                          struct hq_trust_outcome *outcome);

/**
 * Takes the waiting step back, unjudged, to compare another one on the same batch.
 *
 * Callable from any thread. Errors: as `hq_hybrid_judge`.
 *
 * # Safety
 * Each pointer is valid, also those in `model`.
 *
 * ```c
 * const hq_optimizer_group group = {1, 1, 0.5f, INFINITY};
 * const float x_gradient = 1.0f;
 * float x = 4.0f, memory;
 * static uint8_t undo[16], scratch[65536];
 * hq_hybrid_state state;
 * hq_hybrid model = {0};
 * int32_t verdict;
 * model.groups = &group, model.groups_len = 1, model.state = &state, model.params = &x, model.params_len = 1;
 * model.memory = &memory, model.memory_size = sizeof memory, model.undo = undo, model.undo_size = sizeof undo;
 * assert(hq_hybrid_start(NULL, &group, 1, 1.0f, &state, &memory, sizeof memory) == HQ_OK);
 * assert(hq_hybrid_propose(&model, 8.0f, &x_gradient, 1, 1.0f, 1.0f, NULL, &verdict, scratch, sizeof scratch) == HQ_OK);
 * assert(x == 3.5f);
 * assert(hq_hybrid_undo(&model) == HQ_OK && x == 4.0f && state.waiting == 0);
 * ```
 */
hq_status hq_hybrid_undo(const struct hq_hybrid *model);

/**
 * Fills `options` with the defaults, which NULL stands for: clip at 2.5 root mean squares, units of 2^-34 (gradients below
 * 1024), residual in `float`.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then. Callable from any thread.
 *
 * # Safety
 * `options` points to one writable struct.
 *
 * ```c
 * hq_gradient_packet_options options;
 * assert(hq_gradient_packet_options_init(&options) == HQ_OK && options.unit == -34);
 * options.residual = HQ_STORAGE_INT8;
 * ```
 */
hq_status hq_gradient_packet_options_init(struct hq_gradient_packet_options *options);

/**
 * Bytes of a packet of `len` values: a header of 40 bytes, then for each 1280 values a scale of 4 bytes and five trits a
 * byte. `SIZE_MAX` on overflow, and from 2^32 values on.
 *
 * ```c
 * assert(hq_gradient_packet_size(12800) == 40 + 10 * 260); // as floats: 51200
 * ```
 */
size_t hq_gradient_packet_size(size_t len);

/**
 * Bytes of the residual of `len` values, which the sender keeps for each shard; zeros before the first step. `SIZE_MAX` on
 * overflow, for options out of range and for pointers that cannot be read.
 *
 * # Safety
 * `options` is NULL or points to one struct.
 *
 * ```c
 * assert(hq_gradient_packet_residual_size(NULL, 100) == 400);
 * ```
 */
size_t hq_gradient_packet_residual_size(const struct hq_gradient_packet_options *options,
                                        size_t len);

/**
 * Bytes of scratch for `hq_gradient_packet_encode`: at most 15369. `SIZE_MAX` on overflow.
 *
 * ```c
 * assert(hq_gradient_packet_workspace_size(1000000) <= 15369);
 * ```
 */
size_t hq_gradient_packet_workspace_size(size_t len);

/**
 * Makes a packet of the gradient of a shard: trits and a scale for each 1280 values. What is lost goes to the residual, and with
 * the next gradient into the next packet.
 *
 * A shard is a part of a batch with a fixed number; a rank has one or several. As packets depend on the shard and not on
 * the rank, the same parameters come out on any number of ranks.
 *
 * - `options`: NULL for the usual ones; the same on all ranks.
 * - `tag`: step, place, shard and weight.
 * - `gradient`: `gradient_len` values: the mean over the samples of the shard.
 * - `residual`: `residual_size` = `hq_gradient_packet_residual_size(options, gradient_len)` bytes, of this shard and these
 *   parameters; read and written.
 * - `packet`: `packet_size` = `hq_gradient_packet_size(gradient_len)` bytes.
 * - `error`: the norm of what was lost over that of gradient with residual, or NULL.
 * - `scratch`: at least `hq_gradient_packet_workspace_size(gradient_len)` bytes.
 *
 * The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NON_FINITE`, `HQ_ERROR_SCALE_RANGE` (a gradient with its residual reaches 2^(unit + 44)),
 * `HQ_ERROR_SHAPE` (a length), `HQ_ERROR_INVALID_ARGUMENT` (an option, the weight), `HQ_ERROR_UNKNOWN_ENUM`,
 * `HQ_ERROR_UNSUPPORTED` (a ternary residual), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_SIZE_OVERFLOW`. Residual, packet and error are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static const float gradient[5] = {1.0f, -1.0f, 0.0f, 1.0f, 0.0f};
 * static uint8_t residual[20], packet[45], scratch[256];
 * const hq_gradient_tag tag = {0, 0, 0, 1};
 * float error, back[5];
 * assert(hq_gradient_packet_encode(NULL, &tag, gradient, 5, residual, 20, packet, 45, &error, scratch, 256) == HQ_OK);
 * assert(hq_gradient_packet_decode(packet, 45, back, 5, NULL) == HQ_OK);
 * assert(error == 0.0f && back[1] == -1.0f && back[4] == 0.0f); // three levels already: nothing is lost
 * ```
 */
hq_status hq_gradient_packet_encode(const struct hq_gradient_packet_options *options,
                                    const struct hq_gradient_tag *tag,
                                    const float *gradient,
                                    size_t gradient_len,
                                    uint8_t *residual,
                                    size_t residual_size,
                                    uint8_t *packet,
                                    size_t packet_size,
                                    float *error,
                                    void *scratch,
                                    size_t scratch_size);

/**
 * Reads and checks a whole packet: header, checksum, every scale and every code.
 *
 * - `packet`: `packet_size` bytes.
 * - `info`: what it is.
 *
 * Callable from any thread. Errors: `HQ_ERROR_CORRUPT` (anything that `hq_gradient_packet_encode` does not write),
 * `HQ_ERROR_VERSION` (a newer packet), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. `info` is
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static const uint8_t no_packet[45];
 * hq_gradient_packet info;
 * assert(hq_gradient_packet_inspect(no_packet, 45, &info) == HQ_ERROR_CORRUPT);
 * ```
 */
hq_status hq_gradient_packet_inspect(const uint8_t *packet,
                                     size_t packet_size,
                                     struct hq_gradient_packet *info);

/**
 * The gradient of one packet.
 *
 * - `packet`: `packet_size` bytes.
 * - `out`: `out_len` values, as many as the packet has.
 * - `info`: what the packet is, or NULL.
 *
 * Buffers must not overlap. Callable from any thread. Errors: as `hq_gradient_packet_inspect`, and `HQ_ERROR_SHAPE`. `out`
 * and `info` are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static const float gradient[2] = {0.5f, -0.5f};
 * static uint8_t residual[8], packet[45], scratch[256];
 * const hq_gradient_tag tag = {3, 0, 0, 1};
 * hq_gradient_packet info;
 * float back[2];
 * assert(hq_gradient_packet_encode(NULL, &tag, gradient, 2, residual, 8, packet, 45, NULL, scratch, 256) == HQ_OK);
 * assert(hq_gradient_packet_decode(packet, 45, back, 2, &info) == HQ_OK);
 * assert(back[0] == 0.5f && back[1] == -0.5f && info.step == 3 && info.len == 2);
 * ```
 */
hq_status hq_gradient_packet_decode(const uint8_t *packet,
                                    size_t packet_size,
                                    float *out,
                                    size_t out_len,
                                    struct hq_gradient_packet *info);

/**
 * Sums of no packets; the array of `int64_t` beside it is to be all zeros.
 *
 * - `step`, `first`, `unit`: those of the packets that are to be added; `unit` is that of the options.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then. Callable from any thread.
 *
 * # Safety
 * `sums` points to one writable struct.
 *
 * ```c
 * hq_gradient_sums sums;
 * assert(hq_gradient_sums_init(7, 0, -34, &sums) == HQ_OK && sums.packets == 0);
 * ```
 */
hq_status hq_gradient_sums_init(uint64_t step, uint64_t first, int32_t unit, struct hq_gradient_sums *sums);

/**
 * Adds a packet to sums, in integers: the same sums in any order. Each packet is to be merged once.
 *
 * - `packet`: `packet_size` bytes, from anywhere: it is checked as a whole first.
 * - `sums`, `values`: `values_len` sums, as many as the packet has values.
 *
 * A scale is below 2^44 units and all weights together are at most `HQ_GRADIENT_MAX_WEIGHT`, so no sum overflows.
 *
 * Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_CORRUPT`, `HQ_ERROR_VERSION`, `HQ_ERROR_SHAPE`
 * (another length), `HQ_ERROR_INVALID_ARGUMENT` (a packet of another step, place or unit, or one too many),
 * `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. Nothing is changed then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * static const float gradients[2][2] = {{0.5f, -0.5f}, {0.25f, 0.25f}};
 * static uint8_t residuals[2][8], packet[45], scratch[256];
 * hq_gradient_tag tag = {3, 0, 0, 1};
 * hq_gradient_sums sums;
 * int64_t values[2] = {0, 0};
 * float mean[2];
 * assert(hq_gradient_sums_init(3, 0, -34, &sums) == HQ_OK);
 * for (; tag.shard < 2; tag.shard++) {
 *     assert(hq_gradient_packet_encode(NULL, &tag, gradients[tag.shard], 2, residuals[tag.shard], 8, packet, 45, NULL,
 *                                      scratch, 256) == HQ_OK);
 *     assert(hq_gradient_packet_merge(packet, 45, &sums, values, 2) == HQ_OK);
 * }
 * assert(hq_gradient_sums_finish(&sums, values, 2, mean, 2) == HQ_OK);
 * assert(sums.packets == 2 && mean[0] == 0.375f && mean[1] == -0.125f);
 * ```
 */
hq_status hq_gradient_packet_merge(const uint8_t *packet,
                                   size_t packet_size,
                                   struct hq_gradient_sums *sums,
                                   int64_t *values,
                                   size_t values_len);

/**
 * Adds sums to sums: those of another thread or rank, of the same step, place and unit.
 *
 * - `from`, `from_values`: `from_len` sums.
 * - `sums`, `values`: as many.
 *
 * Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_SHAPE` (lengths differ),
 * `HQ_ERROR_INVALID_ARGUMENT` (sums of another kind, or weights beyond `HQ_GRADIENT_MAX_WEIGHT`), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. Nothing is changed then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const hq_gradient_sums there = {3, 0, 2, 2, -34, 0};
 * hq_gradient_sums here = {3, 0, 1, 1, -34, 0};
 * const int64_t from[2] = {5, -7};
 * int64_t values[2] = {1, 1};
 * assert(hq_gradient_sums_join(&there, from, 2, &here, values, 2) == HQ_OK);
 * assert(here.weight == 3 && values[0] == 6 && values[1] == -6);
 * ```
 */
hq_status hq_gradient_sums_join(const struct hq_gradient_sums *from,
                                const int64_t *from_values,
                                size_t from_len,
                                struct hq_gradient_sums *sums,
                                int64_t *values,
                                size_t values_len);

/**
 * The mean gradient of all packets in sums, weighted.
 *
 * - `sums`, `values`: `values_len` sums.
 * - `mean`: `mean_len` values, as many.
 *
 * Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_SHAPE` (lengths differ),
 * `HQ_ERROR_INVALID_ARGUMENT` (sums of no packets, or such as no merge leaves), `HQ_ERROR_NULL_POINTER`,
 * `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `mean` is untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const hq_gradient_sums sums = {0, 0, 4, 2, -1, 0}; // weights of 4 in all, in halves
 * const int64_t values[2] = {8, -2};
 * float mean[2];
 * assert(hq_gradient_sums_finish(&sums, values, 2, mean, 2) == HQ_OK);
 * assert(mean[0] == 1.0f && mean[1] == -0.25f);
 * ```
 */
hq_status hq_gradient_sums_finish(const struct hq_gradient_sums *sums,
                                  const int64_t *values,
                                  size_t values_len,
                                  float *mean,
                                  size_t mean_len);

/**
 * A predictor with the default options that has seen nothing yet.
 *
 * - `weights`: the 146 parameters of a network that was trained, in the order of `hq_predictor.weights`, each within -1e6 to
 *   1e6; or NULL with `weights_len` 0: a hidden layer drawn from `seed`, and an output layer of zeros. Both multipliers are
 *   exactly 1 then until something is learnt.
 * - `seed`: of the hidden layer, and of the signs of probes (`options.seed`).
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE` (a length that is neither 0 nor
 * 146), `HQ_ERROR_NON_FINITE`, `HQ_ERROR_INVALID_ARGUMENT` (a weight beyond 1e6); nothing is written then. Callable from any
 * thread.
 *
 * # Safety
 * `predictor` points to one writable struct, `weights` to `weights_len` floats.
 *
 * ```c
 * static hq_predictor predictor;
 * assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
 * predictor.options.highest[0] = 2.0f;
 * ```
 */
hq_status hq_predictor_init(uint64_t seed,
                            const float *weights,
                            size_t weights_len,
                            struct hq_predictor *predictor);

/**
 * The parameters of a network that was trained offline over many small tasks (`hybridq meta-train`), for `hq_predictor_init`.
 *
 * Set `options.probe_every` to 0 after `hq_predictor_init`: they do better without adapting online. They do not suit every
 * task: docs/predictor.md says what they did to tasks held out.
 *
 * - `weights`: `weights_len` = 146 floats, in the order of `hq_predictor.weights`.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SHAPE`; nothing is written then. Callable from any thread.
 *
 * # Safety
 * `weights` points to `weights_len` writable floats.
 *
 * ```c
 * static hq_predictor predictor;
 * float weights[HQ_PREDICTOR_WEIGHTS];
 * assert(hq_predictor_trained(weights, HQ_PREDICTOR_WEIGHTS) == HQ_OK);
 * assert(hq_predictor_init(1, weights, HQ_PREDICTOR_WEIGHTS, &predictor) == HQ_OK);
 * predictor.options.probe_every = 0;
 * ```
 */
hq_status hq_predictor_trained(float *weights,
                               size_t weights_len);

/**
 * The multipliers for the step that is to be made. Call it once a step: the observation joins the running means.
 *
 * - `predictor`: in and out.
 * - `seen`: loss and gradient norm in any units; NaN and infinity are no errors.
 * - `made`: multipliers within the bounds of the options, exactly 1 as long as the output layer is 0: the base optimizer.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_INVALID_ARGUMENT` (an option out of range,
 * a weight beyond 1e6, `reserved` not 0), `HQ_ERROR_NON_FINITE` (a weight), `HQ_ERROR_CORRUPT` (the rest of the state); nothing
 * is written then. Callable from any thread.
 *
 * # Safety
 * The pointers point to one struct each, `predictor` and `made` to writable ones.
 *
 * ```c
 * static hq_predictor predictor;
 * hq_predictor_observation seen = {0, 2.3f, 0.7f, NAN, NAN, 3, 0};
 * hq_prediction made;
 * assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
 * assert(hq_predictor_predict(&predictor, &seen, &made) == HQ_OK);
 * assert(made.learning_rate == 1.0f && made.radius == 1.0f);
 * ```
 */
hq_status hq_predictor_predict(struct hq_predictor *predictor,
                               const struct hq_predictor_observation *seen,
                               struct hq_prediction *made);

/**
 * Learns from a comparison: the output layer moves towards the better multipliers, once a block of comparisons leaves no
 * doubt which ones these are.
 *
 * A multiplier moves away from 1 only if the batch of the gradient and the other one both ask for it, by the lesser of the
 * two; back to 1 as soon as one does. Comparisons that say nothing (losses that are not finite, no difference between the
 * two) are counted and change nothing else.
 *
 * - `predictor`: in and out.
 * - `made`: as `hq_predictor_predict` has written it when `probe` was 1.
 * - `losses`: of both steps. Where the gradient is that of all data, `fresh_chosen` is `chosen` and `fresh_alternative` is
 *   `alternative`.
 * - `moved`: `moved_len` = 2 floats: by how much the log multipliers of learning rate and radius changed at these features.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NON_FINITE` (a feature, a
 * weight), `HQ_ERROR_INVALID_ARGUMENT` (a number of `made` or `losses` that has no such value, and as for
 * `hq_predictor_predict`), `HQ_ERROR_CORRUPT`; nothing is written then. Callable from any thread.
 *
 * # Safety
 * The pointers point to one struct each, `predictor` to a writable one, `moved` to `moved_len` writable floats.
 *
 * ```c
 * static hq_predictor predictor;
 * hq_predictor_observation seen = {0, 2.3f, 0.7f, NAN, NAN, 3, 0};
 * hq_counterfactual losses = {2.3f, 2.2f, 2.15f, 2.25f, 2.2f, 1};
 * hq_prediction made;
 * float moved[2];
 * int i;
 * assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
 * predictor.options.highest[1] = predictor.options.lowest[1] = 1.0f;
 * for (i = 0; i < 16; i++) {
 *     assert(hq_predictor_predict(&predictor, &seen, &made) == HQ_OK);
 *     if (made.probe) {
 *         int larger = made.alternative_learning_rate > made.learning_rate;
 *         losses.chosen = larger ? 2.2f : 2.15f, losses.alternative = larger ? 2.15f : 2.2f;
 *         losses.fresh_chosen = larger ? 2.25f : 2.2f, losses.fresh_alternative = larger ? 2.2f : 2.25f;
 *         assert(hq_predictor_adapt(&predictor, &made, &losses, moved, 2) == HQ_OK);
 *     }
 * }
 * assert(predictor.statistics.moves == 1 && moved[0] > 0.2f);
 * ```
 */
hq_status hq_predictor_adapt(struct hq_predictor *predictor,
                             const struct hq_prediction *made,
                             const struct hq_counterfactual *losses,
                             float *moved,
                             size_t moved_len);

/**
 * Tells a predictor how the step went that was made with its last prediction: what `hq_trust_region_update` said of it.
 *
 * After `good_steps` good steps in a row the output layer is kept; after `bad_steps` bad ones in a row with multipliers other
 * than 1 it is what was kept last, and the multipliers are 1 for `hold_steps` steps. If that happens again before it has
 * proved itself, the output layer is 0.
 *
 * - `predictor`: in and out.
 * - `verdict`: `HQ_TRUST_ACCEPTED`, `HQ_TRUST_REJECTED` or `HQ_TRUST_REFUSED`.
 * - `ratio`: actual over predicted reduction; NaN counts as bad.
 * - `rolled_back`: 1 if the output layer was rolled back, else 0.
 *
 * Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, and those of the state as for
 * `hq_predictor_predict`; nothing is written then. Callable from any thread.
 *
 * # Safety
 * `predictor` points to one writable struct, `rolled_back` to one writable number.
 *
 * ```c
 * static hq_predictor predictor;
 * hq_predictor_observation seen = {0, 2.3f, 0.7f, NAN, NAN, 3, 0};
 * hq_prediction made;
 * int32_t rolled_back;
 * assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
 * assert(hq_predictor_predict(&predictor, &seen, &made) == HQ_OK);
 * assert(hq_predictor_feedback(&predictor, HQ_TRUST_ACCEPTED, 0.9f, &rolled_back) == HQ_OK);
 * assert(!rolled_back && predictor.statistics.accepted == 1);
 * ```
 */
hq_status hq_predictor_feedback(struct hq_predictor *predictor,
                                int32_t verdict,
                                float ratio,
                                int32_t *rolled_back);

/**
 * The two outputs of the network, each within -1 to 1: the log multipliers of learning rate and radius are 1.5 times the
 * larger logarithm of their bounds times these, clamped.
 *
 * - `weights`: the `weights_len` = 146 parameters. `features`: `features_len` = 6 numbers.
 * - `outputs`: `outputs_len` = 2 numbers.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NON_FINITE`,
 * `HQ_ERROR_INVALID_ARGUMENT` (a weight or feature beyond 1e6); nothing is written then. Callable from any thread.
 *
 * # Safety
 * The pointers are valid for the lengths given with them.
 *
 * ```c
 * static hq_predictor predictor;
 * const float features[6] = {0.1f, -0.2f, 0.0f, 0.3f, 0.0f, -1.0f};
 * float outputs[2];
 * assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
 * assert(hq_predictor_forward(predictor.weights, 146, features, 6, outputs, 2) == HQ_OK);
 * assert(outputs[0] == 0.0f && outputs[1] == 0.0f);
 * ```
 */
hq_status hq_predictor_forward(const float *weights,
                               size_t weights_len,
                               const float *features,
                               size_t features_len,
                               float *outputs,
                               size_t outputs_len);

/**
 * The derivatives of `gradient[0] * outputs[0] + gradient[1] * outputs[1]` with respect to all parameters of the network:
 * for training it offline.
 *
 * - `weights`: the `weights_len` = 146 parameters. `features`: `features_len` = 6 numbers. `gradient`: `gradient_len` = 2.
 * - `slope`: `slope_len` = 146 numbers, in the places of the parameters.
 *
 * Errors: as for `hq_predictor_forward`. Callable from any thread.
 *
 * # Safety
 * The pointers are valid for the lengths given with them.
 *
 * ```c
 * static hq_predictor predictor;
 * static float slope[146];
 * const float features[6] = {0.1f, -0.2f, 0.0f, 0.3f, 0.0f, -1.0f}, gradient[2] = {1.0f, 0.0f};
 * assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
 * assert(hq_predictor_backward(predictor.weights, 146, features, 6, gradient, 2, slope, 146) == HQ_OK);
 * assert(slope[144] == 1.0f && slope[145] == 0.0f);
 * ```
 */
hq_status hq_predictor_backward(const float *weights,
                                size_t weights_len,
                                const float *features,
                                size_t features_len,
                                const float *gradient,
                                size_t gradient_len,
                                float *slope,
                                size_t slope_len);

/**
 * Whether an array of layers is a network.
 *
 * Returns `HQ_OK`, or what all other functions would refuse it with; `hq_layers_misfit` says which layer it is.
 * `HQ_ERROR_NULL_POINTER` and `HQ_ERROR_MISALIGNED` (`layers`, or a `kind`), `HQ_ERROR_UNKNOWN_ENUM` (a `kind`, or a field),
 * `HQ_ERROR_INVALID_ARGUMENT` (no layers, a value out of range, a field that does not belong to the kind),
 * `HQ_ERROR_UNSUPPORTED` (a fit), `HQ_ERROR_SHAPE` (a layer does not take what the one before gives),
 * `HQ_ERROR_SIZE_OVERFLOW`. Callable from any thread.
 *
 * # Safety
 * `layers` points to `layers_len` layers, each `kind` to one, or it is NULL.
 *
 * ```c
 * const hq_layer net[] = {
 *     {.kind = &hq_layer_linear, .inputs = 64, .outputs = 32, .bias = 1},
 *     {.kind = &hq_layer_activation, .inputs = 32, .curve = HQ_CURVE_RELU},
 *     {.kind = &hq_layer_linear, .inputs = 32, .outputs = 10, .weights = HQ_WEIGHTS_TERNARY, .fit = HQ_FIT_ABSMEAN},
 * };
 * assert(hq_layers_check(net, 3) == HQ_OK);
 * assert(hq_layers_check(net, 0) == HQ_ERROR_INVALID_ARGUMENT);
 * ```
 */
hq_status hq_layers_check(const struct hq_layer *layers,
                          size_t layers_len);

/**
 * The first layer that `hq_layers_check` refuses, by itself or after the one before it; `SIZE_MAX` if there is none. 0 also if
 * `layers` is not an array. Callable from any thread.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer net[] = {
 *     {.kind = &hq_layer_linear, .inputs = 64, .outputs = 32},
 *     {.kind = &hq_layer_activation, .inputs = 31},
 * };
 * assert(hq_layers_check(net, 2) == HQ_ERROR_SHAPE && hq_layers_misfit(net, 2) == 1);
 * assert(hq_layers_misfit(net, 1) == SIZE_MAX);
 * ```
 */
size_t hq_layers_misfit(const struct hq_layer *layers,
                        size_t layers_len);

/**
 * Values of a sample that come in; `SIZE_MAX` if `hq_layers_check` refuses the network.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer image = {.kind = &hq_layer_pool, .inputs = 3, .height = 8, .width = 8, .window = {2, 2}};
 * assert(hq_layers_input_len(&image, 1) == 3 * 8 * 8);
 * ```
 */
size_t hq_layers_input_len(const struct hq_layer *layers, size_t layers_len);

/**
 * Values of a sample that go out; `SIZE_MAX` if `hq_layers_check` refuses the network.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer image = {.kind = &hq_layer_pool, .inputs = 3, .height = 8, .width = 8, .window = {2, 2}};
 * assert(hq_layers_output_len(&image, 1) == 3 * 4 * 4);
 * ```
 */
size_t hq_layers_output_len(const struct hq_layer *layers, size_t layers_len);

/**
 * Parameters of all layers, which lie one after the other in one array; `SIZE_MAX` if `hq_layers_check` refuses the network.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 64, .outputs = 10, .bias = 1};
 * assert(hq_layers_parameters_len(&layer, 1) == 650);
 * ```
 */
size_t hq_layers_parameters_len(const struct hq_layer *layers,
                                size_t layers_len);

/**
 * Floats that forward leaves for backward: what each layer keeps, and the outputs of all but the last. `SIZE_MAX` if
 * `hq_layers_check` refuses the network, and on overflow.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer net[] = {
 *     {.kind = &hq_layer_linear, .inputs = 8, .outputs = 4},
 *     {.kind = &hq_layer_linear, .inputs = 4, .outputs = 2, .weights = HQ_WEIGHTS_TERNARY},
 * };
 * assert(hq_layers_saved_len(net, 2, 10) == 10 * 4 + 2 * (4 + 1)); // outputs between them, trits as floats, scales
 * ```
 */
size_t hq_layers_saved_len(const struct hq_layer *layers,
                           size_t layers_len,
                           size_t batch);

/**
 * Bytes of scratch that `hq_layers_forward` and `hq_layers_backward` need for so many samples. `SIZE_MAX` if `hq_layers_check`
 * refuses the network, and on overflow.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_activation, .inputs = 4};
 * assert(hq_layers_workspace_size(&layer, 1, 10) < 64);
 * ```
 */
size_t hq_layers_workspace_size(const struct hq_layer *layers,
                                size_t layers_len,
                                size_t batch);

/**
 * How many arrays the parameters are; `SIZE_MAX` if `hq_layers_check` refuses the network.
 *
 * # Safety
 * As `hq_layers_check`.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 64, .outputs = 10, .bias = 1};
 * assert(hq_layers_arrays_len(&layer, 1) == 2); // weight and bias
 * ```
 */
size_t hq_layers_arrays_len(const struct hq_layer *layers, size_t layers_len);

/**
 * One of the arrays that the parameters are: its layer, name, shape, and where it lies. Arrays lie in their order without
 * gaps: they are the groups of `hq_optimizer_step`.
 *
 * - `index`: below `hq_layers_arrays_len`.
 * - `array`: one struct.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
 * `HQ_ERROR_INVALID_ARGUMENT` (`index`). `array` is untouched then.
 *
 * # Safety
 * As `hq_layers_check`; `array` is valid.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 64, .outputs = 10, .bias = 1};
 * hq_layer_array array;
 * assert(hq_layers_array(&layer, 1, 1, &array) == HQ_OK);
 * assert(strcmp(array.name, "bias") == 0 && array.offset == 640 && array.cols == 10 && !array.is_matrix);
 * ```
 */
hq_status hq_layers_array(const struct hq_layer *layers,
                          size_t layers_len,
                          size_t index,
                          struct hq_layer_array *array);

/**
 * Parameters to begin training with: weights even between plus and minus `sqrt(6 / inputs)`, tables of embeddings between
 * plus and minus 1, biases 0, gains 1.
 *
 * - `seed`: the same one gives the same parameters.
 * - `parameters`: exactly `hq_layers_parameters_len` floats.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`.
 * `parameters` are untouched then.
 *
 * # Safety
 * As `hq_layers_check`; `parameters` is valid for its length.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 6, .outputs = 2, .bias = 1};
 * float parameters[14];
 * assert(hq_layers_start(&layer, 1, 42, parameters, 14) == HQ_OK);
 * assert(parameters[0] != parameters[1] && fabsf(parameters[0]) <= 1.0f && parameters[12] == 0.0f);
 * ```
 */
hq_status hq_layers_start(const struct hq_layer *layers,
                          size_t layers_len,
                          uint64_t seed,
                          float *parameters,
                          size_t parameters_len);

/**
 * Inputs to outputs.
 *
 * Float layers carry NaN and infinities along; a loss refuses them. Layers with ternary weights or int8 inputs refuse them
 * here. The same bits on every tier and target; the outputs of a sample do not depend on the rest of the batch. Ternary
 * weights times int8 inputs run on packed kernels (linear layers), with the bits that `hq_matmul` gives for the same weights
 * packed (`HQ_FORMAT_TQ2_0`, `HQ_GRANULARITY_ROW`).
 *
 * - `pass`: the buffers. `output` and `saved` are written.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`
 * (`parameters`, `input`), `HQ_ERROR_OUTPUT_TOO_SMALL` (`output`, `saved`), `HQ_ERROR_WORKSPACE_TOO_SMALL`,
 * `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_SCALE_RANGE` (a row of weights whose scale is beyond 65504),
 * `HQ_ERROR_INVALID_ARGUMENT` (a number that is none of an embedding's rows). `output` is untouched then; `saved` counts as
 * scratch.
 *
 * # Safety
 * Each pointer in `pass` is valid for the length beside it.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 3, .outputs = 2, .bias = 1, .weights = HQ_WEIGHTS_TERNARY};
 * const float parameters[8] = {0.9f, -1.1f, 0.1f, 0.0f, 0.5f, 0.5f, 10.0f, 20.0f}, input[3] = {1.0f, 2.0f, 4.0f};
 * float output[2], saved[8];
 * static uint8_t scratch[4096];
 * hq_layers_pass pass = {&layer, 1, 1, parameters, 8, input, 3, output, 2, saved, 8, scratch, sizeof scratch};
 * assert(hq_layers_saved_len(&layer, 1, 1) == 8 && hq_layers_workspace_size(&layer, 1, 1) <= sizeof scratch);
 * assert(hq_layers_forward(&pass) == HQ_OK);
 * assert(output[0] == 9.0f && output[1] == 23.0f); // 10 + 1 - 2, and 20 + 0.5 (2 + 4)
 * ```
 */
hq_status hq_layers_forward(const struct hq_layers_pass *pass);

/**
 * The gradient of the outputs to those of parameters and inputs, with `pass` as `hq_layers_forward` left it.
 *
 * Gradients go straight through the rounding of ternary weights and int8 inputs.
 *
 * - `output_gradient`: exactly as many floats as outputs: the derivative of the loss by each.
 * - `input_gradient`: at least as many floats as inputs, which are written; or NULL.
 * - `parameters_gradient`: at least as many floats as parameters. The gradient is **added**, so that a batch can be worked
 *   off in parts: clear it before the first.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`
 * (`parameters`, `input`, `output`, `saved`, `output_gradient`), `HQ_ERROR_OUTPUT_TOO_SMALL` (the other gradients),
 * `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_SIZE_OVERFLOW`. The gradients are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it, also those in `pass`.
 *
 * ```c
 * const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 2, .outputs = 1};
 * const float parameters[2] = {3.0f, -1.0f}, input[4] = {1.0f, 2.0f, 0.5f, 4.0f}, by_output[2] = {1.0f, 10.0f};
 * float output[2], by_input[4], by_parameters[2] = {0.0f, 0.0f};
 * static uint8_t scratch[65536];
 * hq_layers_pass pass = {&layer, 1, 2, parameters, 2, input, 4, output, 2, NULL, 0, scratch, sizeof scratch};
 * assert(hq_layers_workspace_size(&layer, 1, 2) <= sizeof scratch);
 * assert(hq_layers_forward(&pass) == HQ_OK && output[0] == 1.0f && output[1] == -2.5f);
 * assert(hq_layers_backward(&pass, by_output, 2, by_input, 4, by_parameters, 2) == HQ_OK);
 * assert(by_parameters[0] == 6.0f && by_parameters[1] == 42.0f && by_input[2] == 30.0f);
 * ```
 */
hq_status hq_layers_backward(const struct hq_layers_pass *pass,
                             const float *output_gradient,
                             size_t output_gradient_len,
                             float *input_gradient,
                             size_t input_gradient_len,
                             float *parameters_gradient,
                             size_t parameters_gradient_len);

/**
 * Softmax and cross-entropy: the mean of `-ln softmax(logits)[label]`, or the weighted mean.
 *
 * Logits of any finite size are fine; a loss beyond the range of `float` is infinity.
 *
 * - `classes`: values of a sample.
 * - `logits`: exactly `labels_len * classes` floats.
 * - `labels`: one a sample, each below `classes`.
 * - `weights`: one a sample, none below 0; or NULL.
 * - `gradient`: at least as many floats as logits: the derivative of the loss by each; or NULL.
 * - `loss`: one float.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`
 * (`logits`, `weights`), `HQ_ERROR_OUTPUT_TOO_SMALL` (`gradient`), `HQ_ERROR_INVALID_ARGUMENT` (a label, see
 * `hq_loss_first_bad_label`; a weight below 0; weights that are all 0; no samples), `HQ_ERROR_NON_FINITE`. The outputs are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float logits[2] = {1e30f, 1e30f};
 * const uint32_t label = 0;
 * float gradient[2], loss;
 * assert(hq_loss_cross_entropy(2, logits, 2, &label, 1, NULL, 0, gradient, 2, &loss) == HQ_OK);
 * assert(fabsf(loss - 0.6931472f) < 1e-6f && gradient[0] == -0.5f && gradient[1] == 0.5f);
 * ```
 */
hq_status hq_loss_cross_entropy(size_t classes,
                                const float *logits,
                                size_t logits_len,
                                const uint32_t *labels,
                                size_t labels_len,
                                const float *weights,
                                size_t weights_len,
                                float *gradient,
                                size_t gradient_len,
                                float *loss);

/**
 * The first label that is not below `classes`, for messages; `SIZE_MAX` if there is none, or no such array. Callable from any
 * thread.
 *
 * # Safety
 * `labels` is valid for its length.
 *
 * ```c
 * const uint32_t labels[3] = {0, 9, 10};
 * assert(hq_loss_first_bad_label(10, labels, 3) == 2);
 * ```
 */
size_t hq_loss_first_bad_label(size_t classes,
                               const uint32_t *labels,
                               size_t labels_len);

/**
 * The mean of `(output - target)^2` over all values.
 *
 * - `outputs`, `targets`: equally many floats.
 * - `gradient`: at least as many: the derivative of the loss by each output; or NULL.
 * - `loss`: one float.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE` (`targets`),
 * `HQ_ERROR_OUTPUT_TOO_SMALL` (`gradient`), `HQ_ERROR_INVALID_ARGUMENT` (no values), `HQ_ERROR_NON_FINITE`. The outputs are
 * untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float outputs[2] = {1.0f, 2.0f}, targets[2] = {0.0f, 4.0f};
 * float gradient[2], loss;
 * assert(hq_loss_mean_squared_error(outputs, 2, targets, 2, gradient, 2, &loss) == HQ_OK);
 * assert(loss == 2.5f && gradient[0] == 1.0f && gradient[1] == -2.0f);
 * ```
 */
hq_status hq_loss_mean_squared_error(const float *outputs,
                                     size_t outputs_len,
                                     const float *targets,
                                     size_t targets_len,
                                     float *gradient,
                                     size_t gradient_len,
                                     float *loss);

/**
 * Distillation: `temperature^2` times the mean Kullback-Leibler divergence of the student's distribution from the teacher's,
 * both softened by the temperature.
 *
 * - `classes`: values of a sample.
 * - `student`, `teacher`: logits, equally many floats, whole samples.
 * - `temperature`: 0.01 to 1000.
 * - `gradient`: at least as many floats: the derivative of the loss by each of the student's logits; or NULL.
 * - `loss`: one float.
 *
 * Buffers must not overlap. Callable from any thread.
 *
 * Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE` (`student`, `teacher`),
 * `HQ_ERROR_OUTPUT_TOO_SMALL` (`gradient`), `HQ_ERROR_INVALID_ARGUMENT` (no classes, no samples, the temperature),
 * `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
 *
 * # Safety
 * Each pointer is valid for the length given with it.
 *
 * ```c
 * const float student[2] = {1.0f, 3.0f}, teacher[2] = {3.0f, 1.0f};
 * float loss;
 * assert(hq_loss_distillation(2, teacher, 2, teacher, 2, 2.0f, NULL, 0, &loss) == HQ_OK && loss == 0.0f);
 * assert(hq_loss_distillation(2, student, 2, teacher, 2, 2.0f, NULL, 0, &loss) == HQ_OK && loss > 0.0f);
 * ```
 */
hq_status hq_loss_distillation(size_t classes,
                               const float *student,
                               size_t student_len,
                               const float *teacher,
                               size_t teacher_len,
                               float temperature,
                               float *gradient,
                               size_t gradient_len,
                               float *loss);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HYBRIDQ_H */
