"""expose: a Service for what is there already.

Selector, ports and labels are taken from the object unless flags give them. Source: kubectl pkg/cmd/expose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.api.objects import Object, container_ports, labels_of
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.create import WRITING, create_one
from netsim.console.kubectl.verb import FILES, Target, Verb, pairs, targets
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab


def expose(lab: Lab, call: Call, output: Output) -> None:
    """`expose`: a Service for what a Deployment, ReplicaSet, Service or pod selects or is labelled."""
    for one in targets(lab, call):
        obj = lab.api.get(one.kind, one.namespace, one.name)
        create_one(lab, call, _service_for(call, one, obj), output, done="exposed")


def _service_for(call: Call, one: Target, obj: Object) -> Object:
    if one.kind.name not in ("Deployment", "ReplicaSet", "Service", "Pod", "ReplicationController"):
        raise Failure(f"error: cannot expose a {one.kind.name}.{one.kind.group}".rstrip("."))
    selector = pairs(call["selector"].split(",")) if call["selector"] else _selector(obj)
    if not selector:
        raise Failure("error: couldn't retrieve selectors via --selector flag or introspection: "
                      "the object has no labels and cannot be exposed")  # fmt: skip
    ports = _ports(call, obj)
    if not ports and call["cluster-ip"] != "None":
        raise Failure("error: couldn't find port via --port flag or introspection")
    labels = pairs(call["labels"].split(",")) if call["labels"] else labels_of(obj)
    spec: Object = {"selector": selector, "ports": ports}
    for field, flag in (("type", "type"), ("clusterIP", "cluster-ip"), ("sessionAffinity", "session-affinity")):
        if call[flag]:
            spec[field] = call[flag]
    if call["external-ip"]:
        spec["externalIPs"] = [call["external-ip"]]
    metadata: Object = {"name": call["name"] or one.name, "namespace": one.namespace}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _selector(obj: Object) -> dict[str, str]:
    if obj["kind"] == "Pod":
        return labels_of(obj)
    selector = obj["spec"].get("selector") or {}
    return dict(selector if obj["kind"] in ("Service", "ReplicationController") else selector.get("matchLabels") or {})


def _ports(call: Call, obj: Object) -> list[Object]:
    """The ports asked for; else those that the containers (or the Service) name."""
    protocol = call["protocol"] or "TCP"
    target: int | str | None = call["target-port"] or None
    if isinstance(target, str) and target.isdecimal():
        target = int(target)
    if call["port"]:
        numbers = [(_number(port), protocol) for port in str(call["port"]).split(",")]
    else:
        spec = obj["spec"].get("template", obj)["spec"] if obj["kind"] != "Service" else {}
        listed = obj["spec"]["ports"] if obj["kind"] == "Service" else container_ports({"spec": spec})
        numbers = [(int(one.get("port") or one["containerPort"]), one.get("protocol", protocol)) for one in listed]
    named = len(numbers) > 1
    return [
        {"port": number, "protocol": own, "targetPort": number if target is None else target}
        | ({"name": f"port-{index}"} if named else {})
        for index, (number, own) in enumerate(numbers, 1)
    ]


def _number(text: str) -> int:
    if not (text.isdecimal()):
        raise Failure(f'error: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


VERBS = {
    "expose": Verb(
        "Make a Service for what is there",
        expose,
        (
            FILES, Flag("selector"), Flag("port"), Flag("target-port"), Flag("type"), Flag("name"), Flag("protocol"),
            Flag("labels", short="l"), Flag("cluster-ip"), Flag("session-affinity"), Flag("external-ip"), *WRITING,
        ),
        "expose (-f FILENAME | TYPE NAME) [--port=port] [--target-port=number-or-name] [--name=name] [--type=type]",
    ),
}  # fmt: skip
