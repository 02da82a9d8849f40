"""Containers that end: restarts, back-off, and what kubectl shows of it (J: assertions by number)."""

from __future__ import annotations

from itertools import groupby

import pytest

from netsim.api.objects import key_of, name_of, node_of, pod_ready
from netsim.api.tables.columns import View
from netsim.api.tables.pods import summary
from netsim.api.tables.table import narrow, table, text
from netsim.dataplane.requests import REFUSED
from netsim.units import MINUTE, S


@pytest.fixture
def one(world, a):
    """A run with one pod; its containers and the rest of its spec are as given."""

    def build(*containers, until=30, duration="60m", **spec):
        made = a.pod("web", containers=list(containers) or [web()], **spec)
        return world(made, a.service(), duration=duration).run(until)

    return build


def web(name="c", port=80, **fields):
    return {"name": name, "image": "nginx", "ports": [{"containerPort": port}], **fields}


def kubelet_of(run, pod):
    return run.simulation.built.machines[node_of(pod)].kubelet


def life(run):
    (pod,) = run.pods()
    return kubelet_of(run, pod).life_of(pod)


def crash(run, code=1, container=None):
    (pod,) = run.pods()
    kubelet_of(run, pod).crash_container(pod, code, container)


def later(run, seconds):
    return run.run(run.simulation.now / S + seconds)


def word(run):
    return summary(run.pods()[0]).status


def shown(run):
    """The pod's line in `kubectl get pods`."""
    full = table("Pod", run.pods(), View(now=run.simulation.now))
    return text(narrow(full, wide=False)).splitlines()[1].split()


def status(run, index=0):
    return run.pods()[0]["status"]["containerStatuses"][index]


# the back-off ---------------------------------------------------------------------------------------------


def test_j23_crash_loop_back_off_waits_nothing_then_10_20_40_80_160_and_300_seconds(one):
    run = one()
    life(run).main.fails_after = 1 * S
    crash(run)
    later(run, 30 * 60)
    ends = [change.time for change in run.changes("pod-stopped", "web")]
    starts = [change.time for change in run.changes("pod-listening", "web")][1:]
    waits = [(start - end) / S for end, start in zip(ends, starts, strict=False)]
    # the kubelet notices an end within a second; a container takes 0.2 to 0.8 s to start, its program 0.2 s
    for wait, expected in zip(waits, (0, 10, 20, 40, 80, 160, 300, 300), strict=False):
        assert expected + 0.4 <= wait <= expected + 2.1
    assert len(waits) >= 8


def test_a_container_that_ran_for_ten_minutes_is_forgiven(one):
    run = one()
    for _ in range(3):
        crash(run)
        later(run, 60)
    assert life(run).containers[0].backoff.delay == 40 * S
    later(run, 10 * 60)
    crash(run)
    later(run, 12)
    assert (word(run), status(run)["restartCount"]) == ("Running", 4)
    assert life(run).containers[0].backoff.delay == 10 * S


def test_what_kubectl_shows_while_a_container_crashes(one):
    run = one()
    assert shown(run)[1:4] == ["1/1", "Running", "0"]
    life(run).main.fails_after = 2 * S
    crash(run)
    seen = []
    for _ in range(90):
        seen.append(tuple(shown(run)[1:4]))
        later(run, 0.1)
    assert [state for state, _ in groupby(seen)] == [
        ("1/1", "Running", "0"),
        ("0/1", "Error", "0"),
        ("1/1", "Running", "1"),
        ("0/1", "Error", "1"),
        ("0/1", "CrashLoopBackOff", "1"),
    ]
    message = status(run)["state"]["waiting"]["message"]
    assert message.startswith("back-off 10s restarting failed container=c pod=web_default(")
    assert status(run)["lastState"]["terminated"]["exitCode"] == 1


def test_a_crash_event_is_told_and_counted(one):
    run = one()
    life(run).main.fails_after = 1 * S
    crash(run)
    later(run, 120)
    (event,) = [event for event in run.store.list("Event") if event["reason"] == "BackOff"]
    assert event["message"].startswith("Back-off restarting failed container c in pod web_default(")
    assert event["count"] >= 3


# what clients see -----------------------------------------------------------------------------------------


def test_connections_are_refused_while_a_container_starts_again(world, a):
    traffic = {"name": "probe", "from": "node/node-2", "to": "svc/web:80", "rate": "50/s", "stop": "60s"}
    run = world(a.pod("web", containers=[web()]), a.service(), traffic=[traffic], duration="70s").run(30)
    crash(run)
    later(run, 35)
    rows = run.simulation.record().requests
    down = (run.first("pod-stopped", "web"), run.first("pod-listening", "web", after=30))
    assert 0.5 < down[1] - down[0] < 2.1
    inside = [row for row in rows if down[0] + 0.01 < row["sent"] / S < down[1] - 0.01]
    refused = [row for row in rows if row["outcome"] == REFUSED and row["sent"] > 20 * S]
    assert len(inside) >= 20
    assert {int(row["outcome"]) for row in inside} == {REFUSED}  # the address is there, the port is closed
    back = run.first("endpoint-ready", after=30)  # until the rules lead to it again, there is nobody to ask
    programmed = max(run.first("programmed", node, after=back) for node in ("node-1", "node-2", "node-3"))
    assert all(down[0] - 0.01 <= row["sent"] / S <= programmed for row in refused)


def test_without_a_readiness_probe_the_endpoint_goes_when_the_kubelet_notices(one):
    run = one()
    life(run).main.fails_after = 5 * S
    crash(run)
    later(run, 20)
    stopped = run.changes("pod-stopped", "web")[1].time / S
    assert run.first("endpoint-not-ready", after=stopped) - stopped < 1.2


# restart policies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "code", "phase", "shows"),
    [
        ("Always", 0, "Running", "Running"),
        ("Always", 1, "Running", "Running"),
        ("OnFailure", 0, "Succeeded", "Completed"),
        ("OnFailure", 1, "Running", "Running"),
        ("Never", 0, "Succeeded", "Completed"),
        ("Never", 1, "Failed", "Error"),
        ("Never", 137, "Failed", "Error"),
    ],
)
def test_restart_policies(one, policy, code, phase, shows):
    run = one(restartPolicy=policy)
    crash(run, code)
    later(run, 5)
    (pod,) = run.pods()
    assert pod["status"]["phase"] == phase
    assert word(run) == shows
    assert status(run)["restartCount"] == (phase == "Running")
    assert bool(run.ready_endpoints()) == (phase == "Running")


def test_a_finished_pod_gives_its_address_back(one):
    run = one(restartPolicy="Never")
    address = run.pods()[0]["status"]["podIP"]
    crash(run, 0)
    later(run, 5)
    assert address not in run.simulation.forwarding.places


def test_one_container_of_two_crashes_alone(one):
    run = one(web("front"), web("side", 8080))
    crash(run, container="side")
    later(run, 5)
    assert [status(run, i)["restartCount"] for i in (0, 1)] == [0, 1]
    assert not run.changes("pod-stopped", "web")
    assert shown(run)[1:4] == ["2/2", "Running", "1"]


# the sandbox ----------------------------------------------------------------------------------------------


def test_a_pod_whose_sandbox_dies_gets_a_new_one_with_a_new_address(one):
    run = one()
    (pod,) = run.pods()
    kubelet_of(run, pod).kill_sandbox(pod)
    later(run, 40)
    (now,) = run.pods()
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    assert now["status"]["podIP"] != pod["status"]["podIP"]
    assert pod_ready(now)
    assert any(event["reason"] == "SandboxChanged" for event in run.store.list("Event"))


# what keeps containers from running -----------------------------------------------------------------------


def test_two_containers_that_want_one_port_clash_for_ever(one):
    run = one(web("one"), web("two"), until=200)
    assert status(run, 0)["restartCount"] == 0
    assert status(run, 1)["restartCount"] >= 4
    assert shown(run)[1] in ("1/2", "2/2")
    assert word(run) in ("CrashLoopBackOff", "Error", "Running")


def test_a_pod_waits_for_the_secret_that_it_mounts(one):
    volume = {"name": "certs", "secret": {"secretName": "nginxsecret"}}
    run = one(volumes=[volume], until=60)
    assert shown(run)[1:3] == ["0/1", "ContainerCreating"]
    (event,) = [event for event in run.store.list("Event") if event["reason"] == "FailedMount"]
    assert event["message"] == 'MountVolume.SetUp failed for volume "certs" : secret "nginxsecret" not found'
    assert event["count"] == 7  # after 0.5, 1, 2, 4, 8 and 16 seconds, and at first
    metadata = {"name": "nginxsecret", "namespace": "default"}
    run.store.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    later(run, 40)
    assert shown(run)[1:3] == ["1/1", "Running"]


# the machine, and what runs on it ---------------------------------------------------------------------------


def test_a_container_that_crashes_under_a_stopped_kubelet_stays_down_until_it_is_back(one):
    run = one()
    (pod,) = run.pods()
    kubelet = kubelet_of(run, pod)
    kubelet.stop()
    kubelet.crash_container(pod)
    later(run, 30)
    assert shown(run)[1:3] == ["1/1", "Running"]
    assert not run.changes("pod-listening", "web", after=30)
    kubelet.start()
    later(run, 5)
    assert run.changes("pod-listening", "web", after=60)
    assert status(run)["restartCount"] == 1


def test_a_dead_container_runtime_leaves_containers_running_and_makes_the_node_unready_after_30_seconds(one):
    run = one()
    (pod,) = run.pods()
    node, began = node_of(pod), run.simulation.now / S
    kubelet_of(run, pod).break_runtime()
    later(run, 60)
    assert 30 <= run.first("node-not-ready", node, after=began) - began <= 40.1
    ready = next(c for c in run.store.get("Node", "", node)["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"], ready["message"]) == (
        "False", "KubeletNotReady", "container runtime is down",
    )  # fmt: skip
    assert "/".join(key_of(pod)) in run.simulation.forwarding.servers
    kubelet_of(run, pod).mend_runtime()
    later(run, 15)
    assert run.changes("node-ready", node, after=began)


def test_after_a_reboot_the_container_counts_as_restarted_and_says_so(one):
    run = one()
    (pod,) = run.pods()
    machine = run.simulation.built.machines[node_of(pod)]
    machine.power(on=False)
    machine.power(on=True)
    later(run, 45)
    assert shown(run)[1:4] == ["1/1", "Running", "1"]
    assert status(run)["lastState"]["terminated"]["exitCode"] == 255
    assert name_of(run.pods()[0]) == name_of(pod)
    assert run.simulation.now < 5 * MINUTE
