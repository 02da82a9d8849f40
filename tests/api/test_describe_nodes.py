"""`kubectl describe node|deployment`, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

from netsim.api.describe import describe
from netsim.units import S

Object = dict[str, Any]
NOW = 300 * S


def golden(text: str) -> str:
    """The text with its margin removed; `|` ends a line that has blanks at its end."""
    return dedent(text).removeprefix("\n").replace("|\n", "\n")


def described(obj: Object, *others: Object, now: int = NOW) -> str:
    def lookup(kind: str, namespace: str | None) -> Sequence[Object]:
        return [
            one
            for one in (obj, *others)
            if one["kind"] == kind and namespace in (None, one["metadata"].get("namespace"))
        ]

    return describe(obj, lookup, now)


def lines(text: str, *titles: str) -> list[str]:
    """The lines that begin with these titles."""
    return [line for line in text.splitlines() if line.startswith(titles)]


def event(about: Object, reason: str, first: int, **fields: Any) -> Object:
    metadata = about["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{first:x}",
            "namespace": metadata.get("namespace", "default"),
        },
        "involvedObject": {
            "kind": about["kind"],
            "name": metadata["name"],
            "uid": metadata.get("uid", ""),
            "namespace": metadata.get("namespace", ""),
        },
        "type": "Normal",
        "reason": reason,
        "message": f"{reason} happened\n",
        "source": {"component": "kubelet"},
        "firstTimestamp": first,
        "lastTimestamp": first,
        "count": 1,
        **fields,
    }


def node(**spec: Any) -> Object:
    unknown = {
        "type": "Ready",
        "status": "Unknown",
        "lastHeartbeatTime": 10 * S,
        "lastTransitionTime": 60 * S,
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "node-1",
            "uid": "n1",
            "creationTimestamp": 0,
            "labels": {"kubernetes.io/hostname": "node-1"},
        },
        "spec": {
            "podCIDR": "10.244.1.0/24",
            "podCIDRs": ["10.244.1.0/24"],
            "taints": [
                {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
                {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": 65 * S},
            ],
            **spec,
        },
        "status": {
            "conditions": [unknown],
            "addresses": [
                {"type": "InternalIP", "address": "192.168.0.2"},
                {"type": "Hostname", "address": "node-1"},
            ],
            "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110"},
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
            "nodeInfo": {"kubeletVersion": "v1.32.0", "operatingSystem": "linux"},
        },
    }


def pod(name: str = "web-1", on: str = "node-1", phase: str = "Running") -> Object:
    resources = {"requests": {"cpu": "0.1", "memory": "64Mi"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": 0},
        "spec": {"nodeName": on, "containers": [{"name": "nginx", "resources": resources}]},
        "status": {"phase": phase},
    }


def test_describe_node() -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "node-1", "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": "node-1", "renewTime": 9 * S + 500},
    }
    finished = pod("job", phase="Succeeded")
    elsewhere = pod("other", on="node-2")
    it = node()
    silent = event(it, "NodeNotReady", 60 * S, source={"component": "node-controller"})
    silent["involvedObject"]["uid"] = "node-1"  # as a kubelet calls its node
    assert described(it, lease, finished, elsewhere, pod(), silent) == golden("""
        Name:               node-1
        Roles:              <none>
        Labels:             kubernetes.io/hostname=node-1
        Annotations:        <none>
        CreationTimestamp:  Thu, 01 Jan 2026 00:00:00 +0000
        Taints:             node.kubernetes.io/unreachable:NoExecute
                            node.kubernetes.io/unreachable:NoSchedule
        Unschedulable:      false
        Lease:
          HolderIdentity:  node-1
          AcquireTime:     <unset>
          RenewTime:       Thu, 01 Jan 2026 00:00:09 +0000
        Conditions:
          Type    Status    LastHeartbeatTime                 LastTransitionTime                Reason              Message
          ----    ------    -----------------                 ------------------                ------              -------
          Ready   Unknown   Thu, 01 Jan 2026 00:00:10 +0000   Thu, 01 Jan 2026 00:01:00 +0000   NodeStatusUnknown   Kubelet stopped posting node status.
        Addresses:
          InternalIP:  192.168.0.2
          Hostname:    node-1
        Capacity:
          cpu:     4
          memory:  16Gi
          pods:    110
        Allocatable:
          cpu:     4
          memory:  16Gi
          pods:    110
        System Info:
          Machine ID:                 |
          System UUID:                |
          Boot ID:                    |
          Kernel Version:             |
          OS Image:                   |
          Operating System:           linux
          Architecture:               |
          Container Runtime Version:  |
          Kubelet Version:            v1.32.0
        PodCIDR:                      10.244.1.0/24
        PodCIDRs:                     10.244.1.0/24
        Non-terminated Pods:          (1 in total)
          Namespace                   Name     CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
          ---------                   ----     ------------  ----------  ---------------  -------------  ---
          default                     web-1    100m (2%)     0 (0%)      64Mi (0%)        0 (0%)         5m
        Allocated resources:
          (Total limits may be over 100 percent, i.e., overcommitted.)
          Resource           Requests   Limits
          --------           --------   ------
          cpu                100m (2%)  0 (0%)
          memory             64Mi (0%)  0 (0%)
          ephemeral-storage  0 (0%)     0 (0%)
        Events:
          Type    Reason        Age   From             Message
          ----    ------        ----  ----             -------
          Normal  NodeNotReady  4m    node-controller  NodeNotReady happened
        """)  # noqa: E501


def test_a_node_without_a_lease_says_that_it_could_not_be_had() -> None:
    text = described(node(taints=[], unschedulable=True))
    assert 'Lease:              Failed to get lease: leases.coordination.k8s.io "node-1" not found\n' in text
    assert "Taints:             <none>\n" in text
    assert "Unschedulable:      true\n" in text


def deployment() -> Object:
    template = {
        "metadata": {"labels": {"run": "web"}},
        "spec": {
            "containers": [{"name": "nginx", "image": "nginx:1.27"}],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": "d1", "creationTimestamp": 0},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"run": "web"}},
            "template": template,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        },
        "status": {
            "replicas": 2,
            "updatedReplicas": 2,
            "availableReplicas": 1,
            "unavailableReplicas": 1,
            "conditions": [{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}],
        },
    }


def replica_set(name: str, revision: str, replicas: int, owner: str = "d1") -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": owner, "controller": True}],
        },
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas},
    }


def test_describe_deployment() -> None:
    sets = (
        replica_set("web-new", "10", 2),
        replica_set("web-old", "9", 0),
        replica_set("other", "11", 5, owner="d2"),
    )
    assert described(deployment(), *sets) == golden("""
        Name:                   web
        Namespace:              default
        CreationTimestamp:      Thu, 01 Jan 2026 00:00:00 +0000
        Labels:                 <none>
        Annotations:            <none>
        Selector:               run=web
        Replicas:               2 desired | 2 updated | 2 total | 1 available | 1 unavailable
        StrategyType:           RollingUpdate
        MinReadySeconds:        0
        RollingUpdateStrategy:  25% max unavailable, 25% max surge
        Pod Template:
          Labels:  run=web
          Containers:
           nginx:
            Image:        nginx:1.27
            Port:         <none>
            Host Port:    <none>
            Environment:  <none>
            Mounts:       <none>
          Volumes:
           tmp:
            Type:          EmptyDir (a temporary directory that shares a pod's lifetime)
            Medium:        |
            SizeLimit:     <unset>
          Node-Selectors:  <none>
          Tolerations:     <none>
        Conditions:
          Type           Status  Reason
          ----           ------  ------
          Available      False   MinimumReplicasUnavailable
        OldReplicaSets:  web-old (0/0 replicas created)
        NewReplicaSet:   web-new (2/2 replicas created)
        Events:          <none>
        """)
