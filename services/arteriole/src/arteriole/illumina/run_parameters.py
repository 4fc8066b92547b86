"""RunParameters.xml (runParameters.xml on older instruments): kit, tube and software of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from arteriole.illumina import xml_file
from arteriole.illumina.errors import RunParametersError

_TEXT_LIMIT = 300
FILE_NAMES = ("RunParameters.xml", "runParameters.xml")


@dataclass(frozen=True, slots=True)
class RunParameters:
    """What RunParameters.xml says; empty where the instrument does not say it.

    `application` is the control software ("MiSeq Control Software"), `instrument_type` what
    newer instruments call themselves ("NovaSeqXPlus"), `side` the place of the flow cell ("A" or
    "B") on an instrument that runs two at once. `chemistry` names the kit on a MiniSeq or NextSeq
    500 ("MiniSeq Rapid High"), `sbs_version` the version of the reagents on a NovaSeq 6000.
    """

    run_id: str = ""
    instrument: str = ""
    instrument_type: str = ""
    application: str = ""
    application_version: str = ""
    rta_version: str = ""
    experiment_name: str = ""
    side: str = ""
    reagent_kit_barcode: str = ""
    library_tube_barcode: str = ""
    chemistry: str = ""
    sbs_version: str = ""

    @staticmethod
    def read(path: Path) -> "RunParameters | None":
        """Read the file, or the one of the run folder, at `path`; None if the folder has none.

        Raises:
            RunParametersError: naming the file and what is wrong with it.
        """
        if not path.is_dir():
            return parse(path)
        present = [path / name for name in FILE_NAMES if (path / name).is_file()]
        return parse(present[0]) if present else None

    def metadata(self) -> dict[str, str]:
        """Arteria's metadata of a run folder: only the keys that are known."""
        known = {
            "reagent_kit_barcode": self.reagent_kit_barcode,
            "library_tube_barcode": self.library_tube_barcode,
        }
        return {key: value for key, value in known.items() if value}


def parse(path: Path) -> RunParameters:
    """Read the file at `path`. Raises RunParametersError."""
    root = xml_file.read(path, "RunParameters", RunParametersError)
    texts = dict(_texts(root, ""))

    def first(*places: str) -> str:
        return next((texts[place] for place in places if texts.get(place)), "")

    return RunParameters(
        run_id=first("runid", "setup/runid"),
        # The order is that of arteria-runfolder (models.py, Instrument.instrument_id).
        instrument=first(
            "setup/scannerid",
            "instrumentname",
            "instrumentid",
            "scannerid",
            "instrumentserialnumber",
        ),
        instrument_type=first("instrumenttype"),
        application=first("setup/applicationname", "applicationname", "application"),
        application_version=first(
            "setup/applicationversion", "applicationversion", "systemsuiteversion"
        ),
        rta_version=first("rtaversion", "setup/rtaversion"),
        experiment_name=first("experimentname", "setup/experimentname"),
        # NovaSeq has Side, HiSeq Setup/FCPosition.
        side=first("side", "setup/fcposition"),
        reagent_kit_barcode=first(
            "reagentkitbarcode",
            "reagentkitserial",
            "reagentkitrfidtag/serialnumber",
        ),
        library_tube_barcode=first("rfidsinfo/librarytubeserialbarcode")
        or _consumable(root, "SampleTube"),
        chemistry=first("chemistry"),
        sbs_version=first("rfidsinfo/sbsconsumableversion"),
    )


def _texts(element: Element, prefix: str) -> Iterator[tuple[str, str]]:
    """(lower-case path, text) of the root's children and grandchildren.

    Case differs between instruments: RFIDsInfo and RfidsInfo, RunID and RunId. Last to first, so
    that the first of a name stays in a dictionary.
    """
    for child in reversed(element):
        name = prefix + xml_file.local_name(child).lower()
        yield name, _text(child)
        if not prefix:
            yield from _texts(child, name + "/")


def _text(element: Element) -> str:
    """The element's words, without what a terminal would obey."""
    words = (element.text or "").strip()[:_TEXT_LIMIT]
    return "".join(char if char.isprintable() else "?" for char in words)


def _consumable(root: Element, kind: str) -> str:
    """The serial number of a ConsumableInfo of this Type (NovaSeq X, NextSeq 1000)."""
    for element in root.iter():
        if xml_file.local_name(element) != "ConsumableInfo":
            continue
        fields = {xml_file.local_name(child): _text(child) for child in element}
        if fields.get("Type") == kind and fields.get("SerialNumber"):
            return fields["SerialNumber"]
    return ""
