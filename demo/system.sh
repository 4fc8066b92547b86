#!/bin/sh
# Makes sure that the tools of the demo (with the word `test`: of the tests too; `docker`:
# of `make docker-test`) are there, on PATH
# or where distributions put sshd. As root on Debian what is missing is installed; otherwise it is
# named with what has it, and the tests that need it will be skipped.
PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"
missing="" packages=""
lack() {  # TOOL PACKAGE
    missing="$missing $1"
    case "$packages " in *" $2 "*) ;; *) packages="$packages $2" ;; esac
}
need() { command -v "$1" >/dev/null 2>&1 || lack "$1" "$2"; }

need rsync rsync
need sshd openssh-server
need ssh openssh-client
need ssh-keygen openssh-client
need bwa bwa
need samtools samtools
need bcftools bcftools
if [ "$1" = test ]; then
    need b3sum b3sum
    need sudo sudo
    need sbatch slurm-wlm
    need munged munge
    need shellcheck shellcheck
    need docker-compose docker-compose
    need logrotate logrotate
    need systemd-analyze systemd
    need chromium chromium
    need chromedriver chromium-driver
    { [ -n "$JAVA_HOME" ] && [ -x "$JAVA_HOME/bin/java" ]; } || need java default-jre-headless
    found=""
    for jar in ${PICARD_JAR:+"$PICARD_JAR"} /usr/share/java/picard.jar /usr/picard/picard.jar \
        /opt/picard/picard.jar; do
        [ -e "$jar" ] && found=$jar
    done
    for kind in proxy account container object; do
        need "swift-$kind-server" "swift-$kind"
    done
    [ -n "$found" ] || lack picard.jar "picard-tools libcommons-lang-java"
fi
if [ "$1" = docker ]; then
    need debootstrap debootstrap
    need docker-compose docker-compose
    need docker docker.io
fi
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$packages"
    # the tests start what they need: nothing that comes with a package is to run by itself
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    fi
    # shellcheck disable=SC2086  # a list of words
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $packages >/dev/null
    exit
fi
echo "not found on PATH, nor in /usr/sbin:$missing" >&2
echo "On Debian they are installed by:  sudo apt-get install$packages" >&2
echo "Elsewhere ask for rsync, the OpenSSH client and server, bwa, samtools, bcftools, Java," >&2
echo "Chromium, Slurm, OpenStack Swift, b3sum; or put their folder on PATH (Java also as JAVA_HOME, Picard as" >&2
echo "PICARD_JAR=/path/to/picard.jar)." >&2
[ "$1" = test ]
