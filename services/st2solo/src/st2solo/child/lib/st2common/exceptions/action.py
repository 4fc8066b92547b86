"""Errors that actions of packs raise by StackStorm's names."""


class InvalidActionParameterException(Exception):
    """A parameter of the action has a value that the action cannot take."""
