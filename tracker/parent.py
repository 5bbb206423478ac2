"""Processes that end with the one that started them, so that a killed worker leaves no half of a job behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

VARIABLE = "BILLTRACKER_PARENT"
_PR_SET_PDEATHSIG = 1


def environment() -> Mapping[str, str]:
    """The environment for a child that calls :func:`follow`: it names us as its parent."""
    return {**os.environ, VARIABLE: str(os.getpid())}


def follow() -> None:
    """End when the parent ends, if it asked for that; our own children will be asked the same.

    Linux only; elsewhere a child of a killed worker goes on to its own end.
    """
    expected = os.environ.get(VARIABLE)
    if not expected or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if str(os.getppid()) != expected:
        sys.exit(1)  # It ended before we could ask to be told.
    os.environ[VARIABLE] = str(os.getpid())
