"""What the web handlers share."""

from typing import Any

from tornado.web import RequestHandler


class JsonErrors(RequestHandler):
    """Tells in JSON what Tornado itself refuses, such as a method that is not offered."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        told = f"{status_code} {self._reason}: {self.request.method} {self.request.path}"
        self.finish({"faultstring": told})
