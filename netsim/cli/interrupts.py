"""Ctrl-C, remembered: so that whatever goes wrong because of it counts as interrupted.

Python raises KeyboardInterrupt wherever the program happens to be. In the middle of an import, or of a library
written in C or Rust, something may catch it and raise an error of its own instead; only who saw the signal knows
that nobody made a mistake.
"""

from __future__ import annotations

import signal
from types import FrameType

_came = False


def remember() -> None:
    """Note every SIGINT from now on, and raise KeyboardInterrupt as before; who ignores it goes on ignoring it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _note)


def came() -> bool:
    """Whether there was one that nobody has dealt with."""
    return _came


def dealt_with() -> None:
    """What was interrupted has ended as it should, and more may come."""
    global _came
    _came = False


def over() -> None:
    """All is done and said: a late SIGINT changes nothing."""
    if signal.getsignal(signal.SIGINT) is _note:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _note(number: int, frame: FrameType | None) -> None:
    global _came
    _came = True
    signal.default_int_handler(number, frame)
