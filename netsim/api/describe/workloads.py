"""`kubectl describe replicaset|statefulset|daemonset|pdb`.

Source: kubectl pkg/describe, describe.go (describeReplicaSet, describeStatefulSet, describeDaemonSet,
describePodDisruptionBudget), release 1.32.
"""

from __future__ import annotations

from collections import Counter

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.describe.template import write_template
from netsim.api.objects import Object, controller_of
from netsim.api.tables.columns import labels_text, selector_text
from netsim.api.times import rfc1123

NODES_COUNTED = (
    ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
    ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
    ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
    ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
    ("Number of Nodes Misscheduled", "numberMisscheduled"),
)
DISRUPTIONS = (
    ("Allowed disruptions", "disruptionsAllowed"),
    ("Current", "currentHealthy"),
    ("Desired", "desiredHealthy"),
    ("Total", "expectedPods"),
)


def describe_replica_set(replica_set: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a ReplicaSet."""
    page, spec = _begun(replica_set), replica_set["spec"]
    page.line("Selector:", selector_text(spec.get("selector"), empty=""))
    _labels(page, replica_set)
    owner = controller_of(replica_set)
    if owner is not None:
        page.line("Controlled By:", f"{owner['kind']}/{owner['name']}")
    current = (replica_set.get("status") or {}).get("replicas", 0)
    page.line("Replicas:", f"{current} current / {spec.get('replicas', 1)} desired")
    page.line("Pods Status:", pods_status(replica_set, lookup))
    write_template(page, spec["template"])
    return _ended(page, replica_set, lookup, now)


def describe_stateful_set(stateful_set: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a StatefulSet."""
    page, spec = _begun(stateful_set), stateful_set["spec"]
    page.line("CreationTimestamp:", rfc1123(stateful_set["metadata"].get("creationTimestamp") or 0))
    page.line("Selector:", selector_text(spec.get("selector"), empty=""))
    _labels(page, stateful_set)
    total = (stateful_set.get("status") or {}).get("replicas", 0)
    page.line("Replicas:", f"{spec.get('replicas', 1)} desired | {total} total")
    strategy = spec.get("updateStrategy") or {}
    page.line("Update Strategy:", strategy.get("type", "RollingUpdate"))
    if strategy.get("rollingUpdate") is not None:
        page.line("Partition:", strategy["rollingUpdate"].get("partition", 0), level=1)
    page.line("Pods Status:", pods_status(stateful_set, lookup))
    write_template(page, spec["template"])
    page.many("Volume Claims", ())
    return _ended(page, stateful_set, lookup, now)


def describe_daemon_set(daemon_set: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a DaemonSet."""
    page, spec = _begun(daemon_set), daemon_set["spec"]
    page.line("Selector:", selector_text(spec.get("selector"), empty=""))
    page.line("Node-Selector:", labels_text(spec["template"]["spec"].get("nodeSelector")))
    _labels(page, daemon_set)
    for title, name in NODES_COUNTED:
        page.line(f"{title}: {(daemon_set.get('status') or {}).get(name, 0)}")
    page.line("Pods Status:", pods_status(daemon_set, lookup))
    write_template(page, spec["template"])
    return _ended(page, daemon_set, lookup, now)


def describe_budget(budget: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a PodDisruptionBudget."""
    page, spec = _begun(budget), budget["spec"]
    for title, name in (("Min available:", "minAvailable"), ("Max unavailable:", "maxUnavailable")):
        if spec.get(name) is not None:
            page.line(title, spec[name])
    page.line("Selector:", selector_text(spec["selector"]) if spec.get("selector") is not None else "<unset>")
    page.line("Status:")
    for title, name in DISRUPTIONS:
        page.line(f"{title}:", (budget.get("status") or {}).get(name, 0), level=2)
    return _ended(page, budget, lookup, now)


def pods_status(owner: Object, lookup: Lookup) -> str:
    """How many of the owner's pods are in which phase."""
    phases: Counter[str] = Counter()
    for pod in lookup("Pod", owner["metadata"].get("namespace")):
        above = controller_of(pod)
        if above is not None and above.get("uid") == owner["metadata"].get("uid"):
            phases[pod.get("status", {}).get("phase", "Pending")] += 1
    shown = (("Running", "Running"), ("Pending", "Waiting"), ("Succeeded", "Succeeded"), ("Failed", "Failed"))
    return " / ".join(f"{phases[phase]} {word}" for phase, word in shown)


def _begun(obj: Object) -> Page:
    page = Page()
    page.line("Name:", obj["metadata"]["name"])
    page.line("Namespace:", obj["metadata"].get("namespace", "default"))
    return page


def _labels(page: Page, obj: Object) -> None:
    page.labels("Labels", obj["metadata"].get("labels"))
    page.annotations("Annotations", obj["metadata"].get("annotations"))


def _ended(page: Page, obj: Object, lookup: Lookup, now: int) -> str:
    events = lookup("Event", obj["metadata"].get("namespace", "default"))
    write_events(page, events_of(obj, events), now)
    return str(page)
