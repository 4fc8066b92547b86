"""All of arteriole.yaml: a section a service, and what they share."""

import enum
import re
from pathlib import Path
from typing import Self

from pydantic import model_validator

from arteriole.app.chat import ChatSettings
from arteriole.app.config import AbsolutePath, Clash, Section
from arteriole.app.hosts import is_loopback
from arteriole.app.mode import Mode
from arteriole.archive.settings import ArchiveSettings
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.checksum.settings import ChecksumSettings
from arteriole.disk.settings import DiskSettings
from arteriole.jobs.machine import JobsSettings
from arteriole.metadata.settings import MetadataSettings
from arteriole.observe.settings import ObserveSettings
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.transfer.settings import TransferSettings
from arteriole.wes.settings import WesSettings

#: The sections that are services.
SERVICES = ("runfolder", "bcl2fastq", "checksum", "transfer", "archive", "wes", "metadata")


class Auth(enum.StrEnum):
    TOKENS = "tokens"
    NONE = "none"


class Settings(Section):
    #: The folder of stores, job folders and tokens: what a backup must hold.
    state_dir: AbsolutePath
    #: The address on which the services listen; for more than this machine a proxy with TLS
    #: belongs before them.
    host: str = "127.0.0.1"
    #: `tokens`: every call needs a bearer token; `none`: no call does, on 127.0.0.1 only.
    auth: Auth = Auth.TOKENS
    #: `observe` checks and records what would be done; nothing is done to a run, a cluster or an
    #: archive before a site says `act`.
    mode: Mode = Mode.OBSERVE
    #: The service of runs, their stages and the status page; each service is served that has its
    #: key.
    runfolder: RunfolderSettings | None = None
    #: The service that checks sample sheets, converts base calls to FASTQ and judges what came of
    #: it.
    bcl2fastq: Bcl2fastqSettings | None = None
    #: The service that digests every file and leaves manifests.
    checksum: ChecksumSettings | None = None
    #: The service that sends FASTQs and run folders to clusters.
    transfer: TransferSettings | None = None
    #: The service that archives runs, brings them back and takes away the site's own copy.
    archive: ArchiveSettings | None = None
    #: The service that runs analyses ([analysis.md](analysis.md)).
    wes: WesSettings | None = None
    #: The service of samples' metadata ([metadata.md](metadata.md)).
    metadata: MetadataSettings | None = None
    #: The file policy.yaml, which says where data may go; without it data goes wherever a job
    #: says.
    policy: AbsolutePath | None = None
    #: What people may do from a chat.
    chat: ChatSettings = ChatSettings()
    #: What `arteriole observe report` compares with.
    observe: ObserveSettings = ObserveSettings()
    #: What all jobs of a process may have together.
    jobs: JobsSettings = JobsSettings()
    #: When a volume that services write to counts as short of space.
    disk: DiskSettings = DiskSettings()

    @model_validator(mode="after")
    def _open_on_loopback_only(self) -> Self:
        if self.auth is Auth.NONE and not is_loopback(self.host):
            text = f"expected tokens where host is {self.host}, found none: 127.0.0.1 alone is open"
            raise Clash(("auth",), ("host",), text)
        return self

    @model_validator(mode="after")
    def _a_port_for_each(self) -> Self:
        taken: dict[int, str] = {}
        for name in SERVICES:
            section = getattr(self, name)
            if section is None or section.port == 0:  # the kernel chooses one
                continue
            other = taken.setdefault(section.port, name)
            if other != name:
                text = f"expected a port of its own, found {section.port}, which {other} has too"
                raise Clash((name, "port"), (other, "port"), text)
        return self

    def folders(self) -> dict[Path, list[str]]:
        """The folders that no service makes, each with the keys that name it."""
        found: dict[Path, list[str]] = {}
        for name in SERVICES:
            for key in ("monitored_directories", "run_roots"):
                for path in getattr(getattr(self, name), key, ()):
                    found.setdefault(path, []).append(f"{name}.{key}")
            for key in ("fastq_root", "results_root", "restore_root"):
                if (root := getattr(getattr(self, name), key, None)) is not None:
                    found.setdefault(root, []).append(f"{name}.{key}")
        for name, one in self.archive.destinations.items() if self.archive else ():
            if one.directory is not None:
                key = f"archive.destinations.{name}.directory"
                found.setdefault(one.directory, []).append(key)
        clean = None if self.archive is None else self.archive.clean
        for path in () if clean is None else clean.bins:
            found.setdefault(path, []).append("archive.clean.bins")
        for number, source in enumerate(self.metadata.sources if self.metadata else ()):
            if source.csv is not None:
                key = f"metadata.sources.{number}.csv.folder"
                found.setdefault(source.csv.folder, []).append(key)
        return found

    @model_validator(mode="after")
    def _limits_of_known_roots(self) -> Self:
        for path in self.disk.roots:
            if path not in self.written_roots().values():
                text = f"expected a folder that a service writes to, found {str(path)!r}"
                raise Clash(("disk", "roots"), ("state_dir",), text)
        return self

    def written_roots(self) -> dict[str, Path]:
        """The folders that run folders, services and people's restores fill, by the key (an
        identifier) that names each.
        """
        found: dict[str, Path] = {}
        for number, path in enumerate(
            self.runfolder.monitored_directories if self.runfolder else ()
        ):
            found[f"runfolder.monitored_directories.{number}"] = path
        for name in SERVICES:
            for key in ("fastq_root", "manifest_root", "work_root", "results_root", "restore_root"):
                if (root := getattr(getattr(self, name), key, None)) is not None:
                    found[f"{name}.{key}"] = root
        for name, vault in self.archive.destinations.items() if self.archive else ():
            if vault.directory is not None:
                found[f"archive.destinations.{_plain(name)}.directory"] = vault.directory
        for name, cluster in self.transfer.destinations.items() if self.transfer else ():
            if cluster.host is None:  # it is mounted here
                found[f"transfer.destinations.{name}.path"] = cluster.path
        clean = None if self.archive is None else self.archive.clean
        for number, path in enumerate(() if clean is None else clean.bins):
            found[f"archive.clean.bins.{number}"] = path
        found["state_dir"] = self.state_dir
        return {
            name: path
            for name, path in found.items()
            if name == next(key for key, other in found.items() if other == path)
        }

    def run_roots(self) -> tuple[Path, ...]:
        """Those of all services."""
        sections = [getattr(self, name) for name in SERVICES]
        return tuple(
            dict.fromkeys(root for one in sections for root in getattr(one, "run_roots", ()))
        )

    def destinations(self) -> set[str]:
        """All that data is sent to, as `<service>.<name>`."""
        return {
            f"{service}.{name}"
            for service in ("transfer", "archive")
            for name in getattr(getattr(self, service), "destinations", ())
        }

    def encrypting(self) -> set[str]:
        """Those of them that get nothing in the clear, whatever a policy's labels say."""
        found = self.archive.destinations if self.archive else {}
        return {".".join(("archive", name)) for name, one in found.items() if one.encrypts}

    @property
    def token_file(self) -> Path:
        return self.state_dir / "tokens.json"


def _plain(name: str) -> str:
    """Such that it may stand in an identifier."""
    return re.sub("[^A-Za-z0-9_-]", "_", name)
