"""Which clusters there are, which one is spoken to, who one is, and what there is no server for."""

from __future__ import annotations

import pytest
import yaml

from netsim.console.session import Lab


@pytest.fixture
def two(opened) -> Lab:
    """A prompt on two clusters."""
    return opened("east", "west")


def test_a_context_is_chosen_and_shown(two: Lab) -> None:
    assert two("kubectl config current-context") == "east\n"
    two("kubectl create deploy only-here --image=nginx")
    assert two("kubectl config use-context west") == 'Switched to context "west".\n'
    assert two("kubectl get deploy") == "No resources found in default namespace.\n"
    assert two("kubectl --context east get deploy -o name") == "deployment.apps/only-here\n"
    two("kubectl config set-context --current --namespace=kube-system")
    rows = [row.split() for row in two("kubectl config get-contexts").splitlines()]
    assert rows == [
        ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"],
        ["east", "east", "admin"],
        ["*", "west", "west", "admin", "kube-system"],
    ]
    assert two("kubectl config get-contexts -o name") == "east\nwest\n"
    assert two("kubectl config get-clusters") == "NAME\neast\nwest\n"


def test_the_kubeconfig_is_shown_whole_or_as_far_as_it_is_used(two: Lab) -> None:
    whole = yaml.safe_load(two("kubectl config view"))
    assert [one["name"] for one in whole["contexts"]] == ["east", "west"]
    assert whole["current-context"] == "east"
    two("kubectl config use-context west")
    used = yaml.safe_load(two("kubectl config view --minify"))
    assert [(one["name"], one["cluster"]["server"]) for one in used["clusters"]] == [
        ("west", "https://192.168.0.1:6443")
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("config use-context nope", 'error: no context exists with the name: "nope"\n'),
        (
            "config use-context",
            "error: Unexpected args: []\nSee 'kubectl config use-context -h' for help and examples\n",
        ),
        ("config get-contexts nope -o name", "error: context nope not found\n"),
        ("auth can-i", "error: you must specify two arguments: verb resource or verb resource/resourceName.\n"),
        ("top pods", "error: Metrics API not available\n"),
        ("top node lab-worker-1", "error: Metrics API not available\n"),
        ("top nothing", "error: kubectl top needs one of: pods, nodes\n"),
    ],
)
def test_what_is_not_there_is_told(lab: Lab, line: str, says: str) -> None:
    assert lab(f"kubectl {line}") == says
    assert lab.last.code == 1


def test_whoever_asks_may_do_everything(lab: Lab) -> None:
    assert lab("kubectl auth can-i delete nodes") == "yes\n"
    assert lab("kubectl auth whoami").splitlines()[1].split() == ["Username", "admin"]
