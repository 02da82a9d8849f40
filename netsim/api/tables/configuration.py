"""The cells of `kubectl get configmaps|secrets|serviceaccounts|namespaces|leases|networkpolicies|serviceimports`.

Sources: kubernetes/pkg/printers/internalversion, printers.go; mcs-api, the printer columns of its resources.
"""

from __future__ import annotations

import json

from netsim.api.objects import Object
from netsim.api.tables.columns import AGE, NAME, Cell, Column, View, field, selector_text


def _count(*names: str) -> Cell:
    """How many entries these fields have together."""

    def cell(obj: Object, view: View) -> int:
        return sum(len(obj.get(name) or ()) for name in names)

    return cell


def _pod_selector(policy: Object, view: View) -> str:
    return selector_text(policy["spec"].get("podSelector"))


def _ips(one: Object, view: View) -> str:
    """A list, as columns of custom resources show it."""
    return json.dumps(one["spec"].get("ips") or [], separators=(",", ":"))


CONFIG_MAP = (NAME, Column("Data", _count("data", "binaryData")), AGE)
SECRET = (NAME, Column("Type", field("type", default="Opaque")), Column("Data", _count("data")), AGE)
SERVICE_ACCOUNT = (NAME, Column("Secrets", _count("secrets")), AGE)
NAMESPACE = (NAME, Column("Status", field("status", "phase", default="Active")), AGE)
LEASE = (NAME, Column("Holder", field("spec", "holderIdentity")), AGE)
NETWORK_POLICY = (NAME, Column("Pod-Selector", _pod_selector), AGE)
SERVICE_IMPORT = (NAME, Column("Type", field("spec", "type")), Column("IP", _ips), AGE)
