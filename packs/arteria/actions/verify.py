from arteria_deed import Deed


class Verify(Deed):
    """Read every byte of a run folder and its FASTQs, and compare it with their manifests."""

    verb = "verify"
