"""Judges an attempt by what was counted and measured, with the site's thresholds."""
