"""Measures what the project promises, against its peers where there are any: `make bench`."""
