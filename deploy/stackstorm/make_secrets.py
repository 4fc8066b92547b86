"""Makes what is secret at the first start, each thing once; what is there is never overwritten.

make_secrets.py ADMIN [ROOT]: files below ROOT (/ unless given), each readable by its user alone.

Python 3.8 to 3.11: StackStorm's own.
"""

import crypt
import os
import pwd
import secrets
import subprocess
import sys
from pathlib import Path

#: Who reads what. The images of mongo, rabbitmq and redis on Debian run as 999.
DATABASES = 999
STACKSTORM = "st2"
GENERATE = "/opt/stackstorm/st2/bin/st2-generate-symmetric-crypto-key"


def uid_of(name):
    """Of StackStorm's user; ours where there is none, as in a test."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return os.getuid()


class Maker(object):
    def __init__(self, root):
        self.root = Path(root)

    def path(self, name):
        return self.root / name

    def folder(self, name, uid):
        path = self.path(name)
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
        if os.getuid() == 0:
            os.chown(str(path), uid, -1)

    def once(self, name, uid, make):
        """The text of the file; `make()` gives it if it is not there."""
        path = self.path(name)
        if path.exists():
            return path.read_text()
        text = make()
        partial = path.with_name(path.name + ".partial")
        descriptor = os.open(str(partial), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if os.getuid() == 0:
            os.chown(str(partial), uid, -1)
        partial.rename(path)
        print("made %s" % path)
        return text


def password():
    return secrets.token_hex(24)


def make(admin, root="/", generate=GENERATE):
    maker = Maker(root)
    st2 = uid_of(STACKSTORM)
    for folder, uid in (
        ("etc/st2/keys", st2),
        ("secrets/mongo", DATABASES),
        ("secrets/rabbitmq", DATABASES),
        ("secrets/redis", DATABASES),
        ("secrets/people", 0),
    ):
        maker.folder(folder, uid)
    mongo = maker.once("secrets/mongo/password", DATABASES, password)
    redis = maker.once("secrets/redis/password", DATABASES, password)
    rabbitmq = maker.once("etc/st2/keys/rabbitmq.password", st2, password)
    maker.once(
        "secrets/redis/redis.conf",
        DATABASES,
        lambda: "requirepass %s\nappendonly yes\ndir /data\n" % redis,
    )
    maker.once(
        "secrets/rabbitmq/20-user.conf",
        DATABASES,
        lambda: "default_user = stackstorm\ndefault_pass = %s\n" % rabbitmq,
    )
    maker.once(
        "etc/st2/keys/st2.secrets.conf",
        st2,
        lambda: (
            "[database]\nusername = stackstorm\npassword = %s\n\n"
            "[messaging]\nurl = amqp://stackstorm:%s@rabbitmq:5672\n\n"
            "[coordination]\nurl = redis://:%s@redis:6379\n" % (mongo, rabbitmq, redis)
        ),
    )
    person = maker.once("secrets/people/admin.password", 0, password).strip()
    maker.once(
        "etc/st2/keys/htpasswd",
        st2,
        lambda: "%s:%s\n" % (admin, crypt.crypt(person, crypt.mksalt(crypt.METHOD_SHA512))),
    )
    key = maker.path("etc/st2/keys/datastore_key.json")
    if not key.exists():
        partial = key.with_name("datastore_key.partial")
        if partial.exists():
            partial.unlink()
        os.umask(0o077)
        subprocess.check_call([generate, "--key-path", str(partial)], stdout=subprocess.DEVNULL)
        partial.chmod(0o600)
        if os.getuid() == 0:
            os.chown(str(partial), st2, -1)
        partial.rename(key)
        print("made %s" % key)


if __name__ == "__main__":
    make(*sys.argv[1:4])
