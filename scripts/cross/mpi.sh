#!/usr/bin/env bash
# k-means over MPI: c_examples/mpi_kmeans.c on 1, 2 and 4 ranks (and 3, of uneven shards) gives the bytes of
# c_examples/kmeans.c in one process, with weights and without; another start gives others.
. "$(dirname "$0")/common.sh"
need mpi

host=$(rustc -vV | sed -n 's/^host: //p')
out=$PWD/target/mpi
make --no-print-directory lib
make --no-print-directory -C c_examples mpi HYBRIDQ="$PWD/dist/$host" OUT="$out"

# ranks N FILE [ARGS...]: as root and with fewer cores than ranks, too; without what containers forbid.
ranks() {
    local n=$1 file=$2
    shift 2
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none \
        timeout 120 mpirun --oversubscribe -np "$n" "$out/mpi_kmeans" "$@" "$file" ||
        fail "mpi_kmeans on $n ranks: status $?"
}

for mode in "" --weighted; do
    # shellcheck disable=SC2086 # nothing, or one option
    "$out/kmeans" $mode "$out/single"
    for n in 1 2 3 4; do
        # shellcheck disable=SC2086
        ranks "$n" "$out/ranks" $mode
        cmp "$out/single" "$out/ranks" || fail "$n ranks give other bytes than one process ${mode:-without weights}"
    done
done
ranks 2 "$out/ranks" --weighted --seed 2 >/dev/null
if cmp -s "$out/single" "$out/ranks"; then fail "another start gave the same bytes: the comparison sees nothing"; fi
say "1, 2, 3 and 4 ranks give the bytes of one process, with weights and without"
