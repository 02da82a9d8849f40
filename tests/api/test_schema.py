"""Kubernetes' kinds and fields, and the tool that writes them down."""

from __future__ import annotations

import importlib.util
import json
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netsim.api import schema
from netsim.api.simulated import ALL, SIMULATED

DATA = files("netsim.api") / "data"

KINDS = [
    # kind                    apiVersion                  plural                     short      namespaced
    ("Pod", "v1", "pods", ("po",), True),
    ("Node", "v1", "nodes", ("no",), False),
    ("Namespace", "v1", "namespaces", ("ns",), False),
    ("Service", "v1", "services", ("svc",), True),
    ("Endpoints", "v1", "endpoints", ("ep",), True),
    ("ConfigMap", "v1", "configmaps", ("cm",), True),
    ("Deployment", "apps/v1", "deployments", ("deploy",), True),
    ("ReplicaSet", "apps/v1", "replicasets", ("rs",), True),
    ("StatefulSet", "apps/v1", "statefulsets", ("sts",), True),
    ("EndpointSlice", "discovery.k8s.io/v1", "endpointslices", (), True),
    ("Lease", "coordination.k8s.io/v1", "leases", (), True),
    ("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", ("netpol",), True),
    ("Ingress", "networking.k8s.io/v1", "ingresses", ("ing",), True),
    ("IngressClass", "networking.k8s.io/v1", "ingressclasses", (), False),
    ("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", ("pdb",), True),
    ("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", ("pc",), False),
    ("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", (), False),
    ("CSIStorageCapacity", "storage.k8s.io/v1", "csistoragecapacities", (), True),
]


@pytest.mark.parametrize(("name", "version", "plural", "short", "namespaced"), KINDS)
def test_kinds_are_called_as_kubectl_calls_them(
    name: str, version: str, plural: str, short: tuple[str, ...], namespaced: bool
) -> None:
    kind = schema.find(version, name)
    assert kind is not None
    assert (kind.api_version, kind.plural, kind.short_names, kind.namespaced) == (
        version,
        plural,
        short,
        namespaced,
    )
    for word in (name, plural, name.lower(), *short):
        assert schema.by_name(word) == kind


def test_a_word_that_two_groups_know_means_the_core_group() -> None:
    assert schema.by_name("events") == schema.find("v1", "Event")
    assert schema.by_name("events.events.k8s.io") == schema.find("events.k8s.io/v1", "Event")
    assert schema.by_name("ev") == schema.find("v1", "Event")


def test_the_preferred_version_of_a_kind_comes_first() -> None:
    assert [kind.version for kind in schema.versions("HorizontalPodAutoscaler")] == ["v2", "v1"]
    stable = schema.by_name("servicecidrs")
    assert stable is not None
    assert stable.version == "v1"


def test_lists_and_subresources_are_no_kinds_of_object() -> None:
    for name in ("PodList", "DeleteOptions", "Status", "Eviction", "Scale", "APIGroup"):
        assert schema.versions(name) == ()


def test_resources_are_named_with_their_group() -> None:
    assert [kind.resource for kind in schema.versions("Deployment")] == ["deployments.apps"]
    assert [kind.resource for kind in schema.versions("Pod")] == ["pods"]


FIELDS = [
    # type                        field                code  required
    ("core.v1.ServicePort", "port", "i", True),
    ("core.v1.ServicePort", "targetPort", "x", False),
    ("core.v1.ServiceSpec", "selector", "{", False),
    ("core.v1.PodSpec", "containers", "[", True),
    ("core.v1.PodSpec", "terminationGracePeriodSeconds", "l", False),
    ("core.v1.PodSpec", "hostNetwork", "b", False),
    ("core.v1.ResourceRequirements", "requests", "{", False),
    ("core.v1.Secret", "data", "{", False),
    ("meta.v1.ObjectMeta", "creationTimestamp", "t", False),
    ("apps.v1.RollingUpdateDeployment", "maxSurge", "x", False),
    ("apps.v1.DeploymentSpec", "selector", "#", True),
    ("discovery.v1.EndpointHints", "forNodes", "[", False),  # since 1.33
]


@pytest.mark.parametrize(("type_name", "name", "code", "required"), FIELDS)
def test_fields_have_their_types(type_name: str, name: str, code: str, required: bool) -> None:
    field = schema.fields(type_name)[name]
    assert (field.type.code, field.required) == (code, required)


def test_types_are_read_from_their_codes() -> None:
    assert schema.fields("core.v1.ResourceRequirements")["requests"].type.items == schema.Type("q")
    assert schema.fields("core.v1.Secret")["data"].type.items == schema.Type("y")
    assert schema.fields("core.v1.PodSpec")["containers"].type.items == schema.Type("#", "core.v1.Container")
    keys = {
        name: schema.fields("core.v1.Container")[name].type.merge_key for name in ("ports", "env", "command")
    }
    assert keys == {"ports": "containerPort", "env": "name", "command": None}
    assert schema.fields("meta.v1.ObjectMeta")["finalizers"].type.merge_key == ""


def test_every_type_that_is_named_is_there() -> None:
    types = json.loads((DATA / schema.DATA).read_text("utf-8"))["types"]
    named = {code.rsplit("#", 1)[1] for fields in types.values() for code in fields.values() if "#" in code}
    assert named <= types.keys()
    assert {kind.type for kind in schema.kinds() if kind not in schema.CUSTOM} <= types.keys()


def test_the_data_file_is_small_and_says_where_it_came_from() -> None:
    assert len((DATA / schema.DATA).read_bytes()) < 150_000
    notice = (DATA / "NOTICE").read_text("utf-8")
    assert schema.DATA in notice
    assert "Apache License, Version 2.0" in notice


def real(type_name: str, table: Any, path: str) -> list[str]:
    """The paths in a table of what is simulated that Kubernetes does not have."""
    known, wrong = schema.fields(type_name), []
    for name, inside in table.items():
        if name not in known:
            wrong.append(f"{path}.{name}")
        elif inside is not ALL:
            what = known[name].type
            wrong += real((what.items or what).name, inside, f"{path}.{name}")
    return wrong


@pytest.mark.parametrize("name", SIMULATED)
def test_what_is_simulated_exists(name: str) -> None:
    kind = schema.versions(name)[0]
    assert real(kind.type, SIMULATED[name], name) == []


# the tool ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "kubernetes_schema.py"
    spec = importlib.util.spec_from_file_location("kubernetes_schema", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TEXT = {"type": ["string", "null"]}
METADATA = {"$ref": "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
DEFINITIONS: dict[str, Any] = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"properties": {"name": TEXT}},
    "io.k8s.api.core.v1.Thing": {
        "required": ["size"],
        "properties": {
            "metadata": METADATA,
            "size": {"type": "integer", "format": "int64"},
            "parts": {
                "type": ["array", "null"],
                "items": {"$ref": "#/$defs/io.k8s.api.core.v1.Part"},
                "x-kubernetes-patch-strategy": "merge,retainKeys",
                "x-kubernetes-patch-merge-key": "name",
            },
        },
        "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Thing"}],
    },
    "io.k8s.api.core.v1.Part": {
        "properties": {
            "labels": {"type": ["object", "null"], "additionalProperties": TEXT},
            "limit": {"$ref": "#/$defs/io.k8s.apimachinery.pkg.api.resource.Quantity"},
        }
    },
    "io.k8s.api.core.v1.Forgotten": {"properties": {"a": TEXT}},
}


def test_the_tool_writes_kinds_and_the_types_they_lead_to(tool: ModuleType) -> None:
    data = json.loads(tool.render([DEFINITIONS]))
    assert data["kinds"] == [["", "v1", "Thing", "things", [], True, "core.v1.Thing"]]
    assert data["types"] == {
        "core.v1.Part": {"labels": "{s", "limit": "q"},
        "core.v1.Thing": {"metadata": "#meta.v1.ObjectMeta", "parts": "[name=#core.v1.Part", "size!": "l"},
        "meta.v1.ObjectMeta": {"name": "s"},
    }


def test_a_later_release_adds_and_does_not_change(tool: ModuleType) -> None:
    newer = json.loads(json.dumps(DEFINITIONS))
    newer["io.k8s.api.core.v1.Thing"] |= {"required": []}
    newer["io.k8s.api.core.v1.Thing"]["properties"] |= {"colour": TEXT}
    types = json.loads(tool.render([DEFINITIONS, newer]))["types"]
    assert types["core.v1.Thing"].keys() == {"metadata", "parts", "size!", "colour"}


def test_the_data_file_has_the_form_that_the_tool_writes(tool: ModuleType) -> None:
    text = (DATA / schema.DATA).read_text("utf-8")
    data = json.loads(text)
    assert data["kubernetes"] == sorted(tool.RELEASES)
    assert data["kinds"] == sorted(data["kinds"], key=tool.rank)
    assert list(data["types"]) == sorted(data["types"])
    assert text.count("\n") == len(data["kinds"]) + len(data["types"]) + 5
    assert all(kind.plural == tool.plural(kind.name) for kind in schema.kinds())
