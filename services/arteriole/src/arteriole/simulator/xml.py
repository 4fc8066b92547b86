"""A few words for writing XML."""

from collections.abc import Iterable
from xml.etree import ElementTree

Element = ElementTree.Element

NAMESPACES = {
    "xmlns:xsd": "http://www.w3.org/2001/XMLSchema",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}


def add(parent: Element, tag: str, **attributes: str) -> Element:
    """A new child of `parent`."""
    return ElementTree.SubElement(parent, tag, attributes)


def texts(parent: Element, pairs: Iterable[tuple[str, str]]) -> None:
    """Children of `parent` that have a text each, in order."""
    for tag, text in pairs:
        add(parent, tag).text = text


def document(root: Element) -> str:
    """The whole file, indented."""
    ElementTree.indent(root)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
