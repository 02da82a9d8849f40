"""The reachability matrix: its signs, its reasons, and comparing it with what was expected."""

from __future__ import annotations

import csv
import io
import json

import pytest

from netsim.cli.main import ended

SCENARIO = """
apiVersion: netsim/v1
kind: Scenario
metadata: {name: small}
duration: 60s
cluster: {nodes: [{name: node, count: 2}]}
faults: [{name: loss, action: node-power-loss, at: 40s, selector: {nodes: [node-2]}}]
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {nodeName: node-2, containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: local}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: direct}
spec:
  clusterIP: None
  selector: {app: web}
  ports: [{name: right, port: 80}, {name: wrong, port: 8000, targetPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: both}
spec:
  selector: {app: web}
  externalIPs: [203.0.113.77]
  ports: [{name: tcp, port: 80}, {name: udp, port: 80, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: edge}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  healthCheckNodePort: 30500
  selector: {app: web}
  ports: [{port: 80}]
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SCENARIO)
    return file


def cells(path, capsys, at):
    assert ended(["reach", str(path), "--at", at, "-o", "csv"]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    return {
        (row["source"], row["way"].partition(" ")[0]): row for row in rows if "node-port" not in row["way"]
    }


def test_a_pod_behind_a_service_is_reached_by_every_node_and_pod_but_not_by_the_outside(path, capsys):
    found = cells(path, capsys, "20s")
    for source in ("pod/default/web", "node/node-1", "node/node-2"):
        assert found[source, "default/web:80"]["reach"] == "."
    assert found["outside", "default/web:80"]["reach"] == "X"


def test_a_service_without_endpoints_is_refused(path, capsys):
    cell = cells(path, capsys, "20s")["node/node-1", "default/empty:80"]
    assert cell["reach"] == "X"
    assert cell["why"].startswith("refused")


def test_under_policy_local_only_the_node_with_the_pod_answers(path, capsys):
    assert ended(["reach", str(path), "--at", "20s", "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (cell,) = [
        c for c in found if c["source"] == "outside" and c["way"].startswith("default/local:80 node-port")
    ]
    assert (cell["reach"], cell["share"]) == ("/", 0.5)
    assert any("no local endpoints" in why for why in cell["why"])


def test_a_load_balancer_learns_from_the_health_check_port_which_node_has_the_pod(path, capsys):
    cell = cells(path, capsys, "20s")["outside", "default/edge"]
    assert (cell["way"], cell["reach"], cell["share"]) == ("default/edge health-check 30500", "/", "0.5")
    assert cell["why"] == "203.0.113.1: 503 Service Unavailable: 0 ready pods of default/edge here"


def test_a_headless_service_is_reached_at_the_pods_own_port_alone(path, capsys):
    found = cells(path, capsys, "20s")
    assert found["node/node-1", "default/direct:80"]["reach"] == "."
    assert found["node/node-1", "default/direct:8000"]["why"] == "refused: nobody listens on port 8000 of 10.244.1.2"


def test_an_external_ip_is_taken_by_every_node_and_needs_a_road_from_outside(path, capsys):
    assert ended(["reach", str(path), "--at", "20s", "-o", "json"]) == 0
    way = "default/both:80 external-ip 203.0.113.77"
    found = {c["source"]: c for c in json.loads(capsys.readouterr().out) if c["way"] == way}
    assert (found["node/node-1"]["reach"], found["pod/default/web"]["reach"]) == (".", ".")
    assert "nobody's address" in found["outside"]["why"][0]


def test_ports_of_several_protocols_are_told_apart(path, capsys):
    found = cells(path, capsys, "20s")
    assert found["node/node-1", "default/both:80"]["reach"] == "."
    assert found["node/node-1", "default/both:80/UDP"]["reach"] == "X"  # nobody listens there


def test_after_the_pods_node_has_died_nobody_reaches_it(path, capsys):
    found = cells(path, capsys, "45s")
    assert found["node/node-1", "default/web:80"]["reach"] == "X"
    assert ("node/node-2", "default/web:80") not in found


def test_what_is_expected_is_compared_cell_by_cell(path, capsys, tmp_path):
    saved = tmp_path / "saved.csv"
    assert ended(["reach", str(path), "--at", "20s", "-o", "csv"]) == 0
    saved.write_text(capsys.readouterr().out)
    assert ended(["reach", str(path), "--at", "25s", "--expect", str(saved)]) == 0
    assert capsys.readouterr().out == "as expected\n"
    assert ended(["reach", str(path), "--at", "45s", "--expect", str(saved)]) == 1
    out = capsys.readouterr().out
    assert "node/node-1 -> default/web:80: expected ., found X" in out
    assert "node/node-2 -> default/web:80: expected ., found not there" in out


def test_a_file_that_is_no_matrix_is_told_so(path, capsys, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("hello\n")
    assert ended(["reach", str(path), "--expect", str(bad)]) == 2
    assert "this is not a saved matrix" in capsys.readouterr().err


def test_the_text_matrix_names_its_columns_and_its_reasons(path, capsys):
    assert ended(["reach", str(path), "--at", "45s"]) == 0
    out = capsys.readouterr().out
    assert "default/web:80 node-port" in out
    assert "silence: node-2 has no power" in out
