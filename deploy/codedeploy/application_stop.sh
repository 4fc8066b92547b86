#!/bin/sh
# Stops orchestrator and services in good order. Jobs go on, and are adopted at the next start. What
# st2solo leaves out of its packs by now is no fault of the revision to come: it is noted.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

rm -f "$problems_before"
if [ -L "$current" ]; then
    found=$(as_service "$current/arteriole/bin/python" "$here/../smoke.py" --what problems \
        --st2solo-ports "$solo_state/ports.json") || found=
    if [ -n "$found" ]; then echo "$found" > "$problems_before"; fi
fi

for unit in st2solo.service arteriole.service; do
    if [ -f "$units/$unit" ]; then
        systemctl stop "$unit"
        say "$unit is stopped"
    fi
done
