"""What goes wrong in a converter is a ConversionError, with the code that it had."""

import errno

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.conversion import ConversionError, conversion_errors

OWN = ConversionError("own", code="convert.stats")


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (OWN, "convert.stats", "own"),
        (ArterioleError("x", code="docker.image", hint="h", field="f"), "docker.image", "x"),
        (OSError(errno.ENOSPC, "no space"), "convert.disk_full", "no space"),
        (OSError(errno.EDQUOT, "quota"), "convert.disk_full", "quota"),
        (OSError(errno.EACCES, "denied"), "convert.io", "denied"),
    ],
)
def test_each_is_told_by_its_code(raised: Exception, code: str, said: str) -> None:
    with pytest.raises(ConversionError, match=said) as told, conversion_errors():
        raise raised
    assert told.value.code == code
    if isinstance(raised, ArterioleError):
        assert (told.value.hint, told.value.field) == (raised.hint, raised.field)
    if raised is OWN:
        assert told.value is OWN


def test_what_is_not_foreseen_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="x"), conversion_errors():
        raise ValueError("x")
