"""Several clusters at one prompt: what the set of them exports is in every cluster's API and DNS.

`netsim.lab.multicluster` keeps the set: who exports what, who is well, and one ClusterSetIP for each Service.
Here what it has found is put where people look for it: a ServiceImport in each cluster that can be heard, the
name under `clusterset.local` in each cluster's DNS, and `curl` to such a name.
Sources: KEP-1645; mcs-api `pkg/apis/v1alpha1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netsim.api.objects import Object, key_of
from netsim.lab.curl_options import Options, Wrong, parse, url
from netsim.lab.curl_output import Transfer, printed
from netsim.lab.dns import lookup
from netsim.lab.http import Request, respond
from netsim.lab.multicluster import EXPORT, ZONE, Fleet, Import
from netsim.lab.names import names_of
from netsim.simulation import Simulation
from netsim.units import MS

if TYPE_CHECKING:
    from netsim.console.session import Lab

IMPORT = "ServiceImport"


class ClusterSet:
    """The clusters of a prompt, moved together."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._published: tuple[Import, ...] = ()

    def run(self, until: int) -> None:
        """Move all clusters on, and tell them what the set has to offer now."""
        self.fleet.run(until)
        offered = tuple(self.fleet.imports.values())
        if offered != self._published:
            self._published = offered
            for name, simulation in self.fleet.clusters.items():
                _publish_names(simulation, {one.name: self.fleet.resolve(name, one.name) for one in offered})
                if self.fleet.speaks(name):
                    _publish_imports(simulation, offered)


def _publish_names(simulation: Simulation, offered: dict[str, tuple[str, ...]]) -> None:
    """The names of the set in a cluster's DNS; those that are gone are taken out."""
    outside = names_of(simulation).outside
    for name in [one for one in outside if one.endswith(f".{ZONE}")]:
        del outside[name]
    outside.update({name: addresses for name, addresses in offered.items() if addresses})


def _publish_imports(simulation: Simulation, offered: Sequence[Import]) -> None:
    """A ServiceImport for each Service of the set, in the namespaces that the cluster has."""
    store = simulation.store
    wanted = {one.key: _service_import(one) for one in offered if store.get("Namespace", "", one.key[0])}
    for key, obj in wanted.items():
        old = store.get(IMPORT, *key)
        if old is None:
            store.create(obj)
        else:
            store.update({**old, "spec": obj["spec"], "status": obj["status"]})
    for old in store.list(IMPORT):
        if key_of(old) not in wanted:
            store.remove(IMPORT, *key_of(old))


def _service_import(one: Import) -> Object:
    return {
        "apiVersion": EXPORT,
        "kind": IMPORT,
        "metadata": {"namespace": one.key[0], "name": one.key[1]},
        "spec": {
            "type": one.kind,
            "ips": [one.address] if one.address else [],
            "ports": [{"port": port, "protocol": "TCP"} for port in one.ports],
        },
        "status": {"clusters": [{"cluster": name} for name in one.clusters]},
    }


# curl ---------------------------------------------------------------------------------------------------


def is_for_the_set(lab: Lab, words: Sequence[str]) -> bool:
    """Whether a curl command line asks for a name of the set."""
    if lab.clusterset is None:
        return False
    try:
        return any(url(text).host.endswith(f".{ZONE}") for text in parse(words).urls)
    except Wrong:
        return False


def curl(lab: Lab, origin: str, words: Sequence[str]) -> tuple[str, int, int]:
    """What curl prints, its exit code, and how long it would have taken: the name, then one of all endpoints."""
    options = parse(words)
    wanted = url(options.urls[0])
    simulation = lab.simulation
    transfer = Transfer(wanted, names_of(simulation).client(origin))
    found = lookup(simulation, origin, wanted.host)
    transfer.namelookup = transfer.total = found.elapsed
    if found.addresses:
        _connect(lab, origin, transfer, options)
    else:
        transfer.fail(6, f"Could not resolve host: {wanted.host}", found.elapsed)
    return printed(transfer, options, options.output[:1]), transfer.code, transfer.total


def _connect(lab: Lab, origin: str, transfer: Transfer, options: Options) -> None:
    assert lab.clusterset is not None
    fleet, wanted = lab.clusterset.fleet, transfer.url
    answered = fleet.connect(lab.context.name, origin, wanted.host)
    if answered.outcome == "ok":
        there = fleet.cluster(answered.cluster)
        server = there.forwarding.servers[answered.pod]
        local = answered.cluster == lab.context.name
        seen = transfer.client.place.address if local else there.forwarding.outside.address
        request = Request(seen, options.method, wanted.path)
        transfer.total += 2 * answered.elapsed  # the handshake, then the request
        transfer.response = respond(there, server, wanted.port, request, busy=False)
        return
    limit = options.max_time or options.connect_timeout
    if answered.outcome == "timeout" and limit:
        transfer.fail(28, f"Connection timed out after {limit // MS} milliseconds", limit)
        return
    silent = answered.outcome == "timeout"
    after = lab.simulation.built.syn_schedule[-1] if silent else answered.elapsed
    where = f"{wanted.host} port {wanted.port} after {after // MS} ms"
    transfer.fail(28 if silent else 7, f"Failed to connect to {where}: Could not connect to server", after)
