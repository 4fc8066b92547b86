#!/bin/sh
# Starts the proxy once it knows its names.
set -eu
[ -n "$DOMAIN" ] || { echo "DOMAIN of .env names no host: the proxy needs one for its certificate" >&2; exit 1; }
[ -n "$ACME_EMAIL" ] || { echo "ACME_EMAIL of .env is empty: Let's Encrypt warns there" >&2; exit 1; }
# Without StackStorm there is no second name; this one is never asked for and has no certificate.
ST2_DOMAIN=${ST2_DOMAIN:-http://st2.invalid}
export ST2_DOMAIN
exec caddy run --config /etc/caddy/Caddyfile --adapter caddyfile
