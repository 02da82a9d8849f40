"""The summary of a run as plain data: what `summary.json` holds. Times in seconds, shares from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netsim.report.incident_tables import availability
from netsim.report.measured import measured
from netsim.report.moments import victims
from netsim.report.statistics import Statistics
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.run import Run


def summary(run: Run) -> dict[str, Any]:
    """Everything, in the order in which the terminal says it."""
    document = run.scenario.document
    return {
        "scenario": run.scenario.name,
        "title": document.metadata.title,
        "question": document.metadata.question,
        "seed": run.seed,
        "duration": run.ended / S,
        "partial": run.partial,
        "requests": _counts(run.statistics()),
        "faults": [_fault(run, fault) for fault in document.faults],
        "timeline": [entry.data() for entry in run.timeline],
        "traffic": [_traffic(run, source) for source in run.recording.sources],
        "reachability": [interval.data() for interval in run.intervals],
        "incidents": [incident.data() for incident in run.strokes],
        "availability": availability(run.recording, run.digest),
        "measures": [found.data() for found in measured(run)],
        "checks": [finding.data() for finding in run.checks()],
        "passed": run.passed,
        "absent": dict(run.recording.absent),
        "ignored": list(run.recording.ignored),
    }


def _traffic(run: Run, source: str) -> dict[str, Any]:
    told = run.statistics(source)
    traffic = next((t for t in run.scenario.document.traffic if t.name == source), None)
    percentiles = {f"p{percent}": value for percent, value in told.percentiles.items()}
    latency = {"min": told.least, "mean": told.mean, **percentiles, "max": told.most}
    return {
        "name": source,
        "from": traffic.source if traffic else "",
        "to": traffic.target if traffic else "",
        **_counts(told),
        "rate": run.rate(source),
        "percentileError": told.error,
        "latency": {name: None if value is None else value / S for name, value in latency.items()},
        "failures": [
            {"outcome": f.outcome, "count": f.count, "first": f.first / S, "last": f.last / S}
            for f in told.failures
        ],
    }


def _fault(run: Run, fault: Any) -> dict[str, Any]:
    until = None if fault.duration is None else (fault.at + fault.duration) / S
    nodes = list(victims(run.recording.changes, fault.name, fault.at))
    return {"name": fault.name, "action": fault.action, "at": fault.at / S, "until": until, "nodes": nodes}


def _counts(told: Statistics) -> dict[str, Any]:
    return {
        "sent": told.requests,
        "ok": told.ok,
        "failed": told.failed,
        "unfinished": told.unfinished,
        "success": told.success,
    }
