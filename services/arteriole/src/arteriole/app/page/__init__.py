"""Pages that a service sends to browsers: files without data, which ask the service's own API.

Beside this module lie the files that several pages share; `runbook` is a link to docs/runbook.
"""

from importlib import resources
from pathlib import PurePath

from arteriole.app.auth import Role
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
    """Its files, read once: what a request names is looked up among them, never on the disk.

    Args:
        path: where the page begins, with the file `index.html`.
        title: what it is called in the table of routes.
        package: that whose files it consists of, beside those that all pages share.
    """

    def __init__(self, path: str, title: str, package: str) -> None:
        self._path, self._title = path, title
        self._files = {
            file.name: file.read_text(encoding="utf-8")
            for one in (__name__, package)
            for file in resources.files(one).iterdir()
            if PurePath(file.name).suffix in CONTENT_TYPES
        }
        self._codes = {
            PurePath(file.name).stem: file.read_text(encoding="utf-8")
            for file in (resources.files(__name__) / "runbook").iterdir()
            if file.name != "README.md"
        }

    def routes(self) -> list[Route]:
        return [
            Route("GET", self._path, self._start, None, f"{self._title}, for a browser",
                  answers={200: "text/html"}),
            Route("GET", "/static/{file}", self._file, None, f"what {self._title} consists of",
                  answers={200: "*/*"}),
            Route("GET", "/api/1.0/runbook/{code}", self._code, Role.READER,
                  "what the runbook says of a code, as Markdown"),
        ]  # fmt: skip

    def _start(self, _: Call) -> Reply:
        return self._reply(START)

    def _file(self, call: Call) -> Reply:
        return self._reply(call.path["file"])

    def _code(self, call: Call) -> Reply:
        code = call.path["code"]
        if code not in self._codes:
            raise NotFoundError("the runbook has no page of this code")
        return Reply({"code": code, "text": self._codes[code]})

    def _reply(self, name: str) -> Reply:
        text = self._files.get(name)
        if text is None:
            raise NotFoundError(f"{self._title} has no such file")
        return Reply(text, content_type=CONTENT_TYPES[PurePath(name).suffix], headers=HEADERS)
