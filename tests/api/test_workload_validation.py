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


def pod(**spec: Any) -> Object:
    return {"containers": [{"name": "c", "image": "nginx"}], **spec}


def container(**fields: Any) -> Object:
    return {"containers": [{"name": "c", "image": "nginx", **fields}]}


PROBE = {"tcpSocket": {"port": 80}, "terminationGracePeriodSeconds": 0}
SLEEP = {"lifecycle": {"preStop": {"sleep": {"seconds": 40}}}}
LATE = "must be greater than 0 and less than terminationGracePeriodSeconds (30)."
PODS = [
    (pod(volumes=[{"emptyDir": {}}]), "spec.volumes[0].name: Required value"),
    (pod(volumes=[{"name": "V", "emptyDir": {}}]), 'spec.volumes[0].name: Invalid value: "V": a lowercase RFC 1123'),
    (pod(volumes=[{"name": "v", "emptyDir": {}}] * 2), 'spec.volumes[1].name: Duplicate value: "v"'),
    (pod(volumes=[{"name": "v"}]), "spec.volumes[0]: Required value: must specify a volume type"),
    (pod(volumes=[{"name": "v", "secret": {}}]), "spec.volumes[0].secret.secretName: Required value"),
    (pod(volumes=[{"name": "v", "configMap": {}}]), "spec.volumes[0].configMap.name: Required value"),
    (pod(volumes=[{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}]),
     "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"),
    (container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
     'spec.containers[0].volumeMounts[0].name: Not found: "v"'),
    ({**container(volumeMounts=[{"name": "v"}]), "volumes": [{"name": "v", "emptyDir": {}}]},
     "spec.containers[0].volumeMounts[0].mountPath: Required value"),
    ({**container(volumeMounts=[{"name": "v", "mountPath": "/v"}] * 2), "volumes": [{"name": "v", "emptyDir": {}}]},
     'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique'),
    (container(**SLEEP), f"spec.containers[0].lifecycle.preStop.sleep: Invalid value: 40: {LATE}"),
    (container(readinessProbe=PROBE),
     "readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must not be set for readinessProbes"),
    (container(livenessProbe=PROBE), "livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "words"), PODS)
def test_what_is_refused_of_a_pods_volumes_hooks_and_probes(spec: Object, words: str) -> None:
    (message,) = refused("Pod", spec)
    assert words in message


FINE = [
    ("Pod", {**container(**SLEEP), "terminationGracePeriodSeconds": 40}),
    ("Pod", {**container(volumeMounts=[{"name": "v", "mountPath": "/v"}]), "volumes": [{"name": "v", "hostPath": {}}]}),
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
