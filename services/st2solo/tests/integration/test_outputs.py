"""What an action prints is told while somebody listens, all of it before its end."""

import pytest


@pytest.fixture
def told(engine_over):
    """Runs a line of the shell that is listened to; what was told, and whether that was the end."""

    def run(command, **settings):
        found = []

        async def body(engine):
            outputs = engine.executions.outputs
            outputs.on_printed.append(found.append)
            engine.executions.on_change.append(lambda one: found.append(one["status"]))
            with outputs.followed():
                await engine.run("core.local", cmd=command)
                await engine.until(lambda: found[-1] in ("succeeded", "failed"))

        engine_over(body, **settings)
        return found

    return run


def _printed(found, stream):
    parts = [one["data"] for one in found if isinstance(one, dict) and one["output_type"] == stream]
    return "".join(parts)


def test_all_of_it_and_before_the_end(told):
    found = told("echo begun; printf 'gr\\303'; echo why >&2; printf '\\266n'")
    assert _printed(found, "stdout") == "begun\ngrön"
    assert _printed(found, "stderr") == "why\n"
    assert [one for one in found if not isinstance(one, dict)][-1] == found[-1] == "succeeded"
    first = next(one for one in found if isinstance(one, dict))
    assert (first["action_ref"], first["runner_ref"]) == ("core.local", "local-shell-cmd")
    assert first["timestamp"].endswith("Z") and len(first["execution_id"]) == 24


def test_no_more_than_may_be_printed(told):
    found = told("head -c 1000000 /dev/zero | tr '\\0' x", max_result_size=600_000)
    assert _printed(found, "stdout") == "x" * 600_000
    assert len([one for one in found if isinstance(one, dict)]) >= 3


def test_what_was_printed_before_is_not_told_again(engine_over, tmp_path):
    go, found = tmp_path / "go", []

    async def body(engine):
        outputs = engine.executions.outputs
        outputs.on_printed.append(found.append)
        command = f"echo begun; until [ -e {go} ]; do sleep 0.05; done; echo over"
        run = engine.executions.request("core.local", {"cmd": command}, user="ann")["id"]
        await engine.until(lambda: engine.executions.output(run)[0] == "begun\n")
        with outputs.followed():
            assert [one["data"] for one in outputs.so_far(run)] == ["begun\n"]
            go.touch()
            await engine.over(run)
        assert [one["data"] for one in found] == ["over\n"]
        with outputs.followed():
            assert [one["data"] for one in outputs.so_far(run)] == ["begun\nover"]

    engine_over(body)
