"""What a parcel consists of: copied from its sources, and judged as it is read back."""

from collections.abc import Iterable
from typing import Any

from arteriole.archive.archive import Parcel
from arteriole.archive.bundle import Reading, copy_bundle, spans
from arteriole.archive.errors import source_changed
from arteriole.checksum.digests import Digester, FileDigest, Meter, Sink, digest_file


class Nowhere:
    def write(self, piece: Any, /) -> None:
        """Forget it."""


def copy(parcel: Parcel, meter: Meter, sink: Sink) -> FileDigest:
    """Write what `parcel` consists of to `sink`; its digests, of which those of files are right."""
    if parcel.is_bundle:
        return copy_bundle(parcel, meter, sink)
    (file,) = parcel.files
    copied = digest_file(file.source, file.found, meter, sink)
    if copied != file.digest:
        raise source_changed(file.digest.name, file.source)
    meter.add(parcel.size - copied.size)
    return copied


def judged(parcel: Parcel, pieces: Iterable[bytes]) -> tuple[FileDigest, list[str]]:
    """Digests of what `parcel` is read as, and the names of what in it is not as it has to be."""
    reading, digester = Reading(spans(parcel)) if parcel.is_bundle else Nowhere(), Digester()
    for piece in pieces:
        digester.update(piece)
        reading.write(piece)
    if isinstance(reading, Reading):
        same = f"/{reading.name}." in parcel.place
        return digester.digest(parcel.place), reading.wrong or ([] if same else [parcel.place])
    (file,) = parcel.files
    found = digester.digest(file.digest.name)
    return found, [] if found == file.digest else [file.name]
