"""`kubectl describe`: one object and all that belongs to it, as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from netsim.api.describe.configuration import describe_configmap, describe_secret
from netsim.api.describe.deployment import describe_deployment
from netsim.api.describe.endpoints import describe_endpoint_slice, describe_endpoints
from netsim.api.describe.generic import describe_generic
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.namespace import describe_namespace
from netsim.api.describe.node import describe_node
from netsim.api.describe.pod import describe_pod
from netsim.api.describe.service import describe_service
from netsim.api.describe.workloads import (
    describe_budget,
    describe_daemon_set,
    describe_replica_set,
    describe_stateful_set,
)
from netsim.api.objects import Object

__all__ = ["DESCRIBERS", "Lookup", "describe"]

DESCRIBERS: Mapping[str, Callable[[Object, Lookup, int], str]] = MappingProxyType(
    {
        "Service": describe_service,
        "Pod": describe_pod,
        "Node": describe_node,
        "Deployment": describe_deployment,
        "ReplicaSet": describe_replica_set,
        "StatefulSet": describe_stateful_set,
        "DaemonSet": describe_daemon_set,
        "PodDisruptionBudget": describe_budget,
        "ConfigMap": describe_configmap,
        "Secret": describe_secret,
        "Namespace": describe_namespace,
        "Endpoints": describe_endpoints,
        "EndpointSlice": describe_endpoint_slice,
    }
)
"""The kinds that have a page of their own."""


def describe(obj: Object, lookup: Lookup, now: int) -> str:
    """The page about an object at the instant `now`; all fields of a kind that has no page of its own."""
    return DESCRIBERS.get(obj["kind"], describe_generic)(obj, lookup, now)
