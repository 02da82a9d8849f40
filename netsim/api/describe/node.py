"""`kubectl describe node`.

Source: kubectl pkg/describe, describeNode and describeNodeResource, release 1.32.
"""

from __future__ import annotations

from fractions import Fraction

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.describe.quantities import Quantities, amount_text, limits, quantity_text, requests, total
from netsim.api.objects import Object, is_finished, key_of, node_of
from netsim.api.tables.ages import age
from netsim.api.tables.columns import UNSET
from netsim.api.tables.nodes import node_roles
from netsim.api.times import rfc1123
from netsim.units import parse_quantity

LEASES = "kube-node-lease"

SYSTEM = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)

POD_HEADERS = (
    "Namespace",
    "Name",
    "",
    "CPU Requests",
    "CPU Limits",
    "Memory Requests",
    "Memory Limits",
    "Age",
)
RESOURCES = ("cpu", "memory", "ephemeral-storage")


def describe_node(node: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a node."""
    metadata, spec = node["metadata"], node["spec"]
    page = Page()
    page.line("Name:", metadata["name"])
    page.line("Roles:", node_roles(node))
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.line("CreationTimestamp:", rfc1123(metadata.get("creationTimestamp") or 0))
    page.many("Taints", sorted(map(taint_text, spec.get("taints") or ()), key=_by_effect))
    page.line("Unschedulable:", str(bool(spec.get("unschedulable"))).lower())
    _lease(page, metadata["name"], lookup)
    _status(page, node)
    _ranges(page, spec)
    pods = [pod for pod in lookup("Pod", None) if node_of(pod) == metadata["name"] and not is_finished(pod)]
    _pods(page, node, sorted(pods, key=key_of), now)
    write_events(page, events_of(node, lookup("Event", None)), now)
    return str(page)


def taint_text(taint: Object) -> str:
    """A taint in kubectl's words.

    >>> taint_text({"key": "a", "value": "b", "effect": "NoSchedule"})
    'a=b:NoSchedule'
    """
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _by_effect(text: str) -> tuple[str, str]:
    key, _, effect = text.rpartition(":")
    return effect, key


def _lease(page: Page, name: str, lookup: Lookup) -> None:
    lease = next((one for one in lookup("Lease", LEASES) if one["metadata"]["name"] == name), None)
    if lease is None:
        page.line("Lease:", f'Failed to get lease: leases.coordination.k8s.io "{name}" not found')
        return
    spec = lease.get("spec") or {}
    page.line("Lease:")
    page.line("HolderIdentity:", spec.get("holderIdentity") or UNSET, level=1)
    for title, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        time = spec.get(field)
        page.line(f"{title}:", UNSET if time is None else rfc1123(time), level=1)


def _status(page: Page, node: Object) -> None:
    status = node.get("status") or {}
    if status.get("conditions"):
        page.line("Conditions:")
        headers = ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
        page.table(headers, map(_condition, status["conditions"]))
    page.line("Addresses:")
    for address in status.get("addresses") or ():
        page.line(f"{address['type']}:", address["address"], level=1)
    for title in ("Capacity", "Allocatable"):
        amounts = status.get(title.lower()) or {}
        if amounts:
            page.line(f"{title}:")
        for resource in sorted(amounts):
            page.line(f"{resource}:", quantity_text(amounts[resource]), level=1)
    page.line("System Info:")
    for title, field in SYSTEM:
        page.line(f"{title}:", (status.get("nodeInfo") or {}).get(field, ""), level=1)


def _condition(condition: Object) -> tuple[str, ...]:
    """A row of the conditions; the blanks behind the cells are kubectl's."""
    return (
        f"{condition['type']} ",
        f"{condition['status']} ",
        f"{rfc1123(condition.get('lastHeartbeatTime') or 0)} ",
        f"{rfc1123(condition.get('lastTransitionTime') or 0)} ",
        f"{condition.get('reason', '')} ",
        condition.get("message", ""),
    )


def _ranges(page: Page, spec: Object) -> None:
    for title, value in (
        ("PodCIDR", spec.get("podCIDR")),
        ("PodCIDRs", ",".join(spec.get("podCIDRs") or ())),
        ("ProviderID", spec.get("providerID")),
    ):
        if value:
            page.line(f"{title}:", value)


def _pods(page: Page, node: Object, pods: list[Object], now: int) -> None:
    status = node.get("status") or {}
    given = status.get("allocatable") or status.get("capacity") or {}
    room = {name: parse_quantity(amount) for name, amount in given.items()}
    page.line("Non-terminated Pods:", f"({len(pods)} in total)")
    page.table(POD_HEADERS, (_pod(pod, room, now) for pod in pods))
    page.line("Allocated resources:")
    page.line("(Total limits may be over 100 percent, i.e., overcommitted.)", level=1)
    asked, most = total(map(requests, pods)), total(map(limits, pods))
    rows = ((name, _share(asked, name, room), _share(most, name, room)) for name in RESOURCES)
    page.table(("Resource", "Requests", "Limits"), rows)


def _pod(pod: Object, room: dict[str, Fraction], now: int) -> tuple[str, ...]:
    namespace, name = key_of(pod)
    asked, most = requests(pod), limits(pod)
    cells = (_share(amounts, resource, room) for resource in ("cpu", "memory") for amounts in (asked, most))
    return namespace, name, "", *cells, age(pod["metadata"].get("creationTimestamp"), now)


def _share(amounts: Quantities, resource: str, room: dict[str, Fraction]) -> str:
    """An amount, and which percentage it is of what the node has."""
    amount, binary = amounts.get(resource, (Fraction(0), False))
    of = room.get(resource, Fraction(0))
    return f"{amount_text(amount, binary)} ({int(amount * 100 / of) if of else 0}%)"
