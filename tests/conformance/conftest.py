"""Makes the adapters beside this file importable, and says which kinds of case have none yet."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_report_header() -> str:
    from conformance_registry import folder, kinds_without_adapter

    missing = ", ".join(sorted(kinds_without_adapter())) or "none"
    return f"conformance: cases from {folder()}; kinds without an adapter yet: {missing}"
