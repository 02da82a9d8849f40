"""Reading scenarios: what comes out, in which order mistakes come, and how a file is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.errors import Problem, ScenarioError
from netsim.scenario.load import load, loads
from netsim.scenario.scenario import Scenario
from netsim.units import MINUTE, S

SMALL = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: small}
cluster: {nodes: [{name: worker, count: 2}]}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec: {containers: [{name: main, image: nginx}]}
"""


def problems(text: str, **also: Any) -> list[str]:
    with pytest.raises(ScenarioError) as raised:
        loads(text, "a.yaml", **also)
    return [str(problem).partition("\n")[0] for problem in raised.value.problems]


def test_everything_has_a_default() -> None:
    scenario = loads(SMALL)
    assert scenario.name == "small"
    assert scenario.document.duration == 2 * MINUTE
    assert scenario.document.seed == 1
    assert (scenario.objects, scenario.document.traffic, scenario.path) == ((), (), None)


def test_a_scenario_may_be_json() -> None:
    assert loads(json.dumps(loads(SMALL).document.model_dump(mode="json"))) == loads(SMALL)


def test_objects_come_from_further_documents_and_from_files_in_that_order(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "b.yaml").write_text(POD.replace("NAME", "from-b"))
    (tmp_path / "apps" / "2.yml").write_text(POD.replace("NAME", "from-apps-2"))
    (tmp_path / "apps" / "10.yaml").write_text(POD.replace("NAME", "from-apps-10"))
    (tmp_path / "apps" / "readme.txt").write_text("not a manifest: [")
    main = tmp_path / "main.yaml"
    main.write_text(SMALL + "manifests: [b.yaml, apps]\n---\n" + POD.replace("NAME", "inline"))
    scenario = load(main)
    names = [obj["metadata"]["name"] for obj in scenario.objects]
    assert names == ["inline", "from-b", "from-apps-10", "from-apps-2"]
    assert scenario.path == main
    assert [file.name for file in scenario.files] == ["b.yaml", "10.yaml", "2.yml"]


def test_where_objects_were_written_makes_no_difference(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(POD.replace("NAME", "web"))
    apart = loads(SMALL + "manifests: [web.yaml]", folder=tmp_path)
    together = loads(SMALL + "---\n" + POD.replace("NAME", "web"))
    assert apart == together


def test_ignored_fields_are_listed_and_do_not_make_scenarios_differ() -> None:
    pod = POD.replace("NAME", "web")
    with_args = loads(SMALL + "---\n" + pod.replace("image: nginx", "image: nginx, tty: true"))
    assert any("tty" in line for line in with_args.ignored)


def test_mistakes_of_all_files_come_in_one_error_in_file_order(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(POD.replace("NAME", "one").replace("image", "imaeg"))
    (tmp_path / "two.yaml").write_text("a: [\n")
    (tmp_path / "main.yaml").write_text(SMALL + "manifests: [two.yaml, one.yaml]\nsead: 1\nduration: 5\n")
    with pytest.raises(ScenarioError) as raised:
        load(tmp_path / "main.yaml")
    where = [(Path(p.place.file).name, p.place.line) for p in raised.value.problems if p.place]
    assert where == [("main.yaml", 6), ("main.yaml", 7), ("two.yaml", 2), ("one.yaml", 4)]


def test_a_missing_scenario_suggests_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "node-failure.yaml").write_text(SMALL)
    with pytest.raises(ScenarioError, match=r"there is no file (.|\n)*did you mean .*node-failure\.yaml\?"):
        load(tmp_path / "node-falure.yaml")
    with pytest.raises(ScenarioError, match="is a folder"):
        load(tmp_path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_that_is_not_utf8_is_refused_at_its_place(tmp_path: Path, mark: bytes) -> None:
    (tmp_path / "latin.yaml").write_bytes(mark + SMALL.encode() + "# é ".encode() + "Zürich\n".encode("latin-1"))
    with pytest.raises(ScenarioError, match=r"latin\.yaml:5:6: this is not UTF-8 text: byte 0xfc"):
        load(tmp_path / "latin.yaml")


def test_a_link_to_nowhere_is_not_taken_for_another_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "lost.yaml").symlink_to("nowhere.yaml")
    with pytest.raises(ScenarioError) as raised:
        load(tmp_path / "lost.yaml")
    assert str(raised.value) == f"{tmp_path}/lost.yaml is a link to nowhere.yaml, and there is no such file"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.yaml").open("wb") as stream:
        stream.seek(17 << 20)
        stream.write(b"\n")
    with pytest.raises(ScenarioError, match="the file is larger than 16 MiB"):
        load(tmp_path / "large.yaml")


def test_a_mark_at_the_beginning_of_a_file_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load(tmp_path / "bom.yaml") == loads(SMALL)


JUDGED = [
    # what stands in the file                      what is said of it
    ("seed: true", "seed: a whole number is wanted, found true"),
    ("seed: 1.0", "seed: a whole number is wanted, found 1.0"),
    ("seed: -1", "seed: must be at least 0, found -1"),
    ("duration: 0", "duration: a run lasts at least 1ms"),
    ("duration: 120", "duration: 120 is not a duration"),
    ("duration: 1.5", "duration: 1.5 is not a duration"),
    ("duration: -5s", "duration: '-5s' is not a duration"),
    ("manifests: web.yaml", 'manifests: a list is wanted, found "web.yaml"'),
    ("manifests: [1]", "manifests[0]: text is wanted, found 1"),
    ("faults: [1]", "faults[0]: a map is wanted, found 1"),
    ("faults: [{name: a, at: 1s}]", 'missing field "faults[0].action"'),
    ("api_version: netsim/v1", 'unknown field "api_version"'),
    ("serving: [{ports: [http]}]", 'serving[0].ports[0]: a whole number is wanted, found "http"'),
    ("serving: [{selector: {tier: 1}}]", "serving[0].selector.tier: text is wanted, found 1"),
    ("checks: [{measure: p99, atMost: [1s]}]", "checks[0].atMost: text or a number is wanted, found a list"),
    ("serving: [{ports: [0]}]", "serving[0].ports[0]: a port is a number from 1 to 65535"),
]


@pytest.mark.parametrize(("line", "says"), JUDGED)
def test_a_file_is_judged_strictly(line: str, says: str) -> None:
    assert says in "\n".join(problems(SMALL + line + "\n"))


def test_a_bare_zero_is_a_duration() -> None:
    text = SMALL + "traffic: [{name: a, from: node/worker-1, to: '203.0.113.9:80', clients: 1, start: 0}]"
    assert loads(text).document.traffic[0].start == 0


def test_mistakes_do_not_hide_each_other() -> None:
    """An entry that is wrong in itself does not hide the others, and its name counts all the same."""
    text = SMALL + (
        "traffic:\n"
        "- {name: a, from: node/worker-1, to: '203.0.113.9:80', rate: 5}\n"  # no unit
        "- {name: b, from: node/worker-9, to: '203.0.113.9:80', rate: 5/s}\n"  # no such node
        "checks:\n"
        "- {measure: success, of: a, atLeast: 99%}\n"  # fine: a is there, though it is wrong
        "- {measure: success, of: c, atLeast: 99%}\n"
    )
    assert problems(text) == [
        "a.yaml:6:62: traffic[0].rate: 5 is not a rate",
        'a.yaml:7:19: traffic[1].from: there is no node "worker-9"',
        'a.yaml:10:26: checks[1].of: there is no traffic source "c"',
    ]


def test_a_manifest_that_cannot_be_read_does_not_make_its_pods_unknown() -> None:
    text = SMALL + "traffic: [{name: a, from: pod/web, to: 'http://shop', rate: 5/s}]\n"
    broken = POD.replace("NAME", "web").replace("image", "imaeg")
    assert len(problems(text + "---\n" + broken)) == 1
    assert len(problems(text + "manifests: [nowhere.yaml]")) == 1


def test_a_text_without_a_folder_has_no_files() -> None:
    (problem,) = problems(SMALL + "manifests: [web.yaml]")
    assert "a text has no folder to read from" in problem


def test_loading_needs_nothing_heavy() -> None:
    code = (
        "import sys; from netsim.scenario.load import loads; loads(sys.argv[1])\n"
        "print([m for m in ('numpy', 'pandas', 'simpy', 'networkx', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, SMALL], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# whatever stands in a file, it is read or refused ----------------------------------------------------------

FULL: dict[str, Any] = {
    "apiVersion": "netsim/v1",
    "kind": "Scenario",
    "metadata": {"name": "full", "title": "t"},
    "seed": 7,
    "duration": "1m",
    "cluster": {
        "version": "1.31",
        "profile": "fast",
        "timings": {"write": "1ms", "sandbox": "uniform(1ms,2ms)"},
        "nodes": [{"name": "a", "zone": "z", "labels": {"x": "y"}}, {"name": "b", "count": 2}],
        "addresses": {"pods": "10.244.0.0/16", "nodeMask": 24},
        "proxy": {"mode": "ipvs", "nodePortAddresses": ["10.0.0.0/8"]},
    },
    "manifests": [],
    "traffic": [
        {"name": "t", "from": "node/a", "to": "203.0.113.9:80", "rate": "5/s", "keepAlive": {"idle": "1s"}},
        {"name": "u", "from": "outside", "to": "node/b-1:10250", "clients": 3, "retries": {"attempts": 1}},
    ],
    "serving": [{"selector": {}, "serviceTime": "5ms", "ports": [80]}],
    "faults": [{"name": "f", "action": "node-power-loss", "at": "1s", "selector": {"nodes": ["a"]}}],
    "checks": [{"measure": "success", "of": "t", "atLeast": "99%"}],
}
ODD: list[Any] = [None, True, 0, -1, 1.5, "", "x", "no", "1s", "9999999h", [], {}, [[]], {"x": None}, 10**30]
ANYTHING = st.sampled_from(ODD)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for step, inside in steps for deeper in paths(inside, (*path, step)))]


@given(st.lists(st.tuples(st.sampled_from(paths(FULL)[1:]), ANYTHING), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_whatever_is_written_is_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    text = deepcopy(FULL)
    for (*path, last), value in changes:
        inside: Any = text
        for step in path:
            reachable = isinstance(inside, dict) and step in inside
            reachable |= isinstance(inside, list) and isinstance(step, int) and step < len(inside)
            inside = inside[step] if reachable else {}
        if isinstance(inside, dict) or (
            isinstance(inside, list) and isinstance(last, int) and last < len(inside)
        ):
            inside[last] = deepcopy(value)
    scenario, found = read_or_refused(json.dumps(text))
    if scenario is None:
        assert found
        assert all(problem.place is not None and problem.message for problem in found)
    else:
        assert scenario.document.duration >= S // 1000


def read_or_refused(text: str) -> tuple[Scenario | None, tuple[Problem, ...]]:
    try:
        return loads(text), ()
    except ScenarioError as error:
        return None, error.problems


def test_the_full_scenario_is_right() -> None:
    assert loads(json.dumps(FULL)).document.cluster.proxy.mode == "ipvs"
