"""Which files a scenario may bring in: those in its own folder and below."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netsim.errors import ScenarioError
from netsim.scenario.files import Refused, manifest_files, read_text
from netsim.scenario.load import load

SMALL = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: small}
cluster: {nodes: [{name: worker, count: 2}]}
"""
NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a scenario's manifests, beside something secret."""
    (tmp_path / "secret.yaml").write_text(NAMESPACE)
    (tmp_path / "scenario" / "apps").mkdir(parents=True)
    (tmp_path / "scenario" / "apps" / "web.yaml").write_text(NAMESPACE)
    (tmp_path / "scenario" / "empty").mkdir()
    return tmp_path / "scenario"


REFUSED = [
    # what `manifests` lists        why it is refused
    ("../secret.yaml", "leads out of the scenario's folder"),
    ("apps/../../secret.yaml", "leads out of the scenario's folder"),
    ("apps/..", "leads out of the scenario's folder"),
    ("..\\secret.yaml", "leads out of the scenario's folder"),
    ("/etc/passwd", "does not begin in the scenario's folder"),
    ("C:/secret.yaml", "does not begin in the scenario's folder"),
    ("\\\\server\\share\\secret.yaml", "does not begin in the scenario's folder"),
    ("~/secret.yaml", "does not begin in the scenario's folder"),
    ("apps\\web.yaml", "has a backslash in it"),
    ("", "the name of a file is missing"),
    ("empty", "has no *.yaml, *.yml, *.json in it"),
    ("web.yaml", "there is no file web.yaml"),
    ("apps/web.yaml\0", "cannot be read"),
]


@pytest.mark.parametrize(("entry", "why"), REFUSED)
def test_what_leads_elsewhere_is_refused(folder: Path, entry: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        manifest_files(entry, folder)
    assert why in refused.value.message


def test_what_lies_below_is_taken(folder: Path) -> None:
    assert manifest_files("apps/web.yaml", folder) == [folder / "apps" / "web.yaml"]
    assert manifest_files("./apps", folder) == [folder / "apps" / "web.yaml"]


def test_a_name_that_is_not_there_suggests_one_that_is(folder: Path) -> None:
    for entry in ("web.yaml", "app/web.yaml", "apps/wbe.yaml"):
        with pytest.raises(Refused) as refused:
            manifest_files(entry, folder)
        assert refused.value.hint == "did you mean apps/web.yaml?"


@needs_links
def test_a_link_may_not_lead_out(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder.parent / "secret.yaml")
    (folder / "apps" / "link.yaml").symlink_to("../../secret.yaml")
    (folder / "up").symlink_to("..")
    for entry in ("link.yaml", "apps", "apps/link.yaml", "up", "up/secret.yaml"):
        with pytest.raises(Refused, match="is a link that leads out of the scenario's folder"):
            manifest_files(entry, folder)


@needs_links
def test_a_link_that_stays_inside_is_followed(folder: Path) -> None:
    (folder / "link.yaml").symlink_to("apps/web.yaml")
    assert manifest_files("link.yaml", folder) == [folder / "link.yaml"]


@needs_links
def test_a_link_to_itself_is_refused(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("loop.yaml")
    with pytest.raises(Refused):
        manifest_files("loop.yaml", folder)


@needs_links
def test_only_regular_files_are_read(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    with pytest.raises(ScenarioError, match="this is not a regular file"):
        read_text(folder / "pipe.yaml", "pipe.yaml")


def test_a_file_is_read_once(folder: Path) -> None:
    main = folder / "main.yaml"
    main.write_text(SMALL + "manifests: [apps, apps/web.yaml]")
    with pytest.raises(ScenarioError, match=r"manifests\[1\]: apps/web.yaml has been read already"):
        load(main)


def test_the_scenario_itself_is_no_manifest_of_its_folder(folder: Path) -> None:
    main = folder / "apps" / "main.yaml"
    main.write_text(SMALL + "manifests: [.]")
    assert [obj["kind"] for obj in load(main).objects] == ["Namespace"]


@needs_links
def test_a_refusal_stands_at_its_entry(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder.parent / "secret.yaml")
    main = folder / "main.yaml"
    main.write_text(SMALL + "manifests:\n- apps\n- link.yaml\n")
    with pytest.raises(ScenarioError) as raised:
        load(main)
    (problem,) = raised.value.problems
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (7, 3)
