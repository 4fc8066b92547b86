"""Which patterns of names a site may set, and that no name makes one of them slow."""

import re
import time

import pytest

from arteriole.app.name_pattern import LENGTH, PATTERN_LENGTH, compiled


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"S\d+", "S12", "S12x"),
        (r"(?:SBJ|PRJ)\d{5}_L\d{7}(_topup\d?)?(_rerun)?", "PRJ12345_L1234567_topup2", "PRJ1_L1"),
        (r"[A-Z]{2,4}-[0-9]+_[A-Za-z0-9]+", "AB-1_x", "A-1_x"),
        (r"NTC[\w.\-]*|blank", "NTC_1-2", "blank2"),
        (r"[^_]+_.+", "a_b", "_b"),
        (r"A\.b", "A.b", "Axb"),
    ],
)
def test_a_pattern_matches_whole_names(pattern, good, bad):
    assert compiled(pattern).fullmatch(good) and not compiled(pattern).fullmatch(bad)


def test_digits_are_those_of_ascii():
    assert compiled(r"\d\w").fullmatch("1a") and not compiled(r"\d").fullmatch("\u0661")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(a+)+b", "its ways to match would multiply"),
        ("(a|a)*", "its ways to match would multiply"),
        ("(a|ab){3}", "its ways to match would multiply"),
        ("a*a*a*a*b", "in more than 1,000,000 ways"),
        ("a{0,99}a{0,99}a{0,99}a{0,99}", "in more than 1,000,000 ways"),
        ("(a?){30}", "multiply"),
        ("a?" * 21, "in more than 1,000,000 ways"),
        ("(a|b|c)" * 14, "in more than 1,000,000 ways"),
        ("a++", "nothing that"),
        ("a+?", "nothing that"),
        ("*a", "nothing that"),
        ("a|*", "nothing that"),
        (r"(a)\1", "expected letters"),
        ("(?=a)b", "nothing that"),
        ("(?P<n>a)", "nothing that"),
        ("^a$", "without . and"),
        ("a\n", "expected letters"),
        ("[a", "expected letters"),
        ("[z-a]", "no regular expression: bad character range"),
        ("(a", "no regular expression: missing"),
        ("a)", "no regular expression: unbalanced"),
        ("a{3,1}", "no regular expression: min repeat"),
        ("a" * (PATTERN_LENGTH + 1), "at most 300 characters, found 301"),
    ],
)
def test_what_is_no_pattern_or_may_be_slow_is_refused(pattern, why):
    with pytest.raises(ValueError, match=re.escape(why) if "." not in why else why):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern", ["a*a*a*b", "a{1,100}a{1,100}a{1,100}b", "a?" * 19 + "b", ".+.+.+!"]
)
def test_the_slowest_patterns_end_soon(pattern):
    began = time.process_time()
    compiled(pattern).fullmatch("a" * LENGTH)
    assert time.process_time() - began < 5
