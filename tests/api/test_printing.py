"""JSON, YAML, names and CSV as kubectl prints them, and times at the edge."""

from __future__ import annotations

import json
from datetime import datetime
from textwrap import dedent
from typing import Any

import pytest
import yaml

from netsim.api.printing import Group, Options, check_options, print_groups, print_objects, to_json
from netsim.api.times import parse_rfc3339, rfc1123, rfc3339, rfc3339_micro, rfc3339_nano, with_times
from netsim.api.yamltext import to_yaml
from netsim.units import DAY, HOUR, MS, US, S

# times -------------------------------------------------------------------------------------------------


def test_whole_seconds_are_cut_and_microseconds_have_six_digits() -> None:
    assert rfc3339(35 * S + 999 * MS) == "2026-01-01T00:00:35Z"
    assert rfc3339_micro(35 * S + 999_999) == "2026-01-01T00:00:35.000999Z"
    assert rfc3339_micro(0) == "2026-01-01T00:00:00.000000Z"
    assert rfc3339_nano(35 * S + 120 * MS) == "2026-01-01T00:00:35.12Z"
    assert rfc1123(31 * DAY + 23 * HOUR) == "Sun, 01 Feb 2026 23:00:00 +0000"


@pytest.mark.parametrize("time", [0, 1, 35 * S, 35 * S + 5, 90 * DAY + 17 * MS, -1 * S])
def test_a_time_reads_back_to_the_same_instant(time: int) -> None:
    assert parse_rfc3339(rfc3339_nano(time)) == time
    assert parse_rfc3339(rfc3339(time)) == time // S * S
    assert parse_rfc3339(rfc3339_micro(time)) == time // US * US


@pytest.mark.parametrize("text", ["2026-01-01", "yesterday", "2026-01-01T00:00:00"])
def test_a_text_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026|yesterday"):
        parse_rfc3339(text)


def test_times_become_text_wherever_they_stand_and_other_numbers_stay() -> None:
    lease = {
        "metadata": {"creationTimestamp": 1 * S + 5},
        "spec": {"renewTime": 2 * S + 7 * US, "leaseTransitions": 2},
    }
    assert with_times(lease) == {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"renewTime": "2026-01-01T00:00:02.000007Z", "leaseTransitions": 2},
    }
    pod = {"status": {"startTime": None, "containerStatuses": [{"state": {"running": {"startedAt": 0}}}]}}
    assert with_times(pod) == {
        "status": {
            "startTime": None,
            "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
        }
    }
    budget = {"status": {"disruptedPods": {"web-1": 3 * S}, "disruptionsAllowed": 1}}
    assert with_times(budget) == {
        "status": {"disruptedPods": {"web-1": "2026-01-01T00:00:03Z"}, "disruptionsAllowed": 1}
    }


def test_the_object_itself_is_not_changed() -> None:
    obj = {"metadata": {"creationTimestamp": 1 * S}}
    with_times(obj)
    assert obj == {"metadata": {"creationTimestamp": 1 * S}}


# json and yaml -----------------------------------------------------------------------------------------


def config(name: str = "a", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "creationTimestamp": 35 * S}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, **fields}


def printed(*objects: dict[str, Any], output: str, **options: Any) -> str:
    return print_objects("ConfigMap", objects, now=40 * S, output=output, **options)


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def test_one_object_asked_for_by_name_is_printed_as_itself() -> None:
    assert printed(config(data={"k": "1 < 2 & é"}), output="json", single=True) == golden("""
        {
            "apiVersion": "v1",
            "data": {
                "k": "1 \\u003c 2 \\u0026 é"
            },
            "kind": "ConfigMap",
            "metadata": {
                "creationTimestamp": "2026-01-01T00:00:35Z",
                "name": "a",
                "namespace": "default"
            }
        }
        """)


def test_a_list_of_one_is_still_a_list() -> None:
    assert printed(config(), output="yaml") == golden("""
        apiVersion: v1
        items:
        - apiVersion: v1
          kind: ConfigMap
          metadata:
            creationTimestamp: "2026-01-01T00:00:35Z"
            name: a
            namespace: default
        kind: List
        metadata:
          resourceVersion: ""
        """)


def test_json_can_be_read_back() -> None:
    value = {"b": ["<", "\u2028", "ü", 1, True, None], "a": {}}
    assert json.loads(to_json(value)) == value


def test_no_objects_are_an_empty_list() -> None:
    assert json.loads(printed(output="json"))["items"] == []
    assert "items: []\n" in printed(output="yaml")
    assert printed(output="name") == ""


QUOTED = [
    # text, how kubectl writes it in YAML
    ("web", "web"),
    ("", '""'),
    ("true", '"true"'),
    ("no", '"no"'),
    ("y", '"y"'),
    ("null", '"null"'),
    ("~", '"~"'),
    ("80", '"80"'),
    ("080", '"080"'),
    ("-1", '"-1"'),
    ("1.5", '"1.5"'),
    ("1e3", '"1e3"'),
    ("0x1F", '"0x1F"'),
    (".5", '".5"'),
    ("22:22", '"22:22"'),
    ("2026-01-01", '"2026-01-01"'),
    ("2026-01-01T00:00:35Z", '"2026-01-01T00:00:35Z"'),
    ("10.244.1.2", "10.244.1.2"),
    ("10.96.0.0/12", "10.96.0.0/12"),
    ("v1.32.0", "v1.32.0"),
    ("100m", "100m"),
    ("25%", "25%"),
    ("a: b", "'a: b'"),
    ("*", "'*'"),
    ("- x", "'- x'"),
    ("it's", "it's"),
    ("#c", "'#c'"),
    ("nginx:1.27", "nginx:1.27"),
    ("<<", '"<<"'),
]


@pytest.mark.parametrize(("text", "written"), QUOTED)
def test_text_is_quoted_when_it_would_be_read_as_something_else(text: str, written: str) -> None:
    assert to_yaml({"k": text}) == f"k: {written}\n"


@pytest.mark.parametrize("text", [text for text, _ in QUOTED])
def test_yaml_text_reads_back_as_text(text: str) -> None:
    assert yaml.safe_load(to_yaml({"k": text, "l": [text]})) == {"k": text, "l": [text]}


def test_numbers_truth_and_nothing_are_plain() -> None:
    assert to_yaml({"a": 1, "b": True, "c": None, "d": 1.5}) == "a: 1\nb: true\nc: null\nd: 1.5\n"


def test_lines_are_a_block_and_keys_are_in_natural_order() -> None:
    text = to_yaml({"k10": "x\ny\n", "k2": "x\ny", "K": 1, "a.b": 1, "a-b": 2, "ab": 3})
    assert text == golden("""
        K: 1
        a-b: 2
        a.b: 1
        ab: 3
        k2: |-
          x
          y
        k10: |
          x
          y
        """)


def test_a_part_that_two_objects_share_is_written_out_twice() -> None:
    labels = {"run": "web"}
    assert to_yaml([{"l": labels}, {"l": labels}]) == "- l:\n    run: web\n- l:\n    run: web\n"


def test_long_text_is_folded_at_the_first_blank_behind_column_eighty() -> None:
    message = (
        "0/4 nodes are available: 1 node(s) had untolerated taint {key: }, 3 Insufficient cpu. preemption"
    )
    assert to_yaml({"message": message}) == golden("""
        message: '0/4 nodes are available: 1 node(s) had untolerated taint {key: }, 3 Insufficient
          cpu. preemption'
        """)


# names, csv, jsonpath ----------------------------------------------------------------------------------


def test_names_carry_kind_and_group() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    groups = [Group("ConfigMap", (config(),)), Group("Deployment", (deployment,))]
    assert print_groups(groups, Options(output="name"), 0).text == "configmap/a\ndeployment.apps/web\n"


def test_csv_is_the_wide_table_and_quotes_what_needs_it() -> None:
    spec = {
        "type": "LoadBalancer",
        "clusterIPs": ["10.96.0.9"],
        "ports": [{"port": 80}, {"port": 443}],
        "selector": {"a": "b"},
    }
    ingress = [{"hostname": "a-very-long-name.elb.example.com"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": 0},
        "spec": spec,
        "status": {"loadBalancer": {"ingress": ingress}},
    }
    assert print_objects("Service", [service], now=35 * S, output="csv", all_namespaces=True) == (
        "NAMESPACE,NAME,TYPE,CLUSTER-IP,EXTERNAL-IP,PORT(S),AGE,SELECTOR\n"
        'shop,web,LoadBalancer,10.96.0.9,a-very-long-name.elb.example.com,"80/TCP,443/TCP",35s,a=b\n'
    )


def test_jsonpath_sees_times_as_text() -> None:
    path = "jsonpath={.items[*].metadata.creationTimestamp}"
    assert printed(config(), config("b"), output=path) == "2026-01-01T00:00:35Z 2026-01-01T00:00:35Z"
    assert printed(config(), output="jsonpath={.metadata.name}", single=True) == "a"
    assert datetime.fromisoformat(printed(config(), output="jsonpath={.items[0].metadata.creationTimestamp}"))


REFUSED = [
    (Options(output="xml"), 'unable to match a printer suitable for the output format "xml"'),
    (Options(output="json=x"), 'output format "json=x"'),
    (Options(output="jsonpath"), "template format specified but no template given"),
    (Options(output="jsonpath={.a"), "error parsing jsonpath {.a, unclosed action"),
    (Options(output="json", show_labels=True), "--show-labels option cannot be used with json printer"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_printed_is_refused_before_anything_is_looked_up(
    options: Options, message: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at below
        check_options(options)
    assert message in str(caught.value)


def test_a_path_that_does_not_fit_the_objects_says_so_in_kubectls_words() -> None:
    with pytest.raises(ValueError, match="array index out of bounds: index 0, length 0") as caught:
        printed(output="jsonpath={.items[0].metadata.name}")
    assert str(caught.value).startswith(
        'error executing jsonpath "{.items[0].metadata.name}": Error executing template'
    )
