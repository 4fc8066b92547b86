"""Over real HTTP: who is let in, what is refused and how, events as pages and as a stream."""

import json
import threading

import pytest
import requests

from arteriole.app.application import BODY_LIMIT
from arteriole.app.auth import Role, Tokens
from arteriole.app.chat import ChatSettings
from arteriole.app.errors import ConflictError
from arteriole.app.events import EventLog
from arteriole.app.routes import NoBody, Reply, Request, Route
from arteriole.app.store import Store

from .serving import DEADLINE, Serving, eventually


class Note(Request):
    what: str
    run: str | None = None


class Notes:
    """The smallest service: it keeps notes as events."""

    name = "notes"

    def __init__(self, path):
        self._store = Store(path, "arteriole.runfolder.sql")
        self.events = EventLog(self._store, lambda: 1)

    def routes(self):
        return [
            Route("POST", "/notes", self._note, Role.OPERATOR, "note", body=Note),
            Route("GET", "/notes/{run}", self._get, Role.READER, "one"),
            Route("POST", "/fails", self._fail, Role.ADMIN, "fails", body=NoBody),
            Route("POST", "/conflict", self._conflict, Role.ADMIN, "is refused", body=NoBody),
        ]

    def _note(self, call):
        with self._store.transaction():
            self.events.append(call.body.what, who=call.identity.name, run=call.body.run)
        return Reply({"noted": True}, status=201)

    def _get(self, call):
        return Reply({"run": call.path["run"]})

    def _fail(self, call):
        raise RuntimeError("a secret of the service")

    def _conflict(self, call):
        raise ConflictError("not now", hint="later", field="x")

    def health(self):
        return {"notes": 1}

    def figures(self):
        return []

    async def start(self):
        pass

    async def stop(self):
        self._store.close()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    tokens = Tokens(tmp_path_factory.mktemp("tokens") / "tokens.json")
    return tokens, {role: tokens.create(role.name.lower(), role) for role in Role}


@pytest.fixture(scope="module")
def notes(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("notes") / "notes.sqlite"
    chat = ChatSettings(users={"jane": "operator", "ron": "reader"}, by=("operator", "reader"))
    serving = Serving(lambda: Notes(path), tokens[0], chat)
    yield serving
    serving.stop()


@pytest.fixture
def headers(tokens):
    return {"Authorization": f"Bearer {tokens[1][Role.ADMIN]}"}


def assert_error(answer, status, code=None):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert {"code", "message", "hint"} <= set(error) <= {"code", "message", "hint", "field"}
    assert code in (None, error["code"])
    for word in ("Traceback", "secret", ".py", "pydantic"):
        assert word not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "role", "status"),
    [
        ("GET", "/notes/a", None, 401),
        ("GET", "/notes/a", Role.READER, 200),
        ("POST", "/notes", None, 401),
        ("POST", "/notes", Role.READER, 403),
        ("POST", "/notes", Role.OPERATOR, 201),
        ("POST", "/fails", Role.OPERATOR, 403),
        ("GET", "/api/1.0/events", None, 401),
        ("GET", "/api/1.0/events/stream", None, 401),
        ("GET", "/api/1.0/events", Role.READER, 200),
        ("GET", "/health", None, 200),
        ("GET", "/metrics", None, 200),
        ("GET", "/openapi.json", None, 200),
        ("GET", "/api", None, 200),
    ],
)
def test_who_is_let_in(notes, tokens, method, path, role, status):
    headers = {"Authorization": f"Bearer {tokens[1][role]}"} if role else {}
    answer = notes.call(method, path, headers=headers, json={"what": "x"})
    assert answer.status_code == status
    if status >= 400:
        assert_error(answer, status, "auth.token" if status == 401 else "auth.role")


@pytest.mark.parametrize(
    ("role", "name", "method", "status", "code"),
    [
        (Role.OPERATOR, "jane", "POST", 201, None),
        (Role.OPERATOR, "jane", "GET", 200, None),
        (Role.OPERATOR, "ron", "GET", 200, None),
        (Role.OPERATOR, "ron", "POST", 403, "auth.role"),
        (Role.READER, "jane", "POST", 403, "auth.role"),
        (Role.OPERATOR, "mallory", "GET", 403, "auth.chat_user"),
        (Role.OPERATOR, "Jane", "POST", 403, "auth.chat_user"),
        (Role.OPERATOR, "", "POST", 400, "name.characters"),
        (Role.OPERATOR, "jane, ron", "POST", 400, "name.characters"),
        (Role.OPERATOR, "{{ x }}", "POST", 400, "name.characters"),
        (Role.ADMIN, "jane", "POST", 403, "auth.on_behalf"),
        (None, "jane", "POST", 401, "auth.token"),
    ],
)
def test_on_behalf_of_somebody_in_a_chat(notes, tokens, role, name, method, status, code):
    headers = {"X-On-Behalf-Of": name}
    headers |= {"Authorization": f"Bearer {tokens[1][role]}"} if role else {}
    path = "/notes" if method == "POST" else "/notes/a"
    answer = notes.call(method, path, headers=headers, json={"what": "said", "run": "chatted"})
    assert answer.status_code == status
    if code is not None:
        assert_error(answer, status, code)
    if code == "auth.chat_user":
        assert "chat.users" in answer.json()["error"]["message"]
    if status == 201:
        page = notes.get(
            "/api/1.0/events?run=chatted", headers={**headers, "X-On-Behalf-Of": "ron"}
        )
        assert {event["who"] for event in page.json()["events"]} == {"operator/chat:jane"}


@pytest.mark.parametrize("value", ["Bearer wrong", "Basic YTpi", "x", "Bearer \xe9", ""])
def test_a_wrong_token_is_refused_without_repeating_it(notes, value):
    answer = notes.get("/notes/a", headers={"Authorization": value.encode("latin-1")})
    assert_error(answer, 401, "auth.token")
    assert "wrong" not in answer.text and "YTpi" not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "what"),
        (b"{", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (b"null", None),
        (b"[]", None),
        (b'"x"', None),
        (b'{"what": 1}', "what"),
        (b'{"what": null}', "what"),
        (b'{"what": "\\ud800"}', None),
        (b'{"what": "x", "more": 1}', "more"),
        (b'{"what": "x", "run": "<% x %>"}', "run"),
        (b'{"what": "x", "run": "../x"}', "run"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_field(notes, headers, body, field):
    answer = notes.post("/notes", data=body, headers=headers)
    assert_error(answer, 400)
    assert answer.json()["error"].get("field") == field


@pytest.mark.parametrize("query", ["limit=x", "nope=1", "wait=x"])
def test_a_query_that_does_not_fit_is_refused(notes, headers, query):
    assert_error(notes.get(f"/api/1.0/events?{query}", headers=headers), 400, "request.invalid")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/notes", 405),
        ("PATCH", "/notes", 405),
        ("OPTIONS", "/notes", 405),
        ("BREW", "/notes", 405),
        ("GET", "/notes", 405),
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("PATCH", "/nothing", 404),
        ("GET", "/notes/a/b", 404),
        ("GET", "/api/2.0/events", 404),
        ("GET", "/notes/%ff", 400),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/x", 404),
    ],
)
def test_what_is_not_offered_is_refused_in_the_same_shape(notes, headers, method, path, status):
    answer = notes.call(method, path, headers=headers)
    assert_error(answer, status)
    if status == 405:
        assert answer.headers["Allow"] == "POST"


def test_the_head_of_an_address_that_is_not_there(notes):
    assert notes.call("HEAD", "/nothing").status_code == 404


def test_what_tornado_refuses_leaves_no_name_in_the_log(notes, headers, caplog):
    given = {**headers, "Content-Type": "multipart/form-data"}
    assert_error(notes.get("/notes/NA12878%ff", headers=given, data=b"x"), 400)
    assert "NA12878" not in caplog.text


def test_a_failure_tells_nothing_of_the_inside(notes, headers):
    assert_error(notes.post("/fails", headers=headers), 500, "service.failed")
    assert_error(notes.post("/conflict", headers=headers), 409, "request.conflict")
    assert notes.get("/health").json() == {"status": "ok", "service": "notes", "notes": 1}


def test_a_body_that_is_too_large_is_refused_in_words(notes, headers):
    body = b" " * BODY_LIMIT
    assert_error(notes.post("/notes", headers=headers, data=body), 400)
    for larger in (body + b" ", iter([body, b" "])):
        answer = notes.post("/notes", headers=headers, data=larger)
        assert_error(answer, 413, "request.invalid")
        assert str(BODY_LIMIT) in answer.json()["error"]["message"]
    assert notes.get("/health").ok


def test_a_large_body_within_the_limit_is_read(notes, headers):
    answer = notes.post("/notes", {"what": "x", "more": "x" * (BODY_LIMIT - 100)}, headers=headers)
    assert_error(answer, 400)
    assert answer.json()["error"]["field"] == "more"
    assert len(answer.content) < 1000


def test_a_long_name_is_not_repeated(notes, headers):
    for answer in (
        notes.post("/notes", {"what": "x", "x" * 500_000: 1}, headers=headers),
        notes.get(f"/api/1.0/events?{'x' * 20_000}=1", headers=headers),
    ):
        assert_error(answer, 400, "request.invalid")
        assert answer.json()["error"]["field"] == "x" * 60 and len(answer.content) < 1000


def test_the_documents_of_the_service(notes, headers):
    document = notes.get("/openapi.json").json()
    routes = {entry["route"] for entry in notes.get("/api").json()["doc"]}
    assert routes == set(document["paths"])
    assert {"/notes", "/notes/{run}", "/health", "/api/1.0/events/stream"} <= routes
    assert notes.get("/api/1.0/").json() == notes.get("/api").json()


def test_metrics_count_answers_by_route_and_never_by_name(notes, headers):
    notes.get("/notes/NA12878", headers=headers)
    answer = notes.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    expected = (
        'arteriole_requests_total{method="GET",route="/notes/{run}",service="notes",status="200"}'
    )
    assert expected in answer.text
    assert "NA12878" not in answer.text


def note(notes, headers, *names):
    for name in names:
        assert notes.post("/notes", {"what": name, "run": "r1"}, headers=headers).ok


def last(notes, headers):
    cursor = None
    while True:
        page = notes.get(
            "/api/1.0/events", params={"after": cursor, "limit": 1000}, headers=headers
        ).json()
        if not page["events"]:
            return page["next"]
        cursor = page["next"]


def test_pages_of_events(notes, headers):
    before = last(notes, headers)
    note(notes, headers, "a", "b", "c")
    page = notes.get(f"/api/1.0/events?after={before}&limit=2", headers=headers).json()
    assert [event["what"] for event in page["events"]] == ["a", "b"]
    assert page["next"] == page["events"][-1]["id"] and page["reset"] is False
    rest = notes.get(f"/api/1.0/events?after={page['next']}", headers=headers).json()
    assert [(e["what"], e["run"], e["who"]) for e in rest["events"]] == [("c", "r1", "admin")]
    lost = notes.get("/api/1.0/events?after=other-7&limit=1", headers=headers).json()
    assert lost["reset"] is True and len(lost["events"]) == 1


def test_a_long_poll_returns_with_the_next_event(notes, headers):
    before = last(notes, headers)
    asked = threading.Event()
    found = []

    def poll():
        asked.set()
        answer = notes.get(f"/api/1.0/events?after={before}&wait=10", headers=headers)
        found.append(answer.json())

    thread = threading.Thread(target=poll)
    thread.start()
    asked.wait()
    note(notes, headers, "late")
    thread.join(DEADLINE)
    assert not thread.is_alive()
    assert [event["what"] for event in found[0]["events"]] == ["late"]
    nothing = notes.get(
        f"/api/1.0/events?after={found[0]['next']}&wait=0.1", headers=headers
    ).json()
    assert nothing == {"events": [], "next": found[0]["next"], "reset": False}


class Stream:
    """Reads server-sent events."""

    def __init__(self, notes, headers, **query):
        self._answer = requests.get(
            f"{notes.url}/api/1.0/events/stream",
            headers=headers,
            params=query,
            stream=True,
            timeout=DEADLINE,
        )
        assert self._answer.headers["Content-Type"] == "text/event-stream"
        self._lines = self._answer.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self):
        fields = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                return fields
        return None

    def close(self):
        self._answer.close()


def test_a_stream_goes_on_after_the_last_event_its_reader_saw(notes, headers):
    before = last(notes, headers)
    stream = Stream(notes, headers, after=before)
    note(notes, headers, "s1", "s2")
    first, second = stream.next(), stream.next()
    assert (first["event"], second["event"]) == ("s1", "s2")
    assert json.loads(second["data"])["id"] == second["id"]
    stream.close()
    note(notes, headers, "s3")
    again = Stream(notes, headers | {"Last-Event-ID": first["id"]}, after=before)
    assert [again.next()["event"], again.next()["event"]] == ["s2", "s3"]
    again.close()


def test_a_stream_with_a_strange_cursor_begins_with_reset(notes, headers):
    note(notes, headers, "x", "y")
    stream = Stream(notes, headers | {"Last-Event-ID": "gone-9"})
    assert stream.next() == {"event": "reset", "data": "{}"}
    assert stream.next()["id"].endswith("-2")
    stream.close()


def test_a_stream_does_not_keep_the_service_from_stopping(tmp_path):
    serving = Serving(lambda: Notes(tmp_path / "notes.sqlite"))
    stream = Stream(serving, {})
    note(serving, {}, "one")
    assert stream.next()["event"] == "one"
    serving.stop()
    stream.close()


def test_without_tokens_everyone_may(tmp_path):
    serving = Serving(lambda: Notes(tmp_path / "notes.sqlite"))
    note(serving, {}, "one")
    page = eventually(lambda: serving.get("/api/1.0/events").json())
    assert [(event["what"], event["who"]) for event in page["events"]] == [("one", "local")]
    serving.stop()


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Origin": "http://127.0.0.1:{port}"}, False),
        ({"Origin": "https://evil.example.org"}, True),
        ({"Origin": "http://127.0.0.1:1"}, True),
        ({"Origin": "null"}, True),
        ({"Host": "rebound.example.org:{port}"}, True),
        ({"Host": "localhost:{port}"}, False),
    ],
)
def test_without_tokens_no_page_of_another_address_may(tmp_path, headers, refused):
    serving = Serving(lambda: Notes(tmp_path / "notes.sqlite"))
    given = {name: value.format(port=serving.port) for name, value in headers.items()}
    answer = serving.post("/notes", {"what": "x"}, headers=given)
    assert (answer.status_code == 403) is refused and answer.ok is not refused
    serving.stop()


def test_with_tokens_any_name_may(notes, headers):
    given = {**headers, "Host": "sequencing.example.org"}
    assert notes.get("/notes/R1", headers=given).status_code == 200
