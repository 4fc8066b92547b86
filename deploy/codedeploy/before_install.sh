#!/bin/sh
# Makes the user and folders where they are missing, and a backup of the state.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

case $SMOKE in
services | chain) ;;
*) fail "expected SMOKE=services or SMOKE=chain in $etc/deploy.env, found $SMOKE" ;;
esac

if [ -z "$DESTDIR" ] && ! id arteriole >/dev/null 2>&1; then
    useradd --system --user-group --home-dir /var/lib/arteriole --no-create-home \
        --shell /usr/sbin/nologin arteriole
fi
mkdir -p "$releases" "$etc" "$units" "$backups"
chmod 0700 "$backups"
# What the revision before this one left there is no part of this one.
rm -rf "$incoming"
mkdir -p "$incoming"

if [ -L "$current" ]; then
    rm -rf "$backups"/*.partial  # of a deployment that was cut off
    to=$backups/$(date -u +%Y%m%dT%H%M%SZ)-$$
    mkdir -p "$to.partial"
    python=$current/arteriole/bin/python
    for one in "$state" "$solo_state"; do
        if [ -d "$one" ]; then
            "$python" "$here/../backup.py" "$one" "$to.partial/$(basename "$one")"
        fi
    done
    mv "$to.partial" "$to"
    say "the state is in $to"
fi
