"""A story under way: its place in the canonical order, and what its row in the table will say."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.dataplane.requests import PACKED
from netsim.dataplane.server import Server
from netsim.dataplane.sources import Client, Source

Story = Generator[tuple[int, int], bool, Any]
"""Yields until when it waits, and for what kind of moment; is told whether it was woken because a program died."""


class Flight:
    """One request of an open source, or one closed client with whatever it asks next."""

    __slots__ = (
        "attempts", "client", "connect", "ingress", "inside", "lane", "life", "packets", "pod", "queued", "sent",
        "sequence", "service", "source", "stamp", "story",
    )  # fmt: skip

    def __init__(
        self, source: Source, client: Client, life: Server | None, sequence: int = -1, now: int = -1
    ) -> None:
        self.source, self.client = source, client
        self.lane = (source.index, client.index)
        self.life = life  # the client's own program, where it is a pod
        self.inside: Server | None = None  # the program that works on it, or will
        self.stamp = -1  # of the agenda entry it waits for: older ones are void
        self.story: Story | None = None
        self.begin(sequence, now)

    def begin(self, sequence: int, now: int) -> None:
        """A fresh request."""
        self.sequence, self.sent = sequence, now
        self.pod = self.ingress = -1
        self.packets = 0  # sent on roads that draw for each
        self.attempts = self.connect = self.queued = self.service = 0

    def chance(self, purpose: str) -> int:
        """64 random bits for a choice on this try's way."""
        stream = self.client.endpoint if purpose == "endpoint" else self.client.balancer
        return stream.bits(self.sequence, self.attempts - 1)

    def packet(self) -> int:
        """64 random bits for the next packet of this try."""
        self.packets += 1
        return self.client.wire.bits(self.sequence, (self.attempts << 16) + self.packets)

    def row(self, outcome: int, when: int) -> bytes:
        """Its row in the table (`requests.REQUEST`)."""
        return PACKED.pack(
            self.sent, when - self.sent, self.connect, self.queued, self.service, self.sequence,
            self.client.index, self.pod, self.ingress, self.source.index, outcome, self.attempts,
        )  # fmt: skip
