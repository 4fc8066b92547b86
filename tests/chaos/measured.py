"""docs/measured.json: what the long tests saw, by the name of the check."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PLACE = "docs/measured.json"
FILE = ROOT / _PLACE


def commit() -> str:
    """Of the tree, with `-dirty` where something in it, but these figures, is not committed."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{_PLACE}")
    return _git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def record(check: str, seed: int | None, figures: dict[str, Any], file: Path = FILE) -> None:
    """Write the figures of a check beside those of others, in place of its earlier ones."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known[check] = {"commit": commit(), "seed": seed, "figures": figures}
    text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
