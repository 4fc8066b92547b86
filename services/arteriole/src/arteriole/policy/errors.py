"""What is said where the policy does not allow something, or cannot be asked."""

from arteriole.app.errors import ArterioleError


class PolicyError(ArterioleError):
    """The policy does not allow it."""

    code = "policy.refused"
    status = 409
