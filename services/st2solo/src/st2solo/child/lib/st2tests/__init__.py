"""The base classes of packs' own tests, by the names that StackStorm gives them."""
