"""Checks packs before they are registered; reads their files, and neither runs nor changes any."""
