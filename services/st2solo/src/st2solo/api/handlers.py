"""What the web handlers share."""

from typing import Any

from tornado.web import RequestHandler, stream_request_body

#: Of a request's body, in bytes.
LARGEST_BODY = 16 * 2**20


@stream_request_body
class JsonErrors(RequestHandler):
    """Tells in JSON what Tornado itself refuses, such as a method that is not offered.

    What of a body is beyond the limit is read and let go: few clients listen before all is sent.
    """

    def prepare(self) -> None:
        self.body = bytearray()
        self.is_too_large = False

    def data_received(self, chunk: bytes) -> None:
        self.is_too_large = self.is_too_large or len(self.body) + len(chunk) > LARGEST_BODY
        if not self.is_too_large:
            self.body += chunk

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        told = f"{status_code} {self._reason}: {self.request.method} {self.request.path}"
        self.finish({"faultstring": told})
