#!/bin/sh
# Attaches the data volume to this machine and mounts it by its label:
#   attach_volume.sh VOLUME INSTANCE LABEL MOUNTPOINT
# It never makes a file system: a volume without one may hold data that is not understood here.
set -eu
volume=$1 instance=$2 label=$3 at=$4
: "${TRIES:=60}" "${PAUSE:=5}" "${FSTAB:=/etc/fstab}"
fail() { echo "attach_volume.sh: $*" >&2; exit 1; }

holder() {
    aws ec2 describe-volumes --volume-ids "$volume" --output text \
        --query 'Volumes[0].Attachments[0].InstanceId'
}

# A machine that this one replaces may hold it for a while yet.
tries=0
while :; do
    by=$(holder)
    case $by in
        "$instance") break ;;
        None | "")
            aws ec2 attach-volume --volume-id "$volume" --instance-id "$instance" --device /dev/sdf >/dev/null &&
                break
            ;;
    esac
    tries=$((tries + 1))
    [ "$tries" -lt "$TRIES" ] || fail "$volume is held by $by, and was not let go"
    sleep "$PAUSE"
done

tries=0
while ! device=$(blkid -L "$label"); do
    tries=$((tries + 1))
    [ "$tries" -lt "$TRIES" ] ||
        fail "$volume has no file system labelled $label. If it is new and blank, make one, once:" \
            "mkfs.ext4 -L $label DEVICE (lsblk tells which); then run this again"
    sleep "$PAUSE"
done

mkdir -p "$at"
grep -q "^LABEL=$label " "$FSTAB" || echo "LABEL=$label $at auto defaults,nofail,noatime 0 2" >> "$FSTAB"
mountpoint -q "$at" || mount "LABEL=$label" "$at"
echo "$device ($volume) is mounted at $at"
