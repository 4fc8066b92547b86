#!/bin/sh
# The backup of a night, in a folder of its time below NIGHTLY (deploy.env); the newest KEEP_NIGHTS
# stay. It holds tokens and keys: it is one secret.
#   nightly.sh              of the bundle: both states, and /etc/arteriole
#   nightly.sh solo         of docker-compose with st2solo: the same, and .env
#   nightly.sh stackstorm   with StackStorm: the services' state, MongoDB, the datastore's key
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/codedeploy/places.sh"
profile=${1:-}

compose() { (cd "$here/.." && "${COMPOSE:-docker-compose}" --profile "$profile" "$@"); }

# copy SERVICE STATE: the state of a container, while it runs
copy() {
    compose run --rm -T --no-deps -v "$here:/deploy:ro" -v "$draft:/to" --entrypoint python3 \
        "$1" /deploy/backup.py "$2" "/to/$(basename "$2")"
}

# The password stands in a file there, not on a command line.
# shellcheck disable=SC2016  # the container's shell reads it
DUMP='umask 077; trap "rm -f /tmp/dump.yaml" EXIT
printf "password: %s\n" "$(cat /secrets/password)" > /tmp/dump.yaml
mongodump --quiet --config=/tmp/dump.yaml --username=stackstorm --authenticationDatabase=admin \
    --db=st2 --archive --gzip'

# require_store PART: a backup without a store would push out those that have one.
require_store() {
    [ -n "$(find "$draft/$1" -type f -name '*.sqlite' 2>/dev/null | head -n 1)" ] ||
        fail "there is no store (*.sqlite) in $draft/$1, so this is no backup: is the state where it was?"
}

case $profile in
    "") [ -d "$state" ] || fail "there is no state at $state: docker-compose wants the word solo or stackstorm" ;;
    solo | stackstorm) ;;
    *) fail "expected solo, stackstorm or nothing, found $profile" ;;
esac
if [ "$NIGHTLY" = "$own_nightly" ]; then mkdir -p "$NIGHTLY"; fi
[ -d "$NIGHTLY" ] || fail "NIGHTLY of $etc/deploy.env, $NIGHTLY, is no folder: is it mounted?"
rm -rf "$NIGHTLY"/[0-9]*Z-*.partial
to=$NIGHTLY/$(date -u +%Y%m%dT%H%M%SZ)-$$
draft=$to.partial
umask 077
mkdir "$draft"
case $profile in
    "")
        for one in "$state" "$solo_state"; do
            if [ -d "$one" ]; then
                "$current/arteriole/bin/python" "$here/backup.py" "$one" "$draft/$(basename "$one")"
                require_store "$(basename "$one")"
            fi
        done
        cp -a "$etc" "$draft/etc"
        ;;
    solo | stackstorm)
        uid=$(sed -n 's/^RUN_UID=//p' "$here/../.env")
        if [ "$(id -u)" = 0 ]; then chown "${uid:-10001}" "$draft"; fi
        copy services /var/lib/arteriole
        require_store arteriole
        if [ "$profile" = solo ]; then
            copy st2solo /var/lib/st2solo
            require_store st2solo
        else
            compose exec -T mongo sh -c "$DUMP" > "$draft/mongo.archive.gz"
            compose run --rm -T --no-deps --entrypoint tar st2-content -C /etc/st2/keys -cf - . > "$draft/st2-keys.tar"
        fi
        cp -a "$here/../.env" "$draft/env"
        if [ -d "$etc" ]; then cp -a "$etc" "$draft/etc"; fi
        ;;
esac
sync -f "$draft"
mv "$draft" "$to"
say "the backup is in $to"
prune "$NIGHTLY" "$KEEP_NIGHTS"
