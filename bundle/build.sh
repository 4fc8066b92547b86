#!/bin/sh
# Makes the folder $1 and $1.tar.gz: everything that installs Arteriole where there is no network.
# The other words are what pip is to fetch for the st2 command; $PYTHON (python3) decides for which
# Python the wheels are. `make bundle` calls it, with the packs in $1/packs.
set -eu
: "${PYTHON:=python3}"
to=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rm -rf "$to/wheels" "$to.tar.gz"
mkdir -p "$to/wheels"
# A copy, since building leaves files beside the sources, which the next build would take for new;
# with what links lead to: the runbook.
for name in arteriole st2solo; do
    mkdir "$work/$name"
    cp -RL "services/$name/pyproject.toml" "services/$name/src" "$work/$name"
    rm -rf "$work/$name/src/"*.egg-info
    find "$work/$name" -name __pycache__ -prune -exec rm -rf {} +
done
cp services/st2solo/README.md "$work/st2solo"
"$PYTHON" -m venv "$work/venv"
wheel() {
    "$work/venv/bin/python" -m pip --quiet --disable-pip-version-check wheel --use-pep517 \
        --wheel-dir "$to/wheels" "$@"
}
# One call an environment: what one of them needs is no limit to the others.
wheel "$work/arteriole"
wheel "$work/st2solo"
wheel "$@"
wheel pip

sh bundle/pages.sh "$to"
cp bundle/install.sh bundle/README "$to"
"$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' > "$to/python-version"
(
    cd "$to"
    rm -f SHA256SUMS
    find . -type f ! -path './packs/*/.git/*' ! -name SHA256SUMS | LC_ALL=C sort > "$work/files"
    while IFS= read -r file; do sha256sum "$file"; done < "$work/files" > "$work/sums"
    cp "$work/sums" SHA256SUMS
)
tar -C "$(dirname "$to")" -czf "$to.tar.gz" "$(basename "$to")"
echo "$to.tar.gz"
