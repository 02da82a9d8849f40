"""Which kinds the API server of a release serves, and by which fields a list of them can be narrowed.

Of built-in APIs the stable versions are served, each from the release that brought it; alpha and beta versions are
off unless somebody turns them on. Kinds that are not of Kubernetes itself come as CRDs, in whatever version.
Objects of kinds with later stable versions may still stand in a scenario; here is only what a server tells of itself.
Sources: kubernetes `pkg/controlplane/instance.go` (DefaultAPIResourceConfigSource), CHANGELOG;
`pkg/apis/*/*/conversion.go` and apimachinery `pkg/runtime/conversion.go` for the field labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from netsim.api.query import Query
from netsim.api.schema import Kind
from netsim.console.api import StatusError

SINCE: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("IPAddress", "v1"): 33,
        ("ServiceCIDR", "v1"): 33,
        ("DeviceClass", "v1"): 34,
        ("ResourceClaim", "v1"): 34,
        ("ResourceClaimTemplate", "v1"): 34,
        ("ResourceSlice", "v1"): 34,
        ("VolumeAttributesClass", "v1"): 34,
        ("MutatingAdmissionPolicy", "v1"): 36,
        ("MutatingAdmissionPolicyBinding", "v1"): 36,
    }
)
"""The minor release from which on a stable version is served, where it is later than the first that is known here."""

ORIGINAL = ("", "apps", "autoscaling", "batch", "policy")
"""The groups of Kubernetes that have no domain."""


def is_served(kind: Kind, minor: int) -> bool:
    """Whether a server of release 1.`minor` lists a kind in this version.

    >>> from netsim.api.schema import find
    >>> pods, cidrs = find("v1", "Pod"), find("networking.k8s.io/v1", "ServiceCIDR")
    >>> is_served(pods, 32), is_served(cidrs, 32), is_served(cidrs, 33)
    (True, False, True)
    """
    if not _is_builtin(kind.group):
        return True
    return bool(re.fullmatch(r"v[0-9]+", kind.version)) and minor >= SINCE.get((kind.name, kind.version), 0)


def _is_builtin(group: str) -> bool:
    return group in ORIGINAL or group.endswith(".k8s.io")


NAMED = ("metadata.name", "metadata.namespace")
FIELD_LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Pod": (
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ),
        "Node": ("spec.unschedulable",),
        "Namespace": ("status.phase",),
        "Service": ("spec.clusterIP", "spec.type"),
        "Secret": ("type",),
        "ReplicaSet": ("status.replicas",),
        "ReplicationController": ("status.replicas",),
        "Job": ("status.successful",),
        "Event": (
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ),
    }
)  # fmt: skip
"""Which fields besides name and namespace `--field-selector` can ask for; all other kinds know only those two."""


def check_field_labels(query: Query) -> None:
    """Refuse a field that a kind cannot be listed by."""
    asked = [part.strip() for part in query.field_selector.split(",") if part.strip()]
    fields = [re.split(r"!=|==?", part)[0].strip() for part in asked]
    for kind in (one.kind for one in query.wanted):
        own = FIELD_LABELS.get(kind.name)
        for name in fields:
            if name not in (*NAMED, *(own or ())):
                raise StatusError("BadRequest", f"{_not_found(kind, query)}: {_unknown(name, own is not None)}")


def _not_found(kind: Kind, query: Query) -> str:
    what = f'"{kind.group}/{kind.version}, Resource={kind.plural}"'
    chosen = f'label selector "{query.selector}", field selector "{query.field_selector}"'
    return f"Unable to find {what} that match {chosen}"


def _unknown(name: str, has_own: bool) -> str:
    if has_own:
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'
