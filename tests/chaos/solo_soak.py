"""An hour of st2solo under a steady load: memory, store and answers stay as they are; see soak."""

import json
import shutil
from dataclasses import asdict
from typing import Any

from tests.chaos.check import Check, CheckError
from tests.chaos.plan import Soak
from tests.chaos.soak import SoakError, Soaking
from tests.chaos.soak_verdict import figures, problems


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: something was lost or done twice, or memory, store or latency grow.
    """
    soak = Soak(check.minutes, check.sensors, check.rules, check.rate)
    folder = check.folder / "solo_soak"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    look = f"{folder}: serve.log, samples.json, state"
    try:
        seen = Soaking(folder, soak).run()
    except SoakError as err:
        raise CheckError([str(err)], look) from err
    samples = json.dumps([asdict(one) for one in seen.samples])
    (folder / "samples.json").write_text(samples)
    if found := problems(soak, seen):
        told = json.dumps(figures(soak, seen), ensure_ascii=False)
        raise CheckError([*found, told], look)
    shutil.rmtree(folder)
    title = (
        f"st2solo: {soak.minutes:g} minutes of {soak.rate:g} events a second by {soak.sensors}"
        f" sensors, {soak.rules} rules"
    )
    return title, figures(soak, seen)
