from arteria_deed import Deed


class Addendum(Deed):
    """Digest what came into a run folder after its manifests were closed."""

    verb = "addendum"
