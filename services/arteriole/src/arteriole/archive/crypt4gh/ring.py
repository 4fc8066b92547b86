"""The keys of a destination: those of its recipients, and the private keys of some of them."""

import base64
import functools
from collections.abc import Sequence
from pathlib import Path

from arteriole.archive.crypt4gh.errors import NoKeyError, SpoiltError
from arteriole.archive.crypt4gh.header import Packet, PrivateKey, Seal
from arteriole.archive.crypt4gh.keys import read_private_key, read_public_key
from arteriole.archive.errors import ArchiveError
from arteriole.archive.settings import Crypt4GH


class Ring:
    """Every file is read when it is needed; ArchiveError as of `keys`."""

    def __init__(self, settings: Crypt4GH) -> None:
        self._settings = settings
        self._keys: dict[Path, PrivateKey | ArchiveError] = {}

    @functools.cached_property
    def recipients(self) -> list[bytes]:
        """Public keys, each once."""
        return sorted({read_public_key(path) for path in self._settings.recipients})

    @property
    def has_private_key(self) -> bool:
        return bool(self._settings.private_key)

    def seal(self) -> Seal:
        """One for a file; ArchiveError if a recipient's key is of no use."""
        try:
            return Seal(self.recipients)
        except SpoiltError as err:
            raise ArchiveError(
                "one of the recipients' public keys makes no secret",
                code="archive.key",
                hint="crypt4gh-keygen makes good ones: replace the file, and say who has it",
            ) from err

    def key_of(self, packets: list[Packet]) -> bytes:
        """The data's key, out of the packets of a header.

        Raises:
            ArchiveError: there is no private key, none of the packets is for one of them, or one
                that may be the right one is of no use.
        """
        useless: list[ArchiveError] = []
        for path in self._settings.private_key:
            try:
                return self._private(path).key_of(packets)
            except NoKeyError:
                continue
            except ArchiveError as err:
                useless.append(err)
        if useless:
            raise useless[0]
        if self.has_private_key:
            paths = ", ".join(map(str, self._settings.private_key))
            raise ArchiveError(
                f"it is not encrypted for the private key in {paths}",
                code="archive.key",
                hint="name the file with the private key of one of the recipients that its"
                " archive.json lists",
            )
        raise ArchiveError(
            "it is encrypted, and the destination names no private key",
            code="archive.key",
            hint="set crypt4gh.private_key of the destination; what was archived is verified"
            " without it",
        )

    def _private(self, path: Path) -> PrivateKey:
        """NB: a passphrase takes a while, so each file is read once."""
        if path not in self._keys:
            self._keys[path] = self._read(path)
        found = self._keys[path]
        if isinstance(found, ArchiveError):
            raise found
        return found

    def _read(self, path: Path) -> PrivateKey | ArchiveError:
        useless: list[ArchiveError] = []
        passphrases: Sequence[Path | None] = self._settings.passphrase_file or [None]
        for passphrase in passphrases:
            try:
                return PrivateKey(read_private_key(path, passphrase))
            except ArchiveError as err:
                useless.append(err)
        return useless[-1]


def told(recipients: Sequence[bytes]) -> list[str]:
    """As archive.json lists them, and as their files have them: in base64."""
    return [base64.b64encode(one).decode() for one in recipients]
