#!/bin/sh
# The smoke test of what runs here; whatever comes of it, nothing is taken back. SMOKE says how far
# it goes (places.sh); words for smoke.py may follow.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

as_service "$current/arteriole/bin/python" "$current/deploy/smoke.py" --what "$SMOKE" \
    --url "$RUNFOLDER_URL" --token-file "$state/admin.token" \
    --st2solo-ports "$solo_state/ports.json" --seconds "$SMOKE_SECONDS" \
    --landing "$LANDING" --samples "$SMOKE_SAMPLES" "$@"
