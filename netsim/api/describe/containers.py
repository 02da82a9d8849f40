"""The containers of a pod or of a pod template, as `kubectl describe` tells them.

Source: kubectl pkg/describe, describeContainers and its parts, release 1.32.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from netsim.api.describe.page import Page
from netsim.api.describe.quantities import quantity_text
from netsim.api.objects import Object
from netsim.api.tables.columns import NONE, host_port
from netsim.api.times import rfc1123


def write_containers(
    page: Page, title: str, containers: Iterable[Object], pod: Object | None, inner: str = ""
) -> None:
    """Containers, each with its status where `pod` has one; `inner` is blank space inside a template."""
    statuses = _statuses(pod)
    page.line(f"{inner}{title}:")
    for container in containers:
        status = statuses.get(container["name"])
        page.line(f"{' ' if inner else ''}{container['name']}:", level=1)
        _identity(page, container, status)
        _commands(page, container)
        if status is not None:
            _state(page, status)
        _resources(page, container.get("resources") or {})
        _probes(page, container)
        _environment(page, container, pod)
        _mounts(page, container)


def _statuses(pod: Object | None) -> dict[str, Object]:
    status = (pod or {}).get("status") or {}
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return {one["name"]: one for one in listed}


def _identity(page: Page, container: Object, status: Object | None) -> None:
    if status is not None:
        page.line("Container ID:", status.get("containerID", ""), level=2)
    page.line("Image:", container.get("image", ""), level=2)
    if status is not None:
        page.line("Image ID:", status.get("imageID", ""), level=2)
    for title, name in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = ", ".join(_port(port, name) for port in container.get("ports") or ())
        page.line(f"{title}s:" if "," in ports else f"{title}:", ports or NONE, level=2)


def _port(port: Object, field: str) -> str:
    text = f"{port.get(field, 0)}/{port.get('protocol', 'TCP')}"
    return f"{text} ({port['name']})" if port.get("name") else text


def _commands(page: Page, container: Object) -> None:
    for title, name in (("Command", "command"), ("Args", "args")):
        words = container.get(name) or ()
        if words:
            page.line(f"{title}:", level=2)
        for word in words:
            for part in word.split("\n"):
                page.line(part, level=3)


def _state(page: Page, status: Object) -> None:
    _one_state(page, "State", status.get("state") or {})
    last = status.get("lastState") or {}
    if last.get("terminated"):
        _one_state(page, "Last State", last)
    page.line("Ready:", "True" if status.get("ready") else "False", level=2)
    page.line("Restart Count:", status.get("restartCount", 0), level=2)


def _one_state(page: Page, title: str, state: Object) -> None:
    if state.get("running") is not None:
        page.line(f"{title}:", "Running", level=2)
        page.line("Started:", _time(state["running"].get("startedAt")), level=3)
    elif state.get("terminated") is not None:
        ended = state["terminated"]
        page.line(f"{title}:", "Terminated", level=2)
        for name, value in (("Reason", ended.get("reason")), ("Message", ended.get("message"))):
            if value:
                page.line(f"{name}:", value, level=3)
        page.line("Exit Code:", ended.get("exitCode", 0), level=3)
        if ended.get("signal"):
            page.line("Signal:", ended["signal"], level=3)
        page.line("Started:", _time(ended.get("startedAt")), level=3)
        page.line("Finished:", _time(ended.get("finishedAt")), level=3)
    else:
        page.line(f"{title}:", "Waiting", level=2)
        reason = (state.get("waiting") or {}).get("reason")
        if reason:
            page.line("Reason:", reason, level=3)


def _time(time: int | None) -> str:
    """Go's zero time is what kubectl prints where there is none."""
    return "Mon, 01 Jan 0001 00:00:00 +0000" if time is None else rfc1123(time)


def _resources(page: Page, resources: Mapping[str, Any]) -> None:
    for title, name in (("Limits", "limits"), ("Requests", "requests")):
        given = resources.get(name) or {}
        if given:
            page.line(f"{title}:", level=2)
        for resource in sorted(given):
            page.line(f"{resource}:", quantity_text(given[resource]), level=3)


def _probes(page: Page, container: Object) -> None:
    for title in ("Liveness", "Readiness", "Startup"):
        probe = container.get(f"{title.lower()}Probe")
        if probe:
            page.line(f"{title}:", probe_text(probe), level=2)


def probe_text(probe: Mapping[str, Any]) -> str:
    """A probe in one line.

    >>> probe_text({"httpGet": {"path": "/ok", "port": 80, "scheme": "HTTP"}, "periodSeconds": 5})
    'http-get http://:80/ok delay=0s timeout=1s period=5s #success=1 #failure=3'
    """
    times = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 1)}s "
        f"period={probe.get('periodSeconds', 10)}s #success={probe.get('successThreshold', 1)} "
        f"#failure={probe.get('failureThreshold', 3)}"
    )
    return f"{_probe_target(probe)} {times}"


def _probe_target(probe: Mapping[str, Any]) -> str:
    if "exec" in probe:
        return f"exec [{' '.join(probe['exec'].get('command') or ())}]"
    if "httpGet" in probe:
        get = probe["httpGet"]
        host = host_port(get.get("host", ""), get["port"])
        path = get.get("path", "")
        path = f"/{path}" if path and not path.startswith("/") else path
        return f"http-get {get.get('scheme', 'HTTP').lower()}://{host}{path}"
    if "tcpSocket" in probe:
        return f"tcp-socket {probe['tcpSocket'].get('host', '')}:{probe['tcpSocket']['port']}"
    if "grpc" in probe:
        return f"grpc <pod>:{probe['grpc']['port']} {probe['grpc'].get('service') or ''}"
    return "unknown"


def _environment(page: Page, container: Object, pod: Object | None) -> None:
    sources = container.get("envFrom") or ()
    if sources:
        page.line("Environment Variables from:", level=2)
    for source in sources:
        page.line(*_env_from(source), level=3)
    variables = container.get("env") or ()
    if not variables:
        page.line("Environment:", NONE, level=2)
        return
    page.line("Environment:", level=2)
    for variable in variables:
        if "valueFrom" in variable:
            page.line(f"{variable['name']}:", *_value_from(variable["valueFrom"], pod), level=3)
            continue
        first, *more = variable.get("value", "").split("\n")
        page.line(f"{variable['name']}:", first, level=3)
        for part in more:
            page.line("", part, level=3)


def _env_from(source: Object) -> tuple[str, ...]:
    kind = "ConfigMap" if "configMapRef" in source else "Secret"
    reference = source.get("configMapRef") or source["secretRef"]
    prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
    return reference["name"], f"{kind}{prefix}", f"Optional: {_bool(reference.get('optional'))}"


def _value_from(source: Object, pod: Object | None) -> tuple[str, ...]:
    if "fieldRef" in source:
        reference = source["fieldRef"]
        value = "" if pod is None else pod_field(pod, reference["fieldPath"])
        return (f"{value} ({reference.get('apiVersion', 'v1')}:{reference['fieldPath']})",)
    if "resourceFieldRef" in source:
        return (f" ({source['resourceFieldRef']['resource']})",)
    kind = "secret" if "secretKeyRef" in source else "config map"
    preposition = "in" if kind == "secret" else "of"
    reference = source.get("secretKeyRef") or source["configMapKeyRef"]
    named = f"<set to the key '{reference['key']}' {preposition} {kind} '{reference.get('name', '')}'>"
    return named, f"Optional: {_bool(reference.get('optional'))}"


POD_FIELDS = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "metadata.uid": ("metadata", "uid"),
    "spec.nodeName": ("spec", "nodeName"),
    "spec.serviceAccountName": ("spec", "serviceAccountName"),
    "status.hostIP": ("status", "hostIP"),
    "status.podIP": ("status", "podIP"),
}
"""What the downward API gives to a variable, and where it stands."""


def pod_field(pod: Object, path: str) -> str:
    """The value of one field of a pod by the downward API, or nothing."""
    part, _, key = path.partition("['")
    if key and part in ("metadata.labels", "metadata.annotations"):
        return (pod["metadata"].get(part.removeprefix("metadata.")) or {}).get(re.sub(r"'\]$", "", key), "")
    where = POD_FIELDS.get(path)
    return (pod.get(where[0]) or {}).get(where[1], "") if where else ""


def _mounts(page: Page, container: Object) -> None:
    mounts = sorted(container.get("volumeMounts") or (), key=lambda mount: mount["mountPath"])
    if not mounts:
        page.line("Mounts:", NONE, level=2)
        return
    page.line("Mounts:", level=2)
    for mount in mounts:
        flags = ["ro" if mount.get("readOnly") else "rw"]
        if mount.get("subPath"):
            flags.append(f'path="{mount["subPath"]}"')
        page.line(f"{mount['mountPath']} from {mount['name']} ({','.join(flags)})", level=3)


def _bool(value: Any) -> str:
    return "true" if value else "false"
