"""A pod's own process is killed: its containers get their grace, then the pod is made anew."""

from __future__ import annotations

import pytest


@pytest.fixture
def killed(world, a):
    def build(stop, seed=1):
        fault = {"name": "kill", "action": "sandbox-kill", "at": "30s", "selector": {"labelSelectors": {"app": "web"}}}
        serving = [{"selector": {"app": "web"}, "stop": stop}]
        return world(a.deployment(replicas=1), a.service(), faults=[fault], serving=serving, seed=seed).run(80)

    return build


@pytest.mark.parametrize(("stop", "least", "most"), [("exit", 0.5, 5), ("ignore", 30.5, 35)])
@pytest.mark.parametrize("seed", range(3))
def test_it_comes_back_after_its_containers_grace_with_another_address(killed, stop, least, most, seed):
    run = killed(stop, seed)
    (pod,) = run.pods()
    before, after = (change.detail for change in run.changes("pod-started", "web-"))
    assert before != after == pod["status"]["podIP"]
    assert least <= run.first("pod-ready", "web-", after=30) - 30 <= most
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 1
    assert run.ready_endpoints() == [pod["metadata"]["name"]]
