"""The section `observe`."""

import pytest
from pydantic import ValidationError

from arteriole.observe.settings import ObserveSettings


def test_patterns() -> None:
    assert ObserveSettings().others == []
    assert ObserveSettings(others=["/a/{run}/b"]).others == ["/a/{run}/b"]


@pytest.mark.parametrize("pattern", ["", "a/{run}", "/a/b", "/a/{name}", "/{run}\0"])
def test_a_pattern_that_is_none(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"with \{run\} in the place"):
        ObserveSettings(others=[pattern])
