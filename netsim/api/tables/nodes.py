"""The cells of `kubectl get nodes`.

STATUS knows Ready and NotReady: a node that fell silent has the Ready condition Unknown, and is NotReady.
Unknown is shown only for a node that never had the condition.
Source: kubernetes/pkg/printers/internalversion, printers.go, printNode.
"""

from __future__ import annotations

from netsim.api.objects import Object, condition, labels_of
from netsim.api.tables.ages import UNKNOWN
from netsim.api.tables.columns import AGE, NAME, NONE, Cell, Column, View, field

ROLE = "node-role.kubernetes.io/"
OLD_ROLE = "kubernetes.io/role"


def node_status(node: Object) -> str:
    """Whether the node is ready, and whether pods may be scheduled on it."""
    ready = condition(node, "Ready")
    word = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if node["spec"].get("unschedulable") else word


def node_roles(node: Object) -> str:
    """The roles that the node's labels name, sorted.

    >>> node_roles({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}})
    'control-plane'
    """
    labels = labels_of(node)
    roles = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE)} | {labels.get(OLD_ROLE, "")}
    return ",".join(sorted(roles - {""})) or NONE


def _status(node: Object, view: View) -> str:
    return node_status(node)


def _roles(node: Object, view: View) -> str:
    return node_roles(node)


def _address(kind: str) -> Cell:
    def cell(node: Object, view: View) -> str:
        addresses = node.get("status", {}).get("addresses") or ()
        return next((one["address"] for one in addresses if one["type"] == kind), NONE)

    return cell


def _info(name: str, default: str = "") -> Cell:
    return field("status", "nodeInfo", name, default=default)


COLUMNS = (
    NAME,
    Column("Status", _status),
    Column("Roles", _roles),
    AGE,
    Column("Version", _info("kubeletVersion")),
    Column("Internal-IP", _address("InternalIP"), wide=True),
    Column("External-IP", _address("ExternalIP"), wide=True),
    Column("OS-Image", _info("osImage", UNKNOWN), wide=True),
    Column("Kernel-Version", _info("kernelVersion", UNKNOWN), wide=True),
    Column("Container-Runtime", _info("containerRuntimeVersion", UNKNOWN), wide=True),
)
