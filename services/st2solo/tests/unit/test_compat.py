"""Each repair of orquesta is still needed, and works."""

import queue
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from st2solo import compat  # isort: skip

from orquesta import conducting
from orquesta.composers import native
from orquesta.expressions import base as expressions
from orquesta.expressions import jinja, yql
from orquesta.specs import loader
from orquesta.specs.native.v1 import models


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
    from orquesta.expressions import jinja

    assert "sandbox" not in Path(jinja.__file__).read_text().lower(), "remove the repair"


def test_a_python_without_lib2to3():
    """Python 3.13 has none, and distributions' own packages of an earlier one may lack it too."""
    code = (
        "import importlib.abc, importlib.util, sys\n"
        "class Gone(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.partition('.')[0] == 'lib2to3':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'lib2to3' else find(name)\n"
        "import st2solo.compat, networkx.readwrite.gml\n"
        "assert not [name for name in sys.modules if name.startswith('lib2to3')]\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


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


_PATTERNS = {
    (jinja.JinjaEvaluator, "_regex_parser"): "{{.*?}}",
    (jinja.JinjaEvaluator, "_regex_block_parser"): "{%.*?%}",
    (jinja.JinjaEvaluator, "_regex_raw_block_parser"): "{% raw %}.*?{% endraw %}",
    (yql.YAQLEvaluator, "_regex_parser"): "<%.*?%>",
}
_PARTS = (*"{}%<>a\n\r\u2028", "{{", "}}", "{% raw %}", "{% endraw %}")


@pytest.mark.parametrize(("evaluator", "name"), _PATTERNS)
@given(text=st.lists(st.sampled_from(_PARTS)).map("".join))
def test_expressions_are_found_as_by_the_pattern(evaluator, name, text):
    pattern = _PATTERNS[evaluator, name]
    assert getattr(evaluator, name).findall(text) == re.findall(pattern, text)


@pytest.mark.parametrize("opening", ["{{ ", "{% ", "<% "])
@pytest.mark.parametrize("expression", ["<% ctx(x) %>", "{{ ctx().x }}"])
def test_what_is_opened_and_never_closed_is_a_value_as_any(opening, expression):
    """By orquesta's patterns this would not end."""
    value = opening * 2**20
    assert expressions.evaluate(expression, {"x": value}) == value


@pytest.mark.parametrize(("evaluator", "name"), _PATTERNS)
def test_orquesta_finds_expressions_by_these_patterns(evaluator, name):
    source = Path(sys.modules[evaluator.__module__].__file__).read_text()
    assert f'"{_PATTERNS[evaluator, name]}"' in source, "look at the repair again"


def _forks(count):
    """Forks with joins in a row; each side of a fork publishes a variable."""
    tasks = {"a0": {"next": [{"do": ["b0", "c0"]}]}}
    for n in range(count):
        for side in "bc":
            tasks[f"{side}{n}"] = {"next": [{"publish": [{f"{side}{n}": 1}], "do": f"a{n + 1}"}]}
        tasks[f"a{n + 1}"] = {"join": "all", "next": [{"when": f"<% ctx().b{n} %>"}]}
        if n < count - 1:
            tasks[f"a{n + 1}"]["next"][0]["do"] = [f"b{n + 1}", f"c{n + 1}"]
    return tasks


_GRAPHS = {
    "forks with joins": _forks(4),
    "a task on two paths": {
        "a": {"next": [{"do": ["b", "c"]}]},
        "b": {"next": [{"do": "d"}]},
        "c": {"next": [{"do": "d"}]},
        "d": {"next": [{"do": ["e", "f"]}]},
        "e": {"next": [{"do": "g"}]},
        "f": {"next": [{"do": "g"}]},
        "g": {"action": "core.noop"},
    },
    "a loop": {
        "a": {"next": [{"do": "b"}]},
        "b": {"next": [{"when": "<% failed() %>", "do": "a"}, {"do": ["c", "d"]}]},
        "c": {"next": [{"do": "d"}]},
        "d": {"action": "core.noop"},
    },
    "a join that cannot be reached": {
        "a": {"next": [{"do": ["b", "c"]}]},
        "b": {"next": [{"do": "d"}]},
        "c": {"next": [{"do": "d"}]},
        "d": {"next": [{"do": "j"}]},
        "x": {"next": [{"do": "j"}]},
        "j": {"join": "all"},
    },
    "an unknown variable": {
        "a": {"next": [{"when": "<% ctx().x %>", "do": "b"}]},
        "b": {"action": "core.noop", "input": {"y": "<% ctx().y %>"}},
    },
    "an unknown task": {
        "a": {"next": [{"do": ["b", "c", "none"]}]},
        "b": {"action": "core.noop"},
        "c": {"action": "core.noop"},
    },
}


def _made(tasks):
    """The graph of a workflow, and what its inspection finds."""
    spec = loader.get_spec_module("native").instantiate({"version": "1.0", "tasks": tasks})
    found = spec.inspect(app_ctx={"st2": {"action": "core.noop"}}, raise_exception=False)
    graph = conducting.WorkflowConductor(spec).graph.serialize() if not found else None
    return graph, found


@pytest.mark.parametrize("name", _GRAPHS)
def test_walking_once_gives_the_same_as_walking_every_path(name, monkeypatch):
    once = _made(_GRAPHS[name])
    for module in (native, models):
        monkeypatch.setattr(module, "queue", types.SimpleNamespace(Queue=queue.Queue))
    assert once == _made(_GRAPHS[name])


def test_many_forks_are_walked_at_once():
    """Along every path this would not end."""
    graph, found = _made(_forks(40))
    assert (len([node for node in graph["nodes"] if node["id"] != "continue"]), found) == (121, {})


def test_orquesta_walks_every_path_by_itself():
    assert "track_splits" not in Path(native.__file__).read_text(), "remove the repair"


def test_orquesta_takes_a_concurrency_of_none():
    assert '["concurrency"] <= 0' not in Path(conducting.__file__).read_text(), "remove the repair"


def test_orquesta_merges_the_schemas_anew():
    from orquesta.specs import base

    assert "lru_cache" not in Path(base.__file__).read_text(), "remove the repair"
    get_schema = models.TaskSpec.get_schema
    assert get_schema(includes=None) is get_schema(includes=None)


def test_a_key_twice_is_refused():
    import yaml

    with pytest.raises(yaml.YAMLError, match='found duplicate key "a"'):
        yaml.load("a: 1\nb: {a: 1}\na: 2\n", compat.StrictLoader)
