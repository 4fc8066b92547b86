"""XML as instruments write it, read without trust."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError

#: In bytes, far above what instruments write.
SIZE_LIMIT = 4 * 1024 * 1024
#: An element and an attribute each take memory, however short they are in the file: of so many
#: bytes there may be one.
_BYTES_OF_ONE = 16
_DEPTH_LIMIT = 100
#: Longest name or reason that is repeated.
_SHOWN = 60
_DECLARATION = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>")


def read(path: Path, root_name: str, error: type[RunDataError], limit: int = SIZE_LIMIT) -> Element:
    """The root element of `path`, of at most `limit` bytes; it must be called `root_name`.

    Raises:
        error: no such file, too large, not XML, a document type, or another root.
    """
    data = _bounded_bytes(path, error, limit)
    try:
        root = _parse(data, limit // _BYTES_OF_ONE)
    except ParseError as err:
        line, column = err.position
        raise error(
            f"{path.name} line {line}, column {column + 1}: not well-formed XML ({err.msg})",
            hint="copy the file from the instrument again",
        ) from err
    except DefusedXmlException as err:
        raise error(
            f"{path.name}: document types and entities are not accepted",
            hint="instruments write none; find out who changed the file",
        ) from err
    except _TooMuchError as err:
        raise error(f"{path.name}: {err}") from err
    except (ValueError, LookupError) as err:
        raise error(f"{path.name}: its encoding cannot be read ({str(err)[:_SHOWN]})") from err
    if local_name(root) != root_name:
        raise error(
            f"{path.name}: expected <{root_name}> as root, found <{local_name(root)[:_SHOWN]}>"
        )
    return root


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _bounded_bytes(path: Path, error: type[RunDataError], limit: int) -> bytes:
    try:
        with run_file.open_file(path) as file:
            data = file.read(limit + 1)
    except OSError as err:
        raise error(f"{path.name} cannot be read: {err.strerror}") from err
    if len(data) > limit:
        raise error(f"{path.name}: larger than {limit // 1024 // 1024} MiB")
    if not data.strip():
        raise error(f"{path.name} is empty", hint="the copy may not be finished")
    return data


class _TooMuchError(Exception):
    """The file would take too much memory."""


class _Builder(TreeBuilder):
    """Builds the tree as long as it is one of a usual size."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._found = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._found += 1 + len(attrs)
        self._depth += 1
        if self._found > self._most:
            raise _TooMuchError(f"more than {self._most:,} elements and attributes")
        if self._depth > _DEPTH_LIMIT:
            raise _TooMuchError(f"elements stand in each other more than {_DEPTH_LIMIT} deep")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _parse(data: bytes, most: int) -> Element:
    try:
        return _element(data, most)
    except ParseError:
        # Some control software declares utf-16 and writes utf-8, with a byte order mark or without.
        declaration = _DECLARATION.match(data)
        if declaration is None or b"utf-16" not in declaration.group().lower():
            raise
        return _element(data[declaration.end() :], most)


def _element(data: bytes, most: int) -> Element:
    parser = XMLParser(target=_Builder(most), forbid_dtd=True)
    parser.feed(data)
    root: Element = parser.close()
    return root
