"""The cells of `kubectl get deployments|replicasets|statefulsets|daemonsets|controllerrevisions|pdb`.

Source: kubernetes/pkg/printers/internalversion, printers.go.
"""

from __future__ import annotations

from netsim.api.objects import Object, controller_of
from netsim.api.tables.columns import AGE, NAME, NONE, Cell, Column, View, field, labels_text, selector_text


def _ready_of_desired(obj: Object, view: View) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}"


def _template(obj: Object) -> Object:
    return obj["spec"].get("template", {}).get("spec", {})


def _of_containers(name: str) -> Cell:
    def cell(obj: Object, view: View) -> str:
        return ",".join(container.get(name, "") for container in _template(obj).get("containers") or ())

    return cell


def _selector(obj: Object, view: View) -> str:
    return selector_text(obj["spec"].get("selector"))


def _node_selector(obj: Object, view: View) -> str:
    return labels_text(_template(obj).get("nodeSelector"))


def _controller(obj: Object, view: View) -> str:
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group, slash, _ = owner.get("apiVersion", "").partition("/")
    return f"{owner['kind'].lower()}{f'.{group}' if slash else ''}/{owner['name']}"


CONTAINERS = (
    Column("Containers", _of_containers("name"), wide=True),
    Column("Images", _of_containers("image"), wide=True),
)
SELECTOR = Column("Selector", _selector, wide=True)

DEPLOYMENT = (
    NAME,
    Column("Ready", _ready_of_desired),
    Column("Up-to-date", field("status", "updatedReplicas", default=0)),
    Column("Available", field("status", "availableReplicas", default=0)),
    AGE,
    *CONTAINERS,
    SELECTOR,
)

REPLICA_SET = (
    NAME,
    Column("Desired", field("spec", "replicas", default=1)),
    Column("Current", field("status", "replicas", default=0)),
    Column("Ready", field("status", "readyReplicas", default=0)),
    AGE,
    *CONTAINERS,
    SELECTOR,
)

STATEFUL_SET = (NAME, Column("Ready", _ready_of_desired), AGE, *CONTAINERS)

DAEMON_SET = (
    NAME,
    Column("Desired", field("status", "desiredNumberScheduled", default=0)),
    Column("Current", field("status", "currentNumberScheduled", default=0)),
    Column("Ready", field("status", "numberReady", default=0)),
    Column("Up-to-date", field("status", "updatedNumberScheduled", default=0)),
    Column("Available", field("status", "numberAvailable", default=0)),
    Column("Node Selector", _node_selector),
    AGE,
    *CONTAINERS,
    SELECTOR,
)

CONTROLLER_REVISION = (
    NAME,
    Column("Controller", _controller),
    Column("Revision", field("revision", default=0)),
    AGE,
)

POD_DISRUPTION_BUDGET = (
    NAME,
    Column("Min Available", field("spec", "minAvailable", default="N/A")),
    Column("Max Unavailable", field("spec", "maxUnavailable", default="N/A")),
    Column("Allowed Disruptions", field("status", "disruptionsAllowed", default=0)),
    AGE,
)
