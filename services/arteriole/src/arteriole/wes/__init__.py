"""Analyses: pipelines of the site, run for the samples of an attempt."""
