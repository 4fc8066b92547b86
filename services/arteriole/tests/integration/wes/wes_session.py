"""GA4GH's own client (wes-service of PyPI), in an environment of its own.

Arguments: HOST:PORT, a workflow's file, JSON with its parameters, and a file that lets it end.
Prints what it was told: {info, first, listed, done, cancelled, log}.
"""

import json
import sys
import time
from pathlib import Path

ENDED = ("COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR", "CANCELED")


def follow(client, run_id):
    while client.get_run_status(run_id)["state"] not in ENDED:
        time.sleep(0.05)
    return client.get_run_status(run_id)["state"]


def main(host, workflow, params, go):
    from wes_client.util import WESClient

    client = WESClient({"auth": {}, "proto": "http", "host": host})
    told = {"info": client.get_service_info()}
    run_id = client.run(workflow, params, [])["run_id"]
    while client.get_run_status(run_id)["state"] != "RUNNING":
        time.sleep(0.05)
    client.cancel(run_id)
    told["cancelled"] = follow(client, run_id)
    Path(go).touch()
    run_id = client.run(workflow, params, [])["run_id"]
    told["done"] = follow(client, run_id)
    told["listed"] = client.list_runs()
    told["log"] = client.get_run_log(run_id)
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
