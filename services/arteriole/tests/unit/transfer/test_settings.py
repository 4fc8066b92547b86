"""Destinations that are refused, because ssh or rsync would read more into them."""

from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.transfer.settings import Destination, TransferSettings

SSH = {
    "path": "/proj/in",
    "host": "hpc.example.org",
    "user": "seq",
    "identity_file": "/keys/id",
    "known_hosts": "/keys/known_hosts",
}


@pytest.mark.parametrize("values", [SSH, {"path": "/mnt/cluster"}, SSH | {"bandwidth": 9}])
def test_accepted(values: dict[str, Any]) -> None:
    assert Destination.model_validate(values).path.is_absolute()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "-oProxyCommand=x"}, "host name"),
        ({"host": "a b"}, "host name"),
        ({"host": "::1"}, "host name"),
        ({"user": "-l"}, "the name must be"),
        ({"user": "a@b"}, "the name must be"),
        ({"path": "in"}, "absolute"),
        ({"path": "/a/../b"}, "absolute"),
        ({"path": "/a\tb"}, "absolute"),
        ({"rsync_path": "/a b"}, "absolute"),
        ({"path": "/$(x)"}, "absolute"),
        ({"identity_file": "/keys/%h"}, "absolute"),
        ({"known_hosts": "/keys/${HOME}"}, "absolute"),
        ({"rsync_path": "rsync; x"}, "absolute"),
        ({"port": 0}, "greater"),
        ({"bandwidth": 0}, "greater"),
        ({"streams": 0}, "greater"),
        ({"digesters": 0}, "greater"),
        ({"streams": 17}, "less"),
        ({"group": "-R"}, "the name must be"),
        ({"group": "a b"}, "the name must be"),
        ({"user": None}, "expected user beside host"),
        ({"host": None}, "expected host beside user"),
        ({"password": "x"}, "not permitted"),
    ],
)
def test_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Destination.model_validate(SSH | change)


def test_the_name_of_a_destination_is_an_identifier() -> None:
    with pytest.raises(ValidationError, match="the name must be"):
        TransferSettings.model_validate(
            {"fastq_root": "/f", "manifest_root": "/m", "destinations": {"<% x %>": SSH}}
        )
