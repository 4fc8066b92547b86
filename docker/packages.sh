#!/bin/sh
# Installs the Debian packages named, as far as they are not there; python3 is not installed beside
# a Python that the image brought itself.
set -eu
wanted=""
for name in "$@"; do
    case $name in
        python3*) command -v python3 >/dev/null && python3 -c 'import venv, ensurepip' 2>/dev/null && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q '^install ok installed$' ||
        wanted="$wanted $name"
done
[ -z "$wanted" ] && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $wanted >/dev/null
rm -rf /var/lib/apt/lists/*
