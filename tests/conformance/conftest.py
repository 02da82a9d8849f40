"""Makes the adapters beside this file importable, and says which kinds of case have none yet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    from conformance_registry import folder, kinds_without_adapter

    missing = ", ".join(sorted(kinds_without_adapter()))
    if missing:
        terminalreporter.write_line(f"conformance: {folder()} has kinds without an adapter yet: {missing}")
