"""The prompt is no shell of the machine it runs on: nothing is run there, and nothing is read beside its folder."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from netsim.console.session import Lab

SECRET = "apiVersion: v1\nkind: Namespace\nmetadata: {name: taken-from-outside}\n"


@pytest.fixture
def outside(lab: Lab) -> Path:
    """A file beside the scenario's folder, and links to it from inside."""
    found = lab.folder.parent / f"{lab.folder.name}-outside"
    found.mkdir()
    (found / "secret.yaml").write_text(SECRET)
    (lab.folder / "link.yaml").symlink_to(found / "secret.yaml")
    (lab.folder / "linked").symlink_to(found)
    inside = lab.folder / "inside"
    inside.mkdir()
    (inside / "a.yaml").symlink_to(found / "secret.yaml")
    return found


@pytest.mark.parametrize(
    "line",
    [
        "kubectl apply -f {name}",
        "kubectl create -f {name}",
        "kubectl delete -f {name}",
        "kubectl get -f {name}",
        "cat {name}",
        "kubectl create cm c --from-file={name}",
        "kubectl create cm c --from-file=key={name}",
        "kubectl create secret generic s --from-file={name}",
        "kubectl create secret tls s --cert={name} --key={name}",
        "kubectl patch node lab-worker-1 --patch-file={name}",
        "openssl x509 -in {name}",
        "curl --cacert {name} https://10.0.0.1",
    ],
)
@pytest.mark.parametrize(
    "name", ["{outside}/secret.yaml", "../{beside}/secret.yaml", "link.yaml", "linked/secret.yaml"]
)
def test_a_file_outside_of_the_folder_is_not_read(lab: Lab, outside: Path, line: str, name: str) -> None:
    name = name.format(outside=outside, beside=outside.name)
    text = lab(line.format(name=name))
    assert text.startswith(f"{name}: Permission denied (the prompt reads only what is below {lab.folder.name}/)")
    assert lab.last.code != 0
    assert "taken-from-outside" not in lab("kubectl get ns")


@pytest.mark.parametrize("name", ["..", "linked", "inside", "/"])
def test_nor_is_a_folder_that_leads_there(lab: Lab, outside: Path, name: str) -> None:
    assert "Permission denied" in lab(f"kubectl apply -f {name}")
    assert "taken-from-outside" not in lab("kubectl get ns")


def test_nothing_is_fetched_from_the_network(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a real connection")

    monkeypatch.setattr(socket, "socket", refuse)
    url = "https://k8s.io/examples/service/networking/run-my-nginx.yaml"
    assert lab(f"kubectl apply -f {url}") == f'error: unable to read URL "{url}": the prompt reads files only\n'
    lab("kubectl apply -f my-nginx.yaml; kubectl expose deploy/my-nginx; curl -m 1 http://localhost:80")


def test_nothing_is_run_on_the_machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a real process")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr("os.system", refuse)
    for line in ("ls; rm x", "$(rm x)", "ssh lab-worker-1 rm x", "bash -c ls", "exec ls", "kubectl exec x -- ls"):
        lab(line)
        assert lab.last.code != 0
    assert lab("ls") == "bash: ls: command not found; `help` lists what there is\n"
    assert lab.last.code == 127


def test_what_is_made_at_the_prompt_is_never_written_to_disk(lab: Lab) -> None:
    before = sorted(lab.folder.rglob("*"))
    lab("make keys KEY=nginx.key CERT=nginx.crt")
    assert "CN=my-nginx" in lab("openssl x509 -in nginx.crt -noout -subject")
    assert lab("cat nginx.key").startswith("-----BEGIN")
    assert sorted(lab.folder.rglob("*")) == before


def test_names_that_no_file_can_have_are_refused(lab: Lab) -> None:
    (lab.folder / "loop").symlink_to(lab.folder / "loop")
    for name in ("'a\0b'", "loop", "x" * 5000):
        assert lab(f"kubectl apply -f {name}")
        assert lab.last.code == 1
