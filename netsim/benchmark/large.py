"""A cluster of a real one's size: `python -m netsim.benchmark --large`.

It has thirty pods and two Services a node. It comes up from nothing, rests, has one endpoint replaced, loses a node,
and is asked ten million times meanwhile. Of each part the CPU time is told, and whose it was (`looks.py`).
"""

from __future__ import annotations

import gc
import json
import resource
from collections.abc import Iterator
from time import perf_counter, process_time
from typing import Any

from netsim.api.objects import name_of, pod_ready
from netsim.benchmark.findings import Finding
from netsim.benchmark.looks import Looks
from netsim.report.digest import Digest
from netsim.scenario.load import loads
from netsim.scenario.scenario import Scenario
from netsim.simulation import Simulation, seldom_collected
from netsim.units import S

Document = dict[str, Any]

REPLICAS = 15  # pods of each Service; two Services a node
BINDS = 400  # pods the scheduler binds in a second, at least
ASKED = 10  # Services that are asked, each 10,000 times a second for 100 seconds
GIB = 2**30


def written(*documents: Document) -> Scenario:
    """A scenario and its manifests."""
    return loads("\n---\n".join(map(json.dumps, documents)))


def cluster(nodes: int) -> Scenario:
    """A cluster that comes up by itself, loses its first node and is asked by a pod on its second."""
    ready = 30 + nodes * REPLICAS * 2 // BINDS
    begin = ready + 25
    names = [f"app-{number}" for number in range(2 * nodes)]
    asked = names[:ASKED]
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "large"},
        "duration": f"{begin + 100}s",
        "cluster": {
            "nodes": [{"name": "node", "count": nodes}],
            "addresses": {"nodes": "172.16.0.0/16", "pods": "10.0.0.0/8", "services": "192.168.0.0/16"},
            "timings": {"controllerQps": 1000, "controllerBurst": 1000},
        },
        "serving": [{"selector": {"app": name}, "serviceTime": "exponential(2ms)"} for name in asked],
        "traffic": [
            {"name": name, "from": "pod/client", "to": f"http://{name}", "rate": "10000/s", "start": f"{begin}s"}
            for name in asked
        ],
        "faults": [
            {"name": "loss", "action": "node-power-loss", "at": f"{begin}s", "selector": {"nodes": ["node-1"]}}
        ],
    }
    client = {"nodeName": "node-2", "containers": [{"name": "curl", "image": "curl"}]}
    return written(
        scenario, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": client},
        *(document for name in names for document in application(name, REPLICAS)),
    )  # fmt: skip


def application(name: str, replicas: int) -> Iterator[Document]:
    """A Deployment and its Service."""
    labels, port = {"app": name}, {"containerPort": 80}
    containers = [{"name": "web", "image": "web", "ports": [port]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    spec = {"selector": labels, "ports": [{"port": 80}]}
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


class Course:
    """A large cluster's run, part by part."""

    def __init__(self, scenario: Scenario) -> None:
        began = process_time()
        with seldom_collected():
            self.simulation = Simulation(scenario, engine="auto")
        self.digest = Digest(scenario, scenario.document.duration, len(scenario.document.traffic))
        self.built = process_time() - began

    def until(self, second: int) -> float:
        """Go on to some second of the run: the CPU seconds that took."""
        began = process_time()
        with seldom_collected():
            self.simulation.run(second * S, take=self.digest.take)
        return process_time() - began

    def end(self) -> float:
        """Go on to the run's end, and hear of what was still under way: the CPU seconds that took."""
        began = process_time()
        self.until(self.simulation.end // S)
        self.simulation.record(take=self.digest.take)
        return process_time() - began

    def all_ready(self) -> bool:
        """Whether every pod there is, is ready."""
        return all(map(pod_ready, self.simulation.store.list("Pod")))


def of_a_cluster(nodes: int) -> Iterator[Finding]:
    """It comes up; one endpoint changes; a node is lost under load."""
    wall, began = perf_counter(), process_time()
    scenario = cluster(nodes)
    ready = 30 + nodes * REPLICAS * 2 // BINDS
    with Looks() as starting:
        course = Course(scenario)
        start = course.until(ready)
    pods = len(course.simulation.store.list("Pod"))
    title = f"{nodes:,} nodes, {pods:,} pods, {2 * nodes:,} Services"
    took = f"{(start + course.built) / 60:.1f} min CPU for {ready} s: {starting.told()}"
    yield Finding(f"{title}: from nothing to all pods ready", "measured", took, course.all_ready())

    gc.collect()
    gc.freeze()  # or whoever is measured next may pay for a look at the whole cluster
    rest = course.until(ready + 10)
    store = course.simulation.store
    chosen = next(pod for pod in store.list("Pod") if name_of(pod).startswith("app-0-"))
    store.delete(chosen, grace=0)
    change = course.until(ready + 20)
    told = f"{change - rest:.2f} s CPU beside the {rest:.2f} s of ten seconds' heartbeats"
    revisions = {rules.revision for rules in course.simulation.node_rules.values()}
    yield Finding("one endpoint replaced, on all its nodes", "measured", told, len(revisions) == 1)

    with Looks() as moving:
        load = course.end()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sent = course.digest.count
    yield Finding(
        f"one node lost, {sent:,} requests", "measured", f"{load / 60:.1f} min CPU: {moving.told()}",
        abs(sent - ASKED * 10_000 * 100) < 20_000,  # six standard deviations of chance
    )  # fmt: skip
    whole = f"{(process_time() - began) / 60:.1f} min CPU, {(perf_counter() - wall) / 60:.1f} min, {peak / GIB:.1f} GiB"
    yield Finding("all of it, one process", "under 8 GiB", whole, peak < 8 * GIB)
