"""Observed indexes: those that were really read, compared with the sheet before the run ends."""
