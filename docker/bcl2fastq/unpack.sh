#!/bin/sh
# Unpacks a site's own bcl2fastq2 package: unpack.sh FOLDER PACKAGE SHA256 TO
# In TO is then the tree of the package, with bcl2fastq in /usr/local/bin.
set -eu
folder=$1 package=$2 sha256=$3 to=$4
fail() { echo "bcl2fastq: $*" >&2; exit 1; }

[ -n "$package" ] ||
    fail "no package is named: put bcl2fastq2 of Illumina's download page into docker/bcl2fastq" \
        "and give --build-arg PACKAGE=its-name --build-arg SHA256=its-sha256"
case $package in
    */* | .* | *[!A-Za-z0-9._-]*) fail "PACKAGE is a file name of A-Z a-z 0-9 . _ -; found $package" ;;
esac
[ -f "$folder/$package" ] ||
    fail "$package is not there: put it into docker/bcl2fastq, the folder of this Dockerfile"
[ "${#sha256}" = 64 ] ||
    fail "SHA256 is missing: give --build-arg SHA256= the 64 digits that sha256sum $package prints"
found=$(sha256sum "$folder/$package" | cut -c -64)
[ "$found" = "$sha256" ] ||
    fail "$package has the sha256 $found, expected $sha256: it is another file, or was cut short"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need_bsdtar() {
    command -v bsdtar >/dev/null && return
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends libarchive-tools; } >/dev/null ||
        fail "bsdtar (Debian's libarchive-tools) is needed to unpack $package"
}
unpack() {  # FILE
    case $1 in
        *.deb) dpkg-deb -x "$1" "$work/tree" ;;
        *.rpm) need_bsdtar; mkdir -p "$work/tree"; bsdtar -xf "$1" -C "$work/tree" ;;
        *.zip)
            need_bsdtar
            mkdir -p "$work/zip"
            bsdtar -xf "$1" -C "$work/zip"
            inner=$(find "$work/zip" -type f \( -name '*.rpm' -o -name '*.deb' \))
            [ "$(echo "$inner" | grep -c .)" = 1 ] || fail "$package does not hold one .rpm or .deb"
            unpack "$inner"
            ;;
        *) fail "$package is no .rpm, .zip or .deb" ;;
    esac
}
unpack "$folder/$package" || fail "$package cannot be unpacked: it is not what its name says"
program=$(find "$work/tree" -path '*/bin/bcl2fastq' -type f | head -n 1)
[ -n "$program" ] || fail "$package has no bin/bcl2fastq: it is the package of something else"
chmod 0755 "$program"
tree=$(dirname "$(dirname "$program")")
mkdir -p "$to/usr/local"
cp -R "$tree/." "$to/usr/local"
