"""Several clusters at one prompt: contexts, one clock, Services of the set, and one cluster lost."""

from __future__ import annotations

import pytest

from netsim.console.session import Lab
from netsim.units import S

EXPORT = "{apiVersion: multicluster.x-k8s.io/v1alpha1, kind: ServiceExport, metadata: {name: my-nginx}}"
NAME = "my-nginx.default.svc.clusterset.local"


@pytest.fixture
def two(opened) -> Lab:
    """Two clusters with my-nginx in each, exported by both; a client in the first."""
    lab: Lab = opened("east", "west")
    (lab.folder / "export.yaml").write_text(EXPORT)
    for context in ("east", "west"):
        for line in ("apply -f my-nginx.yaml", "expose deploy/my-nginx", "apply -f export.yaml"):
            lab(f"kubectl --context {context} {line}")
    lab("kubectl run client --image=curl")
    return lab


def asked(lab: Lab, count: int = 12) -> list[str]:
    """Where the answers to so many requests come from: east, west, or nowhere."""
    texts = [lab(f"kubectl exec client -- curl -sS -m 1 {NAME}") for _ in range(count)]
    return ["east" if " on east-" in text else "west" if " on west-" in text else "nowhere" for text in texts]


def test_each_context_is_a_cluster_of_its_own(two: Lab) -> None:
    assert two("kubectl config get-contexts -h").startswith("List the clusters at this prompt")
    assert [row.split()[:2] for row in two("kubectl config get-contexts").splitlines()[1:]] == [
        ["*", "east"], ["west", "west"],
    ]  # fmt: skip
    assert "east-worker-1" in two("kubectl get nodes")
    assert "west-worker-1" in two("kubectl --context west get nodes")
    assert two("kubectl config use-context west") == 'Switched to context "west".\n'
    assert "west-worker-1" in two("kubectl get nodes")
    assert two("kubectl get pod client") == 'Error from server (NotFound): pods "client" not found\n'
    assert two("kubectl config use-context north") == 'error: no context exists with the name: "north"\n'


def test_they_have_one_clock(two: Lab) -> None:
    two("sleep 3700ms")
    first, second = (context.simulation.now for context in two.contexts.values())
    assert first == second == two.now


def test_nodes_are_found_in_whichever_cluster_they_are(two: Lab) -> None:
    assert two("ssh west-worker-1 hostname") == "west-worker-1\n"
    two("ssh west-worker-2")
    assert "cluster IP" in two("iptables-save -t nat")
    two("exit")
    two("power off west-worker-1")
    assert two("ssh west-worker-1") == "ssh: connect to host west-worker-1 port 22: No route to host\n"


def test_what_is_exported_is_imported_everywhere_under_one_address(two: Lab) -> None:
    rows = [two(f"kubectl --context {name} get serviceimport").splitlines()[1].split() for name in ("east", "west")]
    assert rows[0][:3] == rows[1][:3] == ["my-nginx", "ClusterSetIP", '["10.208.1.1"]']
    assert two("kubectl get svcim my-nginx -o jsonpath='{.status.clusters[*].cluster}'") == "east west"
    assert "Address 1: 10.208.1.1\n" in two(f"kubectl exec client -- nslookup {NAME}")
    assert set(asked(two)) == {"east", "west"}


def test_a_service_that_is_not_exported_any_more_is_gone(two: Lab) -> None:
    for context in ("east", "west"):
        two(f"kubectl --context {context} delete serviceexport my-nginx")
    two("sleep 5s")
    assert two("kubectl get serviceimport") == "No resources found in default namespace.\n"
    two("sleep 30s")
    assert "can't resolve" in two(f"kubectl exec client -- nslookup {NAME}")
    assert two(f"kubectl exec client -- curl -sS {NAME}").startswith(f"curl: (6) Could not resolve host: {NAME}\n")


def test_a_lost_cluster_is_missed_until_its_lease_is_over(two: Lab) -> None:
    two("power off west-control-plane west-worker-1 west-worker-2")
    began = two.now
    assert "nowhere" in asked(two)
    assert two.now - began < 40 * S
    two("sleep 40s")
    assert set(asked(two)) == {"east"}
    assert two("kubectl get svcim my-nginx -o jsonpath='{.status.clusters[*].cluster}'") == "east"


def test_without_ready_pods_anywhere_the_address_refuses(two: Lab) -> None:
    for context in ("east", "west"):
        two(f"kubectl --context {context} scale deploy my-nginx --replicas=0")
    two("sleep 2s")
    assert two(f"kubectl exec client -- curl -sS {NAME}").startswith(f"curl: (7) Failed to connect to {NAME} port 80")
