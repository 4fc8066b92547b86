"""An action against a service, as a pattern for tests of your own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from redo import Redo
from st2tests.base import BaseActionTestCase

RUN = "200624_A00834_0183_BHMTFYDRXX"


class Service(HTTPServer):
    """Answers every POST with what `answer` holds, and keeps what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = {"attempt": 2}
        self.asked = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.asked.append((self.path, json.loads(self.rfile.read(length))))
        text = json.dumps(self.server.answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        pass


class RedoTestCase(BaseActionTestCase):
    action_cls = Redo

    def setUp(self):
        super().setUp()
        self.service = Service()
        thread = threading.Thread(target=self.service.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(self.service.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.service.shutdown)

    def redo(self, **parameters):
        url = "http://127.0.0.1:%d" % (self.service.server_port,)
        action = self.get_action_instance({"runfolder_url": url, "token": "t"})
        return action.run(**parameters)

    def test_a_run_from_a_stage_on(self):
        done = self.redo(run=RUN, from_stage="convert", reason="new sheet")
        self.assertEqual(done, (True, {"attempt": 2}))
        where = "/api/1.0/runs/%s/redo" % (RUN,)
        self.assertEqual(self.service.asked, [(where, {"from": "convert", "reason": "new sheet"})])

    def test_a_name_that_might_be_evaluated_reaches_no_service(self):
        succeeded, told = self.redo(run="{{ x }}", from_stage="convert")
        self.assertEqual((succeeded, told["code"]), (False, "name.characters"))
        self.assertEqual(self.service.asked, [])
