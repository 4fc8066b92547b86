"""Templates in parameters and rules."""

import pytest
from jinja2 import TemplateError

from st2solo.jinja import is_template, kv_context, render, render_value
from st2solo.testing import MemoryKeys


@pytest.fixture
def context():
    keys = MemoryKeys(**{"site": "lund", "a.b": "nested", "secret": "s3cret"})
    keys.encrypted.add("secret")
    keys.user["ann", "color"] = "red"
    return {**kv_context(keys, "ann"), "x": [1, "two"], "name": "n"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("{{ st2kv.system.site }}", "lund"),
        ("{{ st2kv.system['site'] }}", "lund"),
        ("{{ st2kv.system.a.b }}", "nested"),
        ("{{ st2kv.system.absent }}", ""),
        ("{{ st2kv.user.color }}", "red"),
        ("{{ st2kv.system.secret }}", "encrypted"),
        ("{{ st2kv.system.secret | decrypt_kv }}", "s3cret"),
        ("{{ x }}", "[1, 'two']"),
        (["{{x}}"], [[1, "two"]]),
        ({"a": "{{x}}", "b": "is {{ name }}"}, {"a": [1, "two"], "b": "is n"}),
        ({"a": 5}, {"a": 5}),
        (True, True),
        ("{% if 1 is in [1] %}y{% endif %}", "y"),
    ],
)
def test_render_value(value, expected, context):
    assert render_value(value, context) == expected


@pytest.mark.parametrize(
    "template",
    ["{{ nothing }}", "{{ ''.__class__ }}", "{{ x.__init__.__globals__ }}", "{{ st2kv._keys }}"],
)
def test_what_is_refused(template, context):
    with pytest.raises(TemplateError):
        render(template, context)


def test_the_datastore_object_shows_none_of_its_parts(context):
    with pytest.raises(TemplateError):
        render("{{ st2kv.system._keys }}", context)
    assert render("{{ st2kv.system.keys }}", context) == ""


def test_decrypting_what_is_not_there(context):
    with pytest.raises(ValueError, match=r"st2kv.system.absent"):
        render("{{ st2kv.system.absent | decrypt_kv }}", context)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("{{", True), ("{% x", True), ("<% x %>", False), (5, False), ("", False)],
)
def test_is_template(value, expected):
    assert is_template(value) is expected
