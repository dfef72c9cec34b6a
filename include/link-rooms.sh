#!/bin/sh
# Gives each room an include directory that shows only the public headers it may use:
# link-rooms.sh SOURCE_ROOT BUILD_ROOT makes BUILD_ROOT/rooms/ROOM/nodeagent/{room,room.h} links.
set -eu
headers=$1/include/nodeagent
out=$2/rooms
rm -rf "$out"
sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -e 's/ pure$//' "$1/include/rooms" |
while read -r room uses; do
    mkdir -p "$out/$room/nodeagent"
    for visible in $room $uses; do
        for header in "$headers/$visible" "$headers/$visible.h"; do
            [ ! -e "$header" ] || ln -s "$header" "$out/$room/nodeagent/"
        done
    done
done
