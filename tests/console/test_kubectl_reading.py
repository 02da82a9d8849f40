"""kubectl's verbs that read: get in all its forms, describe, events, and what is said of what is not there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import netsim
from netsim.console.session import Lab

Open = Callable[..., Lab]


def test_get_prints_the_tables_of_netsim_get(nginx: Lab) -> None:
    table = nginx("kubectl get svc my-nginx").splitlines()
    assert table[0].split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert table[1].split()[1] == "ClusterIP"
    assert table[1].split()[3:5] == ["<none>", "80/TCP"]


def test_one_object_is_printed_as_itself_and_several_as_a_list(nginx: Lab) -> None:
    assert json.loads(nginx("kubectl get svc my-nginx -o json"))["kind"] == "Service"
    listed = json.loads(nginx("kubectl get svc -o json"))
    assert listed["kind"] == "List"
    assert [one["metadata"]["name"] for one in listed["items"]] == ["kubernetes", "my-nginx"]
    assert "clusterIP: 10.0." in nginx("kubectl get svc my-nginx -o yaml")
    assert nginx("kubectl get svc,deploy -o name") == "service/kubernetes\nservice/my-nginx\ndeployment.apps/my-nginx\n"


def test_columns_of_ones_own_and_paths(nginx: Lab) -> None:
    text = nginx("kubectl get pods -l run=my-nginx -o custom-columns=POD_IP:.status.podIPs")
    assert text.startswith("POD_IP\n[map[ip:10.244.")
    assert nginx("kubectl get svc my-nginx -o jsonpath='{.spec.ports[0].port}{\"\\n\"}'") == "80\n"


def test_the_newest_comes_last_when_sorted_by_age(nginx: Lab) -> None:
    names = nginx("kubectl get pods --sort-by=.metadata.creationTimestamp -o name").splitlines()
    assert names[-1] == "pod/client"


def test_several_kinds_are_printed_one_below_the_other(nginx: Lab) -> None:
    text = nginx("kubectl get all")
    assert text.index("pod/client") < text.index("service/kubernetes") < text.index("deployment.apps/my-nginx")


def test_a_watch_shows_each_change_as_it_comes(nginx: Lab) -> None:
    nginx("kubectl delete pod client &")
    rows = [row.split() for row in nginx("kubectl get pods client -w").splitlines()]
    assert rows[0][:3] == ["NAME", "READY", "STATUS"]
    assert {row[2] for row in rows[1:]} == {"Terminating"}


def test_a_watch_tells_of_several_changes_in_their_order(nginx: Lab) -> None:
    nginx("kubectl set image deploy/my-nginx my-nginx=nginx:2 &")
    nginx("kubectl delete pod client &")
    rows = [row.split() for row in nginx("kubectl get pods -w").splitlines()]
    states = {name: list(dict.fromkeys(row[2] for row in rows if row[0] == name)) for name, *_ in rows[1:]}
    began = ["Pending", "ContainerCreating", "Running"]
    assert sorted(states.values()) == sorted(
        [["Terminating"], *2 * [["Running", "Terminating"]], *2 * [began]],
    )
    assert rows[0][:3] == ["NAME", "READY", "STATUS"]
    assert [row[0] for row in rows].count("NAME") == 1


def test_a_watch_prints_each_object_in_the_format_asked_for(nginx: Lab) -> None:
    nginx("kubectl delete pod client &")
    assert set(nginx("kubectl get pods client -w -o name").splitlines()) == {"pod/client"}
    nginx("kubectl run late --image=nginx &")
    rows = nginx("kubectl get pods late -w -o custom-columns=POD:.metadata.name,PHASE:.status.phase").splitlines()
    assert [row.split() for row in (rows[0], rows[-1])] == [["POD", "PHASE"], ["late", "Running"]]
    assert sum(row.startswith("POD") for row in rows) == 1


def test_a_watch_that_would_go_on_is_given_a_time(nginx: Lab) -> None:
    began = nginx.now
    nginx("kubectl run late --image=nginx &")
    text = nginx("timeout 20s kubectl get pods late -w")
    assert text.splitlines()[-1].split()[1:3] == ["1/1", "Running"]
    assert nginx.now - began >= 20 * 10**9


def test_describe_finds_objects_by_the_beginning_of_their_name(nginx: Lab) -> None:
    assert nginx("kubectl describe pod my-nginx").count("\nStatus:") == 2
    assert nginx("kubectl describe svc my-nginx").startswith("Name:                     my-nginx\n")


def test_events_come_in_the_order_of_time(nginx: Lab) -> None:
    rows = nginx("kubectl events --for pod/client").splitlines()
    assert rows[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert rows[1].split()[2:4] == ["Scheduled", "Pod/client"]
    assert rows[-1].split()[2:4] == ["Started", "Pod/client"]
    assert nginx("kubectl events --types=Warning") == "No events found in default namespace.\n"


def test_a_namespace_is_chosen_for_all_that_follows(lab: Lab) -> None:
    lab("kubectl create ns demo; kubectl config set-context --current --namespace=demo")
    assert lab("kubectl get pods") == "No resources found in demo namespace.\n"
    assert lab("kubectl -n default get svc -o name") == "service/kubernetes\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("get pod nope", 'Error from server (NotFound): pods "nope" not found\n'),
        ("get pod nope --ignore-not-found", ""),
        ("get pods", "No resources found in default namespace.\n"),
        ("get pods -A", "No resources found\n"),
        ("get nodes nope", 'Error from server (NotFound): nodes "nope" not found\n'),
        ("describe pod nope", 'Error from server (NotFound): pods "nope" not found\n'),
        ("get foo", 'error: the server doesn\'t have a resource type "foo"\n'),
        ("exec nope -- ls", 'Error from server (NotFound): pods "nope" not found\n'),
        ("gett pods", 'error: unknown command "gett" for "kubectl"\n\nDid you mean this?\n\tget\n'),
        ("rollout foo", "error: kubectl rollout needs one of: status, history, undo, pause, resume, restart\n"),
        ("delete pod", "error: resource(s) were provided, but no name was specified\n"),
        ("--context nope get pods", 'error: context "nope" does not exist\n'),
    ],
)
def test_what_is_not_there_is_told_in_kubectls_words(lab: Lab, line: str, says: str) -> None:
    assert lab(f"kubectl {line}") == says
    assert lab.last.code == (0 if not says or says.startswith("No resources") else 1)


def test_notices_go_to_stderr_and_data_to_stdout(lab: Lab) -> None:
    lab("kubectl get pods")
    assert (lab.last.stdout, lab.last.stderr) == ("", "No resources found in default namespace.\n")
    lab("kubectl get svc,foo")
    assert lab.last.stdout == ""


def test_every_verb_has_its_help_page(lab: Lab) -> None:
    from netsim.console.kubectl import VERBS

    for name, verb in VERBS.items():
        page = lab(f"kubectl {name} --help")
        assert page.startswith(f"{verb.summary}\n\nOptions:\n")
        assert f"  kubectl {verb.usage or name} [options]\n" in page
    assert all(f"  {name} " in lab("kubectl help") for name in VERBS)


def test_kinds_and_their_fields_are_explained(lab: Lab) -> None:
    assert "ports\t<[]ServicePort>\n" in lab("kubectl explain service.spec")
    assert lab("kubectl explain svc.spec.nope") == 'error: field "nope" does not exist\n'
    assert any(row.split()[:2] == ["services", "svc"] for row in lab("kubectl api-resources").splitlines())


def test_without_its_control_plane_kubectl_finds_nobody(lab: Lab) -> None:
    lab("power off lab-control-plane")
    began = lab.now
    assert lab("kubectl get pods") == "Unable to connect to the server: dial tcp 192.168.0.1:6443: i/o timeout\n"
    assert lab.now - began >= 30 * 10**9
    assert lab("kubectl config current-context") == "lab\n"


def test_a_watch_prints_each_object_by_its_path(nginx: Lab) -> None:
    nginx("kubectl delete pod client &")
    text = nginx("kubectl get pods client -o jsonpath='{.metadata.name}{\"\\n\"}' -w")
    assert set(text.splitlines()) == {"client"}


def test_objects_are_chosen_by_the_fields_that_their_kind_knows(nginx: Lab) -> None:
    chosen = nginx("kubectl get pods --field-selector metadata.name=client,status.phase!=Failed -o name")
    assert chosen == "pod/client\n"
    assert nginx("kubectl get svc --field-selector spec.type=ClusterIP -o name").count("service/") == 2
    start = "Error from server (BadRequest): Unable to find"
    assert nginx("kubectl get pods -l a=b --field-selector=foo=bar") == (
        f'{start} "/v1, Resource=pods" that match label selector "a=b", field selector "foo=bar": '
        "field label not supported: foo\n"
    )
    assert nginx("kubectl get deploy --field-selector=spec.replicas!=2 -w") == (
        f'{start} "apps/v1, Resource=deployments" that match label selector "", '
        'field selector "spec.replicas!=2": "spec.replicas" is not a known field selector: '
        'only "metadata.name", "metadata.namespace"\n'
    )
    assert nginx.last.code == 1


def test_only_kinds_of_its_release_are_listed(opened: Open) -> None:
    lab = opened()
    names = lab("kubectl api-resources -o name").splitlines()
    assert {"pods", "deployments.apps", "endpointslices.discovery.k8s.io"} <= set(names)
    assert not {"podgroups.scheduling.k8s.io", "workloads.scheduling.k8s.io"} & set(names)
    file = lab.folder / "lab.yaml"
    for version, known in (("1.32", False), ("1.34", True)):
        file.write_text(file.read_text().replace("cluster:\n", f"cluster:\n  version: '{version}'\n", 1))
        listed = netsim.shell(file)("kubectl api-resources -o name").splitlines()
        assert ("servicecidrs.networking.k8s.io" in listed) is known
        file.write_text(file.read_text().replace(f"  version: '{version}'\n", ""))


@pytest.mark.parametrize(
    "verb", ["port-forward svc/web 8080:80", "autoscale deploy web --max=3", "debug -it web", "cp a b", "proxy"]
)
def test_a_verb_that_is_not_done_here_says_why(lab: Lab, verb: str) -> None:
    text = lab(f"kubectl {verb}")
    assert text.startswith(f"error: kubectl {verb.split()[0]} is not done here: ")
    assert lab.last.code == 1


def test_logs_of_all_pods_with_a_label_are_told(nginx: Lab) -> None:
    nginx("kubectl run once --image=busybox --restart=Never -l job=a -- echo hello")
    nginx("kubectl run twice --image=busybox --restart=Never -l job=a -- echo again")
    assert nginx("kubectl logs -l job=a") == "hello\nagain\n"
    assert nginx("kubectl logs -l job=none") == "No resources found in default namespace.\n"
    assert nginx("kubectl logs once -l job=a") == "error: only a selector (-l) or a POD name is allowed\n"
