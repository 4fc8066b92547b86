"""`st2 pack install`, `remove` and `register`: a real process, git and `st2` command."""

import subprocess
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[5]


@pytest.fixture(scope="module")
def repository(repository_of, tmp_path_factory):
    repository = repository_of(tmp_path_factory.mktemp("git") / "hello")
    for number in (1, 2, 3):
        repository.version(number)
    rule = repository.files["rules/on.yaml"].format().replace("happened", "nothing")
    repository.version(4, **{"rules/on.yaml": rule})
    return repository


@pytest.fixture(scope="module", autouse=True)
def logged_in(serve):
    serve.st2("login", "alice", "-p", "sesame")


@pytest.fixture
def ask(serve, until):
    """Asks for an installation or removal, and gives its execution once it is over."""

    def asked(verb, *packs, **more):
        reply = serve.call("POST", f"/packs/{verb}", json={"packs": packs, **more})
        assert reply.status_code == 202, reply.text
        path = f"/executions/{reply.json()['execution_id']}"
        return until(lambda: (e := serve.get(path)).get("end_timestamp") and e, f"{verb} ended")

    return asked


def _installed(serve):
    folder = serve.folder / "state" / "installed_packs"
    return sorted(path.name for path in folder.iterdir())


def test_our_packs_are_exported_installed_and_removed(serve, ask, tmp_path):
    exported = ["make", "--silent", "packs", f"PACKS={tmp_path}"]
    subprocess.run(exported, cwd=_ROOT, check=True, capture_output=True)
    arteria, umccr = (f"file://{tmp_path / name}" for name in ("arteria", "umccr"))

    alone = ask("install", umccr)
    assert 'the pack "umccr" depends on another that is not here, arteria' in str(alone["result"])
    told = serve.st2("pack", "install", arteria)
    newest = serve.get("/executions?action=packs.install&limit=1")[0]["id"]
    tasks = [
        c["context"]["orquesta"]["task_name"] for c in serve.get(f"/executions/{newest}/children")
    ]
    assert tasks == ["download_pack", "setup_virtualenv", "register_pack"]
    assert "| name        | arteria" in told
    assert ask("install", umccr)["result"]["output"]["packs_list"] == ["umccr"]

    for kind in ("actions", "rules", "sensors"):
        files = list((_ROOT / "packs").glob(f"*/{kind}/*.yaml"))
        query = "sensortypes" if kind == "sensors" else kind
        found = [serve.get(f"/{query}?pack={pack}&limit=-1") for pack in ("arteria", "umccr")]
        assert sum(map(len, found)) == len(files), kind
    assert serve.get("/packs/arteria")["repo_url"] == arteria

    told = serve.st2("pack", "remove", "umccr", "arteria")
    assert "umccr" in told and "arteria" in told
    for query in ("actions", "rules", "sensortypes", "triggertypes", "actionalias", "triggers"):
        assert serve.get(f"/{query}?pack=arteria") == [], query
    assert serve.call("GET", "/packs/umccr").status_code == 404


def test_a_version_takes_the_place_of_another(serve, repository, ask, until, tmp_path):
    """Rules, sensors and actions without a restart; what runs from the old one is not disturbed."""
    assert ask("install", f"{repository}=1.0.0")["status"] == "succeeded"
    until(lambda: _key(serve, "version") == "1 None", "the sensor has started")
    go = tmp_path / "go"
    body = {"action": "hello.say", "parameters": {"wait_for": str(go)}}
    running = serve.call("POST", "/executions", json=body).json()["id"]
    until(lambda: serve.get(f"/executions/{running}")["status"] == "running", "it runs")

    done = ask("install", f"{repository}=v2.0.0")
    assert done["result"]["output"] == {
        "packs_list": ["hello"],
        "message": "Successfully installed packs",
        "conflict_list": [],
        "warning_list": [],
    }
    until(lambda: _key(serve, "version") == "2 None", "the new sensor has started")
    assert serve.dispatch("hello.happened", {}).status_code == 202
    by_rule = until(lambda: serve.get("/executions?rule=hello.on&status=succeeded"), "ruled")
    assert by_rule[0]["result"]["result"] == 2
    assert serve.get("/packs/hello")["version"] == "2.0.0"
    go.touch()
    ended = until(
        lambda: (e := serve.get(f"/executions/{running}")).get("end_timestamp") and e, "it ended"
    )
    assert ended["result"]["result"] == 1
    assert len(_installed(serve)) >= 2


def test_an_installation_counts_as_a_whole_or_not_at_all(serve, repository, ask):
    before = serve.get("/packs/hello"), serve.get("/rules?pack=hello")
    done = ask("install", f"{repository}=4.0.0")
    assert done["status"] == "failed"
    assert 'there is no trigger type "hello.nothing"' in str(done["result"]["errors"])
    assert (serve.get("/packs/hello"), serve.get("/rules?pack=hello")) == before


def _key(serve, name):
    reply = serve.call("GET", f"/keys/{name}")
    return reply.json()["value"] if reply.status_code == 200 else None


def _problems(serve):
    lines = serve.call("GET", "/metrics").text.splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith("st2solo_registration_probl")]
    return float(value)


def test_a_pack_is_configured(serve, until):
    """The sensor starts again with it, and what was wrong before is wrong no more."""
    file = serve.folder / "configs" / "hello.yaml"
    before = _problems(serve)
    file.parent.mkdir(exist_ok=True)
    file.write_text("times: often\n")
    file.chmod(0o600)
    again = {"packs": ["hello"], "fail_on_failure": False}
    assert serve.call("POST", "/packs/register", json=again).status_code == 200
    assert _problems(serve) == before + 1
    values = {"greeting": "Good day", "times": 1}
    done = serve.call("PUT", "/configs/hello", json=values)
    assert (done.json()["pack"], done.json()["values"]) == ("hello", values)
    assert _problems(serve) == before
    assert file.read_text() == "greeting: Good day\ntimes: 1\n"
    assert file.stat().st_mode & 0o777 == 0o600
    until(lambda: _key(serve, "version") == "2 Good day", "the sensor has started with it")
    wrong = serve.call("PUT", "/configs/hello", json={"times": "often"})
    assert wrong.status_code == 400 and "times" in wrong.json()["faultstring"]
    assert "Good day" in file.read_text()
    assert serve.call("PUT", "/configs/none", json={}).status_code == 404


@pytest.mark.storm
def test_a_pack_with_requirements_has_an_environment(serve, repository, ask, tmp_path):
    wheel = tmp_path / "tiny_thing-1.0-py3-none-any.whl"
    info = "tiny_thing-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny_thing.py", "VERSION = 'from the environment'\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny_thing\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        file.writestr(f"{info}/RECORD", "")
    uses = {"requirements.txt": f"{wheel}\n", "actions/what.py": "from tiny_thing import VERSION\n"}
    repository.version(5, **uses)
    repository.version(6, **{"requirements.txt": "/absent-1.0-py3-none-any.whl\n"})
    assert ask("install", f"{repository}=5.0.0")["status"] == "succeeded"
    assert "from the environment" in serve.st2("run", "hello.say")
    failed = ask("install", f"{repository}=6.0.0")
    assert "could not be made" in str(failed["result"]["errors"])
    assert serve.get("/packs/hello")["version"] == "5.0.0"
    ask("install", f"{repository}=2.0.0")


def test_register_search_and_show(serve):
    (folder,) = [Path(serve.get("/packs/hello")["path"])]
    (folder / "actions" / "more.yaml").write_text("name: more\nrunner_type: noop\n")
    assert serve.call("POST", "/packs/register", json={"packs": ["hello"]}).json()["actions"] == 2
    assert serve.get("/actions/hello.more")["enabled"]
    for wanted, names in (
        ({"query": "SAYS"}, ["hello"]),
        ({"query": "nothing"}, []),
        ({"pack": "hello"}, ["hello"]),
        ({"pack": "nothing"}, []),
    ):
        found = serve.call("POST", "/packs/index/search", json=wanted).json()
        found = found if isinstance(found, list) else [found]
        assert [pack["ref"] for pack in found] == names, wanted


def test_what_cannot_be_installed_or_removed_is_refused_at_once(serve):
    for verb, pack, status in (
        ("install", "hello", 400),
        ("install", "https://example.org/demo.git", 400),
        ("install", 7, 400),
        ("uninstall", "demo", 400),
        ("uninstall", "core", 400),
        ("uninstall", "nothing", 404),
    ):
        assert serve.call("POST", f"/packs/{verb}", json={"packs": [pack]}).status_code == status
    assert serve.call("POST", "/packs/install", json={}).status_code == 400


def test_only_an_administrator_changes_packs(serve, repository, until):
    """Neither another user nor a workflow, a rule or an alias on anybody's behalf."""
    bob = serve.token_of("bob")
    install = {"action": "packs.install", "parameters": {"packs": [f"{repository}=3.0.0"]}}
    for method, path, body in (
        ("POST", "/packs/install", install["parameters"]),
        ("POST", "/packs/uninstall", {"packs": ["hello"]}),
        ("POST", "/packs/uninstall/hello", None),
        ("POST", "/packs/register", {}),
        ("PUT", "/configs/hello", {}),
        ("POST", "/executions", install),
    ):
        assert serve.call(method, path, token=bob, json=body).status_code == 403, path
    for name, text in {
        "actions/sly.yaml": "name: sly\nrunner_type: orquesta\nentry_point: workflows/sly.yaml\n",
        "actions/workflows/sly.yaml": (
            "version: 1.0\ntasks:\n  it:\n    action: packs.install\n"
            f"    input: {{packs: ['{repository}=3.0.0']}}\n"
        ),
        "rules/sly.yaml": (
            "name: sly\nenabled: true\ntrigger: {type: demo.tick}\n"
            "action: {ref: packs.uninstall, parameters: {packs: [hello]}}\n"
        ),
    }.items():
        (serve.folder / "packs" / "demo" / name).write_text(text)
    assert serve.call("POST", "/packs/register", json={"packs": ["demo"]}).status_code == 200
    sly = serve.call("POST", "/executions", token=bob, json={"action": "demo.sly"}).json()["id"]
    ended = until(
        lambda: (e := serve.get(f"/executions/{sly}")).get("end_timestamp") and e, "it ended"
    )
    assert "is only a task of packs.install" in str(ended["result"])
    alone = serve.call("POST", "/executions", json={
        "action": "packs.unload", "parameters": {"packs": ["hello"]}
    }).json()["id"]  # fmt: skip
    until(lambda: serve.get(f"/executions/{alone}")["status"] == "failed", "refused")
    serve.dispatch("demo.tick", {"site": "x"})
    enforced = until(lambda: serve.get("/ruleenforcements?rule_ref=demo.sly"), "ruled")
    assert "requires administrator access" in enforced[0]["failure_reason"]
    assert serve.get("/packs/hello")["version"] == "2.0.0"


_PRINTS = "echo $ST2_ACTION_AUTH_TOKEN; while [ ! -e {} ]; do sleep 0.05; done"


@pytest.fixture
def tokens(serve, until, tmp_path):
    """The tokens of commands that go on: of an administrator's, of another's, and of a rule's."""
    command = {"action": "core.local", "parameters": {"cmd": _PRINTS.format(tmp_path / "go")}}
    bob = serve.token_of("bob")
    asked = {
        user: serve.call("POST", "/executions", token=token, json=command).json()["id"]
        for user, token in (("alice", serve.token), ("bob", bob))
    }
    rule = {
        "name": "prints",
        "pack": "demo",
        "enabled": True,
        "trigger": {"type": "demo.event"},
        "action": {"ref": command["action"], "parameters": command["parameters"]},
    }
    rule_id = serve.call("POST", "/rules", token=bob, json=rule).json()["id"]
    serve.dispatch("demo.event", {"n": 0})
    ruled = until(lambda: serve.get("/executions?rule=demo.prints"), "the rule fired")
    asked["stanley"] = ruled[0]["id"]

    def printed(execution):
        text = serve.call("GET", f"/executions/{execution}/output").text
        return text.endswith("\n") and text.strip()

    yield {user: until(lambda e=e: printed(e), "it printed") for user, e in asked.items()}
    (tmp_path / "go").touch()
    serve.call("DELETE", f"/rules/{rule_id}")
    for execution in asked.values():
        until(lambda e=execution: serve.get(f"/executions/{e}").get("end_timestamp"), "it ended")


def test_the_token_of_an_action_gives_nothing_that_stays(serve, repository, tokens):
    """StackStorm's give what their users may, which without RBAC is everything."""
    serve.call("PUT", "/keys/hidden", json={"name": "hidden", "value": "x", "secret": True})
    install = {"packs": [f"{repository}=3.0.0"]}
    key = serve.call("POST", "/apikeys", json={"user": "alice"}).json()["id"]
    for user, token in tokens.items():
        assert serve.call("GET", "/user", token=token).json()["username"] == user
        for method, path, body in (
            ("POST", "/packs/install", install),
            ("POST", "/packs/uninstall", {"packs": ["hello"]}),
            ("POST", "/packs/uninstall/hello", None),
            ("POST", "/packs/register", {}),
            ("PUT", "/configs/demo", {}),
            ("POST", "/executions", {"action": "packs.install", "parameters": install}),
            ("POST", "/apikeys", {"user": "alice"}),
            ("POST", "/apikeys", {}),
            ("PUT", f"/apikeys/{key}", {"user": "bob"}),
            ("DELETE", f"/apikeys/{key}", None),
        ):
            reply = serve.call(method, path, token=token, json=body)
            assert reply.status_code == 403, (user, path)
        for path in (
            "/keys?scope=system&decrypt=true",
            "/keys/hidden?decrypt=true",
            "/keys?user=carol",
            "/executions/last?show_secrets=true",
            "/configs/demo?show_secrets=true",
        ):
            allowed = 200 if user == "alice" else 403
            assert serve.call("GET", path, token=token).status_code == allowed, (user, path)
    serve.call("DELETE", f"/apikeys/{key}")


def test_a_removal_takes_all_that_the_pack_has(serve, ask):
    by_hand = {
        "name": "by_hand",
        "pack": "hello",
        "trigger": {"type": "demo.event"},
        "action": {"ref": "core.noop"},
    }
    assert serve.call("POST", "/rules", json=by_hand).status_code == 201
    assert ask("uninstall", "hello")["status"] == "succeeded"
    for query in ("actions", "rules", "sensortypes", "triggertypes", "actionalias", "triggers"):
        assert serve.get(f"/{query}?pack=hello") == [], query
    assert serve.dispatch("hello.happened", {}).status_code == 400
    assert serve.call("GET", "/packs/hello").status_code == 404
