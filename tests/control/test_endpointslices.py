"""How endpoints are packed into slices, and how few writes that takes."""

from __future__ import annotations

from itertools import count
from typing import Any

from control_builders import node, running, service
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.control.endpoints import Memory
from netsim.control.endpointslice import put_hints
from netsim.control.endpointslices import MANAGED_BY, TRIGGER_TIME, Plan, best_to_fill, reconcile
from netsim.units import S

Object = dict[str, Any]
NODE = node("node-1", "zone-a")


class World:
    """A Service and its slices, as plans change them."""

    def __init__(self, **spec: Any) -> None:
        self.service = service(**spec)
        self.slices: list[Object] = []
        self.names = count()
        self.memory = Memory()

    def reconcile(self, pods: list[Object], max_endpoints: int = 100, **more: Any) -> Plan:
        """Plan, and carry the plan out."""
        node_of = more.pop("node_of", lambda name: NODE)
        plan = reconcile(
            self.service, pods, node_of, self.slices, self.name, max_endpoints, memory=self.memory, **more
        )
        gone = {piece["metadata"]["name"] for piece in plan.delete}
        changed = {piece["metadata"]["name"]: piece for piece in plan.update}
        kept = [piece for piece in self.slices if piece["metadata"]["name"] not in gone]
        self.slices = [changed.get(piece["metadata"]["name"], piece) for piece in kept] + plan.create
        return plan

    def name(self) -> str:
        return f"web-{next(self.names)}"

    def sizes(self) -> list[int]:
        return [len(piece["endpoints"]) for piece in self.slices]

    def addresses(self) -> list[str]:
        return [
            ip for piece in self.slices for endpoint in piece["endpoints"] for ip in endpoint["addresses"]
        ]


def pods(amount: int, first: int = 0, **more: Any) -> list[Object]:
    return [running(f"p{i}", f"10.0.{i // 200}.{i % 200 + 1}", **more) for i in range(first, first + amount)]


def test_a_service_without_pods_has_one_empty_slice() -> None:
    world = World()
    assert len(world.reconcile([]).create) == 1
    assert world.slices[0]["endpoints"] == []
    assert not world.reconcile([])


def test_the_empty_slice_is_filled_rather_than_replaced() -> None:
    world = World()
    world.reconcile([])
    plan = world.reconcile(pods(2))
    assert (len(plan.create), len(plan.update), len(plan.delete)) == (0, 1, 0)
    assert world.slices[0]["ports"] == [{"name": "http", "port": 80, "protocol": "TCP"}]
    assert world.sizes() == [2]


def test_the_last_pod_leaves_an_empty_slice_behind() -> None:
    world = World()
    world.reconcile(pods(1))
    plan = world.reconcile([])
    assert (len(plan.create), len(plan.update), len(plan.delete)) == (0, 1, 0)
    assert world.slices[0]["endpoints"] == []


def test_nothing_changed_is_nothing_to_write() -> None:
    world, many = World(), pods(250)
    world.reconcile(many)
    assert world.sizes() == [100, 100, 50]
    assert not world.reconcile(many)
    assert not world.reconcile(pods(250))


def test_one_pod_less_ready_is_one_slice_written() -> None:
    world, many = World(), pods(250)
    world.reconcile(many)
    many[120] = running("p120", many[120]["status"]["podIP"], is_ready=False)
    plan = world.reconcile(many)
    assert (len(plan.create), len(plan.update), len(plan.delete)) == (0, 1, 0)
    assert world.sizes() == [100, 100, 50]


def test_new_endpoints_go_where_they_fill_a_slice_best() -> None:
    world = World()
    world.reconcile(pods(250))
    world.reconcile([pod for pod in pods(250) if pod["metadata"]["name"] not in {"p0", "p1", "p2"}])
    assert world.sizes() == [97, 100, 50]
    some = [pod for pod in pods(252) if pod["metadata"]["name"] not in {"p0", "p1", "p2"}]
    plan = world.reconcile(some)
    assert len(plan.update) == 1
    assert world.sizes() == [99, 100, 50]


def test_room_in_slices_that_are_written_anyway_is_used_first() -> None:
    world = World()
    world.reconcile(pods(150))
    assert world.sizes() == [100, 50]
    plan = world.reconcile(pods(155, first=5))
    assert [len(piece["endpoints"]) for piece in plan.update] == [100, 55]
    assert len(plan.update) == 2


def test_what_fits_into_no_single_slice_gets_a_new_one() -> None:
    world = World()
    world.reconcile(pods(190))
    plan = world.reconcile(pods(210))
    assert (len(plan.create), len(plan.update)) == (1, 0)
    assert world.sizes() == [100, 90, 20]


def test_a_pod_that_comes_back_on_another_node_is_changed_in_place() -> None:
    world = World()
    world.reconcile([running("db-0", "10.0.0.1", "node-1")])
    plan = world.reconcile([running("db-0", "10.0.0.1", "node-2")])
    assert (plan.added, plan.removed, len(plan.update)) == (0, 0, 1)
    assert world.slices[0]["endpoints"][0]["nodeName"] == "node-2"


def test_each_family_recycles_its_own_slices() -> None:
    world, dual = World(ipFamilies=["IPv4", "IPv6"]), pods(30)
    for number, pod in enumerate(dual):
        pod["status"]["podIPs"].append({"ip": f"fd00::{number + 1:x}"})
    world.reconcile(dual)
    names = {piece["metadata"]["name"]: piece["addressType"] for piece in world.slices}
    world.service = service(ipFamilies=["IPv4", "IPv6"], ports=[{"name": "http", "port": 80, "targetPort": 81}])
    plan = world.reconcile(dual)
    assert (len(plan.create), len(plan.update), len(plan.delete)) == (0, 2, 0)
    assert {piece["metadata"]["name"]: piece["addressType"] for piece in world.slices} == names


def test_slices_are_not_merged_when_they_thin_out() -> None:
    world = World()
    world.reconcile(pods(300))
    world.reconcile([pod for i, pod in enumerate(pods(300)) if i % 10 == 0])
    assert world.sizes() == [10, 10, 10]


def test_pods_that_serve_a_name_at_other_ports_have_slices_of_their_own() -> None:
    world = World(ports=[{"name": "http", "port": 80, "targetPort": "web"}])
    some = pods(6)
    for i, pod in enumerate(some):
        pod["spec"]["containers"][0]["ports"] = [{"name": "web", "containerPort": 8080 + i % 2}]
    world.reconcile(some)
    assert world.sizes() == [3, 3]
    assert [piece["ports"][0]["port"] for piece in world.slices] == [8080, 8081]


def test_both_families_have_slices_of_their_own() -> None:
    world = World(ipFamilies=["IPv4", "IPv6"])
    both = pods(2)
    for i, pod in enumerate(both):
        pod["status"]["podIPs"].append({"ip": f"fd00::{i + 1}"})
    world.reconcile(both)
    found = [(piece["addressType"], len(piece["endpoints"])) for piece in world.slices]
    assert found == [("IPv4", 2), ("IPv6", 2)]


def test_slices_of_a_family_that_is_no_longer_wanted_go() -> None:
    world = World(ipFamilies=["IPv4", "IPv6"])
    world.reconcile(pods(2))
    world.service = service(ipFamilies=["IPv4"])
    plan = world.reconcile(pods(2))
    assert [piece["addressType"] for piece in plan.delete] == ["IPv6"]
    assert not plan.update


def test_slices_of_an_earlier_service_of_the_same_name_are_replaced_not_adopted() -> None:
    world = World()
    world.reconcile(pods(2))
    world.service = {**world.service, "metadata": {**world.service["metadata"], "uid": "another"}}
    plan = world.reconcile(pods(2))
    assert (len(plan.create), len(plan.update), len(plan.delete)) == (1, 0, 1)


def test_a_service_that_is_leaving_gets_no_new_slices() -> None:
    world = World()
    world.service["metadata"]["deletionTimestamp"] = 1
    assert not world.reconcile(pods(1))


def test_a_pod_on_an_unknown_node_waits_unless_its_address_is_published_anyway() -> None:
    world = World()
    plan = world.reconcile(pods(1), node_of=lambda name: None)
    assert plan.retry
    assert world.sizes() == [0]
    eager = World(publishNotReadyAddresses=True)
    assert not eager.reconcile(pods(1), node_of=lambda name: None).retry
    assert eager.sizes() == [1]


def test_slices_carry_their_services_labels_name_and_owner() -> None:
    world = World(labels={"team": "shop"}, clusterIP="None")
    (piece,) = world.reconcile(pods(1)).create
    assert piece["metadata"]["labels"] == {
        "team": "shop",
        "service.kubernetes.io/headless": "",
        "kubernetes.io/service-name": "web",
        MANAGED_BY: "endpointslice-controller.k8s.io",
    }
    assert piece["metadata"]["name"] == "web-0"
    assert piece["metadata"]["generateName"] == "web-"
    assert piece["metadata"]["ownerReferences"][0]["uid"] == "uid-web"


def test_labels_that_change_are_written_to_every_slice() -> None:
    world = World()
    world.reconcile(pods(150))
    world.service = service(labels={"team": "shop"})
    assert len(world.reconcile(pods(150)).update) == 2


def test_the_trigger_time_is_noted_on_what_is_written() -> None:
    world = World()
    (piece,) = world.reconcile(pods(1), trigger=35 * S).create
    assert piece["metadata"]["annotations"] == {TRIGGER_TIME: "2026-01-01T00:00:35Z"}
    (piece,) = world.reconcile(pods(2)).update
    assert piece["metadata"]["annotations"] == {}


def test_each_address_family_has_hints_of_its_own() -> None:
    annotations, dual = {"service.kubernetes.io/topology-mode": "Auto"}, pods(2)
    for number, pod in enumerate(dual):
        pod["status"]["podIPs"].append({"ip": f"fd00::{number + 1:x}"})
    world = World(ipFamilies=["IPv6", "IPv4"])
    world.service["metadata"]["annotations"] = annotations
    for zones, outcome in (("abc", "InsufficientNumberOfEndpoints"), ("ab", "TopologyAwareHintsEnabled")):
        plan = reconcile(world.service, dual, lambda name: node(name, "a"), [], world.name)
        ratios = {zone: 1 / len(zones) for zone in zones}
        notices = put_hints(world.service, [], plan, ratios, same_gate=True)
        assert {family: notice.message_id for family, notice in notices.items()} == {
            "IPv4": outcome, "IPv6": outcome,
        }  # fmt: skip
        assert [piece["addressType"] for piece in plan.create] == ["IPv4", "IPv6"]


def test_a_slice_that_lacks_nothing_but_its_hints_is_written() -> None:
    world = World(trafficDistribution="PreferClose")
    world.reconcile(pods(1))
    plan = world.reconcile(pods(1))
    assert put_hints(world.service, world.slices, plan, None, same_gate=True) == {}
    (piece,) = plan.update
    assert piece["endpoints"][0]["hints"] == {"forZones": [{"name": "zone-a"}]}
    plan = Plan()
    put_hints(world.service, [piece], plan, None, same_gate=True)
    assert not plan


def test_hints_are_no_difference_between_endpoints() -> None:
    world = World()
    world.reconcile(pods(2))
    hinted = [
        {**endpoint, "hints": {"forZones": [{"name": "a"}]}} for endpoint in world.slices[0]["endpoints"]
    ]
    world.slices = [{**world.slices[0], "endpoints": hinted}]
    assert not world.reconcile(pods(2))


def test_a_name_that_is_taken_is_drawn_again() -> None:
    world = World()
    world.reconcile(pods(100))
    names = iter(["web-0", "web-0", "web-9"])
    world.name = lambda: next(names)  # type: ignore[method-assign]
    assert world.reconcile(pods(101)).create[0]["metadata"]["name"] == "web-9"


def test_the_fullest_slice_with_room_is_best() -> None:
    slices = [{"endpoints": [None] * size} for size in (90, 20, 97, 60)]
    assert best_to_fill(slices, 5, 100) is slices[0]
    assert best_to_fill(slices, 3, 100) is slices[2]
    assert best_to_fill(slices, 90, 100) is None


@settings(max_examples=80, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40))), min_size=1, max_size=6
    ),
    most=st.integers(1, 12),
)
def test_after_every_change_each_pod_is_in_exactly_one_slice(
    steps: list[tuple[set[int], set[int]]], most: int
) -> None:
    world = World()
    for present, unready in steps:
        some = [running(f"p{i}", f"10.0.0.{i + 1}", is_ready=i not in unready) for i in sorted(present)]
        before = [piece["endpoints"] for piece in world.slices]
        plan = world.reconcile(some, most)
        assert sorted(world.addresses()) == sorted(pod["status"]["podIP"] for pod in some)
        assert all(size <= most for size in world.sizes())
        assert len([size for size in world.sizes() if size == 0]) == (0 if some else 1)
        found = {e["addresses"][0]: e["conditions"]["ready"] for p in world.slices for e in p["endpoints"]}
        assert found == {f"10.0.0.{i + 1}": i not in unready for i in present}
        assert not world.reconcile(some, most)
        assert plan or before == [piece["endpoints"] for piece in world.slices]
