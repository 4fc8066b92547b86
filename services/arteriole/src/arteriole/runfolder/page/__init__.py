"""The status page: files that hold no data, which ask the service's own API from the browser."""

from importlib import resources
from pathlib import PurePath

from arteriole.app.errors import NotFoundError
from arteriole.app.routes import Call, Reply, Route

#: What is served, by the ending of its name.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

#: The page runs its own scripts and asks its own service, nothing else; text never becomes markup.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # asked again by its digest: no old script with a new service
}

START = "index.html"


class Page:
    """Its files, read once: what a request names is looked up among them, never on the disk."""

    def __init__(self) -> None:
        self._files = {
            file.name: file.read_text(encoding="utf-8")
            for file in resources.files(__name__).iterdir()
            if PurePath(file.name).suffix in CONTENT_TYPES
        }

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self._start, None, "the status page, for a browser",
                  answers={200: "text/html"}),
            Route("GET", "/static/{file}", self._file, None, "what the status page consists of",
                  answers={200: "*/*"}),
        ]  # fmt: skip

    def _start(self, _: Call) -> Reply:
        return self._reply(START)

    def _file(self, call: Call) -> Reply:
        return self._reply(call.path["file"])

    def _reply(self, name: str) -> Reply:
        text = self._files.get(name)
        if text is None:
            raise NotFoundError("the status page has no such file")
        return Reply(text, content_type=CONTENT_TYPES[PurePath(name).suffix], headers=HEADERS)
