"""`python -m tests.chaos [NAME...]`: the long tests; what they saw goes to docs/measured.json."""

import argparse
import json
import secrets
import sys
from pathlib import Path

from tests.chaos import (
    folder_storm,
    hash_chain,
    large_conversion,
    measured,
    odd_requests,
    runfolder_drain,
    small_benches,
    solo_packs,
    solo_soak,
    solo_steps,
    solo_storm,
)
from tests.chaos.check import Check, CheckError

CHECKS = {
    "solo_storm": solo_storm.run,
    "solo_steps": solo_steps.run,
    "solo_packs": solo_packs.run,
    "folder_storm": folder_storm.run,
    "odd_requests": odd_requests.run,
    "runfolder_drain": runfolder_drain.run,
    "small_benches": small_benches.run,
    "large_conversion": large_conversion.run,
    "hash_chain": hash_chain.run,
    "solo_soak": solo_soak.run,
}
#: Whatever a check writes; what failed is kept.
FOLDER = measured.ROOT / "build" / "storm"


def main(words: list[str]) -> int:
    """0 if every check held, 1 if not."""
    arguments = _parser().parse_args(words)
    print(f"seed {arguments.seed}", file=sys.stderr)
    check = Check(
        seed=arguments.seed,
        folder=FOLDER / str(arguments.seed),
        workflows=arguments.workflows,
        kills=arguments.kills,
        corruptions=arguments.corruptions,
        good_runs=arguments.good_runs,
        case=arguments.case,
        requests=arguments.requests,
        files=arguments.files,
        minutes=arguments.minutes,
        sensors=arguments.sensors,
        rules=arguments.rules,
        rate=arguments.rate,
    )
    failed = 0
    for name in arguments.names or CHECKS:
        try:
            title, figures = CHECKS[name](check)
        except CheckError as err:
            failed = 1
            print(f"{name} FAILED, seed {arguments.seed}: {err}", file=sys.stderr)
        else:
            if not arguments.case:
                measured.record(title, arguments.seed, figures, arguments.record)
            print(json.dumps({title: figures}, indent=1, ensure_ascii=False))
    return failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make storm SEED=7 STORM='...'", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(CHECKS)}")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="(any)")
    parser.add_argument("--workflows", type=int, default=1000, help="(1000)")
    parser.add_argument("--kills", type=int, default=18, help="a third of each kind (18)")
    parser.add_argument("--corruptions", type=int, default=10_000, help="(10000)")
    parser.add_argument("--good-runs", type=int, default=1000, help="(1000)")
    parser.add_argument("--case", default="", help="one of folder_storm alone: 4711, good-12")
    parser.add_argument("--files", type=int, default=20_000, help="of hash_chain (20000)")
    parser.add_argument("--requests", type=int, default=50, help="an operation, of a kind (50)")
    parser.add_argument("--minutes", type=float, default=60, help="of a soak (60)")
    parser.add_argument("--sensors", type=int, default=5, help="of a soak (5)")
    parser.add_argument("--rules", type=int, default=50, help="of a soak (50)")
    parser.add_argument("--rate", type=float, default=5, help="events a second of a soak (5)")
    parser.add_argument("--record", type=Path, default=measured.FILE, help="(docs/measured.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
