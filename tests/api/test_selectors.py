"""Choosing objects by labels and by fields."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.api.selectors import (
    matches,
    matches_labels,
    matches_node_selector,
    matches_node_term,
    parse,
    parse_fields,
)
from netsim.errors import ScenarioError


def rule(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


SELECTORS = [
    # a selector                                                labels                        selects
    ({}, {}, True),
    ({}, {"a": "1"}, True),
    (None, {"a": "1"}, False),
    ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
    ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
    ({"matchLabels": {"a": "1"}}, None, False),
    ({"matchLabels": None}, {"a": "1"}, True),
    ({"matchExpressions": [rule("a", "In", "1", "2")]}, {"a": "2"}, True),
    ({"matchExpressions": [rule("a", "In", "1", "2")]}, {}, False),
    ({"matchExpressions": [rule("a", "NotIn", "1")]}, {"a": "2"}, True),
    ({"matchExpressions": [rule("a", "NotIn", "1")]}, {}, True),
    ({"matchExpressions": [rule("a", "NotIn", "1")]}, {"a": "1"}, False),
    ({"matchExpressions": [rule("a", "Exists")]}, {"a": ""}, True),
    ({"matchExpressions": [rule("a", "Exists")]}, {"b": ""}, False),
    ({"matchExpressions": [rule("a", "DoesNotExist")]}, {"b": ""}, True),
    ({"matchExpressions": [rule("a", "DoesNotExist")]}, {"a": ""}, False),
    ({"matchLabels": {"a": "1"}, "matchExpressions": [rule("b", "Exists")]}, {"a": "1"}, False),
    ({"matchExpressions": [rule("a", "Nonsense", "1")]}, {"a": "1"}, False),
]


@pytest.mark.parametrize(("selector", "labels", "selected"), SELECTORS)
def test_label_selectors_select(selector: Any, labels: Any, selected: bool) -> None:
    assert matches(selector, labels) is selected


def test_an_empty_map_of_labels_is_met_by_all() -> None:
    assert matches_labels({}, {"a": "1"})
    assert matches_labels(None, None)


TERMS = [
    # a term                                                          labels        selects node-1
    ({}, {"a": "1"}, False),
    ({"matchExpressions": []}, {"a": "1"}, False),
    ({"matchExpressions": [rule("cores", "Gt", "4")]}, {"cores": "8"}, True),
    ({"matchExpressions": [rule("cores", "Gt", "8")]}, {"cores": "8"}, False),
    ({"matchExpressions": [rule("cores", "Gt", "4")]}, {"cores": "many"}, False),
    ({"matchExpressions": [rule("cores", "Gt", "4")]}, {"cores": str(2**63)}, False),
    ({"matchExpressions": [rule("cores", "Gt", "4")]}, {}, False),
    ({"matchExpressions": [rule("cores", "Lt", "-1")]}, {"cores": "-3"}, True),
    ({"matchFields": [rule("metadata.name", "In", "node-1")]}, {}, True),
    ({"matchFields": [rule("metadata.name", "NotIn", "node-1")]}, {}, False),
    (
        {"matchExpressions": [rule("a", "Exists")], "matchFields": [rule("metadata.name", "In", "node-2")]},
        {"a": ""},
        False,
    ),
]


@pytest.mark.parametrize(("term", "labels", "selected"), TERMS)
def test_all_rules_of_a_node_term_must_hold(term: Any, labels: dict[str, str], selected: bool) -> None:
    assert matches_node_term(term, labels, "node-1") is selected


def test_any_term_of_a_node_selector_is_enough() -> None:
    terms = [{"matchExpressions": [rule("zone", "In", zone)]} for zone in ("a", "b")]
    assert matches_node_selector({"nodeSelectorTerms": terms}, {"zone": "b"})
    assert not matches_node_selector({"nodeSelectorTerms": terms}, {"zone": "c"})
    assert not matches_node_selector({"nodeSelectorTerms": []}, {"zone": "c"})
    assert matches_node_selector(None, {"zone": "c"})


LABEL_TEXTS = [
    # text                              labels                     selects
    ("", {"a": "1"}, True),
    ("a", {"a": ""}, True),
    ("a", {}, False),
    ("!a", {}, True),
    ("!a", {"a": "1"}, False),
    ("a=1", {"a": "1"}, True),
    ("a==1", {"a": "1"}, True),
    ("a = 1", {"a": "1"}, True),
    ("a=", {"a": ""}, True),
    ("a!=1", {"a": "2"}, True),
    ("a!=1", {}, True),
    ("a!=1", {"a": "1"}, False),
    ("a in (1,2)", {"a": "2"}, True),
    ("a in (1, 2)", {}, False),
    ("a notin (1,2)", {}, True),
    ("a notin (1,2)", {"a": "1"}, False),
    ("a>1", {"a": "2"}, True),
    ("a<1", {"a": "2"}, False),
    ("example.org/app=web,tier in (front,back),!old", {"example.org/app": "web", "tier": "back"}, True),
    ("in in (in,notin)", {"in": "notin"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "labels", "selected"), LABEL_TEXTS)
def test_kubectls_label_selectors_are_understood(text: str, labels: dict[str, str], selected: bool) -> None:
    assert parse(text)(labels) is selected


@pytest.mark.parametrize(
    "text", ["=1", "a in 1", "a in (1", "a,,b", "a=1=2", "a>x", "a b", "-a", "a in (-)", ","]
)
def test_what_is_no_label_selector_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="unable to parse requirement"):
        parse(text)


POD = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"nodeName": "node-1", "hostNetwork": True, "terminationGracePeriodSeconds": 30},
    "status": {"phase": "Running"},
}
FIELD_TEXTS = [
    ("", True),
    ("metadata.name=web", True),
    ("metadata.name==web,status.phase=Running", True),
    ("metadata.name=web,status.phase!=Running", False),
    ("spec.nodeName!=node-2", True),
    ("spec.hostNetwork=true", True),
    ("spec.terminationGracePeriodSeconds=30", True),
    ("spec.missing=", True),
    ("spec.missing.more!=x", True),
    ("spec=", True),
]


@pytest.mark.parametrize(("text", "selected"), FIELD_TEXTS)
def test_field_selectors_compare_fields_as_text(text: str, selected: bool) -> None:
    assert parse_fields(text)(POD) is selected


@pytest.mark.parametrize("text", ["metadata.name", "=web", "metadata.name>web"])
def test_what_is_no_field_selector_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="invalid selector"):
        parse_fields(text)
