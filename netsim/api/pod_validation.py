"""What the API server refuses of pods, and of labels and selectors.

Source: Kubernetes 1.32, pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsim.api import names, volume_validation
from netsim.api.refusals import Path, Refusals
from netsim.units import parse_quantity

Object = dict[str, Any]

_ANNOTATIONS = 256 << 10  # bytes that all annotations of an object may have
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBE_COUNTS = ("timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_GRACE = 30  # a pod's, in seconds, unless it says another
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_HARD, _SOFT = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))


# labels and selectors ---------------------------------------------------------------------------------


def labels(no: Refusals, path: Path, given: Mapping[str, str]) -> None:
    """Labels, or what selects them."""
    for key, value in given.items():
        if wrong := names.qualified_name(key):
            no.each(path, key, wrong, key)
        if wrong := names.label_value(value):
            no.each(path, value, wrong, key)


def annotation_keys(no: Refusals, path: Path, given: Mapping[str, str]) -> None:
    """Annotations: their keys, and how much they are."""
    for key in given:
        if wrong := names.qualified_name(key.lower()):
            no.each(path, key, wrong, key)
    if sum(len(key) + len(value) for key, value in given.items()) > _ANNOTATIONS:
        no.append((path, f"metadata.annotations: Too long: may not be more than {_ANNOTATIONS} bytes"))


def label_selector(no: Refusals, path: Path, selector: Object) -> None:
    """A selector of objects by their labels."""
    labels(no, (*path, "matchLabels"), selector.get("matchLabels") or {})
    for index, rule in enumerate(selector.get("matchExpressions") or ()):
        where, operator = (*path, "matchExpressions", index), rule.get("operator") or ""
        if operator in ("In", "NotIn"):
            if not rule.get("values"):
                no.required((*where, "values"), "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if rule.get("values"):
                no.forbidden(
                    (*where, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                )
        else:
            no.invalid((*where, "operator"), operator, "not a valid selector operator")
        no.each((*where, "key"), rule.get("key") or "", names.qualified_name(rule.get("key") or ""))


def port_or_name(no: Refusals, path: Path, port: int | str) -> None:
    """A port by its number or its name."""
    no.each(path, port, names.port_number(port) if isinstance(port, int) else names.port_name(port))


# pods -------------------------------------------------------------------------------------------------


def pod_spec(no: Refusals, path: Path, spec: Object) -> None:
    """What a pod is made of."""
    known = volume_validation.volumes(no, (*path, "volumes"), spec.get("volumes") or [])
    _containers(no, path, spec, known)
    _one_of(no, path, "restartPolicy", spec, ("Always", "OnFailure", "Never"))
    _one_of(no, path, "dnsPolicy", spec, ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            no.each((*path, name), spec[name], names.dns_label(spec[name]))
    if spec.get("nodeName"):
        no.each((*path, "nodeName"), spec["nodeName"], names.dns_subdomain(spec["nodeName"]))
    if spec.get("nodeSelector"):
        labels(no, (*path, "nodeSelector"), spec["nodeSelector"])
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        _toleration(no, (*path, "tolerations", index), toleration)
    for index, rule in enumerate(spec.get("topologySpreadConstraints") or ()):
        _spread(no, (*path, "topologySpreadConstraints", index), rule)
    if spec.get("affinity"):
        _affinity(no, (*path, "affinity"), spec["affinity"])
    _dns_config(no, path, spec)
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType") or ""
        no.each((*path, "readinessGates", index, "conditionType"), kind, names.qualified_name(kind))


def _one_of(no: Refusals, path: Path, name: str, spec: Object, allowed: tuple[str, ...]) -> None:
    if spec.get(name) and spec[name] not in allowed:
        no.unsupported((*path, name), spec[name], allowed)


def _containers(no: Refusals, path: Path, spec: Object, volumes: list[str]) -> None:
    path, containers = (*path, "containers"), spec.get("containers") or []
    if not containers:
        no.required(path)
    seen: set[str] = set()
    for index, container in enumerate(containers):
        where, name = (*path, index), container.get("name")
        if not name:
            no.required((*where, "name"))
        else:
            no.each((*where, "name"), name, names.dns_label(name))
            if name in seen:
                no.duplicate((*where, "name"), name)
            seen.add(name)
        _container(no, where, container, spec)
        volume_validation.mounts(no, (*where, "volumeMounts"), container.get("volumeMounts") or [], volumes)


def _container(no: Refusals, path: Path, container: Object, spec: Object) -> None:
    image = container.get("image") or ""
    if not image:
        no.required((*path, "image"))
    elif image != image.strip():
        no.invalid((*path, "image"), image, "must not have leading or trailing whitespace")
    if container.get("ports"):
        _container_ports(no, (*path, "ports"), container["ports"], spec.get("hostNetwork", False))
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            no.required((*path, "env", index, "name"))
        if variable.get("value") and variable.get("valueFrom"):
            where = (*path, "env", index, "valueFrom")
            no.invalid(where, "", "may not be specified when `value` is not empty")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            _probe(no, (*path, name), container[name], name)
    if hook := (container.get("lifecycle") or {}).get("preStop"):
        _handler(no, (*path, "lifecycle", "preStop"), hook)
        _sleep(no, (*path, "lifecycle", "preStop", "sleep"), hook, spec.get("terminationGracePeriodSeconds"))
    _resources(no, (*path, "resources"), container.get("resources") or {})


def _container_ports(no: Refusals, path: Path, ports: list[Object], on_host: bool) -> None:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where, name, number = (*path, index), port.get("name"), port.get("containerPort")
        if name:
            no.each((*where, "name"), name, names.port_name(name))
            if name in seen:
                no.duplicate((*where, "name"), name)
            seen.add(name)
        if not number:
            no.required((*where, "containerPort"))
        else:
            no.each((*where, "containerPort"), number, names.port_number(number))
        host = port.get("hostPort")
        if host:
            no.each((*where, "hostPort"), host, names.port_number(host))
            if on_host and host != number:
                message = "must match `hostPort` when `hostNetwork` is true"
                no.invalid((*where, "containerPort"), number, message)
        if (port.get("protocol") or "TCP") not in names.PROTOCOLS:
            no.unsupported((*where, "protocol"), port["protocol"], names.PROTOCOLS)


def _probe(no: Refusals, path: Path, probe: Object, kind: str) -> None:
    _handler(no, path, probe)
    for name in ("initialDelaySeconds", *_PROBE_COUNTS):
        no.not_negative((*path, name), probe.get(name))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and kind == "readinessProbe":
        no.invalid((*path, "terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes")
    elif grace is not None and grace <= 0:
        no.invalid((*path, "terminationGracePeriodSeconds"), grace, "must be greater than 0")
    if kind != "readinessProbe" and (probe.get("successThreshold") or 1) != 1:
        no.invalid((*path, "successThreshold"), probe["successThreshold"], "must be 1")


def _sleep(no: Refusals, path: Path, hook: Object, grace: int | None) -> None:
    """A hook that sleeps must be done within the pod's grace."""
    seconds, grace = (hook.get("sleep") or {}).get("seconds"), _GRACE if grace is None else grace
    if seconds is not None and not 0 < seconds <= grace:
        message = f"must be greater than 0 and less than terminationGracePeriodSeconds ({grace})."
        gate = "Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."
        no.invalid(path, seconds, f"{message} {gate}")


def _handler(no: Refusals, path: Path, handler: Object) -> None:
    given = [name for name in _HANDLERS if handler.get(name) is not None]
    if not given:
        no.required(path, "must specify a handler type")
    for name in given[1:]:
        no.forbidden((*path, name), "may not specify more than 1 handler type")
    for name in given:
        port = handler[name].get("port") if name != "exec" else None
        if port is not None and name in ("httpGet", "tcpSocket", "grpc"):
            port_or_name(no, (*path, name, "port"), port)


def _resources(no: Refusals, path: Path, resources: Object) -> None:
    limits = resources.get("limits") or {}
    for name, text in (resources.get("requests") or {}).items():
        amount = parse_quantity(text)
        if amount < 0:
            no.invalid((*path, "requests", name), str(text), "must be greater than or equal to 0")
        elif name in limits and amount > parse_quantity(limits[name]):
            message = f"must be less than or equal to {name} limit of {limits[name]}"
            no.invalid((*path, "requests"), str(text), message, name)


def _toleration(no: Refusals, path: Path, toleration: Object) -> None:
    key, operator = toleration.get("key"), toleration.get("operator") or "Equal"
    effect = toleration.get("effect")
    if key:
        no.each((*path, "key"), key, names.qualified_name(key))
    elif operator != "Exists":
        message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        no.invalid((*path, "operator"), operator, message)
    if operator not in ("Equal", "Exists"):
        no.unsupported((*path, "operator"), operator, ("Equal", "Exists"))
    elif operator == "Exists" and toleration.get("value"):
        no.invalid((*path, "operator"), operator, "value must be empty when `operator` is 'Exists'")
    if effect and effect not in _EFFECTS:
        no.unsupported((*path, "effect"), effect, _EFFECTS)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        message = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        no.invalid((*path, "effect"), effect or "", message)


def _spread(no: Refusals, path: Path, rule: Object) -> None:
    if (rule.get("maxSkew") or 0) <= 0:
        no.invalid((*path, "maxSkew"), rule.get("maxSkew") or 0, "must be greater than zero")
    if not rule.get("topologyKey"):
        no.required((*path, "topologyKey"), "can not be empty")
    allowed = ("DoNotSchedule", "ScheduleAnyway")
    if rule.get("whenUnsatisfiable") not in allowed:
        no.unsupported((*path, "whenUnsatisfiable"), rule.get("whenUnsatisfiable") or "", allowed)
    label_selector(no, (*path, "labelSelector"), rule.get("labelSelector") or {})


def _affinity(no: Refusals, path: Path, affinity: Object) -> None:
    node = affinity.get("nodeAffinity") or {}
    required = node.get(_HARD)
    if required is not None and not required.get("nodeSelectorTerms"):
        where = (*path, "nodeAffinity", _HARD, "nodeSelectorTerms")
        no.required(where, "must have at least one node selector term")
    for index, term in enumerate((required or {}).get("nodeSelectorTerms") or ()):
        _node_term(no, (*path, "nodeAffinity", _HARD, "nodeSelectorTerms", index), term)
    for index, term in enumerate(node.get(_SOFT) or ()):
        _weight(no, (*path, "nodeAffinity", _SOFT, index), term)
        _node_term(no, (*path, "nodeAffinity", _SOFT, index, "preference"), term.get("preference") or {})
    for part in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(part) or {}
        for index, term in enumerate(rules.get(_HARD) or ()):
            _pod_term(no, (*path, part, _HARD, index), term)
        for index, term in enumerate(rules.get(_SOFT) or ()):
            _weight(no, (*path, part, _SOFT, index), term)
            _pod_term(no, (*path, part, _SOFT, index, "podAffinityTerm"), term.get("podAffinityTerm") or {})


def _weight(no: Refusals, path: Path, term: Object) -> None:
    if not 1 <= (term.get("weight") or 0) <= 100:
        no.invalid((*path, "weight"), term.get("weight") or 0, "must be in the range 1-100")


def _pod_term(no: Refusals, path: Path, term: Object) -> None:
    key = term.get("topologyKey")
    if not key:
        no.required((*path, "topologyKey"), "can not be empty")
    else:
        no.each((*path, "topologyKey"), key, names.qualified_name(key))
    label_selector(no, (*path, "labelSelector"), term.get("labelSelector") or {})


def _node_term(no: Refusals, path: Path, term: Object) -> None:
    for index, rule in enumerate(term.get("matchExpressions") or ()):
        where = (*path, "matchExpressions", index)
        operator, values = rule.get("operator") or "", rule.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                no.required((*where, "values"), "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                message = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                no.forbidden((*where, "values"), message)
        elif operator in ("Gt", "Lt"):
            if len(values) != 1:
                message = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                no.required((*where, "values"), message)
        else:
            no.invalid((*where, "operator"), operator, "not a valid selector operator")
        no.each((*where, "key"), rule.get("key") or "", names.qualified_name(rule.get("key") or ""))
    for index, rule in enumerate(term.get("matchFields") or ()):
        where = (*path, "matchFields", index)
        if rule.get("key") != "metadata.name":
            no.invalid((*where, "key"), rule.get("key") or "", "not a valid field selector key")
        if rule.get("operator") not in ("In", "NotIn"):
            no.invalid((*where, "operator"), rule.get("operator") or "", "not a valid selector operator")
        elif len(rule.get("values") or ()) != 1:
            message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            no.required((*where, "values"), message)


def _dns_config(no: Refusals, path: Path, spec: Object) -> None:
    config, where = spec.get("dnsConfig") or {}, (*path, "dnsConfig")
    servers = config.get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        no.required(
            (*where, "nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    if len(servers) > 3:
        no.invalid((*where, "nameservers"), servers, "must not have more than 3 nameservers")
    for index, server in enumerate(servers):
        if names.ip_address(server) is None:
            no.invalid((*where, "nameservers", index), server, names.NOT_AN_IP)
    if len(config.get("searches") or ()) > 32:
        no.invalid((*where, "searches"), config["searches"], "must not have more than 32 search paths")
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            no.required((*where, "options", index), "must not be empty")
