"""A run that tests watch: moved on in seconds, and asked what happened; and a Service for it to have."""

from __future__ import annotations

from collections import Counter
from typing import Any

from netsim.dataplane.history import Change
from netsim.dataplane.requests import OUTCOMES
from netsim.scenario.scenario import Scenario
from netsim.simulation import Simulation
from netsim.units import S


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec},
    }


class World:
    """A run under way, with what tests want to know of it."""

    def __init__(self, scenario: Scenario, seed: int | None = None) -> None:
        self.simulation = Simulation(scenario, seed)
        self.store = self.simulation.store
        self.forwarding = self.simulation.forwarding

    def run(self, until: float) -> World:
        self.simulation.run(int(until * S))
        return self

    def changes(self, kind: str, subject: str = "", after: float = 0, until: float = 1e9) -> list[Change]:
        return [
            change
            for change in self.simulation.cluster.history
            if change.kind == kind and subject in change.subject and after * S <= change.time <= until * S
        ]

    def first(self, kind: str, subject: str = "", after: float = 0) -> float:
        """When it first happened, in seconds."""
        return self.changes(kind, subject, after)[0].time / S

    def pods(self, app: str = "web") -> list[dict[str, Any]]:
        return [p for p in self.store.list("Pod") if p["metadata"].get("labels", {}).get("app") == app]

    def ready_endpoints(self, name: str = "web") -> list[str]:
        return [
            endpoint["targetRef"]["name"]
            for piece in self.store.find("EndpointSlice", "service", ("default", name))
            for endpoint in piece["endpoints"]
            if endpoint["conditions"]["ready"]
        ]

    def outcomes(self, first: float = 0, last: float = 1e9) -> dict[str, int]:
        """How many requests sent in that time ended how; the run ends here."""
        rows = self.simulation.record().requests
        sent = rows[(rows["sent"] >= first * S) & (rows["sent"] < last * S)]
        return dict(Counter(OUTCOMES[code] for code in sent["outcome"]))
