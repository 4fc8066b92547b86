"""Rows of the bench, a module a group: `rows(bench)` yields them, `make bench` finds it by name."""
