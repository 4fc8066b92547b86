"""Where steps run: as processes or containers here, or as jobs of Slurm, here or behind ssh."""

from typing import Annotated

from pydantic import Field

from arteriole.jobs.executors.docker_settings import DockerSettings
from arteriole.jobs.executors.process import ProcessExecutor, ProcessSettings
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.slurm import SlurmExecutor, SlurmSettings
from arteriole.jobs.executors.step import Executor
from arteriole.jobs.ssh import Host
from arteriole.jobs.worker import Task

ExecutorSettings = Annotated[
    ProcessSettings | DockerSettings | SlurmSettings, Field(discriminator="type")
]


def find(settings: ExecutorSettings, task: Task, ssh: str) -> tuple[Executor, Shell]:
    """The executor, and the side that its files are on."""
    if isinstance(settings, SlurmSettings):
        shell = Shell(task, settings, ssh, settings.patience_hours)
        return SlurmExecutor(settings, shell), shell
    shell = Shell(task, Host(), ssh)
    if isinstance(settings, DockerSettings):
        from arteriole.jobs.executors.docker import DockerExecutor  # its SDK takes time to import

        return DockerExecutor(settings, shell), shell
    return ProcessExecutor(settings, task, shell), shell
