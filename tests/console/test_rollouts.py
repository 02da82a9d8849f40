"""StatefulSets, DaemonSets and what else rolls out, at the prompt: how far, what it was, back, and once more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netsim.api.objects import Object
from netsim.console.kubectl.rollout_status import Said, of_daemon_set, of_deployment, of_stateful_set
from netsim.console.output import Failure
from netsim.console.session import Lab

WORKLOADS = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1", ports: [{containerPort: 5432}]}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1"}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db}
spec: {minAvailable: 1, selector: {matchLabels: {app: db}}}
"""


@pytest.fixture
def sets(lab: Lab) -> Lab:
    """A prompt on a cluster with a StatefulSet, a DaemonSet and a budget for disruptions."""
    (lab.folder / "sets.yaml").write_text(WORKLOADS)
    lab("kubectl apply -f sets.yaml -f my-nginx.yaml")
    return lab


def column(text: str, number: int) -> list[str]:
    """One column of a table, without its header."""
    return [row.split()[number] for row in text.splitlines()[1:]]


def images(lab: Lab, label: str) -> list[str]:
    return lab(f"kubectl get pods -l app={label} -o jsonpath='{{.items[*].spec.containers[0].image}}'").split()


# what there is --------------------------------------------------------------------------------------------


def test_sets_budgets_and_revisions_are_listed_each_with_its_kind(sets: Lab) -> None:
    text = sets("kubectl get sts,ds,pdb,controllerrevisions")
    tables = text.split("\n\n")
    assert [table.splitlines()[1].split()[:3] for table in tables] == [
        ["statefulset.apps/db", "2/2", "4s"],
        ["daemonset.apps/agent", "2", "2"],
        ["poddisruptionbudget.policy/db", "1", "N/A"],
        ["controllerrevision.apps/agent-7cf7bbf7f9", "daemonset.apps/agent", "1"],
    ]
    assert tables[3].splitlines()[2].split()[1:] == ["statefulset.apps/db", "1", "4s"]


def test_all_is_grouped_by_kind_in_the_order_of_the_server(sets: Lab) -> None:
    kinds = [line.split("/")[0] for line in sets("kubectl get all").splitlines() if "/" in line.split(" ")[0]]
    assert list(dict.fromkeys(kinds)) == [
        "pod", "service", "daemonset.apps", "deployment.apps", "replicaset.apps", "statefulset.apps",
    ]  # fmt: skip
    everywhere = sets("kubectl get all -A").split("\n\n")
    assert all(table.startswith("NAMESPACE   NAME  ") for table in everywhere)


def test_a_stateful_set_grows_from_below_and_shrinks_from_above(sets: Lab) -> None:
    assert sets("kubectl scale sts db --replicas=4") == "statefulset.apps/db scaled\n"
    assert column(sets("kubectl get pods -l app=db"), 0) == ["db-0", "db-1", "db-2", "db-3"]
    sets("kubectl scale sts/db --replicas=1")
    assert column(sets("kubectl get pods -l app=db"), 0) == ["db-0"]
    assert column(sets("kubectl get sts db"), 1) == ["1/1"]


def test_a_daemon_set_has_no_scale(sets: Lab) -> None:
    says = "Error from server (NotFound): the server could not find the requested resource\n"
    assert sets("kubectl scale ds agent --replicas=2") == says
    assert sets.last.code == 1


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("sts db", ["Replicas:           2 desired | 2 total", "Update Strategy:    RollingUpdate"]),
        ("ds agent", ["Desired Number of Nodes Scheduled: 2", "Number of Nodes Misscheduled: 0"]),
        ("pdb db", ["Min available:  1", "    Allowed disruptions:  1"]),
        ("rs my-nginx", ["Controlled By:  Deployment/my-nginx", "Replicas:       2 current / 2 desired"]),
    ],
)
def test_each_is_described_with_its_events(sets: Lab, what: str, lines: list[str]) -> None:
    page = sets(f"kubectl describe {what}").splitlines()
    assert [line for line in page if line in lines] == lines
    assert any(line.startswith("Events:") for line in page)


# rollouts -------------------------------------------------------------------------------------------------


def test_a_stateful_sets_rollout_is_followed_pod_by_pod(sets: Lab) -> None:
    assert sets("kubectl rollout status sts/db") == "partitioned roll out complete: 2 new pods have been updated...\n"
    sets("kubectl set image sts/db db=db:2 &")
    assert sets("kubectl rollout status sts/db").splitlines() == [
        "Waiting for statefulset spec update to be observed...",
        "Waiting for partitioned roll out to finish: 0 out of 2 new pods have been updated...",
        "Waiting for 1 pods to be ready...",
        "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
        "Waiting for 1 pods to be ready...",
        "partitioned roll out complete: 2 new pods have been updated...",
    ]
    assert images(sets, "db") == ["db:2", "db:2"]


def test_a_daemon_sets_rollout_is_followed_node_by_node(sets: Lab) -> None:
    assert sets("kubectl rollout status ds/agent") == 'daemon set "agent" successfully rolled out\n'
    assert sets("kubectl rollout restart ds agent &") == "daemonset.apps/agent restarted\n"
    told = sets("kubectl rollout status ds/agent").splitlines()
    assert told[0] == "Waiting for daemon set spec update to be observed..."
    assert told[1] == 'Waiting for daemon set "agent" rollout to finish: 0 out of 2 new pods have been updated...'
    assert told[-1] == 'daemon set "agent" successfully rolled out'


@pytest.mark.parametrize(("what", "label"), [("sts/db", "db"), ("ds/agent", "agent")])
def test_a_set_goes_back_to_an_earlier_revision(sets: Lab, what: str, label: str) -> None:
    shown = sets(f"kubectl get {what} -o name").strip()
    assert sets(f"kubectl rollout undo {what}") == "error: no last revision to roll back to\n"
    sets(f"kubectl annotate {what} kubernetes.io/change-cause='a newer one'")
    sets(f"kubectl set image {what} *={label}:2")
    assert sets(f"kubectl rollout history {what}") == (
        f"{shown} \nREVISION  CHANGE-CAUSE\n1         <none>\n2         a newer one\n\n"
    )
    assert sets(f"kubectl rollout undo {what}") == f"{shown} rolled back\n"
    assert images(sets, label) == [f"{label}:1", f"{label}:1"]
    assert column(sets(f"kubectl rollout history {what}").partition("\n")[2].strip(), 0) == ["2", "3"]
    assert sets(f"kubectl rollout undo {what} --to-revision=3") == (
        f"{shown} skipped rollback (current template already matches revision 3)\n"
    )
    assert sets(f"kubectl rollout undo {what} --to-revision=9") == (
        "error: unable to find specified revision 9 in history\n"
    )


def test_a_deployment_gets_back_the_cause_of_its_earlier_change(sets: Lab) -> None:
    sets("kubectl annotate deploy my-nginx kubernetes.io/change-cause=first")
    sets("kubectl set image deploy/my-nginx my-nginx=nginx:2")
    sets("kubectl annotate deploy my-nginx kubernetes.io/change-cause=second --overwrite")
    assert column(sets("kubectl rollout history deploy/my-nginx").partition("\n")[2].strip(), 1) == ["first", "second"]
    assert sets("kubectl rollout undo deploy/my-nginx") == "deployment.apps/my-nginx rolled back\n"
    assert column(sets("kubectl rollout history deploy/my-nginx").partition("\n")[2].strip(), 1) == ["second", "first"]
    assert column(sets("kubectl get rs"), 1) == ["0", "2"]


def test_a_revision_is_shown_with_its_template(sets: Lab) -> None:
    assert sets("kubectl rollout history sts/db --revision=1").splitlines() == [
        "statefulset.apps/db with revision #1", "Pod Template:", "  Labels:\tapp=db", "  Containers:", "   db:",
        "    Image:\tdb:1", "    Port:\t5432/TCP", "    Host Port:\t0/TCP", "    Environment:\t<none>",
        "    Mounts:\t<none>", "  Volumes:\t<none>", "  Node-Selectors:\t<none>", "  Tolerations:\t<none>", "",
    ]  # fmt: skip
    assert sets("kubectl rollout history sts/db --revision=7") == "error: unable to find the specified revision\n"


def test_a_kind_alone_means_all_of_that_kind(sets: Lab) -> None:
    told = sets("kubectl rollout history sts,ds").split("\n\n")
    assert [part.splitlines()[0] for part in told[:2]] == ["statefulset.apps/db ", "daemonset.apps/agent "]
    assert sets("kubectl rollout status deploy") == 'deployment "my-nginx" successfully rolled out\n'


def test_all_workloads_of_a_kind_are_restarted(sets: Lab) -> None:
    assert sets("kubectl rollout restart deploy") == "deployment.apps/my-nginx restarted\n"
    assert sets("kubectl rollout restart sts/db ds/agent") == (
        "statefulset.apps/db restarted\ndaemonset.apps/agent restarted\n"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("status rs/x", "error: no status viewer has been implemented for ReplicaSet.apps\n"),
        ("history pod/db-0", 'error: no history viewer has been implemented for "Pod"\n'),
        ("undo pod/db-0", 'error: no rollbacker has been implemented for "Pod"\n'),
        ("restart pod/db-0", 'error: pods "db-0" restarting is not supported\n'),
        ("pause sts/db", 'error: statefulsets.apps "db" pausing is not supported\n'),
        ("resume ds/agent", 'error: daemonsets.apps "agent" resuming is not supported\n'),
        ("status sts/nope", 'Error from server (NotFound): statefulsets.apps "nope" not found\n'),
        ("status", "error: required resource not specified\n"),
        ("history sts/db --revision=-1", "error: revision must be a positive integer: -1\n"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused(sets: Lab, line: str, says: str) -> None:
    assert sets(f"kubectl rollout {line}") == says
    assert sets.last.code == 1


def test_a_paused_deployment_is_neither_restarted_nor_rolled_back(sets: Lab) -> None:
    sets("kubectl set image deploy/my-nginx my-nginx=nginx:2; kubectl rollout pause deploy/my-nginx")
    assert sets("kubectl rollout restart deploy/my-nginx") == (
        'error: deployments.apps "my-nginx" can\'t restart paused deployment (run rollout resume first)\n'
    )
    assert sets("kubectl rollout undo deploy/my-nginx").startswith("error: cannot rollback a paused deployment; ")


def test_a_rollout_that_gets_nowhere_ends_at_its_deadline(sets: Lab) -> None:
    sets("kubectl cordon lab-worker-1 lab-worker-2")
    sets('kubectl patch deploy my-nginx -p \'{"spec": {"progressDeadlineSeconds": 60}}\'')
    sets("kubectl set image deploy/my-nginx my-nginx=nginx:2 &")
    assert sets("kubectl rollout status deploy/my-nginx").splitlines()[-1] == (
        'error: deployment "my-nginx" exceeded its progress deadline'
    )


@pytest.mark.parametrize("progress", [of_stateful_set, of_daemon_set])
def test_what_is_replaced_by_hand_has_no_rollout_to_follow(progress: Callable[[Object], Said]) -> None:
    by_hand = {"metadata": {"name": "x"}, "spec": {"replicas": 1, "updateStrategy": {"type": "OnDelete"}}}
    with pytest.raises(Failure, match="rollout status is only available for RollingUpdate strategy type"):
        progress(by_hand)


def test_old_pods_are_waited_for() -> None:
    status = {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}
    deployment = {"metadata": {"name": "web", "generation": 1}, "spec": {"replicas": 2}, "status": status}
    waiting = 'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...'
    assert of_deployment(deployment) == (waiting, False)


# dry runs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("scale sts db --replicas=5", "statefulset.apps/db scaled"),
        ("label sts db a=b", "statefulset.apps/db labeled"),
        ("annotate ds agent a=b", "daemonset.apps/agent annotated"),
        ("set image ds/agent agent=agent:2", "daemonset.apps/agent image updated"),
        ("rollout restart ds/agent", "daemonset.apps/agent restarted"),
        ("rollout pause deploy/my-nginx", "deployment.apps/my-nginx paused"),
        ("delete pod db-0", 'pod "db-0" deleted'),
        ("delete sts db", 'statefulset.apps "db" deleted'),
    ],
)
def test_a_dry_run_says_what_it_would_do_and_does_nothing(sets: Lab, line: str, says: str) -> None:
    before = sets("kubectl get sts,ds,pods,deploy -o yaml")
    assert sets(f"kubectl {line} --dry-run=server") == f"{says} (server dry run)\n"
    assert sets("kubectl get sts,ds,pods,deploy -o yaml") == before
