"""The API server looks after its own Service: whoever deletes `kubernetes` in `default` gets it back.

Every ten seconds it makes sure that the Service is there, with the first address of the range, and that its
Endpoints and EndpointSlice name the API servers. Here it wakes only after one of them was deleted, at the tick
that would have found that out. Left out: what somebody changed in them is not put right.
Source: kubernetes `pkg/controlplane/controller/kubernetesservice/controller.go`, `pkg/controlplane/reconcilers`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from netsim.api.objects import Object, key_of
from netsim.api.store import Change, Refused
from netsim.units import S

if TYPE_CHECKING:
    from netsim.simulation import Simulation

INTERVAL = 10 * S
NAME = ("default", "kubernetes")
KINDS = ("Service", "EndpointSlice", "Endpoints")
OWN = ("name", "namespace", "labels")  # the metadata that the API server writes itself


def keep_own_service(simulation: Simulation) -> None:
    """Make again whatever is deleted of the Service `kubernetes` and of where it leads."""
    wanted: dict[str, Object] = {}

    def changed(change: Change) -> None:
        if change.type == "DELETED" and key_of(change.object) == NAME:
            simulation.cluster.env.process(_restore(simulation, wanted))

    for kind in KINDS:
        found = simulation.store.get(kind, *NAME)
        if found is not None:
            wanted[kind] = unwritten(found)
            simulation.store.watch(kind, changed)


def _restore(simulation: Simulation, wanted: Mapping[str, Object]) -> Generator[Any, Any, None]:
    """At the next tick, and as often as it is refused again at the one after it, make what is missing."""
    while missing := [obj for kind, obj in wanted.items() if simulation.store.get(kind, *NAME) is None]:
        yield simulation.cluster.env.timeout(INTERVAL - simulation.now % INTERVAL)
        for obj in missing:
            try:
                if simulation.store.get(obj["kind"], *NAME) is None:
                    simulation.built.admission.create(obj)
            except Refused:  # its address has been given away meanwhile
                break


def unwritten(obj: Object) -> Object:
    """An object as it was before the API server gave it an identity.

    >>> unwritten({"kind": "Service", "metadata": {"name": "a", "uid": "1"}})
    {'kind': 'Service', 'metadata': {'name': 'a'}}
    """
    return {**obj, "metadata": {name: value for name, value in obj["metadata"].items() if name in OWN}}
