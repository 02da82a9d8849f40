"""What breaks, when, and for how long: every kind of fault, and of what people do to a cluster on purpose.

A new kind is one class in the file of what it concerns, and one line in `FAULTS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from netsim.faults.model import Chosen, Fault
from netsim.faults.network import (
    LinkDown,
    LinkFlapping,
    NetworkBandwidth,
    NetworkDelay,
    NetworkLoss,
    NetworkPartition,
)
from netsim.faults.nodes import (
    KernelHang,
    KubeletStopped,
    NodePowerLoss,
    NodeReboot,
    ProxySlow,
    ProxyStopped,
    RuntimeDead,
    ZoneOutage,
)
from netsim.faults.operations import (
    Delete,
    NodeCordon,
    NodeDelete,
    NodeDrain,
    NodeTaint,
    Patch,
    RolloutRestart,
    Scale,
    SetImage,
)
from netsim.faults.pods import (
    ConnectionRefused,
    ContainerKill,
    LivenessFailing,
    PodKill,
    ReadinessFailing,
    SandboxKill,
    SlowPod,
)
from netsim.faults.selectors import PodSelector, Selector
from netsim.faults.services import ControlPlaneDown, DnsDown, LoadBalancerDown

FAULTS: dict[str, type[Fault]] = {
    # machines
    "node-power-loss": NodePowerLoss,
    "node-reboot": NodeReboot,
    "kernel-hang": KernelHang,
    "kubelet-stopped": KubeletStopped,
    "container-runtime-dead": RuntimeDead,
    "kube-proxy-stopped": ProxyStopped,
    "kube-proxy-slow": ProxySlow,
    "zone-outage": ZoneOutage,
    # the network
    "network-partition": NetworkPartition,
    "link-down": LinkDown,
    "link-flapping": LinkFlapping,
    "network-delay": NetworkDelay,
    "network-loss": NetworkLoss,
    "network-bandwidth": NetworkBandwidth,
    # pods
    "pod-kill": PodKill,
    "container-kill": ContainerKill,
    "sandbox-kill": SandboxKill,
    "readiness-failing": ReadinessFailing,
    "liveness-failing": LivenessFailing,
    "slow-pod": SlowPod,
    "connection-refused": ConnectionRefused,
    # what the cluster depends on
    "control-plane-down": ControlPlaneDown,
    "dns-down": DnsDown,
    "load-balancer-down": LoadBalancerDown,
    # on purpose
    "node-drain": NodeDrain,
    "node-cordon": NodeCordon,
    "node-delete": NodeDelete,
    "node-taint": NodeTaint,
    "set-image": SetImage,
    "rollout-restart": RolloutRestart,
    "scale": Scale,
    "patch": Patch,
    "delete": Delete,
}
"""Every kind of fault, by its `action`."""


def told_apart(kinds: Iterable[type[Fault]]) -> Any:
    """The type of any of these faults. `action` decides which it is, so errors speak of that kind alone."""
    first, *others = kinds
    return Annotated[Union[first, *others], Field(discriminator="action")] if others else first


if TYPE_CHECKING:
    AnyFault = Fault
else:
    AnyFault = told_apart(FAULTS.values())


__all__ = ["FAULTS", "AnyFault", "Chosen", "Fault", "NodePowerLoss", "PodSelector", "Selector", "told_apart"]
