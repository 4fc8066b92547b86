"""What an action leaves that is nested deeper than can be stored and passed on."""

import pytest


@pytest.mark.parametrize(
    ("levels", "kind"), [(98, list), (99, str), (400, str), (900, str), (100_000, str)]
)
def test_deep_words_of_a_command_stay_words(levels, kind, engine_over):
    each = f"head -c {levels} /dev/zero | tr '\\0'"

    async def body(engine):
        done = await engine.run("core.local", cmd=f"{each} '['; {each} ']'")
        assert (done["status"], type(done["result"]["stdout"])) == ("succeeded", kind)
        assert (await engine.run("core.local", cmd="true"))["status"] == "succeeded"

    engine_over(body, max_processes=1)


@pytest.mark.parametrize(("levels", "status"), [(98, "succeeded"), (150, "failed")])
def test_a_deep_result_has_failed(levels, status, engine_over, packs):
    packs.python(
        "demo.deep",
        f"""
        def run(self):
            value = 1
            for _ in range({levels}):
                value = [value]
            return value
        """,
    )

    async def body(engine):
        done = await engine.run("demo.deep")
        assert done["status"] == status
        if status == "failed":
            assert "nested deeper than 100 levels" in done["result"]["error"]

    engine_over(body)
