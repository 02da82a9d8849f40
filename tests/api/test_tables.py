"""kubectl's tables: their layout, the flags that change them, events and the smaller kinds."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from netsim.api.printing import Group, Options, print_groups, print_objects
from netsim.api.tables import View, narrow, table
from netsim.api.tables.layout import PAGE, TABLE, align
from netsim.units import MINUTE, S

NOW = 35 * S


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def shown(kind: str, *objects: dict[str, Any], now: int = NOW, **options: Any) -> str:
    return print_objects(kind, objects, now=now, **options)


def row(kind: str, obj: dict[str, Any], now: int = NOW, wide: bool = False) -> dict[str, str]:
    """The cells of one object, by column."""
    one = narrow(table(kind, [obj], View(now, wide)), wide)
    return {column.name.upper(): cell for column, cell in zip(one.columns, one.rows[0], strict=True)}


def pod(name: str = "web", **metadata: Any) -> dict[str, Any]:
    state = {"running": {"startedAt": 2 * S}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": 0, **metadata},
        "spec": {"containers": [{"name": "nginx"}], "nodeName": "node-1"},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": "10.244.1.2"}],
            "containerStatuses": [{"name": "nginx", "ready": True, "restartCount": 0, "state": state}],
        },
    }


def deployment() -> dict[str, Any]:
    metadata = {"name": "my-nginx", "namespace": "default", "creationTimestamp": 0}
    spec, status = {"replicas": 2}, {"readyReplicas": 2}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


# layout -----------------------------------------------------------------------------------------------


def test_columns_stand_three_blanks_apart_and_the_last_one_has_none_behind_it() -> None:
    assert align([["NAME", "READY", "AGE"], ["a-long-name", "1/1", "5s"]], **TABLE) == [
        "NAME          READY   AGE",
        "a-long-name   1/1     5s",
    ]


def test_a_narrow_column_of_a_table_is_six_wide() -> None:
    assert align([["A", "B"], ["x", "y"]], **TABLE) == ["A     B", "x     y"]


def test_a_line_without_tabs_ends_a_column_and_the_next_has_its_own_width() -> None:
    lines = [["Name:", "web"], ["Controlled By:", "x"], ["Containers:"], ["  a:"], ["    Image:", "nginx"]]
    assert align(lines, **PAGE) == [
        "Name:           web",
        "Controlled By:  x",
        "Containers:",
        "  a:",
        "    Image:  nginx",
    ]


def test_an_empty_cell_in_the_middle_keeps_its_place() -> None:
    assert align([["A", "B", "C"], ["x", "", "z"]], **TABLE) == ["A     B     C", "x           z"]


# flags ------------------------------------------------------------------------------------------------


def test_all_namespaces_puts_the_namespace_in_front() -> None:
    other = pod("dns", namespace="kube-system")
    assert shown("Pod", pod("web"), other, all_namespaces=True) == golden("""
        NAMESPACE     NAME   READY   STATUS    RESTARTS   AGE
        default       web    1/1     Running   0          35s
        kube-system   dns    1/1     Running   0          35s
        """)


def test_labels_come_last_and_chosen_ones_before_all() -> None:
    labelled = pod(labels={"run": "web", "topology.kubernetes.io/zone": "a"})
    text = shown(
        "Pod", labelled, pod("bare"), show_labels=True, label_columns=("topology.kubernetes.io/zone",)
    )
    assert text == golden("""
        NAME   READY   STATUS    RESTARTS   AGE   ZONE   LABELS
        web    1/1     Running   0          35s   a      run=web,topology.kubernetes.io/zone=a
        bare   1/1     Running   0          35s          <none>
        """)


def test_without_headers_the_columns_stay() -> None:
    assert shown("Pod", pod("web"), no_headers=True) == "web   1/1   Running   0     35s\n"


def test_several_kinds_follow_each_other_with_their_kinds_before_the_names() -> None:
    groups = [Group("Pod", (pod("web"),)), Group("Service", ()), Group("Deployment", (deployment(),))]
    assert print_groups(groups, Options(), NOW).text == golden("""
        NAME      READY   STATUS    RESTARTS   AGE
        pod/web   1/1     Running   0          35s

        NAME                       READY   UP-TO-DATE   AVAILABLE   AGE
        deployment.apps/my-nginx   2/2     0            0           35s
        """)


NOTHING = [
    ([Group("Pod", ())], Options(namespace="shop"), "No resources found in shop namespace.\n"),
    ([Group("Pod", ())], Options(all_namespaces=True), "No resources found\n"),
    ([Group("Node", (), namespaced=False)], Options(), "No resources found\n"),
    ([Group("Pod", ()), Group("Node", (), namespaced=False)], Options(), "No resources found\n"),
]


@pytest.mark.parametrize(("groups", "options", "notice"), NOTHING)
def test_nothing_found_is_said_apart_from_the_table(
    groups: list[Group], options: Options, notice: str
) -> None:
    printed = print_groups(groups, options, NOW)
    assert (printed.text, printed.notice) == ("", notice)


def test_an_old_object_among_young_ones_widens_the_age_column() -> None:
    old = pod("old", creationTimestamp=0)
    young = pod("young", creationTimestamp=5 * MINUTE)
    assert shown("Pod", old, young, now=5 * MINUTE + 7 * S, output="wide") == golden("""
        NAME    READY   STATUS    RESTARTS   AGE    IP           NODE     NOMINATED NODE   READINESS GATES
        old     1/1     Running   0          5m7s   10.244.1.2   node-1   <none>           <none>
        young   1/1     Running   0          7s     10.244.1.2   node-1   <none>           <none>
        """)


# events and the smaller kinds -------------------------------------------------------------------------


def event(**fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "node-1.17f", "namespace": "default", "creationTimestamp": 5 * S},
        "involvedObject": {"kind": "Node", "name": "node-1"},
        "type": "Normal",
        "reason": "NodeNotReady",
        "message": "Node node-1 status is now: NodeNotReady\n",
        "source": {"component": "node-controller"},
        "firstTimestamp": 5 * S,
        "lastTimestamp": 5 * S,
        "count": 1,
        **fields,
    }


def test_get_events() -> None:
    assert shown("Event", event()) == golden("""
        LAST SEEN   TYPE     REASON         OBJECT        MESSAGE
        30s         Normal   NodeNotReady   node/node-1   Node node-1 status is now: NodeNotReady
        """)


def test_get_events_wide() -> None:
    again = event(lastTimestamp=32 * S, count=4, source={"component": "kubelet", "host": "node-1"})
    again["involvedObject"]["fieldPath"] = "spec.containers{nginx}"
    cells = row("Event", again, wide=True)
    assert list(cells) == [
        "LAST SEEN",
        "TYPE",
        "REASON",
        "OBJECT",
        "SUBOBJECT",
        "SOURCE",
        "MESSAGE",
        "FIRST SEEN",
        "COUNT",
        "NAME",
    ]
    assert (cells["LAST SEEN"], cells["FIRST SEEN"], cells["COUNT"]) == ("3s", "30s", "4")
    assert (cells["SUBOBJECT"], cells["SOURCE"]) == ("spec.containers{nginx}", "kubelet, node-1")


def test_an_event_with_a_series_was_last_seen_when_the_series_was() -> None:
    series = {"count": 7, "lastObservedTime": 34 * S}
    new = event(firstTimestamp=None, lastTimestamp=None, eventTime=5 * S, series=series, count=None)
    cells = row("Event", new, wide=True)
    assert (cells["LAST SEEN"], cells["FIRST SEEN"], cells["COUNT"]) == ("1s", "30s", "7")


def test_a_cell_of_several_lines_is_cut_at_the_first() -> None:
    assert shown("Event", event(message="one\ntwo")).splitlines()[1].endswith("   one...")


def plain(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": "thing", "namespace": "default", "creationTimestamp": 0}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


OTHERS = [
    (
        plain("v1", "ConfigMap", data={"a": "1", "b": "2"}, binaryData={"c": ""}),
        "NAME    DATA   AGE\nthing   3      35s\n",
    ),
    (
        plain("v1", "Secret", type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""}),
        "NAME    TYPE                DATA   AGE\nthing   kubernetes.io/tls   2      35s\n",
    ),
    (plain("v1", "ServiceAccount"), "NAME    SECRETS   AGE\nthing   0         35s\n"),
    (plain("v1", "Namespace", status={"phase": "Active"}), "NAME    STATUS   AGE\nthing   Active   35s\n"),
    (
        plain("coordination.k8s.io/v1", "Lease", spec={"holderIdentity": "node-1"}),
        "NAME    HOLDER   AGE\nthing   node-1   35s\n",
    ),
    (
        plain("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {"matchLabels": {"a": "b"}}}),
        "NAME    POD-SELECTOR   AGE\nthing   a=b            35s\n",
    ),
    (plain("networking.k8s.io/v1", "Ingress"), "NAME    AGE\nthing   35s\n"),
]


@pytest.mark.parametrize(("obj", "text"), OTHERS, ids=[row[0]["kind"] for row in OTHERS])
def test_the_other_kinds(obj: dict[str, Any], text: str) -> None:
    assert shown(obj["kind"], obj) == text
