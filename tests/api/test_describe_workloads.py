"""`kubectl describe replicaset|statefulset|daemonset|pdb`, line by line."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from netsim.api.describe import describe

Object = dict[str, Any]

TEMPLATE = {
    "metadata": {"labels": {"app": "db"}},
    "spec": {"containers": [{"name": "c", "image": "db:1", "ports": [{"containerPort": 80}]}]},
}

def workload(kind: str, status: Object, **spec: Any) -> Object:
    metadata = {"name": "db", "namespace": "default", "uid": "uid-db", "labels": {"tier": "back"}}
    given = {"selector": {"matchLabels": {"app": "db"}}, "template": TEMPLATE, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": given, "status": status}


def pods(*phases: str) -> list[Object]:
    owner = {"kind": "X", "name": "db", "uid": "uid-db", "controller": True}
    return [
        {
            "kind": "Pod",
            "metadata": {"name": f"db-{number}", "namespace": "default", "ownerReferences": [owner]},
            "spec": {},
            "status": {"phase": phase},
        }
        for number, phase in enumerate(phases)
    ]


def described(obj: Object, *others: Object) -> str:
    return describe(obj, lambda kind, namespace: [one for one in (obj, *others) if one["kind"] == kind], 0)


def test_a_replica_set() -> None:
    made = workload("ReplicaSet", {"replicas": 2}, replicas=3)
    made["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "front", "uid": "u", "controller": True}]
    assert described(made, *pods("Running", "Pending")) == dedent(
        """\
        Name:           db
        Namespace:      default
        Selector:       app=db
        Labels:         tier=back
        Annotations:    <none>
        Controlled By:  Deployment/front
        Replicas:       2 current / 3 desired
        Pods Status:    1 Running / 1 Waiting / 0 Succeeded / 0 Failed
        Pod Template:
          Labels:  app=db
          Containers:
           c:
            Image:         db:1
            Port:          80/TCP
            Host Port:     0/TCP
            Environment:   <none>
            Mounts:        <none>
          Volumes:         <none>
          Node-Selectors:  <none>
          Tolerations:     <none>
        Events:            <none>
        """
    )


def test_a_stateful_set() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    text = described(workload("StatefulSet", {"replicas": 3}, replicas=3, updateStrategy=strategy), *pods("Running"))
    assert [line.split(None, 2) for line in text.splitlines()[:11]] == [
        ["Name:", "db"],
        ["Namespace:", "default"],
        ["CreationTimestamp:", "Thu,", "01 Jan 2026 00:00:00 +0000"],
        ["Selector:", "app=db"],
        ["Labels:", "tier=back"],
        ["Annotations:", "<none>"],
        ["Replicas:", "3", "desired | 3 total"],
        ["Update", "Strategy:", "RollingUpdate"],
        ["Partition:", "2"],
        ["Pods", "Status:", "1 Running / 0 Waiting / 0 Succeeded / 0 Failed"],
        ["Pod", "Template:"],
    ]
    assert text.splitlines()[-2:] == ["Volume Claims:     <none>", "Events:            <none>"]


def test_a_daemon_set() -> None:
    status = {"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "updatedNumberScheduled": 1}
    made = workload("DaemonSet", {**status, "numberAvailable": 2})
    text = described(made, *pods("Running", "Running", "Failed"))
    lines = text.splitlines()
    assert lines[2:12] == [
        "Selector:       app=db",
        "Node-Selector:  <none>",
        "Labels:         tier=back",
        "Annotations:    <none>",
        "Desired Number of Nodes Scheduled: 3",
        "Current Number of Nodes Scheduled: 3",
        "Number of Nodes Scheduled with Up-to-date Pods: 1",
        "Number of Nodes Scheduled with Available Pods: 2",
        "Number of Nodes Misscheduled: 0",
        "Pods Status:  2 Running / 0 Waiting / 0 Succeeded / 1 Failed",
    ]


@pytest.mark.parametrize(
    ("spec", "line"),
    [({"minAvailable": "50%"}, "Min available:  50%"), ({"maxUnavailable": 0}, "Max unavailable:  0")],
)
def test_a_disruption_budget(spec: Object, line: str) -> None:
    status = {"disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 4}
    made = workload("PodDisruptionBudget", status, **spec)
    lines = described(made).splitlines()
    assert line in lines
    assert [text.strip() for text in lines[-6:-1]] == [
        "Status:",
        "Allowed disruptions:  1",
        "Current:              3",
        "Desired:              2",
        "Total:                4",
    ]
