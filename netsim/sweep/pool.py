"""The requests of many runs of one scenario together: what adds up of each, so that the runs themselves may go.

Latencies in buckets, and the fates of requests step by step. The order of the runs changes nothing, and memory does
not grow with their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netsim.report.buckets import Buckets
from netsim.report.fates import Fates


@dataclass
class Pool:
    """The requests of so many runs."""

    latency: dict[str, Buckets]  # by source: of those that went well
    fates: Fates
    runs: int = 1

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Pool:
        """The requests of one run, as its result tells of them."""
        latency = {source: Buckets.read(data) for source, data in told["latency"].items()}
        return cls(latency, Fates.read(told["fates"]))

    def add(self, other: Pool) -> None:
        """The requests of other runs of the same scenario, too."""
        self.latency = {source: buckets + other.latency[source] for source, buckets in self.latency.items()}
        self.fates.add(other.fates)
        self.runs += other.runs
