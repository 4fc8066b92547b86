"""What the `st2` command prints, word for word: each command as a table, as JSON and as YAML.

What is expected is in the folder outputs/, a file a command. `ST2SOLO_RECORD=1 pytest` writes it
anew; look at the difference before you commit it. Identifiers, times and the like are replaced, and
what a table is filled up with.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_OUTPUTS = Path(__file__).parent / "outputs"
_RECORD = os.environ.get("ST2SOLO_RECORD") == "1"
_FORMS = ((), ("-j",), ("-y",))
_META = "description: {}\nversion: 1.2.3\nauthor: Ann\nemail: ann@example.org\nkeywords: [one]\n"
_FILES = {
    "st2solo.yaml": (
        "packs: [packs]\nstate: state\nports: {auth: 0, api: 0, stream: 0}\nlog_level: WARNING\n"
    ),
    "packs/lab/pack.yaml": "name: lab\n" + _META.format("A laboratory"),
    "packs/lab/config.schema.yaml": "bench: {type: string, default: left}\n",
    "packs/lab/actions/flow.yaml": (
        "name: flow\ndescription: A workflow\nrunner_type: orquesta\n"
        "entry_point: workflows/flow.yaml\nparameters:\n"
        "  n: {type: integer, required: true, description: How many, position: 0}\n"
        "  pin: {type: string, secret: true, default: '0000'}\n"
    ),
    "packs/lab/actions/workflows/flow.yaml": (
        "version: 1.0\ninput: [n, pin]\ntasks:\n  first:\n    action: core.noop\n    next:\n"
        "    - {when: <% succeeded() %>, do: second}\n  second:\n    action: lab.say\n"
        "    input: {word: <% str(ctx(n)) %>}\noutput:\n- n: <% ctx(n) %>\n"
    ),
    "packs/lab/actions/say.yaml": (
        "name: say\ndescription: Says a word\nrunner_type: local-shell-cmd\nparameters:\n"
        "  word: {type: string, default: hello}\n"
        "  cmd: {immutable: true, default: \"printf '%s' '{{ word }}'\"}\n"
    ),
    "packs/lab/actions/fail.yaml": (
        "name: fail\nrunner_type: local-shell-cmd\nparameters:\n"
        "  cmd: {immutable: true, default: 'echo why >&2; exit 3'}\n"
    ),
    "packs/lab/actions/wait.yaml": (
        "name: wait\nrunner_type: local-shell-cmd\nparameters:\n"
        "  cmd: {immutable: true, default: 'exec sleep 600'}\n  timeout: {default: 600}\n"
    ),
    "packs/lab/actions/long.yaml": (
        "name: long\nrunner_type: orquesta\nentry_point: workflows/long.yaml\n"
    ),
    "packs/lab/actions/workflows/long.yaml": ("version: 1.0\ntasks:\n  it: {action: lab.wait}\n"),
    "packs/lab/actions/workflows/wrong.yaml": (
        "version: 1.0\ntasks:\n  it: {action: lab.none, next: [{do: nowhere}]}\n"
    ),
    "packs/lab/triggers/sample.yaml": (
        "name: sample\ndescription: A sample came\npayload_schema:\n  type: object\n"
        "  properties:\n    n: {type: integer, required: true}\n"
    ),
    "packs/lab/rules/on_sample.yaml": (
        "name: on_sample\ndescription: What becomes of a sample\nenabled: true\n"
        "trigger: {type: lab.sample}\ncriteria: {trigger.n: {type: gt, pattern: 0}}\n"
        "action: {ref: lab.flow, parameters: {n: '{{ trigger.n }}'}}\n"
    ),
    "packs/lab/rules/new_year.yaml": (
        "name: new_year\nenabled: false\n"
        "trigger: {type: core.st2.DateTimer, parameters: {date: '2999-01-01 00:00:00',"
        " timezone: UTC}}\naction: {ref: core.noop}\n"
    ),
    "packs/lab/rules/hook.yaml": (
        "name: hook\nenabled: false\ntrigger: {type: core.st2.webhook,"
        " parameters: {url: samples}}\naction: {ref: core.noop}\n"
    ),
    "packs/lab/sensors/door.yaml": (
        "class_name: Door\ndescription: Who comes in\nenabled: false\nentry_point: door.py\n"
        "poll_interval: 60\ntrigger_types:\n- {name: opened, description: The door}\n"
    ),
    "packs/lab/sensors/door.py": (
        "from st2reactor.sensor.base import PollingSensor\n\n\n"
        "class Door(PollingSensor):\n    def setup(self): pass\n    def poll(self): pass\n"
        "    def cleanup(self): pass\n    def add_trigger(self, trigger): pass\n"
        "    def update_trigger(self, trigger): pass\n    def remove_trigger(self, trigger): pass\n"
    ),
    "packs/lab/aliases/count.yaml": (
        "name: count\ndescription: Counts\naction_ref: lab.flow\nformats: ['count to {{ n }}']\n"
    ),
    "packs/lab/policies/few.yaml": (
        "name: few\ndescription: Two at most\nresource_ref: lab.say\n"
        "policy_type: action.concurrency\nparameters: {threshold: 2, action: delay}\n"
    ),
    "repository/pack.yaml": "name: extra\n" + _META.format("Something more"),
    "rule.yaml": (
        "name: made\npack: lab\nenabled: false\ntrigger: {type: lab.sample}\n"
        "action: {ref: core.noop}\n"
    ),
    "keys.json": '[{"name": "loaded", "value": "x"}]',
    "apikeys.json": '[{"user": "alice", "key_hash": "x", "metadata": {}}]',
}


@dataclass(frozen=True)
class Row:
    """A command; `before` and `after` are others that make and undo what it needs and does."""

    name: str
    command: str
    forms: tuple = _FORMS
    before: tuple = ()
    after: tuple = ()
    code: int = 0


_ONE = (_FORMS[0],)
_MAKE, _DELETE = "rule create {folder}/rule.yaml", "rule delete lab.made"
#: In this order, against one process. A name in braces that ends with _each is another one for
#: each form.
_ROWS = [
    Row("whoami", "whoami"),
    Row("execution-list", "execution list --action lab.flow"),
    Row("execution-get", "execution get {flow}"),
    Row("execution-get-failed", "execution get {failed}"),
    Row("execution-tail", "execution tail {said}", _ONE),
    Row("action-list", "action list -p lab"),
    Row("action-get", "action get lab.flow"),
    Row("action-disable", "action disable lab.say"),
    Row("action-enable", "action enable lab.say"),
    Row("action-none", "action get lab.none", code=1),
    Row("rule-list", "rule list -p lab"),
    Row("rule-get", "rule get lab.on_sample"),
    Row("rule-disable", "rule disable lab.hook"),
    Row("rule-enable", "rule enable lab.hook"),
    Row("rule-create", _MAKE, after=(_DELETE,)),
    Row("rule-update", "rule update lab.made {folder}/rule.yaml", before=(_MAKE,),
        after=(_DELETE,)),
    Row("rule-delete", _DELETE, before=(_MAKE,)),
    Row("sensor-list", "sensor list -p lab"),
    Row("sensor-get", "sensor get lab.Door"),
    Row("sensor-enable", "sensor enable lab.Door"),
    Row("sensor-disable", "sensor disable lab.Door"),
    Row("trigger-list", "trigger list -p lab"),
    Row("trigger-get", "trigger get lab.sample"),
    Row("trigger-getspecs", "trigger getspecs lab.sample"),
    Row("trigger-instance-list", "trigger-instance list --trigger lab.sample"),
    Row("trigger-instance-get", "trigger-instance get {instance}"),
    Row("rule-enforcement-list", "rule-enforcement list --rule lab.on_sample"),
    Row("rule-enforcement-get", "rule-enforcement get {enforcement}"),
    Row("trace-list", "trace list --trace-tag SAMPLE1"),
    Row("trace-get", "trace get {instance}"),
    Row("trigger-instance-re-emit", "trigger-instance re-emit {instance}"),
    Row("key-set", "key set colour blue"),
    Row("key-set-encrypted", "key set pin 4711 --encrypt"),
    Row("key-get", "key get colour"),
    Row("key-get-decrypted", "key get pin --decrypt"),
    Row("key-list", "key list --prefix colour"),
    Row("key-load", "key load {folder}/keys.json"),
    Row("key-delete", "key delete colour", after=("key set colour blue",)),
    Row("key-delete-by-prefix", "key delete_by_prefix -p load", _ONE),
    Row("key-none", "key get none", code=1),
    Row("apikey-list", "apikey list"),
    Row("apikey-get", "apikey get {apikey}"),
    Row("apikey-disable", "apikey disable {apikey}"),
    Row("apikey-enable", "apikey enable {apikey}"),
    Row("apikey-create", "apikey create"),
    Row("apikey-create-only-key", "apikey create -k", _ONE),
    Row("apikey-delete", "apikey delete {apikey_each}"),
    Row("inquiry-list", "inquiry list"),
    Row("inquiry-get", "inquiry get {asked_each}"),
    Row("inquiry-respond", 'inquiry respond {asked_each} -r {{"continue":true}}'),
    Row("workflow-inspect", "workflow inspect --file {actions}/workflows/flow.yaml", _ONE),
    Row("workflow-inspect-wrong", "workflow inspect --file {actions}/workflows/wrong.yaml", _ONE),
    Row("runner-list", "runner list"),
    Row("runner-get", "runner get local-shell-cmd"),
    Row("webhook-list", "webhook list"),
    Row("webhook-get", "webhook get samples"),
    Row("action-alias-list", "action-alias list -p lab"),
    Row("action-alias-get", "action-alias get lab.count"),
    Row("action-alias-match", ("action-alias", "match", "count to 3")),
    Row("action-alias-execute", ("action-alias", "execute", "count to 3")),
    Row("timer-list", "timer list"),
    Row("timer-get", "timer get {timer}"),
    Row("policy-list", "policy list -p lab"),
    Row("policy-get", "policy get lab.few"),
    Row("policy-type-list", "policy-type list"),
    Row("policy-type-get", "policy-type get action.concurrency"),
    Row("pack-list", "pack list"),
    Row("pack-get", "pack get lab"),
    Row("pack-search", "pack search laboratory"),
    Row("pack-show", "pack show lab"),
    Row("pack-register", "pack register lab"),
    Row("pack-install", "pack install file://{folder}/repository", after=("pack remove extra",)),
    Row("pack-remove", "pack remove extra",
        before=("pack install file://{folder}/repository -j",)),
    Row("execution-pause", "execution pause {paused_each}"),
    Row("execution-resume", "execution resume {paused_each}"),
    Row("execution-cancel", "execution cancel {canceled_each}"),
    Row("execution-re-run", "execution re-run {said} -a"),
    Row("run", "run lab.flow n=3"),
    Row("run-async", "run lab.say word=you -a"),
    Row("run-failed", "run lab.fail", code=1),
    Row("auth", "auth alice -p sesame"),
    Row("auth-only-token", "auth alice -p sesame -t", _ONE),
    Row("login", "login alice -p sesame", _ONE),
    Row("login-wrong", "login alice -p wrong", _ONE, code=1),
    # what st2solo does not offer (docs/differences.md)
    Row("action-delete", "action delete lab.say", _ONE, before=("login alice -p sesame",), code=1),
    Row("runner-disable", "runner disable noop", _ONE, code=1),
    Row("role-list", "role list", _ONE, code=1),
]  # fmt: skip


@pytest.fixture(scope="module")
def serve(serve_files, tmp_path_factory):
    served = serve_files(tmp_path_factory.mktemp("lab"), _FILES)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C")
    for step in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "x")):
        subprocess.run([*git, served.folder / "repository", *step], check=True)
    served.start()
    yield served
    for execution in served.get("/executions?status=running"):
        served.call("DELETE", f"/executions/{execution['id']}")
    assert served.stop() == 0, served.log


class State:
    """What there is before the first command."""

    def __init__(self, serve, until):
        self._serve, self._until = serve, until
        body = {"trigger": "lab.sample", "payload": {"n": 2}}
        headers = {"St2-Trace-Tag": "SAMPLE1"}
        serve.call("POST", "/webhooks/st2", json=body, headers=headers)
        self.names = {
            "folder": serve.folder,
            "actions": serve.folder / "packs" / "lab" / "actions",
            "flow": self._over(until(lambda: serve.get("/executions?action=lab.flow"), "ruled")[0]),
            "said": self._over(self._run("lab.say")),
            "failed": self._over(self._run("lab.fail")),
            "instance": serve.get("/triggerinstances?trigger=lab.sample")[0]["id"],
            "enforcement": serve.get("/ruleenforcements?rule_ref=lab.on_sample")[0]["id"],
            "timer": serve.get("/timers")[0]["id"],
            "apikey": self._key(),
        }
        self.each = {
            "paused_each": [self._at(self._run("lab.long"), "running") for _ in _FORMS],
            "canceled_each": [self._at(self._run("lab.wait"), "running") for _ in _FORMS],
            "apikey_each": [self._key() for _ in _FORMS],
            "asked_each": [self._at(self._run("core.ask"), "pending") for _ in _FORMS],
        }

    def _run(self, action):
        return self._serve.call("POST", "/executions", json={"action": action}).json()

    def _key(self):
        return self._serve.call("POST", "/apikeys", json={}).json()["id"]

    def _over(self, execution):
        path = f"/executions/{execution['id']}"
        self._until(lambda: self._serve.get(path).get("end_timestamp"), "it is over")
        return execution["id"]

    def _at(self, execution, status):
        path = f"/executions/{execution['id']}"
        self._until(lambda: self._serve.get(path)["status"] == status, status)
        return execution["id"]


@pytest.fixture(scope="module")
def answers(serve, until):
    """Every command's answers, by its row's name: {code, out} for each form."""
    serve.st2("login", "alice", "-p", "sesame")
    state = State(serve, until)
    steps, told = [], []
    for row in _ROWS:
        for number, form in enumerate(row.forms):
            names = state.names | {name: ids[number] for name, ids in state.each.items()}
            for command in (*row.before, row.command, *row.after):
                words = command.split() if isinstance(command, str) else command
                arguments = [word.format(**names) for word in words]
                told.append(row.name if command is row.command else None)
                steps.append([*arguments, *form] if command is row.command else arguments)
    found = {}
    for name, arguments, answer in zip(told, steps, serve.st2_many(steps), strict=True):
        if name is None:
            assert answer["code"] == 0, (arguments, answer["out"])
        else:
            found.setdefault(name, []).append({"arguments": arguments, **answer})
    return found


_WEEKDAYS, _MONTHS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "[JFMASOND][a-z]{2}"
#: What differs from one time to the next, and what stands for it.
_DIFFERS = [
    (rf"\b(?:{_WEEKDAYS}), \d\d {_MONTHS} \d{{4}}", "Day, 00 Mon 0000"),
    (r"\b\d\d:\d\d:\d\d UTC", "00:00:00 UTC"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)", "0000-00-00T00:00:00Z"),
    (r"\(\d+s elapsed\)", "(0s elapsed)"),
    (r"(elapsed_seconds\W+)[\d.e-]+", r"\g<1>0.0"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "u" * 36),
    (r"\b[0-9a-f]{40}\b", "c" * 40),
    (r"\b[0-9a-f]{32}\b", "t" * 32),
    (r"\b[0-9a-f]{24}\b", "i" * 24),
    (r"'?(?<![\w-])[\w-]{64}(?![\w-])'?", "k" * 64),
    (r"\b[0-9A-F]{50,}\b", "E" * 50),
    (r"\x1b\[\d+m", ""),
    (r"[\n\r]\t\[ *\w+ *\] \w+", ""),  # how far an installation is, if it is not over already
    (r"-{3,}", "---"),  # how wide a column of a table is
    (r"(?m)(?<=\S) {2,}(?=.*\|$)", " "),
    (r"(?m)^\| key \| \S+ \|$(?:\n\| \| \S+ \|$)+", f"| key | {'k' * 64} |"),
    (r"\n{2,}", "\n"),
]


def _without_differences(text, serve):
    text = text.replace(str(serve.folder), "/lab")
    for part in ("auth", "api"):
        text = text.replace(serve.url(part, "/"), f"http://{part}/")
    for pattern, stands in _DIFFERS:
        text = re.sub(pattern, stands, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _document(given, serve):
    parts = []
    for answer in given:
        text = f"$ st2 {' '.join(answer['arguments'])}\n{answer['out']}"
        parts.append(_without_differences(text, serve))
        if answer["code"]:
            parts.append(f"[ends with {answer['code']}]\n")
    return "".join(parts)


@pytest.mark.parametrize("row", _ROWS, ids=[row.name for row in _ROWS])
def test_output(row, answers, serve):
    told = _document(answers[row.name], serve)
    assert {answer["code"] for answer in answers[row.name]} == {row.code}, told
    path = _OUTPUTS / f"{row.name}.txt"
    if _RECORD:
        path.parent.mkdir(exist_ok=True)
        path.write_text(told)
    assert told == path.read_text()


def test_every_output_has_its_row():
    assert {path.stem for path in _OUTPUTS.glob("*.txt")} == {row.name for row in _ROWS}
