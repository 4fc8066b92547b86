"""A real `st2solo serve` on free ports with a pack of its own, and the unmodified `st2` command."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

_ROOT = Path(__file__).parents[5]
_DEADLINE_SECONDS = 120
_MAIN = "from st2solo.cli import main; main()"

_FILES = {
    "st2solo.yaml": "packs: [packs]\nstate: state\nports: {auth: 0, api: 0, stream: 0}\n",
    "packs/demo/pack.yaml": (
        "name: demo\ndescription: d\nversion: 0.1.0\nauthor: a\nemail: a@example.org\n"
    ),
    "packs/demo/actions/wf.yaml": (
        "name: wf\nrunner_type: orquesta\nentry_point: workflows/wf.yaml\n"
        "parameters:\n  n: {type: integer, default: 1}\n  pin: {type: string, secret: true}\n"
    ),
    "packs/demo/actions/workflows/wf.yaml": (
        "version: 1.0\ninput: [n, pin]\ntasks:\n  first:\n    action: core.noop\n    next:\n"
        "    - {when: <% succeeded() %>, do: second}\n  second:\n    action: core.noop\n"
        "output:\n- n: <% ctx(n) %>\n"
    ),
    "packs/demo/actions/wide.yaml": (
        "name: wide\nrunner_type: orquesta\nentry_point: workflows/wide.yaml\n"
    ),
    "packs/demo/actions/workflows/wide.yaml": (
        "version: 1.0\ntasks:\n  each: {with: <% range(2) %>, action: core.noop}\n"
    ),
    "packs/demo/actions/talk.yaml": (
        "name: talk\nrunner_type: orquesta\nentry_point: workflows/talk.yaml\n"
        "parameters:\n  until: {type: string, required: true}\n"
    ),
    "packs/demo/actions/workflows/talk.yaml": (
        "version: 1.0\ninput: [until]\ntasks:\n  it:\n    action: core.local\n    input:\n"
        "      timeout: 30\n      cmd: until [ -e <% ctx(until) %> ]; do echo waiting; sleep 0.1;"
        " done; echo over\n"
    ),
    "packs/demo/actions/fail.yaml": (
        "name: fail\nrunner_type: local-shell-cmd\nparameters:\n"
        "  cmd: {default: 'exit 3', immutable: true}\n"
    ),
    "packs/demo/triggers/event.yaml": (
        "name: event\npayload_schema:\n  type: object\n  properties:\n"
        "    n: {type: integer, required: true}\n"
    ),
    "packs/demo/rules/on_event.yaml": (
        "name: on_event\nenabled: true\ntrigger: {type: demo.event}\n"
        "criteria: {trigger.n: {type: gt, pattern: 0}}\n"
        "action: {ref: demo.wf, parameters: {n: '{{trigger.n}}'}}\n"
    ),
    "packs/demo/rules/breaks.yaml": (
        "name: breaks\nenabled: true\ntrigger: {type: demo.event}\n"
        "action: {ref: core.noop, parameters: {x: '{{trigger.nothing}}'}}\n"
    ),
    "packs/demo/rules/on_failure.yaml": (
        "name: on_failure\nenabled: true\ntrigger: {type: core.st2.generic.actiontrigger}\n"
        "criteria:\n  trigger.status: {type: eq, pattern: failed}\n"
        "  trigger.action_ref: {type: eq, pattern: demo.fail}\n"
        "action: {ref: core.noop, parameters: {failed: '{{trigger.execution_id}}'}}\n"
    ),
    "packs/demo/sensors/feed.yaml": (
        "class_name: Feed\nentry_point: feed.py\npoll_interval: 1\ntrigger_types:\n- name: tick\n"
    ),
    "packs/demo/sensors/feed.py": (
        "import os\n"
        "from st2reactor.sensor.base import PollingSensor\n\n\n"
        "class Feed(PollingSensor):\n"
        "    def setup(self):\n"
        "        self.sensor_service.set_value('pid', os.getpid())\n\n"
        "    def poll(self):\n"
        "        if self.sensor_service.get_value('sent') is None:\n"
        "            self.sensor_service.dispatch_with_context(\n"
        "                'demo.tick', {'site': self.config['site']}, {'trace_tag': 'RUN1'})\n"
        "            self.sensor_service.dispatch('demo.event', {'n': 'no number'})\n"
        "            self.sensor_service.set_value('sent', 'yes')\n\n"
        "    def cleanup(self): pass\n"
        "    def add_trigger(self, trigger): pass\n"
        "    def update_trigger(self, trigger): pass\n"
        "    def remove_trigger(self, trigger): pass\n"
    ),
    "packs/demo/rules/on_tick.yaml": (
        "name: on_tick\nenabled: true\ntrigger: {type: demo.tick}\n"
        "action: {ref: core.noop, parameters: {site: '{{trigger.site}}'}}\n"
    ),
    "packs/demo/actions/told.yaml": (
        "name: told\nrunner_type: local-shell-cmd\nparameters:\n"
        "  cmd: {default: 'true', immutable: true}\n  who: {type: string, default: nobody}\n"
        "notify:\n  on-success:\n    routes: [lab]\n"
        "    message: 'done for {{ action_parameters.who }}'\n"
        "  on-failure: {routes: [pager]}\n"
    ),
    "packs/demo/rules/on_notify.yaml": (
        "name: on_notify\nenabled: true\ntrigger: {type: core.st2.generic.notifytrigger}\n"
        "action: {ref: core.noop, parameters: {message: '{{trigger.message}}',"
        " route: '{{trigger.route}}'}}\n"
    ),
    "packs/demo/rules/on_inquiry.yaml": (
        "name: on_inquiry\nenabled: true\ntrigger: {type: core.st2.generic.inquiry}\n"
        "action: {ref: core.noop, parameters: {asked: '{{trigger.id}}'}}\n"
    ),
    "packs/demo/policies/limit.yaml": (
        "name: limit\nresource_ref: demo.fail\npolicy_type: action.retry\n"
        "parameters: {retry_on: timeout}\n"
    ),
    "packs/demo/aliases/greet.yaml": (
        "name: greet\naction_ref: core.echo\ndescription: Say it\n"
        "formats: ['greet {{ message = you }}']\n"
        "ack:\n  format: 'saying {{ execution.parameters.message }}'\n"
        "  extra: {colour: '{{ execution.status }}'}\n  append_url: false\n"
        "result:\n  format: '{{ execution.result.stdout }} {{ nothing }}{{ alias.name }}'\n"
        "  extra: {colour: '{{ execution.status }}'}\n"
    ),
    "packs/demo/aliases/hail.yaml": (
        "name: hail\naction_ref: core.echo\n"
        "formats: ['hail {{ message = {{ action_context.source_channel }} }}']\n"
    ),
    "packs/demo/aliases/loudly.yaml": (
        "name: loudly\naction_ref: core.echo\nformats: ['greet {{ message }} loudly']\n"
        "ack: {format: '{{ nothing }}'}\nresult: {enabled: false}\n"
    ),
    "packs/demo/aliases/me.yaml": (
        "name: me\naction_ref: core.echo\nformats: ['greet me', 'i {{ x }}']\n"
        "immutable_parameters: {message: 'you are {{ api_user }} of {{ source_channel }}'}\n"
    ),
    "packs/demo/aliases/count.yaml": (
        "name: count\naction_ref: demo.wf\nformats: ['count to {{ n }}']\n"
    ),
    "packs/demo/aliases/off.yaml": (
        "name: 'off'\nenabled: false\naction_ref: core.noop\nformats: ['off']\n"
    ),
    "packs/demo/aliases/tags.yaml": (
        "name: tags\naction_ref: demo.list\nformats: ['tag {{ names }}',"
        " {display: tags, representation: ['(?:\\b|^)t-(?P<names>[a-z,]+)(?:\\b|$)'],"
        " match_multiple: true}]\n"
    ),
    "packs/demo/actions/list.yaml": (
        "name: list\nrunner_type: noop\nparameters:\n  names: {type: array, required: true}\n"
    ),
    "packs/demo/actions/login.yaml": (
        "name: login\nrunner_type: noop\nparameters:\n  creds:\n    type: object\n"
        "    secret: true\n    properties: {port: {type: integer}}\n"
    ),
    "packs/demo/config.schema.yaml": "site: {type: string, default: home}\n",
}


def until(check, what, seconds=_DEADLINE_SECONDS):
    """The first true value that `check` gives, asked again until a deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Serve:
    """A folder with a configuration, and the process that serves it."""

    def __init__(self, folder, files=_FILES):
        self.folder = folder
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.run("user", "add", "alice", stdin="sesame\n")
        self.run("user", "add", "bob", "--no-admin", stdin="sesame\n")
        self.process = None
        self.token = None

    def run(self, *arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-m", "st2solo", *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=_DEADLINE_SECONDS,
        ).stdout

    def start(self, code=_MAIN):
        self.ports_file.unlink(missing_ok=True)
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "serve"], cwd=self.folder, stdout=log, stderr=log
            )
        until(lambda: self.ports_file.exists() or self.process.poll() is not None, "started")
        assert self.process.poll() is None, self.log
        self.ports = json.loads(self.ports_file.read_text())
        self.token = self.token_of("alice")

    def stop(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
        return self.process and self.process.wait(_DEADLINE_SECONDS)

    @property
    def ports_file(self):
        return self.folder / "state" / "ports.json"

    @property
    def log(self):
        return (self.folder / "serve.log").read_text()

    def url(self, part, path):
        return f"http://127.0.0.1:{self.ports[part]}{path}"

    def call(self, method, path, token=None, **more):
        headers = {"X-Auth-Token": self.token if token is None else token}
        headers |= more.pop("headers", {})
        url = self.url("api", "/v1" + path)
        return requests.request(method, url, headers=headers, timeout=_DEADLINE_SECONDS, **more)

    def get(self, path):
        reply = self.call("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def token_of(self, user):
        url = self.url("auth", "/tokens")
        reply = requests.post(url, auth=(user, "sesame"), timeout=_DEADLINE_SECONDS)
        assert reply.status_code == 201
        return reply.json()["token"]

    def dispatch(self, trigger, payload):
        return self.call("POST", "/webhooks/st2", json={"trigger": trigger, "payload": payload})

    def rows(self, sql, *values):
        """What stands in the store, read beside the process."""
        connection = sqlite3.connect(self.folder / "state" / "st2solo.sqlite")
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    @property
    def st2_command(self):
        """The real `st2` command, and the environment in which it finds this process."""
        command = Path(os.environ.get("ST2_COMMAND", _ROOT / ".venv-st2" / "bin" / "st2"))
        if not command.exists():
            pytest.skip(f"the st2 command is not at {command} (st2client 3.9.0; or ST2_COMMAND)")
        return command, {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONWARNINGS": "ignore",
            "ST2_AUTH_URL": self.url("auth", ""),
            "ST2_API_URL": self.url("api", "/v1"),
            "ST2_STREAM_URL": self.url("stream", "/v1"),
        }

    def st2(self, *arguments, code=0):
        """The output of the real `st2` command."""
        command, env = self.st2_command
        done = subprocess.run(
            [command, *arguments],
            env=env,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_SECONDS,
        )
        assert done.returncode == code, done.stdout + done.stderr + self.log
        return done.stdout + done.stderr

    def st2_many(self, commands):
        """What st2client's own code prints for each list of arguments, in turn: {code, out}."""
        command, env = self.st2_command
        done = subprocess.run(
            [command.with_name("python"), Path(__file__).with_name("st2_in_process.py")],
            env={**env, "COLUMNS": "1000"},
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            timeout=_DEADLINE_SECONDS,
        )
        assert done.returncode == 0, done.stderr + self.log
        return json.loads(done.stdout)


_VERSION = (
    "name: hello\ndescription: Says hello\nversion: {}.0.0\nauthor: a\nemail: a@example.org\n"
)
#: A version of the pack; its action waits for a file and then imports what is beside it.
_VERSIONED = {
    "pack.yaml": _VERSION,
    "config.schema.yaml": (
        "greeting: {{type: string, description: d}}\ntimes: {{type: integer, default: 1}}\n"
    ),
    "actions/say.yaml": (
        "name: say\nrunner_type: python-script\nentry_point: say.py\nparameters:\n"
        "  wait_for: {{type: string, default: /}}\n"
    ),
    "actions/say.py": (
        "import os, time\nfrom st2common.runners.base_action import Action\n\n\n"
        "class Say(Action):\n    def run(self, wait_for):\n"
        "        while not os.path.exists(wait_for):\n            time.sleep(0.05)\n"
        "        import what\n        return what.VERSION\n"
    ),
    "actions/what.py": "VERSION = {}\n",
    "sensors/told.yaml": (
        "class_name: Told\nentry_point: told.py\npoll_interval: 60\n"
        "trigger_types:\n- name: happened\n"
    ),
    "sensors/told.py": (
        "from st2reactor.sensor.base import PollingSensor\n\n\n"
        "class Told(PollingSensor):\n    def setup(self):\n"
        "        text = f\"{} {{self.config.get('greeting')}}\"\n"
        "        self.sensor_service.set_value('version', text, local=False)\n\n"
        "    def poll(self): pass\n    def cleanup(self): pass\n"
        "    def add_trigger(self, trigger): pass\n    def update_trigger(self, trigger): pass\n"
        "    def remove_trigger(self, trigger): pass\n"
    ),
    "rules/on.yaml": (
        "name: 'on'\nenabled: true\ntrigger: {{type: hello.happened}}\naction: {{ref: hello.say}}\n"
    ),
    "aliases/say.yaml": "name: say\naction_ref: hello.say\nformats: [say hello]\n",
}


class Repository:
    """A git repository with a pack, of which each version is a commit with a tag."""

    files = _VERSIONED

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self._git("init", "--quiet", "--initial-branch", "main")

    def _git(self, *arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, "-C", self.folder, *arguments], check=True)

    def version(self, number, **files):
        texts = {name: text.format(number) for name, text in self.files.items()} | files
        for name, text in texts.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", f"version {number}")
        self._git("tag", f"v{number}.0.0")

    def __str__(self):
        return f"file://{self.folder}"


@pytest.fixture(name="until", scope="session")
def until_fixture():
    return until


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    served = Serve(tmp_path_factory.mktemp("serve"))
    served.start()
    yield served
    assert served.stop() == 0, served.log


@pytest.fixture(scope="session")
def repository_of():
    """Makes a repository in a new folder."""
    return Repository


@pytest.fixture(scope="session")
def serve_files():
    """The class, for tests that need files of their own."""
    return Serve


@pytest.fixture
def stopped(tmp_path):
    """Not started yet; ended by force at the end of the test."""
    served = Serve(tmp_path)
    yield served
    served.stop(signal.SIGKILL)
