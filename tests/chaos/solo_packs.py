"""The long tests of how st2solo installs packs: kills at every step, and Python environments."""

from typing import Any

from tests.chaos.check import Check, CheckError
from tests.chaos.solo_steps import seconds_of, storm_tests

_FOLDER = "tests/integration/serve"
_TESTS = (f"{_FOLDER}/test_pack_install_killed.py", f"{_FOLDER}/test_pack_install.py")
TITLE = "st2solo: killed while it installs packs, and packs with requirements"


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: one of them fails, or there was no kill.
    """
    suite, report = storm_tests(check, "packs", *_TESTS)
    kills = [int(p.get("value", 0)) for p in suite.iter("property") if p.get("name") == "kills"]
    if len(kills) != 2:
        raise CheckError([f"expected two tests that kill, found {kills}"], str(report))
    return TITLE, {"kills": sum(kills), "seconds": seconds_of(suite)}
