#!/bin/sh
# Builds the Debian package in build/deb from the tree as it is committed.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n "s/^    version: '\(.*\)',/\1/p" "$root/meson.build")
work=$root/build/deb/nodeagent-$version

rm -rf "$root/build/deb"
mkdir -p "$work"
git -C "$root" archive HEAD | tar -x -C "$work"
cp -r "$work/packaging/deb/debian" "$work/debian"
(cd "$work" && dpkg-buildpackage -us -uc -b) >"$root/build/deb/build.log" 2>&1 || {
    tail -40 "$root/build/deb/build.log" >&2
    exit 1
}
ls -l "$root"/build/deb/*.deb
