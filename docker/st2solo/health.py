"""Exit code 0 if the st2solo of this container answers."""

import json
import sys
import urllib.request
from pathlib import Path

PORTS = Path("/var/lib/st2solo/ports.json")


def main() -> int:
    try:
        port = json.loads(PORTS.read_text(encoding="utf-8"))["api"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/metrics", timeout=5) as answer:
            answer.read()
    except (OSError, ValueError, KeyError) as err:
        print(f"not well: {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
