"""Laws of the node agent: whatever happens to kubelets, runtimes, machines and pods, it ends well."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsim.api.objects import is_leaving, key_of, node_of, pod_ready
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
}
REPAIRS = ("on", "mend", "rejoin", "start")

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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, seed=st.integers(0, 1000))
def test_after_all_repairs_every_pod_runs_and_is_ready(world, a, steps, seed):
    probe = {"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5}}
    run = world(a.deployment(replicas=4, container=probe), a.service(), seed=seed, duration="60m").run(20)
    for wait, node, action in steps:
        run.run(run.simulation.now / S + wait)
        ACTIONS[action](run, node)
        check(run)
    for node in NODES:
        for repair in REPAIRS:
            ACTIONS[repair](run, node)
    run.run(run.simulation.now / S + QUIET)
    check(run)
    pods = run.pods()
    assert len(pods) == 4
    assert all(pod_ready(pod) for pod in pods)
    servers = run.simulation.forwarding.servers
    for pod in pods:
        server = servers["/".join(key_of(pod))]
        assert (server.machine, server.addresses[0]) == (node_of(pod), pod["status"]["podIP"])
        assert server.accepting
    living = {name for name, server in servers.items() if name.startswith("default/")}
    assert living == {"/".join(key_of(pod)) for pod in pods}
    assert sorted(run.ready_endpoints()) == sorted(pod["metadata"]["name"] for pod in pods)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_happens_again(world, a, seed):
    def told():
        run = world(a.deployment(replicas=4), a.service(), seed=seed, duration="10m").run(20)
        for node, action in (("node-1", "off"), ("node-2", "stop"), ("node-3", "crash"), ("node-1", "on")):
            ACTIONS[action](run, node)
            run.run(run.simulation.now / S + 20)
        return list(run.simulation.cluster.history)

    assert told() == told()
