"""The hints that the EndpointSlice controller writes: which endpoint is meant for which zone or node.

`trafficDistribution` hints every ready endpoint to its own zone (and, with PreferSameNode, its own node) and
balances nothing. The annotation `service.kubernetes.io/topology-mode: Auto` gives zones endpoints in
proportion to the CPU of their ready nodes, lends endpoints between zones, and gives up when a zone would be
overloaded by more than a fifth. The annotation wins over the field. What proxies make of hints is in
`proxy/endpoints.py`.

An endpoint is a plain entry of a discovery.k8s.io/v1 EndpointSlice; nothing is changed in place. Which
endpoint is lent is first fit, as in Kubernetes, with zones in the order of their names where Kubernetes takes
map order. Sources: kubernetes `staging/src/k8s.io/endpointslice/topologycache`, `trafficdist`,
`reconciler.go`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netsim.units import millicores

MODE_ANNOTATION = "service.kubernetes.io/topology-mode"
OLD_ANNOTATION = "service.kubernetes.io/topology-aware-hints"
ZONE_LABEL = "topology.kubernetes.io/zone"
EXCLUDED_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
OVERLOAD = 0.2  # how much more than its share an endpoint may get

ENABLED = "TopologyAwareHintsEnabled"
DISABLED = "TopologyAwareHintsDisabled"
MESSAGES = {
    "TopologyAwareHintsEnabled": "Topology Aware Hints has been enabled",
    "TopologyAwareHintsDisabled": "Topology Aware Hints has been disabled",
    "InsufficientNodeInfo": "Insufficient Node information: allocatable CPU or zone not specified on one "
    "or more nodes",
    "NodesReadyInOneZoneOnly": "Nodes only ready in one zone",
    "InsufficientNumberOfEndpoints": "Insufficient number of endpoints",
    "MinAllocationExceedsOverloadThreshold": "Unable to allocate minimum required endpoints to each zone "
    "without exceeding overload threshold",
    "NoZoneSpecified": "One or more endpoints do not have a zone specified",
    "NoAllocatedHintsForZones": "No hints allocated for zones",
}  # fmt: skip

Entry = Mapping[str, Any]
Slice = Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Slices:
    """The endpoints of the slices that a sync creates, updates, and would leave alone."""

    create: Sequence[Slice] = ()
    update: Sequence[Slice] = ()
    unchanged: Sequence[Slice] = ()

    def all(self) -> list[Slice]:
        """Every slice."""
        return [*self.create, *self.update, *self.unchanged]


@dataclass(frozen=True, slots=True)
class Notice:
    """The Event that tells a person what became of the hints."""

    reason: str  # TopologyAwareHintsEnabled or TopologyAwareHintsDisabled
    message_id: str  # one of MESSAGES
    detail: str = ""

    @property
    def type(self) -> str:
        """Normal or Warning."""
        return "Normal" if self.reason == ENABLED else "Warning"

    @property
    def message(self) -> str:
        """The Event's text."""
        return MESSAGES[self.message_id] + self.detail


@dataclass(frozen=True, slots=True)
class Allocation:
    """How many endpoints a zone should get."""

    minimum: int
    maximum: int
    desired: float


def hints_enabled(annotations: Mapping[str, str]) -> bool:
    """Whether a Service's annotations ask for topology aware hints. The older annotation is read first.

    >>> hints_enabled({MODE_ANNOTATION: "Auto"}), hints_enabled({MODE_ANNOTATION: "aUto"})
    (True, False)
    """
    value = annotations.get(OLD_ANNOTATION, annotations.get(MODE_ANNOTATION))
    return value in ("Auto", "auto")


def cpu_by_zone(nodes: Iterable[Mapping[str, Any]]) -> dict[str, int] | None:
    """The allocatable millicores of each zone's ready workers; None if they cannot be compared.

    That is so if some node does not say its zone or CPU, or if there is only one zone.
    """
    cpu: dict[str, int] = {}
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        if any(label in labels for label in EXCLUDED_LABELS) or not _is_ready(node):
            continue
        zone = labels.get(ZONE_LABEL, "")
        amount = millicores(((node.get("status") or {}).get("allocatable") or {}).get("cpu", "0"))
        if not zone or not amount:
            return None
        cpu[zone] = cpu.get(zone, 0) + amount
    return cpu if len(cpu) >= 2 else None


def cpu_ratios(nodes: Iterable[Mapping[str, Any]]) -> dict[str, float] | None:
    """Each zone's share of the cluster's CPU; None if that cannot be told."""
    cpu = cpu_by_zone(nodes)
    if cpu is None:
        return None
    total = sum(cpu.values())
    return {zone: amount / total for zone, amount in cpu.items()}


def allocate(ratios: Mapping[str, float] | None, endpoints: int) -> dict[str, Allocation] | Notice:
    """How many of `endpoints` each zone should get, or why that cannot be."""
    if ratios is None:
        return Notice(DISABLED, "InsufficientNodeInfo")
    if len(ratios) < 2:
        return Notice(DISABLED, "NodesReadyInOneZoneOnly")
    counts = f" ({endpoints} endpoints, {len(ratios)} zones)"
    if len(ratios) > endpoints:
        return Notice(DISABLED, "InsufficientNumberOfEndpoints", counts)
    minimums = {z: math.ceil(ratio * endpoints * (1 / (1 + OVERLOAD))) for z, ratio in ratios.items()}
    spare = endpoints - sum(minimums.values())
    if spare < 0:
        return Notice(DISABLED, "MinAllocationExceedsOverloadThreshold", counts)
    return {
        zone: Allocation(minimum, minimum + spare, max(ratios[zone] * endpoints, float(minimum)))
        for zone, minimum in minimums.items()
    }


def giving_and_receiving(
    desired: Mapping[str, float], allocated: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """How many endpoints each zone lends, and how many each zone borrows.

    >>> giving_and_receiving({"a": 5.0, "b": 5.6, "c": 5.4}, {"b": 8, "c": 8})
    ({'c': 3, 'b': 2}, {'a': 5})
    """
    over = {
        z: allocated.get(z, 0) - want for z, want in sorted(desired.items()) if allocated.get(z, 0) > want
    }
    under = {
        z: want - allocated.get(z, 0) for z, want in sorted(desired.items()) if allocated.get(z, 0) < want
    }
    giving: dict[str, int] = {}
    receiving: dict[str, int] = {}
    while over and under:
        giver, receiver = max(over, key=over.__getitem__), max(under, key=under.__getitem__)
        most, need = over[giver], under[receiver]
        if most < 0.5 or need < 0.5 or (most < 1.0 and need < 1.0):
            break
        giving[giver] = giving.get(giver, 0) + 1
        receiving[receiver] = receiving.get(receiver, 0) + 1
        over[giver] -= 1
        under[receiver] -= 1
    return giving, receiving


def topology_hints(slices: Slices, ratios: Mapping[str, float] | None) -> tuple[Slices, Notice]:
    """Hints in proportion to the zones' CPU, or none at all and the reason."""
    allocations = allocate(ratios, sum(map(_ready, (e for s in slices.all() for e in s))))
    if isinstance(allocations, Notice):
        return without_hints(slices), allocations
    slices, allocated = _keep_valid(slices, allocations)
    zones: list[str] = [e.get("zone") or "" for s in (*slices.create, *slices.update) for e in s if _ready(e)]
    if not all(zones):
        return without_hints(slices), Notice(DISABLED, "NoZoneSpecified")
    for zone in zones:
        allocated[zone] = allocated.get(zone, 0) + 1
    if not allocated:
        return without_hints(slices), Notice(DISABLED, "NoAllocatedHintsForZones")
    desired = {zone: allocation.desired for zone, allocation in allocations.items()}
    giving, receiving = giving_and_receiving(desired, allocated)
    create, update = (
        [[_lend(e, giving, receiving) for e in s] for s in group] for group in (slices.create, slices.update)
    )
    return replace(slices, create=create, update=update), Notice(ENABLED, "TopologyAwareHintsEnabled")


def traffic_distribution_hints(slices: Slices, value: str | None, *, same_gate: bool = True) -> Slices:
    """The hints of `spec.trafficDistribution`; slices whose hints are wrong move to those to update.

    `same_gate` is the feature gate PreferSameTrafficDistribution: without it only PreferClose is known.
    """
    known = ("PreferClose", "PreferSameZone", "PreferSameNode") if same_gate else ("PreferClose",)
    nodes = value == "PreferSameNode"

    def hinted(entry: Entry) -> Entry:
        if value not in known:
            return _with_hints(entry)
        if not _ready(entry):
            return entry
        return _with_hints(entry, entry.get("zone"), entry.get("nodeName") if nodes else None)

    wrong = [s for s in slices.unchanged if any((h := hinted(e)) is not e and h != e for e in s)]
    return Slices(
        create=[[hinted(e) for e in s] for s in slices.create],
        update=[[hinted(e) for e in s] for s in (*slices.update, *wrong)],
        unchanged=[s for s in slices.unchanged if not any(s is w for w in wrong)],
    )


def hints(
    slices: Slices,
    service: Mapping[str, Any],
    ratios: Mapping[str, float] | None,
    *,
    topology_cache: bool = True,
    same_gate: bool = True,
) -> tuple[Slices, Notice | None]:
    """The slices of a Service with the hints it asks for. The annotation wins over the field.

    `topology_cache` False is a controller without TopologyAwareHints: it can only take such hints away.
    """
    if hints_enabled(service["metadata"].get("annotations") or {}):
        return topology_hints(slices, ratios) if topology_cache else (without_hints(slices), None)
    value = service["spec"].get("trafficDistribution")
    return traffic_distribution_hints(slices, value, same_gate=same_gate), None


def without_hints(slices: Slices) -> Slices:
    """The slices with every hint taken away; unchanged slices that had some are to be updated."""
    stale = [s for s in slices.unchanged if any(e.get("hints") for e in s)]
    return Slices(
        create=[[_with_hints(e) for e in s] for s in slices.create],
        update=[[_with_hints(e) for e in s] for s in (*slices.update, *stale)],
        unchanged=[s for s in slices.unchanged if not any(e.get("hints") for e in s)],
    )


def _keep_valid(slices: Slices, allocations: Mapping[str, Allocation]) -> tuple[Slices, dict[str, int]]:
    """Leave alone the unchanged slices whose hints still fit; the others are to be updated."""
    allocated: dict[str, int] = {}
    update, unchanged = list(slices.update), []
    for slice_ in slices.unchanged:
        counts = _valid_counts(slice_, allocated, allocations)
        if counts is None:
            update.append(slice_)
            continue
        unchanged.append(slice_)
        for zone, count in counts.items():
            allocated[zone] = allocated.get(zone, 0) + count
    return replace(slices, update=update, unchanged=unchanged), allocated


def _valid_counts(
    slice_: Slice, allocated: Mapping[str, int], allocations: Mapping[str, Allocation]
) -> dict[str, int] | None:
    """The hints of a slice by zone; None if one is missing, or no longer possible."""
    counts: dict[str, int] = {}
    for entry in slice_:
        if _ready(entry):
            zones = [zone["name"] for zone in (entry.get("hints") or {}).get("forZones") or ()]
            if not zones or any(zone not in allocations for zone in zones):
                return None
            for zone in zones:
                counts[zone] = counts.get(zone, 0) + 1
    too_many = any(count + allocated.get(z, 0) > allocations[z].maximum for z, count in counts.items())
    return None if too_many else counts


def _lend(entry: Entry, giving: dict[str, int], receiving: dict[str, int]) -> Entry:
    """Hint an endpoint to its own zone, or to the first zone that still borrows from it."""
    if not _ready(entry):
        return entry
    zone = entry["zone"]
    if giving.get(zone, 0) > 0:
        borrower = next((z for z in sorted(receiving) if receiving[z] > 0), None)
        if borrower is not None:
            giving[zone] -= 1
            receiving[borrower] -= 1
            zone = borrower
    return _with_hints(entry, zone)


def _with_hints(entry: Entry, zone: str | None = None, node: str | None = None) -> Entry:
    if zone is node is None and "hints" not in entry:
        return entry
    bare = {key: value for key, value in entry.items() if key != "hints"}
    found: dict[str, Any] = {}
    if zone is not None:
        found["forZones"] = [{"name": zone}]
    if node is not None:
        found["forNodes"] = [{"name": node}]
    return {**bare, "hints": found} if found else bare


def _ready(entry: Entry) -> bool:
    """The controller writes the condition out; what it does not say is not ready here."""
    return (entry.get("conditions") or {}).get("ready") is True


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
