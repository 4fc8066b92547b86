"""What all tests of a pack share.

Source: st2tests/pack_resource.py of StackStorm 3.9.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from unittest import TestCase


class BasePackResourceTestCase(TestCase):
    """A test in a file of `<pack>/tests`."""

    def get_fixture_content(self, fixture_path: str) -> str:
        """The text of a file in `<pack>/tests/fixtures`."""
        file = Path(self._get_base_pack_path()) / "tests" / "fixtures" / fixture_path
        return file.read_text(encoding="utf-8")

    def _get_base_pack_path(self) -> str:
        return str(Path(inspect.getfile(type(self))).absolute().parents[1])
