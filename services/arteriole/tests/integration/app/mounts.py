"""Mounts that this test alone sees, and a file system whose server never answers."""

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor

CLONE_NEWNS, MNT_DETACH = 0x20000, 2
MS_REC_PRIVATE = 0x4000 | 0x40000
MS_NOSUID_NODEV = 0x2 | 0x4
MS_REMOUNT = 0x20


class Mounts:
    """A thread whose mounts nobody else sees, and the threads that it starts; they end with it."""

    def __init__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._thread = ThreadPoolExecutor(1)
        self.do(self._call, "unshare", CLONE_NEWNS)
        self.do(self._call, "mount", None, b"/", None, MS_REC_PRIVATE, None)

    def do(self, deed, *given):
        return self._thread.submit(deed, *given).result(60)

    def _call(self, name, *given):
        if getattr(self._libc, name)(*given):
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")

    def hang(self, directory):
        """A file system whose server never answers; a descriptor whose end is the server's."""
        device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
        self.do(
            self._call, "mount", b"none", os.fsencode(directory), b"fuse", MS_NOSUID_NODEV, options
        )
        return device

    def memory(self, directory, options, *, again=False):
        """A file system in memory; `again` gives the one that is there other options."""
        flags = MS_NOSUID_NODEV | (MS_REMOUNT if again else 0)
        self.do(
            self._call, "mount", b"none", os.fsencode(directory), b"tmpfs", flags, options.encode()
        )

    def unmount(self, directory):
        self.do(self._call, "umount2", os.fsencode(directory), MNT_DETACH)

    def close(self):
        self._thread.shutdown()
