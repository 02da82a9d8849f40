"""Which adapter judges which kind of case file. A new kind is one function and one line here.

An adapter takes a whole case file and yields (id, check) for everything it claims; a check raises
AssertionError, or returns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import adapt_cloud_load_balancer_and_nodes
import adapt_endpoint_conditions
import adapt_endpoint_ports
import adapt_endpointslice_controller
import adapt_envvars
import adapt_pod_dns
import adapt_taint_eviction
import adapt_taints_and_node_selection
from adapt_allocators import allocators
from adapt_conntrack import conntrack_cleanup
from adapt_flows import flows
from adapt_hints import topology_aware_hints, traffic_distribution_hints
from adapt_proxy import (
    categorize_endpoints,
    endpoint_probability,
    endpoints_map,
    lb_ip_mode,
    no_local_endpoints,
    service_map,
    session_affinity,
)

Check = Callable[[], None]
Adapter = Callable[[dict[str, Any]], Iterator[tuple[str, Check]]]


def each(judge: Callable[[dict[str, Any]], None]) -> Adapter:
    """The adapter of a kind whose cases stand each for itself."""

    def adapter(document: dict[str, Any]) -> Iterator[tuple[str, Check]]:
        for case in document["cases"]:
            yield case["id"], partial(judge, case)

    return adapter


ADAPTERS: dict[str, Adapter] = {
    "allocators": allocators,
    "categorize_endpoints": categorize_endpoints,
    "cloud_load_balancer_and_nodes": each(adapt_cloud_load_balancer_and_nodes.judge),
    "conntrack_cleanup": conntrack_cleanup,
    "endpoint_conditions": each(adapt_endpoint_conditions.judge),
    "endpoint_ports": each(adapt_endpoint_ports.judge),
    "endpointslice_controller": each(adapt_endpointslice_controller.judge),
    "envvars": each(adapt_envvars.judge),
    "pod_dns": each(adapt_pod_dns.judge),
    "taint_eviction": each(adapt_taint_eviction.judge),
    "taints_and_node_selection": each(adapt_taints_and_node_selection.judge),
    "endpoint_probability": endpoint_probability,
    "endpoints_map": endpoints_map,
    "flows": flows,
    "lb_ip_mode": lb_ip_mode,
    "no_local_endpoints": no_local_endpoints,
    "service_map": service_map,
    "session_affinity": session_affinity,
    "topology_aware_hints": topology_aware_hints,
    "traffic_distribution_hints": traffic_distribution_hints,
}


def folder() -> Path:
    """The folder of case files: the project's own, or the one that NETSIM_CONFORMANCE names."""
    return Path(os.environ.get("NETSIM_CONFORMANCE") or Path(__file__).parent / "cases")


def documents() -> list[tuple[str, dict[str, Any]]]:
    """Every case file, by name."""
    return [(path.stem, json.loads(path.read_text())) for path in sorted(folder().glob("*.json"))]


def kinds_without_adapter() -> set[str]:
    """The kinds of case found that nothing here can judge yet."""
    return {document["kind"] for _, document in documents()} - ADAPTERS.keys()


def checks() -> list[tuple[str, Check]]:
    """Everything that is claimed, each under its own name."""
    return [
        (f"{name}/{case}", check)
        for name, document in documents()
        if document["kind"] in ADAPTERS
        for case, check in ADAPTERS[document["kind"]](document)
    ]
