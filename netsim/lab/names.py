"""Who asks from a prompt, and for whom names are looked up: the name servers of one simulation, as tools see them."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from netsim.api.objects import Object
from netsim.control.lookup import Asker
from netsim.control.nameservers import Nameservers
from netsim.control.pod_dns import Resolver
from netsim.dataplane.sources import place_of
from netsim.errors import Problem, ScenarioError
from netsim.simulation import Simulation
from netsim.traffic import Origin, parse_origin
from netsim.units import moment

CHANCES = ("port", "endpoint", "balancer", "shuffle", "service")


class Names:
    """A simulation's name servers, with chance of the tools' own, so that looking changes nobody else's."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.servers: Nameservers = simulation.built.names
        self._streams = {name: simulation.cluster.draws.stream("lab", name) for name in CHANCES}

    @property
    def outside(self) -> dict[str, tuple[str, ...]]:
        """Names of the rest of the world, with their addresses; to be added to."""
        return self.servers.outside

    def chance(self, purpose: str) -> int:
        """64 bits for a purpose."""
        return self._streams[purpose].next()

    def resolver(self, pod: Object | None) -> Resolver:
        """The resolv.conf of a pod; None: that of a node."""
        return self.servers.resolver(pod)

    def client(self, origin: str | Origin) -> Asker:
        """Whoever sends: `pod/NAME.NAMESPACE`, `node/NAME` or `outside`. It must be running."""
        found = _origin(origin)
        place = place_of(self.simulation.forwarding, found) if self._known(found) else None
        text = _text(found)
        if place is None:
            raise ScenarioError(Problem(f"{text} does not run at {moment(self.simulation.now)}"))
        pod = self.simulation.store.get("Pod", found.namespace, found.name) if found.kind == "pod" else None
        return Asker(text, place, self.resolver(pod), pod)

    def _known(self, origin: Origin) -> bool:
        return origin.kind != "node" or origin.name in self.simulation.forwarding.node_places


_KEPT: WeakKeyDictionary[Simulation, Names] = WeakKeyDictionary()


def names_of(simulation: Simulation) -> Names:
    """The name servers of a simulation, the same for as long as it lives."""
    if simulation not in _KEPT:
        _KEPT[simulation] = Names(simulation)
    return _KEPT[simulation]


def _origin(origin: str | Origin) -> Origin:
    if isinstance(origin, Origin):
        return origin
    try:
        return parse_origin(origin)
    except ValueError as error:
        raise ScenarioError(Problem(str(error))) from None


def _text(origin: Origin) -> str:
    if origin.kind == "outside":
        return "outside"
    dot = f".{origin.namespace}" if origin.namespace else ""
    return f"{origin.kind}/{origin.name}{dot}"
