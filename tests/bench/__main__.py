"""`python -m tests.bench [NAME...]`: measures, prints a table and writes build/bench.json."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.bench.bench import Bench, chosen, group_names, rows_of
from tests.bench.measure import ROOT, MeasureError
from tests.bench.row import Row, table


def main(words: list[str]) -> int:
    """0 if no goal is missed, 1 if one is, 2 if something could not be measured."""
    arguments = _parser().parse_args(words)
    try:
        names = chosen(arguments.names)
        rows = _measure(names, arguments.runs, arguments.small)
    except (ValueError, MeasureError) as err:
        print(err, file=sys.stderr)
        return 2
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    documents = [row.document() for row in rows]
    arguments.output.write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")
    print(table(rows))
    return 1 if any(row.met is False for row in rows) else 0


def _measure(names: tuple[str, ...], runs: int, small: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="arteriole-bench-") as scratch:
        bench = Bench(Path(scratch), runs, small)
        return [row for name in names for row in rows_of(name)(bench)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench BENCH='...'", description=__doc__)
    known = ", ".join(group_names())
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"the first letters of: {known}")
    parser.add_argument("--runs", type=_positive, default=5, help="repetitions (default 5)")
    parser.add_argument("--small", action="store_true", help="sizes of seconds, nothing is judged")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build" / "bench.json", help="(build/bench.json)"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {number}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
