"""XML as instruments write it, read without trust."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from arteriole.illumina.errors import RunDataError

SIZE_LIMIT = 16 * 1024 * 1024
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


def read(path: Path, root_name: str, error: type[RunDataError]) -> Element:
    """The root element of `path`; it must be called `root_name`.

    Raises:
        error: no such file, too large, not XML, a document type, or another root.
    """
    data = _bounded_bytes(path, error)
    try:
        root = _parse(data)
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
    except (ValueError, LookupError) as err:
        raise error(f"{path.name}: its encoding cannot be read ({err})") from err
    if local_name(root) != root_name:
        raise error(f"{path.name}: expected <{root_name}> as root, found <{local_name(root)}>")
    return root


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _bounded_bytes(path: Path, error: type[RunDataError]) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as err:
        raise error(f"{path.name} cannot be read: {err.strerror}") from err
    if len(data) > SIZE_LIMIT:
        raise error(f"{path.name}: larger than {SIZE_LIMIT // 1024 // 1024} MiB")
    if not data.strip():
        raise error(f"{path.name} is empty", hint="the copy may not be finished")
    return data


def _parse(data: bytes) -> Element:
    try:
        return _element(data)
    except ParseError:
        # Some control software declares utf-16 and writes utf-8.
        declaration = _DECLARATION.match(data)
        if declaration is None or b"utf-16" not in declaration.group().lower():
            raise
        return _element(data[declaration.end() :])


def _element(data: bytes) -> Element:
    root: Element = fromstring(data, forbid_dtd=True)
    return root
