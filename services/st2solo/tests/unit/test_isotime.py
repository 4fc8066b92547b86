"""st2common.util.isotime, as actions import it: st2common/tests/unit/test_isotime_utils.py."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from st2solo.runners.python_script import CHILD

_NOON = datetime(2000, 1, 1, 12, tzinfo=UTC)
_EAST = timezone(timedelta(hours=5, minutes=30), "IST")

_TEXTS = [
    ((_NOON,), {}, "2000-01-01T12:00:00.000000+00:00"),
    ((_NOON,), {"usec": False}, "2000-01-01T12:00:00+00:00"),
    ((_NOON,), {"usec": False, "offset": False}, "2000-01-01T12:00:00Z"),
    ((_NOON.replace(tzinfo=None),), {"usec": False}, "2000-01-01T12:00:00+00:00"),
    ((_NOON.replace(tzinfo=None),), {"offset": False}, "2000-01-01T12:00:00.000000Z"),
    ((_NOON.astimezone(_EAST),), {"usec": False}, "2000-01-01T17:30:00+05:30"),
    ((_NOON.astimezone(_EAST),), {"usec": False, "offset": False}, "2000-01-01T17:30:00IST"),
    (("2000-01-01 12:00:00Z",), {}, "2000-01-01T12:00:00.000000+00:00"),
    ((946728000,), {"usec": False}, "2000-01-01T12:00:00+00:00"),
]
_VALID = [
    "2000-01-01 12:00:00Z", "2000-01-01 12:00:00+00", "2000-01-01 12:00:00+0000",
    "2000-01-01 12:00:00+00:00", "2000-01-01T12:00:00.000000Z", "2000-01-01T12:00:00.000+00:00",
    "2000-01-01T12:00:00.0000Z",
]  # fmt: skip
_INVALID = ["2000-01-01", "2000-01-01T12:00:00", "2000-01-01T12:00:00+05:30", "12:00:00Z", 5, None]


@pytest.fixture(scope="module")
def isotime():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CHILD / "lib"))
        from st2common.util import isotime

        yield isotime


@pytest.mark.parametrize(("given", "options", "text"), _TEXTS)
def test_format(isotime, given, options, text):
    assert isotime.format(*given, **options) == text


@pytest.mark.parametrize("text", _VALID)
def test_parse(isotime, text):
    assert isotime.validate(text)
    assert isotime.parse(text) == _NOON
    assert isotime.parse(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize("value", _INVALID)
def test_what_is_no_moment_in_utc(isotime, value):
    assert not isotime.validate(value, raise_exception=False)
    with pytest.raises(ValueError, match="does not match"):
        isotime.parse(value)


def test_other_zones_where_they_are_asked_for(isotime):
    text = "2000-01-01T17:30:00+05:30"
    assert isotime.parse(text, validate_value=False).utcoffset() == timedelta(0)
    kept = isotime.parse(text, preserve_original_tz=True, validate_value=False)
    assert (kept, kept.utcoffset()) == (_NOON, timedelta(hours=5, minutes=30))
