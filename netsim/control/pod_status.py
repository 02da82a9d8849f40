"""What a kubelet writes into a pod's status, as pure functions from the pod and what the kubelet sees.

Source: kubernetes `pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/status/generate.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netsim.api.objects import Object, condition, with_condition
from netsim.units import S

CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def _statuses(pod: Object, state: Object, *, ready: bool, started: bool, restarts: int, last: Object) -> list[Object]:
    return [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "ready": ready,
            "started": started,
            "restartCount": restarts,
            "state": state,
            "lastState": last,
        }
        for container in pod["spec"]["containers"]
    ]


def _with_conditions(pod: Object, now: int, values: dict[str, str]) -> Object:
    for kind in CONDITIONS:
        if kind in values:
            pod = with_condition(pod, now, kind, values[kind])
    return pod


def _with_status(pod: Object, **fields: Any) -> Object:
    return {**pod, "status": {**pod.get("status", {}), **fields}}


def creating(pod: Object, now: int, host: str) -> Object:
    """The kubelet has seen the pod and makes its sandbox."""
    pod = _with_conditions(
        pod,
        now,
        {
            "PodReadyToStartContainers": "False",
            "Initialized": "True",
            "Ready": "False",
            "ContainersReady": "False",
            "PodScheduled": "True",
        },
    )
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    return _with_status(
        pod,
        phase="Pending",
        hostIP=host,
        startTime=pod["status"].get("startTime", now),
        containerStatuses=_statuses(pod, waiting, ready=False, started=False, restarts=restarts_of(pod), last={}),
    )


def running(
    pod: Object, now: int, host: str, addresses: tuple[str, ...], started: int, *, ready: bool, restarts: int
) -> Object:
    """Its containers run and it has its addresses."""
    truth = "True" if ready else "False"
    pod = _with_conditions(
        pod,
        now,
        {
            "PodReadyToStartContainers": "True",
            "Initialized": "True",
            "Ready": truth,
            "ContainersReady": truth,
            "PodScheduled": "True",
        },
    )
    last = last_state(pod) if restarts else {}
    state = {"running": {"startedAt": started}}
    return _with_status(
        pod,
        phase="Running",
        hostIP=host,
        podIP=addresses[0],
        podIPs=[{"ip": address} for address in addresses],
        startTime=pod["status"].get("startTime", now),
        containerStatuses=_statuses(pod, state, ready=ready, started=True, restarts=restarts, last=last),
    )


def with_readiness(pod: Object, now: int, *, ready: bool) -> Object:
    """Its readiness changed: condition and container states agree again."""
    truth = "True" if ready else "False"
    pod = _with_conditions(pod, now, {"Ready": truth, "ContainersReady": truth})
    statuses = [{**status, "ready": ready} for status in pod["status"].get("containerStatuses", ())]
    return _with_status(pod, containerStatuses=statuses)


def crashed(pod: Object, now: int, exit_code: int, reason: str) -> Object:
    """Its containers are gone (after a reboot, say) and will be started again."""
    pod = _with_conditions(pod, now, {"Ready": "False", "ContainersReady": "False"})
    ended = {"terminated": {"exitCode": exit_code, "reason": reason, "finishedAt": now}}
    return _with_status(
        pod,
        containerStatuses=_statuses(pod, ended, ready=False, started=False, restarts=restarts_of(pod), last={}),
    )


def restarts_of(pod: Object) -> int:
    """How often its first container was restarted."""
    statuses: Sequence[Object] = pod.get("status", {}).get("containerStatuses") or ({},)
    return int(statuses[0].get("restartCount", 0))


def last_state(pod: Object) -> Object:
    """How its first container ended last time, if that is still in its status."""
    statuses: Sequence[Object] = pod.get("status", {}).get("containerStatuses") or ({},)
    return {k: v for k, v in statuses[0].get("state", {}).items() if k == "terminated"}


def pre_stop(pod: Object) -> int:
    """How long its preStop hook takes in nanoseconds: a `sleep` action, or a command that sleeps.

    >>> pre_stop({"spec": {"containers": [{"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}]}})
    5000000000
    """
    longest = 0
    for container in pod["spec"]["containers"]:
        hook = (container.get("lifecycle") or {}).get("preStop") or {}
        words = " ".join((hook.get("exec") or {}).get("command") or ()).split()
        slept = (hook.get("sleep") or {}).get("seconds", 0)
        if "sleep" in words[:-1] and (after := words[words.index("sleep") + 1].rstrip(";s")).isdigit():
            slept = int(after)
        longest = max(longest, int(slept) * S)
    return longest


def is_ready(pod: Object) -> bool:
    """Whether the kubelet last said that it is ready (the API may have been told otherwise since)."""
    found = condition(pod, "ContainersReady")
    return found is not None and found["status"] == "True"
