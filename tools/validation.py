"""Published observations beside what netsim makes of the same set-up: writes results/reference/validation.md.

    python tools/validation.py            every observation, with all its seeds (a few minutes)
    python tools/validation.py --quick    the same with few seeds, printed and not written

An observation is a scenario in scenarios/validation, run under several seeds, and the figures that its source gives.
One that happened once agrees if it lies among the simulated ones (or so near that its own accuracy explains the
rest); a distribution agrees if mean and bounds do. Ends with 1 if a figure does not agree that is said to.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev

import netsim
from netsim.report.run import Run
from netsim.units import S

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "scenarios" / "validation"
REPORT = ROOT / "results" / "reference" / "validation.md"

Value = float | None
Sample = Sequence[Value]


# what is measured ----------------------------------------------------------------------------------------


def moment(name: str) -> Callable[[Run], Value]:
    """Seconds from the only fault to a moment of its incident, or a length of it (`reaction`, `outage`)."""

    def of(run: Run) -> Value:
        incident = run.strokes[0]
        time = getattr(incident, name)
        since = 0 if name in ("reaction", "repair", "recovery", "outage") else incident.injected
        return None if time is None else (time - since) / S

    return of


def failed(run: Run) -> Value:
    """How many requests failed."""
    return float(run.statistics().failed)


def lost_for(run: Run) -> Value:
    """For how many seconds' worth of all requests was lost."""
    return run.statistics().failed / 100.0  # at 100 requests a second


def share_lost(run: Run) -> Value:
    """The part of the requests that failed among those sent between the failure and its end in the rules."""
    incident, rows = run.strokes[0], run.rows
    sent = rows[(rows["sent"] >= incident.injected) & (rows["sent"] < (incident.rules_first or run.ended))]
    return float((sent["outcome"] != 0).mean())


def availability(run: Run) -> Value:
    """The part of the time in which the only source reached its target."""
    return 1 - sum(end - begin for begin, end in run.outages()) / run.ended


def mean_outage(run: Run) -> Value:
    """How long its outages lasted on average, in seconds."""
    lasted = [(end - begin) / S for begin, end in run.outages()]
    return fmean(lasted) if lasted else None


def gave_up(run: Run) -> Value:
    """How long the only request waited, in seconds."""
    return float(run.rows["latency"][0]) / S


def between_taints(run: Run) -> Value:
    """Seconds between the NoExecute taints of the two nodes, less what their detection was apart by more than that."""
    times = sorted(c.time for c in run.recording.changes if c.kind == "taint-added" and c.detail.endswith("NoExecute"))
    seen = sorted(c.time for c in run.recording.changes if c.kind == "node-not-ready")
    apart = (times[1] - times[0]) / S
    return apart if seen[1] - seen[0] < 10 * S else min(apart, 10.0)


def evictions(run: Run) -> Value:
    """How many pods were told to go."""
    return float(sum(change.kind == "pod-terminating" for change in run.recording.changes))


# what it is compared with --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Criterion:
    """When simulated values agree with what was published, and how that is said."""

    says: str
    holds: Callable[[Sequence[float]], bool]


def among(value: float, accuracy: float = 0.0) -> Criterion:
    """A single observation lies among the simulated ones."""
    words = f"{value:g} lies among them" + (f", give or take {accuracy:g}" if accuracy else "")
    return Criterion(words, lambda sample: min(sample) - accuracy <= value <= max(sample) + accuracy)


def spread(low: float, mean: float, high: float, deviation: float) -> Criterion:
    """A distribution: all within its bounds, mean and deviation as near to its own as so many draws let one expect."""

    def holds(sample: Sequence[float]) -> bool:
        error = deviation / len(sample) ** 0.5  # of the mean; that of the deviation is no larger
        bounded = low <= min(sample) and max(sample) <= high
        return bounded and max(abs(fmean(sample) - mean), abs(pstdev(sample) - deviation)) <= 4 * error

    words = f"all in {low:g} to {high:g}; mean {mean:g}, deviation {deviation:g} by four standard errors"
    return Criterion(words, holds)


def always(value: float, accuracy: float = 0.0) -> Criterion:
    """Every run gives the same."""
    words = f"always {value:g}" + (f", give or take {accuracy:g}" if accuracy else "")
    return Criterion(words, lambda sample: all(abs(one - value) <= accuracy for one in sample))


def near(value: float, share: float) -> Criterion:
    """The mean is near what was published."""
    return Criterion(
        f"the mean within {share:.0%} of {value:g}", lambda sample: abs(fmean(sample) / value - 1) <= share
    )


def some(most: float) -> Criterion:
    """There are some, and not many."""
    return Criterion(f"some, at most {most:g}", lambda sample: all(0 < one <= most for one in sample))


# what was published --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """One number of a source."""

    what: str
    published: str
    measure: Callable[[Run], Value]
    agrees: Criterion
    unit: str = "s"
    claimed: bool = True  # that it agrees; otherwise the remark says why it need not


@dataclass(frozen=True)
class Observation:
    """A source, the scenario that repeats its set-up, and its figures."""

    scenario: str
    source: str
    verified: bool  # whether the source was read, not remembered
    setup: str
    figures: tuple[Figure, ...]
    seeds: int = 20
    remark: str = ""


VAYGHAN = "Vayghan et al., IEEE CLOUD 2018 (abstract read, figures from memory)"
LOAD_TEST = "load test at dingyu.dev (one run)"
KSPRAY = "Kubespray, docs/advanced/kubernetes-reliability.md (a claim, not measured)"
ARITHMETIC = "arithmetic on the defaults of kubernetes pkg/controller/nodelifecycle"
HOW_LONG = "power loss to Ready=Unknown"

OBSERVATIONS = (
    Observation(
        "detection-1.32", ARITHMETIC, True, "4 nodes, defaults of 1.32: look every 5 s, grace 50 s",
        (
            Figure(HOW_LONG, "40 to 55, mean 47.5", moment("reaction"), spread(39.6, 47.5, 55, 3.23)),
            Figure("power loss to replacement", "345 to 360, mean 352.5", moment("created"),
                   spread(344.6, 352.5, 360.2, 3.23)),
        ),
        seeds=200,
        remark="A lease is renewed up to 4 % late, which the published bounds leave out: hence 39.6.",
    ),
    Observation(
        "detection-1.31", ARITHMETIC, True, "4 nodes, defaults of 1.31: look every 5 s, grace 40 s",
        (
            Figure(HOW_LONG, "30 to 45, mean 37.5", moment("reaction"), spread(29.6, 37.5, 45, 3.23)),
            Figure("power loss to replacement", "335 to 350, mean 342.5", moment("created"),
                   spread(334.6, 342.5, 350.2, 3.23)),
        ),
        seeds=200,
    ),
    Observation(
        "node-cut-off", "kubernetes/kubernetes#13258 (e2e log, 2015)", True, "the network of one node cut, grace 40 s",
        (Figure("cut to Ready=Unknown", "36", moment("reaction"), among(36.0)),),
    ),
    Observation(
        "node-shutdown", "kubernetes/kubernetes#97112 (2020)", True, "`shutdown -h` of a node, grace 40 s",
        (Figure("shutdown to endpoint gone", "about 40", moment("endpoints_gone"), among(40.0)),),
    ),
    Observation(
        "node-shutdown-short-grace", "kubernetes/kubernetes#97112 (2020)", True,
        "the same with a grace of 10 s (and a lease to match)",
        (Figure("shutdown to endpoint gone", "much quicker", moment("endpoints_gone"), spread(7.3, 11.2, 15.1, 1.63)),),
    ),
    Observation(
        "three-of-four", "kubernetes/kubernetes#108589 (1.23)", True,
        "1 control plane node and 3 workers, all workers off for more than two hours",
        (Figure("pods evicted", "none", evictions, always(0.0), unit=""),),
        seeds=5,
    ),
    Observation(
        "vlc-container", VAYGHAN, False, "container process killed, 1 replica, defaults of 1.8",
        (
            Figure("reaction", "0.716", moment("reaction"), among(0.716)),
            Figure("recovery", "1.050", moment("recovery"), among(1.050, 0.2)),
            Figure("outage", "1.766", moment("outage"), among(1.766)),
        ),
        seeds=50,
    ),
    Observation(
        "vlc-pod", VAYGHAN, False, "pause process killed, 1 replica, defaults of 1.8; the program ignores SIGTERM",
        (Figure("failure to the new pod being ready", "32.019", moment("repaired"), among(32.019)),),
        seeds=50,
        remark="The source counts the outage from the kill. Here the program answers until its grace is over, "
        "so clients lose the last seconds only; compared is when the pod is back.",
    ),
    Observation(
        "vlc-node", VAYGHAN, False, "node off, 1 replica, defaults of 1.8 (profile legacy), image present",
        (
            Figure("reaction", "38.554", moment("reaction"), among(38.554)),
            Figure("repair", "about 262.5", moment("repair"), among(262.5)),
            Figure("outage", "301.219", moment("outage"), among(301.219)),
        ),
        seeds=50,
    ),
    Observation(
        "kubespray-fast", KSPRAY, True, "status 4 s, look 2 s, grace 20 s, toleration 30 s",
        (Figure("power loss to replacement", "50", moment("created"), among(50.0)),),
    ),
    Observation(
        "kubespray-medium", KSPRAY, True, "status 20 s, look 5 s, grace 2 min, toleration 60 s",
        (Figure("power loss to replacement", "180", moment("created"), among(180.0)),),
    ),
    Observation(
        "kubespray-low", KSPRAY, True, "status 1 min, look 5 s, grace 5 min, toleration 60 s",
        (Figure("power loss to replacement", "360", moment("created"), among(360.0)),),
    ),
    Observation(
        "two-nodes-of-a-zone", ARITHMETIC, True, "2 of 6 workers of a zone lose power together",
        (Figure("between their NoExecute taints", "10", between_taints, always(10.0, 0.3)),),
    ),
    Observation(
        "share-lost", ARITHMETIC, True, "2 replicas, 1 node lost, a new connection for each request",
        (
            Figure("requests lost until the rules change", "1/2", share_lost, near(0.5, 0.02), unit=""),
            Figure("loss, in seconds of all traffic", "1/2 x 47.5", lost_for, near(23.75, 0.06)),
        ),
    ),
    Observation(
        "availability-one-replica", ARITHMETIC, True,
        "1 replica; each of 3 workers fails after 2 h on average (exponential) and is repaired after 10 min",
        (
            Figure("each outage lasts", "352.5 and the start", mean_outage, near(355.0, 0.03)),
            Figure("availability", "7200 / (7200 + 355)", availability, near(0.953, 0.02), unit=""),
        ),
        seeds=4,
    ),
    Observation(
        "syn-give-up", "Linux Documentation/networking/ip-sysctl", True, "tcp_syn_retries 6, before Linux 6.5",
        (Figure("connect() fails after", "127", gave_up, always(127.0)),),
        seeds=2,
    ),
    Observation(
        "syn-give-up-linear", "Linux Documentation/networking/ip-sysctl", True,
        "tcp_syn_retries 6, tcp_syn_linear_timeouts 4",
        (Figure("connect() fails after", "131", gave_up, always(131.0)),),
        seeds=2,
    ),
    Observation(
        "prestop-none", "kubernetes/kubernetes#43576", True, "rolling update, pods end at once, 200 requests/s",
        (Figure("requests refused or lost", "some", failed, some(400), unit=""),),
        seeds=10,
    ),
    Observation(
        "prestop-three-seconds", "kubernetes/kubernetes#43576", True, "the same with 3 s of sleep before the end",
        (Figure("requests refused or lost", "generally none", failed, always(0.0), unit=""),),
        seeds=10,
    ),
    Observation(
        "rolling-update-at-once", LOAD_TEST, False, "ALB, 200 connections, 3 min, no hook",
        (Figure("errors in some 750 000 requests", "12", failed, among(12, 12), unit="", claimed=False),),
        seeds=3,
        remark="The same in kind (some, where a hook leaves none), not in number: the source tells neither replicas "
        "nor the kind of targets nor how connections are spread. Here a program that is told to stop listens no more, "
        "and until the rules know (0.05 to 0.4 s for each pod) a third of the connections opened anew are refused. "
        "The resets, of requests that cross a closing, are about as many as the source's errors.",
    ),
    Observation(
        "rolling-update-short-grace", LOAD_TEST, False, "the same, 40 s of sleep within 30 s of grace",
        (Figure("errors in some 750 000 requests", "3", failed, among(3, 3), unit=""),),
        seeds=3,
    ),
    Observation(
        "rolling-update-patient", LOAD_TEST, False, "the same, 40 s of sleep within 50 s of grace",
        (Figure("errors in some 770 000 requests", "0", failed, always(0.0), unit=""),),
        seeds=3,
    ),
)  # fmt: skip

NOT_REPEATED = (
    ("Vayghan et al., most responsive settings", "outages of a few seconds; no figures, no exact settings"),
    ("Vayghan et al., JSS 2021 (arXiv 2012.14086)", "a controller of their own, which Kubernetes does not have"),
    ("Roberts, Archibald, Trinder 2025 (arXiv 2507.02158)", "signal-based monitoring; the abstract gives shares only"),
    ("zalando/skipper#652", "a window of 2 s with a proxy of its own that watches the API"),
)
"""Sources that were considered, and why they are not here."""


# running and writing -------------------------------------------------------------------------------------


def measured(observation: Observation, seeds: int) -> list[Sample]:
    """The values of each figure, one a seed."""
    scenario = netsim.load(SCENARIOS / f"{observation.scenario}.yaml")
    rows = []
    for seed in range(1, seeds + 1):
        run = scenario.run(seed=seed)
        rows.append([figure.measure(run) for figure in observation.figures])
    return list(zip(*rows, strict=True))


def agrees(figure: Figure, sample: Sample) -> bool:
    """Whether the simulated values agree with the published one."""
    known = [value for value in sample if value is not None]
    return len(known) == len(sample) and figure.agrees.holds(known)


def broken(observation: Observation, samples: Sequence[Sample]) -> list[str]:
    """The figures that are claimed to agree, and do not."""
    pairs = zip(observation.figures, samples, strict=True)
    return [f"{f.what}: {f.published}, found {shown(s)}" for f, s in pairs if f.claimed and not agrees(f, s)]


def shown(sample: Sample) -> str:
    """The simulated values: the one there is, or mean, deviation and range."""
    known = [value for value in sample if value is not None]
    if not known:
        return "never"
    if min(known) == max(known):
        return f"{known[0]:.4g}"
    return f"{fmean(known):.4g} ± {pstdev(known):.2g} ({min(known):.4g} to {max(known):.4g})"


def section(observation: Observation, samples: Sequence[Sample]) -> list[str]:
    """One observation as Markdown."""
    doubt = "" if observation.verified else " **The source is not verified.**"
    lines = [
        f"## {observation.scenario}",
        "",
        f"{observation.setup}. Source: {observation.source}.{doubt} "
        f"Scenario: `scenarios/validation/{observation.scenario}.yaml`, {len(samples[0])} seeds.",
        "",
        "| figure | published | simulated | agrees if | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for figure, sample in zip(observation.figures, samples, strict=True):
        unit = f" ({figure.unit})" if figure.unit else ""
        verdict = "agrees" if agrees(figure, sample) else "**differs**"
        lines.append(
            f"| {figure.what}{unit} | {figure.published} | {shown(sample)} | {figure.agrees.says} | {verdict} |"
        )
    return [*lines, "", *([observation.remark, ""] if observation.remark else [])]


HEAD = """\
# Published observations, and what netsim makes of them

Written by `python tools/validation.py`; do not edit. Durations are in seconds. Simulated values are mean, deviation
and range over the seeds 1, 2, 3 and so on. Where a source is not verified (its figures are remembered, or it is one
unreviewed run), it says so.
"""


def report(results: Sequence[tuple[Observation, Sequence[Sample]]]) -> str:
    """The whole page."""
    figures = [(f, s) for one, samples in results for f, s in zip(one.figures, samples, strict=True)]
    good = sum(agrees(figure, sample) for figure, sample in figures)
    lines = [HEAD, f"{good} of {len(figures)} figures agree.", ""]
    for observation, samples in results:
        lines += section(observation, samples)
    lines += ["## Not repeated", "", "| source | why |", "| --- | --- |"]
    lines += [f"| {source} | {why} |" for source, why in NOT_REPEATED]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run all observations (or those named), write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="at most five seeds each; print, do not write")
    parser.add_argument("scenarios", nargs="*", help="only these; print, do not write")
    given = parser.parse_args(argv)
    chosen = [one for one in OBSERVATIONS if not given.scenarios or one.scenario in given.scenarios]
    results = []
    for observation in chosen:
        print(observation.scenario, file=sys.stderr, flush=True)
        results.append((observation, measured(observation, min(observation.seeds, 5 if given.quick else 200))))
    page = report(results)
    if given.quick or given.scenarios:
        print(page, end="")
    else:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(page, encoding="utf-8")
        print(REPORT.relative_to(ROOT))
    return 1 if any(broken(one, samples) for one, samples in results) else 0


if __name__ == "__main__":
    sys.exit(main())
