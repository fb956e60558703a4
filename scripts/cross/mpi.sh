#!/usr/bin/env bash
# k-means over MPI: c_examples/mpi_kmeans.c on 1, 2 and 4 ranks (and 3, of uneven shards) gives the bytes of
# c_examples/kmeans.c in one process, with weights and without; another start gives others. c_examples/mpi_train.c, which
# sends gradients of 1.6 bits, ends with the same parameters on 1, 2 and 4 ranks, and learns the digits.
. "$(dirname "$0")/common.sh"
need mpi

host=$(rustc -vV | sed -n 's/^host: //p')
out=$PWD/target/mpi
make --no-print-directory lib
make --no-print-directory -C c_examples mpi HYBRIDQ="$PWD/dist/$host" OUT="$out"

# on N PROGRAM [ARGS...]: as root and with fewer cores than ranks, too; without what containers forbid.
on() {
    local n=$1 program=$2
    shift 2
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none \
        timeout 240 mpirun --oversubscribe -np "$n" "$out/$program" "$@" || fail "$program on $n ranks: status $?"
}
# ranks N FILE [ARGS...]
ranks() {
    local n=$1 file=$2
    shift 2
    on "$n" mpi_kmeans "$@" "$file"
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

# train N [ARGS...]
train() {
    local n=$1
    shift
    on "$n" mpi_train "$@" data/digits/train.csv data/digits/test.csv
}
# number TEXT PATTERN: the number before it.
number() { sed -n "s/.* \([0-9.]*\)$2.*/\1/p" <<<" $1"; }
at_least() { awk "BEGIN { exit !($1 >= $2) }" || fail "$3 is $1, not $2"; }
first=
for n in 1 2 4; do
    text=$(train "$n")
    echo "$text"
    parameters=$(grep '^parameters ' <<<"$text")
    [ "${first:=$parameters}" = "$parameters" ] || fail "mpi_train: $n ranks end with other parameters"
    at_least "$(number "$text" ' % of [0-9]* held out')" 95 "held-out accuracy on $n ranks"
done
at_least "$(number "$(grep '^a rank sends' <<<"$text")" ' times fewer')" 16 "what 4 ranks send less than an all-reduce of floats"
[ "$(train 2 --shards 2 | grep '^parameters ')" != "$first" ] || fail "other shards gave the same bits: the comparison sees nothing"
say "gradient packets: 1, 2 and 4 ranks end with the same parameters"
