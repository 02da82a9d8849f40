"""`kubectl diff`: what `apply` would change is shown, and nothing is changed."""

from __future__ import annotations

from netsim.console.session import Lab


def test_nothing_differs_from_what_was_applied(lab: Lab) -> None:
    lab("kubectl apply -f my-nginx.yaml")
    assert lab("kubectl diff -f my-nginx.yaml") == ""
    assert lab.last.code == 0


def test_a_change_is_shown_and_not_made(lab: Lab) -> None:
    lab("kubectl apply -f my-nginx.yaml")
    manifest = lab.folder / "my-nginx.yaml"
    manifest.write_text(manifest.read_text().replace("replicas: 2", "replicas: 3"))
    text = lab("kubectl diff -f my-nginx.yaml")
    name = "apps.v1.Deployment.default.my-nginx"
    assert text.startswith(f"diff -u -N LIVE/{name} MERGED/{name}\n--- LIVE/{name}\n+++ MERGED/{name}\n@@ ")
    assert [line for line in text.splitlines()[3:] if line[0] in "+-"] == ["-  replicas: 2", "+  replicas: 3"]
    assert lab.last.code == 1
    assert lab("kubectl get deploy my-nginx -o jsonpath='{.spec.replicas}'") == "2"


def test_what_is_not_there_yet_is_all_new(lab: Lab) -> None:
    text = lab("kubectl diff -f my-nginx.yaml")
    assert "\n+kind: Deployment\n" in text
    assert all(line[0] == "+" for line in text.splitlines()[4:])
    assert lab("kubectl get deploy") == "No resources found in default namespace.\n"


def test_the_values_of_a_secret_are_hidden(lab: Lab) -> None:
    (lab.folder / "s.yaml").write_text("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {key: word}}")
    assert "+  key: '***'\n" in lab("kubectl diff -f s.yaml")
    lab("kubectl apply -f s.yaml")
    assert lab("kubectl diff -f s.yaml") == ""
    (lab.folder / "s.yaml").write_text("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {key: other}}")
    text = lab("kubectl diff -f s.yaml")
    assert "-  key: '*** (before)'\n+  key: '*** (after)'\n" in text


def test_what_the_server_refuses_is_an_error_and_not_a_difference(lab: Lab) -> None:
    (lab.folder / "bad.yaml").write_text("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: []}}")
    assert 'The Service "s" is invalid' in lab("kubectl diff -f bad.yaml")
    assert lab.last.code == 2
