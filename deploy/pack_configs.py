"""Says which packs that st2solo.yaml names have no configuration yet.

pack_configs.py ST2SOLO_YAML [CURRENT RELEASE]: what it names below the folder CURRENT is looked for
below RELEASE, which CURRENT is to lead to.

Exit code 1: a configuration or a folder is missing, and is named. It needs PyYAML, as st2solo does.
"""

import sys
from pathlib import Path
from typing import Any

import yaml


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def moved(folder: Path, current: Path, release: Path) -> Path:
    if not folder.is_relative_to(current):
        return folder
    return release / folder.relative_to(current)


def packs_in(root: Path) -> list[Path]:
    """The packs directly below it; it may itself be one."""
    candidates = [root] if (root / "pack.yaml").is_file() else sorted(root.iterdir())
    return [folder for folder in candidates if (folder / "pack.yaml").is_file()]


def wants_configuration(folder: Path) -> bool:
    """It requires a key that has no default, or it ships an example to be copied."""
    schema = folder / "config.schema.yaml"
    keys = read(schema) if schema.is_file() else None
    if not isinstance(keys, dict):  # there is none, or none that st2solo takes
        return False
    required = any(
        isinstance(key, dict) and key.get("required") and "default" not in key
        for key in keys.values()
    )
    return required or any(folder.glob("*.yaml.example"))


def missing(config: Path, current: Path, release: Path) -> list[str]:
    """What is missing, each in words; nothing of a pack that does without a configuration."""
    told, base = read(config), config.resolve().parent
    configs, found = base / told.get("configs", "configs"), []
    for name in told.get("packs", ()):  # st2solo says what else is wrong with the file
        root = moved(base / name, current, release)
        if not root.is_dir():
            found.append(f"{root}, which {config} names, is no folder")
            continue
        for folder in packs_in(root):
            pack = read(folder / "pack.yaml")
            file = configs / f"{pack.get('ref', pack['name'])}.yaml"
            if wants_configuration(folder) and not file.is_file():
                examples = sorted(folder.glob("*.yaml.example"))
                what = f"copy {examples[0]}" if examples else f"see {folder / 'config.schema.yaml'}"
                found.append(f"{file} is missing: {what}, or take that pack out of {config}")
    return found


def main(config: str, current: str = "/nowhere", release: str = "/nowhere") -> int:
    try:
        found = missing(Path(config), Path(current), Path(release))
    except (OSError, yaml.YAMLError) as err:
        found = [f"{config} or a pack that it names cannot be read: {err}"]
    for words in found:
        print(words, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
