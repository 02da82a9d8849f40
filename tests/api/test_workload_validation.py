"""What the API server refuses of StatefulSets, DaemonSets and disruption budgets, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.api import schema
from netsim.api.defaults import defaulted
from netsim.api.validation import validate

Object = dict[str, Any]


def refused(kind: str, spec: Object) -> list[str]:
    known = schema.versions(kind)[0]
    metadata = {"name": "web", "namespace": "default"}
    obj = {"apiVersion": known.api_version, "kind": kind, "metadata": metadata, "spec": spec}
    return [message for _, message in validate(obj, known)]


def workload(**spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    return {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}


def rolling(**fields: Any) -> Object:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": fields}}


MISTAKES = [
    ("StatefulSet", workload(replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    ("StatefulSet", workload(podManagementPolicy="Random"),
     "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"),
    ("StatefulSet", workload(**rolling(partition=-1)),
     "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"),
    ("StatefulSet", workload(ordinals={"start": -1}),
     "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"),
    ("StatefulSet", {**workload(), "selector": {}},
     "spec.selector: Invalid value: map[string]string{}: empty selector is invalid for statefulset"),
    ("DaemonSet", {**workload(), "selector": {"matchLabels": {"app": "other"}}},
     'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match '
     "template `labels`"),
    ("DaemonSet", workload(updateStrategy={"type": "Recreate"}),
     'spec.updateStrategy.type: Unsupported value: "Recreate": supported values: "OnDelete", "RollingUpdate"'),
    ("DaemonSet", workload(**rolling(maxUnavailable=0)),
     "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"),
    ("DaemonSet", workload(**rolling(maxUnavailable=1, maxSurge=1)),
     "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"),
    ("PodDisruptionBudget", {"minAvailable": 1, "maxUnavailable": 1},
     "minAvailable and maxUnavailable cannot be both set"),
    ("PodDisruptionBudget", {"minAvailable": -1},
     "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"),
    ("PodDisruptionBudget", {"maxUnavailable": "half"}, "spec.maxUnavailable: Invalid value: \"half\":"),
    ("PodDisruptionBudget", {"minAvailable": 1, "unhealthyPodEvictionPolicy": "Never"},
     'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spec", "words"), MISTAKES, ids=[f"{row[0]}-{n}" for n, row in enumerate(MISTAKES)])
def test_what_is_refused(kind: str, spec: Object, words: str) -> None:
    (message,) = refused(kind, spec)
    assert words in message


FINE = [
    ("StatefulSet", workload(serviceName="db", replicas=0)),
    ("StatefulSet", workload(updateStrategy={"type": "OnDelete"})),
    ("DaemonSet", workload(**rolling(maxUnavailable="10%"))),
    ("DaemonSet", workload(**rolling(maxUnavailable=0, maxSurge="100%"))),
    ("PodDisruptionBudget", {"minAvailable": "50%", "selector": {}}),
    ("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "web"}}}),
]


@pytest.mark.parametrize(("kind", "spec"), FINE)
def test_what_is_taken(kind: str, spec: Object) -> None:
    assert refused(kind, spec) == []


def test_defaults() -> None:
    metadata = {"name": "web", "namespace": "default"}
    made = defaulted({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": workload()})["spec"]
    assert (made["replicas"], made["podManagementPolicy"], made["revisionHistoryLimit"]) == (1, "OrderedReady", 10)
    assert made["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    made = defaulted({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": workload()})["spec"]
    assert made["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    assert made["template"]["spec"]["terminationGracePeriodSeconds"] == 30
