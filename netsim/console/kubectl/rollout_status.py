"""How far a rollout has come: what `kubectl rollout status` says of a Deployment, a StatefulSet, a DaemonSet.

Source: kubectl pkg/polymorphichelpers, rollout_status.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from netsim.api.objects import Object, condition, name_of
from netsim.console.output import Failure
from netsim.control.progress import LATE

Said = tuple[str, bool]  # what is still to come, and whether it is over


def of_deployment(deployment: Object) -> Said:
    """New pods come, old ones go, and all become available; raises Failure when that takes too long."""
    name, status = name_of(deployment), deployment.get("status", {})
    if not _is_observed(deployment):
        return "Waiting for deployment spec update to be observed...", False
    progressing = condition(deployment, "Progressing")
    if progressing is not None and progressing.get("reason") == LATE:
        raise Failure(f'error: deployment "{name}" exceeded its progress deadline')
    wanted = deployment["spec"].get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True


def of_stateful_set(stateful_set: Object) -> Said:
    """Pods become ready, then those above the partition new; a rolling update ends with the partition's words."""
    spec, status = stateful_set["spec"], stateful_set.get("status", {})
    _check_strategy(spec)
    if not _is_observed(stateful_set):
        return "Waiting for statefulset spec update to be observed...", False
    wanted, ready, updated = (spec["replicas"], status.get("readyReplicas", 0), status.get("updatedReplicas", 0))
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...", False
    partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    if updated < wanted - partition:
        numbers = f"{updated} out of {wanted - partition}"
        return f"Waiting for partitioned roll out to finish: {numbers} new pods have been updated...", False
    return f"partitioned roll out complete: {updated} new pods have been updated...", True


def of_daemon_set(daemon_set: Object) -> Said:
    """New pods on every node that wants one, and all become available."""
    name, status = name_of(daemon_set), daemon_set.get("status", {})
    _check_strategy(daemon_set["spec"])
    if not _is_observed(daemon_set):
        return "Waiting for daemon set spec update to be observed...", False
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...", False
    if available < wanted:
        return f"{waiting}{available} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


def _is_observed(workload: Object) -> bool:
    """Whether the controller has seen the present spec."""
    seen: int = workload.get("status", {}).get("observedGeneration", 0)
    return seen > 0 and seen >= workload["metadata"].get("generation", 0)


def _check_strategy(spec: Object) -> None:
    if (spec.get("updateStrategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        raise Failure("error: rollout status is only available for RollingUpdate strategy type")


PROGRESS: Mapping[str, Callable[[Object], Said]] = MappingProxyType(
    {"Deployment": of_deployment, "StatefulSet": of_stateful_set, "DaemonSet": of_daemon_set}
)
"""By kind; these are the workloads that are rolled out."""
