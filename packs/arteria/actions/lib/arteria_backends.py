"""Where notifications go: what the pack's configuration names, nothing by default."""

import time
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import urlsplit

import requests
from arteria_client import Bearer
from arteria_errors import ArteriaError, ConfigError

#: The largest text that is sent; Slack takes 40,000 characters.
TEXT_LIMIT = 8000
_TIMEOUT = (5, 20)
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 20.0


class NotSentError(ArteriaError):
    """A notification did not reach one of its places."""

    code = "notify.not_sent"


class Backend:
    """One place. The address is a secret of its own, so that no message names it."""

    def __init__(self, name: str, url: str, token: Optional[str] = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ConfigError(
                "expected %s as an address that begins with https://" % (name,),
                hint="see arteria.yaml.example",
            )
        self.name = name
        self._url = url
        self._session = requests.Session()
        self._session.auth = Bearer(token)

    def send(self, body: Dict[str, Any], patience: float) -> None:
        """POST the body; again, with pauses, until it is taken or `patience` seconds are over."""
        self._repeat("POST", patience, json=body)

    def visit(self, patience: float) -> None:
        """GET it, as `send` posts."""
        self._repeat("GET", patience)

    def _repeat(self, method: str, patience: float, **request: Any) -> None:
        give_up = time.monotonic() + patience
        pause = _FIRST_PAUSE
        while True:
            trouble, final = self._try(method, **request)
            if not trouble:
                return
            if final or time.monotonic() + pause > give_up:
                raise NotSentError(
                    "%s: %s" % (self.name, trouble),
                    hint="is %s in configs/arteria.yaml still the right address?" % (self.name,),
                )
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _try(self, method: str, **request: Any) -> Any:
        """What went wrong, if anything, and whether it would go wrong again."""
        try:
            answer = self._session.request(
                method, self._url, timeout=_TIMEOUT, allow_redirects=False, **request
            )
        except (requests.RequestException, ValueError) as error:
            return type(error).__name__, False
        if answer.status_code // 100 == 2:
            return "", True
        later = answer.status_code == 429 or answer.status_code >= 500
        return "HTTP %d" % (answer.status_code,), not later


class Slack(Backend):
    """An incoming webhook: https://api.slack.com/messaging/webhooks."""

    def body(self, text: str, facts: Dict[str, Any]) -> Dict[str, Any]:
        for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(character, escaped)
        return {"text": text[:TEXT_LIMIT]}


class Webhook(Backend):
    """Any address that takes a JSON object."""

    def body(self, text: str, facts: Dict[str, Any]) -> Dict[str, Any]:
        return {**facts, "text": text[:TEXT_LIMIT]}


def backends(config: Mapping[str, Any]) -> List[Any]:
    """The places that are configured."""
    found: List[Any] = []
    if config.get("notify_slack_webhook"):
        found.append(Slack("notify_slack_webhook", str(config["notify_slack_webhook"])))
    if config.get("notify_webhook_url"):
        token = config.get("notify_webhook_token") or None
        found.append(Webhook("notify_webhook_url", str(config["notify_webhook_url"]), token))
    return found


def tell(config: Mapping[str, Any], text: str, facts: Dict[str, Any]) -> Dict[str, Any]:
    """Send to each place that is configured, and say to how many.

    Raises:
        NotSentError: it did not reach all of them; those that it reached are not asked again.
    """
    failed: List[NotSentError] = []
    places = backends(config)
    for place in places:
        try:
            place.send(place.body(text, facts), float(config.get("notify_retry_seconds", 60)))
        except NotSentError as error:
            failed.append(error)
    if failed:
        raise NotSentError(
            "; ".join(map(str, failed)), failed[0].hint, counts={"sent": len(places) - len(failed)}
        )
    if not places:
        return {"sent": 0, "why": "neither notify_slack_webhook nor notify_webhook_url is set"}
    return {"sent": len(places)}
