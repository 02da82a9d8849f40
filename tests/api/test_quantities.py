"""Quantities as Kubernetes writes them, and what pods ask for."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.api.describe.quantities import limits, qos_class, quantity_text, requests
from netsim.units import S

Object = dict[str, Any]
NOW = 300 * S


QUANTITIES = [
    ("0.5", "500m"),
    ("100m", "100m"),
    ("1000m", "1"),
    (2, "2"),
    ("1500", "1500"),
    ("1000", "1k"),
    ("1e6", "1M"),
    ("64Mi", "64Mi"),
    ("1024Mi", "1Gi"),
    ("1536Mi", "1536Mi"),
    ("1.5Gi", "1536Mi"),
    ("0", "0"),
    ("110", "110"),
    ("1n", "1n"),
]


@pytest.mark.parametrize(("given", "text"), QUANTITIES)
def test_a_quantity_is_written_in_its_largest_whole_unit(given: Any, text: str) -> None:
    assert quantity_text(given) == text


def asking(*containers: Object, **spec: Any) -> Object:
    return {"spec": {"containers": [{"name": "c", "resources": r} for r in containers], **spec}}


def test_init_containers_count_only_if_they_ask_for_more() -> None:
    small, large = {"requests": {"cpu": "100m"}}, {"requests": {"cpu": "1"}}
    both = asking(small, small, initContainers=[{"name": "i", "resources": large}])
    assert {name: float(amount) for name, (amount, _) in requests(both).items()} == {"cpu": 1.0}
    assert {name: float(amount) for name, (amount, _) in requests(asking(small, small)).items()} == {
        "cpu": 0.2
    }


def test_a_limit_is_a_request_as_well_and_overhead_comes_on_top() -> None:
    it = asking({"limits": {"cpu": "1"}}, overhead={"cpu": "250m", "memory": "1Mi"})
    assert {name: float(amount) for name, (amount, _) in requests(it).items()} == {
        "cpu": 1.25,
        "memory": 1048576.0,
    }
    assert {name: float(amount) for name, (amount, _) in limits(it).items()} == {"cpu": 1.25}


FULL = {"cpu": "1", "memory": "1Gi"}

CLASSES = [
    (asking({}), "BestEffort"),
    (asking({"requests": {"cpu": "1"}}), "Burstable"),
    (asking({"limits": FULL}), "Guaranteed"),
    (asking({"limits": FULL, "requests": FULL}), "Guaranteed"),
    (asking({"limits": FULL, "requests": {"cpu": "0.5"}}), "Burstable"),
    (asking({"limits": FULL}, {}), "Burstable"),
    ({**asking({}), "status": {"qosClass": "Guaranteed"}}, "Guaranteed"),
]


@pytest.mark.parametrize(("it", "name"), CLASSES)
def test_the_quality_of_service_follows_from_requests_and_limits(it: Object, name: str) -> None:
    assert qos_class(it) == name
