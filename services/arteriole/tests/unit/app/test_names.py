"""No identifier leaves a root, or means anything to Jinja, YAQL or a shell."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.app.errors import InvalidError
from arteriole.app.names import find_run, is_identifier, require_identifier, within

#: Any text, and text of the characters that matter.
TEXTS = st.text() | st.text("aZ09._-/%<>{}; \n\0$`'\"\\", max_size=12)


@given(TEXTS)
def test_an_identifier_is_inert_and_stays_below_its_root(text):
    if not is_identifier(text):
        return
    assert not set(text) & set("{}%<>;$`'\"\\ /\n\0")
    assert text.isascii() and 1 <= len(text) <= 200
    root = Path("/no/such/root")
    path = within(root, text)
    assert path.parent == root and path.name == text


@given(st.lists(TEXTS.filter(lambda text: "\0" not in text), max_size=4))
def test_what_within_returns_lies_below_the_root(parts):
    root = Path("/no/such/root")
    try:
        path = within(root, *parts)
    except InvalidError:
        return
    assert path.is_relative_to(root)
    assert ".." not in path.parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-rf",
        "a/b",
        "a b",
        "a\n",
        "\na",
        "a\0",
        "ü",
        "٣",
        "<% st2kv('system.x') %>",
        "{{ ''.__class__ }}",
        "; touch x",
        "$(x)",
        "a" * 201,
    ],
)
def test_other_text_is_refused_by_field(text):
    assert not is_identifier(text)
    with pytest.raises(InvalidError, match=r"^stage must be 1 to 200 of") as error:
        require_identifier(text, "stage")
    assert (error.value.field, error.value.code) == ("stage", "name.characters")
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("text", ["a", "_a", "0", "200624_A00834_0183_BHMTFYDRXX", "a" * 200])
def test_an_identifier_is_returned(text):
    assert require_identifier(text, "run") == text


def test_a_run_is_found_in_the_root_that_has_it_and_refused_if_two_have(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two / "r1", two / "r2", one / "r2"):
        folder.mkdir(parents=True)
    assert find_run([one, two], "r1") == two / "r1"
    assert find_run([two, two], "r2") == two / "r2"
    with pytest.raises(InvalidError, match=r"r2 lies in .*one and in .*two") as error:
        find_run([one, two], "r2")
    assert error.value.code == "run.duplicate_name"


@pytest.mark.parametrize(
    ("name", "code"), [("r3", "run.not_found"), ("..", "name.characters"), ("out", "path.outside")]
)
def test_no_run_is_found(tmp_path, name, code):
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidError) as error:
        find_run([tmp_path / "root"], name)
    assert error.value.code == code
