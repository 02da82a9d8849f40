"""Which nodes a pod may go to by what they are: cordons, names, taints, labels, ports, and what is left.

Each filter answers with the scheduler's own reason, or with nothing if the node will do. What depends only on
the node itself and the pod's demands (`node_verdict`) is asked once and remembered (`Cache.verdicts`).

Sources: kubernetes `pkg/scheduler/framework/plugins` (nodeunschedulable, nodename, tainttoleration,
nodeaffinity, nodeports, noderesources) and `component-helpers/scheduling/corev1/nodeaffinity`, release 1.32.
"""

from __future__ import annotations

from collections.abc import Mapping

from netsim.api.selectors import matches
from netsim.control import taints
from netsim.control.pod_info import NodeDemands, PodInfo, Rule
from netsim.control.scheduler_cache import NodeInfo

CORDONED = "node(s) were unschedulable"
OTHER_NAME = "node(s) didn't match the requested node name"
AFFINITY = "node(s) didn't match Pod's node affinity/selector"
PORTS = "node(s) didn't have free ports for the requested pod ports"
DISK = "ephemeral-storage"
NOT_NAMED = "node(s) didn't satisfy plugin(s) [NodeAffinity]"

NUMBER = {"Exists": 0, "DoesNotExist": 0, "Gt": 1, "Lt": 1}  # of values; In and NotIn take any number but none

_CORDON = {"key": taints.UNSCHEDULABLE, "effect": "NoSchedule"}


def node_verdict(demands: NodeDemands, node: NodeInfo) -> str:
    """Why a node will not do for these demands; "" if it will."""
    if node.unschedulable and not any(taints.tolerates(t, _CORDON) for t in _tolerations(demands)):
        return CORDONED
    if demands.node and demands.node != node.name:
        return OTHER_NAME
    taint = untolerated(demands, node)
    if taint is not None:
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return "" if meets_affinity(demands, node) else AFFINITY


def untolerated(demands: NodeDemands, node: NodeInfo) -> Mapping[str, str] | None:
    """The first taint of the node that keeps the pod away."""
    return taints.untolerated(node.taints, _tolerations(demands)) if node.taints else None


def _tolerations(demands: NodeDemands) -> list[dict[str, str]]:
    fields = ("key", "operator", "value", "effect")
    return [dict(zip(fields, toleration, strict=True)) for toleration in demands.tolerations]


# labels --------------------------------------------------------------------------------------------------


def meets_affinity(demands: NodeDemands, node: NodeInfo) -> bool:
    """Whether a node has the labels of the pod's nodeSelector and meets its required node affinity."""
    if any(node.labels.get(key) != value for key, value in demands.labels):
        return False
    if demands.terms is None:
        return True
    return any(meets_term(rules, fields, node.labels, node.name) for rules, fields in demands.terms)


def meets_term(
    rules: tuple[Rule, ...], fields: tuple[Rule, ...], labels: Mapping[str, str], name: str
) -> bool:
    """Whether a node meets all of one term; a term that asks nothing, or makes no sense, is met by none."""
    if not (rules or fields) or not all(map(_makes_sense, rules)):
        return False
    expressions = [{"key": key, "operator": operator, "values": values} for key, operator, values in rules]
    if not matches({"matchExpressions": expressions}, labels):
        return False
    return all(_meets_field(rule, name) for rule in fields)


def _makes_sense(rule: Rule) -> bool:
    """Whether a rule has as many values as its operator takes."""
    _, operator, values = rule
    return len(values) == NUMBER[operator] if operator in NUMBER else bool(values)


def _meets_field(rule: Rule, name: str) -> bool:
    """A rule about the node's name. Only In and NotIn with a single value are valid; others match nothing."""
    key, operator, values = rule
    if key != "metadata.name" or len(values) != 1 or operator not in ("In", "NotIn"):
        return False
    return (values[0] == name) == (operator == "In")


# ports and resources -------------------------------------------------------------------------------------


def has_ports(pod: PodInfo, node: NodeInfo) -> bool:
    """Whether the host ports that a pod wants are free; 0.0.0.0 stands for every address of the node."""
    for address, protocol, port in pod.ports:
        for taken_address, taken_protocol, taken_port in node.ports:
            if (protocol, port) == (taken_protocol, taken_port) and (
                address == taken_address or "0.0.0.0" in (address, taken_address)
            ):
                return False
    return True


def fits(pod: PodInfo, node: NodeInfo) -> bool:
    """Whether what is left of a node is enough for a pod."""
    return (
        node.free_of_pods > 0
        and (not pod.cpu or pod.cpu <= node.total_cpu - node.cpu)
        and (not pod.memory or pod.memory <= node.total_memory - node.memory)
        and (not pod.others or not _missing(pod, node))
    )


def shortages(pod: PodInfo, node: NodeInfo) -> tuple[str, ...]:
    """All that a node has too little of."""
    found = []
    if node.free_of_pods <= 0:
        found.append("Too many pods")
    if pod.cpu and pod.cpu > node.total_cpu - node.cpu:
        found.append("Insufficient cpu")
    if pod.memory and pod.memory > node.total_memory - node.memory:
        found.append("Insufficient memory")
    return (*found, *(f"Insufficient {name}" for name in _missing(pod, node)))


def _missing(pod: PodInfo, node: NodeInfo) -> list[str]:
    """Further resources that a node lacks. One that says nothing of its disk has enough of it."""
    return [
        name
        for name, amount in pod.others
        if amount > node.total_others.get(name, 0) - node.others.get(name, 0)
        and not (name == DISK and name not in node.total_others)
    ]
