"""What people do to a cluster on purpose, at a time: drains, rollouts, edits. Undone after `duration`, if it is given.

An object is named `KIND/NAME` or `KIND/NAME.NAMESPACE`, as in `deployment/web.shop`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from netsim.api.objects import Object, merged
from netsim.draws import Stream
from netsim.faults.model import Fault
from netsim.faults.nodes import NodeFault
from netsim.faults.selectors import full_name
from netsim.fields import Name

if TYPE_CHECKING:
    from netsim.control.holds import Release
    from netsim.control.levers import Levers

KINDS = MappingProxyType(
    {
        "deployment": "Deployment",
        "replicaset": "ReplicaSet",
        "statefulset": "StatefulSet",
        "daemonset": "DaemonSet",
        "service": "Service",
        "poddisruptionbudget": "PodDisruptionBudget",
        "pod": "Pod",
        "node": "Node",
    }
)
"""How kinds are written, and what the API calls them."""

_NAME = r"/[a-z0-9]([-a-z0-9.]*[a-z0-9])?"


def _one_of(*kinds: str) -> Any:
    """The name of an object of one of these kinds."""
    pattern = rf"({'|'.join(kinds)}){_NAME}"

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            examples = " or ".join(f"{kind}/NAME" for kind in kinds)
            raise ValueError(f"{text!r} cannot be meant; write {examples}")
        return text

    return Annotated[str, AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})]


if TYPE_CHECKING:
    Target = str
    Workload = str
    Scaled = str
else:
    Target = _one_of(*KINDS)
    Workload = _one_of("deployment", "statefulset", "daemonset")
    Scaled = _one_of("deployment", "statefulset", "replicaset")


def object_named(target: str) -> tuple[str, tuple[str, str]]:
    """The kind, and namespace and name, that a target means.

    >>> object_named("deployment/web.shop"), object_named("node/worker-1")
    (('Deployment', ('shop', 'web')), ('Node', ('', 'worker-1')))
    """
    kind, _, name = target.partition("/")
    if kind == "node":
        return KINDS[kind], ("", name)
    namespace, _, name = full_name(name).partition("/")
    return KINDS[kind], (namespace, name)


# nodes -------------------------------------------------------------------------------------------------


class NodeDrain(NodeFault):
    """`kubectl drain`: nodes are cordoned and their pods evicted, those of DaemonSets apart, as budgets allow.

    What a budget refuses is tried again every five seconds. After `duration` nothing is tried any more, and the nodes
    are uncordoned.
    """

    action: Literal["node-drain"]
    says: ClassVar[tuple[str, str]] = ("drain of {names} begins", "{names} uncordoned")

    def hit(self, world: Levers, node: str) -> Release:
        """Drain it."""
        return world.operator.drain(node)


class NodeCordon(NodeFault):
    """`kubectl cordon`: no further pods are scheduled onto nodes, for `duration`."""

    action: Literal["node-cordon"]
    says: ClassVar[tuple[str, str]] = ("{names} cordoned", "{names} uncordoned")

    def hit(self, world: Levers, node: str) -> Release:
        """Cordon it."""
        return world.operator.cordon(node)


class NodeDelete(NodeFault):
    """`kubectl delete node`: the object goes, the machine runs on; its pods, those of DaemonSets
    too, are collected after 40 to 60 s.

    After `duration` its kubelet is started again and registers the node anew.
    """

    action: Literal["node-delete"]
    says: ClassVar[tuple[str, str]] = ("{names} deleted", "{names} registered again")

    def hit(self, world: Levers, node: str) -> Release:
        """Delete it."""
        return world.operator.delete_node(node)


class NodeTaint(NodeFault):
    """`kubectl taint`: nodes get a taint, for `duration`. By default it says that they are out of service.

    `node.kubernetes.io/out-of-service` on a node that is not Ready has its leaving pods removed by force at the next
    pass of pod garbage collection, which is what frees the pods of StatefulSets.
    """

    action: Literal["node-taint"]
    key: str = "node.kubernetes.io/out-of-service"
    taint_value: str = "nodeshutdown"
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoExecute"
    says: ClassVar[tuple[str, str]] = ("{names} tainted by hand", "a taint taken off {names} by hand")

    def hit(self, world: Levers, node: str) -> Release:
        """Taint it."""
        return world.operator.taint(node, {"key": self.key, "value": self.taint_value, "effect": self.effect})


# objects -----------------------------------------------------------------------------------------------


class Edit(Fault):
    """Somebody changes one object."""

    lasts: ClassVar[bool] = False
    momentary: ClassVar[bool] = True

    def of(self) -> str:
        """The object, as the scenario names it."""
        return str(self.target)  # type: ignore[attr-defined]

    def victims(self, world: Levers, chance: Stream) -> list[str]:
        """The object."""
        kind, key = object_named(self.of())
        return ["/".join(part for part in (kind.lower(), *key) if part)]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Change it."""
        return [world.operator.edit(*object_named(self.of()), lambda obj: self.edited(world, obj))]

    def edited(self, world: Levers, obj: Object) -> Object:
        """The object as it shall be."""
        raise NotImplementedError


class SetImage(Edit):
    """`kubectl set image`: a workload's containers (or one of them) get another image, and so a rolling update."""

    action: Literal["set-image"]
    target: Workload
    image: str = Field(min_length=1)
    container: Name | None = None
    says: ClassVar[tuple[str, str]] = ("{names} gets a new image", "{names} gets its old image back")

    def edited(self, world: Levers, obj: Object) -> Object:
        """With the new image."""
        containers = [
            {**container, "image": self.image} if self.container in (None, container["name"]) else container
            for container in obj["spec"]["template"]["spec"]["containers"]
        ]
        return {**obj, "spec": merged(obj["spec"], {"template": {"spec": {"containers": containers}}})}


class RolloutRestart(Edit):
    """`kubectl rollout restart`: every pod of a workload is replaced, as its strategy says."""

    action: Literal["rollout-restart"]
    target: Workload
    says: ClassVar[tuple[str, str]] = ("{names} restarted", "{names} rolled back")

    def edited(self, world: Levers, obj: Object) -> Object:
        """With a new annotation in its template."""
        return world.operator.restarted(obj)


class Scale(Edit):
    """`kubectl scale`: a workload gets another number of replicas."""

    action: Literal["scale"]
    target: Scaled
    replicas: int = Field(ge=0, le=100_000)
    says: ClassVar[tuple[str, str]] = ("{names} scaled", "{names} scaled back")

    def edited(self, world: Levers, obj: Object) -> Object:
        """With the new number."""
        return {**obj, "spec": {**obj["spec"], "replicas": self.replicas}}


class Patch(Edit):
    """`kubectl patch --type merge`: a JSON merge patch (RFC 7386) is laid over an object; null takes away."""

    action: Literal["patch"]
    target: Target
    patch: dict[str, Any]
    says: ClassVar[tuple[str, str]] = ("{names} patched", "{names} patched back")

    def edited(self, world: Levers, obj: Object) -> Object:
        """With the patch laid over it."""
        return merged(obj, self.patch)


class Delete(Edit):
    """`kubectl delete`: an object goes, and everything that it owns."""

    action: Literal["delete"]
    undone: ClassVar[bool] = False
    target: Target
    says: ClassVar[tuple[str, str]] = ("{names} deleted", "")

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Delete it."""
        world.operator.delete(*object_named(self.target))
        return []
