"""`kubectl describe`, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

import pytest

from netsim.api.describe import describe
from netsim.api.describe.containers import probe_text
from netsim.api.describe.quantities import limits, qos_class, quantity_text, requests
from netsim.units import MINUTE, S

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


# services ----------------------------------------------------------------------------------------------


def service(status: Object | None = None, **spec: Any) -> Object:
    ports = [{"port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "my-nginx",
            "namespace": "default",
            "uid": "s1",
            "labels": {"run": "my-nginx", "a": "b"},
        },
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.9",
            "clusterIPs": ["10.96.0.9"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "selector": {"run": "my-nginx"},
            "ports": ports,
            "sessionAffinity": "None",
            "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster",
            **spec,
        },
        "status": {"loadBalancer": status or {}},
    }


def endpoint_slice(of: str, addresses: dict[str, bool | None], **port: Any) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": of,
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "my-nginx"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8080, "protocol": "TCP", **port}],
        "endpoints": [
            {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
            for address, ready in addresses.items()
        ],
    }


def test_describe_service() -> None:
    balancer = service({"ingress": [{"ip": "198.51.100.1", "ipMode": "VIP"}]})
    ready = endpoint_slice("my-nginx-a", {"10.244.1.2": True, "10.244.2.2": False, "10.244.3.2": None})
    assert described(balancer, ready) == golden("""
        Name:                     my-nginx
        Namespace:                default
        Labels:                   a=b
                                  run=my-nginx
        Annotations:              <none>
        Selector:                 run=my-nginx
        Type:                     LoadBalancer
        IP Family Policy:         SingleStack
        IP Families:              IPv4
        IP:                       10.96.0.9
        IPs:                      10.96.0.9
        LoadBalancer Ingress:     198.51.100.1 (VIP)
        Port:                     <unset>  80/TCP
        TargetPort:               8080/TCP
        NodePort:                 <unset>  30080/TCP
        Endpoints:                10.244.1.2:8080,10.244.3.2:8080
        Session Affinity:         None
        External Traffic Policy:  Cluster
        Internal Traffic Policy:  Cluster
        Events:                   <none>
        """)


def test_describe_service_with_everything_that_may_be_there() -> None:
    full = service(
        {"ingress": [{"hostname": "a-very-long-name.elb.example.com"}, {"ip": "192.0.2.1"}]},
        externalIPs=["192.0.2.7", "192.0.2.8"],
        loadBalancerIP="192.0.2.9",
        loadBalancerSourceRanges=["10.0.0.0/8", "192.0.2.0/24"],
        healthCheckNodePort=31000,
        selector=None,
        ports=[
            {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"},
            {"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
        ],
    )
    del full["metadata"]["labels"]
    full["metadata"]["annotations"] = {
        "b": "2",
        "a": "1",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    first = endpoint_slice("a", {"10.244.1.2": True, "10.244.1.3": True}, name="http", port=8080)
    second = endpoint_slice(
        "b", {"10.244.2.2": True, "10.244.2.3": True, "10.244.2.4": True}, name="http", port=9090
    )
    assert described(full, second, first) == golden("""
        Name:                        my-nginx
        Namespace:                   default
        Labels:                      <none>
        Annotations:                 a: 1
                                     b: 2
        Selector:                    <none>
        Type:                        LoadBalancer
        IP Family Policy:            SingleStack
        IP Families:                 IPv4
        IP:                          10.96.0.9
        IPs:                         10.96.0.9
        External IPs:                192.0.2.7,192.0.2.8
        Desired LoadBalancer IP:     192.0.2.9
        LoadBalancer Ingress:        a-very-long-name.elb.example.com, 192.0.2.1
        Port:                        http  80/TCP
        TargetPort:                  web/TCP
        Endpoints:                   10.244.1.2:8080,10.244.1.3:8080,10.244.2.2:9090 + 2 more...
        Port:                        dns  53/UDP
        TargetPort:                  53/UDP
        Endpoints:                   |
        Session Affinity:            None
        External Traffic Policy:     Cluster
        Internal Traffic Policy:     Cluster
        HealthCheck NodePort:        31000
        LoadBalancer Source Ranges:  10.0.0.0/8,192.0.2.0/24
        Events:                      <none>
        """)


def test_a_service_without_slices_has_no_endpoints_and_one_with_none_ready_has_an_empty_line() -> None:
    assert lines(described(service()), "Endpoints:") == ["Endpoints:                <none>"]
    nobody = endpoint_slice("a", {"10.244.1.2": False})
    assert lines(described(service(), nobody), "Endpoints:") == ["Endpoints:                "]


def test_a_service_that_is_a_name_has_no_address() -> None:
    name = service(
        type="ExternalName",
        externalName="db.example.com",
        clusterIP="",
        clusterIPs=[],
        ipFamilies=[],
        ports=[],
    )
    shown = [
        line.rstrip() for line in lines(described(name), "IP:", "IPs:", "IP Families:", "External Name:")
    ]
    assert [line.split(":")[1].strip() for line in shown] == ["<none>", "", "<none>", "db.example.com"]


# pods --------------------------------------------------------------------------------------------------


def pod(**changes: Any) -> Object:
    container = {
        "name": "nginx",
        "image": "nginx:1.27",
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "0.1", "memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "periodSeconds": 5},
        "env": [
            {"name": "MODE", "value": "fast"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx", "readOnly": True}],
    }
    tolerations = [
        {
            "key": f"node.kubernetes.io/{key}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for key in ("unreachable", "not-ready")
    ]
    state = {"running": {"startedAt": 3 * S}}
    status = {
        "phase": "Running",
        "hostIP": "192.168.0.2",
        "podIP": "10.244.1.2",
        "podIPs": [{"ip": "10.244.1.2"}],
        "startTime": 1 * S,
        "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "nginx", "ready": True, "restartCount": 0, "state": state, "lastState": {}}
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-1",
            "namespace": "default",
            "uid": "p1",
            "creationTimestamp": 0,
            "labels": {"run": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d6b", "uid": "r1", "controller": True}],
            **changes.get("metadata", {}),
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [container],
            "tolerations": tolerations,
            "volumes": [{"name": "conf", "configMap": {"name": "nginx-conf"}}],
            **changes.get("spec", {}),
        },
        "status": {**status, **changes.get("status", {})},
    }


def test_describe_pod() -> None:
    it = pod()
    again = event(it, "Unhealthy", 5 * S, lastTimestamp=120 * S, count=5, type="Warning")
    assert described(it, again, event(it, "Scheduled", 0)) == golden("""
        Name:         web-1
        Namespace:    default
        Priority:     0
        Node:         node-1/192.168.0.2
        Start Time:   Thu, 01 Jan 2026 00:00:01 +0000
        Labels:       run=web
        Annotations:  <none>
        Status:       Running
        IP:           10.244.1.2
        IPs:
          IP:           10.244.1.2
        Controlled By:  ReplicaSet/web-5d6b
        Containers:
          nginx:
            Container ID:   |
            Image:          nginx:1.27
            Image ID:       |
            Port:           80/TCP
            Host Port:      0/TCP
            State:          Running
              Started:      Thu, 01 Jan 2026 00:00:03 +0000
            Ready:          True
            Restart Count:  0
            Requests:
              cpu:      100m
              memory:   64Mi
            Readiness:  http-get http://:80/ delay=0s timeout=1s period=5s #success=1 #failure=3
            Environment:
              MODE:  fast
              IP:    10.244.1.2 (v1:status.podIP)
            Mounts:
              /etc/nginx from conf (ro)
        Conditions:
          Type          Status
          Initialized   True |
          Ready         True |
        Volumes:
          conf:
            Type:        ConfigMap (a volume populated by a ConfigMap)
            Name:        nginx-conf
            Optional:    false
        QoS Class:       Burstable
        Node-Selectors:  <none>
        Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                         node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
        Events:
          Type     Reason     Age                 From     Message
          ----     ------     ----                ----     -------
          Normal   Scheduled  5m                  kubelet  Scheduled happened
          Warning  Unhealthy  3m (x5 over 4m55s)  kubelet  Unhealthy happened
        """)


def test_a_pod_on_its_way_out_says_since_when_and_how_long_it_was_given() -> None:
    leaving = pod(metadata={"deletionTimestamp": 0, "deletionGracePeriodSeconds": 30})
    shown = lines(described(leaving), "Status:", "Termination")
    assert [line.split(":", 1)[1].strip() for line in shown] == ["Terminating (lasts 5m)", "30s"]


def test_a_pod_that_still_has_its_grace_lasts_an_invalid_time_as_in_kubectl() -> None:
    leaving = pod(metadata={"deletionTimestamp": NOW + 30 * S, "deletionGracePeriodSeconds": 30})
    assert "Terminating (lasts <invalid>)" in described(leaving)


def test_a_finished_pod_that_is_deleted_keeps_its_phase() -> None:
    done = pod(
        metadata={"deletionTimestamp": 0},
        status={"phase": "Succeeded", "reason": "Done", "message": "all well"},
    )
    shown = lines(described(done), "Status:", "Reason:", "Message:")
    assert [line.split(":")[1].strip() for line in shown] == ["Succeeded", "Done", "all well"]


def test_a_pod_without_a_node_has_neither_address_nor_containers_that_say_anything() -> None:
    pending = pod(
        spec={"nodeName": "", "volumes": []}, status={"phase": "Pending", "podIP": "", "podIPs": []}
    )
    pending["status"]["containerStatuses"] = []
    text = described(pending)
    assert lines(text, "Node:", "IP:", "IPs:") == [
        "Node:           <none>",
        "IP:             ",
        "IPs:            <none>",
    ]
    assert "Container ID:" not in text
    assert "State:" not in text
    assert lines(text, "Volumes:") == ["Volumes:         <none>"]


def test_a_container_that_crashed_tells_both_of_its_states() -> None:
    last = {
        "terminated": {
            "exitCode": 137,
            "reason": "OOMKilled",
            "signal": 9,
            "startedAt": 3 * S,
            "finishedAt": 9 * S,
        }
    }
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"name": "nginx", "ready": False, "restartCount": 3, "state": state, "lastState": last}
    text = described(pod(status={"containerStatuses": [status]}))
    start = text.index("    State:")
    assert text[start : text.index("    Requests:")].splitlines() == [
        "    State:          Waiting",
        "      Reason:       CrashLoopBackOff",
        "    Last State:     Terminated",
        "      Reason:       OOMKilled",
        "      Exit Code:    137",
        "      Signal:       9",
        "      Started:      Thu, 01 Jan 2026 00:00:03 +0000",
        "      Finished:     Thu, 01 Jan 2026 00:00:09 +0000",
        "    Ready:          False",
        "    Restart Count:  3",
    ]


def test_events_of_an_older_pod_of_the_same_name_are_not_told() -> None:
    it = pod()
    old = event(pod(metadata={"uid": "p0"}), "Killing", 0)
    assert "Killing" not in described(it, old)
    assert "Scheduled" in described(it, old, event(it, "Scheduled", 0))


def test_a_long_annotation_stands_below_its_key_and_is_cut() -> None:
    text = described(pod(metadata={"annotations": {"note": "x" * 200, "two": "a\nb\n"}}))
    assert (
        f"Annotations:  note:\n                {'x' * 138}...\n              two:\n                a\n"
        in text
    )


PROBES = [
    ({"tcpSocket": {"port": 80}}, "tcp-socket :80 "),
    ({"exec": {"command": ["cat", "/ok"]}}, "exec [cat /ok] "),
    ({"httpGet": {"path": "healthz", "port": "web", "scheme": "HTTPS"}}, "http-get https://:web/healthz "),
    ({"grpc": {"port": 9000, "service": "s"}}, "grpc <pod>:9000 s "),
]


@pytest.mark.parametrize(("probe", "text"), PROBES)
def test_a_probe_in_one_line(probe: Object, text: str) -> None:
    times = {
        "initialDelaySeconds": 3,
        "timeoutSeconds": 2,
        "periodSeconds": 7,
        "successThreshold": 1,
        "failureThreshold": 4,
    }
    assert probe_text({**probe, **times}) == f"{text}delay=3s timeout=2s period=7s #success=1 #failure=4"


# quantities --------------------------------------------------------------------------------------------

QUANTITIES = [
    ("0.5", "500m"),
    ("100m", "100m"),
    ("1000m", "1"),
    (2, "2"),
    ("1500", "1500"),
    ("1000", "1k"),
    ("1e6", "1M"),
    ("64Mi", "64Mi"),
    ("1024Mi", "1Gi"),
    ("1536Mi", "1536Mi"),
    ("1.5Gi", "1536Mi"),
    ("0", "0"),
    ("110", "110"),
    ("1n", "1n"),
]


@pytest.mark.parametrize(("given", "text"), QUANTITIES)
def test_a_quantity_is_written_in_its_largest_whole_unit(given: Any, text: str) -> None:
    assert quantity_text(given) == text


def asking(*containers: Object, **spec: Any) -> Object:
    return {"spec": {"containers": [{"name": "c", "resources": r} for r in containers], **spec}}


def test_init_containers_count_only_if_they_ask_for_more() -> None:
    small, large = {"requests": {"cpu": "100m"}}, {"requests": {"cpu": "1"}}
    both = asking(small, small, initContainers=[{"name": "i", "resources": large}])
    assert {name: float(amount) for name, (amount, _) in requests(both).items()} == {"cpu": 1.0}
    assert {name: float(amount) for name, (amount, _) in requests(asking(small, small)).items()} == {
        "cpu": 0.2
    }


def test_a_limit_is_a_request_as_well_and_overhead_comes_on_top() -> None:
    it = asking({"limits": {"cpu": "1"}}, overhead={"cpu": "250m", "memory": "1Mi"})
    assert {name: float(amount) for name, (amount, _) in requests(it).items()} == {
        "cpu": 1.25,
        "memory": 1048576.0,
    }
    assert {name: float(amount) for name, (amount, _) in limits(it).items()} == {"cpu": 1.25}


FULL = {"cpu": "1", "memory": "1Gi"}

CLASSES = [
    (asking({}), "BestEffort"),
    (asking({"requests": {"cpu": "1"}}), "Burstable"),
    (asking({"limits": FULL}), "Guaranteed"),
    (asking({"limits": FULL, "requests": FULL}), "Guaranteed"),
    (asking({"limits": FULL, "requests": {"cpu": "0.5"}}), "Burstable"),
    (asking({"limits": FULL}, {}), "Burstable"),
    ({**asking({}), "status": {"qosClass": "Guaranteed"}}, "Guaranteed"),
]


@pytest.mark.parametrize(("it", "name"), CLASSES)
def test_the_quality_of_service_follows_from_requests_and_limits(it: Object, name: str) -> None:
    assert qos_class(it) == name


# nodes and deployments ---------------------------------------------------------------------------------


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


def test_describe_node() -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "node-1", "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": "node-1", "renewTime": 9 * S + 500},
    }
    finished = pod(metadata={"name": "job"}, status={"phase": "Succeeded"})
    elsewhere = pod(metadata={"name": "other"}, spec={"nodeName": "node-2"})
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


def test_a_kind_without_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="no description has been implemented for 'ConfigMap'"):
        described({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})


def test_an_age_with_repeats_tells_the_last_the_count_and_the_first() -> None:
    it = pod()
    often = event(it, "Unhealthy", 0, lastTimestamp=7 * MINUTE, count=5)
    series = event(it, "Other", 0, eventTime=0, series={"count": 3, "lastObservedTime": 9 * MINUTE})
    text = described(it, often, series, now=10 * MINUTE)
    assert "3m (x5 over 10m)" in text
    assert "60s (x3 over 10m)" in text
