#!/bin/sh
# Puts into the folder $1 the pages and examples that come with a bundle, each where the links of the
# others look for it. The packs, which have pages too, are put there by `make bundle`.
set -eu
to=$1

rm -rf "$to/docs" "$to/services"
mkdir -p "$to/services/arteriole" "$to/services/st2solo"
cp -R docs "$to/docs"
cp README.md LICENSE "$to"
cp services/arteriole/arteriole.yaml.example "$to/services/arteriole"
cp -R services/st2solo/README.md services/st2solo/st2solo.yaml.example services/st2solo/examples "$to/services/st2solo"
find "$to/services" -name __pycache__ -prune -exec rm -rf {} +
# what is copied from there to /etc/arteriole
cp services/arteriole/arteriole.yaml.example services/st2solo/st2solo.yaml.example "$to/docs"
