"""The README shows what the program says."""

from __future__ import annotations

from pathlib import Path

import netsim
from netsim.report.terminal import report

ROOT = Path(__file__).parent.parent


def test_the_sample_in_the_readme_is_what_the_main_scenario_prints() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    sample = page.partition("## What a run tells you\n\n```\n")[2].partition("```")[0].splitlines()
    said = report(netsim.load(ROOT / "scenarios" / "node-failure.yaml").run()).splitlines()
    assert len(sample) > 10
    assert [line for line in sample if line.strip() != "..." and line not in said] == []
