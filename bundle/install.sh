#!/bin/sh
# Installs Arteriole from this folder, without a network: sh install.sh FOLDER [PYTHON]
# Nothing is written outside of FOLDER; a second run puts it right again.
set -eu
to=${1:?usage: sh install.sh FOLDER [PYTHON]}
python=${2:-python3}
here=$(cd "$(dirname "$0")" && pwd)
fail() { echo "install.sh: $*" >&2; exit 1; }

needed=$(cat "$here/python-version")
command -v "$python" >/dev/null 2>&1 ||
    fail "$python was not found; name a Python $needed: sh install.sh $to /path/to/python$needed"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$found" = "$needed" ] ||
    fail "these wheels are for Python $needed, $python is $found; name another as second word"
if command -v sha256sum >/dev/null 2>&1; then
    (cd "$here" && sha256sum --quiet -c SHA256SUMS) ||
        fail "the files above are not as they were packed; copy the bundle again"
fi

if [ -d "$to" ] && [ ! -e "$to/.arteriole" ] && [ -n "$(ls -A "$to")" ]; then
    fail "$to is not empty and was not made by this script; name a new folder"
fi
mkdir -p "$to/bin"
to=$(cd "$to" && pwd)
touch "$to/.arteriole"
pip=$(echo "$here"/wheels/pip-*.whl)
install() {
    environment=$to/$1
    shift
    # Without ensurepip, which some distributions leave out: pip is run from its own wheel.
    "$python" -m venv --without-pip --clear "$environment"
    PYTHONPATH=$pip PIP_CONFIG_FILE=/dev/null "$environment/bin/python" -m pip --isolated --quiet \
        --disable-pip-version-check install --no-index --no-cache-dir \
        -f "$here/wheels" "$@"
}
install arteriole arteriole
install st2solo st2solo
install st2 st2client 'setuptools<81' 'standard-pipes; python_version >= "3.13"'
ln -sf ../arteriole/bin/arteriole ../st2solo/bin/st2solo ../st2/bin/st2 "$to/bin"
for part in packs docs services README.md LICENSE; do
    rm -rf "${to:?}/$part"
    cp -R "$here/$part" "$to/$part"
done
echo "installed; next: PATH=$to/bin:\$PATH, and $to/docs/arteriole.yaml.example"
for tool in rsync ssh; do
    command -v "$tool" >/dev/null 2>&1 ||
        echo "note: $tool is not on PATH; the transfer service needs it (transfer.$tool)"
done
