"""How long Kubernetes waits for what: every period, grace and limit of the control plane, by version.

The numbers are Kubernetes' own defaults. A scenario names a version (`cluster.version`) and perhaps a
profile (`cluster.profile`), then overrides single fields under `cluster.timings`.

Sources: kubelet, kube-controller-manager, kube-scheduler and kube-proxy defaults of releases 1.31 to 1.36
(`pkg/*/apis/config/v1*/defaults.go`); the profiles are Kubespray's (`kubernetes-reliability.md`). What a
component spends computing and an API call spends travelling (`watch`, `write`, the kubelet's start-up
steps) has no default in Kubernetes: those are typical values of a small healthy cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from netsim.draws import Distribution
from netsim.fields import Duration, Model
from netsim.units import MINUTE, MS, S


class Timings(Model):
    """Periods, graces, limits and typical latencies of the control plane."""

    # the kubelet's heartbeat
    lease_renew: Duration = 10 * S  # 0.25 x nodeLeaseDurationSeconds; up to 4 % later each time
    node_status_update: Duration = 10 * S  # how often the node's own conditions are computed
    node_status_report: Duration = 5 * MINUTE  # an unchanged status is written only this often

    # node lifecycle: who notices a silent node, and what follows
    node_monitor_period: Duration = 5 * S
    node_monitor_grace: Duration = 50 * S  # 40s up to 1.31
    node_startup_grace: Duration = 60 * S
    node_eviction_rate: float = 0.1  # nodes tainted NoExecute per second and zone, burst 1
    secondary_node_eviction_rate: float = 0.01
    unhealthy_zone_threshold: float = 0.55
    large_cluster_size: int = 50
    taint_pass: Duration = 100 * MS
    not_ready_toleration: Duration = 300 * S  # added to every pod that says nothing itself
    unreachable_toleration: Duration = 300 * S
    eviction: Literal["taints", "legacy"] = "taints"  # legacy counts 5 min from the last heartbeat
    pod_eviction_timeout: Duration = 5 * MINUTE  # legacy only

    # garbage collection
    pod_gc_period: Duration = 20 * S
    pod_gc_quarantine: Duration = 40 * S

    # the API and its clients
    watch: Duration = 2 * MS  # from a write to the watcher that hears of it
    write: Duration = 3 * MS  # one API call
    controller_qps: float = 20.0
    controller_burst: int = 30

    # EndpointSlices
    endpoint_slice_batch: Duration = 0
    max_endpoints_per_slice: int = 100

    # the scheduler, and the kubelet's way from a bound pod to a running one
    scheduling: Distribution = Distribution.parse("uniform(5ms,50ms)")  # pod seen to pod bound
    sandbox: Distribution = Distribution.parse("uniform(300ms,1500ms)")  # sandbox, network, address
    container_start: Distribution = Distribution.parse("uniform(200ms,800ms)")
    pleg_relist: Duration = 1 * S  # the kubelet notices container changes this often
    status_write: Distribution = Distribution.parse("uniform(10ms,100ms)")
    node_boot: Duration = 30 * S  # power back to kubelet running


VERSIONS = MappingProxyType(
    {
        "1.31": Timings(node_monitor_grace=40 * S),
        "1.32": Timings(),
        "1.33": Timings(),
        "1.34": Timings(),
        "1.35": Timings(),
        "1.36": Timings(),
    }
)
"""What each Kubernetes version waits for by default."""

DEFAULT_VERSION = "1.32"

PROFILES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "default": {},
        "fast": {
            "node_status_update": 4 * S,
            "node_monitor_period": 2 * S,
            "node_monitor_grace": 20 * S,
            "not_ready_toleration": 30 * S,
            "unreachable_toleration": 30 * S,
        },
        "medium": {
            "node_status_update": 20 * S,
            "node_monitor_period": 5 * S,
            "node_monitor_grace": 2 * MINUTE,
            "not_ready_toleration": 60 * S,
            "unreachable_toleration": 60 * S,
        },
        "low": {
            "node_status_update": 1 * MINUTE,
            "node_monitor_period": 5 * S,
            "node_monitor_grace": 5 * MINUTE,
            "not_ready_toleration": 60 * S,
            "unreachable_toleration": 60 * S,
        },
        "legacy": {"node_monitor_grace": 40 * S, "eviction": "legacy"},
    }
)
"""Kubespray's reliability profiles, and Kubernetes up to 1.12 (`legacy`)."""


def timings(version: str, profile: str = "default", **overrides: object) -> Timings:
    """The timings of a version, as a profile and then single fields change them.

    >>> timings("1.31").node_monitor_grace == 40 * S, timings("1.32", "fast").node_monitor_grace == 20 * S
    (True, True)
    """
    return VERSIONS[version].model_copy(update={**PROFILES[profile], **overrides})
