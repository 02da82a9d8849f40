"""The verdict, the rules' text walked by a stranger, and the explanation say the same of every packet."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import iptables_interpreter
import nft_interpreter
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_clusters import NODE, Cluster, clusters

from netsim.proxy.packet import Packet, Verdict

OWN = {*NODE.addresses, *NODE.bridge_addresses}
INTERPRETERS: dict[str, Any] = {
    "iptables": iptables_interpreter.Interpreter,
    "nftables": nft_interpreter.Interpreter,
}


def told(verdict: Verdict, packet: Packet) -> dict[tuple[str, str, bool], Fraction]:
    """A verdict in the interpreters' words."""
    if verdict.action != "DNAT":
        return {(verdict.action, "", False): Fraction(1)}
    share = Fraction(1, len(verdict.endpoints))
    return {("DNAT", e.address, verdict.masquerades(e, packet.source)): share for e in verdict.endpoints}


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_verdict_is_what_the_rules_text_does(mode: str, data: st.DataObject) -> None:
    cluster: Cluster = data.draw(clusters(mode))
    text = cluster.rules.render().partition("\n\n*")[0]  # the IPv4 half
    interpreter = INTERPRETERS[mode](text, OWN)
    for packet, from_node in cluster.packets():
        expected = told(cluster.rules.verdict(packet), packet)
        found = interpreter.result(packet.source, packet.destination, packet.port, packet.protocol, from_node)
        assert found.keys() == expected.keys(), packet
        for end, chance in expected.items():
            assert abs(found[end] - chance) < Fraction(1, 10**8), packet


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs", "ebpf"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_explanation_ends_as_the_verdict_says(mode: str, data: st.DataObject) -> None:
    cluster: Cluster = data.draw(clusters(mode))
    for packet, _ in cluster.packets():
        verdict = cluster.rules.verdict(packet)
        for endpoint in verdict.endpoints or (None,):
            steps = cluster.rules.explain(packet, endpoint)
            words = " ".join(f"{step}" for step in steps).lower()
            if endpoint is not None:
                assert endpoint.address in words
                masquerades = verdict.masquerades(endpoint, packet.source)
                assert ("source becomes" in words or "masquerade --random" in words) == masquerades
            if verdict.action in ("DROP", "REJECT"):
                assert steps
                if mode in INTERPRETERS:
                    assert verdict.action.lower() in words.split(" comment ")[-1] + words
            if verdict.action in ("NO_MATCH", "DROP", "REJECT"):
                assert "destination becomes" not in words


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_remembered_answer_is_the_answer(data: st.DataObject) -> None:
    """Asking twice, or after a change that does not concern the packet, or in another order, is the same."""
    mode = data.draw(st.sampled_from(["iptables", "nftables", "ipvs", "ebpf"]))
    cluster: Cluster = data.draw(clusters(mode))
    rules = cluster.rules
    before = {packet: rules.verdict(packet) for packet, _ in cluster.packets()}
    other = {
        "metadata": {"namespace": "default", "name": "other"},
        "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 7}]},
    }
    revision = rules.revision
    rules.program(rules.tables.set_service(other) or 0)
    for packet, verdict in reversed(before.items()):
        assert rules.verdict(packet) == verdict
    rules.program(revision)
    for packet, verdict in before.items():
        assert rules.verdict(packet) == verdict
    rules.program(0)
    assert Counter(rules.verdict(packet).action for packet in before) == {"NO_MATCH": len(before)}
