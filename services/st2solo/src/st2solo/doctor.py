"""Looks at everything that st2solo needs: what is wrong, and what to do. Changes nothing."""

import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from st2solo import pack_doctor
from st2solo.config import Config
from st2solo.findings import BAD, GOOD, WARNING, Finding
from st2solo.store import schema_version

_LEAST_FREE = 2**30
_LONGEST_DAYS = 1
_PATIENCE_SECONDS = 5


def examine(config: Config) -> list[Finding]:
    """Everything that was looked at, in the order in which one part needs the other."""
    return [
        *pack_doctor.examine(config),
        *_key(config),
        *_store(config),
        *_disk(config),
        *_service(config),
    ]


def _key(config: Config) -> Iterator[Finding]:
    path = config.crypto_key
    if not path.exists():
        yield Finding(GOOD, "key", "the datastore's key is made at the first start")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(
            BAD, "key", f"others may read {path}: chmod 600 it, and change what it guards"
        )
    else:
        yield Finding(GOOD, "key", f"{path} is there, and only its owner reads it")


def _store(config: Config) -> Iterator[Finding]:
    if not config.store.exists():
        yield Finding(GOOD, "store", "it is made at the first start")
        return
    try:
        connection = sqlite3.connect(f"{config.store.resolve().as_uri()}?mode=ro", uri=True)
        with closing(connection):
            connection.row_factory = sqlite3.Row
            yield from _schema(config, connection)
            yield from _content(connection)
    except sqlite3.Error as error:
        yield Finding(BAD, "store", f"{config.store} cannot be read: {error}; restore a backup")


def _schema(config: Config, connection: sqlite3.Connection) -> Iterator[Finding]:
    found = connection.execute("PRAGMA quick_check(3)").fetchall()
    if [row[0] for row in found] != ["ok"]:
        words = "; ".join(str(row[0]) for row in found)
        yield Finding(BAD, "store", f"{config.store} is damaged ({words}): restore a backup")
    version, known = connection.execute("PRAGMA user_version").fetchone()[0], schema_version()
    megabytes = config.store.stat().st_size / 2**20
    if version > known:
        yield Finding(BAD, "store", f"a newer st2solo wrote it (schema {version}, known {known})")
    else:
        yield Finding(GOOD, "store", f"{config.store}, {megabytes:.1f} MiB, schema {version}")


def _content(connection: sqlite3.Connection) -> Iterator[Finding]:
    if not connection.execute("SELECT 1 FROM users LIMIT 1").fetchone():
        yield Finding(WARNING, "users", "nobody can log in: st2solo user add NAME")
    moment = datetime.now(UTC) - timedelta(days=_LONGEST_DAYS)
    yesterday = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for row in connection.execute(
        "SELECT id, action_ref, status FROM executions WHERE status IN ('running', 'canceling',"
        " 'scheduled', 'requested') AND start_timestamp < ? ORDER BY id LIMIT 5",
        (yesterday,),
    ):
        yield Finding(
            WARNING,
            "execution",
            f"{row['action_ref']} is {row['status']} for more than a day: st2 execution get"
            f" {row['id']}; st2 execution cancel {row['id']} ends it",
        )
    for row in connection.execute(
        "SELECT rule_ref, count(*) AS times, max(failure_reason) AS reason FROM rule_enforcements"
        " WHERE status = 'failed' AND enforced_at > ? GROUP BY rule_ref"
        " ORDER BY times DESC LIMIT 5",
        (yesterday,),
    ):
        message = f"{row['rule_ref']} failed {row['times']} times in a day: {row['reason']}"
        yield Finding(WARNING, "rule", message)


def _disk(config: Config) -> Iterator[Finding]:
    free = shutil.disk_usage(config.state).free
    grade = GOOD if free >= _LEAST_FREE else BAD
    yield Finding(grade, "disk", f"{free / 2**30:.1f} GiB are free below {config.state}")


def _service(config: Config) -> Iterator[Finding]:
    try:
        ports = json.loads(config.ports_file.read_text())
        address = f"http://{ports['host']}:{ports['api']}/v1/metrics"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(address, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()
    except FileNotFoundError:
        yield Finding(WARNING, "service", "st2solo does not serve (st2solo serve)")
    except (OSError, ValueError, KeyError, requests.RequestException) as error:
        yield Finding(BAD, "service", f"st2solo does not answer: {error}; look at its log")
    else:
        yield Finding(GOOD, "service", f"it serves at {address.rpartition('/v1')[0]}")
        yield from _figures(answer.text, config.logs)


def _figures(text: str, logs: Path) -> Iterator[Finding]:
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    deaths = {s.labels["sensor"]: s.value for s in samples if s.name == "st2solo_sensor_deaths"}
    for sample in samples:
        if sample.name == "st2solo_sensor_up":
            ref = sample.labels["sensor"]
            yield _sensor(ref, sample.value == 1, int(deaths.get(ref, 0)), logs)
        elif sample.name == "st2solo_trigger_instances_pending" and sample.value > 0:
            message = f"{sample.value:.0f} trigger instances wait for the rules"
            yield Finding(WARNING, "rules", message)


def _sensor(ref: str, lives: bool, deaths: int, logs: Path) -> Finding:
    if not lives:
        return Finding(
            BAD, "sensor", f"{ref} is dead ({deaths} times): see sensor.{ref}.log in {logs}"
        )
    if deaths:
        message = f"{ref} lives, after {deaths} deaths: see sensor.{ref}.log in {logs}"
        return Finding(WARNING, "sensor", message)
    return Finding(GOOD, "sensor", f"{ref} lives")
