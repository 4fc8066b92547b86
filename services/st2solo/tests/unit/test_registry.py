"""Registration: what is refused, where that is told, and what outlives it."""

import json

import pytest

from st2solo.errors import InvalidError, NotFoundError
from st2solo.metadata_file import MetadataError
from st2solo.packs import read
from st2solo.resources import Kind
from st2solo.triggers import ACTION_TRIGGER, WEBHOOK

_ACTION = "name: act\nrunner_type: noop\n"
_SHELL = "name: act\nrunner_type: local-shell-cmd\n"
_RULE = (
    "name: r\nenabled: true\ntrigger:\n  type: core.st2.generic.actiontrigger\n"
    "action:\n  ref: demo.act\n"
)
_ALIAS = "name: a\naction_ref: demo.act\nformats: [act]\n"
_PACK_FILE = "name: demo\ndescription: d\nversion: 0.1.0\nauthor: a\nemail: a@example.org\n"
_POLICY = (
    "name: p\nresource_ref: demo.act\npolicy_type: action.concurrency\nparameters: {threshold: 1}\n"
)
_SENSOR = "class_name: S\nentry_point: s.py\ntrigger_types:\n- name: t\n"


def _parameter(text: str) -> str:
    return f"{_ACTION}parameters:\n  p:\n    {text}\n"


#: file, content, line of the problem, words of the message. Seen with StackStorm 3.9.
_REFUSED = [
    ("pack.yaml", "description: d\nversion: 0.1.0\nauthor: a\nemail: e@example.org\n", 1, "name"),
    (
        "pack.yaml",
        "name: demo\nversion: 0.1.0\nauthor: a\nemail: e@example.org\n",
        1,
        "description",
    ),
    ("pack.yaml", "name: demo\ndescription: d\nauthor: a\nemail: e@example.org\n", 1, "version"),
    (
        "pack.yaml",
        "name: demo\ndescription: d\nversion: 0.1.0\nemail: e@example.org\n",
        1,
        "author",
    ),
    ("pack.yaml", "name: demo\ndescription: d\nversion: 0.1.0\nauthor: a\n", 1, "email"),
    (
        "pack.yaml",
        "name: demo\ndescription: d\nversion: 0.1\nauthor: a\nemail: e@example.org\n",
        3,
        "0.1",
    ),
    ("pack.yaml", _PACK_FILE + "ref: a-b\n", 6, "a-b"),
    (
        "pack.yaml",
        _PACK_FILE + "python_versions: [3]\n",
        6,
        "python_versions",
    ),
    ("actions/a.yaml", _ACTION + "colour: red\n", 3, "colour"),
    ("actions/a.yaml", "name: act\nrunner_type: mistral-v2\n", 2, "mistral-v2"),
    ("actions/a.yaml", _ACTION + "pack: other\n", 3, "other"),
    ("actions/a.yaml", _parameter("colour: red"), 5, "colour"),
    ("actions/a.yaml", _parameter("type: [string, integer]"), 5, "type"),
    ("actions/a.yaml", _parameter("required: [p]"), 5, "required"),
    ("actions/a.yaml", _ACTION + "parameters:\n  a-b: {}\n", 4, "a-b"),
    ("actions/a.yaml", _parameter("immutable: true"), 4, "default"),
    ("actions/a.yaml", _ACTION + "parameters:\n  p: {position: 0}\n  q: {position: 0}\n", 5, "0"),
    ("actions/a.yaml", _ACTION + "parameters:\n  p: {position: 1}\n  q: {position: 3}\n", 3, "gap"),
    ("actions/a.yaml", _ACTION + "tags: [x]\n", 3, "tags"),
    (
        "actions/a.yaml",
        "name: act\nrunner_type: python-script\nentry_point: ../x.py\n",
        3,
        "within",
    ),
    (
        "policies/p.yaml",
        "name: p\nresource_ref: demo.act\npolicy_type: action.wish\n",
        3,
        "action.concurrency",
    ),
    (
        "policies/p.yaml",
        "name: p\nresource_ref: demo.act\npolicy_type: action.concurrency\n",
        1,
        "threshold",
    ),
    (
        "policies/p.yaml",
        "name: p\nresource_ref: demo.act\npolicy_type: action.retry\n"
        "parameters: {retry_on: failure, max_retry_count: 6}\n",
        4,
        "maximum",
    ),
    ("actions/a.yaml", "name: [\n", 2, "not valid YAML"),
    ("actions/a.yaml", "- a\n", 1, "mapping"),
    (
        "actions/a.yaml",
        "name: act\nrunner_type: python-script\nparameters:\n  timeout: {type: string}\n",
        4,
        "integer",
    ),
    ("rules/r.yaml", _RULE + "colour: red\n", 7, "colour"),
    ("rules/r.yaml", _RULE.replace("core.st2.generic.actiontrigger", "demo.no"), 3, "demo.no"),
    (
        "rules/r.yaml",
        _RULE.replace(
            "core.st2.generic.actiontrigger",
            "core.st2.CronTimer\n  parameters: {day_of_week: abcdef}",
        ),
        3,
        'Invalid weekday name "abcdef"',
    ),
    (
        "rules/r.yaml",
        _RULE.replace(
            "core.st2.generic.actiontrigger", "core.st2.CronTimer\n  parameters: {hour: 24}"
        ),
        3,
        "24 is greater than the maximum of 23",
    ),
    (
        "rules/r.yaml",
        _RULE.replace("core.st2.generic.actiontrigger", "core.st2.IntervalTimer"),
        3,
        "required",
    ),
    ("rules/r.yaml", _RULE + "criteria:\n  trigger.x: {type: same, pattern: 1}\n", 7, "same"),
    ("rules/r.yaml", _RULE + "criteria:\n  trigger.x: {type: eq}\n", 7, "pattern"),
    ("aliases/a.yaml", "name: a\naction_ref: demo.act\n", 1, "formats"),
    ("aliases/a.yaml", _ALIAS + "ack: {enabled: often}\n", 4, "ack.enabled"),
    ("aliases/a.yaml", _ALIAS + "tags: []\n", 4, "tags"),
    ("policies/p.yaml", _POLICY + "tags: []\n", 5, "tags"),
    ("pack.yaml", _PACK_FILE.replace("name: demo", "name:"), 1, "name"),
    ("pack.yaml", _PACK_FILE.replace("description: d", "description:"), 2, "description"),
    ("pack.yaml", _PACK_FILE.replace("version: 0.1.0", "version:"), 3, "version"),
    ("pack.yaml", _PACK_FILE.replace("author: a", "author:"), 4, "author"),
    *(
        ("pack.yaml", _PACK_FILE.replace("a@example.org", email), 5, "one email address")
        for email in ("nobody", '""', "me@localhost", "Me <me@x.com>", "a@x.com,b@x.com")
    ),
    *(
        ("pack.yaml", _PACK_FILE.replace("0.1.0", version), 3, version)
        for version in ("1.0.0.1", "01.2.3", "1.0.0-rc_1", "1.0.0-", "1.0.0-RC1")
    ),
    ("pack.yaml", "ref: _global\n" + _PACK_FILE, 1, "_global"),
    ("actions/a.yaml", _parameter("immutable: false"), 4, "default"),
    *(
        ("actions/a.yaml", _SHELL + f"parameters:\n  timeout: {{{attribute}}}\n", 4, told)
        for attribute, told in (
            ("secret: false", "secret is not given"),
            ("position: 0", "position is not given"),
            ("minimum: 3", "minimum is not given"),
        )
    ),
    (
        "actions/a.yaml",
        "name: act\nrunner_type: remote-shell-cmd\nparameters:\n  dir: {immutable: true}\n",
        4,
        "immutable",
    ),
    ("config.schema.yaml", "port:\n  description:\n", 2, "port.description"),
    *(
        ("actions/a.yaml", _ACTION + f"output_schema: {schema}\n", 3, f"output_schema{told}")
        for schema, told in (
            ("[]", ""),
            ("{type: [object, 'null']}", ".type"),
            ("{description: {type: string}}", ".description"),
            ("{required: [a]}", ".required"),
            ("{default: 5}", ".default"),
            ("{minItems: }", ".minItems"),
            ("{properties: {a: {type: text}}}", ".properties.a.type"),
            ("{items: {required: [a]}}", ".items"),
            ("{dependencies: {a: []}}", ".dependencies.a"),
        )
    ),
    ("config.schema.yaml", "port:\n  $ref: '#/x'\n", 2, "port.$ref"),
    ("config.schema.yaml", "port:\n  dependencies: {a: 5}\n", 2, "port.dependencies.a"),
    ("actions/a.yaml", _ACTION + "parameters:\n", 3, "parameters"),
    ("actions/a.yaml", _ACTION + "parameters:\n  p:\n", 4, "parameters.p"),
    ("actions/a.yaml", _parameter("description:"), 5, "parameters.p.description"),
    ("actions/a.yaml", _ACTION + "description:\ncolour: red\n", 4, "colour"),
    ("sensors/s.yaml", "class_name: S\nentry_point: s.py\ntrigger_types:\n", 3, "trigger_types"),
    ("rules/r.yaml", _RULE + "criteria:\n", 7, "criteria"),
    ("rules/r.yaml", _RULE + "type:\n", 7, "type"),
]


@pytest.mark.parametrize(("name", "content", "line", "told"), _REFUSED)
def test_refused(site, name, content, line, told):
    path = site.write(name, content)
    with pytest.raises(MetadataError) as caught:
        site.registry.register(fail_on_failure=True)
    message = str(caught.value)
    assert f"{path}:{line}: " in message
    assert told in message


#: What StackStorm lets pass.
_ACCEPTED = [
    ("actions/a.yaml", "name: act\nrunner_type: python-script\nentry_point: missing.py\n"),
    ("actions/a.yaml", _parameter("{type: integer, default: text}")),
    ("actions/a.yaml", _ACTION + "parameters:\n  p: {position: 1}\n  q: {position: 2}\n"),
    ("sensors/s.yaml", _SENSOR),
    ("rules/r.yaml", _RULE.replace("demo.act", "demo.there_is_none")),
    ("rules/r.yaml", _RULE + "  parameters: {x: '{{ no jinja'}\n"),
    ("actions/a.yaml", _parameter("{immutable: false, default: 1}")),
    ("actions/a.yaml", _SHELL + "parameters:\n  timeout: {immutable: true, type: integer}\n"),
    (
        "actions/a.yaml",
        "name: act\nrunner_type: remote-shell-cmd\nparameters:\n  dir: {default: /srv}\n",
    ),
    *(
        ("actions/a.yaml", _ACTION + f"output_schema: {schema}\n")
        for schema in (
            "{type: object, colour: red, properties: {a: {type: [string, 'null'], colour: red}}}",
            "{sample: {type: string, secret: true}, kind: 2}",
            "{title: , type: , properties: , default: text, required: true}",
            "{$ref: '#/x', properties: {a: {$ref: 'https://example.org/x'}, b: {$ref: 5}}}",
        )
    ),
    ("config.schema.yaml", "port: {type: object, properties: {a: {$ref: '#/x'}}}\n"),
    *(
        ("pack.yaml", _PACK_FILE.replace("a@example.org", email))
        for email in ("o'x+y@sub.example.org", "'\"a@b\"@example.org'", "a@bücher.example")
    ),
    *(
        ("pack.yaml", _PACK_FILE.replace("0.1.0", version))
        for version in ("1.0.0-rc.1", "1.0.0+5-a", "10.20.30-alpha-2+b")
    ),
]


@pytest.mark.parametrize(("name", "content"), _ACCEPTED)
def test_accepted(site, name, content):
    site.write(name, content)
    site.registry.register(fail_on_failure=True)


#: A file with keys that have no value, and the same without them. StackStorm 3.9 takes both.
_WITHOUT_VALUES = [
    (
        "pack.yaml",
        _PACK_FILE + "ref:\nkeywords:\nstackstorm_version:\npython_versions:\ncontributors:\n"
        "dependencies:\nsystem:\n",
        _PACK_FILE,
    ),
    (
        "actions/a.yaml",
        _ACTION + "description:\npack:\nentry_point:\noutput_schema:\ntags:\nenabled:\n"
        "notify:\n  on-success: {message: , routes: [a]}\n  on-failure:\n",
        _ACTION + "notify: {on-success: {routes: [a]}}\n",
    ),
    ("actions/a.yaml", _ACTION + "notify:\npack: ''\n", _ACTION + "pack: demo\n"),
    ("triggers/t.yaml", "name: t\nparameters_schema:\npayload_schema:\ntags:\n", "name: t\n"),
    (
        "sensors/s.yaml",
        _SENSOR + "  payload_schema:\ndescription:\npoll_interval:\nenabled:\n",
        _SENSOR,
    ),
    (
        "rules/r.yaml",
        _RULE.replace("trigger:", "trigger:\n  description:\n  parameters:")
        + "  parameters:\n  description:\ndescription:\npack:\ncontext:\ntags:\n",
        _RULE,
    ),
    (
        "aliases/a.yaml",
        _ALIAS + "description:\nenabled:\nextra:\nimmutable_parameters:\nresult:\n"
        "ack: {format: , enabled: , append_url: false}\n",
        _ALIAS + "ack: {append_url: false}\n",
    ),
    (
        "policies/p.yaml",
        _POLICY + "description:\nenabled:\n",
        _POLICY,
    ),
]


@pytest.mark.parametrize(("name", "empty", "plain"), _WITHOUT_VALUES)
def test_a_key_without_a_value_is_as_one_that_is_not_there(site, name, empty, plain):
    def registered(text):
        site.write(name, text)
        site.registry.register(fail_on_failure=True)
        return {
            (kind, one.ref): (one.enabled, one.content)
            for kind in Kind
            for one in site.resources.list(kind)
            if one.pack == "demo"
        }

    assert registered(empty) == registered(plain)


def test_a_pack_may_have_an_email_without_a_value_but_not_none(site):
    site.write("pack.yaml", _PACK_FILE.replace("email: a@example.org", "email:"))
    site.registry.register(fail_on_failure=True)
    assert "email" not in site.resources.get(Kind.PACK, "demo").content


@pytest.mark.parametrize(
    ("folder", "told", "ref"),
    [
        ("other", "", "other"),
        ("other", "ref:\n", "other"),
        ("other", "ref: mine\n", "mine"),
        ("stackstorm-other", "", "demo"),
    ],
)
def test_what_a_pack_in_a_folder_of_packs_is_called(site, folder, told, ref):
    site.pack.rename(site.pack.with_name(folder))
    (site.pack.with_name(folder) / "pack.yaml").write_text(_PACK_FILE + told)
    site.registry.register(fail_on_failure=True)
    assert ref in site.registry.registered()


def test_a_pack_that_is_no_folder_of_packs_is_called_by_its_name(site):
    clone = site.folder / "clone"
    site.pack.rename(clone)
    assert read(clone, {}).ref == "demo"
    assert read(clone, {}, [clone]).ref == "demo"
    assert read(clone, {}, [site.folder]).ref == "clone"


_TRIGGER = "core.st2.generic.actiontrigger"


def _renamed(site, *, by_folder):
    """Write a pack of the folder `site` and the name `mysite`, by one name and then by the other.

    Each name is told when the files that it needs are written.
    """
    site.pack.rename(site.pack.with_name("site"))
    folder = site.pack.with_name("site")
    for name, text in (("actions/a.yaml", _ACTION), ("sensors/s.yaml", _SENSOR)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    (folder / "sensors" / "s.py").write_text("")
    (folder / "rules").mkdir()
    plain, named = _PACK_FILE, _PACK_FILE + "ref: mysite\n"
    before, after = ("mysite", "site") if by_folder else ("site", "mysite")
    for ref, text in (
        (before, named if by_folder else plain),
        (after, plain if by_folder else named),
    ):
        (folder / "pack.yaml").write_text(text.replace("name: demo", "name: mysite"))
        rule = _RULE.replace("demo.act", f"{ref}.act").replace(_TRIGGER, f"{ref}.t")
        (folder / "rules" / "r.yaml").write_text(rule)
        yield ref
    assert site.registry.registered().count(after) == 1
    assert before not in site.registry.registered()


def _own(site):
    """What is there of the two names."""
    return sorted(
        f"{kind} {one.ref}"
        for kind in Kind
        for one in site.resources.list(kind)
        if one.pack in ("site", "mysite")
    )


@pytest.mark.parametrize("by_folder", [True, False])
def test_a_pack_of_another_name_than_before_counts_once(site, by_folder, caplog):
    names = _renamed(site, by_folder=by_folder)
    old = next(names)
    site.registry.register(fail_on_failure=True)
    before = _own(site)
    action = site.resources.get(Kind.ACTION, f"{old}.act")
    site.resources.update(action, action.content, enabled=False)
    new = next(names)
    site.registry.register([new], fail_on_failure=True)
    assert _own(site) == [line.replace(f" {old}", f" {new}") for line in before]
    assert not site.registry.action(f"{new}.act").enabled
    assert site.registry.action(f"{new}.act").id == action.id
    assert site.resources.get(Kind.RULE, f"{new}.r").content["trigger"]["ref"] == f"{new}.t"
    assert f"the pack {old} is now called {new}" in caplog.text
    assert f"`ref: {old}`" in caplog.text and f"configs/{new}.yaml" in caplog.text
    assert next(names, None) is None
    caplog.clear()
    site.registry.register(fail_on_failure=True)
    assert site.registry.fixed()[new].name == "site" and not site.registry.left_behind()
    assert "now called" not in caplog.text


def test_what_was_registered_by_both_names_becomes_one(site):
    names = _renamed(site, by_folder=True)
    next(names)
    site.registry.register(fail_on_failure=True)
    both = [(one, kind) for kind in Kind for one in site.resources.list(kind)]
    both = [(one, kind) for one, kind in both if one.pack == "mysite"]
    next(names)
    site.registry.register(fail_on_failure=True)
    for one, kind in both:
        site.resources.put_from_file(kind, one.ref, one.pack, one.content)
    assert len(_own(site)) == 2 * len(both)
    site.registry.register(fail_on_failure=True)
    assert len(_own(site)) == len(both)
    assert next(names, None) is None


def test_another_pack_may_take_the_name_that_a_pack_had(site):
    names = _renamed(site, by_folder=True)
    next(names)
    site.registry.register(fail_on_failure=True)
    next(names)
    other = site.pack.with_name("mysite")
    other.mkdir()
    (other / "pack.yaml").write_text(_PACK_FILE)
    site.registry.register(fail_on_failure=True)
    assert site.registry.pack_path("mysite") == other
    kept = ["pack mysite", "pack site"]
    assert [line for line in _own(site) if line in kept or "mysite" in line] == kept


def test_rules_made_by_the_api_outlive_their_packs_name(site, caplog):
    names = _renamed(site, by_folder=True)
    next(names)
    site.registry.register(fail_on_failure=True)
    content = site.resources.get(Kind.RULE, "mysite.r").content | {"name": "own"}
    site.resources.create(Kind.RULE, "mysite.own", "mysite", content, enabled=True)
    next(names)
    site.registry.register(fail_on_failure=True)
    assert site.resources.get(Kind.RULE, "mysite.own").content == content
    assert site.resources.get(Kind.TRIGGER, "mysite.t")
    assert "stay as they are: mysite.own" in caplog.text
    assert next(names, None) is None


def test_a_refused_registration_renames_nothing(site, caplog):
    names = _renamed(site, by_folder=True)
    next(names)
    site.registry.register(fail_on_failure=True)
    before = _own(site)
    next(names)
    site.pack.with_name("site").joinpath("actions", "bad.yaml").write_text("- 1\n")
    with pytest.raises(MetadataError):
        site.registry.register(fail_on_failure=True)
    assert _own(site) == before and "now called" not in caplog.text
    assert "mysite" not in site.registry.fixed() and "mysite" in site.registry.left_behind()


def test_a_pack_that_cannot_be_read_for_now_is_not_left_behind(site):
    site.registry.register(fail_on_failure=True)
    site.write("pack.yaml", "name: [")
    assert "demo" in site.registry.fixed() and not site.registry.left_behind()


@pytest.mark.parametrize("name", ["config.yaml", "config.yml", ".a.yaml", "a.json", "a.yaml~"])
def test_what_describes_no_action_is_passed_over(site, name):
    site.write(f"actions/{name}", "- 1\n")
    site.write("rules/config.yaml", _RULE)
    site.registry.register(fail_on_failure=True)
    assert site.resources.get(Kind.RULE, "demo.r").enabled


def test_without_fail_on_failure_the_rest_is_registered(site):
    site.write("actions/bad.yaml", "name: bad\nrunner_type: none\n")
    site.write("actions/good.yaml", _ACTION)
    done = site.registry.register(fail_on_failure=False)
    assert [problem.file.name for problem in done.problems] == ["bad.yaml"]
    assert site.registry.action("demo.act").enabled
    with pytest.raises(NotFoundError):
        site.registry.action("demo.bad")


def test_what_is_not_registered_is_known_until_it_is(site):
    def names():
        return [problem.file.name for problem in site.registry.problems]

    bad = site.write("actions/bad.yaml", "name: bad\nrunner_type: none\n")
    site.registry.register(fail_on_failure=False)
    site.registry.register(["core"], fail_on_failure=False)
    assert names() == ["bad.yaml"]
    with pytest.raises(MetadataError):
        site.registry.register(["demo"], fail_on_failure=True)
    assert names() == ["bad.yaml"]
    bad.unlink()
    site.registry.register(["demo"], fail_on_failure=False)
    assert names() == []


def test_what_was_wrong_with_a_configuration_is_forgotten_when_it_is_mended(site):
    site.write("config.schema.yaml", "port: {type: integer}\n")
    site.write("actions/bad.yaml", "name: bad\nrunner_type: none\n")
    (site.folder / "configs" / "demo.yaml").write_text("port: many\n")
    site.registry.register(fail_on_failure=False)
    names = [problem.file.name for problem in site.registry.problems]
    assert sorted(names) == ["bad.yaml", "demo.yaml"]
    site.registry.configured("demo")
    assert [problem.file.name for problem in site.registry.problems] == ["bad.yaml"]


def test_a_refused_registration_changes_nothing(site):
    site.write("actions/good.yaml", _ACTION)
    site.registry.register(fail_on_failure=True)
    site.write("actions/good.yaml", _ACTION + "description: new\n")
    site.write("actions/bad.yaml", "name: bad\nrunner_type: none\n")
    with pytest.raises(MetadataError):
        site.registry.register(fail_on_failure=True)
    assert site.registry.action("demo.act").description == ""


@pytest.mark.parametrize(("file_says", "enabled"), [("true", False), ("false", False)])
def test_what_the_api_switched_off_stays_off(site, file_says, enabled):
    site.write("rules/r.yaml", _RULE)
    site.registry.register(fail_on_failure=True)
    rule = site.resources.get(Kind.RULE, "demo.r")
    site.resources.update(rule, rule.content, enabled=False)
    site.write("rules/r.yaml", _RULE.replace("enabled: true", f"enabled: {file_says}"))
    site.registry.register(fail_on_failure=True)
    again = site.resources.get(Kind.RULE, "demo.r")
    assert (again.enabled, again.id) == (enabled, rule.id)


def test_a_file_that_changes_enabled_has_its_say(site):
    site.write("rules/r.yaml", _RULE.replace("enabled: true", "enabled: false"))
    site.registry.register(fail_on_failure=True)
    site.write("rules/r.yaml", _RULE)
    site.registry.register(fail_on_failure=True)
    assert site.resources.get(Kind.RULE, "demo.r").enabled


def test_what_goes_since_json_describes_nothing_is_told_once(site, caplog):
    path = site.write("actions/a.yaml", json.dumps({"name": "act", "runner_type": "noop"}))
    site.write("rules/r.yaml", _RULE)
    site.registry.register(fail_on_failure=True)
    path.rename(path.with_suffix(".json"))
    bad = site.write("rules/bad.yaml", "- 1\n")
    with pytest.raises(MetadataError):
        site.registry.register(fail_on_failure=True)
    assert caplog.messages == []
    bad.unlink()
    for _ in range(2):
        site.registry.register(fail_on_failure=True)
    told = "forgotten, since no .yaml or .yml file describes it any more: action demo.act"
    assert caplog.messages == [told]


def test_what_no_file_says_any_more_is_forgotten(site):
    path = site.write("actions/a.yaml", _ACTION)
    site.registry.register(fail_on_failure=True)
    path.unlink()
    site.registry.register(fail_on_failure=True)
    with pytest.raises(NotFoundError):
        site.registry.action("demo.act")


_HOOK = (
    "name: {name}\ntrigger: {{type: core.st2.webhook, parameters: {{url: {url}}}}}\n"
    "action: {{ref: demo.act}}\n"
)


def test_a_trigger_with_parameters_goes_with_the_last_rule_that_names_it(site):
    def urls():
        return sorted(t.content["parameters"]["url"] for t in site.triggers.of_type(WEBHOOK))

    for name, url in (("r", "a"), ("s", "a"), ("t", "b")):
        site.write(f"rules/{name}.yaml", _HOOK.format(name=name, url=url))
    site.registry.register(fail_on_failure=True)
    assert urls() == ["a", "b"]
    plain = site.triggers.of_type(ACTION_TRIGGER)
    site.write("rules/t.yaml", _HOOK.format(name="t", url="c"))
    (site.pack / "rules" / "s.yaml").unlink()
    site.registry.register(["demo"], fail_on_failure=True)
    assert urls() == ["a", "c"]
    (site.pack / "rules" / "r.yaml").unlink()
    site.registry.register(fail_on_failure=True)
    assert urls() == ["c"] and site.triggers.of_type(ACTION_TRIGGER) == plain != []


_CONFIG_SCHEMA = """
url: {type: string, required: true}
port: {type: integer, default: 8180}
auth: {type: object, properties: {token: {type: string, secret: true}, user: {type: string}}}
"""


def test_config_is_rendered_decrypted_and_completed(site):
    site.write("config.schema.yaml", _CONFIG_SCHEMA)
    (site.folder / "configs" / "demo.yaml").write_text(
        "url: 'http://{{st2kv.system.host}}/'\n"
        "auth: {token: '{{st2kv.system.token}}', user: '{{st2kv.system.host}}'}\n"
    )
    site.registry.register(fail_on_failure=True)
    site.keys.set("host", "h1", scope="system", user=None)
    site.keys.set("token", "sesame", scope="system", user=None, secret=True)
    assert site.registry.pack_config("demo", "stanley") == {
        "url": "http://h1/",
        "port": 8180,
        "auth": {"token": "sesame", "user": "h1"},
    }


def test_a_secret_of_the_config_has_to_be_stored_encrypted(site):
    site.write("config.schema.yaml", _CONFIG_SCHEMA)
    (site.folder / "configs" / "demo.yaml").write_text(
        "url: u\nauth: {token: '{{st2kv.system.token}}'}\n"
    )
    site.registry.register(fail_on_failure=True)
    site.keys.set("token", "plain", scope="system", user=None)
    with pytest.raises(InvalidError, match=r"auth\.token.*--encrypt"):
        site.registry.pack_config("demo", "stanley")


def test_a_config_that_does_not_fit_is_refused(site):
    site.write("config.schema.yaml", _CONFIG_SCHEMA)
    path = site.folder / "configs" / "demo.yaml"
    path.write_text("url: u\nport: '{{st2kv.system.port}}'\n")
    with pytest.raises(MetadataError, match=r"integer") as caught:
        site.registry.register(fail_on_failure=True)
    assert f"{path}:2: " in str(caught.value)
