#!/bin/sh
# Before each start of st2solo: the first user, whose password is made once, and the token that the
# services made, which is stored anew each time, since it may have been rotated.
#   st2solo-prepare.sh CONFIG USER PASSWORD_FILE TOKEN_FILE
set -eu
config=$1 user=$2 password=$3 token=$4
umask 077
if [ ! -s "$password" ]; then
    python3 -c 'import secrets; print(secrets.token_hex(16))' > "$password.partial"
    st2solo user add "$user" --config "$config" --password-file "$password.partial"
    mv "$password.partial" "$password"
fi
tries=0
while [ ! -s "$token" ]; do
    [ "$tries" -lt 60 ] || { echo "there is no token at $token: do the services run?" >&2; exit 1; }
    tries=$((tries + 1))
    sleep 1
done
st2solo key set arteria_token --encrypt --config "$config" --value-file "$token"
