"""`kubectl describe pod`, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

import pytest

from netsim.api.describe import describe
from netsim.api.describe.containers import probe_text
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


def test_an_age_with_repeats_tells_the_last_the_count_and_the_first() -> None:
    it = pod()
    often = event(it, "Unhealthy", 0, lastTimestamp=7 * MINUTE, count=5)
    series = event(it, "Other", 0, eventTime=0, series={"count": 3, "lastObservedTime": 9 * MINUTE})
    text = described(it, often, series, now=10 * MINUTE)
    assert "3m (x5 over 10m)" in text
    assert "60s (x3 over 10m)" in text
