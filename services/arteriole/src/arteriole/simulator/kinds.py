"""The table of instruments. Each row says where its facts come from.

`npg` is wtsi-npg/npg_tracking, t/data/run_info and run_params; `interop` is Illumina/interop,
src/tests/interop/run; `picard` is broadinstitute/picard, testdata/picard/illumina; `checkQC` is
Molmed/checkQC, tests/resources; `bcl2fastq` is the bcl2fastq2 guide's chapter on input files.
"""

from arteriole.simulator.instruments import (
    BaseCalls,
    Completion,
    Dates,
    Generation,
    Instrument,
    Kind,
    NonPf,
    Positions,
)

# A HiSeq X run (HCS 3.3) with the names of a HiSeq 4000; npg runInfo.hiseq4000.xml: layout.
_HISEQ4000 = Instrument(
    kind=Kind.HISEQ4000,
    generation=Generation.RTA2,
    lanes=8,
    surfaces=2,
    swaths=2,
    tiles=28,
    positions="AB",
    base_calls=BaseCalls.BCL_GZ,
    locations=Positions.SHARED,
    qualities=(2, 12, 22, 27, 32, 37, 41),
    quality_weights=(0.002, 0.015, 0.03, 0.04, 0.08, 0.22, 0.613),
    q_metrics=6,
    run_info_version=3,
    first_surface=1,
    image=(3188, 7241),
    channels=("A", "G", "T", "C"),
    parameters_file="runParameters.xml",
    application="HiSeq Control Software",
    application_version="HD 3.4.0.38",
    rta_version="2.7.7",
    tile_area=2.2,
)

# npg runInfo.hiseq.rr.xml and checkQC Rapid; positions as in picard 125T125T (.clocs).
_HISEQ2500 = Instrument(
    kind=Kind.HISEQ2500,
    generation=Generation.RTA1,
    lanes=8,
    surfaces=2,
    swaths=3,
    tiles=16,
    positions="AB",
    base_calls=BaseCalls.BCL_GZ,
    locations=Positions.TILE_CLOCS,
    qualities=(2, 12, 22, 27, 33, 37, 40),
    quality_weights=(0.003, 0.02, 0.04, 0.05, 0.1, 0.27, 0.517),
    q_metrics=5,
    run_info_version=2,
    parameters_file="runParameters.xml",
    application="HiSeq Control Software",
    application_version="2.2.68",
    rta_version="1.18.66.3",
    tile_area=2.8,
)

# checkQC 230825_M04034_0043_000000000-L6NVV.
_MISEQ = Instrument(
    kind=Kind.MISEQ,
    generation=Generation.RTA1,
    lanes=1,
    surfaces=2,
    swaths=1,
    tiles=19,
    positions="",
    base_calls=BaseCalls.BCL,
    locations=Positions.TILE,
    qualities=(2, 8, *range(10, 39)),
    quality_weights=(0.002, 0.005, *(0.01 + 0.002 * step for step in range(29))),
    q_metrics=4,
    run_info_version=2,
    parameters_file="RunParameters.xml",
    application="MiSeq Control Software",
    application_version="2.6.2.1",
    rta_version="1.18.54",
    tile_area=0.93,
)

# npg RunParameters.nextseq.xml (4 lanes, 3 swaths, 12 tiles, 3 cameras a lane, 2 lanes a section,
# tile 1_11101) and runInfo.nextseq.xml; files: bcl2fastq. Lanes 3 and 4 use cameras 4 to 6: FASTQ
# headers of public runs (NS500198:23:H0VUMAGXX:3:11401). RunCompletionStatus: gmc-norr/cleve's
# tests. Unverified: the quality bins, the versions of InterOp, the order of the last files.
_NEXTSEQ500 = Instrument(
    kind=Kind.NEXTSEQ500,
    generation=Generation.RTA2,
    lanes=4,
    surfaces=2,
    swaths=3,
    tiles=12,
    cameras=3,
    lanes_per_section=2,
    positions="A",
    base_calls=BaseCalls.BGZF,
    locations=Positions.LANE,
    qualities=(2, 14, 21, 27, 32, 36),
    quality_weights=(0.003, 0.04, 0.03, 0.04, 0.12, 0.767),
    q_metrics=6,
    run_info_version=4,
    first_surface=1,
    image=(2592, 1944),
    channels=("Red", "Green"),
    parameters_file="RunParameters.xml",
    application="NextSeq Control Software",
    application_version="2.2.0.4",
    rta_version="2.4.11",
    tile_area=0.74,
    completion=Completion.COMPLETION_STATUS,
)

# npg runInfo.novaseq.xp.v1.5.xml and RunParameters.novaseq.xp.v1.5.xml, checkQC
# 200624_A00834_0183_BHMTFYTINY (tiles listed from surface 2 on); bins and header: picard
# 151T8B8B151T_cbcl. Unverified: that clusters which do not pass are left out from the cycle after
# the filter on; that there is no RunCompletionStatus.xml.
_NOVASEQ6000 = Instrument(
    kind=Kind.NOVASEQ6000,
    generation=Generation.RTA3,
    lanes=4,
    surfaces=2,
    swaths=6,
    tiles=78,
    positions="AB",
    base_calls=BaseCalls.CBCL,
    locations=Positions.SHARED,
    qualities=(12, 23, 37),
    quality_weights=(0.035, 0.06, 0.905),
    q_metrics=7,
    tile_metrics=3,
    extraction_metrics=3,
    run_info_version=5,
    run_info_dialect="plain",
    first_surface=2,
    image=(3200, 3607),
    channels=("RED", "GREEN"),
    dates=Dates.AMERICAN,
    parameters_file="RunParameters.xml",
    application="NovaSeq Control Software",
    application_version="1.7.5",
    rta_version="v3.4.4",
    tile_area=2.9,
    non_pf=NonPf.FROM_FILTER_CYCLE,
)

# interop info_test.h (200308_VH00113_9_AAAAW3GM5: P2 has 1 lane, 6 swaths, 12 tiles, FourDigit)
# and parameters_test.cpp (RunParameters); P3 (2 lanes, 16 tiles, i5 IsReverseComplement="Y"): a
# public RunInfo.xml of 240227_VH00103_437_2222FFYNX; last files: a listing of
# 230710_VH00464_302_AACJ3MWM5. Unverified: the quality bins, the form of
# RunCompletionStatus.xml (taken from NovaSeq X), non-PF clusters.
_NEXTSEQ2000 = Instrument(
    kind=Kind.NEXTSEQ2000,
    generation=Generation.RTA3,
    lanes=2,
    surfaces=2,
    swaths=6,
    tiles=16,
    positions="",
    base_calls=BaseCalls.CBCL,
    locations=Positions.SHARED,
    qualities=(9, 18, 34),
    quality_weights=(0.04, 0.06, 0.9),
    q_metrics=7,
    tile_metrics=3,
    extraction_metrics=3,
    run_info_version=6,
    run_info_dialect="plain",
    first_surface=1,
    image=(8208, 5541),
    channels=("green", "blue"),
    dates=Dates.ISO,
    parameters_file="RunParameters.xml",
    application="NextSeq 1000/2000 Control Software",
    application_version="1.5.0.42699",
    rta_version="3.10.30",
    tile_area=2.6,
    reverse_complement=True,
    completion=Completion.RUN_STATUS,
    non_pf=NonPf.FROM_FILTER_CYCLE,
)

# npg runInfo.novaseqx.xml, test_staging_daemon/novaseqxplus and RunParameters.novaseqx.prod.xml;
# RunCompletionStatus: gmc-norr/cleve's tests. Unverified: the quality bins, non-PF clusters.
_NOVASEQX = Instrument(
    kind=Kind.NOVASEQX,
    generation=Generation.RTA4,
    lanes=8,
    surfaces=2,
    swaths=2,
    tiles=98,
    positions="AB",
    base_calls=BaseCalls.CBCL,
    locations=Positions.SHARED,
    qualities=(9, 24, 40),
    quality_weights=(0.03, 0.06, 0.91),
    q_metrics=7,
    tile_metrics=3,
    extraction_metrics=3,
    run_info_version=6,
    run_info_dialect="plain",
    first_surface=1,
    image=(5120, 2879),
    channels=("blue", "green"),
    dates=Dates.ISO,
    parameters_file="RunParameters.xml",
    application="NovaSeqXSeries Control Software",
    application_version="1.2.0.26276",
    rta_version="4.6.7",
    tile_area=2.0,
    reverse_complement=True,
    completion=Completion.RUN_STATUS,
    non_pf=NonPf.FROM_FILTER_CYCLE,
)

INSTRUMENTS: dict[Kind, Instrument] = {
    row.kind: row
    for row in (
        _HISEQ4000,
        _HISEQ2500,
        _MISEQ,
        _NEXTSEQ500,
        _NOVASEQ6000,
        _NEXTSEQ2000,
        _NOVASEQX,
    )
}
