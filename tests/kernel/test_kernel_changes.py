"""What connections live through: endpoints that go while they are open, UDP sockets pinned to them, affinity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from kernel_flows import Flow
from kernel_judge import complaints
from kernel_lab import Lab
from kernel_prediction import Outcome, follow, predict
from kernel_world import PODS, World, space_of

from netsim.dataplane.plain import PlainEngine, syn_schedule
from netsim.dataplane.requests import OUTCOMES
from netsim.dataplane.sources import Source
from netsim.draws import Draws
from netsim.proxy.conntrack import Entry
from netsim.proxy.packet import Packet
from netsim.traffic import Traffic
from netsim.units import MS, S

BACKENDS = pytest.mark.parametrize("backend", ["iptables", "nft"])
FAMILIES = pytest.mark.parametrize("family", [4, 6])
UDP = {"name": "", "port": 8080, "protocol": "UDP"}
WEB = 30


@pytest.fixture
def world(request: pytest.FixtureRequest, backend: str) -> World:
    family = request.node.callspec.params.get("family", 4)
    world = World(family, mode="nftables" if backend == "nft" else "iptables")
    world.service("web", WEB)
    world.endpoints("web", ["a1", "b1"])
    world.service("other", WEB + 1)  # there are other Services, whatever happens to this one
    world.endpoints("other", ["c1"])
    world.program()
    return world


def ask(world: World, name: str, protocol: str = "TCP", *, port: int = 0, patience: float = 5.0) -> dict[str, Any]:
    """A request of one pod or node to the Service, for the lab."""
    place = world.place(name)
    return {
        "space": space_of(place), "source": place.address if port else "", "source_port": port,
        "to": world.at.cluster_ip(WEB), "port": 80, "protocol": protocol, "patience": patience,
    }  # fmt: skip


# connections that are open while the endpoints change -------------------------------------------------------


def without_the_endpoint(world: World) -> None:
    world.endpoints("web", ["c2"])


def without_any(world: World) -> None:
    world.endpoints("web", [])


def without_the_service(world: World) -> None:
    world.tables.delete_service("default", "web")


CHANGES = [
    (without_the_endpoint, 4),
    (without_any, 4),
    (without_the_service, 4),
    (without_the_endpoint, 6),
]


def simulated(world: World, change: Callable[[World], None]) -> tuple[set[str], int]:
    """The outcomes of a client that keeps its connection while the change happens, and how many pods it met."""
    address = world.at.cluster_ip(WEB)
    target = f"[{address}]:80" if ":" in address else f"{address}:80"
    fields = {"clients": 1, "think": 10 * MS, "keepAlive": {"connections": 1}}
    traffic = Traffic.model_validate({"name": "t", "from": "pod/a3", "to": target, **fields})
    end = 2 * S
    engine = PlainEngine(
        world.state, [Source(0, traffic, Draws(1), end)], list(world.state.kernels), syn_schedule(6, 4), 0
    )
    engine.advance(1 * S)
    change(world)
    world.program()
    rows = engine.finish(end)
    assert {bool(sent < 1 * S) for sent in rows["sent"]} == {True, False}
    outcomes = {OUTCOMES[o] for o in rows["outcome"]} - {"unfinished"}
    return outcomes, len({int(pod) for pod in rows["pod"]})


@pytest.mark.parametrize(("change", "family"), CHANGES)
@BACKENDS
def test_an_established_connection_outlives_its_endpoint(
    backend: str, family: int, change: Callable[[World], None], world: World, laboratory: Callable[..., Lab]
) -> None:
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    before = {f"{name}{i}": lab.open(f"{name}{i}", ask(world, name)) for name in ("a3", "node-3") for i in range(3)}
    predicted = simulated(world, change)
    lab.load(world.rule_texts())
    after = {name: lab.ask(name) for name in before}
    for name in before:
        answers = [before[name], after[name]]
        assert ({outcome[0] for outcome in answers}, len({outcome[1] for outcome in answers})) == predicted
    place = world.place("a3")
    fresh = predict(world.state, place, Packet(place.address, 40_000, world.at.cluster_ip(WEB), 80))
    count = lab.cross([{**ask(world, "a3"), "count": 6, "window": 6, "patience": 0.6 if fresh.silent else 5}])
    assert complaints(fresh, count[0]) == []


@BACKENDS
def test_a_syn_that_is_sent_again_goes_where_the_first_one_went(
    backend: str, world: World, laboratory: Callable[..., Lab]
) -> None:
    """Nobody answers the first; before the second the Service loses its last endpoint: a new client is refused."""
    world.endpoints("web", ["b1"])
    world.program()
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    client = world.place("a3")
    lab.run("default/b1", ["ip", "route", "add", "blackhole", client.address])
    world.state.power("node-2", on=False)
    traffic = {"name": "t", "from": "pod/a3", "to": f"{world.at.cluster_ip(WEB)}:80", "clients": 1, "think": "1s",
               "timeout": "2.5s", "connectTimeout": "2.5s"}  # fmt: skip
    source = Source(0, Traffic.model_validate(traffic), Draws(1), 10 * S)
    engine = PlainEngine(world.state, [source], list(world.state.kernels), syn_schedule(6, 4), 0)
    engine.advance(S // 2)
    without_any(world)
    world.state.program("node-1", world.tables.revision)
    first, second = (OUTCOMES[outcome] for outcome in engine.finish(10 * S)["outcome"][:2])
    lab.load_later("node-1", world.rule_texts()["node-1"], 0.5)
    assert lab.open("first", {**ask(world, "a3"), "patience": 2.5}) == (first,) == ("timeout",)
    assert lab.open("second", {**ask(world, "a3"), "patience": 2.5}) == (second,) == ("refused",)


# UDP sockets --------------------------------------------------------------------------------------------------


class Socket:
    """One UDP socket of a client, in the simulator and in the lab at once."""

    def __init__(self, world: World, lab: Lab, client: str, port: int) -> None:
        self.world, self.lab, self.client, self.port = world, lab, client, port
        self.opened = False

    def simulated(self) -> set[Outcome]:
        """Everything that the next datagram could meet, given what nodes remember."""
        place, state = self.world.place(self.client), self.world.state
        packet = Packet(place.address, self.port, self.world.at.cluster_ip(WEB), 80, "UDP")
        fresh = predict(state, place, packet).chances if not any(self._memories()) else None
        return set(fresh) if fresh is not None else {follow(state, place, packet, ())[0]}

    def _memories(self) -> Iterable[Entry]:
        return [e for k in self.world.state.kernels.values() for e in k.conntrack.entries(self.world.state.time)]

    def take(self, outcome: Outcome) -> None:
        """Let the simulator's datagram meet what the kernel's has met."""
        place, state = self.world.place(self.client), self.world.state
        packet = Packet(place.address, self.port, self.world.at.cluster_ip(WEB), 80, "UDP")
        for kernel in state.kernels.values():
            kernel.conntrack.clear()
        for which in range(len(PODS)):
            for kernel in state.kernels.values():
                kernel.conntrack.clear()
            if follow(state, place, packet, ((which, len(PODS)),))[0] == outcome:
                return
        raise AssertionError(f"the simulator cannot meet {outcome}")

    def asked(self, patience: float = 5.0) -> Outcome:
        """What the lab's socket meets."""
        if self.opened:
            return self.lab.ask("socket")
        self.opened = True
        request = ask(self.world, self.client, "UDP", port=self.port, patience=patience)
        return self.lab.open("socket", request)


def udp_service(world: World, *pods: str) -> None:
    world.service("web", WEB, port={"protocol": "UDP"})
    world.endpoints("web", pods, UDP)


def kernel_entries(lab: Lab, node: str, family: int) -> str:
    return lab.run(node, ["conntrack", "-L", "-p", "udp", "-f", f"ipv{family}"])


@pytest.mark.parametrize("client", ["a3", "node-1"])
@FAMILIES
@BACKENDS
def test_a_udp_socket_keeps_its_old_endpoint_until_its_entry_is_deleted(
    backend: str, family: int, client: str, world: World, laboratory: Callable[..., Lab]
) -> None:
    udp_service(world, "a1", "b1")
    world.program()
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    socket = Socket(world, lab, client, 34567)
    first = socket.asked()
    assert first in socket.simulated()
    socket.take(first)

    gone = first[1].removeprefix("default/")
    world.endpoints("web", ["c1" if gone == "a1" else "c2"], UDP)
    lab.load(_new_rules_without_clean_up(world))
    assert {socket.asked()} == socket.simulated() == {first}

    kernel = world.state.kernels["node-1"]
    stale = kernel.conntrack.clean_up(kernel.rules.versions(family))
    assert len(stale) == 1
    for entry in stale:
        _assert_known(entry, kernel_entries(lab, "node-1", family))
        _delete(lab, "node-1", entry, family)
    assert socket.asked() in socket.simulated() != {first}


def _new_rules_without_clean_up(world: World) -> dict[str, str]:
    """The rules are written; kube-proxy has not looked after UDP entries yet."""
    for kernel in world.state.kernels.values():
        kernel.rules.program(world.tables.revision)
    return world.rule_texts()


def _assert_known(entry: Entry, table: str) -> None:
    """The kernel has the simulator's entry, in both directions (a masqueraded port is its own choice)."""
    there, back = entry.original, entry.reply
    words = [
        f"src={there.source} dst={there.destination} sport={there.source_port} dport={there.port}",
        f"src={back.source} dst={back.destination} sport={back.source_port} dport=",
    ]
    assert any(all(word in line for word in words) for line in table.splitlines()), (entry, table)


def _delete(lab: Lab, node: str, entry: Entry, family: int) -> None:
    there = entry.original
    lab.run(node, [
        "conntrack", "-D", "-f", f"ipv{family}", "-p", "udp", "-s", there.source, "-d", there.destination,
        "--sport", str(there.source_port), "--dport", str(there.port),
    ])  # fmt: skip


@BACKENDS
def test_a_udp_socket_that_was_there_before_the_service(
    backend: str, world: World, laboratory: Callable[..., Lab]
) -> None:
    """Sent past the rules, the flow stays past them (iptables); dropped, it is remembered by nobody (nftables)."""
    world.tables.delete_service("default", "web")
    world.program()
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    socket = Socket(world, lab, "a3", 34567)
    before = socket.simulated()
    assert before == {("timeout",)} == {socket.asked(patience=0.6)}
    socket.take(("timeout",))
    udp_service(world, "b1")
    lab.load(_new_rules_without_clean_up(world))
    assert {socket.asked()} == socket.simulated()


# affinity -----------------------------------------------------------------------------------------------------


def crowd(count: int) -> list[str]:
    """Addresses of clients outside."""
    return [f"203.0.112.{i}" for i in range(1, count + 1)]


def sticky_world(backend: str, seconds: int, pods: Iterable[str]) -> World:
    world = World(mode="nftables" if backend == "nft" else "iptables")
    config = {"clientIP": {"timeoutSeconds": seconds}}
    world.service(
        "web", WEB, type="NodePort", port={"nodePort": 30040}, sessionAffinity="ClientIP", sessionAffinityConfig=config
    )
    world.endpoints("web", pods)
    world.program()
    return world


def visit(world: World, lab: Lab, clients: list[str], now: int = 0) -> tuple[int, dict[str, Outcome]]:
    """Each client connects once, one after the other: how many the simulated node remembers, and where all went.

    Who is remembered must go where he went before; where the others go, the kernel decides, and the simulated
    node takes note of it.
    """
    node, kernel = world.at.node(2), world.state.kernels["node-2"]
    flow = {"space": "outside", "to": node, "port": 30040, "protocol": "TCP", "count": 1, "window": 1, "patience": 5}
    bound, went = 0, {}
    for client in clients:
        (went[client],) = lab.cross([{**flow, "source": client}])[0]
        assert went[client][0] == "ok"
        verdict = kernel.rules.verdict(Packet(client, 40_000, node, 30040))
        remembered = kernel.affinity.find(verdict, client, now)
        chosen = next(e for e in verdict.endpoints if f"default/{world.pod_at(e.ip)}" == went[client][1])
        assert remembered in (None, chosen), client
        bound += remembered is not None
        kernel.affinity.remember(verdict, chosen, client, now)
    return bound, went


@BACKENDS
def test_nodes_remember_as_many_clients_as_the_simulator_says(backend: str, laboratory: Callable[..., Lab]) -> None:
    """iptables mode: the latest 100 of each endpoint; nftables mode: all."""
    world = sticky_world(backend, 10800, ["b1", "c1"])
    clients = crowd(250)
    lab = laboratory(world, backend, outside=[*world.at.outside, *clients])
    lab.load(world.rule_texts())
    assert visit(world, lab, clients)[0] == 0
    bound, _ = visit(world, lab, clients[::-1])
    assert bound == 250 if backend == "nft" else 150 < bound <= 200


@pytest.mark.long
@BACKENDS
def test_affinity_is_refreshed_by_each_connection_and_ends_after_its_time(
    backend: str, laboratory: Callable[..., Lab]
) -> None:
    world = sticky_world(backend, 4, ["a1", "b1", "c1"])
    clients = crowd(60)
    lab = laboratory(world, backend, outside=[*world.at.outside, *clients])
    lab.load(world.rule_texts())
    bound, first = visit(world, lab, clients)
    assert bound == 0
    for now in (25 * S // 10, 50 * S // 10):  # longer together than the time, each shorter
        lab.run("", ["sleep", "2.5"])
        assert visit(world, lab, clients, now) == (60, first)
    lab.run("", ["sleep", "5"])
    bound, again = visit(world, lab, clients, 10 * S)
    assert bound == 0
    same = sum(first[client] == again[client] for client in clients)
    assert 4 <= same <= 38  # each stays with chance 1/3: 20 expected, either bound is beyond 1e-5


@BACKENDS
def test_affinity_is_a_nodes_own(backend: str, laboratory: Callable[..., Lab]) -> None:
    """A client that comes by another node is sent anywhere, in the simulator and in the kernel."""
    world = sticky_world(backend, 10800, ["a1", "b1", "c1"])
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    flows = [Flow("outside", f"node {n}", 30040) for n in (1, 2, 3)]
    predictions = [flow.predict(world) for flow in flows]
    assert all(prediction.sticky for prediction in predictions)
    assert len({frozenset(prediction.chances) for prediction in predictions}) == 3
    for _ in range(8):
        lab.reset()
        lab.load(world.rule_texts())
        found = lab.cross([flow.request(world, p) for flow, p in zip(flows, predictions, strict=True)])
        for prediction, count in zip(predictions, found, strict=True):
            assert complaints(prediction, count) == []
        pods: Counter[str] = Counter(outcome[1] for count in found for outcome in count)
        if len(pods) > 1:
            return
    pytest.fail("three nodes sent a client to the same pod eight times over")
