"""docs/measured.json: what the long tests saw, by the name of the check."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "measured.json"


def commit() -> str:
    """Of the tree, with `-dirty` where something in it is not committed."""
    words = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def record(check: str, seed: int | None, figures: dict[str, Any], file: Path = FILE) -> None:
    """Write the figures of a check beside those of others, in place of its earlier ones."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known[check] = {"commit": commit(), "seed": seed, "figures": figures}
    text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
