"""`kubectl get nodes`, and the workloads on them."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from netsim.api.printing import print_objects
from netsim.api.tables import View, narrow, table
from netsim.units import S

NOW = 35 * S


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def shown(kind: str, *objects: dict[str, Any], now: int = NOW, **options: Any) -> str:
    return print_objects(kind, objects, now=now, **options)


def row(kind: str, obj: dict[str, Any], now: int = NOW, wide: bool = False) -> dict[str, str]:
    """The cells of one object, by column."""
    one = narrow(table(kind, [obj], View(now, wide)), wide)
    return {column.name.upper(): cell for column, cell in zip(one.columns, one.rows[0], strict=True)}


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
    cells = row("Node", node("worker-1"), wide=True)
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
