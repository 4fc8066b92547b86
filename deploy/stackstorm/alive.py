"""Exit code 0 if this container's process lives.

alive.py answers PORT: something answers HTTP there, whatever it says.
alive.py connected PORT: there is an established connection to that port of another host; a process
of StackStorm without a port of its own holds one to RabbitMQ or MongoDB while it works.

Python 3.8: StackStorm's own.
"""

import sys
import urllib.error
import urllib.request
from pathlib import Path

ESTABLISHED = "01"  # include/net/tcp_states.h of Linux


def answers(port):
    try:
        urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def connected(port):
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net", name)
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == ESTABLISHED and int(words[2].rpartition(":")[2], 16) == port:
                return True
    return False


def main(words):
    how = {"answers": answers, "connected": connected}[words[0]]
    if how(int(words[1])):
        return 0
    print("not well: %s %s" % (words[0], words[1]))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
