"""Modes, as YAML brings them."""

import pytest
import yaml
from pydantic import ValidationError

from arteriole.app.config import Reader
from arteriole.transfer.settings import Destination


def read(name: str, text: str) -> str | None:
    found = Destination.model_validate({"path": "/mnt/in", **yaml.load(f"{name}: {text}", Reader)})
    value: str | None = getattr(found, name)
    assert Destination.model_validate(found.model_dump(mode="json")) == found
    return value


@pytest.mark.parametrize(
    ("name", "text", "mode"),
    [
        ("file_mode", "0640", "0640"),
        ("file_mode", '"0640"', "0640"),
        ("file_mode", '"640"', "0640"),
        ("file_mode", "0440", "0440"),
        ("file_mode", "null", None),
        ("directory_mode", "0750", "0750"),
        ("directory_mode", "02770", "2770"),
    ],
)
def test_a_mode_is_octal_with_quotes_and_without(name: str, text: str, mode: str | None) -> None:
    assert read(name, text) == mode


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("file_mode", text) for text in ("640", "644", "600", "400", "440", "444", "660", "416")),
        *(("file_mode", text) for text in ("0750", "0040", "04640", "true", "-1", "u=rw", "0620")),
        *(("directory_mode", text) for text in ("750", "755", "770", "700", "0550", "04750")),
    ],
)
def test_no_number_is_taken_for_another_mode(name: str, text: str) -> None:
    """640 without a zero or quotes is a decimal number to YAML."""
    with pytest.raises(ValidationError, match="expected an octal mode as 0"):
        read(name, text)
