"""What a kubelet writes into a pod's status, as pure functions from the pod and the states of its containers.

Source: kubernetes `pkg/kubelet/kubelet_pods.go` (getPhase), `pkg/kubelet/status/generate.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from netsim.api.objects import Object, condition, is_true, with_condition
from netsim.control.containers import restarts_after
from netsim.units import S

UNREADY = "containers with unready status: [{}]"
UNMET = "corresponding condition of pod readiness gate \"{}\" does not exist."


def observed(
    pod: Object, now: int, host: str, addresses: Sequence[str], statuses: Sequence[Object], *, sandbox: bool
) -> Object:
    """The pod with the status that follows from its containers' states.

    A pod keeps the last address it had while it has none.
    """
    old = pod.get("status", {})
    status = {
        **old,
        "phase": phase(pod["spec"].get("restartPolicy", "Always"), statuses),
        "hostIP": host,
        "startTime": old.get("startTime", now),
        "containerStatuses": list(statuses),
    }
    if addresses:
        status |= {"podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses]}
    pod = {**pod, "status": status}
    for kind, (truth, also) in _conditions(pod, statuses, sandbox).items():
        pod = with_condition(pod, now, kind, "True" if truth else "False", **also)
    return pod


def _conditions(
    pod: Object, statuses: Sequence[Object], sandbox: bool
) -> dict[str, tuple[bool, dict[str, str]]]:
    finished = pod["status"]["phase"] in ("Succeeded", "Failed")
    unready = [status["name"] for status in statuses if not status["ready"]]
    why = {"reason": "ContainersNotReady", "message": UNREADY.format(" ".join(unready))} if unready else {}
    if finished:
        why = {"reason": "PodCompleted" if pod["status"]["phase"] == "Succeeded" else "PodFailed"}
    gate = next((kind for kind in gates(pod) if not is_true(pod, kind)), None)
    closed = {"reason": "ReadinessGatesNotReady", "message": UNMET.format(gate)}
    all_ready = not unready and not finished
    return {
        "PodReadyToStartContainers": (sandbox, {}),
        "Initialized": (True, {}),
        "Ready": (all_ready and gate is None, closed if all_ready and gate is not None else why),
        "ContainersReady": (all_ready, why),
        "PodScheduled": (True, {}),
    }


def gates(pod: Object) -> list[str]:
    """The further conditions that the pod's readiness waits for."""
    return [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()]


def phase(policy: str, statuses: Sequence[Object]) -> str:
    """The pod's phase. A container that waits after it has run counts as stopped, not as new.

    >>> ended = {"state": {"terminated": {"exitCode": 1}}}
    >>> phase("Always", [ended]), phase("Never", [ended]), phase("Never", [{"state": {"waiting": {}}}])
    ('Running', 'Failed', 'Pending')
    """
    codes, running = [], False
    for status in statuses:
        state = status["state"]
        ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
        if "running" in state:
            running = True
        elif ended is None:
            return "Pending"
        else:
            codes.append(ended["exitCode"])
    if running or any(restarts_after(policy, code) for code in codes):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def restarts_of(pod: Object) -> int:
    """How often its containers were restarted, at the most."""
    statuses: Sequence[Object] = pod.get("status", {}).get("containerStatuses") or ()
    return max((int(status.get("restartCount", 0)) for status in statuses), default=0)


def pre_stop(container: Object) -> int:
    """How long a preStop hook takes in nanoseconds: a `sleep` action, or a command that sleeps.

    >>> pre_stop({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}})
    5000000000
    """
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    words = " ".join((hook.get("exec") or {}).get("command") or ()).split()
    if "sleep" in words[:-1] and (after := words[words.index("sleep") + 1].rstrip(";s")).isdigit():
        return int(after) * S
    return int((hook.get("sleep") or {}).get("seconds", 0)) * S


def ready_since(pod: Object) -> int:
    """When the pod's Ready condition last changed."""
    found = condition(pod, "Ready")
    return int(found["lastTransitionTime"]) if found else 0


def is_available(pod: Object, patience: int, now: int) -> bool:
    """Whether the pod has been ready for `patience` nanoseconds (its controller's minReadySeconds)."""
    return is_true(pod, "Ready") and ready_since(pod) + patience <= now
