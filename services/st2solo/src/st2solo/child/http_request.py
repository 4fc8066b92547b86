"""Makes one HTTP request for the http-request runner; needs `requests`.

What to ask comes as JSON on the standard input: {action, result_path, runner, action_parameters};
{status, result} goes, by rename, to the file `result_path`.

Source: contrib/runners/http_runner of StackStorm 3.9.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys
from urllib.parse import urlparse

if __name__ == "__main__":
    del sys.path[0]

import requests

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


def _structure(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return ast.literal_eval(value)


def _check_host(url: str, runner: dict[str, Any]) -> None:
    refused, allowed = runner.get("url_hosts_blacklist"), runner.get("url_hosts_whitelist")
    if refused and allowed:
        raise ValueError(
            '"url_hosts_blacklist" and "url_hosts_whitelist" parameters are mutually exclusive.'
            " Only one should be provided."
        )
    host = urlparse(url).hostname
    if refused and host in [h.strip("[]") for h in refused]:
        raise ValueError(f'URL "{url}" is blacklisted')
    if allowed and host not in [h.strip("[]") for h in allowed]:
        raise ValueError(f'URL "{url}" is not whitelisted')


def _body(body: Any, headers: dict[str, Any]) -> Any:
    kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
    if "application/json" in kinds:
        body = json.dumps(_structure(body))
    elif isinstance(body, (dict, list)):
        return body
    return body.encode("utf-8") if isinstance(body, str) else body


def _ask(job: dict[str, Any]) -> dict[str, Any]:
    runner, given = job["runner"], job["action_parameters"]
    _check_host(runner["url"], runner)
    headers = dict(runner.get("headers") or {})
    headers.update({"User-Agent": "st2solo", "X-Stanley-Action": job["action"]})
    files = None
    if given.get("file_name") and given.get("file_content"):
        content = given["file_content"]
        kind = given.get("file_content_type")
        files = {given["file_name"]: (content, kind) if kind else content}
    body = given.get("body")
    auth = given.get("auth") or None
    if runner.get("username") or runner.get("password"):
        auth = (runner.get("username"), runner.get("password"))
    proxies = {s: runner.get(s + "_proxy") for s in ("http", "https") if runner.get(s + "_proxy")}
    response = requests.request(
        given.get("method") or ("POST" if files or body else "GET"),
        runner["url"],
        params=given.get("params"),
        data=_body(body, headers),
        headers=headers,
        cookies=runner.get("cookies"),
        auth=auth,
        timeout=float(given.get("timeout") or 60),
        allow_redirects=bool(runner.get("allow_redirects")),
        proxies=proxies,
        files=files,
        verify=runner.get("verify_ssl_cert", True),
    )
    text, parsed = response.text or "", False
    if response.headers.get("Content-Type", "").split(";")[0] == "application/json":
        with contextlib.suppress(ValueError, RecursionError):
            text, parsed = json.loads(text), True
    return {
        "status_code": response.status_code,
        "body": text,
        "parsed": parsed,
        "headers": dict(response.headers),
    }


def main() -> None:
    job = json.loads(sys.stdin.read())
    try:
        result = _ask(job)
        status = "succeeded" if 200 <= result["status_code"] <= 206 else "failed"
    except requests.exceptions.Timeout as error:
        status, result = "timeout", {"error": str(error)}
    except (requests.exceptions.RequestException, ValueError, SyntaxError) as error:
        status, result = "failed", {"error": str(error)}
    temporary = job["result_path"] + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump({"status": status, "result": result}, file)
    os.replace(temporary, job["result_path"])  # noqa: PTH105 - importing pathlib takes time


if __name__ == "__main__":
    main()
