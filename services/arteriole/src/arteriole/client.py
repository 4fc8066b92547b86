"""The operator's commands as a client of the services."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from arteriole.app.errors import ArterioleError


class ClientError(ArterioleError):
    """The service could not be asked, or refused."""

    code = "client.failed"


class Client:
    """Speaks to the service at `url` with a bearer token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    @classmethod
    def find(cls, state_dir: Path | None, service: str = "runfolder") -> "Client":
        """From ARTERIOLE_URL and ARTERIOLE_TOKEN, or from what `serve` left in `state_dir`.

        ARTERIOLE_URL is the runfolder service's; another's is ARTERIOLE_<SERVICE>_URL.
        """
        variable = "ARTERIOLE_URL" if service == "runfolder" else f"ARTERIOLE_{service.upper()}_URL"
        url, token = os.environ.get(variable, ""), os.environ.get("ARTERIOLE_TOKEN", "")
        try:
            if not url and state_dir is not None:
                url = json.loads((state_dir / "ports.json").read_text())[service]
            if not token and state_dir is not None and (state_dir / "admin.token").exists():
                token = (state_dir / "admin.token").read_text().strip()
        except (OSError, KeyError, ValueError) as err:
            found = err.strerror if isinstance(err, OSError) else "it names no such service"
            raise ClientError(
                f"no running service {service} is known: {state_dir}/ports.json: {found}",
                hint=f"start it with 'arteriole serve', or set {variable} and ARTERIOLE_TOKEN",
            ) from err
        if not url:
            raise ClientError(
                f"it is not known where the service {service} is",
                hint=f"give --config FILE, or set {variable} and ARTERIOLE_TOKEN",
            )
        return cls(url, token)

    def get(self, path: str, **query: str) -> Any:
        return self._call("GET", path, params=query)

    def health(self) -> Any:
        """What the service says of itself."""
        return self._document(self._send("GET", "health", {}))

    def post(self, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
        """Under the idempotency key `key`, if one is given."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._call("POST", path, headers, json=body or {})

    def text(self, path: str, **query: str) -> tuple[str, Mapping[str, str]]:
        """What is no JSON, and the headers that came with it."""
        answer = self._ask("GET", path, params=query)
        if not answer.ok:
            self._document(answer)
        answer.encoding = "utf-8"
        return answer.text, answer.headers

    def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> Any:
        return self._document(self._ask(method, path, headers, **more))

    def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        return self._send(method, f"api/1.0/{path}", headers or {}, **more)

    def _send(
        self, method: str, path: str, headers: dict[str, str], **more: Any
    ) -> requests.Response:
        sent = {**self._headers, **headers}
        try:
            return requests.request(method, f"{self._url}/{path}", headers=sent, timeout=60, **more)
        except requests.RequestException as err:
            raise ClientError(
                f"{self._url} does not answer", hint="is 'arteriole serve' running?"
            ) from err

    def _document(self, answer: requests.Response) -> Any:
        """The answer's; ClientError if it is a refusal, or none of a service's."""
        try:
            document = answer.json() if answer.content else {}
        except ValueError as err:
            raise ClientError(f"{self._url} is no Arteriole service") from err
        if not isinstance(document, dict):
            raise ClientError(f"{self._url} is no Arteriole service")
        if not answer.ok:
            error = document.get("error")
            if not isinstance(error, dict):
                raise ClientError(
                    f"{self._url} answers HTTP {answer.status_code}, not as an Arteriole service"
                    " does",
                    hint="is that the service's address, or what stands before it?",
                )
            raise ClientError(
                error.get("message", f"HTTP {answer.status_code}"),
                hint=error.get("hint", ""),
                code=error.get("code", "client.failed"),
            )
        return document


def run_path(name: str, *rest: str) -> str:
    """`runs/<name>/...` with every part quoted."""
    if name in ("", ".", ".."):
        raise ClientError(f"{name!r} is no run", hint="'arteriole runs' lists them")
    return "/".join(["runs", *(quote(part, safe="") for part in (name, *rest))])
