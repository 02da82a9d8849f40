"""The EndpointSlice controller: endpoints follow the selector.

It hears of Services and pods, and for each Service that may be concerned works out what its slices should say
(`endpointslices.py`), then makes the few calls that bring them there. The legacy Endpoints object is written
beside them. By default nothing is batched: a pod that loses readiness is gone from the slice milliseconds later.

Source: kubernetes `pkg/controller/endpointslice/endpointslice_controller.go`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from netsim.api.objects import Object, key_of, labels_of, name_of
from netsim.api.selectors import matches_labels
from netsim.api.store import Change
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.endpoints import Memory, address_types, change_matters, endpoints_of, has_endpoints
from netsim.control.endpointslices import Plan, is_managed, reconcile
from netsim.control.hints import Notice, Slices, cpu_ratios, hints, hints_enabled
from netsim.control.naming import suffix
from netsim.control.trigger_times import TriggerTimes
from netsim.control.workqueue import WorkQueue
from netsim.units import S

Key = tuple[str, str]
RETRY = 1 * S  # when a pod's node is not known yet


class EndpointSlices:
    """Keeps the slices of every Service that has a selector."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=5)
        self.memories: dict[Key, Memory] = {}
        self.triggers: dict[Key, TriggerTimes] = {}
        self.notices: dict[tuple[Key, str], str] = {}  # what was last said about a Service's hints, by family
        self._chance = cluster.draws.stream("endpointslice-names")
        cluster.hear("Service", lambda change: self._want(key_of(change.object)))
        cluster.hear("Pod", self._pod_changed)

    def _want(self, key: Key) -> None:
        batch = self.cluster.timings.endpoint_slice_batch
        if batch:
            self.queue.add_after(batch, key)
        else:
            self.queue.add(key)

    def _pod_changed(self, change: Change) -> None:
        if (
            change.type == "MODIFIED"
            and change.old is not None
            and not any(change_matters(change.old, change.object))
        ):
            return
        for pod in (change.object, change.old):
            for service in self._selecting(pod) if pod else ():
                self._want(key_of(service))

    def _selecting(self, pod: Object) -> list[Object]:
        """The Services whose selector takes a pod."""
        namespace, labels = pod["metadata"]["namespace"], labels_of(pod)
        return [
            service
            for item in labels.items()
            for service in self.cluster.store.find("Service", "selector", (namespace, item))
            if matches_labels(service["spec"]["selector"], labels)
        ]

    def _sync(self, key: Key) -> Generator[Any, Any, None]:
        """Bring the slices of one Service to what its pods say now."""
        store = self.cluster.store
        service = store.get("Service", *key)
        slices = [piece for piece in store.find("EndpointSlice", "service", key) if is_managed(piece)]
        if service is None:
            self.memories.pop(key, None)
            self.triggers.pop(key, None)
            for piece in slices:
                yield self.client.call()
                store.remove("EndpointSlice", *key_of(piece))
            store.remove("Endpoints", *key)
            return
        if not has_endpoints(service):
            return
        pods = selected_pods(self.cluster, key[0], service["spec"]["selector"])
        plan = reconcile(
            service,
            pods,
            lambda name: store.get("Node", "", name),
            slices,
            new_name=lambda: f"{key[1]}-{suffix(self._chance.next())}",
            max_endpoints=self.cluster.timings.max_endpoints_per_slice,
            trigger=self.triggers.setdefault(key, TriggerTimes()).look(service, pods),
            memory=self.memories.setdefault(key, Memory()),
        )
        self._hint(service, slices, plan)
        for piece in plan.create:
            yield self.client.call()
            store.create(piece)
        for piece in plan.update:
            yield self.client.call()
            if self.cluster.current(piece) is not None:
                store.update(piece)
        for piece in plan.delete:
            yield self.client.call()
            store.remove("EndpointSlice", *key_of(piece))
        if plan:
            self._write_endpoints(service, pods)
        if plan.retry:
            self.queue.add_after(RETRY, key)

    def _hint(self, service: Object, slices: list[Object], plan: Plan) -> None:
        """Put the hints that a Service asks for into what is about to be written, and say how that went."""
        proportional = hints_enabled(service["metadata"].get("annotations") or {})
        ratios = cpu_ratios(self.cluster.store.list("Node")) if proportional else None
        notices = put_hints(service, slices, plan, ratios, same_gate=self.cluster.version >= "1.34")
        for family, notice in notices.items():
            place, text = (key_of(service), family), f"{notice.message}, addressType: {family}"
            if self.notices.get(place) != text:
                self.notices[place] = text
                self.cluster.event(service, notice.type, notice.reason, text, "endpoint-slice-controller")

    def _write_endpoints(self, service: Object, pods: list[Object]) -> None:
        """The legacy object, for those who still read it."""
        store = self.cluster.store
        wanted = endpoints_of(service, pods, self.memories[key_of(service)])
        old = store.get("Endpoints", *key_of(service))
        if old is None:
            store.create(wanted)
        else:
            metadata = {**old["metadata"], **wanted["metadata"]}
            store.update({**old, "metadata": metadata, "subsets": wanted.get("subsets", [])})


def put_hints(
    service: Object, slices: list[Object], plan: Plan, ratios: Mapping[str, float] | None, *, same_gate: bool
) -> dict[str, Notice]:
    """Put hints into a plan, each address family for itself; what there is to say of a family's.

    `slices` are those there were; one that only lacks its hints is to be updated, too.
    """
    written = {name_of(piece) for piece in (*plan.update, *plan.delete)}
    unchanged = [piece for piece in slices if name_of(piece) not in written]
    groups = plan.create, plan.update, unchanged
    plan.create, plan.update = [], []
    notices = {}
    for family in address_types(service):
        create, update, same = ([p for p in group if p["addressType"] == family] for group in groups)
        given = Slices(*([p["endpoints"] for p in group] for group in (create, update, same)))
        found, notice = hints(given, service, ratios, same_gate=same_gate)
        kept = {id(endpoints) for endpoints in found.unchanged}
        moved = [piece for piece in same if id(piece["endpoints"]) not in kept]
        plan.create += _with_endpoints(create, found.create)
        plan.update += _with_endpoints([*update, *moved], found.update)
        if notice is not None:
            notices[family] = notice
    return notices


def _with_endpoints(slices: list[Object], endpoints: Sequence[Sequence[Any]]) -> list[Object]:
    return [{**piece, "endpoints": list(new)} for piece, new in zip(slices, endpoints, strict=True)]


def selected_pods(cluster: Cluster, namespace: str, selector: dict[str, str]) -> list[Object]:
    """The pods of a namespace that have all these labels, oldest first."""
    store = cluster.store
    rarest = min(selector.items(), key=lambda item: store.find_count("Pod", "label", (namespace, item)))
    pods = store.find("Pod", "label", (namespace, rarest))
    return pods if len(selector) == 1 else [pod for pod in pods if matches_labels(selector, labels_of(pod))]


def selector_keys(service: Object) -> list[Any]:
    """Under what a Service is found from a pod: the first label of its selector."""
    selector = service["spec"].get("selector")
    return [(service["metadata"]["namespace"], min(selector.items()))] if selector else []
