"""Every rule, in the order in which a sheet is judged."""

from arteriole.illumina.sheet_rules import (
    collisions,
    colours,
    cycles,
    indexes,
    lanes,
    metadata,
    names,
    refusals,
    run,
    samples,
    settings,
    site,
    structure,
)
from arteriole.illumina.sheet_rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *refusals.RULES,
    *structure.RULES,
    *names.RULES,
    *samples.RULES,
    *lanes.RULES,
    *indexes.RULES,
    *collisions.RULES,
    *colours.RULES,
    *cycles.RULES,
    *settings.RULES,
    *run.RULES,
    *site.RULES,
    *metadata.RULES,
)
