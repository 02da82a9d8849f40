"""A run: the cluster of a scenario, built; its two halves, driven on one clock; what was recorded.

The control half is SimPy processes; the data half is moved up to each instant at which the control half
does something (`advance`), so that packets always meet exactly the state of their own instant. A change at
t is seen by packets at t: control first, then packets.

Requests stay in memory until the run is over, or are handed over in parts while it goes on (`Take`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import simpy
from numpy.typing import NDArray

from netsim.build import Built, build
from netsim.control.absence import never_ran
from netsim.control.cluster import Cluster
from netsim.control.levers import Levers
from netsim.control.lookup import SILENT, must_ask
from netsim.dataplane.engines import Choice, Wish, choose, engine_of
from netsim.dataplane.history import Change
from netsim.dataplane.reach import Judged, Reach
from netsim.dataplane.requests import DNS_FAILURE, OUTCOMES
from netsim.dataplane.routes import Neighbour, routes
from netsim.dataplane.sources import Source, address_of, place_of
from netsim.dataplane.trace import Trace, Tracer
from netsim.errors import Problem, ScenarioError
from netsim.proxy.node import NodeRules
from netsim.scenario.scenario import Scenario
from netsim.traffic import Origin, Target, parse_origin, parse_target
from netsim.units import MS, moment

Progress = Callable[[int, int], None]
REPORT_EVERY = 100 * MS  # of simulated time
YOUNG = 1_000_000  # so many new objects before the collector looks for those that only refer to each other
PART = 1 << 16  # requests handed over at a time, or a little more


@dataclass(frozen=True)
class Outage:
    """A time in which some or all new connections of a source would have failed, by the forwarding state."""

    source: str
    target: str
    began: int
    detected: int | None
    ended: int | None
    share: float  # of new connections, at its worst
    reason: str


@dataclass(frozen=True)
class Part:
    """Requests in canonical order, and what is needed to read them: names, and what had changed until then."""

    requests: NDArray[np.void]
    sources: Sequence[str]
    pods: Sequence[str]
    nodes: Sequence[str]
    changes: Sequence[Change]
    instants: Sequence[int]  # when a source could no longer reach its target, or could again


Take = Callable[[Part], None]
"""Whom finished requests are handed to. Part after part makes the whole table, whichever engine moves them."""


@dataclass(frozen=True)
class Recording(Part):
    """Everything a run leaves behind; without requests if they were handed over."""

    scenario: Scenario
    seed: int
    ended: int
    partial: bool
    outages: tuple[Outage, ...]
    ignored: tuple[str, ...]
    engine: str = "plain"
    engine_why: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)  # sources whose pod never ran: which, and why


class Simulation:
    """A scenario under way."""

    def __init__(self, scenario: Scenario, seed: int | None = None, engine: Wish = "plain") -> None:
        self.scenario = scenario
        self.document = scenario.document
        self.seed = self.document.seed if seed is None else seed
        self.end = self.document.duration
        self.env = simpy.Environment(initial_time=0)
        self.built: Built = build(self.env, scenario, self.seed)
        self.cluster: Cluster = self.built.cluster
        self.store = self.cluster.store
        self.forwarding = self.cluster.forwarding
        self.sources = [
            Source(i, traffic, self.cluster.draws, self.end)
            for i, traffic in enumerate(self.document.traffic)
        ]
        self.choice: Choice = choose(engine, self.forwarding, self.sources)
        self.engine = engine_of(
            self.choice,
            self.forwarding,
            self.sources,
            list(self.built.machines),
            self.built.syn_schedule,
            self.document.cluster.name_lookup,
        )
        self.watch = ReachWatch(self)
        self.told = self.handed = 0  # up to when progress was told; requests handed over
        self.ready = PART
        for source in self.sources:
            self.env.timeout(source.traffic.start)  # an instant at which the two halves meet
            self.env.timeout(source.stop)
        for fault in self.document.faults:
            self.env.process(fault.run(self.env, self.levers, self.cluster.draws.stream("fault", fault.name)))

    @property
    def levers(self) -> Levers:
        """What faults may do."""
        return self.built.levers

    @property
    def now(self) -> int:
        """Simulated nanoseconds."""
        return int(self.env.now)

    @property
    def sources_named(self) -> tuple[str, ...]:
        """The names of the traffic sources, in the order of the scenario."""
        return tuple(source.name for source in self.sources)

    @property
    def node_rules(self) -> dict[str, NodeRules]:
        """Every node's rules, as programmed now."""
        return {name: kernel.rules for name, kernel in self.forwarding.kernels.items()}

    def run(self, until: int | None = None, progress: Progress | None = None, take: Take | None = None) -> None:
        """Move both halves on, up to and including what the control half does at `until`."""
        until = self.end if until is None else min(until, self.end)
        env = self.env
        while env.peek() <= until:
            instant = int(env.peek())
            self._advance(instant, progress, take)
            while env.peek() == instant:
                env.step()
            self.watch.look(instant)
        self._advance(until, progress, take)
        if env.now < until:
            env.run(until=until)

    def _advance(self, until: int, progress: Progress | None, take: Take | None) -> None:
        """Move packets on in strides, after which whoever wants to know is told, and what is ready handed over."""
        while self.told + REPORT_EVERY <= until:
            self.told += REPORT_EVERY
            self.engine.advance(self.told)
            if progress is not None:
                progress(self.told, self.handed + self.engine.held)
            if take is not None and self.engine.held >= self.ready:
                self._hand_over(self.engine.settled(), take)
        self.engine.advance(until)

    def _hand_over(self, rows: NDArray[np.void], take: Take) -> None:
        """Hand requests over; the next ones when there are twice as many as had to stay behind."""
        nodes, changes = tuple(self.built.machines), self.cluster.history.changes
        take(Part(rows, self.sources_named, self.built.pods, nodes, changes, self.watch.instants))
        self.handed += len(rows)
        self.ready = max(PART, 2 * self.engine.held)

    def rules_text(self, node: str) -> str:
        """The rules a node has programmed, as `iptables-save`, `nft list ruleset` or `ipvsadm -Ln` prints them."""
        return self.forwarding.kernels[node].render(self.now)

    def conntrack_text(self, node: str) -> str:
        """A node's conntrack entries as `conntrack -L` prints them; TCP's only if the run has tracked them."""
        return self.forwarding.kernels[node].conntrack.render(self.now)

    def routes_text(self, node: str) -> str:
        """A node's routes as `ip route` prints them."""
        state, spec = self.forwarding, self.document.cluster
        cidrs = {name: self.store.get("Node", "", name)["spec"]["podCIDR"] for name in state.node_places}  # type: ignore[index]
        others = [Neighbour(p.address, cidrs[n]) for n, p in state.node_places.items() if n != node]
        pods = [p.address for p in state.places.values() if p.kind == "pod" and p.machine == node]
        address = state.node_places[node].address
        return routes(spec.cni, address, str(spec.addresses.nodes), cidrs[node], others, pods)

    def trace(self, source: str, target: str, protocol: str = "TCP") -> Trace:
        """Where the first packet of a connection goes now, and why.

        `source` and `target` are written as `from` and `to` of a scenario's traffic. Where the cluster's DNS has to
        be asked for the target and does not answer, it is the way of that question.
        """
        state, names = self.forwarding, self.built.names
        origin, wanted = asked(self, source, target)
        client = place_of(state, origin)
        if client is None:
            raise ScenarioError(Problem(f"{source} does not run at {moment(self.now)}"))
        address = address_of(state, origin, wanted)
        tracer = Tracer(state, self.cluster.draws, self.document.cluster.cni, self.routes_text)
        pod = self.store.get("Pod", origin.namespace, origin.name) if origin.kind == "pod" else None
        server = must_ask(names, pod, client) if wanted.kind == "dns" else None
        if server is not None:
            question = tracer.trace(source, client, target, server, 53, "UDP")
            why = SILENT if state.dns_silent else question.reason
            if question.outcome != "ok" or state.dns_silent:
                return replace(question, outcome=OUTCOMES[DNS_FAILURE], reason=f"no answer from DNS: {why}")
        found = tracer.trace(source, client, target, address, wanted.port, protocol)
        if wanted.kind == "dns" and address is None and (alias := names.zone.alias(wanted.name, origin.namespace)):
            return replace(found, reason=f"{target} is a CNAME of {alias}, whose address is not known here")
        return found

    def record(self, *, partial: bool = False, take: Take | None = None) -> Recording:
        """End the run here and take what it has left; requests are handed over, if somebody takes them."""
        ended = max(self.now, self.engine.now)  # interrupted, packets may be ahead
        requests = self.engine.finish(ended)
        if take is not None:
            self._hand_over(requests, take)
        return Recording(
            scenario=self.scenario,
            seed=self.seed,
            ended=ended,
            partial=partial,
            requests=requests if take is None else requests[:0],
            sources=self.sources_named,
            pods=tuple(self.built.pods),
            nodes=tuple(self.built.machines),
            changes=tuple(self.cluster.history),
            instants=tuple(self.watch.instants),
            outages=self.watch.outages(),
            ignored=self.scenario.ignored,
            engine=self.choice.name,
            engine_why=self.choice.why,
            absent=never_ran(self.sources, self.store, self.cluster.history),
        )


def asked(simulation: Simulation, source: str, target: str) -> tuple[Origin, Target]:
    """Read a source and a target, or say which of them is not there."""
    try:
        origin, wanted = parse_origin(source), parse_target(target)
    except ValueError as error:
        raise ScenarioError(Problem(str(error))) from None
    nodes = simulation.forwarding.node_places
    for kind, name in ((origin.kind, origin.name), (wanted.kind, wanted.name)):
        if kind == "node" and name not in nodes:
            raise ScenarioError(Problem(f"there is no node {name}", hint=f"there are {', '.join(nodes)}"))
    if wanted.kind in ("svc", "lb"):
        service = simulation.store.get("Service", wanted.namespace, wanted.name)
        if service is None:
            raise ScenarioError(
                Problem(f'services "{wanted.name}" not found in namespace {wanted.namespace}')
            )
    return origin, wanted


class ReachWatch:
    """Notes when sources lose their targets and find them again, whenever the forwarding state has changed."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.seen = -1
        self.judged: dict[int, Judged] = {}  # source -> what was found the last time
        self.open: dict[int, tuple[int, float, str]] = {}  # source -> began, worst share, reason
        self.closed: list[tuple[int, int, int | None, float, str]] = []
        self.instants: list[int] = []  # when any of them began or ended

    def look(self, now: int) -> None:
        """Look again, if anything has changed."""
        state = self.simulation.forwarding
        for source in self.simulation.sources:
            if state.version != self.seen or source.traffic.start == now:
                self._judge(source, now)
        self.seen = state.version

    def _judge(self, source: Source, now: int) -> None:
        sends = source.traffic.start <= now < source.stop
        found = self._found(source) if sends else None
        lost = found.lost if found else 0.0
        if lost:
            began, worst, reason = self.open.get(source.index, (now, 0.0, ""))
            first = reason or (found.reasons[0] if found and found.reasons else "")
            if began == now:
                self.instants.append(now)
            self.open[source.index] = (began, max(worst, lost), first)
        elif source.index in self.open:
            began, worst, reason = self.open.pop(source.index)
            if began < now:
                self.instants.append(now)
                self.closed.append((source.index, began, now, worst, reason))

    def _found(self, source: Source) -> Reach | None:
        """How a source reaches its target; worked out again only if something it met has changed."""
        state = self.simulation.forwarding
        if source.index not in self.judged or not self.judged[source.index].holds(state, source):
            self.judged[source.index] = Judged.of(state, source)
        return self.judged[source.index].found

    def outages(self) -> tuple[Outage, ...]:
        """All of them, in the order in which they began."""
        found = [
            *self.closed,
            *((i, began, None, worst, why) for i, (began, worst, why) in self.open.items()),
        ]
        found.sort(key=lambda outage: (outage[1], outage[0]))
        return tuple(self._outage(*outage) for outage in found)

    def _outage(self, index: int, began: int, ended: int | None, worst: float, reason: str) -> Outage:
        source = self.simulation.sources[index]
        noticed = ["node-not-ready", "endpoint-not-ready"]
        if source.target.kind == "lb":
            noticed.append("lb-node-out")
        detected = next(
            (
                change.time
                for change in self.simulation.cluster.history
                if change.kind in noticed and began <= change.time and (ended is None or change.time <= ended)
            ),
            None,
        )
        return Outage(source.name, source.traffic.target, began, detected, ended, worst, reason)


def simulate(
    scenario: Scenario,
    seed: int | None = None,
    until: int | None = None,
    progress: Progress | None = None,
    take: Take | None = None,
    engine: Wish = "auto",
) -> Recording:
    """Run a scenario to its end (or to `until`); interrupted, it returns what there is, marked as partial.

    Finished requests stay in the recording, or are handed to `take` while the run goes on.
    """
    with seldom_collected():
        simulation = Simulation(scenario, seed, engine)
        try:
            simulation.run(until, progress, take)
        except KeyboardInterrupt:
            return simulation.record(partial=True, take=take)
        return simulation.record(take=take)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Garbage in cycles is looked for seldom: a run makes next to none, and each look goes through a whole cluster."""
    young, *older = gc.get_threshold()
    if young:
        gc.set_threshold(max(young, YOUNG), *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
