"""What of an object may not change once it is there, and how the API server says so.

Source: kubernetes pkg/apis/core/validation (ValidatePodUpdate, ValidateServiceUpdate), pkg/apis/apps/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from netsim.api.objects import Object
from netsim.api.refusals import shown
from netsim.api.service_updates import has_addresses, has_health_port
from netsim.api.service_validation import cluster_ips

IDENTITY = (
    "name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp",
    "deletionGracePeriodSeconds",
)  # fmt: skip
"""What a writer cannot touch: it stays as it is stored."""

POD_FIELDS = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def changes(kind: str, new: Object, old: Object) -> Iterator[str]:
    """What is wrong with putting `new` in the place of `old`."""
    look = KINDS.get(kind)
    if look is not None:
        yield from look(new.get("spec") or {}, old.get("spec") or {})


def _service(new: Object, old: Object) -> Iterator[str]:
    if has_addresses(new) and has_addresses(old):
        yield from _addresses(cluster_ips(new), cluster_ips(old))
    if has_health_port(new) and has_health_port(old):
        was, wanted = old.get("healthCheckNodePort"), new.get("healthCheckNodePort")
        if was and wanted != was:
            yield "spec.healthCheckNodePort: Forbidden: field is immutable"


def _addresses(new: list[str], old: list[str]) -> Iterator[str]:
    """The first address stays; a second one may come and go, and not change."""
    if old and not new:
        yield "spec.clusterIPs[0]: Invalid value: []string(nil): primary clusterIP can not be unset"
    fixed = len(old) if len(new) == len(old) else 1
    for index, (wanted, was) in enumerate(zip(new[:fixed], old[:fixed], strict=False)):
        if wanted != was:
            yield f"spec.clusterIPs[{index}]: Invalid value: {shown(new)}: may not change once set"


def _selector(new: Object, old: Object) -> Iterator[str]:
    if new.get("selector") != old.get("selector"):
        selector = new.get("selector") or {}
        labels = shown(selector.get("matchLabels")) if selector.get("matchLabels") else "map[string]string(nil)"
        rules = "[]v1.LabelSelectorRequirement(nil)"
        value = f"v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:{rules}}}"
        yield f"spec.selector: Invalid value: {value}: field is immutable"


def _pod(new: Object, old: Object) -> Iterator[str]:
    if _fixed(new) != _fixed(old):
        yield POD_FIELDS


def _fixed(spec: Object) -> dict[str, Any]:
    """A pod's spec without what may change."""
    kept = {name: value for name, value in spec.items() if name not in ("tolerations", "activeDeadlineSeconds")}
    for part in ("containers", "initContainers"):
        if part in kept:
            kept[part] = [{**container, "image": ""} for container in kept[part]]
    return kept


def _node(new: Object, old: Object) -> Iterator[str]:
    if old.get("podCIDR") and new.get("podCIDR") != old["podCIDR"]:
        yield 'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'


KINDS: Mapping[str, Callable[[Object, Object], Iterator[str]]] = MappingProxyType(
    {"Service": _service, "Deployment": _selector, "ReplicaSet": _selector, "Pod": _pod, "Node": _node}
)
