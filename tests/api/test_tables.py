"""kubectl's tables, character by character."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from netsim.api.printing import Group, Options, print_groups, print_objects
from netsim.api.tables.layout import PAGE, TABLE, align
from netsim.units import MINUTE, S

NOW = 35 * S


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def shown(kind: str, *objects: dict[str, Any], now: int = NOW, **options: Any) -> str:
    return print_objects(kind, objects, now=now, **options)


def row(kind: str, obj: dict[str, Any], **options: Any) -> dict[str, str]:
    """The cells of one object by column; columns are at least three blanks apart."""
    header, line = shown(kind, obj, **options).splitlines()
    starts = [0, *(i for i in range(3, len(header)) if header[i] != " " and header[i - 3 : i] == "   ")]
    ends = [*starts[1:], max(len(header), len(line))]
    return {header[a:b].strip(): line[a:b].strip() for a, b in zip(starts, ends, strict=True)}


def container(name: str = "nginx", **fields: Any) -> dict[str, Any]:
    status = {"name": name, "ready": True, "started": True, "restartCount": 0}
    return {**status, "state": {"running": {"startedAt": 2 * S}}, "lastState": {}, **fields}


def pod(name: str = "web", *statuses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    containers = statuses or (container(),)
    spec = {"containers": [{"name": one["name"]} for one in containers], "nodeName": "node-1"}
    conditions = [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}]
    status = {"phase": "Running", "podIP": "10.244.1.2", "podIPs": [{"ip": "10.244.1.2"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "creationTimestamp": 0,
            **fields.get("metadata", {}),
        },
        "spec": {**spec, **fields.get("spec", {})},
        "status": {
            **status,
            "conditions": conditions,
            "containerStatuses": list(containers),
            **fields.get("status", {}),
        },
    }


def waiting(reason: str, **fields: Any) -> dict[str, Any]:
    return container(ready=False, started=False, state={"waiting": {"reason": reason}}, **fields)


def ended(name: str = "nginx", **how: Any) -> dict[str, Any]:
    return container(name, ready=False, started=False, state={"terminated": {"exitCode": 0, **how}})


# layout ------------------------------------------------------------------------------------------------


def test_columns_stand_three_blanks_apart_and_the_last_one_has_none_behind_it() -> None:
    assert align([["NAME", "READY", "AGE"], ["a-long-name", "1/1", "5s"]], **TABLE) == [
        "NAME          READY   AGE",
        "a-long-name   1/1     5s",
    ]


def test_a_narrow_column_of_a_table_is_six_wide() -> None:
    assert align([["A", "B"], ["x", "y"]], **TABLE) == ["A     B", "x     y"]


def test_a_line_without_tabs_ends_a_column_and_the_next_has_its_own_width() -> None:
    lines = [["Name:", "web"], ["Controlled By:", "x"], ["Containers:"], ["  a:"], ["    Image:", "nginx"]]
    assert align(lines, **PAGE) == [
        "Name:           web",
        "Controlled By:  x",
        "Containers:",
        "  a:",
        "    Image:  nginx",
    ]


def test_an_empty_cell_in_the_middle_keeps_its_place() -> None:
    assert align([["A", "B", "C"], ["x", "", "z"]], **TABLE) == ["A     B     C", "x           z"]


# pods --------------------------------------------------------------------------------------------------


def test_get_pods() -> None:
    young = pod("my-nginx-5d6b9f7c4-z7k2x", waiting("ContainerCreating"), status={"phase": "Pending"})
    assert shown("Pod", pod("my-nginx-5d6b9f7c4-2kq8f"), young) == golden("""
        NAME                       READY   STATUS              RESTARTS   AGE
        my-nginx-5d6b9f7c4-2kq8f   1/1     Running             0          35s
        my-nginx-5d6b9f7c4-z7k2x   0/1     ContainerCreating   0          35s
        """)


def test_get_pods_wide() -> None:
    unbound = pod("new", spec={"nodeName": ""}, status={"phase": "Pending", "podIP": "", "podIPs": []})
    unbound["status"]["containerStatuses"] = []
    assert shown("Pod", pod("web"), unbound, output="wide") == golden("""
        NAME   READY   STATUS    RESTARTS   AGE   IP           NODE     NOMINATED NODE   READINESS GATES
        web    1/1     Running   0          35s   10.244.1.2   node-1   <none>           <none>
        new    0/1     Pending   0          35s   <none>       <none>   <none>           <none>
        """)


def test_a_pod_on_a_dead_node_still_shows_one_of_one_and_running() -> None:
    for status in ("False", "Unknown"):
        gone = pod(status={"conditions": [{"type": "Ready", "status": status}]})
        cells = row("Pod", gone)
        assert (cells["READY"], cells["STATUS"]) == ("1/1", "Running")


def test_a_deleted_pod_on_a_dead_node_is_terminating_and_still_one_of_one() -> None:
    gone = pod(
        metadata={"deletionTimestamp": 30 * S},
        status={"conditions": [{"type": "Ready", "status": "False"}]},
    )
    cells = row("Pod", gone)
    assert (cells["READY"], cells["STATUS"]) == ("1/1", "Terminating")


LEAVING = {"deletionTimestamp": 30 * S}
CRASH = {"lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": 20 * S}}}
TWO_INIT = {"initContainers": [{"name": "one"}, {"name": "two"}]}
SIDECAR = {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}
FRESH = {"phase": "Pending", "conditions": []}

STATUSES = [
    # what                                    the pod                                               READY  STATUS
    ("the phase", pod(status={"phase": "Pending", "containerStatuses": []}), "0/1", "Pending"),
    (
        "a reason beats the phase",
        pod(status={"phase": "Failed", "reason": "Evicted", "containerStatuses": []}),
        "0/1",
        "Evicted",
    ),
    (
        "a scheduling gate beats the reason",
        pod(
            status={
                "reason": "X",
                "containerStatuses": [],
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            }
        ),
        "0/1",
        "SchedulingGated",
    ),
    ("creating", pod("p", waiting("ContainerCreating")), "0/1", "ContainerCreating"),
    ("crash loop", pod("p", waiting("CrashLoopBackOff", restartCount=4, **CRASH)), "0/1", "CrashLoopBackOff"),
    ("image", pod("p", waiting("ImagePullBackOff")), "0/1", "ImagePullBackOff"),
    ("a waiting container without a reason says nothing", pod("p", waiting("")), "0/1", "Running"),
    ("done", pod("p", ended(reason="Completed"), status={"phase": "Succeeded"}), "0/1", "Completed"),
    ("failed", pod("p", ended(exitCode=1, reason="Error"), status={"phase": "Failed"}), "0/1", "Error"),
    ("out of memory", pod("p", ended(exitCode=137, reason="OOMKilled")), "0/1", "OOMKilled"),
    ("an exit code without a reason", pod("p", ended(exitCode=3)), "0/1", "ExitCode:3"),
    ("a signal without a reason", pod("p", ended(exitCode=137, signal=9)), "0/1", "Signal:9"),
    (
        "the first container wins",
        pod("p", waiting("First"), {**waiting("Second"), "name": "b"}),
        "0/2",
        "First",
    ),
    (
        "a container with a word beats one without",
        pod("p", container("a"), {**waiting("Second"), "name": "b"}),
        "1/2",
        "Second",
    ),
    (
        "completed beside a running one",
        pod("p", ended("a", reason="Completed"), container("b")),
        "1/2",
        "Running",
    ),
    (
        "completed beside a running one, not ready",
        pod("p", ended("a", reason="Completed"), container("b"), status={"conditions": []}),
        "1/2",
        "NotReady",
    ),
    ("running but not ready", pod("p", container(ready=False)), "0/1", "Running"),
    ("leaving", pod(metadata=LEAVING), "1/1", "Terminating"),
    (
        "leaving beats a crash loop",
        pod("p", waiting("CrashLoopBackOff"), metadata=LEAVING),
        "0/1",
        "Terminating",
    ),
    (
        "leaving but finished",
        pod("p", ended(reason="Completed"), metadata=LEAVING, status={"phase": "Succeeded"}),
        "0/1",
        "Completed",
    ),
    ("leaving, its node lost", pod(metadata=LEAVING, status={"reason": "NodeLost"}), "1/1", "Unknown"),
    ("a lost node alone", pod(status={"reason": "NodeLost"}), "1/1", "NodeLost"),
    # init containers
    (
        "first init container runs",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={
                **FRESH,
                "initContainerStatuses": [container("one", ready=False), waiting("PodInitializing")],
            },
        ),
        "0/1",
        "Init:0/2",
    ),
    (
        "second init container runs",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={
                **FRESH,
                "initContainerStatuses": [ended("one", reason="Completed"), container("two", ready=False)],
            },
        ),
        "0/1",
        "Init:1/2",
    ),
    (
        "an init container waits",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={**FRESH, "initContainerStatuses": [{**waiting("ErrImagePull"), "name": "one"}]},
        ),
        "0/1",
        "Init:ErrImagePull",
    ),
    (
        "an init container failed",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={**FRESH, "initContainerStatuses": [ended("one", exitCode=1, reason="Error")]},
        ),
        "0/1",
        "Init:Error",
    ),
    (
        "an init container's exit code",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={**FRESH, "initContainerStatuses": [ended("one", exitCode=7)]},
        ),
        "0/1",
        "Init:ExitCode:7",
    ),
    (
        "an init container's signal",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={**FRESH, "initContainerStatuses": [ended("one", exitCode=137, signal=9)]},
        ),
        "0/1",
        "Init:Signal:9",
    ),
    (
        "all init containers through",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            status={**FRESH, "initContainerStatuses": [ended("one"), ended("two")]},
        ),
        "0/1",
        "PodInitializing",
    ),
    (
        "leaving beats init",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=TWO_INIT,
            metadata=LEAVING,
            status={**FRESH, "initContainerStatuses": [ended("one", exitCode=7)]},
        ),
        "0/1",
        "Terminating",
    ),
    # sidecars
    (
        "a sidecar counts",
        pod(spec=SIDECAR, status={"initContainerStatuses": [container("proxy")]}),
        "2/2",
        "Running",
    ),
    (
        "a sidecar that is not ready",
        pod(spec=SIDECAR, status={"initContainerStatuses": [container("proxy", ready=False)]}),
        "1/2",
        "Running",
    ),
    (
        "a sidecar that has not started",
        pod(
            "p",
            waiting("PodInitializing"),
            spec=SIDECAR,
            status={**FRESH, "initContainerStatuses": [container("proxy", ready=False, started=False)]},
        ),
        "0/2",
        "Init:0/1",
    ),
]


@pytest.mark.parametrize(("pod_", "ready", "status"), [r[1:] for r in STATUSES], ids=[r[0] for r in STATUSES])
def test_one_word_says_how_a_pod_is(pod_: dict[str, Any], ready: str, status: str) -> None:
    cells = row("Pod", pod_)
    assert (cells["READY"], cells["STATUS"]) == (ready, status)


def test_restarts_tell_when_the_last_one_was() -> None:
    ended_at = {"lastState": {"terminated": {"exitCode": 1, "finishedAt": 10 * S}}}
    earlier = {"lastState": {"terminated": {"exitCode": 1, "finishedAt": 4 * S}}}
    several = pod("p", container("a", restartCount=3, **ended_at), container("b", restartCount=2, **earlier))
    assert row("Pod", several, now=190 * S)["RESTARTS"] == "5 (3m ago)"


def test_restarts_without_a_time_are_a_number_and_those_of_init_containers_end_with_them() -> None:
    assert row("Pod", pod("p", container(restartCount=2)))["RESTARTS"] == "2"
    retried = {**ended("one", exitCode=1, reason="Error"), "restartCount": 6}
    during = pod(
        "p", waiting("PodInitializing"), spec=TWO_INIT, status={**FRESH, "initContainerStatuses": [retried]}
    )
    assert row("Pod", during)["RESTARTS"] == "6"
    after = pod(
        "p",
        spec=TWO_INIT,
        status={"initContainerStatuses": [{**ended("one"), "restartCount": 6}, ended("two")]},
    )
    assert row("Pod", after)["RESTARTS"] == "0"


def test_readiness_gates_are_counted() -> None:
    gated = pod(spec={"readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}]})
    gated["status"]["conditions"].append({"type": "a", "status": "True"})
    assert row("Pod", gated, output="wide")["READINESS GATES"] == "1/2"


# services and endpoints ----------------------------------------------------------------------------------


def service(name: str, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "protocol": "TCP"}]
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.9",
        "clusterIPs": ["10.96.0.9"],
        "ports": ports,
        **spec,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": 0},
        "spec": spec,
        "status": {"loadBalancer": status or {}},
    }


def balancer(*ingress: dict[str, str], **spec: Any) -> dict[str, Any]:
    return service("lb", {"ingress": list(ingress)}, type="LoadBalancer", **spec)


NODE_PORT = [
    {"port": 80, "nodePort": 30080, "protocol": "TCP"},
    {"port": 443, "nodePort": 30443, "protocol": "TCP"},
]


def test_get_services() -> None:
    objects = (
        service(
            "kubernetes", clusterIPs=["10.96.0.1"], ports=[{"port": 443, "protocol": "TCP", "name": "https"}]
        ),
        service("my-nginx", type="NodePort", ports=NODE_PORT, selector={"run": "my-nginx", "app": "web"}),
        service("headless", clusterIP="None", clusterIPs=["None"], ports=[]),
        service("elsewhere", type="ExternalName", externalName="db.example.com", clusterIPs=[], clusterIP=""),
    )
    assert shown("Service", *objects) == golden("""
        NAME         TYPE           CLUSTER-IP   EXTERNAL-IP      PORT(S)                      AGE
        kubernetes   ClusterIP      10.96.0.1    <none>           443/TCP                      35s
        my-nginx     NodePort       10.96.0.9    <none>           80:30080/TCP,443:30443/TCP   35s
        headless     ClusterIP      None         <none>           <none>                       35s
        elsewhere    ExternalName   <none>       db.example.com   80/TCP                       35s
        """)
    assert row("Service", objects[1], output="wide")["SELECTOR"] == "app=web,run=my-nginx"
    assert row("Service", objects[0], output="wide")["SELECTOR"] == "<none>"


LONG = "a1b2c3d4e5f6-1234567890.us-east-1.elb.amazonaws.com"

EXTERNAL = [
    # what                          the service                                                shown
    ("not given yet", balancer(), "<pending>"),
    ("an address", balancer({"ip": "198.51.100.1"}), "198.51.100.1"),
    ("sorted", balancer({"ip": "10.0.0.9"}, {"ip": "10.0.0.1"}), "10.0.0.1,10.0..."),
    ("a long host name is clipped to 16", balancer({"hostname": LONG}), "a1b2c3d4e5f6-..."),
    ("exactly 16 is not", balancer({"hostname": "a.b.example.com1"}), "a.b.example.com1"),
    (
        "external addresses behind",
        balancer({"ip": "10.0.0.1"}, externalIPs=["192.0.2.7"]),
        "10.0.0.1,192.0.2.7",
    ),
    ("external addresses alone", balancer(externalIPs=["192.0.2.7"]), "192.0.2.7"),
    ("of a ClusterIP", service("s", externalIPs=["192.0.2.7", "192.0.2.8"]), "192.0.2.7,192.0.2.8"),
    ("of a NodePort", service("s", type="NodePort", externalIPs=["192.0.2.7"]), "192.0.2.7"),
]


@pytest.mark.parametrize(("obj", "text"), [r[1:] for r in EXTERNAL], ids=[r[0] for r in EXTERNAL])
def test_the_external_address_of_a_service(obj: dict[str, Any], text: str) -> None:
    assert row("Service", obj)["EXTERNAL-IP"] == text


def test_a_wide_table_shows_a_long_host_name_in_full() -> None:
    assert row("Service", balancer({"hostname": LONG}), output="wide")["EXTERNAL-IP"] == LONG


def endpoints(*subsets: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "default", "creationTimestamp": 0}
    obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
    return {**obj, "subsets": list(subsets)} if subsets else obj


def addresses(*last: int) -> list[dict[str, str]]:
    return [{"ip": f"10.244.1.{number}"} for number in last]


PORT = [{"port": 80, "protocol": "TCP"}]

ENDPOINTS = [
    ("none at all", endpoints(), "<none>"),
    ("not ready only", endpoints({"notReadyAddresses": addresses(2), "ports": PORT}), ""),
    ("ready", endpoints({"addresses": addresses(2, 3), "ports": PORT}), "10.244.1.2:80,10.244.1.3:80"),
    (
        "three",
        endpoints({"addresses": addresses(2, 3, 4), "ports": PORT}),
        "10.244.1.2:80,10.244.1.3:80,10.244.1.4:80",
    ),
    (
        "more than three",
        endpoints({"addresses": addresses(2, 3, 4, 5, 6), "ports": PORT}),
        "10.244.1.2:80,10.244.1.3:80,10.244.1.4:80 + 2 more...",
    ),
    (
        "ports first",
        endpoints({"addresses": addresses(2, 3), "ports": [{"port": 80}, {"port": 443}]}),
        "10.244.1.2:80,10.244.1.3:80,10.244.1.2:443 + 1 more...",
    ),
    ("without ports", endpoints({"addresses": addresses(2)}), "10.244.1.2"),
    ("IPv6", endpoints({"addresses": [{"ip": "fd00::2"}], "ports": PORT}), "[fd00::2]:80"),
]


@pytest.mark.parametrize(("obj", "text"), [r[1:] for r in ENDPOINTS], ids=[r[0] for r in ENDPOINTS])
def test_endpoints_are_the_ready_addresses(obj: dict[str, Any], text: str) -> None:
    assert row("Endpoints", obj)["ENDPOINTS"] == text


def slice_(name: str = "web-abcde", *last: int, ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    conditions = {"ready": False, "serving": False, "terminating": True}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": 0},
        "addressType": "IPv4",
        "ports": [{"port": 80, "name": "", "protocol": "TCP"}] if ports is None else ports,
        "endpoints": [{"addresses": [f"10.244.1.{number}"], "conditions": conditions} for number in last],
    }


def test_endpointslices_show_all_addresses_ready_or_not() -> None:
    two, four = slice_("web-abcde", 2, 3), slice_("web-fghij", 2, 3, 4, 5)
    assert shown("EndpointSlice", two, four) == golden("""
        NAME        ADDRESSTYPE   PORTS   ENDPOINTS                                      AGE
        web-abcde   IPv4          80      10.244.1.2,10.244.1.3                          35s
        web-fghij   IPv4          80      10.244.1.2,10.244.1.3,10.244.1.4 + 1 more...   35s
        """)


def test_an_empty_slice_has_neither_ports_nor_endpoints_set() -> None:
    cells = row("EndpointSlice", slice_(ports=[]))
    assert (cells["PORTS"], cells["ENDPOINTS"]) == ("<unset>", "<unset>")


def test_a_slice_port_without_a_number_is_called_by_its_name() -> None:
    assert row("EndpointSlice", slice_(ports=[{"name": "http"}, {"name": None}]))["PORTS"] == "http,*"


# nodes -------------------------------------------------------------------------------------------------


def node(
    name: str, ready: str | None = "True", labels: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "creationTimestamp": 0, "labels": labels or {}},
        "spec": spec,
        "status": {
            "conditions": conditions,
            "nodeInfo": {"kubeletVersion": "v1.32.0", "osImage": "Debian GNU/Linux 12 (bookworm)"},
            "addresses": [
                {"type": "Hostname", "address": name},
                {"type": "InternalIP", "address": "192.168.0.2"},
                {"type": "InternalIP", "address": "192.168.0.3"},
            ],
        },
    }


CONTROL_PLANE = {"node-role.kubernetes.io/control-plane": ""}


def test_get_nodes() -> None:
    objects = (
        node("control-plane", labels=CONTROL_PLANE),
        node("worker-1", "Unknown"),
        node("worker-2", "False"),
    )
    assert shown("Node", *objects, now=130 * S) == golden("""
        NAME            STATUS     ROLES           AGE     VERSION
        control-plane   Ready      control-plane   2m10s   v1.32.0
        worker-1        NotReady   <none>          2m10s   v1.32.0
        worker-2        NotReady   <none>          2m10s   v1.32.0
        """)


def test_get_nodes_wide() -> None:
    cells = row("Node", node("worker-1"), output="wide")
    assert list(cells)[-5:] == [
        "INTERNAL-IP",
        "EXTERNAL-IP",
        "OS-IMAGE",
        "KERNEL-VERSION",
        "CONTAINER-RUNTIME",
    ]
    assert list(cells.values())[-5:] == [
        "192.168.0.2",
        "<none>",
        "Debian GNU/Linux 12 (bookworm)",
        "<unknown>",
        "<unknown>",
    ]


NODES = [
    ("ready", node("n"), "Ready"),
    ("silent", node("n", "Unknown"), "NotReady"),
    ("unwell", node("n", "False"), "NotReady"),
    ("never heard of", node("n", None), "Unknown"),
    ("cordoned", node("n", unschedulable=True), "Ready,SchedulingDisabled"),
    ("cordoned and silent", node("n", "Unknown", unschedulable=True), "NotReady,SchedulingDisabled"),
]


@pytest.mark.parametrize(("obj", "text"), [r[1:] for r in NODES], ids=[r[0] for r in NODES])
def test_one_word_says_how_a_node_is(obj: dict[str, Any], text: str) -> None:
    assert row("Node", obj)["STATUS"] == text


def test_roles_are_sorted() -> None:
    labels = {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/infra": "",
        "kubernetes.io/role": "edge",
    }
    assert row("Node", node("n", labels=labels))["ROLES"] == "edge,infra,worker"


# workloads ---------------------------------------------------------------------------------------------


def workload(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    template = {
        "spec": {"containers": [{"name": "nginx", "image": "nginx:1"}, {"name": "b", "image": "busybox"}]}
    }
    spec = {"template": template, "selector": {"matchLabels": {"run": "my-nginx"}}, **spec}
    metadata = {"name": "my-nginx", "namespace": "default", "creationTimestamp": 0}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def test_get_deployments() -> None:
    status = {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}
    deployment = workload("Deployment", status, replicas=2)
    assert shown("Deployment", deployment) == golden("""
        NAME       READY   UP-TO-DATE   AVAILABLE   AGE
        my-nginx   1/2     2            1           35s
        """)
    assert shown("Deployment", deployment, output="wide") == golden("""
        NAME       READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES            SELECTOR
        my-nginx   1/2     2            1           35s   nginx,b      nginx:1,busybox   run=my-nginx
        """)


def test_a_deployment_that_has_not_started_counts_from_zero() -> None:
    assert row("Deployment", workload("Deployment", {}, replicas=2))["READY"] == "0/2"


def test_get_replicasets() -> None:
    assert shown(
        "ReplicaSet", workload("ReplicaSet", {"replicas": 2, "readyReplicas": 1}, replicas=3)
    ) == golden("""
        NAME       DESIRED   CURRENT   READY   AGE
        my-nginx   3         2         1       35s
        """)


def test_get_statefulsets() -> None:
    assert shown("StatefulSet", workload("StatefulSet", {"readyReplicas": 2}, replicas=3)) == golden("""
        NAME       READY   AGE
        my-nginx   2/3     35s
        """)


def test_get_daemonsets() -> None:
    status = {
        "desiredNumberScheduled": 3,
        "currentNumberScheduled": 3,
        "numberReady": 2,
        "updatedNumberScheduled": 3,
        "numberAvailable": 2,
    }
    assert shown("DaemonSet", workload("DaemonSet", status)) == golden("""
        NAME       DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE
        my-nginx   3         3         2       3            2           <none>          35s
        """)


def test_get_pod_disruption_budgets() -> None:
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default", "creationTimestamp": 0},
        "spec": {"minAvailable": "50%"},
        "status": {"disruptionsAllowed": 1},
    }
    assert shown("PodDisruptionBudget", budget) == golden("""
        NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE
        web    50%             N/A               1                     35s
        """)
    assert row("PodDisruptionBudget", {**budget, "spec": {"maxUnavailable": 0}})["MAX UNAVAILABLE"] == "0"


# the rest ----------------------------------------------------------------------------------------------


def event(**fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "node-1.17f", "namespace": "default", "creationTimestamp": 5 * S},
        "involvedObject": {"kind": "Node", "name": "node-1"},
        "type": "Normal",
        "reason": "NodeNotReady",
        "message": "Node node-1 status is now: NodeNotReady\n",
        "source": {"component": "node-controller"},
        "firstTimestamp": 5 * S,
        "lastTimestamp": 5 * S,
        "count": 1,
        **fields,
    }


def test_get_events() -> None:
    assert shown("Event", event()) == golden("""
        LAST SEEN   TYPE     REASON         OBJECT        MESSAGE
        30s         Normal   NodeNotReady   node/node-1   Node node-1 status is now: NodeNotReady
        """)


def test_get_events_wide() -> None:
    again = event(lastTimestamp=32 * S, count=4, source={"component": "kubelet", "host": "node-1"})
    again["involvedObject"]["fieldPath"] = "spec.containers{nginx}"
    cells = row("Event", again, output="wide")
    assert list(cells) == [
        "LAST SEEN",
        "TYPE",
        "REASON",
        "OBJECT",
        "SUBOBJECT",
        "SOURCE",
        "MESSAGE",
        "FIRST SEEN",
        "COUNT",
        "NAME",
    ]
    assert (cells["LAST SEEN"], cells["FIRST SEEN"], cells["COUNT"]) == ("3s", "30s", "4")
    assert (cells["SUBOBJECT"], cells["SOURCE"]) == ("spec.containers{nginx}", "kubelet, node-1")


def test_an_event_with_a_series_was_last_seen_when_the_series_was() -> None:
    series = {"count": 7, "lastObservedTime": 34 * S}
    new = event(firstTimestamp=None, lastTimestamp=None, eventTime=5 * S, series=series, count=None)
    cells = row("Event", new, output="wide")
    assert (cells["LAST SEEN"], cells["FIRST SEEN"], cells["COUNT"]) == ("1s", "30s", "7")


def test_a_cell_of_several_lines_is_cut_at_the_first() -> None:
    assert row("Event", event(message="one\ntwo"))["MESSAGE"] == "one..."


def plain(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": "thing", "namespace": "default", "creationTimestamp": 0}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


OTHERS = [
    (
        plain("v1", "ConfigMap", data={"a": "1", "b": "2"}, binaryData={"c": ""}),
        "NAME    DATA   AGE\nthing   3      35s\n",
    ),
    (
        plain("v1", "Secret", type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""}),
        "NAME    TYPE                DATA   AGE\nthing   kubernetes.io/tls   2      35s\n",
    ),
    (plain("v1", "ServiceAccount"), "NAME    SECRETS   AGE\nthing   0         35s\n"),
    (plain("v1", "Namespace", status={"phase": "Active"}), "NAME    STATUS   AGE\nthing   Active   35s\n"),
    (
        plain("coordination.k8s.io/v1", "Lease", spec={"holderIdentity": "node-1"}),
        "NAME    HOLDER   AGE\nthing   node-1   35s\n",
    ),
    (
        plain("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {"matchLabels": {"a": "b"}}}),
        "NAME    POD-SELECTOR   AGE\nthing   a=b            35s\n",
    ),
    (plain("networking.k8s.io/v1", "Ingress"), "NAME    AGE\nthing   35s\n"),
]


@pytest.mark.parametrize(("obj", "text"), OTHERS, ids=[row[0]["kind"] for row in OTHERS])
def test_the_other_kinds(obj: dict[str, Any], text: str) -> None:
    assert shown(obj["kind"], obj) == text


# flags -------------------------------------------------------------------------------------------------


def test_all_namespaces_puts_the_namespace_in_front() -> None:
    other = pod("dns", metadata={"namespace": "kube-system"})
    assert shown("Pod", pod("web"), other, all_namespaces=True) == golden("""
        NAMESPACE     NAME   READY   STATUS    RESTARTS   AGE
        default       web    1/1     Running   0          35s
        kube-system   dns    1/1     Running   0          35s
        """)


def test_labels_come_last_and_chosen_ones_before_all() -> None:
    labelled = pod(metadata={"labels": {"run": "web", "topology.kubernetes.io/zone": "a"}})
    text = shown(
        "Pod", labelled, pod("bare"), show_labels=True, label_columns=("topology.kubernetes.io/zone",)
    )
    assert text == golden("""
        NAME   READY   STATUS    RESTARTS   AGE   ZONE   LABELS
        web    1/1     Running   0          35s   a      run=web,topology.kubernetes.io/zone=a
        bare   1/1     Running   0          35s          <none>
        """)


def test_without_headers_the_columns_stay() -> None:
    assert shown("Pod", pod("web"), no_headers=True) == "web   1/1   Running   0     35s\n"


def test_several_kinds_follow_each_other_with_their_kinds_before_the_names() -> None:
    deployment = workload("Deployment", {"readyReplicas": 2}, replicas=2)
    groups = [Group("Pod", (pod("web"),)), Group("Service", ()), Group("Deployment", (deployment,))]
    assert print_groups(groups, Options(), NOW).text == golden("""
        NAME      READY   STATUS    RESTARTS   AGE
        pod/web   1/1     Running   0          35s

        NAME                       READY   UP-TO-DATE   AVAILABLE   AGE
        deployment.apps/my-nginx   2/2     0            0           35s
        """)


NOTHING = [
    ([Group("Pod", ())], Options(namespace="shop"), "No resources found in shop namespace.\n"),
    ([Group("Pod", ())], Options(all_namespaces=True), "No resources found\n"),
    ([Group("Node", (), namespaced=False)], Options(), "No resources found\n"),
    ([Group("Pod", ()), Group("Node", (), namespaced=False)], Options(), "No resources found\n"),
]


@pytest.mark.parametrize(("groups", "options", "notice"), NOTHING)
def test_nothing_found_is_said_apart_from_the_table(
    groups: list[Group], options: Options, notice: str
) -> None:
    printed = print_groups(groups, options, NOW)
    assert (printed.text, printed.notice) == ("", notice)


def test_an_old_object_among_young_ones_widens_the_age_column() -> None:
    old = pod("old", metadata={"creationTimestamp": 0})
    young = pod("young", metadata={"creationTimestamp": 5 * MINUTE})
    assert shown("Pod", old, young, now=5 * MINUTE + 7 * S, output="wide") == golden("""
        NAME    READY   STATUS    RESTARTS   AGE    IP           NODE     NOMINATED NODE   READINESS GATES
        old     1/1     Running   0          5m7s   10.244.1.2   node-1   <none>           <none>
        young   1/1     Running   0          7s     10.244.1.2   node-1   <none>           <none>
        """)
