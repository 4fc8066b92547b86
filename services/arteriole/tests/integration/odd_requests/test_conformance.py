"""Odd requests to every service: none fails, and each answer is as its own document tells.

Half are made by schemathesis from the document, half of bytes that no document allows.
"""

import http.client
import json
import os
import random
import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .conftest import DEADLINE, NAMES

SEED = 7
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

#: In place of a part of the path.
PARTS = [
    *("%00", "..", "%2e%2e", "%2F", "..%2f..%2fetc%2fpasswd", "%ff", "%ED%A0%80", "%0d%0aX:%20y"),
    *("%F0%9F%92%A9", "a" * 300, "9" * 40, "-1", "1e400", "%E2%80%AEx", "%3C%25%20x%20%25%3E"),
    *("%7B%7B%20x%20%7D%7D", "'%22%60$(x)", "%D9%A1", "all", "%20", "~", "*", "%25s"),
]
QUERIES = [
    *(f"limit={'9' * 5000}", "limit=1&limit=x", "limit=NaN", "limit=%D9%A1", "limit=1_0", "limit="),
    *("%00=1", "limit[]=1", "state=%ff", "state=%ED%A0%80", "after=%00", "after=-", "brief=2"),
    *("grace=inf", "grace=nan", "before=-1", f"before={2**63}", "page_token=%D9%A1", "wait=nan"),
    *("=", "&&&", "%ED%A0%80=1", "run=%3C%25x%25%3E", f"{'x' * 20_000}=1", "wait=-inf"),
]
BODIES = [
    *(b"", b"null", b"[]", b"1", b'"x"', b"\xff\xfe", b"\0", b"{", b"[" * 200_000, b"9" * 6000),
    *(b'{"a":' * 100_000, b'{"by":"\\ud800"}', b'{"\\udfff":1}', b'{"by":NaN}', b'{"by":1e999}'),
    *(b'{"by":"a","by":{}}', b'{"by":"a\\u0000b"}', '{"by":"x"}'.encode("utf-16"), b"\x1f\x8b\x08"),
    *(b'{"%s":1}' % (b"k" * 500_000), b'{"by":"%s"}' % (b"v" * 900_000), b'{"by":"\\u202e"}'),
    *(
        b'{"by":"x","plan":{"stages":%s}}' % (b'{"a":' * 900 + b"1" + b"}" * 900),
        b'{"__proto__":1}',
    ),
]
TYPES = [
    *("application/json", "text/xml", "multipart/form-data", "application/json; charset=utf-7"),
    *("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "\xe9", ""),
]


def operations(services, *, everywhere):
    """(service, method, path, operation); what several services share is asked of the first."""
    seen = set()
    for known in services.values():
        for method, path, operation in known.operations:
            told = json.dumps([method, path, operation], sort_keys=True)
            if not path.endswith("/stream") and (everywhere or told not in seen):
                yield known, method, path, operation
            seen.add(told)


def as_documented(services, requests, seed_, *, everywhere=False):
    """`requests` of each operation that agree with its document, and as many that do not."""
    schemas = {
        id(known): schemathesis.openapi.from_dict(known.document) for known in services.values()
    }
    failures = []
    for known, method, path, _ in operations(services, everywhere=everywhere):
        operation = schemas[id(known)][path][method]
        for mode in _modes(operation):
            try:
                _ask(known, operation, mode, requests, seed_)
            except Exception as err:
                told = "; ".join(map(str, getattr(err, "exceptions", [err])))
                failures.append(f"{known.name} {method} {path}, {mode.value}: {told}")
    return failures


def _modes(operation):
    """Nothing is at odds with a document that allows everything."""
    told = [*operation.query, *(body for body in operation.body if body.definition["schema"])]
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if told else [])]


def _ask(known, operation, mode, requests, seed_):
    @seed(seed_)
    @settings(
        max_examples=requests,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), is_known=st.booleans())
    def asked(case, is_known):
        if is_known and case.path_parameters:  # else hardly any would name what is there
            case.path_parameters = {
                name: known.names.get(name, value) for name, value in case.path_parameters.items()
            }
        if isinstance(case.query, dict) and "wait" in case.query:
            case.query["wait"] = 0  # nothing will come
        answer = case.call(known.serving.url, session=known.session, headers=known.headers)
        case.validate_response(answer, checks=CHECKS)

    asked()


def against_all_rules(services, requests, seed_, *, everywhere=False):
    """`requests` of each operation; the failures."""
    dice = random.Random(seed_)
    failures = []
    for known, method, path, _ in operations(services, everywhere=everywhere):
        for _ in range(requests):
            odd = _odd(dice, known, path)
            if problem := _problem(known, method, *odd):
                failures.append(f"{known.name} {method} {odd!r:.300}: {problem}")
    return failures


def _odd(dice, known, path):
    """The address, the body and its type: one of them odd, now and then all."""

    def is_odd():
        return dice.random() < 0.5

    def part(match):
        name = match[1]
        odd = dice.choice(PARTS)
        if name == "path":  # directly below what is monitored, too
            monitored = str(Path(known.names["path"]).parent)
            return dice.choice([known.names["path"], f"{monitored}/{odd}", f"/{odd}"])
        return odd if is_odd() else known.names.get(name, "x")

    address = re.sub(r"\{([a-z_]+)\}", part, path)
    if is_odd():
        address += f"?{dice.choice(QUERIES)}"
    return address, dice.choice(BODIES), dice.choice(TYPES)


def _problem(known, method, address, body, media_type):
    connection = http.client.HTTPConnection("127.0.0.1", known.serving.port, timeout=DEADLINE)
    try:
        headers = {**known.headers, "Content-Type": media_type}
        connection.request(method, address, body if method != "GET" else None, headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status >= 500:
        return f"status {answer.status}: {data[:300]!r}"
    if answer.status < 400:
        return ""
    try:
        error = json.loads(data)["error"]
    except (ValueError, KeyError):
        return f"status {answer.status} with {data[:100]!r}"
    if not (error["code"] and error["message"]) or len(data) > 2000:
        return f"status {answer.status} with {len(data)} bytes: {data[:300]!r}"
    return ""


def test_1_request_an_operation_of_each_kind_is_answered_as_documented(services):
    assert as_documented(services, 1, SEED) == []


def test_8_requests_an_operation_against_all_rules_are_refused_in_a_sentence(services):
    assert against_all_rules(services, 8, SEED) == []


@pytest.mark.storm
def test_many_requests(services):
    """By `make storm`, which reads the figures."""
    requests, seed_ = int(os.environ["ODD_REQUESTS"]), int(os.environ["ODD_SEED"])
    failures = [
        *as_documented(services, requests, seed_, everywhere=True),
        *against_all_rules(services, requests, seed_, everywhere=True),
    ]
    figures = {
        "services": len(services),
        "operations": len(list(operations(services, everywhere=True))),
        "requests_an_operation": requests,
        "failures": failures,
    }
    Path(os.environ["ODD_FIGURES"]).write_text(json.dumps(figures))


@pytest.mark.parametrize("name", NAMES)
def test_the_document_lists_exactly_what_is_served(services, name):
    known = services[name]
    told = {path: set(methods) for path, methods in known.document["paths"].items()}
    served = {
        rule.matcher.regex.pattern: rule.target_kwargs["table"]
        for rule in known.serving.application._tornado.wildcard_router.rules
    }
    by_path = {
        re.sub(r":rest\}", "}", next(iter(table.values())).path): {one.lower() for one in table}
        for table in served.values()
    }
    assert by_path == told and len(served) == len(told)
    for path, methods in told.items():
        address = re.sub(r"\{([a-z_]+)\}", lambda match: known.names.get(match[1], "x"), path)
        for method in METHODS:
            if method.lower() in methods:
                continue
            answer = known.serving.call(method, address, headers=known.headers)
            assert answer.status_code == 405, (method, path)
            assert {one.lower() for one in answer.headers["Allow"].split(", ")} == methods


@pytest.mark.parametrize("name", NAMES)
def test_who_needs_a_token_is_told(services, name):
    known = services[name]
    for method, path, operation in known.operations:
        address = re.sub(r"\{([a-z_]+)\}", "1", path)
        answer = known.serving.call(method, address)
        assert (answer.status_code == 401) is ("security" in operation), (method, path)
