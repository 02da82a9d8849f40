"""What a node holds, printed as its own tools would: rules of every mode, connections, routes."""

from __future__ import annotations

import pytest

from netsim.cli.main import ended

SCENARIO = """
apiVersion: netsim/v1
kind: Scenario
metadata: {{name: small}}
duration: 40s
cluster:
  cni: {cni}
  proxy: {{mode: {mode}}}
  nodes: [{{name: node, count: 2}}]
faults:
- {{name: loss, action: node-power-loss, at: 30s, duration: 5s, selector: {{nodes: [node-2]}}}}
traffic:
- {{name: t, from: pod/client, to: "http://web", rate: 5/s, start: 10s, keepAlive: {{}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: client}}
spec: {{nodeName: node-1, containers: [{{name: c, image: curl}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec: {{nodeName: node-2, containers: [{{name: c, image: nginx, ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: 10.96.0.20, selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""


@pytest.fixture
def shown(tmp_path, capsys):
    def get(what, *, mode="iptables", cni="flannel-vxlan", node="node-1", at="20s", code=0):
        path = tmp_path / "small.yaml"
        path.write_text(SCENARIO.format(mode=mode, cni=cni))
        assert ended(["get", what, str(path), "--node", node, "--at", at]) == code
        return capsys.readouterr()

    return get


def test_iptables_are_printed_as_iptables_save_does(shown):
    lines = shown("iptables").out.splitlines()
    assert lines[0] == "*mangle"
    assert lines.count("COMMIT") == 3
    (rule,) = [line for line in lines if line.startswith("-A KUBE-SERVICES -d 10.96.0.20/32")]
    assert "default/web cluster IP" in rule
    (dnat,) = [line for line in lines if "--to-destination 10.244.1.2:8080" in line]
    assert dnat.startswith("-A KUBE-SEP-")


def test_nftables_are_printed_as_nft_does(shown):
    out = shown("nft", mode="nftables").out
    assert "table ip kube-proxy" in out
    assert "10.96.0.20 . tcp . 80" in out
    assert "dnat to 10.244.1.2:8080" in out or "dnat ip to 10.244.1.2:8080" in out


def test_ipvs_is_printed_as_ipvsadm_does(shown):
    lines = shown("ipvs", mode="ipvs").out.splitlines()
    assert any(line.startswith("TCP  10.96.0.20:80 rr") for line in lines)
    (real,) = [line for line in lines if "-> 10.244.1.2:8080" in line]
    assert real.split()[2:] == ["Masq", "1", "1", "0"]  # a weight, and the connection that the client keeps


def test_ipvs_mode_has_iptables_rules_that_look_into_sets(shown):
    lines = shown("iptables", mode="ipvs").out.splitlines()
    assert (lines[0], lines.count("COMMIT")) == ("*filter", 2)
    words = '-m comment --comment "Kubernetes service cluster ip + port for masquerade purpose"'
    mark = f"! -s 10.244.0.0/16 {words} -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ"
    assert f"-A KUBE-SERVICES {mark}" in lines
    assert not [line for line in lines if "10.96.0.20" in line]  # addresses are in the sets only


def test_rules_of_another_mode_are_not_there(shown):
    assert "runs in iptables mode" in shown("nft", code=2).err


def test_connections_are_printed_as_conntrack_does(shown):
    (line,) = [e for e in shown("conntrack").out.splitlines() if "dst=10.96.0.20" in e]
    assert line.startswith("tcp      6 ")
    assert "ESTABLISHED src=10.244.0.2 dst=10.96.0.20" in line
    assert "src=10.244.1.2 dst=10.244.0.2 sport=8080" in line
    assert "[ASSURED]" in line
    (other,) = [e for e in shown("conntrack", node="node-2").out.splitlines() if "dport=8080" in e]
    assert "dst=10.96.0.20" not in other  # the virtual address never crosses to the other node


def test_a_balancer_at_the_socket_leaves_a_direct_connection_to_the_pod(shown):
    """No virtual address is translated on the wire: the entry is the one that `netsim trace` tells of."""
    for node in ("node-1", "node-2"):
        (line,) = [e for e in shown("conntrack", mode="ebpf", node=node).out.splitlines() if "dport=8080" in e]
        assert "src=10.244.0.2 dst=10.244.1.2" in line
        assert "src=10.244.1.2 dst=10.244.0.2 sport=8080" in line
        assert "10.96.0.20" not in line


@pytest.mark.parametrize(
    ("cni", "route"),
    [
        ("flannel-vxlan", "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"),
        ("flannel-host-gw", "10.244.1.0/24 via 192.168.0.2 dev eth0"),
        ("calico-ipip", "10.244.1.0/24 via 192.168.0.2 dev tunl0 proto bird onlink"),
        ("calico-bgp", "10.244.1.0/24 via 192.168.0.2 dev eth0 proto bird"),
    ],
)
def test_routes_are_printed_as_ip_route_does(shown, cni, route):
    lines = shown("routes", cni=cni).out.splitlines()
    assert lines[0].startswith("default via ")
    assert route in lines


def test_a_node_that_holds_nothing_says_so_beside_the_output(shown):
    for state, words in (("iptables", "node-1 has no rules now.\n"), ("conntrack", "node-1 has no connections now.\n")):
        found = shown(state, at="0s")
        assert (found.out, found.err) == ("", words)
    for at, words in (("34s", "node-2 has no power now.\n"), ("39s", "node-2 is booting now.\n")):
        dead = shown("routes", node="node-2", at=at)
        assert (dead.out, dead.err) == ("", words)


def test_a_node_that_is_not_there_is_not_found(shown):
    assert 'nodes "nobody" not found' in shown("routes", node="nobody", code=1).err
