"""What keeps containers from running."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.control.obstacles import missing_mounts, mount_retry, port_clashes
from netsim.units import MS, S

Object = dict[str, Any]

HELD = {
    ("Secret", "certs"): {"data": {"tls.crt": "", "tls.key": ""}},
    ("ConfigMap", "conf"): {"data": {"a": "1"}, "binaryData": {"b": ""}},
}


def get(kind: str, namespace: str, name: str) -> Object | None:
    return HELD.get((kind, name)) if namespace == "default" else None


VOLUMES = [
    ({"secret": {"secretName": "certs"}}, ""),
    ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
    ({"secret": {"secretName": "none", "optional": True}}, ""),
    ({"secret": {"secretName": "certs", "items": [{"key": "ca.crt", "path": "x"}]}},
     "references non-existent secret key: ca.crt"),
    ({"configMap": {"name": "conf", "items": [{"key": "b", "path": "x"}]}}, ""),
    ({"configMap": {"name": "conf", "items": [{"key": "c", "path": "x"}]}}, "references non-existent config key: c"),
    ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
    ({"projected": {"sources": [{"secret": {"name": "certs"}}, {"configMap": {"name": "none"}}]}},
     'configmap "none" not found'),
    ({"emptyDir": {}}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("volume", "problem"), VOLUMES)
def test_what_cannot_be_mounted(volume: Object, problem: str) -> None:
    pod = {"metadata": {"namespace": "default"}, "spec": {"volumes": [{"name": "v", **volume}]}}
    expected = [f'MountVolume.SetUp failed for volume "v" : {problem}'] if problem else []
    assert missing_mounts(pod, get) == expected


def test_secrets_of_other_namespaces_do_not_count() -> None:
    pod = {"metadata": {"namespace": "other"}, "spec": {"volumes": [{"name": "v", "secret": {"secretName": "certs"}}]}}
    assert len(missing_mounts(pod, get)) == 1


def test_mounts_are_tried_ever_more_slowly_up_to_two_minutes() -> None:
    assert [mount_retry(n) for n in (1, 2, 3, 8)] == [500 * MS, 1 * S, 2 * S, 64 * S]
    assert mount_retry(9) == mount_retry(50) == 122 * S


def container(name: str, *ports: tuple[int, str]) -> Object:
    return {"name": name, "ports": [{"containerPort": port, "protocol": protocol} for port, protocol in ports]}


CLASHES = [
    ([container("a", (80, "TCP")), container("b", (81, "TCP"))], []),
    ([container("a", (80, "TCP")), container("b", (80, "TCP"))], [("b", 80)]),
    ([container("a", (53, "TCP")), container("b", (53, "UDP"))], []),
    ([container("a", (80, "TCP"), (80, "TCP"))], []),
    ([container("a", (80, "TCP")), container("b", (80, "TCP")), container("c", (80, "TCP"))], [("b", 80), ("c", 80)]),
]


@pytest.mark.parametrize(("containers", "clashing"), CLASHES)
def test_the_first_container_has_the_port(containers: list[Object], clashing: list[tuple[str, int]]) -> None:
    assert port_clashes({"spec": {"containers": containers}}) == clashing
