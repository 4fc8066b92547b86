"""Where metadata comes from, one kind a module; `make` finds it by its settings."""

from arteriole.metadata.settings import SourceSettings
from arteriole.metadata.sources.command import CommandSource
from arteriole.metadata.sources.csv_folder import CsvFolder
from arteriole.metadata.sources.http import HttpSource
from arteriole.metadata.sources.source import Source


def make(settings: SourceSettings) -> Source:
    if settings.csv is not None:
        return CsvFolder(settings.label, settings.csv)
    if settings.http is not None:
        return HttpSource(settings.label, settings.http)
    assert settings.command is not None
    return CommandSource(settings.label, settings.command)
