#!/bin/sh
# Runs one process of StackStorm with this deployment's settings: run.sh st2api
set -eu
exec "/opt/stackstorm/st2/bin/$1" \
    --config-file=/etc/st2/st2.conf \
    --config-file=/etc/st2/st2.docker.conf \
    --config-file=/etc/st2/keys/st2.secrets.conf \
    --config-file=/etc/st2/st2.user.conf
