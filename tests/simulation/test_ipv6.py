"""A cluster whose addresses are all of IPv6 works like any other, in every mode and with every pod network."""

from __future__ import annotations

import numpy as np
import pytest

from netsim.dataplane.matrix import matrix
from netsim.dataplane.requests import OK
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import S

SCENARIO = """
apiVersion: netsim/v1
kind: Scenario
metadata: {{name: six}}
duration: 100s
cluster:
  cni: {cni}
  proxy: {{mode: {mode}}}
  nodes: [{{name: master, role: control-plane}}, {{name: node, count: 2}}]
  addresses:
    pods: "fd00:10:244::/56"
    services: "fd00:10:96::/112"
    nodes: "fd00:192:168::/64"
    external: "2001:db8::/64"
    loadBalancers: "2001:db8:1::/64"
    nodeMask: 64
traffic:
- {{name: name, from: pod/client, to: "http://web", rate: 2/s, start: 60s}}
- {{name: port, from: outside, to: "node/node-1:30080", rate: 2/s, start: 60s}}
- {{name: balancer, from: outside, to: "lb/web:80", rate: 2/s, start: 90s}}
---
apiVersion: v1
kind: Pod
metadata: {{name: client}}
spec: {{nodeName: node-1, containers: [{{name: c, image: curl}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec: {{nodeName: node-2, containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{port: 80, nodePort: 30080}}]}}
"""

WORLDS = [
    ("iptables", "flannel-vxlan"),
    ("nftables", "flannel-host-gw"),
    ("ipvs", "calico-bgp"),
    ("ebpf", "calico-vxlan"),
]


@pytest.mark.parametrize(("mode", "cni"), WORLDS)
def test_requests_are_answered_by_name_node_port_and_load_balancer(mode: str, cni: str) -> None:
    simulation = Simulation(loads(SCENARIO.format(mode=mode, cni=cni)))
    simulation.run()
    table = simulation.record().requests
    table = table[table["sent"] < 98 * S]  # what is under way at the end has no outcome
    assert np.bincount(table["source"]).min() > 5
    assert set(table["outcome"]) == {OK}
    addresses = {place.address for place in simulation.forwarding.places.values()}
    assert all(":" in address for address in addresses)
    assert "fd00:10:244:2::/64" in simulation.routes_text("node-1")
    cells = {(cell.source, cell.way): cell for row in matrix(simulation.forwarding, simulation.store.list("Service"))
             for cell in row}  # fmt: skip
    for way in ("default/web:80", "default/web:80 node-port 30080", "default/web:80 load-balancer"):
        assert cells["pod/default/client", way].sign == "."


def test_addresses_with_ports_are_written_in_brackets() -> None:
    simulation = Simulation(loads(SCENARIO.format(mode="iptables", cni="bridge")))
    simulation.run(70 * S)
    trace = simulation.trace("pod/client", "http://web")
    assert trace.outcome == "ok"
    assert trace.hops[-1].packet == "TCP [fd00:10:244:1::2]:40000 -> [fd00:10:244:2::2]:80"
    assert trace.hops[0].route == "fd00:10:244:2::/64 via fd00:192:168::3 dev eth0"
