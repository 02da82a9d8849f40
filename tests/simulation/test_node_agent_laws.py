"""Laws of the node agent: whatever happens to kubelets, runtimes, machines and pods, it ends well."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsim.api.objects import is_leaving, key_of, node_of, pod_ready
from netsim.control.eviction import cordon, drain, evict
from netsim.units import S

NODES = ("node-1", "node-2", "node-3")
QUIET = 900  # seconds after the last repair: five minutes of back-off, and then some


def machine(run, node):
    return run.simulation.built.machines[node]


def on_pod(act):
    """Something that is done to the first pod of a node, if there is one."""

    def do(run, node):
        pods = [pod for pod in run.store.find("Pod", "node", node) if not is_leaving(pod)]
        if pods:
            act(run, node, pods[0])

    return do


ACTIONS = {
    "stop": lambda run, node: machine(run, node).kubelet.stop(),
    "start": lambda run, node: machine(run, node).kubelet.start(),
    "isolate": lambda run, node: machine(run, node).kubelet.isolate(),
    "rejoin": lambda run, node: machine(run, node).kubelet.rejoin(),
    "break": lambda run, node: machine(run, node).kubelet.break_runtime(),
    "mend": lambda run, node: machine(run, node).kubelet.mend_runtime(),
    "off": lambda run, node: machine(run, node).power(on=False),
    "on": lambda run, node: machine(run, node).power(on=True),
    "crash": on_pod(lambda run, node, pod: machine(run, node).kubelet.crash_container(pod)),
    "sandbox": on_pod(lambda run, node, pod: machine(run, node).kubelet.kill_sandbox(pod)),
    "delete": on_pod(lambda run, node, pod: run.store.delete(pod)),
    "force": on_pod(lambda run, node, pod: run.store.delete(pod, grace=0)),
    "evict": on_pod(lambda run, node, pod: evict(run.simulation.cluster, pod)),
    "drain": lambda run, node: run.simulation.env.process(drain(run.simulation.cluster, node)),
    "uncordon": lambda run, node: cordon(run.simulation.cluster, node, on=False),
}
REPAIRS = ("on", "mend", "rejoin", "start", "uncordon")

STEPS = st.lists(
    st.tuples(st.integers(1, 90), st.sampled_from(NODES), st.sampled_from(sorted(ACTIONS))), max_size=12
)


def check(run):
    """What holds at every instant: a living program has its addresses, on its machine, for itself."""
    state = run.simulation.forwarding
    living = [server for name, server in state.servers.items() if name.startswith("default/")]
    held = Counter(address for server in living for address in server.addresses)
    assert set(held.values()) <= {1}
    for server in living:
        places = [state.places[address] for address in server.addresses]
        assert {(place.name, place.machine) for place in places} == {(server.name, server.machine)}
        assert server.ended is None
        assert state.powered[server.machine]


def workload(kind, name, **spec):
    container = {"name": "c", "image": "x", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"selector": selector, "template": template, **spec},
    }  # fmt: skip


def budget(name, **spec):
    spec["selector"] = {"matchLabels": {"app": name}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 1000))
def test_after_all_repairs_every_pod_runs_and_is_ready(world, a, steps, seed):
    probe = {"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5}}
    objects = (
        a.deployment(replicas=4, container=probe), a.service(), budget("web", maxUnavailable=1),
        workload("StatefulSet", "db", replicas=2, serviceName="db"), workload("DaemonSet", "agent"),
    )  # fmt: skip
    run = world(*objects, seed=seed, duration="90m").run(20)
    for wait, node, action in steps:
        run.run(run.simulation.now / S + wait)
        ACTIONS[action](run, node)
        check(run)
    for node in NODES:
        for repair in REPAIRS:
            ACTIONS[repair](run, node)
    run.run(run.simulation.now / S + QUIET)
    check(run)
    pods = [*run.pods("web"), *run.pods("db"), *run.pods("agent")]
    assert [len(run.pods(app)) for app in ("web", "db", "agent")] == [4, 2, 3]
    assert all(pod_ready(pod) for pod in pods)
    servers = run.simulation.forwarding.servers
    for pod in pods:
        server = servers["/".join(key_of(pod))]
        assert (server.machine, server.addresses[0]) == (node_of(pod), pod["status"]["podIP"])
        assert server.accepting
    living = {name for name, server in servers.items() if name.startswith("default/")}
    assert living == {"/".join(key_of(pod)) for pod in pods}
    assert sorted(run.ready_endpoints()) == sorted(pod["metadata"]["name"] for pod in run.pods("web"))
    assert sorted(map(node_of, run.pods("agent"))) == list(NODES)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_happens_again(world, a, seed):
    def told():
        run = world(a.deployment(replicas=4), a.service(), seed=seed, duration="10m").run(20)
        for node, action in (("node-1", "off"), ("node-2", "stop"), ("node-3", "crash"), ("node-1", "on")):
            ACTIONS[action](run, node)
            run.run(run.simulation.now / S + 20)
        return list(run.simulation.cluster.history)

    assert told() == told()
