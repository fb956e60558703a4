/* k-means on MPI: every rank owns a shard of the rows. The ranks exchange the limits of the data once, and one array of
 * integer sums per iteration; nobody sees another rank's rows. Integers add up to the same sum in any order, so centres,
 * inertia and labels are the same bytes for any number of ranks, and those of kmeans.c.
 *
 *   mpirun -np 4 mpi_kmeans [--weighted] [--seed N] [FILE]
 */
#include <mpi.h>

#include "hybridq.h"

#include "kmeans_data.h"

/* Ends all ranks: one that fails would leave the others waiting. */
static void check(hq_status status, const char *what) {
    if (status != HQ_OK) {
        fprintf(stderr, "%s: %s\n", what, hq_status_string(status));
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

int main(int argc, char **argv) {
    int rank, ranks, i, failed = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);

    {
        /* This rank's rows. */
        const settings s = settings_of(argc, argv);
        const size_t first = (size_t)ROWS * (size_t)rank / (size_t)ranks;
        const size_t n = (size_t)ROWS * ((size_t)rank + 1) / (size_t)ranks - first;
        float *x = (float *)room(n * COLS, sizeof *x), *all_weights = (float *)room(n, sizeof *all_weights);
        uint32_t *labels = (uint32_t *)room(n, sizeof *labels), *all_labels = NULL;
        int *counts = NULL, *starts = NULL;
        const float *weights = s.weighted ? all_weights : NULL;
        const size_t weights_len = s.weighted ? n : 0;

        const size_t limits_len = hq_kmeans_limits_len(COLS), partial_len = hq_kmeans_partial_len(K, COLS);
        const size_t size = hq_kmeans_assign_workspace_size(K, COLS);
        float *limits = (float *)room(limits_len, sizeof *limits);
        int64_t *partial = (int64_t *)room(partial_len, sizeof *partial);
        void *scratch = room(size, 1);
        float centers[K * COLS], next[K * COLS];
        hq_kmeans_step step;
        unsigned iterations = 0;
        make_rows(first, n, x, all_weights);

        /* Where all the data lie: the units of the sums. */
        check(hq_kmeans_limits_clear(limits, limits_len), "limits");
        check(hq_kmeans_limits_add(n, COLS, x, n * COLS, weights, weights_len, limits, limits_len), "limits");
        MPI_Allreduce(MPI_IN_PLACE, limits, (int)limits_len, MPI_FLOAT, MPI_MAX, MPI_COMM_WORLD);

        check(first_centers(&s, centers), "first centres");
        for (;;) {
            memset(partial, 0, partial_len * sizeof *partial);
            check(hq_kmeans_accumulate(ROWS, limits, limits_len, n, COLS, x, n * COLS, weights, weights_len, K, centers,
                                       K * COLS, labels, n, partial, partial_len, scratch, size),
                  "accumulate");
            MPI_Allreduce(MPI_IN_PLACE, partial, (int)partial_len, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
            /* Every rank works out the same centres. */
            memcpy(next, centers, sizeof next);
            check(hq_kmeans_update(ROWS, limits, limits_len, K, partial, partial_len, HQ_EMPTY_KEEP, next, K * COLS,
                                   &step),
                  "update");
            /* `step.inertia` and the labels are those of `centers`. */
            if (step.shift == 0.0f || iterations == MAX_ITERATIONS) break;
            memcpy(centers, next, sizeof next);
            iterations++;
        }

        /* For the report alone: all labels on rank 0. */
        if (rank == 0) {
            all_labels = (uint32_t *)room(ROWS, sizeof *all_labels);
            counts = (int *)room((size_t)ranks, sizeof *counts);
            starts = (int *)room((size_t)ranks, sizeof *starts);
            for (i = 0; i < ranks; i++) {
                starts[i] = (int)((size_t)ROWS * (size_t)i / (size_t)ranks);
                counts[i] = (int)((size_t)ROWS * ((size_t)i + 1) / (size_t)ranks) - starts[i];
            }
        }
        MPI_Gatherv(labels, (int)n, MPI_UINT32_T, all_labels, counts, starts, MPI_UINT32_T, 0, MPI_COMM_WORLD);
        if (rank == 0) failed = report(&s, iterations, step.inertia, centers, all_labels);

        free(starts);
        free(counts);
        free(all_labels);
        free(scratch);
        free(partial);
        free(limits);
        free(labels);
        free(all_weights);
        free(x);
    }
    MPI_Finalize();
    return failed;
}
