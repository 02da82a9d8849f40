"""`kubectl describe deployment`.

Source: kubectl pkg/describe, describeDeployment, release 1.32.
"""

from __future__ import annotations

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.describe.template import write_template
from netsim.api.objects import Object, controller_of
from netsim.api.tables.columns import NONE, selector_text
from netsim.api.times import rfc1123

REVISION = "deployment.kubernetes.io/revision"


def describe_deployment(deployment: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a Deployment."""
    metadata = deployment["metadata"]
    namespace = metadata.get("namespace", "default")
    page = Page()
    page.line("Name:", metadata["name"])
    page.line("Namespace:", namespace)
    page.line("CreationTimestamp:", rfc1123(metadata.get("creationTimestamp") or 0))
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    _replicas(page, deployment)
    write_template(page, deployment["spec"]["template"])
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    if conditions:
        page.line("Conditions:")
        rows = ((f"{c['type']} ", c["status"], c.get("reason", "")) for c in conditions)
        page.table(("Type", "Status", "Reason"), rows)
    _replica_sets(page, deployment, lookup)
    write_events(page, events_of(deployment, lookup("Event", namespace)), now)
    return str(page)


def _replicas(page: Page, deployment: Object) -> None:
    spec, status = deployment["spec"], deployment.get("status") or {}
    page.line("Selector:", selector_text(spec.get("selector"), empty=""))
    counts = (
        (spec.get("replicas", 1), "desired"),
        (status.get("updatedReplicas", 0), "updated"),
        (status.get("replicas", 0), "total"),
        (status.get("availableReplicas", 0), "available"),
        (status.get("unavailableReplicas", 0), "unavailable"),
    )
    page.line("Replicas:", " | ".join(f"{count} {what}" for count, what in counts))
    strategy = spec.get("strategy") or {}
    page.line("StrategyType:", strategy.get("type", "RollingUpdate"))
    page.line("MinReadySeconds:", spec.get("minReadySeconds", 0))
    rolling = strategy.get("rollingUpdate")
    if rolling:
        unavailable, surge = rolling.get("maxUnavailable", "25%"), rolling.get("maxSurge", "25%")
        page.line("RollingUpdateStrategy:", f"{unavailable} max unavailable, {surge} max surge")


def _replica_sets(page: Page, deployment: Object, lookup: Lookup) -> None:
    every = lookup("ReplicaSet", deployment["metadata"].get("namespace"))
    mine = [replica_set for replica_set in every if _owns(deployment, replica_set)]
    if not mine:
        return
    newest = max(mine, key=_revision)
    page.line("OldReplicaSets:", ", ".join(_created(rs) for rs in mine if rs is not newest) or NONE)
    page.line("NewReplicaSet:", _created(newest))


def _owns(deployment: Object, replica_set: Object) -> bool:
    owner = controller_of(replica_set)
    return owner is not None and owner.get("uid") == deployment["metadata"].get("uid")


def _revision(replica_set: Object) -> tuple[int, int]:
    """The rollout that a ReplicaSet belongs to; a rollback makes an old one newest again."""
    metadata = replica_set["metadata"]
    number = (metadata.get("annotations") or {}).get(REVISION, "0")
    return int(number), metadata.get("creationTimestamp") or 0


def _created(replica_set: Object) -> str:
    count, wanted = (
        (replica_set.get("status") or {}).get("replicas", 0),
        replica_set["spec"].get("replicas", 1),
    )
    return f"{replica_set['metadata']['name']} ({count}/{wanted} replicas created)"
