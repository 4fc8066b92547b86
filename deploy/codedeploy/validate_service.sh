#!/bin/sh
# The smoke test. If it fails, the release before this one is put back, with the state of the backup
# where this one has changed its form, and the exit code is 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=deploy/codedeploy/places.sh
. "$here/places.sh"

if [ -s "$problems_before" ]; then set -- --problems-before "$(cat "$problems_before")"; fi
rm -f "$problems_before"
if "$here/smoke.sh" "$@"; then
    say "$(readlink "$current") works"
    exit 0
fi

[ -L "$previous" ] || fail "the smoke test failed, and there is no release before this one"
systemctl stop st2solo.service
systemctl stop arteriole.service
bad=$(readlink "$current")
python=$current/arteriole/bin/python
saved=$(newest_backup)
for one in "$state" "$solo_state"; do
    copy=$saved/$(basename "$one")
    if [ -z "$saved" ] || [ ! -d "$copy" ] || [ ! -d "$one" ]; then continue; fi
    now=$("$python" "$current/deploy/backup.py" --schemas "$one")
    if [ "$now" = "$("$python" "$current/deploy/backup.py" --schemas "$copy")" ]; then continue; fi
    aside=$one.of-$(basename "$bad")
    rm -rf "$aside"
    mkdir -m 0700 "$aside"
    chown --reference="$one" "$aside"
    # What is in it, not the folder: that may be a mount point.
    find "$one/" -mindepth 1 -maxdepth 1 -exec mv -t "$aside" -- {} + ||
        fail "$one could not be moved to $aside, and each has a part of it now; the services stand"
    find "$copy/" -mindepth 1 -maxdepth 1 -exec cp -a -t "$one" -- {} +
    say "$one is that of $saved again; what the failed release made of it is in $aside"
done
point "$current" "$(readlink "$previous")"
rm -f "$bad/.complete"
for unit in arteriole.service st2solo.service; do
    cp "$current/deploy/systemd/$unit" "$units/$unit"
done
systemctl daemon-reload
start_units
fail "the smoke test failed; $(readlink "$current") is back"
