"""StackStorm's own Orquesta suite against st2solo."""
