#!/bin/sh
# Installs the bundle into a folder of its own, without a network, and checks the configuration
# with it before anything leads there. Stores are migrated by the services when they start.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

bundle=$incoming/bundle
[ -f "$bundle/install.sh" ] || fail "there is no bundle in $incoming: make revision puts it there"
name=$(sha256sum "$bundle/SHA256SUMS" | cut -c -12)
release=$releases/$name
if [ ! -f "$release/.complete" ]; then
    # An install that was cut off is put right by the same install.
    sh "$bundle/install.sh" "$release" "$PYTHON"
    rm -rf "$release/deploy"
    cp -R "$incoming/deploy" "$release/deploy"
    chmod -R a+rX "$release"
    touch "$release/.complete"
fi

for file in arteriole.yaml st2solo.yaml; do
    [ -f "$etc/$file" ] || fail "$etc/$file is missing: copy the example of docs/install.md and name your folders"
done
"$release/st2solo/bin/python" "$here/../pack_configs.py" "$etc/st2solo.yaml" "$current" "$release" ||
    fail "the packs are not configured"
"$release/bin/arteriole" --config "$etc/arteriole.yaml" config check

if [ -L "$current" ] && [ "$(readlink "$current")" != "$release" ]; then
    point "$previous" "$(readlink "$current")"
fi
point "$current" "$release"
say "$current leads to $release"

# Jobs that are running were started from an older release, so a few are kept.
kept="$(readlink "$current") $(readlink "$previous" 2>/dev/null || true)"
find "$releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | LC_ALL=C sort -rn | cut -d' ' -f2- |
    tail -n +"$((KEEP_RELEASES + 1))" | while IFS= read -r old; do
    case " $kept " in *" $old "*) continue ;; esac
    rm -rf "$old"
    say "$old is removed"
done
prune "$backups" "$KEEP_BACKUPS"
