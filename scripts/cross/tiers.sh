#!/usr/bin/env bash
# The suite on each tier of this machine. tests/active_tier.rs fails if HQ_TIER is not what runs.
. "$(dirname "$0")/common.sh"

# Flags of /proc/cpuinfo that a tier needs (abm is LZCNT).
declare -A flags=([scalar]= [sse4.2]='ssse3 sse4_2 popcnt' [avx2]='avx2 fma bmi1 bmi2 abm')
ran=() skipped=()
case $(uname -m) in
    x86_64) tiers=(scalar sse4.2 avx2) ;;
    aarch64) tiers=(scalar neon) ;;
    *) tiers=(scalar) ;;
esac
suite
for tier in "${tiers[@]}"; do
    lacks=
    for flag in ${flags[$tier]:-}; do
        [ -r /proc/cpuinfo ] && ! grep -qwm1 "$flag" /proc/cpuinfo && lacks="$lacks $flag"
    done
    if [ -n "$lacks" ]; then
        say "HQ_TIER=$tier skipped: this CPU lacks$lacks"
        skipped+=("$tier")
        continue
    fi
    say "HQ_TIER=$tier"
    # --all-features: what `make test` has built already.
    HQ_TIER=$tier cargo test --quiet --all-features --lib "${tests[@]}"
    ran+=("$tier")
done
say "the suite passes on: ${ran[*]}${skipped:+; skipped: ${skipped[*]}}"
