"""How many bytes there are of what (Crypt4GH 1.0, 2.2, 3.2 and 3.4)."""

KEY, NONCE, MAC = 32, 12, 16
#: Data is sealed in segments of so many bytes, the last one of fewer.
SEGMENT = 1 << 16
SEALED = NONCE + SEGMENT + MAC
#: A header's first bytes, and a packet with the key of the data.
PREAMBLE = 16
PACKET = 4 + 4 + KEY + NONCE + (4 + 4 + KEY) + MAC


def header_size(recipients: int) -> int:
    return PREAMBLE + recipients * PACKET


def sealed_size(size: int, recipients: int) -> int:
    """Bytes of the file that `size` bytes become.

    >>> sealed_size(0, 1), sealed_size(1, 1), sealed_size(65536, 2), sealed_size(65537, 1)
    (124, 153, 65796, 65717)
    """
    return header_size(recipients) + size + -(-size // SEGMENT) * (NONCE + MAC)
