"""kubectl's verbs that write: what they do, what they say, and what they refuse in which words."""

from __future__ import annotations

import json

import pytest

from netsim.api.store import Change
from netsim.console.session import Lab


def field(lab: Lab, what: str, path: str) -> str:
    return lab(f"kubectl get {what} -o jsonpath='{{{path}}}'")


# create, apply, delete ------------------------------------------------------------------------------------


def test_create_makes_an_object_once(lab: Lab) -> None:
    assert lab("kubectl create -f my-nginx.yaml") == "deployment.apps/my-nginx created\n"
    again = lab("kubectl create -f my-nginx.yaml")
    wrong = 'error when creating "my-nginx.yaml": deployments.apps "my-nginx" already exists'
    assert again == f"Error from server (AlreadyExists): {wrong}\n"
    assert lab.last.code == 1


def test_apply_makes_changes_and_leaves_alone(lab: Lab) -> None:
    assert lab("kubectl apply -f my-nginx.yaml") == "deployment.apps/my-nginx created\n"
    assert lab("kubectl apply -f my-nginx.yaml") == "deployment.apps/my-nginx unchanged\n"
    text = (lab.folder / "my-nginx.yaml").read_text()
    (lab.folder / "my-nginx.yaml").write_text(text.replace("replicas: 2", "replicas: 3"))
    assert lab("kubectl apply -f my-nginx.yaml") == "deployment.apps/my-nginx configured\n"
    assert field(lab, "deploy my-nginx", ".status.readyReplicas") == "3"


JOBS = """{apiVersion: batch/v1, kind: Job, metadata: {name: one}, spec: {template: {spec: {containers: [
  {name: c, image: busybox}], restartPolicy: Never}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: two}, spec: {template: {spec: {containers: [
  {name: c, image: busybox}], restartPolicy: Never}}}}
"""


@pytest.mark.parametrize("verb", ["apply", "create"])
def test_what_is_accepted_but_not_simulated_is_said_once(lab: Lab, verb: str) -> None:
    (lab.folder / "jobs.yaml").write_text(JOBS)
    output = lab.run(f"kubectl {verb} -f jobs.yaml")
    assert output.stderr == "Warning: Job is accepted but not simulated\n"
    assert output.stdout == "job.batch/one created\njob.batch/two created\n"
    assert output.code == 0
    assert lab.run("kubectl apply -f my-nginx.yaml").stderr == ""


def test_apply_takes_away_what_the_manifest_no_longer_says_and_keeps_what_others_said(lab: Lab) -> None:
    manifest = lab.folder / "config.yaml"
    manifest.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', b: '2'}}")
    lab("kubectl apply -f config.yaml")
    lab('kubectl patch cm c -p \'{"data": {"other": "3"}}\'')
    manifest.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '4'}}")
    lab("kubectl apply -f config.yaml")
    assert json.loads(field(lab, "cm c", ".data")) == {"a": "4", "other": "3"}


def test_apply_warns_of_what_was_not_applied_before(lab: Lab) -> None:
    lab("kubectl create -f my-nginx.yaml")
    text = lab("kubectl apply -f my-nginx.yaml")
    assert text.startswith("Warning: resource deployments/my-nginx is missing the kubectl.kubernetes.io/last-applied")
    assert text.endswith("\ndeployment.apps/my-nginx configured\n")


def test_what_a_pipe_brings_is_applied(lab: Lab) -> None:
    line = "kubectl create deployment web --image=nginx --replicas=2 --dry-run=client -o yaml | kubectl apply -f -"
    assert lab(line) == "deployment.apps/web created\n"
    assert field(lab, "deploy web", ".spec.replicas") == "2"


def test_a_folder_is_read_file_by_file(lab: Lab) -> None:
    inside = lab.folder / "parts"
    inside.mkdir()
    (inside / "b.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: b}}")
    (inside / "a.json").write_text('{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}')
    (inside / "notes.txt").write_text("not a manifest")
    assert lab("kubectl create -f parts") == "namespace/a created\nnamespace/b created\n"


def test_delete_takes_objects_away_by_name_by_file_and_by_label(lab: Lab) -> None:
    for name in ("a", "b", "c"):
        lab(f"kubectl create deployment {name} --image=nginx")
    lab("kubectl apply -f my-nginx.yaml")
    assert lab("kubectl delete deployment a") == 'deployment.apps "a" deleted\n'
    assert lab("kubectl delete -f my-nginx.yaml") == 'deployment.apps "my-nginx" deleted\n'
    assert lab("kubectl delete deployments -l app=b") == 'deployment.apps "b" deleted\n'
    assert lab("kubectl delete deploy --all") == 'deployment.apps "c" deleted\n'
    assert lab("kubectl get pods") == "No resources found in default namespace.\n"


def test_a_namespace_takes_everything_in_it_along(lab: Lab) -> None:
    lab("kubectl create namespace demo; kubectl -n demo create deployment web --image=nginx")
    assert lab("kubectl delete namespace demo") == 'namespace "demo" deleted\n'
    assert lab("kubectl get all -n demo") == "No resources found in demo namespace.\n"
    assert "demo" not in lab("kubectl get namespaces")
    assert lab("kubectl delete ns default") == (
        'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n'
    )


def test_dry_runs_say_so_and_change_nothing(lab: Lab) -> None:
    said = lab("kubectl apply -f my-nginx.yaml --dry-run=server")
    assert said == "deployment.apps/my-nginx created (server dry run)\n"
    assert lab("kubectl create ns x --dry-run=client") == "namespace/x created (dry run)\n"
    assert lab("kubectl get deploy") == "No resources found in default namespace.\n"


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        (
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {port: 80}}",
            'Error from server (BadRequest): error when creating "x.yaml": Service in version "v1" cannot be handled '
            'as a Service: strict decoding error: unknown field "spec.port"\n',
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 0}]}}",
            'The Service "s" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, '
            "inclusive\n",
        ),
        (
            "{apiVersion: v2, kind: Gadget, metadata: {name: s}}",
            'error: resource mapping not found for name: "s" namespace: "" from "x.yaml": no matches for kind '
            '"Gadget" in version "v2"\nensure CRDs are installed first\n',
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: nowhere}, "
            "spec: {containers: [{name: c, image: i}]}}",
            'Error from server (NotFound): error when creating "x.yaml": namespaces "nowhere" not found\n',
        ),
        ("{kind: Pod}", 'error: error validating "x.yaml": error validating data: apiVersion not set\n'),
    ],
)  # fmt: skip
def test_a_wrong_manifest_is_refused_in_the_servers_words(lab: Lab, manifest: str, complaint: str) -> None:
    (lab.folder / "x.yaml").write_text(manifest)
    assert lab("kubectl create -f x.yaml") == complaint
    assert lab.last.code == 1


# changing what is there -----------------------------------------------------------------------------------


def test_scale_waits_until_the_pods_are_there(nginx: Lab) -> None:
    assert nginx("kubectl scale deployment my-nginx --replicas=4") == "deployment.apps/my-nginx scaled\n"
    assert nginx("kubectl get deploy my-nginx").splitlines()[1].split()[1] == "4/4"
    wrong = nginx("kubectl scale deploy/my-nginx --replicas=1 --current-replicas=2")
    assert wrong == "error: Expected replicas to be 2, was 4\n"


def test_a_service_gets_a_node_port_by_a_patch_and_keeps_its_address(nginx: Lab) -> None:
    before = field(nginx, "svc my-nginx", ".spec.clusterIP")
    assert nginx('kubectl patch svc my-nginx -p \'{"spec": {"type": "NodePort"}}\'') == "service/my-nginx patched\n"
    assert field(nginx, "svc my-nginx", ".spec.clusterIP") == before
    assert 30000 <= int(field(nginx, "svc my-nginx", ".spec.ports[0].nodePort")) <= 32767


def test_edit_is_told_its_change(nginx: Lab) -> None:
    line = 'kubectl edit svc my-nginx --patch \'{"spec": {"sessionAffinity": "ClientIP"}}\''
    assert nginx(line) == "service/my-nginx edited\n"
    assert nginx(line) == "Edit cancelled, no changes made.\n"
    assert nginx("kubectl edit svc my-nginx").startswith("error: this prompt has no editor")


def test_labels_are_set_overwritten_and_taken_away(nginx: Lab) -> None:
    assert nginx("kubectl label svc my-nginx tier=front") == "service/my-nginx labeled\n"
    assert nginx("kubectl label svc my-nginx tier=back") == (
        "error: 'tier' already has a value (front), and --overwrite is false\n"
    )
    assert nginx("kubectl label svc my-nginx tier=back --overwrite") == "service/my-nginx labeled\n"
    assert nginx("kubectl get svc -l tier=back -o name") == "service/my-nginx\n"
    assert nginx("kubectl label svc my-nginx tier-") == "service/my-nginx unlabeled\n"
    assert nginx("kubectl annotate svc my-nginx note='a b'") == "service/my-nginx annotated\n"
    assert field(nginx, "svc my-nginx", ".metadata.annotations.note") == "a b"


def test_endpoints_follow_the_labels_of_pods(nginx: Lab) -> None:
    pod = nginx("kubectl get pods -l run=my-nginx -o jsonpath='{.items[0].metadata.name}'")
    address = field(nginx, f"pod {pod}", ".status.podIP")
    assert address in nginx("kubectl get endpoints my-nginx")
    nginx(f"kubectl label pod {pod} run=aside --overwrite")
    assert address not in nginx("kubectl get endpoints my-nginx")


def test_an_image_is_changed_rolled_out_and_rolled_back(nginx: Lab) -> None:
    assert nginx("kubectl set image deploy/my-nginx my-nginx=nginx:2") == "deployment.apps/my-nginx image updated\n"
    assert nginx("kubectl rollout status deploy/my-nginx") == 'deployment "my-nginx" successfully rolled out\n'
    assert nginx("kubectl rollout history deploy/my-nginx").splitlines()[1:4] == [
        "REVISION  CHANGE-CAUSE", "1         <none>", "2         <none>",
    ]  # fmt: skip
    assert nginx("kubectl rollout undo deploy/my-nginx") == "deployment.apps/my-nginx rolled back\n"
    assert field(nginx, "deploy my-nginx", ".spec.template.spec.containers[0].image") == "nginx"
    assert [row.split()[0] for row in nginx("kubectl rollout history deploy/my-nginx").splitlines()[2:4]] == ["2", "3"]
    assert nginx("kubectl rollout restart deploy/my-nginx") == "deployment.apps/my-nginx restarted\n"


def test_a_rollout_is_followed_as_it_goes(nginx: Lab) -> None:
    nginx("kubectl set image deploy/my-nginx my-nginx=nginx:2 &")
    told = nginx("kubectl rollout status deploy/my-nginx").splitlines()
    assert told[0] == "Waiting for deployment spec update to be observed..."
    assert told[1].startswith('Waiting for deployment "my-nginx" rollout to finish: ')
    assert told[-1] == 'deployment "my-nginx" successfully rolled out'
    assert len(told) > 2


def test_a_paused_deployment_waits_with_its_changes(nginx: Lab) -> None:
    nginx("kubectl rollout pause deploy/my-nginx; kubectl set image deploy/my-nginx *=nginx:2")
    stuck = nginx("kubectl rollout status deploy/my-nginx --timeout=5s")
    assert stuck.endswith("error: timed out waiting for the condition\n")
    assert nginx("kubectl rollout resume deploy/my-nginx") == "deployment.apps/my-nginx resumed\n"
    assert nginx("kubectl rollout status deploy/my-nginx") == 'deployment "my-nginx" successfully rolled out\n'


@pytest.mark.parametrize(
    "patch", ['{"clusterIP": null}', '{"clusterIPs": null}', '{"clusterIP": null, "clusterIPs": []}']
)
@pytest.mark.parametrize("how", ["merge", "strategic"])
def test_an_address_that_is_patched_away_stays(nginx: Lab, patch: str, how: str) -> None:
    before = nginx("kubectl get svc my-nginx -o yaml")
    assert nginx(f"kubectl patch svc my-nginx --type={how} -p '{{\"spec\": {patch}}}'") == (
        "service/my-nginx patched (no change)\n"
    )
    assert nginx("kubectl get svc my-nginx -o yaml") == before


def test_what_may_not_change_is_refused(nginx: Lab) -> None:
    text = nginx('kubectl patch svc my-nginx -p \'{"spec": {"clusterIP": "10.0.0.77", "clusterIPs": ["10.0.0.77"]}}\'')
    assert text.endswith(": may not change once set\n")
    text = nginx('kubectl patch deploy my-nginx -p \'{"spec": {"selector": {"matchLabels": {"run": "x"}}}}\'')
    assert "field is immutable" in text
    assert nginx.last.code == 1


def test_a_replace_with_a_stale_version_is_a_conflict(nginx: Lab) -> None:
    (nginx.folder / "old.json").write_text(nginx("kubectl get svc my-nginx -o json"))
    nginx("kubectl label svc my-nginx a=b")
    text = nginx("kubectl replace -f old.json")
    assert text.startswith('Error from server (Conflict): Operation cannot be fulfilled on services "my-nginx": ')


def test_a_secret_is_made_of_literals_and_shown_by_length(lab: Lab) -> None:
    assert lab("kubectl create secret generic s --from-literal=user=me --from-literal=pass=a,b") == "secret/s created\n"
    assert field(lab, "secret s", ".data.pass") == "YSxi"
    assert "pass:  3 bytes" in lab("kubectl describe secret s")
    assert lab("kubectl create cm c --from-literal=a") == "error: invalid literal source a, expected key=value\n"


def test_wait_ends_when_the_condition_holds_or_time_is_up(nginx: Lab) -> None:
    assert nginx("kubectl wait --for=condition=Available deploy/my-nginx") == "deployment.apps/my-nginx condition met\n"
    nginx("kubectl scale deploy my-nginx --replicas=0")
    text = nginx("kubectl wait --for=jsonpath='{.status.readyReplicas}'=7 deploy/my-nginx --timeout=2s")
    assert text == "error: timed out waiting for the condition on deployments/my-nginx\n"
    nginx("kubectl delete deploy my-nginx &")
    assert nginx("kubectl wait --for=delete pod/client --timeout=1s").startswith("error: timed out")


def test_a_pod_that_is_not_selected_any_more_is_replaced_and_outlives_its_deployment(nginx: Lab) -> None:
    nginx("kubectl label pods -l run=my-nginx run=aside --overwrite")
    assert len(nginx("kubectl get pods -l run=my-nginx -o name").splitlines()) == 2
    nginx("kubectl delete deploy my-nginx")
    assert nginx("kubectl get pods -l run=my-nginx") == "No resources found in default namespace.\n"
    assert len(nginx("kubectl get pods -l run=aside -o name").splitlines()) == 2


@pytest.mark.parametrize(("version", "says"), [("1.33", ""), ("1.34", " from default namespace")])
def test_later_releases_say_where_something_was_deleted(opened, version: str, says: str) -> None:
    lab = opened(more=f'  version: "{version}"')
    lab("kubectl create cm c")
    assert lab("kubectl delete cm c") == f'configmap "c" deleted{says}\n'
    assert ("Endpoints is deprecated in v1.33+" in lab("kubectl get endpoints")) == (version >= "1.33")
    assert lab("kubectl version").startswith(f"Client Version: v{version}.0\n")


# files ------------------------------------------------------------------------------------------------------


def test_what_can_be_read_of_a_folder_is_applied_and_the_rest_is_told_last(lab: Lab) -> None:
    parts = lab.folder / "parts"
    parts.mkdir()
    (parts / "a.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}")
    (parts / "b.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n---\n{kind: ConfigMap}\n")
    (parts / "c.yaml").write_text("{apiVersion: v1, kind: Service, metadata: {name: c}, spec: {ports: []}}")
    (parts / "d.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}")
    lines = lab("kubectl apply -f parts/").splitlines()
    assert lines[:2] == ["configmap/b created", "configmap/d created"]
    assert lines[2].startswith("error: error parsing parts/a.yaml: ")
    assert lines[3] == 'error: error validating "parts/b.yaml": error validating data: apiVersion not set'
    assert lines[4].startswith('The Service "c" is invalid')
    assert lab.last.code == 1


@pytest.mark.parametrize("verb", ["apply", "create"])
def test_files_without_objects_are_refused(lab: Lab, verb: str) -> None:
    (lab.folder / "empty.yaml").write_text("# nothing yet\n---\n")
    assert lab(f"kubectl {verb} -f empty.yaml") == f"error: no objects passed to {verb}\n"
    (lab.folder / "none").mkdir()
    says = "error: error reading [none]: recognized file extensions are [.json .yaml .yml]\n"
    assert lab(f"kubectl {verb} -f none") == says
    assert lab.last.code == 1


# flags ------------------------------------------------------------------------------------------------------


def test_a_drain_whose_flags_are_wrong_touches_no_node(lab: Lab) -> None:
    wrong = 'invalid argument "abc" for "--timeout" flag: time: invalid duration "abc"'
    says = f"error: {wrong}\nSee 'kubectl drain --help' for usage.\n"
    assert lab("kubectl drain lab-worker-1 --timeout=abc") == says
    assert field(lab, "node lab-worker-1", ".spec.unschedulable") == ""


def test_a_drain_can_give_pods_another_grace_period(nginx: Lab) -> None:
    leaving: dict[str, int] = {}

    def note(change: Change) -> None:
        metadata = change.object["metadata"]
        if "deletionTimestamp" in metadata:
            leaving[metadata["name"]] = metadata["deletionGracePeriodSeconds"]

    nginx.store.watch("Pod", note)
    text = nginx("kubectl drain lab-worker-1 --force --grace-period=2")
    assert leaving
    assert set(leaving.values()) == {2}
    assert all(f"pod/{name} evicted" in text for name in leaving)


@pytest.mark.parametrize("text", ["A", "=b", "1A=b", "A B=c"])
def test_a_variable_of_run_needs_a_name_and_a_value(lab: Lab, text: str) -> None:
    assert lab(f"kubectl run web --image=nginx --env='{text}'") == f"error: invalid env: {text}\n"
    assert lab("kubectl get pods") == "No resources found in default namespace.\n"


# the API server's own Service -------------------------------------------------------------------------------


def test_the_api_servers_own_service_comes_back_at_the_next_tick(lab: Lab) -> None:
    before = lab("kubectl get svc,endpoints,endpointslices -o name")
    address = field(lab, "svc kubernetes", ".spec.clusterIP")
    lab("kubectl delete svc kubernetes")
    assert lab("kubectl get svc") == "No resources found in default namespace.\n"
    lab("sleep 10s")
    assert lab("kubectl get svc,endpoints,endpointslices -o name") == before
    assert field(lab, "svc kubernetes", ".spec.clusterIP") == address
    created = field(lab, "svc kubernetes", ".metadata.creationTimestamp")
    assert created == "2026-01-01T00:00:10Z"
