"""`netsim trace`: each hop in the words of its mode, for people and as JSON; and what becomes of a packet."""

from __future__ import annotations

import json

import pytest

from netsim.cli.main import ended

SCENARIO = """
apiVersion: netsim/v1
kind: Scenario
metadata: {{name: small}}
duration: 60s
cluster: {{cni: flannel-vxlan, proxy: {{mode: {mode}}}, nodes: [{{name: node, count: 3}}]}}
traffic: [{{name: t, from: pod/client, to: "http://sticky", rate: 1/s, start: 10s}}]
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
kind: Pod
metadata: {{name: web2, labels: {{app: web}}}}
spec: {{nodeName: node-2, containers: [{{name: c, image: nginx, ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  {{clusterIP: 10.96.0.20, type: NodePort, selector: {{app: web}},
    ports: [{{port: 80, targetPort: 8080, nodePort: 30080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: near}}
spec:
  {{type: NodePort, externalTrafficPolicy: Local, selector: {{app: web}},
    ports: [{{port: 80, targetPort: 8080, nodePort: 30081}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: sticky}}
spec: {{sessionAffinity: ClientIP, selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: none}}
spec: {{selector: {{app: nobody}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: elsewhere}}
spec: {{type: ExternalName, externalName: db.example.com}}
"""


@pytest.fixture
def traced(tmp_path, capsys):
    def trace(source, target, *, mode="iptables", at="50s"):
        path = tmp_path / "small.yaml"
        path.write_text(SCENARIO.format(mode=mode))
        asked = ["trace", str(path), "--from", source, "--to", target, "--at", at]
        assert ended(asked) == 0
        text = capsys.readouterr().out
        assert ended([*asked, "-o", "json"]) == 0
        return text, json.loads(capsys.readouterr().out)

    return trace


IN_WORDS = {
    "iptables": [
        "nat KUBE-SERVICES: -d 10.96.0.20/32 -p tcp",
        "-j KUBE-SVC-LOLE4ISW44XBNF3G",
        "taken with probability 0.5",
        "-j KUBE-SEP-",
        "-j DNAT --to-destination 10.244.1.",
    ],
    "nftables": [
        "services: ip daddr . meta l4proto . th dport vmap @service-ips",
        "10.96.0.20 . tcp . 80 : goto service-",
        "taken with probability 1/2",
        "meta l4proto tcp dnat to 10.244.1.",
    ],
    "ipvs": ["ipvs: TCP  10.96.0.20:80 rr", "Masq    1"],
    "ebpf": ["socket: connect(): lookup TCP 10.96.0.20:80", "chosen with probability 1/2"],
}


@pytest.mark.parametrize("mode", IN_WORDS)
def test_a_packet_is_followed_in_the_words_of_each_mode(traced, mode):
    # several draws: the second endpoint is behind the last rule, which rolls no dice
    texts = [traced("pod/client", "http://web", mode=mode, at=f"{at}s")[0] for at in (41, 42, 43, 44, 45, 46)]
    for words in IN_WORDS[mode]:
        assert any(words in text for text in texts), words
    for text in texts:
        assert "TCP 10.244.0.2:40000 -> 10.96.0.20:80" in text
        assert "route: 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink" in text
        assert "flannel-vxlan: 50 bytes around it between node-1 and node-2" in text
        assert "answers)" in text.splitlines()[-1]


@pytest.mark.parametrize("mode", IN_WORDS)
def test_as_json_every_hop_has_the_same_fields(traced, mode):
    _, found = traced("outside", "node/node-1:30080", mode=mode)
    assert (found["outcome"], len(found["hops"])) == ("ok", 3)
    first, middle, last = found["hops"]
    assert first.keys() == middle.keys() == last.keys()
    assert first["becomes"] == "TCP 203.0.113.254:40000 -> 192.168.0.1:30080"
    assert middle["steps"][0].keys() == {"chain", "rule", "effect"}
    entry = middle["conntrack"].split()
    assert entry[:2] == ["tcp", "6"]
    assert entry[4:6] == ["src=203.0.113.254", "dst=192.168.0.1"]
    assert last["packet"].startswith("TCP 10.244.0.0:40000 -> 10.244.1.")  # the tunnel's address
    assert found["round_trip"] > 20_000_000


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_a_client_that_came_before_is_recognized(traced, mode):
    words = {"iptables": "-m recent --rcheck --seconds 10800", "nftables": "ip saddr @affinity-"}
    texts = {traced("pod/client", "http://sticky", mode=mode, at=f"{at}s")[0] for at in (41, 42, 43)}
    assert all(words[mode] in text for text in texts)
    pods = {text.splitlines()[-1].rpartition("(")[2] for text in texts}
    assert len(pods) == 1


def test_an_instant_after_the_end_is_refused(tmp_path, capsys):
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO.format(mode="iptables"))
    for verb in (["trace", "--from", "outside", "--to", "svc/web:80"], ["reach"], ["get", "pods"]):
        assert ended([*verb, str(path), "--at", "2m"]) == 2
        assert "--at 2m is after the scenario's end at 1m" in capsys.readouterr().err


def test_sctp_is_followed_too(traced, tmp_path, capsys):
    traced("pod/client", "http://web")
    asked = ["trace", str(tmp_path / "small.yaml"), "--from", "pod/client", "--to", "10.96.0.20:80"]
    assert ended([*asked, "--protocol", "SCTP"]) == 0
    assert "SCTP 10.244.0.2:40000 -> 10.96.0.20:80" in capsys.readouterr().out


REFUSALS = [
    ("iptables", "pod/client", "http://none", "refused", "default/none has no endpoints"),
    ("nftables", "pod/client", "http://none", "refused", "default/none has no endpoints"),
    ("iptables", "outside", "node/node-1:30081", "timeout", "default/near has no local endpoints"),
    ("nftables", "outside", "node/node-1:30081", "timeout", "default/near has no local endpoints"),
    ("iptables", "pod/client", "http://elsewhere", "dns-failure", "is a CNAME of db.example.com, whose address"),
    ("iptables", "pod/client", "http://elsewhere.default.svc", "dns-failure", "is a CNAME of db.example.com"),
    ("iptables", "pod/client", "http://missing", "dns-failure", "http://missing has no address now"),
    ("ipvs", "outside", "node/node-1:30081", "timeout", "the answers bypass node-1, which translated"),
    ("nftables", "pod/client", "10.96.0.20:81", "refused", "Reject traffic to invalid ports of ClusterIPs"),
    ("iptables", "pod/client", "10.96.0.20:81", "timeout", "it leaves by the default route"),
    ("iptables", "node/node-1", "127.0.0.1:81", "refused", "nobody listens on port 81 of 127.0.0.1"),
]


@pytest.mark.parametrize(("mode", "source", "target", "outcome", "why"), REFUSALS)
def test_a_packet_that_is_not_answered_ends_with_the_reason(traced, mode, source, target, outcome, why):
    text, found = traced(source, target, mode=mode)
    assert found["outcome"] == outcome
    assert why in found["reason"]
    assert text.splitlines()[-1].startswith(f"verdict: {outcome}")
    if outcome == "timeout":
        assert found["round_trip"] is None


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("35s", "node-2 has no power"),
        ("45s", "node-2 is booting"),
        ("51s", "node-2 has no power"),
        ("55s", "node-2 is booting"),
        ("81s", "node-2 is booting"),
        ("83s", "10.244.1.2 is nobody's address"),  # up, and without pods
    ],
)
def test_a_node_that_boots_is_told_from_one_without_power(tmp_path, capsys, at, why):
    faults = "".join(
        f"- {{name: {name}, action: node-power-loss, at: {at}, duration: {took}, selector: {{nodes: [node-2]}}}}\n"
        for name, at, took in (("one", "30s", "10s"), ("two", "50s", "2s"))
    )
    path = tmp_path / "small.yaml"
    text = SCENARIO.format(mode="iptables").replace("60s", "90s")
    path.write_text(text.replace("traffic:", f"faults:\n{faults}traffic:"))
    assert ended(["trace", str(path), "--from", "node/node-1", "--to", "10.244.1.2:8080", "--at", at]) == 0
    assert why in capsys.readouterr().out.splitlines()[-1]
