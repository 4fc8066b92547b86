#!/bin/sh
# Puts the packs in $1 into the folder $2, each by rename; other packs there are left alone, or with
# the word `only` after it taken away: those of an image before this one.
set -eu
from=$1 to=$2
for pack in "$from"/*/; do
    name=$(basename "$pack")
    rm -rf "$to/.$name.new" "$to/.$name.old"
    cp -R "$pack" "$to/.$name.new"
    if [ -e "$to/$name" ]; then mv "$to/$name" "$to/.$name.old"; fi
    mv "$to/.$name.new" "$to/$name"
    rm -rf "$to/.$name.old"
    echo "$to/$name"
done
[ "${3:-}" = only ] || exit 0
for pack in "$to"/*/; do
    name=$(basename "$pack")
    [ ! -e "$from/$name" ] || continue
    rm -rf "${to:?}/$name"
    echo "$to/$name is taken away"
done
