"""Exit code 0 if every configured service of this container answers that it lives."""

import json
import os
import sys
import urllib.request
from pathlib import Path

from arteriole.app.config import load
from arteriole.app.errors import ArterioleError
from arteriole.serve import configured
from arteriole.settings import Settings


def main() -> int:
    try:
        settings = load(Path(os.environ["ARTERIOLE_CONFIG"]), Settings)
        urls = json.loads((settings.state_dir / "ports.json").read_text(encoding="utf-8"))
        for name in configured(settings):
            with urllib.request.urlopen(f"{urls[name]}/health", timeout=5) as answer:
                answer.read()
    except (ArterioleError, OSError, ValueError, KeyError) as err:
        print(f"not well: {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
