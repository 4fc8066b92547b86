# Where things are; the hooks and nightly.sh read this file. DESTDIR is put before every path, for a
# trial in a scratch folder. A machine's own values stand in /etc/arteriole/deploy.env:
#   RUNFOLDER_URL=http://127.0.0.1:8180
#   SMOKE=services                 the smoke test: services, or chain, with a run (docs/operate.md)
#   SMOKE_SECONDS=600              most seconds for it
#   SMOKE_SAMPLES=2                samples of the run: how many, or a CSV with samples of your own
#   LANDING=/data/incoming         where the run is written
#   PYTHON=python3.11              the Python of the bundle
#   KEEP_RELEASES=3
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
NIGHTLY=$DESTDIR/var/backups/arteriole-nightly
KEEP_NIGHTS=14
# shellcheck disable=SC1091  # it is the machine's
if [ -f "$etc/deploy.env" ]; then . "$etc/deploy.env"; fi

# The services' user reads what is installed, whatever root's own umask is.
umask 022

say() { echo "$(basename "$0"): $*"; }
fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

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

# the newest backup; empty if there is none
newest_backup() {
    find "$backups" -mindepth 1 -maxdepth 1 -type d ! -name '*.partial' 2>/dev/null | LC_ALL=C sort | tail -n 1
}

# prune FOLDER COUNT: of the backups there, which are named by their time, the newest COUNT stay, one
# at least. NB: nothing else that is in FOLDER is touched.
prune() {
    day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
    find "$1" -mindepth 1 -maxdepth 1 -type d -name "${day}T[0-9]*Z-*" ! -name '*.partial' |
        LC_ALL=C sort -r | tail -n +"$((($2 > 1 ? $2 : 1) + 1))" | while IFS= read -r old; do
        rm -rf "$old"
        say "$old is removed"
    done
}

start_units() {
    systemctl enable arteriole.service st2solo.service
    systemctl restart arteriole.service
    systemctl restart st2solo.service
}
