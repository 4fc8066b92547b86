"""Expressions in workflows, row by row as StackStorm 3.9 evaluates them."""

import st2solo.compat  # noqa: F401  # isort: skip - before anything of orquesta

import copy

import pytest
from orquesta import exceptions
from orquesta.expressions import base
from orquesta.expressions.functions import base as functions

from st2solo.filters import NONE_MAGIC
from st2solo.testing import MemoryKeys
from st2solo.workflow_functions import serving

#: The files whose behaviour the rows give: StackStorm's functions, and orquesta's.
SOURCE = (
    "contrib/runners/orquesta_runner/orquesta_functions/{st2kv,runtime}.py,"
    " st2common/st2common/expressions/functions/*.py, orquesta/expressions/*.py"
)

_RECORD = {"id": "1", "result": {"stdout": "x"}, "status": "succeeded"}
_CONTEXT = {
    "x": 1,
    "s": "str",
    "l": [1, "two", None],
    "d": {"a": {"b": [1, 2]}, "é": "ü"},
    "n": None,
    "t": True,
    "j": '{"a": [1, 2]}',
    "y": "a: [1, 2]",
    "p": "/a/b.txt",
    "v": "1.2.3",
    "ns": [3, 1, 2],
    "st2": {"user": "ann", "workflow_execution_id": "w"},
    "__current_task": {"id": "now", "route": 0, "result": {"out": 5}, "status": "failed"},
    "__current_item": {"host": "h1"},
    "__state": {
        "tasks": {"before__r0": 0, "now__r0": 1, "other__r1": 2},
        "routes": [[], ["a"]],
        "sequence": [
            {"id": "before", "route": 0, "status": "succeeded"},
            {"id": "now", "route": 0, "status": "failed"},
            {"id": "other", "route": 1, "status": "running"},
        ],
    },
}

#: Expression, value.
_YAQL = [
    ("<% ctx(x) %>", 1),
    ("<% ctx().x %>", 1),
    ("<% ctx('s') %>", "str"),
    ("<% ctx(d).a.b[1] %>", 2),
    ("<% ctx(d) %>", _CONTEXT["d"]),
    ("<% ctx(l) %>", [1, "two", None]),
    ("<% ctx(n) %>", None),
    ("<% ctx(x) %> text", "1 text"),
    ("<% ctx(x) %><% ctx(s) %>", "1str"),
    ("<% ctx(l) %> x", "[1, 'two', None] x"),
    ("  <% ctx(x) %>  ", "  1  "),
    ("<% ctx(ns).orderBy($) %>", [1, 2, 3]),
    ("<% ctx(ns).select($ * 2) %>", [6, 2, 4]),
    ("<% dict(a => list(1, 2)) %>", {"a": [1, 2]}),
    ("<% json('[1]') %>", [1]),
    ("<% zip([1, 2], [3]) %>", [[1, 3], [2, None]]),
    ("<% zip([1, 2], [3], pad => 0) %>", [[1, 3], [2, 0]]),
    ("<% json_dump(ctx(d)) %>", '{"a": {"b": [1,2]},"\\u00e9": "\\u00fc"}'),
    ("<% json_dump(ctx(l)) %>", '[1,"two",null]'),
    ("<% json_dump(dict(a => 1), indent => 2) %>", '{\n  "a": 1\n}'),
    ("<% to_json_string(ctx(n)) %>", "null"),
    ("<% json_dump(ctx(ns).orderBy($).toList()) %>", "[1,2,3]"),
    ("<% json_parse(ctx(j)).a[0] %>", 1),
    ("<% from_json_string('12345678901234567890123') %>", 1.2345678901234568e22),
    ("<% yaml_dump(dict(a => 1)) %>", "a: 1\n"),
    ("<% yaml_dump(ctx(x)) %>", "1\n"),
    ("<% to_yaml_string(dict(a => dict(b => 1)), indent => 4) %>", "a:\n    b: 1\n"),
    ("<% yaml_parse(ctx(y)).a %>", [1, 2]),
    ("<% from_yaml_string('on') %>", True),
    ("<% json_escape('a\"b') %>", 'a\\"b'),
    ("<% jsonpath_query(ctx(d), 'a.b[*]') %>", [1, 2]),
    ("<% jsonpath_query(ctx(d), 'q') %>", None),
    ("<% jsonpath_query(ctx(l), '[*]') %>", [1, "two", None]),
    ("<% regex_match(ctx(s), 'ST', true) %>", True),
    ("<% regex_search(ctx(s), 'TR', ignorecase => true) %>", True),
    ("<% regex_replace(ctx(s), 't', 'T') %>", "sTr"),
    ("<% regex_substring(ctx(s), '[a-z]', 1) %>", "t"),
    ("<% to_human_time_from_seconds(3725) %>", "1h2m5s"),
    ("<% use_none(ctx(n)) %>", NONE_MAGIC),
    ("<% basename(ctx(p)) %>", "b.txt"),
    ("<% dirname(ctx(p)) %>", "/a"),
    ("<% version_compare(ctx(v), '1.2.4') %>", -1),
    ("<% version_more_than(ctx(v), '1.0.0') %>", True),
    ("<% version_less_than(ctx(v), '1.0.0') %>", False),
    ("<% version_equal(ctx(v), '1.2.3+b') %>", True),
    ("<% version_match(ctx(v), '>=1.2.0') %>", True),
    ("<% version_bump_major(ctx(v)) %>", "2.0.0"),
    ("<% version_bump_minor(ctx(v)) %>", "1.3.0"),
    ("<% version_bump_patch('1.0.0-rc.1') %>", "1.0.1"),
    ("<% version_strip_patch(ctx(v)) %>", "1.2"),
    ("<% st2kv('system.site') %>", "lund"),
    ("<% st2kv('system.a.b') %>", "nested"),
    ("<% st2kv(mine) %>", "yes"),
    ("<% st2kv('absent', default => 5) %>", 5),
    ("<% st2kv('absent', default => null) %>", None),
    ("<% st2kv('system.secret', decrypt => true) %>", "s3cret"),
    ("<% st2kv('system.secret') %>", "encrypted"),
    ("<% task(before).result.stdout %>", "x"),
    ("<% task().status %>", "succeeded"),
    ("<% result() %>", {"out": 5}),
    ("<% succeeded() %>", False),
    ("<% failed() %>", True),
    ("<% completed() %>", True),
    ("<% task_status(before) %>", "succeeded"),
    ("<% task_status(other) %>", "null"),  # reached on another route only
    ("<% item() %>", {"host": "h1"}),
    ("<% item(host) %>", "h1"),
    ({"a": ["<% ctx(x) %>"], "<% ctx(s) %>": 1}, {"a": [1], "str": 1}),
]
_JINJA = [
    ("{{ ctx('x') }}", 1),
    ("{{ ctx().d.a }}", {"b": [1, 2]}),
    ("{{ ctx('n') }}", None),
    ("{{ ctx('x') }} text", "1 text"),
    ("{{ ctx('l') }} x", "[1, 'two', None] x"),
    ("{% for i in ctx('ns') %}{{ i }},{% endfor %}", "3,1,2,"),
    ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ("{{ ctx('d') | to_json_string }}", '{"a": {"b": [1,2]},"\\u00e9": "\\u00fc"}'),
    ("{{ json_dump(ctx('l')) }}", '[1,"two",null]'),
    ("{{ (ctx('j') | json_parse).a }}", [1, 2]),
    ("{{ (ctx('y') | yaml_parse).a }}", [1, 2]),
    ("{{ ctx('d') | jsonpath_query('a.b') }}", [[1, 2]]),
    ("{{ ctx('s') | regex_replace('t', 'T') }}", "sTr"),
    ("{{ ctx('p') | basename }}", "b.txt"),
    ("{{ ctx('v') | version_bump_patch }}", "1.2.4"),
    ("{{ ctx('n') | use_none }}", NONE_MAGIC),
    ("{{ st2kv('system.site') }}", "lund"),
    ("{{ st2kv('absent', default=5) }}", 5),
    ("{{ task('before').result.stdout }}", "x"),
    ("{{ succeeded() }}", False),
    ("{{ item('host') }}", "h1"),
]


@pytest.fixture(autouse=True)
def backed():
    keys = MemoryKeys(**{"site": "lund", "a.b": "nested", "secret": "s3cret"})
    keys.encrypted.add("secret")
    keys.user["ann", "mine"] = "yes"
    with serving(keys, lambda workflow, name, route: _RECORD if name != "gone" else None):
        yield


def _evaluated(expression):
    return base.evaluate(copy.deepcopy(expression), copy.deepcopy(_CONTEXT))


@pytest.mark.parametrize(
    ("expression", "expected"), _YAQL + _JINJA, ids=lambda part: str(part)[:60]
)
def test_gives(expression, expected):
    found = _evaluated(expression)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("<% ctx(q) %>", "q"),
        ("<% ctx().q %>", "q"),
        ("<% ctx(d).q %>", "q"),
        ("<% 1 + %>", "unexpected end"),
        ("<% nofunction() %>", "nofunction"),
        ("<% json('x') %>", "Expecting value"),
        ("<% json_parse('NaN') %>", "JSON"),
        ("<% json_dump(set(1)) %>", "not JSON serializable"),
        ("<% yaml_dump(set(1)) %>", "represent"),
        ("<% regex_match(ctx(s), '(') %>", "missing"),
        ("<% version_compare(ctx(v), 'x') %>", "not valid SemVer"),
        ("<% basename(ctx(n)) %>", "NoneType"),
        ("<% st2kv('system.absent') %>", "absent"),
        ("<% st2kv('system.site', decrypt => true) %>", "ExpressionEvaluationException"),
        ("<% st2kv(1) %>", "Given key is not typeof string"),
        ("<% st2kv('system.site', decrypt => 1) %>", "Decrypt parameter is not typeof bool"),
        ("<% task(missing) %>", "ExpressionEvaluationException: Unable to find task execution for"),
        ("<% item(port) %>", "port"),
        ("{{ ctx('q') }}", "q"),
        ("{{ nofunction() }}", "nofunction"),
        ("{{ ctx('s') | nofilter }}", "nofilter"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ ctx('x') / 0 }}", "division by zero"),
        ("{{ st2kv('absent') }}", "absent"),
    ],
)
def test_refuses(expression, told):
    with pytest.raises(exceptions.ExpressionEvaluationException, match=told):
        _evaluated(expression)


def test_all_of_stackstorm_s_functions_are_there():
    # the entry points in contrib/runners/orquesta_runner/setup.py, beside orquesta's own
    own = {
        "ctx",
        "json",
        "zip",
        "task_status",
        "succeeded",
        "failed",
        "completed",
        "result",
        "item",
    }
    assert len(set(functions.load()) - own) == 29
    rows = " ".join(str(row[0]) for row in _YAQL)
    assert {name for name in functions.load() if f"{name}(" not in rows} == set()
