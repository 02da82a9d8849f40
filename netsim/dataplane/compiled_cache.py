"""Where compiled code is kept between runs: a folder of the user's, named after what it was compiled from.

numba keeps compiled functions on disk, but looks only at the file a function stands in to see whether it is still
the same. The loop takes in functions and constants from files beside it; so all of them are part of the folder's name.
Where nothing can be written, everything is compiled anew each time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba

ALSO = ("moments.py", "requests.py", "../draws.py", "../topology/quality.py")
"""Files with constants that the loop takes in, besides those called compiled."""

_njit: Any = numba.njit
_settings: Any = numba.config
_ALLOCATES_NOTHING = {"_nrt": False}  # so nobody counts who holds an array, which makes the loop twice as fast


def cached(function: Callable[..., Any]) -> Any:
    """Compile a function that allocates nothing, or take it from the folder."""
    before = _settings.CACHE_DIR
    _settings.CACHE_DIR = str(folder())
    try:
        return _njit(cache=True, **_ALLOCATES_NOTHING)(function)
    except RuntimeError:  # no place to keep it
        return _njit(**_ALLOCATES_NOTHING)(function)
    finally:
        _settings.CACHE_DIR = before


def folder() -> Path:
    """The folder for this version of the sources. NUMBA_CACHE_DIR and XDG_CACHE_HOME say where else it may be."""
    here = Path(__file__).parent
    found = sha256(f"{numba.__version__} {sys.version}".encode())
    for path in (*sorted(here.glob("compiled*.py")), *(here / name for name in ALSO)):
        found.update(path.read_bytes())
    base = _settings.CACHE_DIR or os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "netsim" / found.hexdigest()[:16]
