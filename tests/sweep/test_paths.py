"""Where in a scenario a path leads, and what a scenario becomes with another value there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.errors import ScenarioError
from netsim.sweep.paths import changed, located

CONTENTS = {
    "cluster": {"proxy": {"mode": "iptables"}, "nodes": [{"name": "worker", "count": 2}]},
    "traffic": [{"name": "inside", "rate": "5/s"}, {"name": "to.the.port", "rate": "1/s"}],
    "faults": None,
    "objects": [
        {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2}},
        {"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 2}},
        {"kind": "Service", "metadata": {"name": "my.web"}, "spec": {}},
    ],
}

LEADS = [
    ("cluster.proxy.mode",                        ("cluster", "proxy", "mode")),
    ("cluster.proxy.fresh",                       ("cluster", "proxy", "fresh")),
    ("cluster.nodes.worker.count",                ("cluster", "nodes", 0, "count")),
    ("traffic.0.rate",                            ("traffic", 0, "rate")),
    ("traffic[1].rate",                           ("traffic", 1, "rate")),
    ("traffic.inside.rate",                       ("traffic", 0, "rate")),
    ("traffic.to.the.port.rate",                  ("traffic", 1, "rate")),
    ("objects.Deployment/web.spec.replicas",      ("objects", 0, "spec", "replicas")),
    ("objects.deployment/web.shop.spec.replicas", ("objects", 1, "spec", "replicas")),
    ("objects.service/my.web.spec.type",          ("objects", 2, "spec", "type")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path"), LEADS)
def test_a_path_leads_there(text, path):
    assert located(CONTENTS, text) == path


ASTRAY = [
    ("traffic.insid.rate", 'no "insid" in traffic', "did you mean inside?"),
    ("traffic.7.rate", "there is no traffic.7", "there are 2 of them, from 0"),
    ("objects.Deployment/wbe.spec.replicas", 'no "Deployment/wbe" in objects', "deployment/web"),
    ("cluster.proxy.mode.deeper", 'cluster.proxy.mode is "iptables", which has no field "deeper"', ""),
    ("faults.0.at", "there are no faults in this scenario", ""),
    ("cluster..mode", "is not a path", "cluster.proxy.mode"),
    ("seed", "seed cannot be varied", ""),
    ("checks.0.atLeast", "checks cannot be varied", ""),
    ("manifests", "manifests cannot be varied", "objects.KIND/NAME.FIELD"),
]


@pytest.mark.parametrize(("text", "message", "hint"), ASTRAY)
def test_a_path_that_leads_nowhere_says_so_and_what_was_meant(text, message, hint):
    with pytest.raises(ScenarioError) as caught:
        located(CONTENTS, text)
    assert message in caught.value.problems[0].message
    assert hint in str(caught.value)


def test_what_is_not_on_the_way_is_shared_and_the_original_is_left_alone():
    other = changed(CONTENTS, ("traffic", 0, "rate"), "9/s")
    assert other["traffic"][0]["rate"] == "9/s"
    assert CONTENTS["traffic"][0]["rate"] == "5/s"
    assert other["traffic"][1] is CONTENTS["traffic"][1]
    assert other["objects"] is CONTENTS["objects"]


trees = st.recursive(
    st.integers(), lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1)
)


@given(tree=trees, value=st.integers(), data=st.data())
def test_a_changed_tree_holds_the_value_and_is_otherwise_the_same(tree, value, data):
    path, at = [], tree
    while isinstance(at, list | dict) and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(range(len(at)) if isinstance(at, list) else sorted(at)))
        path.append(step)
        at = at[step]
    other = changed(tree, tuple(path), value)
    found = other
    for step in path:
        found = found[step]
    assert found == value
    assert changed(other, tuple(path), at) == tree
