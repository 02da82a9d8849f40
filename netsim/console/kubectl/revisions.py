"""What a workload has been: its revisions, each with the template of its pods.

A Deployment's are its ReplicaSets, those of a StatefulSet or DaemonSet its ControllerRevisions.
Source: kubectl pkg/polymorphichelpers (history.go, rollback.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netsim.api.describe.page import Page
from netsim.api.describe.template import write_template
from netsim.api.objects import Object, labels_of, name_of
from netsim.console.output import Failure
from netsim.control.revisions import HASH, ITS_OWN, noted, revision_of

if TYPE_CHECKING:
    from netsim.console.session import Lab

CAUSE = "kubernetes.io/change-cause"


@dataclass(frozen=True, slots=True)
class Revision:
    """One template that a workload has had, and the annotations it had then."""

    number: int
    template: Object
    annotations: dict[str, str]

    @property
    def cause(self) -> str:
        """Why it was made, if somebody has noted that."""
        return self.annotations.get(CAUSE) or "<none>"

    @property
    def page(self) -> str:
        """Its template, as `rollout history --revision` shows it."""
        page = Page()
        write_template(page, self.template)
        return page.tabbed


def revisions(lab: Lab, workload: Object) -> dict[int, Revision]:
    """Those that are kept of a workload, the oldest first."""
    uid = workload["metadata"]["uid"]
    if workload["kind"] == "Deployment":
        kept = [(revision_of(rs), rs, rs["spec"]["template"]) for rs in lab.store.find("ReplicaSet", "owner", uid)]
    else:
        records = lab.store.find("ControllerRevision", "owner", uid)
        kept = [(one["revision"], one, one["data"]["spec"]["template"]) for one in records]
    return {
        number: Revision(number, template, obj["metadata"].get("annotations") or {})
        for number, obj, template in sorted(kept, key=lambda one: int(one[0]))
    }


def to_go_back_to(workload: Object, kept: dict[int, Revision], number: int) -> Revision:
    """The revision of that number, or for 0 the last but one; raises Failure if there is none."""
    if number == 0 and len(kept) < 2:
        if workload["kind"] == "Deployment":
            raise Failure(f'error: no rollout history found for deployment "{name_of(workload)}"')
        raise Failure("error: no last revision to roll back to")
    if number == 0:
        return kept[sorted(kept)[-2]]
    if number not in kept:
        raise Failure(f"error: unable to find specified revision {number} in history")
    return kept[number]


def gone_back(workload: Object, to: Revision) -> Object:
    """The workload with the template of an earlier revision; a Deployment gets the annotations of that time, too."""
    template = _without_hash(to.template)
    new = {**workload, "spec": {**workload["spec"], "template": template}}
    if workload["kind"] != "Deployment":
        return new
    own = {name: noted(workload, name) for name in ITS_OWN if noted(workload, name)}
    earlier = {name: text for name, text in to.annotations.items() if name not in ITS_OWN}
    return {**new, "metadata": {**workload["metadata"], "annotations": {**own, **earlier}}}


def _without_hash(template: Object) -> Object:
    """A template without the label that its ReplicaSet has put on it."""
    metadata = template.get("metadata") or {}
    if HASH not in (metadata.get("labels") or {}):
        return template
    labels = {name: text for name, text in labels_of(template).items() if name != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}
