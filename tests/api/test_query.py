"""What `kubectl get` asks, and which objects answer."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.api.query import ALL, Query, answer, check, parse_words
from netsim.api.store import Store
from netsim.errors import ScenarioError
from netsim.units import S


def names(words: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.kind.resource, one.names) for one in parse_words(words)]


WORDS = [
    (["pods"], [("pods", ())]),
    (["po"], [("pods", ())]),
    (["pod", "b", "a"], [("pods", ("b", "a"))]),
    (["svc,deploy"], [("services", ()), ("deployments.apps", ())]),
    (["pods,svc", "web"], [("pods", ("web",)), ("services", ("web",))]),
    (["pod/web-1", "svc/web", "po/web-2"], [("pods", ("web-1", "web-2")), ("services", ("web",))]),
    (["endpointslices"], [("endpointslices.discovery.k8s.io", ())]),
    (["ep"], [("endpoints", ())]),
    (["no"], [("nodes", ())]),
    (["ns"], [("namespaces", ())]),
    (["cm"], [("configmaps", ())]),
    (["ev"], [("events", ())]),
    (["rs"], [("replicasets.apps", ())]),
    (["sts"], [("statefulsets.apps", ())]),
    (["ds"], [("daemonsets.apps", ())]),
    (["pdb"], [("poddisruptionbudgets.policy", ())]),
    (["Deployment"], [("deployments.apps", ())]),
    (["deployments.apps"], [("deployments.apps", ())]),
    (["pods,pods"], [("pods", ())]),
]


@pytest.mark.parametrize(("words", "wanted"), WORDS)
def test_words_name_kinds_and_objects(words: list[str], wanted: list[tuple[str, tuple[str, ...]]]) -> None:
    assert names(words) == wanted


def test_all_stands_for_the_workloads_and_services_in_kubectls_order() -> None:
    found = [resource for resource, _ in names(["all"])]
    assert len(found) == len(ALL)
    assert found[:3] == ["pods", "replicationcontrollers", "services"]


MISTAKES = [
    (["podz"], 'the server doesn\'t have a resource type "podz"', "did you mean pods"),
    (["pods,servces"], 'the server doesn\'t have a resource type "servces"', "services"),
    (["qqqqqqqq"], 'the server doesn\'t have a resource type "qqqqqqqq"', ""),
    ([], "required resource not specified", "such as pods"),
    (["pod/a", "b"], "there is no need to specify a resource type as a separate argument", ""),
    (["pod/a/b"], "may not have more than one slash", ""),
    (["all", "web"], "by name", ""),
]


@pytest.mark.parametrize(("words", "message", "hint"), MISTAKES)
def test_an_unknown_kind_is_refused_with_what_would_do(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_words(words)
    assert message in caught.value.problems[0].message
    assert hint in caught.value.problems[0].hint


CONTRADICTIONS = [
    ({"all_namespaces": True}, "a resource cannot be retrieved by name across all namespaces"),
    ({"selector": "a=b"}, "name cannot be provided when a selector is specified"),
    ({"field_selector": "a=b"}, "name cannot be provided when a selector is specified"),
]


@pytest.mark.parametrize(("flags", "message"), CONTRADICTIONS)
def test_a_name_and_a_choice_among_all_contradict_each_other(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        check(Query(parse_words(["pod", "web"]), **flags))


@pytest.mark.parametrize("flags", [{"selector": "a in b"}, {"field_selector": "phase"}])
def test_a_selector_that_cannot_be_read_is_refused_before_the_store_is_asked(flags: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError):
        check(Query(parse_words(["pods"]), **flags))


def store() -> Store:
    time = iter(range(100))
    filled = Store(lambda: next(time) * S)
    for namespace, name, labels, node in (
        ("default", "web-2", {"run": "web"}, "node-1"),
        ("kube-system", "dns", {"k8s-app": "dns"}, "node-2"),
        ("default", "web-1", {"run": "web"}, "node-2"),
        ("default", "client", {}, "node-1"),
    ):
        filled.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {"nodeName": node, "containers": []},
            }
        )
    filled.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {}})
    return filled


def found(words: list[str], **flags: Any) -> list[str]:
    groups = answer(Query(parse_words(words), **flags), store()).groups
    return [obj["metadata"]["name"] for group in groups for obj in group.objects]


def test_a_list_is_in_the_order_of_names_not_of_creation() -> None:
    assert found(["pods"]) == ["client", "web-1", "web-2"]
    assert found(["pods"], all_namespaces=True) == ["client", "web-1", "web-2", "dns"]


def test_objects_asked_for_by_name_come_as_they_were_asked_for() -> None:
    assert found(["pods", "web-2", "client"]) == ["web-2", "client"]


def test_selectors_choose_by_labels_and_by_fields() -> None:
    assert found(["pods"], selector="run=web") == ["web-1", "web-2"]
    assert found(["pods"], selector="!run", all_namespaces=True) == ["client", "dns"]
    assert found(["pods"], field_selector="spec.nodeName=node-1") == ["client", "web-2"]
    assert found(["pods"], field_selector="spec.nodeName!=node-1", selector="run") == ["web-1"]


def test_a_kind_without_namespaces_is_found_in_any() -> None:
    assert found(["nodes", "node-1"], namespace="shop") == ["node-1"]
    assert found(["nodes"], namespace="shop") == ["node-1"]


def test_what_is_missing_is_named_as_the_api_server_names_it() -> None:
    asked = Query(parse_words(["pod/web-1", "pod/gone", "deploy/gone"]))
    found_ = answer(asked, store())
    assert found_.missing == ('pods "gone" not found', 'deployments.apps "gone" not found')
    assert [len(group.objects) for group in found_.groups] == [1, 0]


def test_one_object_by_name_is_single_and_everything_else_is_a_list() -> None:
    assert Query(parse_words(["pod", "web"])).single
    assert not Query(parse_words(["pods"])).single
    assert not Query(parse_words(["pod", "a", "b"])).single
    assert not Query(parse_words(["pod/a", "svc/a"])).single


def test_the_events_of_an_object_follow_one_another_in_time() -> None:
    filled = store()
    for name, about, first in (("b.1", "b", 9 * S), ("a.2", "a", 8 * S), ("a.1", "a", 20 * S)):
        filled.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": "default"},
                "involvedObject": {"kind": "Pod", "name": about},
                "firstTimestamp": first,
            }
        )
    (group,) = answer(Query(parse_words(["events"])), filled).groups
    assert [event["metadata"]["name"] for event in group.objects] == ["a.2", "a.1", "b.1"]
