"""The roads packets take, worked out by the rules themselves and kept as rows that compiled code can follow.

A *station* is a packet at a place, on a road that begins at one client: the root is the client itself, the rest
is a tree. What happens at a station, how one gets to the next, and how long an answer takes from there is asked
of the same functions that move packets in the plain engine (`leave`, `arrive`, `Connection`). So there is one
description of the rules.

What was found holds until something changes that it depends on. How one gets from place to place is asked again
after every change but nodes' programming their rules; what happens at a station, also when the node there has
programmed its rules; where it leads on to from there, only if these rules then say something else. What the rules
cost a packet differs with every revision, so it is kept apart: it is added when the packet passes.

A choice among many is not made here: a station lists what may follow, and the loop draws. Only where a node
remembers former connections (affinity, IPVS) is the node's kernel asked, each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netsim.dataplane.compiled_programs import Programs
from netsim.dataplane.compiled_records import Arena
from netsim.dataplane.compiled_states import (
    BALANCES,
    CHOOSES,
    DELIVERS,
    PASSES,
    REFUSES,
    REMEMBERS,
    SILENT,
)
from netsim.dataplane.connection import one_way, road_quality
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.onlooker import onlooking
from netsim.dataplane.route import Delivered, Hop, Onward, Pins, Refused, Translation, arrive, leave
from netsim.proxy.affinity import LIMITS
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet, Verdict
from netsim.topology.quality import Quality

Choice = Endpoint | str | None  # an endpoint, a load balancer's node, or the only way on


@dataclass(slots=True, eq=False)
class Station:
    """A packet at a place, on its way from a client."""

    row: int
    places: tuple[Place, ...]  # those it has passed, this one last
    packet: Packet
    translated: bool  # on the way here
    before: Packet  # what it was at the place before
    verdict: Verdict | None = None  # what this machine's rules say of it, where they choose
    elsewhere: int = -1  # changes of the cluster, besides rules, when it was looked at
    options: tuple[Any, ...] = ()  # among what is chosen
    room: int = 0  # for how many of them there is room
    onward: dict[tuple[Choice, Place | None], Station] = field(default_factory=dict)

    @property
    def machine(self) -> str:
        """Where it is."""
        return self.places[-1].machine


class Roads:
    """All stations that packets have come by."""

    def __init__(self, state: Forwarding, arena: Arena, programs: Programs, nodes: list[str]) -> None:
        self.state = state
        self.arena = arena
        self.programs = programs
        self.stations: list[Station] = []
        self._nodes = {name: i for i, name in enumerate(nodes)}
        self._machines = {name: i for i, name in enumerate(state.powered)}
        self._roots: dict[tuple[Place, Packet], Station] = {}
        self._choices: dict[Endpoint | str, int] = {}
        self._chosen: list[Endpoint | str] = []
        self._qualities: dict[Quality, int] = {}
        self._owners: dict[Any, Station | None] = {}  # of what kernels remember of clients
        self._bound: dict[Station, None] = {}  # stations for which the loop remembers
        self._slots = self._interfaces = 0
        self._view = onlooking(state)
        self._tollers: dict[str, int] = {}  # nodes that packets come to from other nodes

    def root(self, client: Place, packet: Packet) -> int:
        """The station at which packets like this one leave a client."""
        known = self._roots.get((client, packet))
        if known is None:
            known = self._roots[client, packet] = self._station((client,), packet, packet, translated=False)
        return known.row

    # asked by the loop -----------------------------------------------------------------------------------

    def look(self, row: int) -> None:
        """Work out what happens at a station, in the forwarding state as it is."""
        station, state = self.stations[row], self.state
        record = self.arena.memory.stations[row]
        if station.elsewhere == state.elsewhere and self._chooses_still(station, record):
            return
        if self._view.elsewhere != state.elsewhere:
            self._view = onlooking(state)
        purposes: list[str] = []

        def chance(purpose: str) -> int:
            purposes.append(purpose)
            return 0

        hop = self._hop(station, self._view, {}, chance)
        record["stamp"], record["bound"] = self._stamp(record), -1
        verdict = getattr(hop, "verdict", None) if purposes[:1] == ["endpoint"] else None
        if verdict is None or verdict is not station.verdict or station.elsewhere != state.elsewhere:
            record["edition"] += 1
        station.verdict, station.elsewhere = verdict, state.elsewhere
        record["cost"] = 0 if verdict is None else state.kernels[station.machine].cost(verdict)
        if purposes:
            self._choose(station, record)
        elif isinstance(hop, Onward):
            self._offer(station, record, PASSES, (None,))
        elif isinstance(hop, Delivered):
            record["does"], record["server"] = DELIVERS, self.programs.row(hop.server)
            before = station.places[-2] if len(station.places) > 2 else None
            passed = before is None or not Translation(before, False).bypassed(station.places[0], hop.server)
            record["bypassed"] = not passed
        elif isinstance(hop, Refused):
            record["does"], record["outcome"], record["after"] = REFUSES, hop.outcome, hop.after
        else:
            record["does"] = SILENT

    def _chooses_still(self, station: Station, record: Any) -> bool:
        """Whether rules that are new say the same as the old ones; then only what they cost is worked out."""
        verdict, kernel = station.verdict, self.state.kernels.get(station.machine)
        if verdict is None or kernel is None or kernel.rules.verdict(station.packet) is not verdict:
            return False
        record["stamp"], record["bound"], record["cost"] = self._stamp(record), -1, kernel.cost(verdict)
        return True

    def edge(self, row: int, which: int) -> None:
        """Work out how one gets from a station to one of those that may follow."""
        station = self.stations[row]
        further = self._edge(station, station.options[which])
        first = int(self.arena.memory.stations[row]["first"])
        self.arena.memory.choices[first + which] = further

    def pinned(self, row: int, choice: int) -> int:
        """The same for a choice made earlier; -1 if it does not stand any more."""
        station, chosen = self.stations[row], self._chosen[choice]
        if isinstance(chosen, str) and chosen not in station.options:
            return -1
        return self._edge(station, chosen)

    def choose(self, row: int, bits: int, now: int) -> int:
        """Which of its options a machine that remembers gives a new connection; -1: none takes it."""
        station = self.stations[row]
        assert station.verdict is not None
        kernel = self.state.kernels[station.machine]
        self._write_back(station)
        endpoint = kernel.choose(station.verdict, station.packet, bits, now)
        if endpoint is None:
            return -1
        which = next(i for i, one in enumerate(station.options) if one.address == endpoint.address)
        if station.verdict.scheduler == "random" and self._memory_is_its_own(station):
            record = self.arena.memory.stations[row]
            record["bound"], record["since"], record["affinity"] = which, now, station.verdict.affinity
            self._bound[station] = None
        return which

    def write_back(self) -> None:
        """Tell the kernels what the loop has remembered for them."""
        for station in sorted(self._bound, key=lambda one: int(self.arena.memory.stations[one.row]["since"])):
            if not self._write_back(station):
                del self._bound[station]

    def way(self, row: int) -> None:
        """Work out how long packets take between a station and its road's beginning, masqueraded or not."""
        record, places = self.arena.memory.stations[row], self.stations[row].places
        plain, hidden = (one_way(self.state, places, masqueraded=masqueraded) for masqueraded in (False, True))
        record["way_stamp"] = self.state.elsewhere
        record["way"], record["hidden_way"] = (-1 if way is None else way for way in (plain, hidden))
        record["forth"] = self._quality(road_quality(self.state, places))
        record["back"] = self._quality(road_quality(self.state, places[::-1]))

    def programmed(self, node: str) -> None:
        """A node has programmed its rules."""
        self.arena.memory.nodes[self._machines[node]]["syncs"] += 1
        if node in self._tollers:
            self._toll(node)

    def count(self, row: int, now: int, *, opened: bool) -> None:
        """The node that translated on the way to a station counts a connection, or one less."""
        station = self.stations[row]
        kernel = self.state.kernels[station.places[-2].machine]
        choice = self._chosen[int(self.arena.memory.stations[row]["choice"])]
        assert isinstance(choice, Endpoint)
        if opened:
            kernel.opened(station.before, choice)
        else:
            kernel.closed(station.before, choice, now)

    # what kernels remember, meanwhile kept here --------------------------------------------------------------

    def _memory_is_its_own(self, station: Station) -> bool:
        """Whether no other road's packets are remembered together with this one's, and there is room for all."""
        assert station.verdict is not None
        assert station.verdict.service_port is not None
        key = (station.machine, station.verdict.service_port.id, station.packet.source)
        owner = self._owners.setdefault(key, station)
        if owner is not station and owner is not None:
            self._write_back(owner)
            self.arena.memory.stations[owner.row]["bound"] = -1
            self._owners[key] = None
        return self._owners[key] is station and len(self._owners) < min(limit for limit, _ in LIMITS.values())

    def _write_back(self, station: Station) -> bool:
        """Tell a station's kernel; False if there is nothing to tell, or the cluster has changed since."""
        record = self.arena.memory.stations[station.row]
        bound = int(record["bound"])
        if bound < 0 or record["stamp"] != self._stamp(record):
            return False
        assert station.verdict is not None
        memory = self.state.kernels[station.machine].affinity
        memory.remember(station.verdict, station.options[bound], station.packet.source, int(record["since"]))
        return True

    # how they are worked out ------------------------------------------------------------------------------

    def _hop(self, station: Station, state: Forwarding, pins: Pins, chance: Any) -> Hop:
        place, packet = station.places[-1], station.packet
        if len(station.places) == 1:
            return leave(state, place, packet, pins, chance)
        return arrive(state, place, packet, pins, chance, translated=station.translated)

    def _choose(self, station: Station, record: Any) -> None:
        verdict = station.verdict
        if verdict is None:
            self._offer(station, record, BALANCES, self.state.balancers[station.places[-1].address].targets)
            return
        remembers = verdict.scheduler != "random" or verdict.affinity is not None
        self._offer(station, record, REMEMBERS if remembers else CHOOSES, verdict.endpoints)

    def _offer(self, station: Station, record: Any, does: int, options: tuple[Any, ...]) -> None:
        """Make room for what may follow. The ways there are worked out when they are taken."""
        if len(options) > station.room:
            record["first"], station.room = self._slots, len(options)
            self._slots += len(options)
            if self._slots > len(self.arena.memory.choices):
                self.arena.grow("choices", 2 * self._slots)
        if options is not station.options or does != record["does"]:
            first = int(record["first"])
            self.arena.memory.choices[first : first + len(options)] = -1
        station.options = options
        record["does"], record["count"] = does, len(options)

    def _edge(self, station: Station, choice: Choice) -> int:
        pins: Pins = {} if choice is None else {station.machine: choice}
        hop = self._hop(station, self.state, pins, _no_chance)
        key = (choice, hop.place if isinstance(hop, Onward) else None)
        there = station.onward.get(key)
        if there is None:
            places, packet, translated = station.places, station.packet, False
            if isinstance(hop, Onward):
                places, packet, translated = (*places, hop.place), hop.packet, hop.endpoint is not None
            there = station.onward[key] = self._station(places, packet, station.packet, translated=translated)
        before, record = (self.arena.memory.stations[one.row] for one in (station, there))
        record["edge_stamp"], record["choice"] = before["edition"], self._number(choice)
        record["ingress"] = record["toller"] = -1
        if isinstance(hop, Onward):
            toll = 0
            if hop.endpoint is not None and there.machine != station.machine:
                record["toller"], toll = self._machines[there.machine], self._toll(there.machine)
            record["edge"], record["delay"] = PASSES, hop.delay - int(before["cost"]) - toll
            record["wire"] = self._quality(road_quality(self.state, there.places[-2:]))
            if hop.endpoint is not None:
                hidden = -1 if hop.masqueraded is None else hop.masqueraded
                record["ingress"], record["masqueraded"] = self._nodes[station.machine], hidden
        elif isinstance(hop, Refused):
            record["edge"], record["edge_outcome"] = REFUSES, hop.outcome
        else:
            record["edge"] = SILENT
        return there.row

    def _station(self, places: tuple[Place, ...], packet: Packet, before: Packet, *, translated: bool) -> Station:
        station = Station(len(self.stations), places, packet, translated, before)
        if station.row >= len(self.arena.memory.stations):
            self.arena.grow("stations")
        record = self.arena.memory.stations[station.row]
        record["stamp"] = record["edge_stamp"] = record["way_stamp"] = record["bound"] = -1
        record["keeps"] = not translated and places[-1].kind in ("pod", "node")
        record["machine"] = self._machines[station.machine]
        record["ruler"] = self._machines[station.machine] if _ruled(places) else -1
        record["toller"] = -1
        self.stations.append(station)
        return station

    def _stamp(self, record: Any) -> int:
        """What a station is stamped with that is worked out now."""
        return self.state.elsewhere + int(self.arena.memory.nodes[record["ruler"]]["syncs"])

    def _toll(self, node: str) -> int:
        """What a node's rules cost a packet that comes from another node and is not for them; kept for the loop."""
        row = self._tollers[node] = self._machines[node]
        toll = self.arena.memory.nodes[row]["toll"] = self.state.kernels[node].scan()
        return toll

    def _quality(self, quality: Quality | None) -> int:
        """The row of a road's quality; -1 where there is none."""
        if quality is None:
            return -1
        if quality not in self._qualities:
            row = self._qualities[quality] = len(self._qualities)
            if row >= len(self.arena.memory.qualities):
                self.arena.grow("qualities")
            last = self._interfaces + len(quality.interfaces)
            if last > len(self.arena.memory.interfaces):
                self.arena.grow("interfaces", 2 * last)
            for i, one in enumerate(quality.interfaces, self._interfaces):
                self.arena.memory.interfaces[i] = (one.number, one.offset, one.byte)
            found = (quality.jitter, quality.loss, self._interfaces, len(quality.interfaces))
            self.arena.memory.qualities[row] = found
            self._interfaces = last
        return self._qualities[quality]

    def _number(self, choice: Choice) -> int:
        if choice is None:
            return -1
        if choice not in self._choices:
            self._choices[choice] = len(self._chosen)
            self._chosen.append(choice)
        return self._choices[choice]


def _ruled(places: tuple[Place, ...]) -> bool:
    """Whether a packet meets a node's rules at the last of the places it has come to."""
    return places[-1].kind == "node" or (len(places) == 1 and places[0].kind == "pod")


def _no_chance(purpose: str) -> int:
    raise AssertionError(f"nothing was left to choose for {purpose}")
