#!/bin/sh
# Makes sure that the tools of the demo and the tests are there: as root on Debian they are
# installed, otherwise the one line to run is printed.
PATH="$PATH:/usr/sbin:/sbin"
packages=""
for pair in rsync:rsync sshd:openssh-server ssh-keygen:openssh-client; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair##*:}"
done
[ -z "$packages" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$packages"
    # shellcheck disable=SC2086  # a list of words
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $packages >/dev/null
    exit
fi
echo "missing:$packages. Run this line, then try again:" >&2
echo "    sudo apt-get install$packages" >&2
exit 1
