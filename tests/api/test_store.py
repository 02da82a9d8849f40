"""The API store: versions, watches, optimistic updates, owners, grace."""

from __future__ import annotations

import pytest

from netsim.api.objects import owned_by
from netsim.api.store import Refused, Store
from netsim.units import S


@pytest.fixture
def store():
    clock = {"now": 0}
    made = Store(lambda: clock["now"])
    made.clock = clock
    return made


def thing(name="a", kind="ConfigMap", **fields):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, **fields}


def pod(name="p", node="n", **spec):
    return thing(name, "Pod", spec={"nodeName": node, "containers": [], **spec})


def test_every_write_raises_the_version_and_stamps_the_object(store):
    first = store.create(thing())
    second = store.update({**first, "data": {"k": "v"}})
    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 1
    assert first.get("data") is None  # values never change


def test_a_write_that_changes_nothing_is_no_write(store):
    first = store.create(thing())
    seen = []
    store.watch("ConfigMap", seen.append)
    assert store.update(dict(first)) is first
    assert not seen


def test_an_update_of_an_old_version_is_refused(store):
    first = store.create(thing())
    store.update({**first, "data": {"k": "1"}})
    with pytest.raises(Refused, match="the object has been modified") as error:
        store.update({**first, "data": {"k": "2"}})
    assert error.value.reason == "Conflict"


def test_a_name_is_taken_once(store):
    store.create(thing())
    with pytest.raises(Refused, match='configmaps "a" already exists'):
        store.create(thing())


def test_a_watch_hears_every_change_in_order_with_old_and_new(store):
    seen = []
    store.watch("ConfigMap", lambda change: seen.append((change.type, change.old is not None)))
    first = store.create(thing())
    store.update({**first, "data": {}})
    store.remove("ConfigMap", "default", "a")
    assert seen == [("ADDED", False), ("MODIFIED", True), ("DELETED", True)]


def test_generation_counts_changes_of_the_spec_alone(store):
    made = store.create(thing(spec={"replicas": 1}))
    status = store.update({**made, "status": {"x": 1}})
    assert status["metadata"]["generation"] == 1
    assert store.update({**status, "spec": {"replicas": 2}})["metadata"]["generation"] == 2


def test_what_an_owner_owned_goes_with_it(store):
    deployment = store.create(thing("d", "Deployment"))
    replica_set = thing("r", "ReplicaSet")
    replica_set["metadata"]["ownerReferences"] = [owned_by(deployment)]
    replica_set = store.create(replica_set)
    child = pod()
    child["metadata"]["ownerReferences"] = [owned_by(replica_set)]
    store.create(child)
    store.delete(deployment)
    assert store.get("ReplicaSet", "default", "r") is None
    assert store.get("Pod", "default", "p")["metadata"]["deletionTimestamp"] == 30 * S  # bound: with its grace


def test_a_bound_pod_gets_its_grace_and_is_marked_once(store):
    store.create(pod(terminationGracePeriodSeconds=10))
    store.clock["now"] = 5 * S
    store.delete(store.get("Pod", "default", "p"))
    marked = store.get("Pod", "default", "p")
    assert marked["metadata"]["deletionTimestamp"] == 15 * S
    store.clock["now"] = 9 * S
    store.delete(marked)
    assert store.get("Pod", "default", "p")["metadata"]["deletionTimestamp"] == 15 * S


@pytest.mark.parametrize("gone", [pod(node=""), {**pod(), "status": {"phase": "Failed"}}])
def test_a_pod_that_runs_nowhere_is_gone_at_once(store, gone):
    store.delete(store.create(gone))
    assert store.get("Pod", "default", "p") is None


def test_without_grace_a_pod_is_gone_at_once(store):
    store.delete(store.create(pod()), grace=0)
    assert store.list("Pod") == []


def test_an_index_follows_what_it_indexes(store):
    store.index("Pod", "node", lambda p: [p["spec"]["nodeName"]])
    made = store.create(pod(node="n1"))
    assert store.find("Pod", "node", "n1") == [made]
    moved = store.update({**made, "spec": {**made["spec"], "nodeName": "n2"}})
    assert store.find("Pod", "node", "n1") == []
    assert store.find("Pod", "node", "n2") == [moved]
    store.remove("Pod", "default", "p")
    assert store.find_count("Pod", "node", "n2") == 0


def test_a_refusal_can_be_raised_again_from_its_arguments():
    refused = Refused("NotFound", 'pods "web" not found')
    again = type(refused)(*refused.args)
    assert (again.reason, str(again)) == ("NotFound", 'pods "web" not found')
