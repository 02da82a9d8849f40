"""What the scheduler knows of a pod: parsed once, then only compared.

Requests are integers (millicores, bytes); selectors, tolerations and constraints are frozen values that can
be keys of a dictionary, so that what was worked out for one pod of a ReplicaSet serves all its siblings.

Left out: volumes, scheduling gates, priorities, pod-level and claimed resources.
Sources: kubernetes `component-helpers/resource/helpers.go` (requests), `pkg/scheduler/framework/types.go`,
`plugins/podtopologyspread/common.go`, `plugins/helper/spread.go`; release 1.32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netsim.api.objects import HOSTNAME, ZONE, Object, is_leaving, labels_of
from netsim.api.selectors import matches, matches_labels
from netsim.units import millicores, whole

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

DEFAULT_MILLICORES = 100  # what a container that requests nothing counts for when nodes are compared
DEFAULT_BYTES = 200 * 1024 * 1024

Rule = tuple[str, str, tuple[str, ...]]  # key, operator, values
NodeTerm = tuple[tuple[Rule, ...], tuple[Rule, ...]]  # rules about labels, rules about fields
Amounts = dict[str, int]


@dataclass(frozen=True, slots=True)
class PodSelector:
    """Which pods: by namespace and by labels. `namespaces` None means every namespace."""

    namespaces: tuple[str, ...] | None
    rules: tuple[Rule, ...]
    namespace_rules: tuple[Rule, ...] | None = None  # further namespaces, by their labels
    nothing: bool = False  # a term without any selector selects no pod

    def selects(
        self, namespace: str, labels: Mapping[str, str], namespaces: Mapping[str, Mapping[str, str]]
    ) -> bool:
        """Whether it selects a pod; `namespaces` are the labels of the namespaces."""
        if self.nothing or not self._covers(namespace, namespaces):
            return False
        return matches({"matchExpressions": _expressions(self.rules)}, labels)

    def item(self) -> tuple[str, str] | None:
        """A label that every pod it selects has; None if there is none to name."""
        asked = ((key, values[0]) for key, operator, values in self.rules if operator == "In" and len(values) == 1)
        return next(asked, None)

    def _covers(self, namespace: str, namespaces: Mapping[str, Mapping[str, str]]) -> bool:
        if self.namespaces is None or namespace in self.namespaces:
            return True
        rules = self.namespace_rules
        return rules is not None and matches(
            {"matchExpressions": _expressions(rules)}, namespaces.get(namespace, {})
        )


def _expressions(rules: tuple[Rule, ...]) -> list[Object]:
    return [{"key": key, "operator": operator, "values": values} for key, operator, values in rules]


def rules_of(selector: Object | None) -> tuple[Rule, ...]:
    """A LabelSelector as requirements.

    >>> rules_of({"matchLabels": {"app": "web"}})
    (('app', 'In', ('web',)),)
    """
    selector = selector or {}
    labels = sorted((selector.get("matchLabels") or {}).items())
    expressions = selector.get("matchExpressions") or ()
    return (
        *((key, "In", (value,)) for key, value in labels),
        *((rule["key"], rule["operator"], tuple(rule.get("values") or ())) for rule in expressions),
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """One topology spread constraint."""

    key: str
    max_skew: int
    hard: bool
    selector: PodSelector
    min_domains: int = 1
    honors_affinity: bool = True
    honors_taints: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """One term of pod affinity or anti-affinity; a required one weighs nothing."""

    selector: PodSelector
    key: str
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Affinity:
    """With which pods a pod wants to share a domain, and with which not."""

    required: tuple[Term, ...] = ()
    refused: tuple[Term, ...] = ()
    preferred: tuple[Term, ...] = ()
    disliked: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeDemands:
    """What a pod asks of a node that does not change while pods come and go."""

    node: str
    labels: tuple[tuple[str, str], ...]
    terms: tuple[NodeTerm, ...] | None
    tolerations: tuple[tuple[str, str, str, str], ...]  # key, operator, value, effect


@dataclass(frozen=True, slots=True, eq=False)
class PodInfo:
    """A pod, as far as placing it goes."""

    uid: str
    namespace: str
    name: str
    labels: dict[str, str]
    node: str
    leaving: bool
    cpu: int  # millicores requested
    memory: int  # bytes requested
    scored_cpu: int  # the same, where a container without a request counts for a little
    scored_memory: int
    others: tuple[tuple[str, int], ...]  # further resources
    ports: tuple[tuple[str, str, int], ...]  # host address, protocol, host port
    demands: NodeDemands
    preferences: tuple[tuple[int, tuple[Rule, ...], tuple[Rule, ...]], ...]  # of nodes, with weights
    spread: tuple[Spread, ...]
    default_spread: bool  # the constraints are the scheduler's own
    affinity: Affinity | None
    pinned: tuple[str, ...] | None = field(default=None)  # names of the only nodes it may go to

    @classmethod
    def of(cls, pod: Object, services: Iterable[Object] = (), owner: Object | None = None) -> PodInfo:
        """Read a pod. What it belongs to (`default_selector`) spreads it, unless it says itself how."""
        metadata, spec = pod["metadata"], pod["spec"]
        exact, scored = requests_of(spec), requests_of(spec, DEFAULT_MILLICORES, DEFAULT_BYTES)
        spread, default = _constraints(pod, default_selector(pod, services, owner))
        affinity = spec.get("affinity") or {}
        required = (affinity.get("nodeAffinity") or {}).get(REQUIRED)
        terms = None if required is None else tuple(map(_node_term, required.get("nodeSelectorTerms") or ()))
        return cls(
            uid=metadata.get("uid", ""),
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            labels=labels_of(pod),
            node=spec.get("nodeName", ""),
            leaving=is_leaving(pod),
            cpu=exact.pop("cpu", 0),
            memory=exact.pop("memory", 0),
            scored_cpu=scored.get("cpu", 0),
            scored_memory=scored.get("memory", 0),
            others=tuple(sorted((name, amount) for name, amount in exact.items() if amount)),
            ports=_host_ports(spec),
            demands=_demands(spec, terms),
            preferences=_preferences(affinity),
            spread=spread,
            default_spread=default,
            affinity=_affinity(pod, affinity),
            pinned=_pinned(terms),
        )


# requests ----------------------------------------------------------------------------------------------


def requests_of(spec: Object, cpu: int = 0, memory: int = 0) -> Amounts:
    """What a pod requests in all: its containers together, or the most that its start needs.

    `cpu` and `memory` stand in for containers that request none.

    >>> requests_of({"containers": [{"resources": {"requests": {"cpu": "250m"}}}, {}]}, cpu=100)
    {'cpu': 350}
    """
    missing = {name: amount for name, amount in (("cpu", cpu), ("memory", memory)) if amount}
    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, _requests(container, missing))
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in spec.get("initContainers") or ():
        needs = _requests(container, missing)
        if container.get("restartPolicy") == "Always":
            _add(total, needs)
            _add(sidecars, needs)
            needs = dict(sidecars)
        else:
            _add(needs, sidecars)
        start = {name: max(start.get(name, 0), needs.get(name, 0)) for name in {**start, **needs}}
    total = {name: max(total.get(name, 0), start.get(name, 0)) for name in {**total, **start}}
    _add(total, _amounts(spec.get("overhead") or {}))
    return total


def _requests(container: Object, missing: Amounts) -> Amounts:
    found = _amounts((container.get("resources") or {}).get("requests") or {})
    return {**missing, **found}


def _amounts(resources: Object) -> Amounts:
    return {name: millicores(value) if name == "cpu" else whole(value) for name, value in resources.items()}


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _host_ports(spec: Object) -> tuple[tuple[str, str, int], ...]:
    """The ports that it takes on the machine; sidecars' ports count as well."""
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return tuple(
        (port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), port["hostPort"])
        for container in [*(spec.get("containers") or ()), *sidecars]
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


# nodes ---------------------------------------------------------------------------------------------------


def _demands(spec: Object, terms: tuple[NodeTerm, ...] | None) -> NodeDemands:
    tolerations = tuple(
        (t.get("key", ""), t.get("operator", ""), t.get("value", ""), t.get("effect", ""))
        for t in spec.get("tolerations") or ()
    )
    labels = tuple(sorted((spec.get("nodeSelector") or {}).items()))
    return NodeDemands(spec.get("nodeName", ""), labels, terms, tolerations)


def _node_term(term: Object) -> NodeTerm:
    return rules_of(term), rules_of({"matchExpressions": term.get("matchFields")})


def _preferences(affinity: Object) -> tuple[tuple[int, tuple[Rule, ...], tuple[Rule, ...]], ...]:
    listed = (affinity.get("nodeAffinity") or {}).get(PREFERRED) or ()
    return tuple((one["weight"], *_node_term(one["preference"])) for one in listed)


def _pinned(terms: tuple[NodeTerm, ...] | None) -> tuple[str, ...] | None:
    """The nodes that a pod names one by one, as those of a DaemonSet do; None if it leaves any open."""
    names: dict[str, None] = {}
    for _, fields in terms or ():
        named = [values for key, operator, values in fields if key == "metadata.name" and operator == "In"]
        if not named:
            return None
        names.update(dict.fromkeys(v for v in named[0] if all(v in values for values in named)))
    return tuple(names) if terms else None


# other pods ----------------------------------------------------------------------------------------------


def default_selector(pod: Object, services: Iterable[Object], owner: Object | None) -> Object | None:
    """The selector that the pod's Services and its owner share; None if there is nothing to it.

    The owner counts if it is a ReplicaSet, a ReplicationController or a StatefulSet.
    """
    labels: dict[str, str] = {}
    for service in services:
        selector = service["spec"].get("selector")
        same = service["metadata"].get("namespace") == pod["metadata"].get("namespace")
        if selector and same and matches_labels(selector, labels_of(pod)):
            labels.update(selector)
    expressions: list[Object] = []
    if owner is not None and owner["kind"] == "ReplicationController":
        labels.update(owner["spec"].get("selector") or {})
    elif owner is not None and owner["kind"] in ("ReplicaSet", "StatefulSet"):
        labels.update(owner["spec"]["selector"].get("matchLabels") or {})
        expressions = owner["spec"]["selector"].get("matchExpressions") or []
    if not labels and not expressions:
        return None
    return {"matchLabels": labels, "matchExpressions": expressions}


SYSTEM_SPREAD = ((HOSTNAME, 3), (ZONE, 5))
"""How the scheduler spreads pods that do not say how: topology key and largest skew."""


def _constraints(pod: Object, selector: Object | None) -> tuple[tuple[Spread, ...], bool]:
    own = pod["spec"].get("topologySpreadConstraints")
    if own:
        return tuple(_spread(pod, constraint) for constraint in own), False
    if selector is None:
        return (), False
    chosen = PodSelector((pod["metadata"].get("namespace", ""),), rules_of(selector))
    return tuple(Spread(key, skew, hard=False, selector=chosen) for key, skew in SYSTEM_SPREAD), True


def _spread(pod: Object, given: Object) -> Spread:
    rules = (*rules_of(given.get("labelSelector")), *_own_labels(pod, given.get("matchLabelKeys"), "In"))
    namespace = pod["metadata"].get("namespace", "")
    return Spread(
        key=given["topologyKey"],
        max_skew=given["maxSkew"],
        hard=given.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule",
        selector=PodSelector((namespace,), rules, nothing=given.get("labelSelector") is None),
        min_domains=given.get("minDomains") or 1,
        honors_affinity=given.get("nodeAffinityPolicy", "Honor") == "Honor",
        honors_taints=given.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _own_labels(pod: Object, keys: Iterable[str] | None, operator: str) -> tuple[Rule, ...]:
    labels = labels_of(pod)
    return tuple((key, operator, (labels[key],)) for key in keys or () if key in labels)


def _affinity(pod: Object, given: Object) -> Affinity | None:
    near, far = given.get("podAffinity") or {}, given.get("podAntiAffinity") or {}
    if not near and not far:
        return None
    return Affinity(
        required=tuple(_term(pod, term) for term in near.get(REQUIRED) or ()),
        refused=tuple(_term(pod, term) for term in far.get(REQUIRED) or ()),
        preferred=tuple(_term(pod, t["podAffinityTerm"], t["weight"]) for t in near.get(PREFERRED) or ()),
        disliked=tuple(_term(pod, t["podAffinityTerm"], t["weight"]) for t in far.get(PREFERRED) or ()),
    )


def _term(pod: Object, given: Object, weight: int = 0) -> Term:
    """A term; without namespaces or a selector of them it means the pod's own namespace."""
    by_label = given.get("namespaceSelector")
    named = tuple(given.get("namespaces") or ())
    if not named and by_label is None:
        named = (pod["metadata"].get("namespace", ""),)
    rules = (
        *rules_of(given.get("labelSelector")),
        *_own_labels(pod, given.get("matchLabelKeys"), "In"),
        *_own_labels(pod, given.get("mismatchLabelKeys"), "NotIn"),
    )
    everywhere = by_label is not None and not rules_of(by_label)
    selector = PodSelector(
        None if everywhere else named,
        rules,
        None if by_label is None else rules_of(by_label),
        nothing=given.get("labelSelector") is None,
    )
    return Term(selector, given["topologyKey"], weight)
