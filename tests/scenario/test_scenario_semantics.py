"""What is well formed and still cannot be meant; and what looks odd, but can."""

from __future__ import annotations

import pytest

from netsim.errors import ScenarioError
from netsim.scenario.load import loads
from netsim.scenario.measures import MEASURES, format_bound, parse_bound

CLUSTER = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: a}
duration: 1m
cluster: {nodes: [{name: control, role: control-plane}, {name: worker, count: 3}]}
"""
OBJECTS = """
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec:
  containers: [{name: main, image: curl, ports: [{containerPort: 9000}, {containerPort: 53, hostPort: 8053}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: main, image: curl}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: a, port: 80}, {name: b, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: main, image: nginx}]}
"""
ANY_NODE_PORT = """
---
apiVersion: v1
kind: Service
metadata: {name: any}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
"""


def said(text: str) -> list[str]:
    """The messages that a scenario meets with, without their places."""
    try:
        loads(text)
    except ScenarioError as error:
        return [problem.message for problem in error.problems]
    return []


def traffic(source: str, target: str, extra: str = "") -> str:
    return CLUSTER + f"traffic: [{{name: t, from: {source}, to: '{target}', rate: 1/s{extra}}}]" + OBJECTS


FINE = [
    ("pod/client.shop", "http://web"),
    ("pod/client.shop", "http://web.shop"),
    ("pod/client", "http://web.shop"),
    ("pod/client", "http://web.shop.svc"),
    ("pod/client", "http://web.shop.svc.cluster.local"),
    ("pod/client", "http://web.shop.svc.cluster.local."),
    ("pod/client", "http://db:1234"),  # a headless Service is a name; its pods listen where they like
    ("pod/client", "http://db-0.db:5432"),
    ("pod/client", "svc/web.shop:80"),
    ("pod/client", "http://worker-2:30080"),
    ("pod/client", "https://10.1.2.3:80"),
    ("node/control", "http://front.default.svc.cluster.local"),
    ("outside", "lb/front:80"),
    ("outside", "node/worker-3:30080"),
    ("outside", "node/worker-3:8053"),  # a host port
    ("outside", "node/worker-3:10250"),  # the kubelet
    ("outside", "pod/client.shop:9000"),
    ("outside", "svc/web.shop:80"),  # no way in, which may be what is to be shown
]


@pytest.mark.parametrize(("source", "target"), FINE)
def test_traffic_may_ask_whatever_is_there(source: str, target: str) -> None:
    assert said(traffic(source, target)) == []


MISDIRECTED = [
    ("pod/client", "http://web", 'no Service is called "web"'),
    ("pod/client", "http://web.", 'no Service is called "web."'),
    (
        "pod/client",
        "http://web.shop.svc.cluster.example",
        'no Service is called "web.shop.svc.cluster.example"',
    ),
    ("pod/client", "http://www.example.com", 'no Service is called "www.example.com"'),
    ("pod/client", "http://x.web.shop", 'no Service is called "x.web.shop"'),
    ("pod/client", "https://web.shop", 'the Service "web" has no port 443/TCP'),
    ("pod/client", "svc/web.shop:53", 'the Service "web" has no port 53/TCP'),
    ("pod/client", "svc/web:80", 'no manifest has a Service "web" in namespace "default"'),
    ("pod/client", "svc/db:5432", 'the Service "db" has no cluster IP'),
    ("outside", "lb/web.shop:80", 'the Service "web" is of type ClusterIP, which has no load balancer'),
    ("outside", "lb/front:8080", 'the Service "front" has no port 8080/TCP'),
    ("outside", "node/worker-3:80", "nothing listens on port 80 of a node"),
    ("outside", "node/worker-3:30081", "nothing listens on port 30081 of a node"),
    ("outside", "http://worker-4:30080", 'no Service is called "worker-4"'),
    ("outside", "pod/client:80", 'the Pod "client" does not listen on port 80'),
    (
        "node/control",
        "http://front",
        '"front" means nothing on a node: only in a pod does DNS complete names',
    ),
]


@pytest.mark.parametrize(("source", "target", "message"), MISDIRECTED)
def test_traffic_cannot_ask_what_is_not_there(source: str, target: str, message: str) -> None:
    assert said(traffic(source, target)) == [f"traffic[0].to: {message}"]


def test_a_udp_port_is_asked_by_udp() -> None:
    assert said(traffic("pod/client", "svc/web.shop:53", ", protocol: UDP")) == []


def test_a_node_port_that_kubernetes_will_choose_cannot_be_judged() -> None:
    text = traffic("outside", "node/worker-1:31234")
    assert said(text) == ["traffic[0].to: nothing listens on port 31234 of a node"]
    assert said(text + ANY_NODE_PORT) == []


def test_a_pod_that_a_deployment_makes_has_no_name_yet() -> None:
    (message,) = said(traffic("pod/web.shop", "lb/front:80"))
    assert message == 'traffic[0].from: no manifest has a Pod "web" in namespace "shop"'


def test_pods_without_a_name_of_their_own_are_no_help() -> None:
    text = traffic("pod/clinet", "lb/front:80").replace(
        "metadata: {name: client}", "metadata: {generateName: client-}"
    )
    assert said(text) == ['traffic[0].from: no manifest has a Pod "clinet" in namespace "default"']


def test_serving_says_where_a_pod_listens() -> None:
    text = traffic("outside", "pod/client:80")
    serving = "\nserving: [{selector: {app: nobody}, ports: [80]}, {namespace: default, ports: [80]}]\n---"
    assert said(text.replace("\n---", serving, 1)) == ["serving[0].selector matches no pod"]


SELECTED = [
    ("{}", []),
    ("{selector: {app: web}}", []),
    ("{selector: {app: web, tier: front}, namespace: shop}", []),
    ("{selector: {app: web, tier: back}}", ["serving[0].selector matches no pod"]),
    ("{selector: {app: web}, namespace: default}", ["serving[0].selector matches no pod"]),
    ("{namespace: shops}", ['serving[0].namespace: no manifest has pods in namespace "shops"']),
]


@pytest.mark.parametrize(("serving", "messages"), SELECTED)
def test_serving_selects_pods_that_are_there(serving: str, messages: list[str]) -> None:
    assert said(CLUSTER + f"serving: [{serving}]" + OBJECTS) == messages


def losses(*faults: str) -> str:
    lines = [f"- {{name: f{i}, action: node-power-loss, {fault}}}\n" for i, fault in enumerate(faults)]
    return CLUSTER + "faults:\n" + "".join(lines)


POWER = [
    # the faults, and the node that has no power when the second begins
    (
        ("at: 10s, duration: 5s, selector: {nodes: [worker-1]}", "at: 15s, selector: {nodes: [worker-1]}"),
        None,
    ),
    (
        ("at: 10s, duration: 5s, selector: {nodes: [worker-1]}", "at: 14s, selector: {nodes: [worker-1]}"),
        "worker-1",
    ),
    (("at: 10s, selector: {nodes: [worker-1]}", "at: 50s, selector: {nodes: [worker-1]}"), "worker-1"),
    (("at: 10s, selector: {nodes: [worker-1]}", "at: 50s, selector: {nodes: [worker-2]}"), None),
    (("at: 50s, selector: {nodes: [worker-1]}", "at: 10s, mode: all"), "worker-1"),
    (("at: 10s", "at: 10s"), None),  # which node each hits is for chance to say
    (("at: 10s, mode: fixed, value: 9", "at: 10s, mode: fixed-percent, value: 100"), "control"),
]


@pytest.mark.parametrize(("faults", "node"), POWER)
def test_a_node_loses_its_power_once_at_a_time(faults: tuple[str, ...], node: str | None) -> None:
    messages = said(losses(*faults))
    assert messages == ([f"faults[1]: {node} has no power at that time"] if node else [])


def test_more_than_all_nodes_cannot_be_hit() -> None:
    messages = said(losses("at: 10s, mode: fixed-percent, value: 101"))
    assert messages == ["faults[0].value: 101 in a hundred are too many"]


RANGES = [
    # what `addresses` says                              what is wrong
    ("{}", None),
    ("{pods: 10.128.0.0/10, nodeMask: 26}", None),
    ("{pods: 10.96.0.0/16}", "cluster.addresses: pods 10.96.0.0/16 and services 10.96.0.0/12 overlap"),
    ("{nodes: 10.244.7.0/24}", "cluster.addresses: pods 10.244.0.0/16 and nodes 10.244.7.0/24 overlap"),
    (
        "{pods: 'fd00::/56', nodeMask: 64}",
        "cluster.addresses: pods of IPv6, the others of IPv4: dual stack is not simulated",
    ),
    (
        "{pods: 'fd01::/56', services: 'fd02::/112', nodes: 'fd03::/64', external: 'fd04::/64', "
        "loadBalancers: 'fd05::/64'}",
        "cluster.addresses.nodeMask: a node's /24 does not fit into fd01::/56",
    ),
    ("{nodeMask: 31}", "cluster.addresses.nodeMask: must be at most 30, found 31"),
    ("{nodeMask: 15}", "cluster.addresses.nodeMask: a node's /15 does not fit into 10.244.0.0/16"),
    (
        "{pods: 10.244.0.0/23}",
        "cluster.addresses.pods: 10.244.0.0/23 holds 2 ranges of /24, one a node, for 4 nodes",
    ),
    ("{nodes: 192.168.0.0/30}", "cluster.addresses.nodes: 192.168.0.0/30 holds 2 addresses for 4 nodes"),
]


@pytest.mark.parametrize(("addresses", "message"), RANGES)
def test_ranges_are_apart_and_wide_enough(addresses: str, message: str | None) -> None:
    text = CLUSTER.replace("cluster: {", f"cluster: {{addresses: {addresses}, ")
    assert said(text) == ([message] if message else [])


CLUSTERS = [
    # what `cluster` says                                  what is wrong
    ("nodes: [{name: a, capacity: {cpu: 500m}}]", None),
    ("nodes: [{name: a, capacity: {cpu: lots}}]", 'cluster.nodes[0].capacity.cpu: "lots" is not a quantity'),
    (
        "nodes: [{name: a, capacity: {memory: '-1'}}]",
        'cluster.nodes[0].capacity.memory: "-1" is not a quantity',
    ),
    ("nodes: [{name: a, capacity: {pods: -1}}]", "cluster.nodes[0].capacity.pods must be at least 0"),
    ("timings: {nodeEvictionRate: 0}", None),
    ("timings: {nodeEvictionRate: -1}", "cluster.timings.nodeEvictionRate must be at least 0"),
    ("timings: {controllerQps: 0}", "cluster.timings.controllerQps must be more than 0"),
    ("proxy: {syncPeriod: 0s}", "cluster.proxy.syncPeriod must be more than 0"),
    ("loadBalancer: gpc", 'cluster.loadBalancer: there is no "gpc"'),
]


@pytest.mark.parametrize(("cluster", "message"), CLUSTERS)
def test_a_cluster_can_be_built(cluster: str, message: str | None) -> None:
    nodes = "" if cluster.startswith("nodes") else "nodes: [{name: a}], "
    text = CLUSTER.partition("cluster:")[0] + f"cluster: {{{nodes}{cluster}}}\n"
    assert said(text) == ([message] if message else [])


def test_every_load_balancer_that_can_be_named_is_there() -> None:
    from netsim.control.cloud import PROFILES

    for name in PROFILES:
        assert said(CLUSTER.replace("cluster: {", f"cluster: {{loadBalancer: {name}, ")) == []


def test_a_check_of_faults_needs_a_name_unless_there_is_one_fault() -> None:
    check = "checks: [{measure: detected, atMost: 50s}]"
    assert said(losses("at: 1s") + check) == []
    several = said(
        losses("at: 1s, selector: {nodes: [control]}", "at: 1s, selector: {nodes: [worker-1]}") + check
    )
    assert several == ["checks[0]: detected is measured of one fault; say which"]
    assert said(CLUSTER + check) == several


def test_a_check_of_all_traffic_needs_no_name() -> None:
    assert said(CLUSTER + "checks: [{measure: success, atLeast: 99%}]") == []


BOUNDS = [
    # measure     bound       in the measure's unit
    ("success", "99.9%", 0.999),
    ("success", 1, 1.0),
    ("p99", "40ms", 40_000_000),
    ("p99", 0, 0),
    ("failed", 12, 12),
    ("rate", "50/s", 50.0),
    ("rate", 0, 0.0),
    ("detected", "1m30s", 90_000_000_000),
]


@pytest.mark.parametrize(("measure", "bound", "value"), BOUNDS)
def test_a_bound_is_in_the_measures_unit(measure: str, bound: str | int, value: float) -> None:
    assert parse_bound(measure, bound) == value
    text = format_bound(measure, value)
    assert parse_bound(measure, int(text) if MEASURES[measure].unit == "count" else text) == value


@pytest.mark.parametrize(
    ("measure", "bound"),
    [
        ("success", 99),
        ("success", "x%"),
        ("p99", 40),
        ("p99", "99%"),
        ("failed", -1),
        ("failed", True),
        ("rate", 5),
    ],
)
def test_a_bound_in_another_unit_is_refused(measure: str, bound: str | int) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_bound(measure, bound)
