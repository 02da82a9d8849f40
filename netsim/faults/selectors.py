"""Whom a fault may hit: nodes, pods, Services with load balancers. A selector's parts must all be met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from netsim.api.objects import Object, key_of, labels_of, node_of
from netsim.api.selectors import matches_labels
from netsim.fields import Labels, Model, Name

if TYPE_CHECKING:
    from netsim.control.levers import Levers


class Selector(Model):
    """Nodes: those that meet every part that is given."""

    nodes: tuple[Name, ...] = ()
    zones: tuple[str, ...] = ()
    node_selectors: Labels = Field(default={})  # labels of the node
    running: Labels = Field(default={})  # a pod with these labels runs on it at that instant

    def candidates(self, world: Levers) -> list[str]:
        """The nodes that meet all parts, in the cluster's order."""
        names = [name for name in world.node_names() if not self.nodes or name in self.nodes]
        if self.zones:
            names = [name for name in names if world.zone_of(name) in self.zones]
        if self.node_selectors:
            names = [name for name in names if matches_labels(self.node_selectors, world.node_labels(name))]
        if self.running:
            busy = world.nodes_running(self.running)
            names = [name for name in names if name in busy]
        return names


class PodSelector(Model):
    """Pods that are on a node and meant to stay: those that meet every part that is given."""

    namespaces: tuple[Name, ...] = ()
    label_selectors: Labels = Field(default={})
    pods: tuple[Name, ...] = ()  # by name
    nodes: tuple[Name, ...] = ()  # on one of these
    zones: tuple[str, ...] = ()  # or on a node there

    def candidates(self, world: Levers) -> list[str]:
        """The pods that meet all parts, the oldest first, as namespace/name."""
        return ["/".join(key_of(pod)) for pod in world.pods() if self._meets(world, pod)]

    def _meets(self, world: Levers, pod: Object) -> bool:
        (namespace, name), node = key_of(pod), node_of(pod)
        return (
            (not self.namespaces or namespace in self.namespaces)
            and (not self.pods or name in self.pods)
            and matches_labels(self.label_selectors, labels_of(pod))
            and (not self.nodes or node in self.nodes)
            and (not self.zones or world.zone_of(node) in self.zones)
        )


class ServiceSelector(Model):
    """Services that have a load balancer: these (NAME or NAME.NAMESPACE), or all."""

    services: tuple[Name, ...] = ()

    def candidates(self, world: Levers) -> list[str]:
        """Their names as namespace/name."""
        wanted = [full_name(name) for name in self.services]
        return [name for name in world.balanced() if not wanted or name in wanted]


def full_name(name: str) -> str:
    """A name as people write it, with its namespace in front.

    >>> full_name("web"), full_name("web.shop")
    ('default/web', 'shop/web')
    """
    name, _, namespace = name.partition(".")
    return f"{namespace or 'default'}/{name}"
