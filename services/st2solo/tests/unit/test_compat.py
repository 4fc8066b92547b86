"""Each repair of orquesta is still needed, and works."""

import subprocess
import sys

import pytest

from st2solo import compat  # isort: skip  # noqa: F401

from orquesta.expressions import base as expressions


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import networkx", "fractions.gcd"),
        ("import collections; collections.Mapping", "collections.Mapping"),
    ],
)
def test_a_repair_is_still_needed(code, why):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert done.returncode != 0, f"{why} works without st2solo.compat: remove the repair"


def test_the_pattern_of_inline_parameters_is_still_refused_by_python():
    code = (
        "import collections, collections.abc, fractions, math, re;"
        "fractions.gcd = math.gcd; collections.Mapping = collections.abc.Mapping;"
        "collections.MutableSequence = collections.abc.MutableSequence;"
        "from orquesta.utils import parameters; re.compile(parameters.REGEX_INLINE_PARAMS)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert "global flags not at the start" in done.stderr, "remove the repair"


def test_orquesta_has_no_sandbox_of_its_own():
    from pathlib import Path

    from orquesta.expressions import jinja

    assert "sandbox" not in Path(jinja.__file__).read_text().lower(), "remove the repair"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ (1).__class__ }}",
        "{{ ctx.__init__ }}",
        "{{ 'x' * 9999999999 }}",
        "{{ [1] * 9999999999 }}",
        "{{ 10 ** 99999999 }}",
        "{% for x in range(99999999) %}{% endfor %}",
        "<% ''.__class__ %>",
        "<% $.__class__ %>",
    ],
)
def test_an_expression_stays_in_the_sandbox(template):
    with pytest.raises(Exception, match=r"(?i)unsafe|unresolved|may not|too big|lexical|evaluate"):
        expressions.evaluate(template, {"a": 1})


def test_the_functions_of_stackstorm_are_loaded():
    assert expressions.evaluate("<% version_bump_patch('1.2.3') %>", {"a": 1}) == "1.2.4"
    assert expressions.evaluate("<% to_json_string(list(1, 2)) %>", {"a": 1}) == "[1,2]"
    assert expressions.evaluate("{{ json_parse('[1]') }}", {"a": 1}) == [1]
