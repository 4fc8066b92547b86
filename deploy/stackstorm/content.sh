#!/bin/sh
# Environments of packs first, their content after: a sensor whose environment is not there when
# it is registered does not start, and is not tried again. Roles last. Before all of it the packs'
# configurations are put beside those that StackStorm has itself.
set -eu
: "${CONFIGS:=/opt/stackstorm/configs}"
for file in "$CONFIGS.arteriole"/*.yaml; do
    cp "$file" "$CONFIGS/.new"
    mv "$CONFIGS/.new" "$CONFIGS/$(basename "$file")"
done
settings="--config-file=/etc/st2/st2.conf --config-file=/etc/st2/st2.docker.conf"
settings="$settings --config-file=/etc/st2/keys/st2.secrets.conf --config-file=/etc/st2/st2.user.conf"
: "${ST2_BIN:=/opt/stackstorm/st2/bin}"
# shellcheck disable=SC2086  # a list of options
"$ST2_BIN/st2-register-content" $settings --register-setup-virtualenvs
# shellcheck disable=SC2086
"$ST2_BIN/st2-register-content" $settings --register-all --register-fail-on-failure
# shellcheck disable=SC2086
"$ST2_BIN/st2-apply-rbac-definitions" $settings
