"""The summary of a sweep as plain data: what `summary.json` holds. Durations in seconds, shares from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netsim.scenario.measures import MEASURES
from netsim.sweep.estimates import LEVEL, Estimate
from netsim.sweep.tables import average, difference

if TYPE_CHECKING:
    from netsim.sweep.grid import Variant
    from netsim.sweep.sweep import Sweep

KIND = "sweep"


def summary(sweep: Sweep) -> dict[str, Any]:
    """Everything, in the order in which the terminal says it."""
    document = sweep.scenario.document
    planned = len(sweep.variants) * len(sweep.seeds)
    return {
        "kind": KIND,
        "scenario": sweep.scenario.name,
        "title": document.metadata.title,
        "question": document.metadata.question,
        "partial": sweep.partial or len(sweep.results) < planned,
        "runs": {"planned": planned, "finished": len(sweep.results), "lost": lost(sweep)},
        "level": LEVEL,
        "paths": list(sweep.paths),
        "seeds": list(sweep.seeds),
        "variants": [_variant(sweep, variant) for variant in sweep.variants],
        "checks": [
            {"variant": claim.variant.number, "claim": claim.claim, "held": claim.held, "runs": claim.runs}
            for claim in sweep.claims()
        ],
        "passed": sweep.passed,
    }


def lost(sweep: Sweep) -> list[dict[str, Any]]:
    """The runs that went wrong: of which variant, under which seed, and why."""
    numbers = {variant.text: variant.number for variant in reversed(sweep.variants)}
    found = [
        {"variant": numbers[loss.task.scenario], "seed": loss.task.seed, "reason": loss.reason}
        for loss in sweep.lost
    ]
    return sorted(found, key=lambda loss: (loss["variant"], loss["seed"]))


def _variant(sweep: Sweep, variant: Variant) -> dict[str, Any]:
    return {
        "number": variant.number,
        "settings": dict(variant.settings),
        "baseline": sweep.plan.baselines[variant.number],
        "measures": [_measure(sweep, variant, *key) for key in sweep.measures],
    }


def _measure(sweep: Sweep, variant: Variant, measure: str, of: str) -> dict[str, Any]:
    found = average(sweep, variant, measure, of)
    told = {"measure": measure, "of": of, "unit": MEASURES[measure].unit, "runs": found.count, **_data(found)}
    if sweep.baseline_of(variant) is not None:
        told["difference"] = _data(difference(sweep, variant, measure, of))
    return told


def _data(found: Estimate) -> dict[str, Any]:
    return {"mean": found.mean, "low": found.low, "high": found.high}
