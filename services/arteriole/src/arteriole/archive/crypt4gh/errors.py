"""What a file of Crypt4GH may turn out to be; who reads it says which file it was."""


class SpoiltError(Exception):
    """It is not as it was written."""


class NoKeyError(SpoiltError):
    """None of the packets of its header is for this key."""
