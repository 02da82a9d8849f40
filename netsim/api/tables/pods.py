"""The cells of `kubectl get pods`: what one word says of a pod.

STATUS is not the pod's phase. It starts from the phase, then gives way to whatever is more telling: the
status' reason (Evicted), a scheduling gate, an init container that has not finished, a container that waits
or has ended, and at last the deletion timestamp (Terminating). READY counts container *statuses*, which only
the kubelet writes: a pod on a dead node still shows 1/1 and Running long after its Ready condition fell.
Source: kubernetes/pkg/printers/internalversion, printers.go, printPod.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Object, condition, is_finished, is_leaving, is_true, pod_ready
from netsim.api.tables.ages import age
from netsim.api.tables.columns import AGE, NAME, NONE, Column, View, field


@dataclass(frozen=True, slots=True)
class Summary:
    """A pod in short: what READY, STATUS and RESTARTS are made of."""

    ready: int
    containers: int
    status: str
    restarts: int
    last_restart: int | None


def summary(pod: Object) -> Summary:
    """What kubectl makes of a pod's status."""
    status = pod.get("status", {})
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if _is_sidecar(c)}
    seen, pending = _initialization(pod, sidecars)
    word = pending or _phase_word(pod)
    counted = seen
    ready = sum(1 for c in seen if c["name"] in sidecars and _started(c) and c.get("ready"))
    if pending is None or is_true(pod, "Initialized"):
        containers = status.get("containerStatuses") or []
        counted = [c for c in seen if c["name"] in sidecars] + containers
        running = sum(1 for c in containers if _is_running(c))
        ready += running
        word = _containers_word(pod, containers, word, running > 0)
    return Summary(
        ready=ready,
        containers=len(pod["spec"]["containers"]) + len(sidecars),
        status=_leaving_word(pod, word),
        restarts=sum(c.get("restartCount", 0) for c in counted),
        last_restart=_last_end(counted),
    )


def _phase_word(pod: Object) -> str:
    """The phase, or the reason that stands for it."""
    status = pod.get("status", {})
    scheduled = condition(pod, "PodScheduled") or {}
    if scheduled.get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return status.get("reason") or status.get("phase", "")


def _initialization(pod: Object, sidecars: set[str]) -> tuple[list[Object], str | None]:
    """The init containers up to the first that is not through, and the word for where that one stands."""
    seen: list[Object] = []
    for number, container in enumerate(pod.get("status", {}).get("initContainerStatuses") or ()):
        seen.append(container)
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if container["name"] in sidecars and _started(container):
            continue
        if ended is not None:
            return seen, f"Init:{_ended_word(ended)}"
        if waiting.get("reason", "PodInitializing") not in ("", "PodInitializing"):
            return seen, f"Init:{waiting['reason']}"
        return seen, f"Init:{number}/{len(pod['spec']['initContainers'])}"
    return seen, None


def _containers_word(pod: Object, containers: list[Object], word: str, running: bool) -> str:
    """The word of the first container that has one; the others' work decides what Completed means."""
    for container in reversed(containers):
        word = _container_word(container) or word
    if word == "Completed" and running:
        return "Running" if pod_ready(pod) else "NotReady"
    return word


def _container_word(container: Object) -> str:
    state = container.get("state") or {}
    reason = (state.get("waiting") or {}).get("reason", "")
    if reason or state.get("terminated") is None:
        return reason
    return _ended_word(state["terminated"])


def _ended_word(ended: Object) -> str:
    """Why a container ended.

    >>> _ended_word({"exitCode": 137, "reason": "OOMKilled"}), _ended_word({"exitCode": 2})
    ('OOMKilled', 'ExitCode:2')
    """
    if ended.get("reason"):
        return ended["reason"]
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _leaving_word(pod: Object, word: str) -> str:
    if not is_leaving(pod):
        return word
    if pod.get("status", {}).get("reason") == "NodeLost":
        return "Unknown"
    return word if is_finished(pod) else "Terminating"


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _started(container: Object) -> bool:
    return bool(container.get("started"))


def _is_running(container: Object) -> bool:
    """Ready and running, and neither waiting nor ended."""
    state = container.get("state") or {}
    running = state.get("running") is not None and not _container_word(container)
    return running and bool(container.get("ready"))


def _last_end(containers: Iterable[Object]) -> int | None:
    """When a container that was started again had last ended."""
    ends = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for c in containers]
    return max((end for end in ends if end is not None), default=None)


def _ready(pod: Object, view: View) -> str:
    short = summary(pod)
    return f"{short.ready}/{short.containers}"


def _status(pod: Object, view: View) -> str:
    return summary(pod).status


def _restarts(pod: Object, view: View) -> str:
    short = summary(pod)
    if short.restarts and short.last_restart is not None:
        return f"{short.restarts} ({age(short.last_restart, view.now)} ago)"
    return str(short.restarts)


def _address(pod: Object, view: View) -> str:
    status = pod.get("status", {})
    first: Any = next((one.get("ip") for one in status.get("podIPs") or ()), None)
    return first or status.get("podIP") or NONE


def _gates(pod: Object, view: View) -> str:
    gates = pod["spec"].get("readinessGates") or ()
    return f"{sum(is_true(pod, g['conditionType']) for g in gates)}/{len(gates)}" if gates else NONE


COLUMNS = (
    NAME,
    Column("Ready", _ready),
    Column("Status", _status),
    Column("Restarts", _restarts),
    AGE,
    Column("IP", _address, wide=True),
    Column("Node", field("spec", "nodeName", default=NONE), wide=True),
    Column("Nominated Node", field("status", "nominatedNodeName", default=NONE), wide=True),
    Column("Readiness Gates", _gates, wide=True),
)
