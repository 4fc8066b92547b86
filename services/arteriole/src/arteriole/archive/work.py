"""The worker of the jobs of the archive: copy, read back, publish; or bring back.

Whatever an earlier start left is verified and kept; what is archived is never written to.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.archive import drill, restore
from arteriole.archive.addenda import Grown, as_one
from arteriole.archive.archive import Depot, Destination, Parcel
from arteriole.archive.destinations import open_destination
from arteriole.archive.holding import PARTS, Holding, read_holding, read_unit
from arteriole.checksum.digests import Meter, each
from arteriole.checksum.errors import ManifestError
from arteriole.checksum.listing import list_files
from arteriole.checksum.parts import Part
from arteriole.checksum.units import Unit, list_units, require_units
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main, note
from arteriole.policy.gate import ask


@dataclass(frozen=True)
class Share:
    """A holding and its place; `more` is what its record says besides."""

    depot: Depot
    holding: Holding
    more: dict[str, Any]


def work(task: Task) -> dict[str, Any]:
    """Of data: archive.json, with `destination`, `path` and `already` (it was archived before).

    Addenda that came after that are archived beside it: `files` and `bytes` count them, `addenda`
    has the archive.json of each, and `already` says that nothing was new.

    Of results: `{destination, units, already, undigested, files, bytes}`, where `undigested` are
    units without digests yet, which are left for a later job. Of a restore, or a
    drill: as that has it.
    """
    if "drill" in task.parameters:
        return drill.work(task)
    if "restore" in task.parameters:
        return restore.work(task)
    if "clean" in task.parameters:
        from arteriole.archive.clean import work as clean  # imports a service, for rare jobs

        return clean.work(task)
    ask(task.parameters)
    place = f"{task.parameters['name']}/{task.run}.{task.attempt}"
    if _is_of_results(task):
        with exclusive(task, f"{place}.results"):
            return _results(task)
    with exclusive(task, place):
        return _data(task)


def observe(task: Task) -> dict[str, Any]:
    """`{destination, to, files, bytes}`: of the run folder, as the FASTQs do not exist.

    Of results also `units`, which are none as long as nothing was analysed.

    Raises:
        ArchiveError: the destination cannot be used, or not even the run folder fits.
    """
    parameters = task.parameters
    if "drill" in parameters:
        return drill.observe(task)
    if "restore" in parameters:
        return restore.observe(task)
    if "clean" in parameters:
        from arteriole.archive.clean import work as clean

        return clean.observe(task)
    ask(parameters, observe=True)
    destination = open_destination(parameters)
    if _is_of_results(task):
        return _observed_results(task, destination)
    archive = destination.data(task.run, task.attempt)
    files = list_files(Path(parameters["runfolder"]), without_own=True)
    size = sum(found.size for found in files)
    if not archive.is_complete():
        destination.require_room(size)
    return {
        "destination": parameters["name"],
        "to": archive.where,
        "files": len(files),
        "bytes": size,
    }


def _is_of_results(task: Task) -> bool:
    return task.parameters.get("part") == Part.RESULTS


def _observed_results(task: Task, destination: Destination) -> dict[str, Any]:
    folder = Path(task.parameters["results"])
    units = list_units(folder) if folder.is_dir() else []
    size = sum(unit.size for unit in units)
    destination.require_room(0)
    return {
        "destination": task.parameters["name"],
        "units": len(units),
        "files": sum(len(unit.files) for unit in units),
        "bytes": size,
    }


def _data(task: Task) -> dict[str, Any]:
    parameters = task.parameters
    archive = Grown(open_destination(parameters), task.run, task.attempt)
    sources = {part: Path(parameters[part]) for part in PARTS}
    holding = read_holding(sources, Path(parameters["manifests"]))
    shares = [
        Share(depot, held, {"addendum": number} if number else {})
        for number, (depot, held) in archive.shares(holding).items()
    ]
    records, already = _keep(task, shares)
    return {
        **as_one(records),
        "files": len(holding.files),
        "bytes": holding.size,
        "destination": parameters["name"],
        "path": archive.where,
        "already": already == len(shares),
    }


def _results(task: Task) -> dict[str, Any]:
    destination = open_destination(task.parameters)
    manifests = Path(task.parameters["manifests"])
    units = require_units(Path(task.parameters["results"]))
    digested = [unit for unit in units if _is_digested(unit, manifests)]
    if not digested:
        raise ManifestError(
            f"no unit of results of {task.run}, attempt {task.attempt}, has its digests",
            code="manifest.missing",
            hint="the checksum of the results has to be done first",
        )
    holdings = {unit.name: read_unit(unit, manifests) for unit in digested}
    shares = [
        Share(destination.unit(task.run, task.attempt, name, held), held, {"unit": name})
        for name, held in holdings.items()
    ]
    _, already = _keep(task, shares)
    undigested = len(units) - len(digested)
    if undigested:
        note(f"{undigested} units have no digests yet and are left for a later job")
    return {
        "destination": task.parameters["name"],
        "units": len(holdings),
        "already": already,
        "undigested": undigested,
        "files": sum(len(holding.files) for holding in holdings.values()),
        "bytes": sum(holding.size for holding in holdings.values()),
    }


def _is_digested(unit: Unit, manifests: Path) -> bool:
    return all((manifests / f"{unit.name}.{kind}").is_file() for kind in ("md5", "blake3"))


def _keep(task: Task, shares: list[Share]) -> tuple[list[dict[str, Any]], int]:
    """Archive or verify each; their records, and how many were archived before."""
    there = [share.depot.is_complete() for share in shares]
    parcels = [
        share.depot.recorded(share.holding) if whole else share.depot.packed(share.holding)
        for share, whole in zip(shares, there, strict=True)
    ]
    pairs = zip(parcels, there, strict=True)  # what is copied is read back
    meter = Meter(task.progress, sum((1 if whole else 2) * _to_read(of) for of, whole in pairs))
    records = [
        _verified(task, share, of, meter) if whole else _archived(task, share, of, meter)
        for share, of, whole in zip(shares, parcels, there, strict=True)
    ]
    return records, sum(there)


def _verified(task: Task, share: Share, parcels: list[Parcel], meter: Meter) -> dict[str, Any]:
    def verify(parcel: Parcel) -> None:
        share.depot.verify(parcel, meter)

    each(_largest_first(parcels), verify, meter, task.parameters["threads"])
    return share.depot.record()


def _archived(task: Task, share: Share, parcels: list[Parcel], meter: Meter) -> dict[str, Any]:
    depot, holding = share.depot, share.holding
    depot.prepare(holding)

    def store(parcel: Parcel) -> None:
        if not depot.has(parcel, meter):
            depot.store(parcel, meter)

    each(_largest_first(parcels), store, meter, task.parameters["threads"])
    record = {
        "run": task.run,
        "attempt": task.attempt,
        "destination": task.parameters["name"],
        **share.more,
        "files": len(holding.files),
        "bytes": holding.size,
        "manifests": holding.digests,
        "finished": times.now(),
    }
    return depot.finish(holding, parcels, record)


def _largest_first(parcels: list[Parcel]) -> list[Parcel]:
    return sorted(parcels, key=lambda parcel: -parcel.size)


def _to_read(parcels: list[Parcel]) -> int:
    return sum(parcel.size for parcel in parcels)


if __name__ == "__main__":
    main(work, observe)
