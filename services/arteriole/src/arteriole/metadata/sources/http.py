"""A LIMS that answers over HTTP."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from arteriole.metadata.errors import SourceError
from arteriole.metadata.record import FIELDS, Entry
from arteriole.metadata.settings import PLACE, HttpSettings
from arteriole.metadata.sources.source import (
    ANSWER_LIMIT,
    AT_ONCE,
    Trouble,
    entry_of,
    read_answer,
)

REDIRECTS = 3
TOKEN_LIMIT = 8192


class HttpSource:
    """Asks the address of each sample; 404 means that it does not know it."""

    kind = "http"

    def __init__(self, name: str, settings: HttpSettings) -> None:
        self.name = name
        self._settings = settings
        self._trouble = Trouble()
        self._turn = asyncio.Semaphore(AT_ONCE)
        # NB: no proxy, no .netrc, and nothing that would be unpacked
        self._client: AsyncHTTPClient = SimpleAsyncHTTPClient(
            force_instance=True, max_clients=AT_ONCE, max_body_size=ANSWER_LIMIT
        )

    @property
    def is_failing(self) -> bool:
        return self._trouble.stands

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "url": self._settings.url,
            **self._trouble.document(),
        }

    async def find(self, sample: str) -> Entry | None:
        try:
            async with self._turn:
                found = await self._ask(sample)
        except SourceError as err:
            self._trouble.note(err)
            raise
        self._trouble.stands = False
        return found

    async def _ask(self, sample: str) -> Entry | None:
        where = self._settings.url  # NB: without the sample's name
        url = where.replace(PLACE, quote(sample, safe=""))
        headers = await self._headers()
        for _ in range(REDIRECTS + 1):
            answer = await self._get(url, headers)
            if answer.code == 404:
                return None
            if answer.code == 200:
                values = read_answer(answer.body, where)
                if self._settings.fields:
                    values = picked(values, self._settings.fields)
                return entry_of(values, sample, where)
            if answer.code not in (301, 302, 303, 307, 308):
                raise self._down(f"expected 200 or 404, found {answer.code}")
            url = self._redirected(url, answer.headers.get("Location", ""))
        raise self._down(f"expected an answer after {REDIRECTS} redirects, found one more")

    async def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if (path := self._settings.token_file) is not None:
            try:
                token = await asyncio.to_thread(_token, str(path))
            except (OSError, ValueError) as err:
                raise self._down(f"token_file cannot be read: {err}") from err
            headers["Authorization"] = f"Bearer {token}"
        return headers

    async def _get(self, url: str, headers: dict[str, str]) -> HTTPResponse:
        ca_file = self._settings.ca_file
        request = HTTPRequest(
            url,
            headers=headers,
            follow_redirects=False,
            decompress_response=False,
            connect_timeout=self._settings.timeout,
            request_timeout=self._settings.timeout,
            ca_certs=None if ca_file is None else str(ca_file),
        )
        try:
            return await self._client.fetch(request, raise_error=False)
        except (HTTPClientError, OSError, ValueError) as err:
            limit = f"{self._settings.timeout:g} s and {ANSWER_LIMIT} bytes"
            raise self._down(f"expected an answer within {limit}, found: {err}") from err

    def _redirected(self, url: str, location: str) -> str:
        try:
            there = urljoin(url, location)
            same = _origin(there) == _origin(url)
        except ValueError:
            same = False
        if not same:
            raise self._down("it sends to another host, which is not followed")
        return there

    def _down(self, what: str) -> SourceError:
        return SourceError(f"{self._settings.url}: {what}", is_down=True)


def _origin(url: str) -> tuple[str, str, str | None, int | None]:
    parts = urlsplit(url)
    user, _, _ = parts.netloc.rpartition("@")
    return parts.scheme, user, parts.hostname, parts.port


def _token(path: str) -> str:
    """The token in the file; ValueError (which does not repeat it) if it cannot be sent."""
    with open(path, "rb") as file:
        token = file.read(TOKEN_LIMIT).decode("ascii", "replace").strip()
    if not token or not token.isprintable() or not token.isascii() or " " in token:
        raise ValueError("expected one token of printable characters")
    return token


def picked(values: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """A record out of an answer of another form.

    What `fields` does not name is taken from the field of our name; what is not there is left out.
    Whole numbers become texts where we have texts.

    >>> picked({"project": {"code": 12}, "use": "research", "x": 1}, {"project": "project.code"})
    {'project': '12', 'use': 'research'}
    """
    found = {}
    for name in FIELDS:
        value: Any = values
        for part in fields.get(name, name).split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if type(value) is int and name != "expected_reads":
            value = str(value)
        if value is not None:
            found[name] = value
    return found
