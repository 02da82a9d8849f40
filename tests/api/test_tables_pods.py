"""`kubectl get pods`: what one word says of a pod, and the other cells."""

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
BESIDE = {"initContainerStatuses": [container("proxy")]}
BESIDE_UNREADY = {"initContainerStatuses": [container("proxy", ready=False)]}
UNSTARTED = container("proxy", ready=False, started=False)
GATED = {
    "reason": "X",
    "containerStatuses": [],
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
}


def initializing(*statuses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    status = {**FRESH, "initContainerStatuses": list(statuses)}
    return pod("p", waiting("PodInitializing"), **{"spec": TWO_INIT, "status": status, **fields})


STATUSES = [
    # what, the pod, READY, STATUS
    ("the phase", pod(status={"phase": "Pending", "containerStatuses": []}), "0/1", "Pending"),
    (
        "a reason beats the phase",
        pod(status={"phase": "Failed", "reason": "Evicted", "containerStatuses": []}),
        "0/1",
        "Evicted",
    ),
    ("a scheduling gate beats the reason", pod(status=GATED), "0/1", "SchedulingGated"),
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
    ("the first runs", initializing(container("one", ready=False)), "0/1", "Init:0/2"),
    ("the second runs", initializing(ended("one"), container("two", ready=False)), "0/1", "Init:1/2"),
    ("the first waits", initializing({**waiting("ErrImagePull"), "name": "one"}), "0/1", "Init:ErrImagePull"),
    ("the first waits for nothing", initializing(waiting("PodInitializing")), "0/1", "Init:0/2"),
    ("the first failed", initializing(ended("one", exitCode=1, reason="Error")), "0/1", "Init:Error"),
    ("its exit code", initializing(ended("one", exitCode=7)), "0/1", "Init:ExitCode:7"),
    ("its signal", initializing(ended("one", exitCode=137, signal=9)), "0/1", "Init:Signal:9"),
    ("all are through", initializing(ended("one"), ended("two")), "0/1", "PodInitializing"),
    ("leaving beats init", initializing(ended("one", exitCode=7), metadata=LEAVING), "0/1", "Terminating"),
    # sidecars
    ("one counts", pod(spec=SIDECAR, status=BESIDE), "2/2", "Running"),
    ("one is not ready", pod(spec=SIDECAR, status=BESIDE_UNREADY), "1/2", "Running"),
    ("one has not started", initializing(UNSTARTED, spec=SIDECAR), "0/2", "Init:0/1"),
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
    assert row("Pod", gated, wide=True)["READINESS GATES"] == "1/2"
