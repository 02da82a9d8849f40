"""`netsim get`, from its words to its exit code, on a cluster made by hand."""

from __future__ import annotations

from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

import netsim
from netsim.api.store import Store
from netsim.cli import get
from netsim.errors import ScenarioError
from netsim.units import S

PODS = (("my-nginx-2", "10.244.2.2", "node-2"), ("my-nginx-1", "10.244.1.2", "node-1"))


class Rules:
    """A node's ruleset, as far as `get` looks at it."""

    def __init__(self, node: str) -> None:
        self.node = node

    def render(self) -> str:
        return f"*nat\n# {self.node}\nCOMMIT\n"


class Simulated:
    """A simulation that has come to 35 s."""

    now = 35 * S

    def __init__(self, mode: str = "iptables") -> None:
        proxy = SimpleNamespace(mode=mode)
        self.scenario = SimpleNamespace(document=SimpleNamespace(cluster=SimpleNamespace(proxy=proxy)))
        self.store = Store(lambda: 0)
        self.node_rules = {name: Rules(name) for name in ("node-1", "node-2")}
        self.forwarding = SimpleNamespace(powered=dict.fromkeys(self.node_rules, True))
        for name in self.node_rules:
            ready = {
                "conditions": [{"type": "Ready", "status": "True"}],
                "nodeInfo": {"kubeletVersion": "v1.32.0"},
            }
            self._create("v1", "Node", {"name": name}, {}, ready)
        for name, address, node in PODS:
            metadata = {"name": name, "namespace": "default", "labels": {"run": "my-nginx"}}
            state = {"running": {"startedAt": 2 * S}}
            container = {"name": "nginx", "ready": True, "restartCount": 0, "state": state}
            status = {"phase": "Running", "podIPs": [{"ip": address}], "containerStatuses": [container]}
            self._create("v1", "Pod", metadata, {"nodeName": node, "containers": [{"name": "nginx"}]}, status)
        ports = [{"port": 80, "protocol": "TCP"}]
        spec = {"type": "LoadBalancer", "clusterIPs": ["10.96.0.9"], "ports": ports}
        self._create(
            "v1", "Service", {"name": "my-nginx", "namespace": "default"}, spec, {"loadBalancer": {}}
        )

    def _create(self, version: str, kind: str, metadata: Any, spec: Any, status: Any) -> None:
        self.store.create(
            {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "status": status}
        )

    def rules_text(self, node: str) -> str:
        return self.node_rules[node].render()

    def conntrack_text(self, node: str) -> str:
        return f"tcp 6 ESTABLISHED {node}\n"

    def routes_text(self, node: str) -> str:
        return f"default via 192.168.0.1 dev {node}\n"


class Asked:
    """The requests that reached the simulation, and the mode of its kube-proxy."""

    def __init__(self) -> None:
        self.requests: list[get.Request] = []
        self.mode = "iptables"

    def simulation_at(self, request: get.Request) -> Any:
        self.requests.append(request)
        return Simulated(self.mode)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    recorder = Asked()
    monkeypatch.setattr(get, "simulation_at", recorder.simulation_at)
    return recorder


def run(*words: str) -> Result:
    return CliRunner().invoke(get.command, list(words), catch_exceptions=False)


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def test_the_table_of_an_instant(asked: Asked) -> None:
    result = run("pods", "web.yaml", "--at", "35s")
    assert result.exit_code == 0
    assert result.stdout == golden("""
        NAME         READY   STATUS    RESTARTS   AGE
        my-nginx-1   1/1     Running   0          35s
        my-nginx-2   1/1     Running   0          35s
        """)
    assert (asked.requests[0].scenario, asked.requests[0].at) == ("web.yaml", 35 * S)


def test_flags_reach_the_question_and_the_table(asked: Asked) -> None:
    flags = [
        "-A",
        "-l",
        "run=my-nginx",
        "--field-selector",
        "spec.nodeName=node-2",
        "-o",
        "wide",
        "--seed",
        "7",
    ]
    result = run("po", "web.yaml", *flags)
    assert result.stdout == golden("""
        NAMESPACE   NAME         READY   STATUS    RESTARTS   AGE   IP           NODE     NOMINATED NODE   READINESS GATES
        default     my-nginx-2   1/1     Running   0          35s   10.244.2.2   node-2   <none>           <none>
        """)  # noqa: E501
    assert (asked.requests[0].seed, asked.requests[0].at) == (7, None)


def test_labels_as_columns_may_be_joined_with_commas(asked: Asked) -> None:
    result = run("pod/my-nginx-1", "web.yaml", "-L", "run,zone", "--show-labels", "--no-headers")
    assert result.stdout == "my-nginx-1   1/1   Running   0     35s   my-nginx         run=my-nginx\n"


def test_several_kinds_and_names(asked: Asked) -> None:
    result = run("svc,nodes", "web.yaml")
    assert result.stdout == golden("""
        NAME               TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
        service/my-nginx   LoadBalancer   10.96.0.9    <pending>     80/TCP    35s

        NAME          STATUS   ROLES    AGE   VERSION
        node/node-1   Ready    <none>   35s   v1.32.0
        node/node-2   Ready    <none>   35s   v1.32.0
        """)
    assert run("all", "web.yaml").stdout.startswith("NAME             READY")


def test_one_object_is_printed_as_itself_and_many_as_a_list(asked: Asked) -> None:
    assert run("svc", "my-nginx", "web.yaml", "-o", "jsonpath={.metadata.name}").stdout == "my-nginx"
    assert run("svc", "web.yaml", "-o", "jsonpath={.items[*].metadata.name}").stdout == "my-nginx"
    assert run("svc", "web.yaml", "-o", "name").stdout == "service/my-nginx\n"
    assert run("no/node-1", "web.yaml", "-o", "yaml").stdout.startswith(
        "apiVersion: v1\nkind: Node\nmetadata:\n"
    )


def test_nothing_found_is_said_on_stderr_and_is_no_failure(asked: Asked) -> None:
    result = run("deploy", "web.yaml", "-n", "shop")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "No resources found in shop namespace.\n"


def test_a_name_that_is_not_there_fails_and_the_others_are_shown(asked: Asked) -> None:
    result = run("pod", "my-nginx-1", "x", "web.yaml", "--no-headers")
    assert result.exit_code == 1
    assert result.stdout == "my-nginx-1   1/1   Running   0     35s\n"
    assert result.stderr == 'Error from server (NotFound): pods "x" not found\n'


def test_only_names_that_are_not_there_leave_stdout_empty(asked: Asked) -> None:
    for output in ("", "json"):
        result = run("deploy/web", "web.yaml", "-o", output)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == 'Error from server (NotFound): deployments.apps "web" not found\n'


WRONG = [
    (["podz", "web.yaml"], ['error: the server doesn\'t have a resource type "podz"', "did you mean pods"]),
    (["web.yaml"], ["error: say what to get, and of which scenario", "netsim get KIND"]),
    (
        ["pods", "web.yaml", "-o", "xml"],
        ['error: unable to match a printer suitable for the output format "xml"'],
    ),
    (["pods", "web.yaml", "-o", "jsonpath={.a"], ["error: error parsing jsonpath {.a, unclosed action"]),
    (["pods", "web.yaml", "-l", "a in b"], ['error: unable to parse requirement: "a in b"']),
    (["pod", "a", "web.yaml", "-A"], ["error: a resource cannot be retrieved by name across all namespaces"]),
    (["pods", "web.yaml", "--node", "node-1"], ["error: --node goes with what a node holds", "iptables"]),
    (["iptables", "web.yaml"], ["error: iptables belongs to a node", "--node"]),
]


@pytest.mark.parametrize(("words", "messages"), WRONG)
def test_a_wrong_command_line_is_refused_before_anything_is_run(
    asked: Asked, words: list[str], messages: list[str]
) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(message in result.stderr for message in messages)
    assert asked.requests == []


def test_an_instant_that_cannot_be_read_is_refused(asked: Asked) -> None:
    result = run("pods", "web.yaml", "--at", "noon")
    assert result.exit_code == 2
    assert "'noon' is not a duration" in result.stderr


def test_an_instant_after_the_end_of_the_scenario_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = SimpleNamespace(document=SimpleNamespace(duration=540 * S))
    monkeypatch.setattr(netsim, "load", lambda path: scenario, raising=False)
    with pytest.raises(ScenarioError, match="--at 10m is after the scenario's end at 9m"):
        run("pods", "web.yaml", "--at", "10m")


def test_a_path_that_does_not_fit_the_objects_fails(asked: Asked) -> None:
    result = run("pods", "web.yaml", "-o", "jsonpath={.items[9].metadata}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "array index out of bounds: index 9, length 2" in result.stderr


def test_a_node_shows_its_rules_connections_and_routes(asked: Asked) -> None:
    assert run("iptables", "web.yaml", "--node", "node-2").stdout == "*nat\n# node-2\nCOMMIT\n"
    assert run("conntrack", "web.yaml", "--node", "node-1").stdout == "tcp 6 ESTABLISHED node-1\n"
    assert run("routes", "web.yaml", "--node", "node-1").stdout == "default via 192.168.0.1 dev node-1\n"


@pytest.mark.parametrize(("name", "mode"), [("iptables", "iptables"), ("nft", "nftables"), ("ipvs", "ipvs")])
def test_rules_are_shown_in_the_mode_they_are_in_and_in_no_other(asked: Asked, name: str, mode: str) -> None:
    asked.mode = mode
    assert run(name, "web.yaml", "--node", "node-1").exit_code == 0
    asked.mode = "ebpf"
    result = run(name, "web.yaml", "--node", "node-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"error: kube-proxy runs in ebpf mode here, so there are no {mode} rules" in result.stderr


def test_rules_of_another_mode_are_said_where_to_find(asked: Asked) -> None:
    asked.mode = "nftables"
    assert "ask for nft" in run("iptables", "web.yaml", "--node", "node-1").stderr


def test_an_unknown_node_is_not_found(asked: Asked) -> None:
    result = run("iptables", "web.yaml", "--node", "node-9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == 'Error from server (NotFound): nodes "node-9" not found\n'
