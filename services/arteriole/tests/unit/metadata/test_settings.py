"""The section metadata: what is refused."""

import pytest
from pydantic import ValidationError

from arteriole.metadata.settings import MetadataSettings

CSV = {"csv": {"folder": "/data/metadata"}}
URL = "https://lims.example.org/api/samples/{sample}"
ARGV = ["/opt/lims", "{sample}"]


def http(**more):
    return {"http": {"url": URL, **more}}


def test_sources_of_each_kind():
    command = {"name": "script", "command": {"argv": ARGV}}
    settings = MetadataSettings.model_validate({"sources": [CSV, http(), command]})
    assert settings.port == 8187 and settings.retry_seconds == 60
    assert [source.label for source in settings.sources] == ["csv", "http", "script"]
    assert settings.sources[0].csv.scan_interval == 10
    local = MetadataSettings.model_validate(
        {"sources": [http(url="http://127.0.0.1:8000/{sample}")]}
    )
    assert local.sources[0].http.timeout == 10


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({}, "expected one of csv, http and command; found none"),
        ({**CSV, **http()}, "found csv and http"),
        ({**CSV, "name": "a b"}, "expected a name of"),
        ({"csv": {"folder": "data"}}, "expected an absolute path"),
        ({"csv": {"folder": "/data/../etc"}}, "expected an absolute path"),
        (http(url="http://lims.example.org/{sample}"), r"expected https://, or http://"),
        (http(url="https:///{sample}"), "expected https://"),
        (http(url="file:///etc/{sample}"), "expected https://"),
        (http(url="https://u:p@lims.example.org/{sample}"), "without user"),
        (http(url="https://lims.example.org/samples"), r"expected \{sample\} once"),
        (http(url="https://{sample}.example.org/x"), r"expected \{sample\} once"),
        (http(url="https://lims.example.org/x?id={sample}"), r"expected \{sample\} once"),
        (http(url="https://lims.example.org:x/{sample}"), "expected an address"),
        (http(fields={"colour": "x"}), "found 'colour'"),
        (http(fields={"use": "a..b"}), "empty part"),
        (http(timeout=0), "greater than 0"),
        ({"command": {"argv": ["lims", "{sample}"]}}, "absolute path"),
        ({"command": {"argv": ["/opt/lims", "--id={sample}"]}}, "argument of its own"),
        ({"command": {"argv": ["/opt/lims", "{sample}", "{sample}"]}}, "once"),
        ({"command": {"argv": ["/opt/lims", "x\0", "{sample}"]}}, "zero byte"),
    ],
)
def test_a_source_that_cannot_be_used(source, told):
    with pytest.raises(ValidationError, match=told):
        MetadataSettings.model_validate({"sources": [source]})


def test_two_sources_of_one_name():
    with pytest.raises(ValidationError, match="found csv twice"):
        MetadataSettings.model_validate({"sources": [CSV, CSV]})
