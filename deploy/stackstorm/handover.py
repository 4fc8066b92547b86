"""Puts the token that the services made into StackStorm's datastore, encrypted.

It runs before each start of the sensor; a token that is there already is left as it is.

Python 3.8: StackStorm's own, with requests.
"""

import argparse
import sys

import requests

KEY = "arteria_token"
SECONDS = 30


class HandoverError(Exception):
    """The token was not handed over."""


def first_line(path):
    with open(path) as file:
        return file.readline().strip()


def answered(answer, what, also=()):
    if answer.status_code >= 400 and answer.status_code not in also:
        raise HandoverError("%s: HTTP %d" % (what, answer.status_code))
    return answer


def hand_over(auth, api, user, password, token):
    """True if it was stored now, False if it was there."""
    with requests.Session() as session:
        session.trust_env = False
        login = session.post(auth + "/tokens", json={}, auth=(user, password), timeout=SECONDS)
        made = answered(login, "the login of %s at %s" % (user, auth)).json()
        session.headers["X-Auth-Token"] = made["token"]
        url = "%s/v1/keys/%s" % (api, KEY)
        found = session.get(url, params={"scope": "system", "decrypt": "true"}, timeout=SECONDS)
        answered(found, "reading the key", also=(404,))
        if found.status_code == 200:
            known = found.json()
            if known.get("value") == token and known.get("secret"):
                return False
        body = {"name": KEY, "value": token, "scope": "system", "secret": True}
        answered(session.put(url, json=body, timeout=SECONDS), "storing the key")
        return True


def main():
    parser = argparse.ArgumentParser(description="Hands the services' token to StackStorm.")
    for name in ("auth", "api", "user", "password-file", "token-file"):
        parser.add_argument("--" + name, required=True)
    words = parser.parse_args()
    try:
        password, token = first_line(words.password_file), first_line(words.token_file)
        stored = hand_over(words.auth, words.api, words.user, password, token)
    except (HandoverError, requests.RequestException, OSError) as err:
        sys.stderr.write("handover failed: %s\n" % err)
        return 1
    print("the services' token %s" % ("is stored" if stored else "was there"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
