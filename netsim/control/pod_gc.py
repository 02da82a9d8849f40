"""Pod garbage collection: pods whose node object is gone, after a quarantine.

Source: kubernetes `pkg/controller/podgc/gc_controller.go`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.api.objects import has_taint, is_leaving, is_true, name_of, node_of
from netsim.control.cluster import Cluster

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def collect_pods(cluster: Cluster) -> Generator[Any, Any, None]:
    """Each period, take away the pods that nobody else can."""
    timings, store = cluster.timings, cluster.store
    missing: dict[str, int] = {}
    while True:
        yield cluster.env.timeout(timings.pod_gc_period)
        if not cluster.plane.leads:
            missing = {}  # the next leader knows nothing of them
            continue
        nodes = {name_of(node): node for node in store.list("Node")}
        for pod in store.list("Pod"):
            home = node_of(pod)
            if not home:
                continue
            node = nodes.get(home)
            if node is None:
                since = missing.setdefault(home, cluster.now)
                if cluster.now - since >= timings.pod_gc_quarantine:
                    store.delete(pod, grace=0)
            elif is_leaving(pod) and not is_true(node, "Ready") and _is_out_of_service(node):
                store.delete(pod, grace=0)
        missing = {name: since for name, since in missing.items() if name not in nodes}


def _is_out_of_service(node: dict[str, Any]) -> bool:
    return any(has_taint(node, OUT_OF_SERVICE, effect) for effect in ("NoExecute", "NoSchedule"))
