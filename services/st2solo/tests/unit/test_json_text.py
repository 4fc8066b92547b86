"""JSON as orjson reads it, with which StackStorm 3.9 does."""

import math

import pytest

from st2solo import json_text

#: The file of StackStorm whose behaviour the rows give.
SOURCE = "st2common/st2common/util/jsonify.py"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("5", 5),
        ("-0", 0),
        ('"äö"', "äö"),
        ('"\\u00e4"', "ä"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 1.8446744073709552e19),
        ("-9223372036854775808", -9223372036854775808),
        ("-9223372036854775809", -9.223372036854775808e18),
        ("1e5", 100000.0),
        (" [1] ", [1]),
    ],
)
def test_read(text, expected):
    found = json_text.parse(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "NaN", "Infinity", "-Infinity", "1e400", "[1,]", "[1", "1 2", "01", "'a'"),
        *("None", "True", "{a: 1}", '"\\ud800"', '"a\nb"'),
    ],
)
def test_refused(text):
    with pytest.raises(ValueError):
        json_text.parse(text)


@pytest.mark.parametrize("wrap", [lambda value: [value, 1], lambda value: {"a": 1, "b": value}])
@pytest.mark.parametrize(("levels", "deeper"), [(0, False), (100, False), (101, True), (400, True)])
def test_how_deep_a_value_is(levels, deeper, wrap):
    value = "x"
    for _ in range(levels):
        value = wrap(value)
    assert json_text.is_deeper(value) is deeper


def test_what_is_no_number_of_json_is_written_as_null():
    value = {"a": [math.nan, math.inf, -math.inf, 1.5], "b": "NaN"}
    assert json_text.written(value) == '{"a": [null, null, null, 1.5], "b": "NaN"}'
    assert json_text.written("\ud800") == r'"\ud800"'
