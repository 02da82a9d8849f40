"""What the EndpointSlices of a Service should say, and the fewest writes that make them say it.

Which pods count, with which conditions and ports, is in `endpoints.py`. Here they are packed: pods whose
named ports have the same numbers form a group, each group has slices of its own per address family, and a
slice holds at most `max_endpoints`. Endpoints stay in the slice they are in; new ones go first into slices
that must be written anyway, the fullest first, then into the one slice that they would fill best, then into
new slices. A Service without endpoints has one empty slice.

Where Kubernetes takes endpoints in no particular order, they come here in the order of the pods. Hints are
laid over the result by `hints.py`. Source: kubernetes `staging/src/k8s.io/endpointslice` (reconciler.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from netsim.api.objects import SERVICE_NAME, Object, is_leaving, key_of, labels_of, name_of, owned_by
from netsim.api.times import rfc3339_nano
from netsim.control.endpoints import Key, Memory, address_types, port_key

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
RESERVED = (SERVICE_NAME, MANAGED_BY, HEADLESS)

Endpoint = dict[str, Any]
Port = dict[str, Any]
NodeOf = Callable[[str], Object | None]


@dataclass
class Plan:
    """What to write. `retry` says that a pod was left out because its node is not known (yet)."""

    create: list[Object] = field(default_factory=list)
    update: list[Object] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    retry: bool = False

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)


def reconcile(
    service: Object,
    pods: Iterable[Object],
    node_of: NodeOf,
    slices: Sequence[Object],
    new_name: Callable[[], str],
    max_endpoints: int = 100,
    trigger: int | None = None,
    memory: Memory | None = None,
) -> Plan:
    """What has to be written so that the slices say where the Service's pods are.

    `slices` are all managed slices that carry the Service's name; `new_name` gives a name for a new one; `trigger` is
    when the change happened that this answers; `memory`, one a Service, makes another look cheap.
    """
    plan, pods, memory = Plan(), list(pods), Memory() if memory is None else memory
    memory.begin()
    types = address_types(service)
    for family in types:
        mine = [piece for piece in slices if piece["addressType"] == family]
        _reconcile_family(service, pods, node_of, mine, family, max_endpoints, plan, memory)
    plan.delete += [piece for piece in slices if piece["addressType"] not in types]
    if is_leaving(service):
        plan.create = []  # the garbage collector is about to take the slices away
    taken = {name_of(piece) for piece in slices}
    plan.create = [_named(piece, new_name, taken) for piece in plan.create]
    plan.create = [_triggered(piece, trigger) for piece in plan.create]
    plan.update = [_triggered(piece, trigger) for piece in plan.update]
    return plan


def _reconcile_family(
    service: Object,
    pods: list[Object],
    node_of: NodeOf,
    slices: list[Object],
    family: str,
    max_endpoints: int,
    plan: Plan,
    memory: Memory,
) -> None:
    """Plan the slices of one address family."""
    owned: dict[Key, list[Object]] = {}
    delete: list[Object] = []
    for piece in slices:
        if is_owner(service, piece):
            owned.setdefault(port_key(piece.get("ports") or ()), []).append(piece)
        else:
            delete.append(piece)
    groups = _groups(service, pods, node_of, family, plan, memory)
    create: list[Object] = []
    for key, (ports, endpoints) in groups.items():
        group = _Group(service, family, ports, endpoints, max_endpoints, memory)
        group.place(owned.pop(key, []))
        create += group.create
        plan.update += group.update
        delete += group.delete
        plan.added += group.added
        plan.removed += group.removed
    for unwanted in owned.values():
        delete += unwanted
    if len(delete) == len(slices) and not create:
        empty = new_slice(service, family, [], [])
        if len(delete) == 1 and _is_same_placeholder(delete[0], empty):
            delete = []
        else:
            create.append(empty)
    _recycle(service, create, plan.update, delete)
    plan.create += create
    plan.delete += delete


def _groups(
    service: Object,
    pods: list[Object],
    node_of: NodeOf,
    family: str,
    plan: Plan,
    memory: Memory,
) -> dict[Key, tuple[list[Port], dict[Key, Endpoint]]]:
    """The endpoints that there should be, by what their ports are; within a group by who they are."""
    groups: dict[Key, tuple[list[Port], dict[Key, Endpoint]]] = {}
    publish = service["spec"].get("publishNotReadyAddresses", False)
    for pod in pods:
        node = node_of(pod["spec"].get("nodeName") or "")
        known = memory.look(service, pod, node, family)
        if not known.counts:
            continue
        group = groups.get(known.port_key)
        if group is None:
            group = groups[known.port_key] = known.ports, {}
        if node is None and not publish:
            plan.retry = True
        elif known.endpoint["addresses"]:
            group[1][known.identity] = known.endpoint
    return groups


# one group of slices -------------------------------------------------------------------------------------


@dataclass
class _Group:
    """The slices of one port map and family, and the endpoints that are to be in them."""

    service: Object
    family: str
    ports: list[Port]
    missing: dict[Key, Endpoint]  # wanted, and not yet seen in a slice
    max_endpoints: int
    memory: Memory
    create: list[Object] = field(default_factory=list)
    update: list[Object] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    added: int = 0
    removed: int = 0

    def place(self, slices: list[Object]) -> None:
        """Distribute the endpoints over the slices."""
        same: list[Object] = []
        for piece in slices:
            self._sort_out(piece, same)
        self.added = len(self.missing)
        if self.missing and self.update:
            self.update.sort(key=lambda piece: -len(piece["endpoints"]))
            self.update = [self._filled(piece) for piece in self.update]
        while self.missing:
            self._place_rest(same)

    def _sort_out(self, piece: Object, same: list[Object]) -> None:
        """Keep of a slice what is still wanted; say whether it must be written, can stay, or must go."""
        old = piece.get("endpoints") or []
        kept, changed = [], False
        for endpoint in old:
            wanted = self.missing.pop(self.memory.identity(endpoint), None)
            if wanted is not None:
                kept.append(wanted)
                changed = changed or (wanted is not endpoint and not is_same(wanted, endpoint))
        labels, relabelled = slice_labels(piece, self.service)
        self.removed += len(old) - len(kept)
        if (changed or len(kept) != len(old)) and not kept:
            self.delete.append(piece)
        elif changed or len(kept) != len(old) or relabelled:
            metadata = {**piece["metadata"], "labels": labels}
            self.update.append({**piece, "metadata": metadata, "endpoints": kept})
        else:
            same.append(piece)

    def _place_rest(self, same: list[Object]) -> None:
        """Fill the one unchanged slice that all the rest would fill best, or a new one."""
        chosen = None
        if len(self.missing) < self.max_endpoints:
            chosen = best_to_fill(same, len(self.missing), self.max_endpoints)
        if chosen is None:
            self.create.append(self._filled(new_slice(self.service, self.family, self.ports, [])))
        else:
            same.remove(chosen)
            self.update.append(self._filled(chosen))

    def _filled(self, piece: Object) -> Object:
        """The slice with as many of the missing endpoints as it can take."""
        endpoints = list(piece.get("endpoints") or ())
        for key in list(self.missing)[: max(0, self.max_endpoints - len(endpoints))]:
            endpoints.append(self.missing.pop(key))
        return {**piece, "endpoints": endpoints}


def best_to_fill(slices: list[Object], count: int, max_endpoints: int) -> Object | None:
    """The slice that would be fullest with `count` more endpoints in it, if there is one with room."""
    room = [(max_endpoints - count - len(piece.get("endpoints") or ()), piece) for piece in slices]
    return min(
        ((left, piece) for left, piece in room if 0 <= left < max_endpoints),
        key=lambda pair: pair[0],
        default=(0, None),
    )[1]


def _recycle(service: Object, create: list[Object], update: list[Object], delete: list[Object]) -> None:
    """Rather write new contents into a slice that would be deleted than delete one and create another."""
    kept = []
    for piece in delete:
        if create and is_owner(service, piece):
            new = create.pop()
            metadata = {**piece["metadata"], "labels": new["metadata"]["labels"]}
            update.append({**piece, **new, "metadata": metadata})
        else:
            kept.append(piece)
    delete[:] = kept


# slices --------------------------------------------------------------------------------------------------


def new_slice(service: Object, family: str, ports: list[Port], endpoints: list[Endpoint]) -> Object:
    """A slice that has no name yet."""
    namespace, name = key_of(service)
    metadata = {"generateName": f"{name}-", "namespace": namespace, "ownerReferences": [owned_by(service)]}
    labels, _ = slice_labels({"metadata": {}}, service)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": labels},
        "addressType": family,
        "endpoints": endpoints,
        "ports": ports,
    }


def slice_labels(piece: Object, service: Object) -> tuple[dict[str, str], bool]:
    """The labels a slice should have: its Service's and the controller's own; whether the former differ."""
    own = {key: value for key, value in labels_of(piece).items() if key not in RESERVED}
    theirs = {key: value for key, value in labels_of(service).items() if key not in RESERVED}
    labels = dict(theirs)
    if service["spec"].get("clusterIP") in (None, "", "None"):
        labels[HEADLESS] = ""
    return {**labels, SERVICE_NAME: name_of(service), MANAGED_BY: CONTROLLER}, own != theirs


def is_managed(piece: Object) -> bool:
    """Whether a slice is this controller's to change: people and other controllers may write slices, too."""
    return labels_of(piece).get(MANAGED_BY) == CONTROLLER


def is_owner(service: Object, piece: Object) -> bool:
    """Whether a slice belongs to this very Service, not to an earlier one of the same name."""
    return any(
        reference["uid"] == service["metadata"]["uid"] and reference["kind"] == "Service"
        for reference in piece["metadata"].get("ownerReferences") or ()
    )


def _named(piece: Object, new_name: Callable[[], str], taken: set[str]) -> Object:
    name = new_name()
    while name in taken:
        name = new_name()
    taken.add(name)
    return {**piece, "metadata": {"name": name, **piece["metadata"]}}


def _triggered(piece: Object, trigger: int | None) -> Object:
    """The slice with the instant of the change that it answers; one that answers none says none."""
    old = piece["metadata"].get("annotations") or {}
    if trigger is None and TRIGGER_TIME not in old:
        return piece
    annotations = {key: value for key, value in old.items() if key != TRIGGER_TIME}
    if trigger is not None:
        annotations[TRIGGER_TIME] = rfc3339_nano(trigger)
    return {**piece, "metadata": {**piece["metadata"], "annotations": annotations}}


def _is_same_placeholder(piece: Object, empty: Object) -> bool:
    return (
        not piece.get("endpoints")
        and not piece.get("ports")
        and piece["addressType"] == empty["addressType"]
        and labels_of(piece) == labels_of(empty)
    )


# comparing -----------------------------------------------------------------------------------------------


def is_same(one: Endpoint, other: Endpoint) -> bool:
    """Whether two versions of an endpoint say the same, hints apart."""
    return {**one, "hints": None} == {**other, "hints": None}
