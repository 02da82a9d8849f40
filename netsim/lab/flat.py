"""The other side of the contrast: Kubernetes' flat network, as a table of who reaches which pod and is seen as whom.

Every pod has an address of its own that means the same everywhere; nothing is published, nothing translated, and
two nginx may both listen on port 80, on one node or on two.
"""

from __future__ import annotations

from dataclasses import dataclass

from netsim.api.objects import Object, container_ports, key_of, labels_of
from netsim.api.selectors import matches_labels
from netsim.dataplane.errand import FIRST_PORT, send
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.onlooker import onlooking
from netsim.proxy.packet import Packet
from netsim.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Pair:
    """One way from a node or pod to a pod."""

    source: str  # node/NAME or pod/NAMESPACE/NAME
    pod: str
    target: str  # address:port
    outcome: str
    own: str  # the source address as it left
    seen: str  # and as the pod saw it

    @property
    def untouched(self) -> bool:
        """Whether it arrived as it was sent."""
        return self.outcome == "ok" and self.own == self.seen


def flat(simulation: Simulation, labels: dict[str, str]) -> list[Pair]:
    """From every node and every running pod to every pod with these labels, at its own address and port."""
    state = onlooking(simulation.forwarding)
    pods = [pod for pod in simulation.store.list("Pod") if pod.get("status", {}).get("podIP")]
    sources = [(f"node/{name}", place) for name, place in state.node_places.items() if state.powered[name]]
    sources += [(f"pod/{place.name}", place) for place in state.places.values() if place.kind == "pod"]
    chosen = [pod for pod in pods if matches_labels(labels, labels_of(pod))]
    return [
        _pair(state, source, place, pod, port)
        for source, place in sources
        for pod in chosen
        for port in _ports(pod)
    ]


def _ports(pod: Object) -> list[int]:
    return [port["containerPort"] for port in container_ports(pod) if port.get("protocol", "TCP") == "TCP"]


def _pair(state: Forwarding, source: str, place: Place, pod: Object, port: int) -> Pair:
    address = pod["status"]["podIP"]
    own = state.source(place, address)
    packet = Packet(own, FIRST_PORT, address, port)
    reached = send(state, place, packet, lambda purpose: 0)
    return Pair(source, "/".join(key_of(pod)), f"{address}:{port}", reached.outcome, own, reached.seen)
