"""A container's states as its kubelet notices them, the back-off, and the status of the pod that follows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.control.containers import Backoff, Container, restarts_after
from netsim.control.pod_status import gates, observed, phase, pre_stop
from netsim.units import MINUTE, S

Object = dict[str, Any]


# back-off -------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 20 * MINUTE), max_size=30))
def test_no_back_off_is_longer_than_five_minutes_and_each_is_twice_the_one_before(runs: list[int]) -> None:
    backoff, now, before = Backoff(), 0, 0
    for run in runs:
        now += run
        wait = backoff.wait(ended=now)
        forgiven = now - backoff.last > 10 * MINUTE
        assert wait == (0 if forgiven or not before else before)
        backoff.restarted(ended=now, now=now + wait)
        now += wait
        before = 10 * S if forgiven or not before else min(2 * before, 5 * MINUTE)


def test_ten_minutes_exactly_are_not_forgiven() -> None:
    backoff = Backoff()
    backoff.restarted(ended=0, now=0)
    assert backoff.wait(ended=10 * MINUTE) == 10 * S
    assert backoff.wait(ended=10 * MINUTE + 1) == 0


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 3, True), ("Never", 3, False)],
)
def test_restart_policies(policy: str, code: int, again: bool) -> None:
    assert restarts_after(policy, code) is again


# states ---------------------------------------------------------------------------------------------------


def test_a_container_shows_what_was_noticed_not_what_is() -> None:
    container = Container({"name": "c", "image": "nginx"})
    assert container.status()["state"] == {"waiting": {"reason": "ContainerCreating"}}
    container.start(5, over=None)
    assert "waiting" in container.status()["state"]
    container.notice()
    assert container.status()["state"] == {"running": {"startedAt": 5}}
    container.stop(9, 1)
    assert "running" in container.status()["state"]
    container.notice()
    ended = {"exitCode": 1, "reason": "Error", "startedAt": 5, "finishedAt": 9}
    assert container.status()["state"] == {"terminated": ended}
    container.hold_back("CrashLoopBackOff", "back-off")
    assert container.status()["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container.status()["lastState"] == {"terminated": ended}
    container.start(20, over=None)
    container.notice()
    assert (container.status()["restartCount"], container.status()["lastState"]) == (1, {"terminated": ended})


def test_a_run_that_nobody_noticed_still_counts() -> None:
    container = Container({"name": "c"})
    container.start(0, over=None)
    container.notice()
    for now in (10, 20):
        container.stop(now, 1)
        container.start(now + 1, over=None)
    container.notice()
    assert container.status()["restartCount"] == 2


# pods -----------------------------------------------------------------------------------------------------


def running(*, ready: bool = True) -> Object:
    return {"name": "r", "state": {"running": {}}, "ready": ready, "restartCount": 0}


def ended(code: int, *, waits: bool = False) -> Object:
    how = {"terminated": {"exitCode": code}}
    state = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": how} if waits else {"state": how}
    return {"name": "e", **state, "ready": False, "restartCount": 0}


NEW = {"name": "n", "state": {"waiting": {"reason": "ContainerCreating"}}, "ready": False, "restartCount": 0}

PHASES = [
    ("Always", [NEW], "Pending"),
    ("Always", [running(), NEW], "Pending"),
    ("Always", [running()], "Running"),
    ("Always", [ended(0)], "Running"),
    ("Always", [ended(1, waits=True)], "Running"),
    ("OnFailure", [ended(1, waits=True)], "Running"),
    ("OnFailure", [ended(0)], "Succeeded"),
    ("OnFailure", [ended(0), running()], "Running"),
    ("Never", [ended(0)], "Succeeded"),
    ("Never", [ended(0), ended(2)], "Failed"),
    ("Never", [ended(2), running()], "Running"),
]


@pytest.mark.parametrize(("policy", "statuses", "expected"), PHASES)
def test_phases(policy: str, statuses: list[Object], expected: str) -> None:
    assert phase(policy, statuses) == expected


def seen(statuses: list[Object], policy: str = "Always", said: list[Object] | None = None, **spec: Any) -> Object:
    """The conditions of a pod with such containers, by type."""
    pod = {"metadata": {"name": "p"}, "spec": {"restartPolicy": policy, **spec}, "status": {"conditions": said or []}}
    found = observed(pod, 7, "10.0.0.1", ["10.244.0.2"], statuses, sandbox=True)
    return {one["type"]: one for one in found["status"]["conditions"]}


def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    assert seen([running(), running()])["Ready"]["status"] == "True"
    mixed = seen([running(), running(ready=False)])["Ready"]
    assert (mixed["status"], mixed["reason"]) == ("False", "ContainersNotReady")
    assert mixed["message"] == "containers with unready status: [r]"


def test_a_finished_pod_says_that_it_is() -> None:
    assert seen([ended(0)], policy="Never")["Ready"]["reason"] == "PodCompleted"
    assert seen([ended(1)], policy="Never")["Ready"]["reason"] == "PodFailed"


def test_a_readiness_gate_keeps_a_pod_from_being_ready() -> None:
    gate = [{"conditionType": "example.com/wired"}]
    closed = seen([running()], readinessGates=gate)
    assert (closed["Ready"]["status"], closed["ContainersReady"]["status"]) == ("False", "True")
    assert closed["Ready"]["reason"] == "ReadinessGatesNotReady"
    wired = {"type": "example.com/wired", "status": "True", "lastTransitionTime": 0}
    assert seen([running()], readinessGates=gate, said=[wired])["Ready"]["status"] == "True"
    assert gates({"spec": {}}) == []


def test_a_pod_keeps_its_last_address_while_it_has_none() -> None:
    pod = {"metadata": {"name": "p"}, "spec": {}, "status": {"podIP": "10.244.0.9"}}
    assert observed(pod, 0, "10.0.0.1", [], [NEW], sandbox=False)["status"]["podIP"] == "10.244.0.9"


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        ({"sleep": {"seconds": 5}}, 5),
        ({"exec": {"command": ["sleep", "15"]}}, 15),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 10"]}}, 10),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 10; nginx -s quit"]}}, 10),
        ({"exec": {"command": ["sleep", "20s"]}}, 20),
        ({"exec": {"command": ["nginx", "-s", "quit"]}}, 0),
        ({"httpGet": {"port": 80}}, 0),
    ],
)
def test_how_long_a_pre_stop_hook_takes(hook: Object, seconds: int) -> None:
    assert pre_stop({"lifecycle": {"preStop": hook}}) == seconds * S
