"""The section `metadata` of arteriole.yaml."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.app.hosts import is_loopback
from arteriole.app.names import is_identifier
from arteriole.metadata.record import FIELDS

#: What stands for the sample's name in an address and in a command.
PLACE = "{sample}"


Timeout = Annotated[float, Field(gt=0, le=300)]


class CsvSettings(Section):
    #: A folder of which every *.csv is read ([metadata.md](metadata.md)).
    folder: AbsolutePath
    #: Seconds between two scans.
    scan_interval: float = Field(default=10.0, gt=0, le=86400)


class HttpSettings(Section):
    #: An address, https, or http on this machine; `{sample}` in its path is the sample's name.
    url: str
    #: Our names of fields, each with theirs, as a path with dots, where the answer is no record as
    #: it is.
    fields: dict[str, str] = Field(default_factory=dict)
    #: A file with a bearer token, read at each request.
    token_file: AbsolutePath | None = None
    #: Certificates of the authority that signed theirs, if it is none of the usual ones.
    ca_file: AbsolutePath | None = None
    #: Seconds that an answer may take.
    timeout: Timeout = 10.0

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port  # may be none
        except ValueError as err:
            raise ValueError(f"expected an address, found {url[:60]!r}: {err}") from err
        if not (parts.scheme == "https" and host) and not (
            parts.scheme == "http" and is_loopback(host)
        ):
            raise ValueError(f"expected https://, or http:// on this machine; found {url[:60]!r}")
        if "@" in parts.netloc or parts.fragment or not url.isprintable() or " " in url:
            raise ValueError("expected an address without user, password, fragment and spaces")
        if parts.path.count(PLACE) != 1 or url.count(PLACE) != 1:
            raise ValueError(f"expected {PLACE} once, in the path; found {url[:60]!r}")
        return url

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(fields) - set(FIELDS))
        if unknown:
            known = ", ".join(FIELDS)
            raise ValueError(f"expected names of {known}; found {unknown[0][:60]!r}")
        if not all(all(path.split(".")) for path in fields.values()):
            raise ValueError("expected a path such as project.code, found an empty part")
        return fields


class CommandSettings(Section):
    #: A program and its arguments; one of them is `{sample}`, whole.
    argv: list[str] = Field(min_length=2, max_length=100)
    #: Seconds that it may take.
    timeout: Timeout = 10.0

    @field_validator("argv")
    @classmethod
    def _one_whole_argument(cls, argv: list[str]) -> list[str]:
        if not Path(argv[0]).is_absolute():
            raise ValueError(f"expected a program by its absolute path, found {argv[0][:60]!r}")
        if argv.count(PLACE) != 1 or sum(PLACE in part for part in argv) != 1:
            raise ValueError(f"expected {PLACE} once, as an argument of its own")
        if any("\0" in part for part in argv):
            raise ValueError("expected arguments without a zero byte")
        return argv


class SourceSettings(Section):
    """One source: exactly one of its kinds, and the name by which it is told of."""

    #: The name by which the source is told of; else its kind (csv, http, command).
    name: str = ""
    #: Tables in a folder. Of csv, http and command a source has one.
    csv: CsvSettings | None = None
    #: A LIMS or another service that is asked for each sample.
    http: HttpSettings | None = None
    #: A program that is run for each sample.
    command: CommandSettings | None = None

    @field_validator("name")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if not is_identifier(name):
            raise ValueError(f"expected a name of A-Z a-z 0-9 . _ - , found {name[:60]!r}")
        return name

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in ("csv", "http", "command") if getattr(self, kind) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of csv, http and command; found {found}")
        return self

    @property
    def label(self) -> str:
        """Its name, or its kind where it has none."""
        return self.name or ("csv" if self.csv else "http" if self.http else "command")


class MetadataSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8187, ge=0, le=65535)
    #: The sources, asked in this order; the first that knows a sample tells of it.
    sources: list[SourceSettings] = Field(min_length=1, max_length=20)
    #: Seconds between two looks for what is missing, in sources that are no folders.
    retry_seconds: float = Field(default=60.0, gt=0, le=86400)

    @field_validator("sources")
    @classmethod
    def _told_apart(cls, sources: list[SourceSettings]) -> list[SourceSettings]:
        labels = [source.label for source in sources]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise ValueError(f"expected a name for each source, found {twice} twice")
        return sources
