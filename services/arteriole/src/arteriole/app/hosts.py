"""Which hosts are this machine itself."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether `host`, an address or a name, is reached without leaving this machine.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "lims.example.org")]
    [True, True, True, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"
