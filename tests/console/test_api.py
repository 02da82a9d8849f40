"""The API server as a client meets it: what a server would need, without the prompt around it."""

from __future__ import annotations

import copy

import pytest

from netsim.api.schema import find
from netsim.console.api import Api, NoKind, StatusError
from netsim.console.session import Lab

SERVICE = find("v1", "Service")
POD = find("v1", "Pod")
assert SERVICE is not None
assert POD is not None


@pytest.fixture
def api(lab: Lab) -> Api:
    """The API server of a small cluster."""
    return lab.api


def service(name: str = "web", **spec: object) -> dict[str, object]:
    spec = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def test_what_is_created_has_defaults_an_identity_and_an_address(api: Api) -> None:
    stored = api.create(service())
    assert stored["metadata"]["namespace"] == "default"
    assert stored["metadata"]["uid"]
    assert stored["spec"]["type"] == "ClusterIP"
    assert stored["spec"]["clusterIP"].startswith("10.0.")
    assert api.get(SERVICE, "default", "web") is stored
    assert [one["metadata"]["name"] for one in api.list(SERVICE, "default")] == ["kubernetes", "web"]


def test_a_name_can_be_generated(api: Api) -> None:
    obj = service()
    obj["metadata"] = {"generateName": "web-"}
    names = [api.create(copy.deepcopy(obj))["metadata"]["name"] for _ in range(2)]
    assert all(name.startswith("web-") and len(name) == 9 for name in names)
    assert names[0] != names[1]


def test_an_update_keeps_status_and_identity(api: Api) -> None:
    old = api.create(service())
    new = service(type="NodePort")
    new["status"] = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    new["spec"]["clusterIP"] = old["spec"]["clusterIP"]  # type: ignore[index]
    stored = api.update(new, old)
    assert stored.get("status") == old.get("status")
    assert stored["metadata"]["uid"] == old["metadata"]["uid"]
    assert stored["spec"]["ports"][0]["nodePort"] >= 30000


def test_a_write_that_changes_nothing_gives_back_what_was_there(api: Api) -> None:
    old = api.create(service())
    assert api.patch(SERVICE, "default", "web", {"spec": {"type": "ClusterIP"}}) is old


@pytest.mark.parametrize(
    ("obj", "reason", "code"),
    [
        (service(typo=1), "BadRequest", 400),
        (service(ports="80"), "BadRequest", 400),
        (service(ports=[]), "Invalid", 422),
        (service(clusterIP="10.0.0.1"), "Invalid", 422),
        (service("kubernetes"), "AlreadyExists", 409),
        ({**service(), "metadata": {"name": "web", "namespace": "nowhere"}}, "NotFound", 404),
    ],
)
def test_what_is_refused_has_a_reason_and_its_code(api: Api, obj: dict[str, object], reason: str, code: int) -> None:
    before = api.store.resource_version
    with pytest.raises(StatusError) as caught:
        api.create(obj)
    assert (caught.value.reason, caught.value.code) == (reason, code)
    assert api.store.resource_version == before


def test_every_cause_of_an_invalid_object_is_told(api: Api) -> None:
    with pytest.raises(StatusError) as caught:
        api.create(service("Web", ports=[{"port": 0}, {"port": 80}]))
    assert len(caught.value.causes) >= 3
    assert {cause.partition(":")[0] for cause in caught.value.causes} >= {"metadata.name", "spec.ports[0].port"}


def test_a_stale_version_is_a_conflict_and_a_missing_object_is_not_found(api: Api) -> None:
    old = api.create(service())
    now = api.patch(SERVICE, "default", "web", {"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(StatusError, match="the object has been modified"):
        api.update(old, now)
    with pytest.raises(StatusError, match='services "nope" not found'):
        api.delete(SERVICE, "default", "nope")
    with pytest.raises(NoKind, match='no matches for kind "Gadget" in version "v9"'):
        api.create({"apiVersion": "v9", "kind": "Gadget", "metadata": {"name": "g"}})


def test_texts_of_a_secret_are_kept_in_base64(api: Api) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"user": "me"}}
    stored = api.create(secret)
    assert stored["data"] == {"user": "bWU="}
    assert "stringData" not in stored
