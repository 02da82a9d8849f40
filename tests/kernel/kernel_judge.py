"""Compares what the kernel did with what the simulator said, outcome by outcome.

An outcome that was not predicted is wrong. How often the predicted ones came is judged by chi-square; the
threshold is low enough that thousands of honest comparisons pass (1e-5 each).
"""

from __future__ import annotations

from collections import Counter

from kernel_prediction import Outcome, Prediction
from scipy.stats import chisquare

THRESHOLD = 1e-5
ENOUGH = 10  # expected of the rarest outcome, at least, for chi-square to mean anything
EVEN = 1000  # connections for a flow whose evenness matters
SHORT, LONG = 0.5, 5.0  # seconds: where silence is expected, and where an answer is


def connections(prediction: Prediction, *, even: bool = False) -> int:
    """How many connections it takes to judge a prediction."""
    if prediction.silent:
        return 3
    if len(prediction.chances) == 1:
        return 6
    if prediction.sticky:
        return 30
    return EVEN if even else int(2 * ENOUGH / min(prediction.chances.values()))


def patience(prediction: Prediction) -> float:
    """How long to wait for an answer: long where one must come, so that a busy machine is no failure."""
    return SHORT if prediction.silent else 2 * SHORT if ("timeout",) in prediction.chances else LONG


def complaints(prediction: Prediction, found: Counter[Outcome]) -> list[str]:
    """What is wrong with the prediction, in the light of what happened; nothing if all is well."""
    total = sum(found.values())
    surprises = [
        f"{total and count}x {' '.join(outcome)}, predicted: {prediction}"
        for outcome, count in sorted(found.items())
        if outcome not in prediction.chances
    ]
    if surprises or not total:
        return surprises or ["nothing happened"]
    if prediction.sticky:
        return [] if len(found) == 1 else [f"went to {len(found)} pods, predicted: {prediction}"]
    if len(prediction.chances) == 1:
        return []
    observed = [found[outcome] for outcome in prediction.chances]
    expected = [float(chance) * total for chance in prediction.chances.values()]
    chance = chisquare(observed, expected).pvalue
    return [] if chance >= THRESHOLD else [f"{observed} of {total} (p = {chance:.1e}), predicted: {prediction}"]
