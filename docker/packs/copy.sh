#!/bin/sh
# Puts the packs in $1 into the folder $2, each by rename; other packs there are left alone.
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
