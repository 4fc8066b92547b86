#!/bin/bash
# StackStorm's bot; its two secrets come from files and are in no file of ours.
set -eu
token=$(cat /run/secrets/chat_token) key=$(cat /run/secrets/st2_api_key)
[ -n "$token" ] || { echo "CHAT_TOKEN_FILE of .env names no file with the chat's token" >&2; exit 1; }
[ -n "$key" ] || { echo "ST2_API_KEY_FILE of .env names no file with a key of the user chatops" >&2; exit 1; }
[[ $TOKEN_VARIABLE =~ ^[A-Z][A-Z0-9_]*$ ]] || { echo "HUBOT_TOKEN_VARIABLE is no name" >&2; exit 1; }
export "$TOKEN_VARIABLE=$token" ST2_API_KEY="$key"
cd /opt/stackstorm/chatops
exec bin/hubot
