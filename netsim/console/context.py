"""A context, as kubectl calls it: one cluster that the prompt can speak to, and the namespace it looks in there."""

from __future__ import annotations

from dataclasses import dataclass, field

from netsim.build import API_SERVER_PORT
from netsim.console.api import Api
from netsim.console.containers import Containers
from netsim.console.reconciler import keep_own_service
from netsim.console.watches import Watches
from netsim.control.dns_cache import Cache
from netsim.lab.names import names_of
from netsim.simulation import Simulation


@dataclass
class Context:
    """One cluster at the prompt."""

    name: str
    simulation: Simulation
    namespace: str = "default"
    kept: dict[str, Cache] = field(default_factory=dict)  # what clients that cache have been told (`lookup --keep`)
    api: Api = field(init=False)
    watches: Watches = field(init=False)
    containers: Containers = field(init=False)

    def __post_init__(self) -> None:
        self.simulation.forwarding.track = True  # conntrack -L is to show connections
        self.api = Api(self.simulation)
        self.watches = Watches(self.simulation.store)
        self.containers = Containers(self.simulation)
        keep_own_service(self.simulation)
        names_of(self.simulation)  # DNS hears of everything from the start

    @property
    def url(self) -> str:
        """Where the API server is: on the first node of the control plane."""
        places = self.simulation.forwarding.node_places
        host = next((places[name].address for name in self.control_planes), "127.0.0.1")
        return f"https://{host}:{API_SERVER_PORT}"

    @property
    def control_planes(self) -> dict[str, bool]:
        """The nodes with an API server, and whether they have power."""
        cluster = self.simulation.document.cluster
        names = [name for group in cluster.nodes if group.role == "control-plane" for name in group.names()]
        return {name: self.simulation.forwarding.powered[name] for name in names}
