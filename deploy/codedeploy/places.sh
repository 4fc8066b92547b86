# Where things are; the hooks and nightly.sh read this file. DESTDIR is put before every path, for a
# trial in a scratch folder. A machine's own values stand in /etc/arteriole/deploy.env:
#   RUNFOLDER_URL=http://127.0.0.1:8180
#   SMOKE=services                 the smoke test: services, or chain, with a run (docs/operate.md)
#   SMOKE_SECONDS=600              most seconds for it
#   SMOKE_SAMPLES=2                samples of the run: how many, or a CSV with samples of your own
#   LANDING=/data/incoming         where the run is written
#   PYTHON=python3.11              the Python of the bundle
#   KEEP_RELEASES=3               these three are whole numbers from 1 to 9999
#   KEEP_BACKUPS=5                 of those that deployments make
#   NIGHTLY=/mnt/backup/arteriole  where nightly.sh puts its own
#   KEEP_NIGHTS=14
# shellcheck shell=sh disable=SC2034  # they are used where this file is read
: "${DESTDIR:=}"
etc=$DESTDIR/etc/arteriole
opt=$DESTDIR/opt/arteriole
incoming=$opt/incoming
releases=$opt/releases
current=$opt/current
previous=$opt/previous
# how many problems st2solo had with its packs before the deployment
problems_before=$opt/problems-before
state=$DESTDIR/var/lib/arteriole
solo_state=$DESTDIR/var/lib/st2solo
backups=$DESTDIR/var/backups/arteriole
units=$DESTDIR/etc/systemd/system
RUNFOLDER_URL=http://127.0.0.1:8180
: "${SMOKE:=services}"
SMOKE_SECONDS=600
SMOKE_SAMPLES=2
LANDING=/data/incoming
PYTHON=python3
KEEP_RELEASES=3
KEEP_BACKUPS=5
own_nightly=$DESTDIR/var/backups/arteriole-nightly
NIGHTLY=$own_nightly
KEEP_NIGHTS=14
# shellcheck disable=SC1091  # it is the machine's
if [ -f "$etc/deploy.env" ]; then . "$etc/deploy.env"; fi

# The services' user reads what is installed, whatever root's own umask is.
umask 022

say() { echo "$(basename "$0"): $*"; }
fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

# require_count NAME VALUE: VALUE is a whole number from 1 on.
require_count() {
    case $2 in
        "" | 0* | *[!0-9]* | ?????*)
            fail "expected $1 from 1 to 9999 in $etc/deploy.env, a whole number, found '$2'" ;;
    esac
}
require_count KEEP_RELEASES "$KEEP_RELEASES"
require_count KEEP_BACKUPS "$KEEP_BACKUPS"
require_count KEEP_NIGHTS "$KEEP_NIGHTS"

# point LINK TARGET: LINK leads to TARGET from one moment to the next.
point() {
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

# as_service COMMAND...: as the services' user, who owns the state; as it is in a trial.
as_service() {
    if [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ]; then
        runuser -u arteriole -- "$@"
    else
        "$@"
    fi
}

# backups_in FOLDER: the whole backups there, which are named by their time, the newest first.
# NB: nothing else that is in FOLDER counts. FOLDER may be a link.
backups_in() {
    day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
    find "${1%/}/" -mindepth 1 -maxdepth 1 -type d -name "${day}T[0-9]*Z-*" ! -name '*.partial' |
        LC_ALL=C sort -r
}

# the newest backup that a deployment has made; empty if there is none
newest_backup() {
    backups_in "$backups" 2>/dev/null | head -n 1
}

# prune FOLDER COUNT: of the backups there the newest COUNT stay.
prune() {
    backups_in "$1" | tail -n +"$(($2 + 1))" | while IFS= read -r old; do
        rm -rf "$old"
        say "$old is removed"
    done
}

start_units() {
    systemctl enable arteriole.service st2solo.service
    systemctl restart arteriole.service
    systemctl restart st2solo.service
}
