"""A whole simulated cluster at one instant, taken over by the kernel: its nodes, pods, load balancer and rules.

Here nothing is written down by hand but manifests: the control half has placed the pods, made the slices,
given the addresses and programmed the nodes.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from kernel_judge import complaints, connections, patience
from kernel_lab import Lab, missing
from kernel_prediction import predict
from kernel_world import describe, space_of

from netsim.dataplane.forwarding import Place
from netsim.proxy.packet import Packet
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import S

SCENARIO = """
apiVersion: netsim/v1
kind: Scenario
metadata: {name: kernel}
duration: 2m
cluster:
  cni: bridge
  nodes:
  - {name: master, role: control-plane}
  - {name: worker, count: 3}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
---
apiVersion: v1
kind: Service
metadata: {name: near}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  internalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: 30081}]
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {type: NodePort, selector: {app: none}, ports: [{port: 80, nodePort: 30082}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec: {containers: [{name: c, image: curl}]}
"""


def simulation(mode: str, at: int) -> Simulation:
    scenario, *objects = yaml.safe_load_all(SCENARIO)
    scenario["cluster"]["proxy"] = {"mode": mode}
    found = Simulation(loads(yaml.safe_dump_all([scenario, *objects])))
    found.run(until=at)
    return found


def sources(sim: Simulation) -> dict[str, Place]:
    """One pod that serves, one that does not, one node of each role, and the outside."""
    state = sim.forwarding
    pods = {place.name: place for place in state.places.values() if place.kind == "pod"}
    names = [next(name for name in pods if name.startswith("default/web")), "default/client"]
    nodes = {name: state.node_places[name] for name in ("master", "worker-1")}
    return {**{name: pods[name] for name in names}, **nodes, "outside": state.outside}


def targets(sim: Simulation) -> list[tuple[str, int]]:
    """Every cluster IP, load balancer VIP and node port of the cluster, and a port that nobody has."""
    found: list[tuple[str, int]] = []
    for service in sim.store.list("Service"):
        for port in service["spec"]["ports"]:
            found.append((service["spec"]["clusterIP"], port["port"]))
            ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
            found += [(entry["ip"], port["port"]) for entry in ingress]
            if port.get("nodePort"):
                found += [(place.address, port["nodePort"]) for place in sim.forwarding.node_places.values()]
                found += [(place.address, port["nodePort"]) for place in sim.forwarding.external_places.values()]
    return [*found, (found[0][0], 9)]


def flows(sim: Simulation) -> list[tuple[Place, Packet]]:
    return [
        (place, Packet(place.address, 40_000, address, port))
        for place in sources(sim).values()
        for address, port in targets(sim)
    ]


@pytest.mark.parametrize("backend", ["iptables", "nft"])
def test_a_simulated_cluster_lives_on_in_the_kernel(backend: str) -> None:
    if lacks := missing(backend):
        pytest.skip(f"{backend}: this machine lacks {lacks}")
    sim = simulation("nftables" if backend == "nft" else "iptables", 90 * S)
    addresses = sim.document.cluster.addresses
    lab = Lab(describe(sim.forwarding, [str(addresses.nodes)], [sim.forwarding.outside.address]), backend)
    try:
        lab.load({name: rules.render() for name, rules in sim.node_rules.items()})
        wrong = _crossed(lab, sim)
    finally:
        lab.close()
    assert wrong == {}


def _crossed(lab: Lab, sim: Simulation) -> dict[str, Any]:
    packets = flows(sim)
    predictions = [predict(sim.forwarding, *flow) for flow in packets]
    assert len({frozenset(p.chances) for p in predictions}) > 10
    found = lab.cross(
        {
            "space": space_of(place),
            "source": "",
            "to": packet.destination,
            "port": packet.port,
            "protocol": packet.protocol,
            "count": connections(prediction),
            "window": 1 if prediction.sticky else 64,
            "patience": patience(prediction),
        }
        for (place, packet), prediction in zip(packets, predictions, strict=True)
    )
    return {
        f"{place.name or place.kind}: {packet}": words
        for (place, packet), prediction, count in zip(packets, predictions, found, strict=True)
        if (words := complaints(prediction, count))
    }
