"""curl asks kube-proxy how many ready pods a node has, as a load balancer does."""

from __future__ import annotations

import json

import pytest
from lab_clusters import pod, service, simulation

from netsim.lab.curl import curl


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
def test_each_node_says_how_many_pods_it_has(mode: str) -> None:
    made = simulation(
        pod("web", "nginx", (80,), nodeName="worker-1"),
        service(
            "edge", run="web", type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=30500,
        ),
        proxy={"mode": mode},
    )  # fmt: skip
    for node, status, count in (("worker-1", 200, 1), ("worker-2", 503, 0)):
        text, code, _ = curl(made, "outside", ["-i", "-s", f"http://{node}:30500/"])
        head, _, body = text.partition("\n\n")
        assert code == 0
        assert head.split()[1] == str(status)
        assert f"X-Load-Balancing-Endpoint-Weight: {count}" in head
        assert json.loads(body) == {
            "service": {"namespace": "default", "name": "edge"},
            "localEndpoints": count,
            "serviceProxyHealthy": True,
        }


def test_healthz_says_that_a_node_may_be_sent_to() -> None:
    text, _, _ = curl(simulation(), "outside", ["-s", "http://worker-1:10256/healthz"])
    assert json.loads(text)["nodeEligible"] is True
