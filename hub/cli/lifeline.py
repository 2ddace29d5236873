"""A child process that ends with its parent, so that a killed `hub serve` leaves no web server on the port.

Knows the kernel's parent-death signal on Linux; elsewhere nothing happens, and the port says so at the next start.
Must not know roles.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Ask to be terminated when the parent dies; survives an exec. Ends at once where it is dead already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # It may have died between starting us and the line above.
    if os.getppid() != parent:
        sys.exit("the parent process ended")
