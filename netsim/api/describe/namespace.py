"""`kubectl describe namespace`: the namespace, its quotas and its limits.

Left out: how much of a quota is used, since nothing here counts it. Source: kubectl pkg/describe, describe.go
(describeNamespace, DescribeResourceQuotas, DescribeLimitRanges).
"""

from __future__ import annotations

from collections.abc import Iterator

from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.objects import Object, name_of

LIMIT_COLUMNS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
LIMITS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def describe_namespace(namespace: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a Namespace."""
    metadata, page = namespace["metadata"], Page()
    page.line("Name:", metadata["name"])
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.line("Status:", (namespace.get("status") or {}).get("phase", ""))
    page.line("")
    _quotas(page, sorted(lookup("ResourceQuota", metadata["name"]), key=name_of))
    page.line("")
    _limits(page, sorted(lookup("LimitRange", metadata["name"]), key=name_of))
    return str(page)


def _quotas(page: Page, quotas: list[Object]) -> None:
    if not quotas:
        page.line("No resource quota.")
        return
    page.line("Resource Quotas")
    for quota in quotas:
        page.line("Name:", quota["metadata"]["name"], level=1)
        hard = (quota.get("spec") or {}).get("hard") or {}
        page.table(("Resource", "Hard"), sorted(hard.items()))


def _limits(page: Page, limits: list[Object]) -> None:
    if not limits:
        page.line("No LimitRange resource.")
        return
    page.line("Resource Limits")
    page.table(LIMIT_COLUMNS, (row for one in limits for row in _rows(one)))


def _rows(limit_range: Object) -> Iterator[tuple[str, ...]]:
    """A row for each resource that a LimitRange speaks of."""
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        resources = sorted({resource for part in LIMITS for resource in limit.get(part) or ()})
        for resource in resources:
            values = (str((limit.get(part) or {}).get(resource, "-")) for part in LIMITS)
            yield (limit.get("type", ""), resource, *values)
