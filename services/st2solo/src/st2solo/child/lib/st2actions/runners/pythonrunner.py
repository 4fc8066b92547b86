"""The old place of `Action`, which packs still import."""

from st2common.runners.base_action import Action

__all__ = ["Action"]
