"""An engine over packs that a test writes."""

import asyncio
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from st2solo.executions import Executions
from st2solo.settings import EngineSettings
from st2solo.store import Store
from st2solo.testing import FolderRegistry, MemoryKeys, MemoryTokens

COMPLETED = {"succeeded", "failed", "timeout", "canceled", "abandoned"}
_SECONDS = 120.0  # a busy machine is no fault


class Packs:
    """Writes packs; `core` is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.action("core.noop", runner_type="noop")
        self.action(
            "core.local",
            runner_type="local-shell-cmd",
            parameters={"cmd": {"required": True}, "sudo": {"immutable": True, "default": False}},
        )

    def action(self, ref: str, **metadata: Any) -> None:
        pack, _, name = ref.partition(".")
        actions = self.folder / pack / "actions"
        actions.mkdir(parents=True, exist_ok=True)
        (actions / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, **metadata}))

    def file(self, pack: str, name: str, text: str) -> Path:
        path = self.folder / pack / "actions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def python(self, ref: str, body: str, parameters: dict[str, Any] | None = None, **more: Any):
        """An action whose class has the given body."""
        pack, _, name = ref.partition(".")
        text = "import os, sys, time\nfrom st2common.runners.base_action import Action\n\n\n"
        text += "class Act(Action):\n" + textwrap.indent(textwrap.dedent(body), "    ")
        self.file(pack, f"{name}.py", text)
        self.action(
            ref,
            runner_type="python-script",
            entry_point=f"{name}.py",
            parameters=parameters or {},
            **more,
        )

    def workflow(self, ref: str, text: str, parameters: dict[str, Any] | None = None) -> None:
        pack, _, name = ref.partition(".")
        self.file(pack, f"workflows/{name}.yaml", text)
        self.action(
            ref,
            runner_type="orquesta",
            entry_point=f"workflows/{name}.yaml",
            parameters=parameters or {},
        )


class Engine:
    """A started engine and what a test asks of it."""

    def __init__(self, executions: Executions, keys: MemoryKeys, registry: FolderRegistry) -> None:
        self.executions = executions
        self.keys = keys
        self.registry = registry
        self._moved = asyncio.Event()
        executions.on_change.append(lambda _: self._moved.set())

    async def until(self, condition: Callable[[], Any], seconds: float = _SECONDS) -> Any:
        """Wait for a condition; it is looked at after each change of an execution."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            left = end - time.monotonic()
            assert left > 0, f"not within {seconds} s; {self.overview()}"
            self._moved.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), min(left, 0.05))
        return found

    def overview(self) -> list[tuple[str, str]]:
        return [(e["action"]["ref"], e["status"]) for e in self.executions.list(limit=-1)[0]]

    async def over(self, execution_id: str, seconds: float = _SECONDS) -> dict[str, Any]:
        """The execution once it is completed."""
        await self.until(lambda: self.executions.get(execution_id)["status"] in COMPLETED, seconds)
        return self.executions.get(execution_id)

    async def run(self, ref: str, **parameters: Any) -> dict[str, Any]:
        execution = self.executions.request(ref, parameters, user="ann")
        return await self.over(execution["id"])

    def names(self, execution_id: str) -> list[str]:
        """The tasks of a workflow that ran, in order."""
        children = self.executions.children(execution_id, 1)
        return [child["context"]["orquesta"]["task_name"] for child in children]


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs")


@pytest.fixture
def engine_over(tmp_path: Path, packs: Packs):
    """Runs a test's coroutine with an engine; can be used again: that is a restart."""

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[Engine]:
        store = Store(tmp_path / "st2solo.db")
        keys, registry = MemoryKeys(), FolderRegistry(packs.folder)
        executions = Executions(
            store,
            registry,
            keys,
            MemoryTokens(),
            EngineSettings(
                **{
                    "api_url": "http://127.0.0.1:1/v1",
                    "work_dir": tmp_path / "work",
                    "kill_grace_seconds": 0.3,
                    **settings,
                }
            ),
        )
        engine = Engine(executions, keys, registry)
        await executions.start()
        try:
            yield engine
        finally:
            await executions.stop()
            store.close()

    def run(body: Callable[[Engine], Awaitable[None]], **settings: Any) -> None:
        async def main() -> None:
            async with opened(**settings) as engine:
                await body(engine)

        asyncio.run(main())

    return run
