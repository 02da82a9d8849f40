"""The record of a controller's templates, and the names of its pods."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from netsim.api.objects import controller_of
from netsim.api.store import Store
from netsim.control.pod_template import REVISION, forget, new_name, pod_of, recalled, record, records
from netsim.control.rollout import Hashes

Object = dict[str, Any]


@pytest.fixture
def cluster() -> Any:
    """As much of a cluster as a record needs."""
    store = Store(lambda: 0)
    store.index("ControllerRevision", "owner", lambda one: [owner["uid"]] if (owner := controller_of(one)) else [])
    return SimpleNamespace(store=store)


def owner(image: str = "db:1", name: str = "db", **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    given = {"template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": given}


def seen(cluster: Any, name: str = "db") -> dict[str, int]:
    """The revisions by the image they stand for."""
    found = records(cluster, owner(name=name))
    return {one["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: one["revision"] for one in found}


def test_each_template_is_recorded_once_and_one_that_comes_back_is_the_newest(cluster: Any) -> None:
    for image, ending in (("db:1", "a"), ("db:1", "a"), ("db:2", "b"), ("db:1", "a")):
        record(cluster, owner(image), ending)
    assert seen(cluster) == {"db:1": 3, "db:2": 2}
    record(cluster, owner("other:1", name="web"), "a")
    assert seen(cluster, "web") == {"other:1": 1}


def test_an_old_template_is_recalled_by_its_hash(cluster: Any) -> None:
    record(cluster, owner("db:1"), "a")
    record(cluster, owner("db:2"), "b")
    now = owner("db:2")
    assert recalled(cluster, now, "a")["spec"]["containers"][0]["image"] == "db:1"
    assert recalled(cluster, now, "unknown") == now["spec"]["template"]


def test_the_oldest_records_that_nobody_needs_go_beyond_the_limit(cluster: Any) -> None:
    for number in range(1, 7):
        record(cluster, owner(f"db:{number}"), f"h{number}")
    forget(cluster, owner(revisionHistoryLimit=2), {"h1", "h6"})
    assert sorted(seen(cluster)) == ["db:1", "db:4", "db:5", "db:6"]


def test_a_hash_is_worked_out_anew_only_for_another_template() -> None:
    hashes, first = Hashes(), owner("db:1")
    known = hashes.of(first)
    assert hashes.of({**first, "status": {"replicas": 1}}) == known
    assert hashes.of(owner("db:1")) == known
    assert hashes.of(owner("db:2")) != known


def test_a_name_that_is_taken_is_drawn_again(cluster: Any) -> None:
    bits = iter([0, 0, 2**64 - 1])
    chance: Any = SimpleNamespace(next=lambda: next(bits))
    first = new_name(cluster, owner(), chance)
    assert first == "db-bbbbb"
    cluster.store.create(pod_of(owner(), owner()["spec"]["template"], first))
    assert new_name(cluster, owner(), chance) == "db-99999"


def test_a_pod_bears_its_template_its_owner_and_further_labels() -> None:
    template = owner()["spec"]["template"]
    made = pod_of(owner(), template, "db-x", {REVISION: "a"}, {"hostname": "db-x"})
    assert made["metadata"]["labels"] == {"app": "db", REVISION: "a"}
    assert made["metadata"]["generateName"] == "db-"
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-db"
    assert made["spec"] == {**template["spec"], "hostname": "db-x"}
    assert template == owner()["spec"]["template"]
