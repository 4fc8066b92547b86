"""Illumina's programs, as processes of this machine or as containers."""
