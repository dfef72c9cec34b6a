#!/bin/sh
# run.sh BUILD SECONDS: each fuzzer of a build for so long. New inputs stay in BUILD/corpus; what
# breaks a property is left in BUILD as crash-*, and the run fails.
set -eu
build=$1
seconds=$2
here=$(dirname "$0")

for program in "$build"/tests/fuzz/fuzz-*; do
    [ -x "$program" ] && [ ! -d "$program" ] || continue
    name=${program##*/fuzz-}
    mkdir -p "$build/corpus/$name"
    dictionary=
    [ ! -f "$here/$name.dict" ] || dictionary=-dict=$here/$name.dict
    echo "fuzz: $name for $seconds s"
    "$program" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$build/crash-$name-" $dictionary \
        "$build/corpus/$name" "$here/corpus/$name" >"$build/fuzz-$name.log" 2>&1 || {
        tail -50 "$build/fuzz-$name.log" >&2
        echo "fuzz: $name found something; see $build/fuzz-$name.log" >&2
        exit 1
    }
    grep -E 'number_of_executed_units|peak_rss_mb' "$build/fuzz-$name.log"
done
