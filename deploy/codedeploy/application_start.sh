#!/bin/sh
# Puts the units in place and starts them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

for unit in arteriole.service st2solo.service; do
    cp "$current/deploy/systemd/$unit" "$units/$unit.new"
    mv "$units/$unit.new" "$units/$unit"
done
systemctl daemon-reload
start_units
say "started"
