"""Whether an object may take the place of another: what the API server says to a PUT or a PATCH.

It decodes what was sent, and refuses unknown fields and wrong types; only what it could decode it validates, and
compares with what is stored. A Service must not ask for an address or a node port that another one has; one that is
given another type silently loses what only its old type may have.

Sources: apiserver `pkg/registry/rest/update.go`, kubernetes `pkg/registry/core/service/strategy.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from netsim.api import immutable, schema, validation
from netsim.api.checking import Notes, check
from netsim.api.documents import Path
from netsim.api.manifests import as_created, without_nulls
from netsim.api.objects import Object, key_of

EXTERNAL = ("NodePort", "LoadBalancer")
ONLY_BALANCED = ("healthCheckNodePort", "allocateLoadBalancerNodePorts", "loadBalancerClass")
ONLY_ADDRESSED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def without_leftovers(new: Object, old: Object) -> Object:
    """A Service of another type than before without what it only had because of that, unless the writer changed it.

    >>> old = {"kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}}
    >>> without_leftovers({**old, "spec": {**old["spec"], "type": "ClusterIP"}}, old)["spec"]
    {'type': 'ClusterIP', 'ports': [{'port': 80}]}
    """
    spec, before = new.get("spec"), old.get("spec")
    if old["kind"] != "Service" or not isinstance(spec, dict) or not isinstance(before, dict):
        return new
    is_now, was = (one.get("type") or "ClusterIP" for one in (spec, before))
    lost: tuple[str, ...] = ONLY_BALANCED if was == "LoadBalancer" != is_now else ()
    lost += ONLY_ADDRESSED if is_now == "ExternalName" != was else ()
    if was in EXTERNAL and is_now not in EXTERNAL:
        lost += ("externalTrafficPolicy",)
        if isinstance(spec.get("ports"), list) and _node_ports(spec["ports"]) == _node_ports(before.get("ports") or []):
            ports = [{name: value for name, value in port.items() if name != "nodePort"} for port in spec["ports"]]
            spec = {**spec, "ports": ports}
    kept = {name: value for name, value in spec.items() if name not in lost or value != before.get(name)}
    return new if kept == new["spec"] else {**new, "spec": kept}


def _node_ports(ports: list[Object]) -> list[Any]:
    """The node ports of a Service's ports; an entry that is no port counts as itself."""
    return [port.get("nodePort") if isinstance(port, dict) else port for port in ports]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is refused: where in the object, and in which words."""

    path: Path
    message: str
    hint: str = ""
    unknown: bool = False  # there is no field of that name


def refused(new: Object, old: Object, ranges: validation.Ranges, services: Iterable[Object] = ()) -> Iterator[Wrong]:
    """What is wrong with putting `new` in the place of `old`, while there are these `services`.

    Kinds that nobody knows are taken as they are.
    """
    kind = schema.find(old["apiVersion"], old["kind"])
    if kind is None:
        return
    notes = Notes()
    mistakes = check(kind, new, notes)
    for mistake in mistakes:
        yield Wrong(mistake.path, mistake.message, mistake.hint, mistake.unknown)
    if mistakes:
        return
    new = as_created(without_nulls(new, notes.null_texts) if notes.nulls else new, kind)
    invalid = validation.validate(new, kind, ranges)
    for path, message in invalid:
        yield Wrong(path, message)
    for message in immutable.changes(kind.name, new, old):
        yield Wrong(tuple(message.partition(":")[0].split(".")), message)
    if kind.name == "Service" and not invalid:
        others = [service for service in services if key_of(service) != key_of(new)]
        for index, path, message in validation.taken_twice([*others, new], ranges):
            if index == len(others):
                yield Wrong(path, message)
