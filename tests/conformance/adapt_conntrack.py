"""Cases of kind `conntrack_cleanup`: which entries kube-proxy deletes after a sync."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from netsim.proxy.config import ProxyConfig
from netsim.proxy.conntrack import Tuple, stale
from netsim.proxy.tables import Tables


def conntrack_cleanup(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """One check a case."""
    for case in document["cases"]:
        yield case["id"], partial(_check, case["input"], case["expected"])


@dataclass(frozen=True)
class _Flow:
    original: Tuple
    reply: Tuple


def _check(given: dict[str, Any], expected: dict[str, Any]) -> None:
    tables = Tables(ProxyConfig())
    for service in given.get("services") or [given["service"]]:
        tables.set_service(service)
    for slice_ in given.get("endpoint_slices") or ():
        tables.set_slice(slice_)
    versions = [version for family in (4, 6) for version in tables.versions(tables.revision, family)]
    deleted = 0
    for entry in given["entries"]:
        protocol = entry["protocol"]
        # an entry of a node port may have been sent to any address of the node
        called = entry["orig_dst_ip"] or "192.168.0.2"
        flow = _Flow(
            Tuple(protocol, "", 0, called, entry["orig_dst_port"]),
            Tuple(protocol, entry["reply_src_ip"], entry["reply_src_port"] or 0, "", 0),
        )
        goes = bool(list(stale([flow], versions)))
        assert goes == (entry["expected"] == "delete"), entry
        deleted += goes
    assert deleted == expected["deleted"]
    assert len(given["entries"]) - deleted == expected["kept"]
