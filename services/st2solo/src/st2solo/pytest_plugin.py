"""The pytest fixture `st2solo`; pytest finds it wherever st2solo is installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from st2solo.trial import Trial


@pytest.fixture(name="st2solo")
def st2solo_fixture(tmp_path: Path) -> "Iterator[Trial]":
    """A throw-away st2solo: `st2solo.packs(...)` starts it, the end of the test ends it."""
    from st2solo.trial import Trial

    with Trial(tmp_path / "st2solo") as trial:
        yield trial
