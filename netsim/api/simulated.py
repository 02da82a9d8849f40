"""What netsim simulates of each Kubernetes kind. Every other field is accepted, and listed as ignored.

`ALL` stands for a field with everything in it; a nested table names the fields of an object, or of each
object of a list. What the API server sets itself (uid, resourceVersion...) is left out without a word.
"""

from __future__ import annotations

from typing import Any

from netsim.api.schema import Kind

ALL = True
Table = dict[str, Any]  # field name -> ALL or the Table of what is in it


def whole(names: str) -> Table:
    """Fields that are simulated with everything in them.

    >>> whole("name image")
    {'name': True, 'image': True}
    """
    return dict.fromkeys(names.split(), ALL)


SERVER_SET = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "managedFields", "selfLink",
)  # fmt: skip
METADATA = {
    **whole("name generateName namespace labels annotations ownerReferences"),
    **dict.fromkeys(SERVER_SET, ALL),
}
OBJECT = {"apiVersion": ALL, "kind": ALL, "metadata": METADATA}

CONTAINER = {
    **whole("name image ports env envFrom readinessProbe livenessProbe startupProbe"),
    "resources": whole("requests"),
    "lifecycle": whole("preStop"),
    "volumeMounts": whole("name mountPath subPath readOnly"),
}
POD = {
    **whole("nodeName nodeSelector affinity tolerations topologySpreadConstraints"),
    **whole("hostNetwork hostname subdomain dnsPolicy dnsConfig enableServiceLinks"),
    **whole("restartPolicy terminationGracePeriodSeconds readinessGates"),
    "containers": CONTAINER,
    "volumes": whole("name secret configMap projected"),
}
TEMPLATE = {"metadata": METADATA, "spec": POD}
SERVICE = whole(
    "type selector ports clusterIP clusterIPs ipFamilies ipFamilyPolicy externalName externalIPs"
    " sessionAffinity sessionAffinityConfig internalTrafficPolicy externalTrafficPolicy healthCheckNodePort"
    " publishNotReadyAddresses allocateLoadBalancerNodePorts loadBalancerIP loadBalancerClass"
    " loadBalancerSourceRanges trafficDistribution"
)

SIMULATED: dict[str, Table] = {
    "Namespace": OBJECT,
    "Node": {
        **OBJECT,
        "spec": whole("podCIDR podCIDRs taints unschedulable providerID"),
        "status": whole("addresses capacity allocatable"),
    },
    "Pod": {**OBJECT, "spec": POD},
    "ReplicaSet": {**OBJECT, "spec": {**whole("replicas selector minReadySeconds"), "template": TEMPLATE}},
    "Deployment": {
        **OBJECT,
        "spec": {
            **whole("replicas selector strategy minReadySeconds"),
            **whole("revisionHistoryLimit progressDeadlineSeconds paused"),
            "template": TEMPLATE,
        },
    },
    "StatefulSet": {
        **OBJECT,
        "spec": {
            **whole("replicas selector serviceName podManagementPolicy updateStrategy minReadySeconds ordinals"),
            **whole("revisionHistoryLimit"),
            "template": TEMPLATE,
        },
    },
    "DaemonSet": {
        **OBJECT,
        "spec": {
            **whole("selector minReadySeconds updateStrategy revisionHistoryLimit"),
            "template": TEMPLATE,
        },
    },
    "PodDisruptionBudget": {
        **OBJECT,
        "spec": whole("minAvailable maxUnavailable selector unhealthyPodEvictionPolicy"),
    },
    "Service": {**OBJECT, "spec": SERVICE},
    "EndpointSlice": {**OBJECT, **whole("addressType endpoints ports")},
    "Endpoints": {**OBJECT, **whole("subsets")},
    "ConfigMap": {**OBJECT, **whole("data binaryData")},
    "Secret": {**OBJECT, **whole("data stringData type")},
    "Lease": {**OBJECT, "spec": ALL},
    "Event": OBJECT | whole(
        "involvedObject reason message source type count firstTimestamp lastTimestamp eventTime series action"
        " related reportingComponent reportingInstance"
    ),
}  # fmt: skip

GROUPS = frozenset({"", "apps", "policy", "discovery.k8s.io", "coordination.k8s.io"})


def simulated(kind: Kind) -> Table | None:
    """What is simulated of a kind; None if nothing is, as of kinds that only share the name of one."""
    return SIMULATED.get(kind.name) if kind.type and kind.group in GROUPS else None
