/* k-means in one process: first centres, then Lloyd's algorithm. mpi_kmeans.c gives the same bytes on any number of ranks.
 *
 *   kmeans [--weighted] [--seed N] [FILE]
 */
#include "hybridq.h"

#include "kmeans_data.h"

int main(int argc, char **argv) {
    const settings s = settings_of(argc, argv);
    float *x = (float *)room(ROWS * COLS, sizeof *x), *weights = (float *)room(ROWS, sizeof *weights);
    uint32_t *labels = (uint32_t *)room(ROWS, sizeof *labels);
    float centers[K * COLS];
    hq_kmeans_options options;
    hq_kmeans_result result = {0};
    hq_status status = first_centers(&s, centers);
    int failed = 1;

    make_rows(0, ROWS, x, weights);
    if (status == HQ_OK) status = hq_kmeans_options_default(&options);
    if (status == HQ_OK) {
        size_t size;
        void *scratch;
        options.max_iterations = MAX_ITERATIONS;
        options.empty = HQ_EMPTY_KEEP;
        size = hq_kmeans_fit_workspace_size(ROWS, COLS, K, &options);
        scratch = room(size, 1);
        status = hq_kmeans_fit(ROWS, COLS, x, ROWS * COLS, s.weighted ? weights : NULL, s.weighted ? ROWS : 0, K, &options,
                               centers, K * COLS, labels, ROWS, &result, scratch, size);
        free(scratch);
    }
    if (status == HQ_OK) {
        failed = report(&s, (unsigned)result.iterations, result.inertia, centers, labels);
    } else {
        fprintf(stderr, "hybridq: %s\n", hq_status_string(status));
    }
    free(labels);
    free(weights);
    free(x);
    return failed;
}
