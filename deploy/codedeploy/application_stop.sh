#!/bin/sh
# Stops orchestrator and services in good order. Jobs go on, and are adopted at the next start.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

for unit in st2solo.service arteriole.service; do
    if [ -f "$units/$unit" ]; then
        systemctl stop "$unit"
        say "$unit is stopped"
    fi
done
