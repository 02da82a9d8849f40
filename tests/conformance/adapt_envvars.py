"""Cases of kind `envvars`: the environment variables for a list of Services."""

from __future__ import annotations

from typing import Any

from netsim.control.environment import variables_of


def judge(case: dict[str, Any]) -> None:
    """Compare names and values, in order where the case says so."""
    found = [{"name": name, "value": value} for name, value in variables_of(case["input"]["services"])]
    wanted = case["expected"]["env"]
    if not case["expected"].get("ordered", True):
        found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
    assert found == wanted
