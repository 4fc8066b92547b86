"""The worker of the jobs of the archive: copy, read back, publish; or bring back.

Whatever an earlier start left is verified and kept; what is archived is never written to.
"""

from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.archive import drill, restore
from arteriole.archive.archive import Archive, Destination, Parcel
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


def work(task: Task) -> dict[str, Any]:
    """Of data: archive.json, with `destination`, `path` and `already` (it was archived before).

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
    archive = open_destination(parameters).data(task.run, task.attempt)
    sources = {part: Path(parameters[part]) for part in PARTS}
    holding = read_holding(sources, Path(parameters["manifests"]))
    already = archive.is_complete()
    if already:
        parcels = archive.recorded(holding)
        record = _verified(task, archive, parcels, Meter(task.progress, _to_read(parcels)))
    else:
        parcels = archive.packed(holding)
        meter = Meter(task.progress, 2 * _to_read(parcels))  # copied and read back
        record = _archived(task, archive, holding, parcels, meter, {})
    return {
        **record,
        "destination": parameters["name"],
        "path": archive.where,
        "already": already,
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
    archives = {
        name: destination.unit(task.run, task.attempt, name, holding)
        for name, holding in holdings.items()
    }
    there = {name for name, archive in archives.items() if archive.is_complete()}
    parcels = {
        name: archive.recorded(holdings[name]) if name in there else archive.packed(holdings[name])
        for name, archive in archives.items()
    }
    meter = Meter(
        task.progress,
        sum((1 if name in there else 2) * _to_read(found) for name, found in parcels.items()),
    )
    for name, holding in holdings.items():
        if name in there:
            _verified(task, archives[name], parcels[name], meter)
        else:
            _archived(task, archives[name], holding, parcels[name], meter, {"unit": name})
    undigested = len(units) - len(digested)
    if undigested:
        note(f"{undigested} units have no digests yet and are left for a later job")
    return {
        "destination": task.parameters["name"],
        "units": len(holdings),
        "already": len(there),
        "undigested": undigested,
        "files": sum(len(holding.files) for holding in holdings.values()),
        "bytes": sum(holding.size for holding in holdings.values()),
    }


def _is_digested(unit: Unit, manifests: Path) -> bool:
    return all((manifests / f"{unit.name}.{kind}").is_file() for kind in ("md5", "blake3"))


def _verified(task: Task, archive: Archive, parcels: list[Parcel], meter: Meter) -> dict[str, Any]:
    def verify(parcel: Parcel) -> None:
        archive.verify(parcel, meter)

    each(_largest_first(parcels), verify, meter, task.parameters["threads"])
    return archive.record()


def _archived(
    task: Task,
    archive: Archive,
    holding: Holding,
    parcels: list[Parcel],
    meter: Meter,
    more: dict[str, Any],
) -> dict[str, Any]:
    archive.prepare(holding)

    def store(parcel: Parcel) -> None:
        if not archive.has(parcel, meter):
            archive.store(parcel, meter)

    each(_largest_first(parcels), store, meter, task.parameters["threads"])
    record = {
        "run": task.run,
        "attempt": task.attempt,
        **more,
        "files": len(holding.files),
        "bytes": holding.size,
        "manifests": {name: manifest.digest for name, manifest in holding.manifests.items()},
        "finished": times.now(),
    }
    return archive.finish(holding, parcels, record)


def _largest_first(parcels: list[Parcel]) -> list[Parcel]:
    return sorted(parcels, key=lambda parcel: -parcel.size)


def _to_read(parcels: list[Parcel]) -> int:
    return sum(parcel.size for parcel in parcels)


if __name__ == "__main__":
    main(work, observe)
