"""The resolved form of a scenario reads back to an equal one, whatever stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.api.documents import read_documents
from netsim.scenario.load import load, loads
from netsim.scenario.resolved import resolved, to_yaml

FULL = """\
apiVersion: netsim/v1
kind: Scenario
metadata:
  name: full
  title: "no: it's #1 \\u2014 \\U0001f680"
  question: |
    Which of these
      survive?

    All of them.
seed: 9223372036854775807
duration: 1m0.5s
cluster:
  version: "1.31"
  profile: medium
  timings: {sandbox: "exponential(1.5ms)", scheduling: "uniform(1us,2ns1s)", write: 1ns, controllerQps: 1e-7}
  nodes:
  - {name: control, role: control-plane, zone: "no", taints: [{key: a, value: "1e3", effect: NoExecute}]}
  - {name: worker, count: 3, labels: {on: "yes", "22:22": "0x10", version: "1.30"}, capacity: {cpu: 100m}}
  links: {pod: 0, zone: 0.25ms, outside: 1h}
  addresses: {pods: 10.0.0.0/10, nodeMask: 26}
  proxy: {mode: nftables, nodePortAddresses: [10.0.0.0/8, "fd00::/8"], minSyncPeriod: 0s}
  domain: "15.0"
traffic:
- {name: slow, from: outside, to: "node/worker-1:30080", rate: 1/m, connectTimeout: null, timeout: null}
- {name: odd, from: pod/client, to: "http://web:8080/no", rate: 0.333/s, keepAlive: {requests: 3}}
- {name: many, from: node/worker-2, to: "svc/web:8080", clients: 12, think: 1ms, stop: 59s}
serving:
- {selector: {app: "null"}, serviceTime: "uniform(0s,1d)", ports: [1, 2]}
faults:
- {name: loss, action: node-power-loss, at: 1ns, mode: fixed-percent, value: 34, selector: {zones: ["no"]}}
checks:
- {measure: success, of: odd, atLeast: 0.999, atMost: 100%}
- {measure: failed, atMost: 0}
- {measure: detected, atLeast: 0, atMost: 1m}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: "null"}, ports: [{port: 8080, nodePort: 30080}]}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: client
    labels: {app: "null"}
    annotations: {a: "~", b: "1_000", c: "2024-01-01", d: " x ", e: "a\\nb\\n"}
  spec:
    containers:
    - {name: c, image: "curl:1.10", args: ["no", "22:22", "1e3", "0o17", "=", "<<", "- x", "a: b", "", "y"]}
"""


def test_the_resolved_form_reads_back_to_an_equal_scenario() -> None:
    scenario = loads(FULL)
    text = resolved(scenario)
    assert loads(text) == scenario
    assert resolved(loads(text)) == text


def test_the_resolved_form_leaves_nothing_to_defaults() -> None:
    document = read_documents(resolved(loads(FULL)), "resolved.yaml")[0].value
    assert document["cluster"]["timings"]["nodeMonitorGrace"] == "2m"  # the profile's
    assert document["cluster"]["kernel"] == {"synRetries": 6, "synLinearTimeouts": 4}
    assert document["traffic"][2]["connectTimeout"] == "1s"
    assert document["traffic"][0]["connectTimeout"] is None


def test_the_resolved_form_needs_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "pod.json").write_text(
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": '
        '[{"name": "c", "image": "i"}]}}'
    )
    (tmp_path / "main.yaml").write_text(
        "{apiVersion: netsim/v1, kind: Scenario, metadata: {name: a}, cluster: {nodes: [{name: n}]},"
        " manifests: [pod.json]}"
    )
    scenario = load(tmp_path / "main.yaml")
    assert scenario.document.manifests == ()
    assert loads(resolved(scenario)) == scenario


@pytest.mark.parametrize(
    "text",
    ["no", "22:22", "1e3", "0x10", "0o17", "1_000", "~", "", "y", "=", "<<", "1.5", ".5", "2024-01-01"],
)
def test_text_stays_text_for_every_reader_of_yaml(text: str) -> None:
    printed = to_yaml({"a": text})
    assert yaml.safe_load(printed) == {"a": text}  # by the rules of YAML 1.1
    assert read_documents(printed, "a.yaml")[0].value == {"a": text}
    assert "'" in printed


PUNCTUATION = st.sampled_from("\n\t :-#'\"\\|>&*!%@`{}[],?=~0123eE.+_")
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | PUNCTUATION)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(WORDS, inside, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_value_reads_back_the_same(value: dict[str, Any]) -> None:
    (document,) = read_documents(to_yaml(value), "any.yaml")
    assert document.value == value
