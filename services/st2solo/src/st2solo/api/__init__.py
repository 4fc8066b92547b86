"""StackStorm's HTTP API, as its clients use it: one module a resource, one table of routes."""
