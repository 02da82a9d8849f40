"""The compiled engine's memory: what it knows of requests, programs, sources and roads, as rows of arrays.

A row is a record with named fields, so that the loop (`compiled_loop.py`) reads like the plain engine does.
Everything refers to everything else by row number; -1 is nobody. Arrays grow between two calls of the loop, when
it says that something would not fit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import REQUEST

Rows = NDArray[np.void]

NEVER = 1 << 62

CLOCK = np.dtype(
    [
        ("elsewhere", "i8"),  # changes of the cluster besides nodes' rules: what was worked out before is stale
        ("current", "i8"),  # the flight that is being moved
        ("events", "i8"),  # in the agenda
        ("table", "i8"),  # rows of the table of requests that are taken
        ("first", "i8"),  # how many requests were handed over before those in the table
        ("disorder", "i8"),  # whether a row was begun that belongs before its neighbour
        ("free_flight", "i8"),
        ("free_idle", "i8"),
        ("free_pin", "i8"),
        ("asked", "i8"),  # what the loop asks Python for (ASK_ in compiled_loop.py)
        ("about", "i8"),  # and about whom
        ("which", "i8"),
        ("bits", "u8"),
        ("answer", "i8"),
        ("syn_patience", "i8"),
        ("counted", "i8"),  # nodes count connections (IPVS): whatever opens or closes one is everybody's business
    ]
)

MOMENT = np.dtype([("time", "i8"), ("key", "i8"), ("flight", "i8")])
"""An entry of the agenda. The key is kind, source and lane, so that it orders as the plain engine does."""

FLIGHT = np.dtype(
    [
        ("time", "i8"),  # of the moment it waits for, -1: it is free
        ("key", "i8"),
        ("sequence", "i8"),
        ("slot", "i8"),  # its row in the table of requests, counted from the run's beginning; -1: none
        ("deadline", "i8"),
        ("patience", "i8"),  # until when it tries to connect
        ("began", "i8"),  # to connect
        ("first", "i8"),  # when its first SYN went out
        ("done", "i8"),  # when the program will be done with it; while it is free: the next free one
        ("after", "i8"),  # how long a refusal takes
        ("resend", "i8"),  # how long it last waited before it sent the same again
        ("client", "i4"),
        ("source", "i4"),
        ("state", "i4"),
        ("outcome", "i4"),
        ("attempts", "i4"),
        ("syn", "i4"),  # how many SYNs have been answered by silence
        ("root", "i4"),  # the station it leaves from
        ("station", "i4"),  # where its packet is, or its connection ends
        ("server", "i4"),  # whom it is connected to
        ("life", "i4"),  # its own program
        ("ingress", "i4"),  # the node that translated its connection last
        ("translator", "i4"),  # the station before which its connection was first translated
        ("pins", "i4"),  # what machines have chosen for its connection
        ("used", "i4"),  # requests its connection has carried
        ("packets", "i4"),  # sent in this try on roads that draw for each
        ("chosen", "i4"),  # the choice that a node with a memory has made for it
        ("masqueraded", "i1"),
        ("inside", "i1"),  # a program works on it, or will
        ("only", "i1"),  # no second SYN will be sent
    ],
    align=True,
)

SOURCE = np.dtype(
    [
        ("stamp", "i8"),  # when root, here and life were worked out
        ("arrival", "u8"),  # keys of streams
        ("endpoint", "u8"),
        ("balancer", "u8"),
        ("service", "u8"),
        ("pause", "u8"),
        ("wire", "u8"),
        ("request", "i8"),  # bytes
        ("response", "i8"),
        ("gap", "i8"),
        ("stop", "i8"),
        ("think", "i8"),
        ("timeout", "i8"),  # NEVER: none
        ("connect_timeout", "i8"),
        ("lookup", "i8"),
        ("retries", "i8"),
        ("backoff", "i8"),
        ("max_backoff", "i8"),
        ("idle", "i8"),  # how long a kept connection lives
        ("kept", "i8"),  # how many a client keeps
        ("carries", "i8"),  # how many requests a kept connection carries
        ("first", "i8"),  # its first client
        ("root", "i4"),  # -1: its target has no address, or it is nowhere
        ("life", "i4"),
        ("here", "i1"),
        ("open", "i1"),
        ("constant", "i1"),
        ("jitter", "i1"),
        ("alone", "i1"),  # its clients share nothing but their root, and no packet of theirs arrives when it was sent
    ],
    align=True,
)

CLIENT = np.dtype([("asked", "i8"), ("idle", "i4"), ("count", "i4")])
"""Requests begun, and kept connections: the latest used, and how many."""

IDLE = np.dtype(
    [("expires", "i8"), ("station", "i4"), ("server", "i4"), ("ingress", "i4"), ("translator", "i4"),
     ("used", "i4"), ("next", "i4"), ("masqueraded", "i4")]
)  # fmt: skip
"""A kept connection."""

PIN = np.dtype([("machine", "i4"), ("choice", "i4"), ("next", "i4")])
"""What one machine has chosen for a connection that is being opened."""

SERVER = np.dtype(
    [
        ("ended", "i8"),  # -1: it runs
        ("hung_up", "i8"),  # when it closed the connections that were idle, or its kernel reset them; -1: not yet
        ("stamp", "i8"),  # when `powered` was worked out
        ("first", "i8"),  # its workers
        ("workers", "i8"),
        ("backlog", "i8"),
        ("ring", "i8"),  # its ring of starts that lie ahead: where, how long, from where, how many
        ("room", "i8"),
        ("head", "i8"),
        ("waiting", "i8"),
        ("shortest", "i8"),  # parameters of its service time
        ("longest", "i8"),
        ("slowness", "f8"),
        ("pod", "i4"),
        ("kind", "i4"),
        ("powered", "i1"),
    ],
    align=True,
)

STATION = np.dtype(
    [
        ("stamp", "i8"),  # when what happens here was worked out: changes elsewhere, and of the rules met here
        ("way_stamp", "i8"),  # when it was worked out how long an answer takes from here: changes elsewhere
        ("edition", "i8"),  # raised when other ways lead on
        ("edge_stamp", "i8"),  # the edition, of the station before, for which the edge was worked out
        ("cost", "i8"),  # what the rules here cost a packet that they translate
        ("after", "i8"),
        ("delay", "i8"),  # of the edge, without what rules cost
        ("way", "i8"),  # -1: the road is broken
        ("hidden_way", "i8"),  # the same for connections whose client a node has hidden (masqueraded)
        ("first", "i8"),  # the stations that may follow
        ("count", "i4"),
        ("does", "i4"),  # what happens here, or on the edge (DOES)
        ("edge", "i4"),
        ("outcome", "i4"),
        ("edge_outcome", "i4"),
        ("server", "i4"),
        ("machine", "i4"),
        ("ruler", "i4"),  # the node whose rules are met here
        ("toller", "i4"),  # the node whose rules a packet on the edge must pass without being translated
        ("bound", "i4"),  # the choice that affinity makes here for now, -1: the kernel must be asked
        ("since", "i8"),  # when it last did
        ("affinity", "i8"),  # how long that holds
        ("choice", "i4"),  # that led here
        ("ingress", "i4"),  # the node that translates on the edge, -1: none does
        ("wire", "i4"),  # the quality of the edge, -1: perfect
        ("forth", "i4"),  # of the way to here from the client, and back
        ("back", "i4"),
        ("masqueraded", "i1"),  # on the edge, -1: as the first packet was
        ("keeps", "i1"),  # a node's rules are met here, and conntrack first: a retry goes where the first SYN went
        ("bypassed", "i1"),  # answers would not pass the machine before
    ],
    align=True,
)

NODE = np.dtype([("syncs", "i8"), ("toll", "i8")])
"""A machine's rules: how often it has programmed any, and what they cost a packet that comes from another node.
The last row is nobody's."""

QUALITY = np.dtype([("jitter", "i8"), ("loss", "i8"), ("first", "i8"), ("count", "i8")])
"""What a road does to packets (`topology/quality.py`), with its interfaces."""

INTERFACE = np.dtype([("number", "i8"), ("offset", "i8"), ("byte", "i8")])


class Memory(NamedTuple):
    """All of it, as the loop takes it."""

    clock: Rows
    agenda: Rows
    flights: Rows
    table: Rows
    sources: Rows
    clients: Rows
    idle: Rows
    pins: Rows
    servers: Rows
    workers: NDArray[np.int64]
    starts: NDArray[np.int64]
    nodes: Rows
    stations: Rows
    choices: NDArray[np.int32]
    qualities: Rows
    interfaces: Rows
    lines: NDArray[np.int64]  # when each interface with a bandwidth is free again
    resends: NDArray[np.int64]


def blank(resends: list[int], lines: int, machines: int) -> Memory:
    """An empty memory."""
    memory = Memory(
        clock=np.zeros(1, CLOCK),
        agenda=np.zeros(64, MOMENT),
        flights=np.zeros(0, FLIGHT),
        table=np.zeros(1024, REQUEST),
        sources=np.zeros(0, SOURCE),
        clients=np.zeros(0, CLIENT),
        idle=np.zeros(0, IDLE),
        pins=np.zeros(0, PIN),
        servers=np.zeros(8, SERVER),
        workers=np.zeros(64, np.int64),
        starts=np.zeros(64, np.int64),
        nodes=np.zeros(machines + 1, NODE),
        stations=np.zeros(64, STATION),
        choices=np.zeros(64, np.int32),
        qualities=np.zeros(8, QUALITY),
        interfaces=np.zeros(8, INTERFACE),
        lines=np.zeros(lines, np.int64),
        resends=np.array(resends, np.int64),
    )
    for name in ("current", "free_flight", "free_idle", "free_pin"):
        memory.clock[name] = -1
    return memory


LISTS = {"flights": ("free_flight", "done"), "idle": ("free_idle", "next"), "pins": ("free_pin", "next")}
"""Arrays whose free rows are a linked list: where it begins, and the field that leads on."""


def grown(memory: Memory, name: str, size: int = 0) -> Memory:
    """The same memory with one array at least twice as long (or `size`); what is new is free."""
    old: Any = getattr(memory, name)
    new = np.zeros(max(64, len(old), size or 2 * len(old)), old.dtype)
    new[: len(old)].view(np.uint8)[:] = old.view(np.uint8)  # as bytes: field by field takes a hundred times as long
    if name in LISTS:
        head, link = LISTS[name]
        new[link][len(old) :] = np.arange(len(old) + 1, len(new) + 1)
        new[link][-1] = memory.clock[0][head]
        memory.clock[head] = len(old)
        if name == "flights":
            new["time"][len(old) :] = -1
    return memory._replace(**{name: new})


class Arena:
    """Holds the memory, for those who share it while it grows."""

    def __init__(self, resends: list[int], lines: int, machines: int = 0) -> None:
        self.memory = blank(resends, lines, machines)

    def grow(self, name: str, size: int = 0) -> None:
        """Make room in one of the arrays."""
        self.memory = grown(self.memory, name, size)
