"""The settings of a sample sheet in the words of the other version.

bcl2fastq's `Adapter` is for both reads unless `AdapterRead2` is said (bcl2fastq2 guide, "Settings
Section"); BCL Convert's AdapterRead1 is for the first alone. What bcl2fastq takes on its command
line only has no place in a sheet of version 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arteriole.illumina import cycle_masks, override_cycles
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet, Setting
from arteriole.illumina.sheet_settings import (
    ADAPTER_SETTINGS,
    LETTERS,
    MISMATCH_SETTINGS,
    OFF,
    PASSIVE_SETTINGS,
    SWITCHES,
)
from arteriole.illumina.sheet_text import plain

#: Settings of BCL Convert 4 (its guide, "Sample Sheet"; github.com/umccr/v2-samplesheet-maker).
V2_SETTINGS = {
    plain(name): name
    for name in (
        *("AdapterRead1", "AdapterRead2", "AdapterBehavior", "AdapterStringency"),
        *("MinimumAdapterOverlap", "MinimumTrimmedReadLength", "MaskShortReads"),
        *("FindAdaptersWithIndels", "BarcodeMismatchesIndex1", "BarcodeMismatchesIndex2"),
        *("OverrideCycles", "TrimUMI", "CreateFastqForIndexReads", "NoLaneSplitting"),
        *("FastqCompressionFormat", "IndependentIndexCollisionCheck"),
    )
}
#: What both do without being told; in a sheet of version 1 nothing else can be said.
_DEFAULTS = {
    "adapterstringency": {"0.9", "0.90"},
    "minimumadapteroverlap": {"1"},
    "minimumtrimmedreadlength": {"35"},
    "maskshortreads": {"22"},
    "fastqcompressionformat": {"gzip"},
    "adapterbehavior": {"trim"},
}
_SAME_IN_V1 = {"trimumi": "TrimUMI", "createfastqforindexreads": "CreateFastqForIndexReads"}
_ADAPTERS_V1 = {
    "adapter": ("trim", 1),
    "trimadapter": ("trim", 1),
    "maskadapter": ("mask", 1),
    "adapterread2": ("", 2),
    "trimadapterread2": ("trim", 2),
    "maskadapterread2": ("mask", 2),
}
_CYCLES_V1 = frozenset(
    f"read{read}{what}"
    for read in (1, 2)
    for what in ("startfromcycle", "endwithcycle", "umilength", "umistartfromcycle")
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a rendering has not; `line` is that of the source, 0 for the whole sheet."""

    what: str
    line: int = 0
    changes_reads: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" if self.line else self.what


@dataclass(slots=True)
class Settings:
    """Lines of the section, cells of columns in the order of the samples, what is in neither."""

    lines: dict[str, str] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave(self, name: str, setting: Setting, changes_reads: bool) -> None:
        self.left_out.append(LeftOut(f"setting {name[:60]}", setting.line, changes_reads))


def render(
    sheet: SampleSheet,
    run_info: RunInfo,
    version: int,
    mismatches: tuple[int, int] | None,
    trim: bool,
) -> Settings:
    """The settings of `sheet` for a sheet of `version`; arguments as sheet_rendering.render's."""
    found = Settings()
    said = {
        name: setting
        for name, setting in sheet.settings.items()
        if any(value for _, value in setting.values)
    }
    if not trim:
        for name in [name for name in said if plain(name) in ADAPTER_SETTINGS | {*_ADAPTERS_V1}]:
            found.leave(name, said.pop(name), changes_reads=False)
    if version == 1:
        _version_1(said, sheet, run_info, found)
    else:
        _version_2(said, sheet, run_info, mismatches, found)
    return found


def _version_2(
    said: dict[str, Setting],
    sheet: SampleSheet,
    run_info: RunInfo,
    mismatches: tuple[int, int] | None,
    found: Settings,
) -> None:
    adapters: dict[str, Setting] = {}
    cycles: dict[str, int] = {}
    masks: Setting | None = None
    of_bcl2fastq = {plain(name) for name in said} & ({*_ADAPTERS_V1} - {"adapterread2"})
    for name, setting in said.items():
        key = plain(name)
        if of_bcl2fastq and key in _ADAPTERS_V1:
            adapters[key] = setting
        elif key in _CYCLES_V1:
            if not (setting.value.isascii() and setting.value.isdecimal()):
                found.leave(name, setting, changes_reads=True)
            else:
                cycles[key] = int(setting.value)
        elif key == "overridecycles":
            masks = setting
        elif key in MISMATCH_SETTINGS and mismatches is not None:
            continue
        elif key in V2_SETTINGS and not (key in SWITCHES and setting.value.lower() in LETTERS):
            _place(V2_SETTINGS[key], setting, sheet, found)
        else:
            off = key in SWITCHES - V2_SETTINGS.keys() and setting.value.lower() in OFF
            found.leave(name, setting, changes_reads=key not in PASSIVE_SETTINGS and not off)
    _adapters(adapters, found)
    _mismatches(sheet, mismatches, found)
    _masks(sheet, run_info, masks, cycles, found)


def _place(name: str, setting: Setting, sheet: SampleSheet, found: Settings) -> None:
    if setting.rows:
        values = dict(setting.rows)
        found.columns[name] = [values.get(sample.line, "") for sample in sheet.samples]
    else:
        found.lines[name] = setting.value


def _adapters(adapters: Mapping[str, Setting], found: Settings) -> None:
    """bcl2fastq's adapters, which are trimmed or masked in both reads alike in BCL Convert."""
    if not adapters:
        return
    behaviors = {_ADAPTERS_V1[key][0] for key in adapters} - {""}
    if len(behaviors) > 1:
        for key, setting in adapters.items():
            found.leave(key, setting, changes_reads=True)
        return
    sequences = {_ADAPTERS_V1[key][1]: setting.value for key, setting in adapters.items()}
    if 1 in sequences:
        found.lines["AdapterRead1"] = sequences[1]
    found.lines["AdapterRead2"] = sequences.get(2, sequences.get(1, ""))
    if behaviors == {"mask"}:
        found.lines["AdapterBehavior"] = "mask"


def _mismatches(sheet: SampleSheet, mismatches: tuple[int, int] | None, found: Settings) -> None:
    """BCL Convert takes none of an index that no sample has; `na` stands where one has it not."""
    if mismatches is None:
        return
    for name, allowed, texts in (
        ("BarcodeMismatchesIndex1", mismatches[0], [s.index for s in sheet.samples]),
        ("BarcodeMismatchesIndex2", mismatches[1], [s.index2 for s in sheet.samples]),
    ):
        if all(texts) and texts:
            found.lines[name] = str(allowed)
        elif any(texts):
            found.columns[name] = [str(allowed) if text else "na" for text in texts]


def _masks(
    sheet: SampleSheet,
    run_info: RunInfo,
    said: Setting | None,
    cycles: Mapping[str, int],
    found: Settings,
) -> None:
    """One mask for all where they are the same, else one a sample; none where it says nothing."""
    given = dict(said.rows) if said is not None else {}
    masks = [
        override_cycles.rewritten(
            given.get(sample.line)
            or (said.value if said is not None and not said.rows else "")
            or cycle_masks.mask(run_info, sample, cycles),
            run_info,
        )
        for sample in sheet.samples
    ]
    if len(set(masks)) > 1:
        found.columns["OverrideCycles"] = masks
    elif masks and (said is not None or not cycle_masks.is_whole(masks[0], run_info)):
        found.lines["OverrideCycles"] = masks[0]


def _version_1(
    said: dict[str, Setting], sheet: SampleSheet, run_info: RunInfo, found: Settings
) -> None:
    keys = {plain(name): name for name in said}
    behavior = said[keys["adapterbehavior"]] if "adapterbehavior" in keys else None
    mask = behavior is not None and behavior.value.lower() == "mask" and not behavior.rows
    for name, setting in said.items():
        key = plain(name)
        values = {value.lower() for _, value in setting.values if value}
        if sheet.version == 1 and key not in V2_SETTINGS:
            found.lines[name] = setting.value
        elif setting.rows and len({value for _, value in setting.rows}) > 1:
            found.leave(name, setting, changes_reads=not _is_usual(key, values))
        elif key == "adapterread1":
            alone = "adapterread2" not in keys and len(run_info.template_reads) > 1
            if alone:
                found.leave(name, setting, changes_reads=True)
            else:
                found.lines["MaskAdapter" if mask else "Adapter"] = setting.value
        elif key == "adapterread2":
            found.lines["MaskAdapterRead2" if mask else "AdapterRead2"] = setting.value
        elif key in _SAME_IN_V1:
            found.lines[_SAME_IN_V1[key]] = setting.value
        elif key == "overridecycles":
            said_mask = override_cycles.rewritten(setting.value, run_info)
            plain_mask = all(
                said_mask == cycle_masks.mask(run_info, sample) for sample in sheet.samples
            )
            found.leave(name, setting, changes_reads=not plain_mask)
        elif not (key == "adapterbehavior" and mask):
            found.leave(name, setting, changes_reads=not _is_usual(key, values))


def _is_usual(key: str, values: set[str]) -> bool:
    """Whether bcl2fastq does it without being told, or is told elsewhere."""
    if key in MISMATCH_SETTINGS:
        return True  # on its command line, by whoever calls it
    if key in SWITCHES:
        return values <= OFF
    return key in PASSIVE_SETTINGS or values <= _DEFAULTS.get(key, set())
