#!/bin/sh
# Makes sure that the tools of the demo (with the word `test`: of the tests too) are there. As root
# on Debian they are installed; otherwise the one line to run is printed, and the tests that need
# what is missing will be skipped.
PATH="$PATH:/usr/sbin:/sbin"
packages=""
for pair in rsync:rsync sshd:openssh-server ssh-keygen:openssh-client; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair##*:}"
done
if [ "$1" = test ]; then
    command -v java >/dev/null 2>&1 || packages="$packages default-jre-headless"
    [ -e /usr/share/java/picard.jar ] || packages="$packages picard-tools libcommons-lang-java"
fi
[ -z "$packages" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$packages"
    # shellcheck disable=SC2086  # a list of words
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $packages >/dev/null
    exit
fi
echo "missing:$packages. They are installed by this line:" >&2
echo "    sudo apt-get install$packages" >&2
[ "$1" = test ]
