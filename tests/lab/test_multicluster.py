"""The same Service in several clusters behind one name, and what happens when one cluster is lost."""

from __future__ import annotations

import pytest
from lab_clusters import READY, create, scale, service, simulation

from netsim.errors import ScenarioError
from netsim.lab.multicluster import Answered, Fleet, GlobalName
from netsim.units import MS, S

NAME = "my-nginx.default.svc.clusterset.local"


def fleet(*names: str, export: bool = True) -> Fleet:
    """Clusters that all run my-nginx, and export it; the imports are in order."""
    made = Fleet({name: simulation(until=READY) for name in names}, now=READY)
    for name in names if export else ():
        made.export(name, "my-nginx")
    made.run(READY + 2 * S)
    return made


def asked(made: Fleet, count: int, cluster: str = "east") -> list[Answered]:
    return [made.connect(cluster, "pod/client", NAME) for _ in range(count)]


# multi-cluster Services -----------------------------------------------------------------------------------------


def test_what_nobody_exports_has_no_name() -> None:
    made = fleet("east", "west", export=False)
    assert made.resolve("east", NAME) == ()
    assert made.connect("east", "pod/client", NAME).outcome == "dns-failure"


def test_an_exported_service_has_one_address_in_all_clusters_and_the_endpoints_of_both() -> None:
    made = fleet("east", "west")
    (found,) = made.imports.values()
    assert (found.kind, found.name, found.clusters, found.ports) == ("ClusterSetIP", NAME, ("east", "west"), (80,))
    assert made.resolve("east", NAME) == made.resolve("west", NAME) == (found.address,)
    assert found.address.startswith("10.208.")
    assert sorted(backend.cluster for backend in found.backends) == ["east", "east", "west", "west"]


def test_connections_go_to_all_endpoints_and_the_far_ones_take_the_wide_area() -> None:
    made = fleet("east", "west")
    answers = asked(made, 40)
    assert {one.outcome for one in answers} == {"ok"}
    assert len({(one.cluster, one.pod) for one in answers}) == 4
    near = max(one.elapsed for one in answers if one.cluster == "east")
    far = min(one.elapsed for one in answers if one.cluster == "west")
    assert near < 5 * MS
    assert far >= 2 * made.wan


def test_endpoints_follow_their_cluster_within_a_beat() -> None:
    made = fleet("east", "west")
    scale(made.cluster("west"), "my-nginx", 0)
    made.run(made.now + 5 * S)
    assert {one.cluster for one in asked(made, 20)} == {"east"}
    scale(made.cluster("east"), "my-nginx", 0)
    made.run(made.now + 5 * S)
    assert {(one.outcome, one.reason) for one in asked(made, 3)} == {("refused", f"{NAME} has no endpoints")}


def test_a_lost_cluster_is_believed_in_until_its_lease_is_over() -> None:
    made = fleet("east", "west")
    made.lose("west")
    lost = made.now
    made.run(lost + 1 * S)
    before = asked(made, 40)
    assert {one.outcome for one in before if one.cluster == "east"} == {"ok"}
    assert {one.outcome for one in before if one.cluster == "west"} == {"timeout"}
    made.run(lost + made.lease - 2 * S)
    assert {one.cluster for one in asked(made, 40)} == {"east", "west"}
    made.run(lost + made.lease + 1 * S)
    assert {(one.cluster, one.outcome) for one in asked(made, 40)} == {("east", "ok")}
    (found,) = made.imports.values()
    assert found.clusters == ("east",)


def test_the_address_stays_when_the_exporters_change() -> None:
    made = fleet("east", "west")
    (before,) = made.imports.values()
    made.lose("west")
    made.run(made.now + 60 * S)
    (after,) = made.imports.values()
    assert after.address == before.address


def test_a_headless_service_has_a_name_for_each_endpoint_of_each_cluster() -> None:
    made = fleet("east", "west", export=False)
    for name in ("east", "west"):
        create(made.cluster(name), service("bare", run="my-nginx", clusterIP="None"))
        made.export(name, "bare")
    made.run(made.now + 3 * S)
    (found,) = made.imports.values()
    assert (found.kind, found.address) == ("Headless", "")
    assert len(made.resolve("east", found.name)) == 4
    one = next(backend for backend in found.backends if backend.cluster == "west")
    own = f"{one.host}.west.{found.name}"
    assert made.resolve("east", own) == (one.address,)
    assert {made.connect("east", "pod/client", own).cluster for _ in range(5)} == {"west"}


def test_only_namespaces_that_a_cluster_has_have_names_there() -> None:
    made = fleet("east", "west", export=False)
    east = made.cluster("east")
    east.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    create(east, service("till", run="my-nginx"), "shop")
    made.export("east", "till", "shop")
    made.run(made.now + 3 * S)
    assert made.resolve("east", "till.shop.svc.clusterset.local")
    assert made.resolve("west", "till.shop.svc.clusterset.local") == ()


def test_exports_that_disagree_are_told_and_the_oldest_counts() -> None:
    made = fleet("east", "west", export=False)
    create(made.cluster("east"), service("till", [{"port": 8080}], "my-nginx"))
    create(made.cluster("west"), service("till", [{"port": 9090}], "my-nginx"))
    made.export("west", "till")
    made.run(made.now + 2 * S)
    made.export("east", "till")
    made.run(made.now + 2 * S)
    (found,) = made.imports.values()
    assert found.ports == (9090,)
    assert found.conflict == "east export it differently; west, the oldest export, counts"


def test_a_cluster_that_is_not_there_is_told() -> None:
    with pytest.raises(ScenarioError, match="there is no cluster north"):
        fleet("east", export=False).cluster("north")


# DNS with health checks -----------------------------------------------------------------------------------------


def published(*names: str, policy: str = "all") -> tuple[Fleet, GlobalName]:
    """A load balancer in each cluster, and a public name that answers with those that are well."""
    made = fleet(*names, export=False)
    for name in names:
        create(made.cluster(name), service("front", run="my-nginx", type="LoadBalancer"))
    shop = GlobalName("shop.example", "default/front", policy=policy)  # type: ignore[arg-type]
    made.names.append(shop)
    made.run(made.now + 120 * S)
    return made, shop


def test_a_lost_cluster_is_taken_out_after_three_failed_checks() -> None:
    made, shop = published("east", "west")
    assert shop.answer() == ("east", "west")
    lost = made.now
    made.lose("west")
    made.run(lost + 2 * shop.interval)
    assert shop.answer() == ("east", "west")
    made.run(lost + shop.threshold * shop.interval)
    assert shop.answer() == ("east",)


def test_clients_go_on_with_what_they_were_told_until_its_time_is_over() -> None:
    made, shop = published("east", "west")
    assert shop.told("browser", made.now) == ("east", "west")
    told = made.now
    made.lose("west")
    made.run(told + shop.ttl - 1 * S)
    assert shop.answer() == ("east",)
    assert shop.told("browser", made.now) == ("east", "west")  # it has not asked again
    made.run(told + shop.ttl)
    assert shop.told("browser", made.now) == ("east",)


def test_failover_answers_with_the_first_that_is_well() -> None:
    made, shop = published("east", "west", policy="failover")
    assert shop.answer() == ("east",)
    made.lose("east")
    made.run(made.now + shop.threshold * shop.interval + 1 * S)
    assert shop.answer() == ("west",)


def test_when_nobody_is_well_all_are_answered() -> None:
    made, shop = published("east")
    made.lose("east")
    made.run(made.now + 60 * S)
    assert shop.healthy == {"east": False}
    assert shop.answer() == ("east",)
