"""The long kill test of st2solo; see storm."""

import json
import shutil
from typing import Any

from tests.chaos import plan as plans
from tests.chaos.check import Check, CheckError
from tests.chaos.storm import Storm, StormError
from tests.chaos.verdict import figures, problems


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: a workflow does not end, or something was done twice, or not at all.
    """
    plan = plans.make(check.seed, check.workflows, check.kills)
    folder = check.folder / "solo_storm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    look = (
        f"{folder}: serve.log, lines, executions.json (what the API showed at the end), state"
        " (`st2solo serve` there goes on with it)"
    )
    try:
        seen = Storm(folder, plan).run()
    except StormError as err:
        raise CheckError([str(err)], look) from err
    if found := problems(plan, seen):
        told = json.dumps(figures(plan, seen), ensure_ascii=False)
        raise CheckError([*found, told], look)
    shutil.rmtree(folder)
    title = f"st2solo: {check.workflows:,} workflows under {check.kills} kills"
    return title, figures(plan, seen)
