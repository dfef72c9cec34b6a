#!/bin/sh
# run.sh BUILD SECONDS [NAME]: that fuzzer of a build for so long, or each of them, as many at once
# as there are cores. New inputs stay in BUILD/corpus; what breaks a property is left in BUILD as
# crash-*, and the run fails.
set -eu
build=$1
seconds=$2
here=$(dirname "$0")

fuzz() {
    name=$1
    mkdir -p "$build/corpus/$name"
    dictionary=
    [ ! -f "$here/$name.dict" ] || dictionary=-dict=$here/$name.dict
    "$build/tests/fuzz/fuzz-$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$build/crash-$name-" $dictionary \
        "$build/corpus/$name" "$here/corpus/$name" >"$build/fuzz-$name.log" 2>&1 || {
        tail -50 "$build/fuzz-$name.log" >&2
        echo "fuzz: $name found something; see $build/fuzz-$name.log" >&2
        exit 255 # which ends the others' run, too
    }
    awk -v name="$name" -v seconds="$seconds" '/number_of_executed_units/ { units = $2 }
        /peak_rss_mb/ { print "fuzz: " name " for " seconds " s: " units " inputs, " $2 " MB" }' \
        "$build/fuzz-$name.log"
}

if [ $# -eq 3 ]; then
    fuzz "$3"
else
    find "$build/tests/fuzz" -maxdepth 1 -type f -name 'fuzz-*' | sed 's/.*fuzz-//' | sort |
        xargs -n 1 -P "$(nproc)" sh "$0" "$build" "$seconds"
fi
