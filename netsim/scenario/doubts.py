"""What a scenario may say and hardly means: Services that select nobody, pods that no node can run.

Kubernetes takes all of it, and so does a run, where it may be the very thing that is to be shown. `netsim check` says
it all the same: one wrong letter in a label looks just like that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netsim.api.objects import Object, container_ports, labels_of
from netsim.scenario.draft import Draft
from netsim.scenario.fault_sense import labelled
from netsim.scenario.mistakes import one_of
from netsim.scenario.references import Known, has_labels, pod_of
from netsim.scenario.scenario import Scenario


def doubts(scenario: Scenario) -> tuple[str, ...]:
    """What is probably not meant, each in a sentence."""
    cluster = scenario.document.cluster
    known = Known.of(Draft(None, None, cluster, groups=cluster.nodes, objects=scenario.objects))
    return (*_services(known), *_pods(known, scenario))


def _services(known: Known) -> Iterator[str]:
    having: dict[tuple[str, str, str], list[Object]] = {}  # the pods of a namespace that have a label
    for space, pod in known.templates:
        for label in labels_of(pod).items():
            having.setdefault((space, *label), []).append(pod)
    for (space, name), service in known.services.items():
        selector = service["spec"].get("selector") or {}
        some = having.get((space, *next(iter(selector.items()))), ()) if selector else ()
        pods = [pod for pod in some if has_labels(pod, selector)]
        if selector and not pods:
            yield f"Service {_called(space, name)} selects no pod: none has {_written(selector)}"
        elif selector:
            yield from _ports(_called(space, name), service, pods)


def _ports(called: str, service: Object, pods: list[Object]) -> Iterator[str]:
    """Target ports by a name that no port of the pods has."""
    names = {port.get("name") for pod in pods for port in container_ports(pod)}
    for port in service["spec"].get("ports") or ():
        wanted = port.get("targetPort")
        if isinstance(wanted, str) and wanted not in names:
            yield f'Service {called} has no endpoints at port {port["port"]}: no pod of it has a port called "{wanted}"'


def _pods(known: Known, scenario: Scenario) -> Iterator[str]:
    groups, nodes = scenario.document.cluster.nodes, frozenset(known.nodes)
    for (kind, space, name), obj in known.objects.items():
        spec: dict[str, Any] = (pod_of(obj) or {}).get("spec", {})
        node, selector = spec.get("nodeName"), spec.get("nodeSelector") or {}
        if node and node not in nodes:
            hint = one_of("nodes", node, known.nodes)
            yield f'{kind} {_called(space, name)} names a node that is not there: "{node}" ({hint})'
        elif not any(labelled(group, selector) for group in groups):
            yield f"{kind} {_called(space, name)} fits no node: none has {_written(selector)}"


def _called(namespace: str, name: str) -> str:
    """How people call an object.

    >>> _called("default", "web"), _called("shop", "web")
    ('web', 'shop/web')
    """
    return name if namespace == "default" else f"{namespace}/{name}"


def _written(labels: dict[str, str]) -> str:
    """Labels in a sentence.

    >>> _written({"app": "web"}), _written({"app": "web", "tier": "front"})
    ('the label app: web', 'the labels app: web, tier: front')
    """
    return f"the label{'s' * (len(labels) > 1)} {', '.join(f'{name}: {value}' for name, value in labels.items())}"
