"""What the API server refuses of what makes pods, and of the budgets that protect them.

Source: Kubernetes 1.32, pkg/apis/apps/validation/validation.go, pkg/apis/policy/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from netsim.api import names, pod_validation, selectors
from netsim.api.refusals import Path, Refusals

Object = dict[str, Any]


def deployment(no: Refusals, spec: Object) -> None:
    """The spec of a Deployment."""
    _maker(no, spec)
    no.not_negative(("spec", "revisionHistoryLimit"), spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        no.not_negative(("spec", "progressDeadlineSeconds"), deadline)
        if deadline <= (spec.get("minReadySeconds") or 0):
            no.invalid(("spec", "progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds")
    _strategy(no, ("spec", "strategy"), spec.get("strategy") or {})


def replica_set(no: Refusals, spec: Object) -> None:
    """The spec of a ReplicaSet."""
    _maker(no, spec)


def stateful_set(no: Refusals, spec: Object) -> None:
    """The spec of a StatefulSet."""
    _maker(no, spec, "statefulset")
    no.not_negative(("spec", "revisionHistoryLimit"), spec.get("revisionHistoryLimit"))
    no.not_negative(("spec", "ordinals", "start"), (spec.get("ordinals") or {}).get("start"))
    policy = spec.get("podManagementPolicy") or "OrderedReady"
    if policy not in ("OrderedReady", "Parallel"):
        no.invalid(("spec", "podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'")
    strategy, where = spec.get("updateStrategy") or {}, ("spec", "updateStrategy")
    kind, rolling = strategy.get("type") or "RollingUpdate", strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        no.invalid(where, {"type": kind}, "must be 'RollingUpdate' or 'OnDelete'")
    elif kind == "OnDelete" and rolling is not None:
        no.invalid((*where, "rollingUpdate"), rolling, "only allowed for updateStrategy 'RollingUpdate'")
    no.not_negative((*where, "rollingUpdate", "partition"), (rolling or {}).get("partition"))


def daemon_set(no: Refusals, spec: Object) -> None:
    """The spec of a DaemonSet."""
    _maker(no, spec, "daemonset")
    no.not_negative(("spec", "revisionHistoryLimit"), spec.get("revisionHistoryLimit"))
    strategy, where = spec.get("updateStrategy") or {}, ("spec", "updateStrategy")
    kind, rolling = strategy.get("type") or "RollingUpdate", strategy.get("rollingUpdate") or {}
    if kind not in ("RollingUpdate", "OnDelete"):
        no.unsupported((*where, "type"), kind, ("OnDelete", "RollingUpdate"))
    elif kind == "RollingUpdate":
        _daemon_rolling(no, (*where, "rollingUpdate"), rolling)


def _daemon_rolling(no: Refusals, path: Path, rolling: Object) -> None:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    for name, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        _count_or_share(no, (*path, name), value)
    if unavailable in (0, "0%") and surge in (None, 0, "0%"):
        no.required((*path, "maxUnavailable"), "cannot be 0 when maxSurge is 0")
    elif unavailable not in (0, "0%") and surge not in (None, 0, "0%"):
        no.invalid((*path, "maxSurge"), surge, "may not be set when maxUnavailable is non-zero")


def disruption_budget(no: Refusals, spec: Object) -> None:
    """The spec of a PodDisruptionBudget."""
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        no.invalid(("spec",), spec, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        _count_or_share(no, ("spec", name), spec.get(name))
    pod_validation.label_selector(no, ("spec", "selector"), spec.get("selector") or {})
    policy, policies = spec.get("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget")
    if policy is not None and policy not in policies:
        no.unsupported(("spec", "unhealthyPodEvictionPolicy"), policy, policies)


def _maker(no: Refusals, spec: Object, kind: str = "deployment") -> None:
    """What all that makes pods has in common: replicas, a selector, a template that it selects."""
    no.not_negative(("spec", "replicas"), spec.get("replicas"))
    no.not_negative(("spec", "minReadySeconds"), spec.get("minReadySeconds"))
    selector, template = spec.get("selector"), spec.get("template") or {}
    given = (template.get("metadata") or {}).get("labels") or {}
    if selector is None:
        no.required(("spec", "selector"))
    else:
        before = len(no)
        pod_validation.label_selector(no, ("spec", "selector"), selector)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            no.invalid(("spec", "selector"), selector, f"empty selector is invalid for {kind}")
        elif len(no) == before and not selectors.matches(selector, given):
            where = ("spec", "template", "metadata", "labels")
            no.invalid(where, given, "`selector` does not match template `labels`")
    pod_validation.labels(no, ("spec", "template", "labels"), given)
    notes = (template.get("metadata") or {}).get("annotations") or {}
    pod_validation.annotation_keys(no, ("spec", "template", "annotations"), notes)
    inner = template.get("spec") or {}
    pod_validation.pod_spec(no, ("spec", "template", "spec"), inner)
    if inner.get("restartPolicy") in ("OnFailure", "Never"):
        no.unsupported(("spec", "template", "spec", "restartPolicy"), inner["restartPolicy"], ("Always",))


def _strategy(no: Refusals, path: Path, strategy: Object) -> None:
    kind, rolling = strategy.get("type") or "RollingUpdate", strategy.get("rollingUpdate")
    where = (*path, "rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        no.unsupported((*path, "type"), kind, ("Recreate", "RollingUpdate"))
    elif kind == "Recreate" and rolling is not None:
        no.forbidden(where, "may not be specified when strategy `type` is 'Recreate'")
    elif rolling:
        for name in ("maxUnavailable", "maxSurge"):
            _count_or_share(no, (*where, name), rolling.get(name))
        unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        if unavailable in (0, "0%") and surge in (0, "0%"):
            no.invalid((*where, "maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0")
        if isinstance(unavailable, str) and not names.percentage(unavailable) and int(unavailable[:-1]) > 100:
            no.invalid((*where, "maxUnavailable"), unavailable, "must not be greater than 100%")


def _count_or_share(no: Refusals, path: Path, value: int | str | None) -> None:
    if isinstance(value, str):
        no.each(path, value, names.percentage(value))
    else:
        no.not_negative(path, value)
