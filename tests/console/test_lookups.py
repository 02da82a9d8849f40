"""`lookup`: how many queries a name takes, who answers them, and what a client that keeps answers is spared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netsim
from netsim.console.session import Lab

TUTORIAL = Path(__file__).parent.parent.parent / "scenarios" / "tutorial"


@pytest.fixture
def lab() -> Lab:
    """The tutorial's cluster, with its DNS pods, and a client."""
    lab = netsim.shell(TUTORIAL / "cluster.yaml")
    lab("kubectl apply -f run-my-nginx.yaml -f nginx-svc.yaml; kubectl run curl --image=curl")
    return lab


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("my-nginx", 2),
        ("my-nginx.default", 4),
        ("my-nginx.default.svc", 6),
        ("my-nginx.default.svc.cluster.local", 8),
        ("my-nginx.default.svc.cluster.local.", 2),
        ("www.example.com", 8),
    ],
)
def test_the_longer_a_name_the_more_queries(lab: Lab, name: str, queries: int) -> None:
    text = lab(f"lookup pod/curl {name}").splitlines()
    assert len(text) == queries + 2
    assert text[-1].startswith(f"{queries} queries, ")
    found = not name.startswith("www")
    assert lab.last.code == (0 if found else 1)
    assert ("10.0." in text[-1]) == found


def test_a_client_that_keeps_answers_lives_on_them_until_they_are_too_old(lab: Lab) -> None:
    lab("lookup --keep pod/curl my-nginx; kubectl scale deploy coredns -n kube-system --replicas=0")
    assert lab("lookup --keep pod/curl my-nginx").splitlines()[-1].startswith("0 queries, 0.000 ms: 10.0.")
    assert lab("lookup pod/curl my-nginx").endswith(": no server answered\n")
    lab("sleep 30s")
    assert lab("lookup --keep pod/curl my-nginx").endswith(": no server answered\n")


def test_a_lookup_takes_its_time(lab: Lab) -> None:
    at = lab.now
    text = lab("lookup pod/curl my-nginx")
    assert f", {(lab.now - at) / 1e6:.3f} ms: " in text


def test_a_name_that_was_asked_for_too_early_is_missing_for_as_long_as_that_is_remembered(lab: Lab) -> None:
    lab("kubectl expose deployment my-nginx --name=late &")
    assert lab("lookup --keep pod/curl late").endswith(": not found\n")
    lab("sleep 1s")
    assert lab("lookup --keep pod/curl late").endswith(": not found\n")
    assert ": 10.0." in lab("lookup pod/curl late")


@pytest.mark.parametrize("words", ["", "pod/curl", "a b c", "-type=MX pod/curl a", "-x a"])
def test_a_wrong_call_is_told_how_to_call(lab: Lab, words: str) -> None:
    assert lab(f"lookup {words}").startswith("usage: lookup ")
    assert lab.last.code == 2


def test_who_does_not_run_cannot_ask(lab: Lab) -> None:
    assert lab("lookup pod/nobody my-nginx").startswith("lookup: pod/nobody.default does not run at ")
    assert re.fullmatch(r"\S.* does not run at (\d+m)?\d+(\.\d{1,3})?s\n", lab.last.stderr)
