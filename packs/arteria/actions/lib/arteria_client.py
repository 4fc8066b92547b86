"""HTTP with the services: bearer token, patience with a service that restarts, clear failures."""

import time
from typing import Any, Dict, Mapping, Optional
from urllib.parse import quote

import requests
from arteria_errors import AnswerError, ConfigError, RefusedError, UnreachableError
from arteria_names import code_of, inert

JOB_SERVICES = ("bcl2fastq", "checksum", "transfer", "archive", "wes")
SERVICES = ("runfolder", *JOB_SERVICES, "metadata")
#: A service behind a proxy that is not up yet answers with one of these.
_NOT_UP = (502, 503, 504)


class Bearer(requests.auth.AuthBase):
    """As an auth object, so that a .netrc does not replace the token."""

    def __init__(self, token: Optional[str]) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = "Bearer " + self._token
        return request


def path(*parts: Any) -> str:
    """`/api/1.0/` and the parts, each quoted: no part can hold a slash or a query.

    >>> path("runs", "a/b", "claim")
    '/api/1.0/runs/a%2Fb/claim'
    """
    return "/api/1.0/" + "/".join(quote(str(part), safe="") for part in parts)


class Client:
    """Calls of the services that the pack's `config` names.

    Every call is safe to repeat by the services' contract, so a call that got no answer is sent
    again, with pauses of 0.2 s to 5 s, until `retry_seconds` have passed.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._timeout = (5, int(config.get("request_timeout") or 30))
        self._patience = float(config.get("retry_seconds", 20))
        self._session = requests.Session()
        self._session.auth = Bearer(config.get("token"))

    def act_for(self, chat_user: str) -> None:
        """Make every further call on behalf of somebody in a chat."""
        self._session.headers["X-On-Behalf-Of"] = chat_user

    def url(self, service: str) -> str:
        """The base URL of `service`, or ConfigError if it is none of the site's."""
        url = self._config.get(service + "_url") if service in SERVICES else None
        if not url:
            raise ConfigError(
                "expected one of the services %s, with its URL in the pack's configuration;"
                " found %s" % (", ".join(SERVICES), inert(service)),
                hint="set %s_url in configs/arteria.yaml" % (inert(service),),
            )
        return str(url).rstrip("/")

    def has(self, service: str) -> bool:
        """Has the site this service?"""
        return bool(self._config.get(service + "_url"))

    def get(self, service: str, where: str, **query: Any) -> Dict[str, Any]:
        return self._call("GET", service, where, params=query)

    def post(
        self,
        service: str,
        where: str,
        body: Optional[Dict[str, Any]] = None,
        headers: Optional[Dict[str, str]] = None,
    ) -> Dict[str, Any]:
        return self._call("POST", service, where, json=body or {}, headers=headers)

    def _call(self, method: str, service: str, where: str, **request: Any) -> Dict[str, Any]:
        url = self.url(service) + where
        give_up = time.monotonic() + self._patience
        pause = 0.2
        while True:
            try:
                answer = self._session.request(
                    method, url, timeout=self._timeout, allow_redirects=False, **request
                )
                if answer.status_code not in _NOT_UP:
                    return _document(service, answer)
                trouble = "HTTP %d" % (answer.status_code,)
            except (requests.ConnectionError, requests.Timeout) as error:
                trouble = type(error).__name__
            if time.monotonic() + pause > give_up:
                raise UnreachableError(
                    "%s did not answer %s %s: %s" % (service, method, inert(url), trouble),
                    hint="is the %s service up? the chain goes on by itself when it is" % service,
                )
            time.sleep(pause)
            pause = min(pause * 2, 5.0)


def _document(service: str, answer: requests.Response) -> Dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.ok and isinstance(document, dict):
        return document
    if answer.ok:
        raise AnswerError("%s did not answer with a JSON object" % (service,))
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        error = {}
    raise RefusedError(
        "%s: %s" % (service, inert(str(error.get("message") or answer.reason or "refused"))),
        hint=inert(str(error.get("hint") or "")),
        code=code_of(error) or None,
        status=answer.status_code,
    )
