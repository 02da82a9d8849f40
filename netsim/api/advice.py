"""What would do, where the API server only says what is wrong: labels and selectors that should go together.

Whoever writes a workload says the same labels twice, in its template and in its selector, and most mistakes are made
there. What is meant can be read off the other place.
"""

from __future__ import annotations

import json
import re
from typing import Any

from netsim.api.objects import Object

_PLAIN = re.compile("(?!(true|false|null)$)[a-z][-a-z0-9./]*", re.IGNORECASE)  # text that needs no quotes


def hint_for_field(obj: Object, path: tuple[str | int, ...]) -> str:
    """What a field that an object cannot have, or not so, was probably to be.

    >>> obj = {"kind": "Deployment", "spec": {"selector": {"app": "web"}}}
    >>> hint_for_field(obj, ("spec", "selector", "app"))
    'labels stand below matchLabels: selector: {matchLabels: {app: web}}'
    """
    given = _part(obj, "spec", "selector")
    if obj.get("kind") == "Service" and path == ("spec", "selector", "matchLabels"):
        return f"a Service has the labels themselves there: selector: {_flow(_part(given, 'matchLabels'))}"
    if path[:-1] != ("spec", "selector"):
        return ""
    labels = {name: value for name, value in given.items() if isinstance(value, str)}
    whole = len(labels) == len(given) and path[-1] in labels
    return f"labels stand below matchLabels: selector: {{matchLabels: {_flow(labels)}}}" if whole else ""


def hint_for_refusal(obj: Object, message: str) -> str:
    """What would do about something that the API server refuses.

    >>> obj = {"spec": {"selector": {"matchLabels": {"app": "web"}},
    ...                 "template": {"metadata": {"labels": {"app": "wbe"}}}}}
    >>> hint_for_refusal(obj, "spec.template.metadata.labels: ...: `selector` does not match template `labels`")
    'the selector wants {app: web}: write the same in both'
    >>> hint_for_refusal({"spec": {"template": obj["spec"]["template"]}}, "spec.selector: Required value")
    'write selector: {matchLabels: {app: wbe}}'
    """
    labels = _part(obj, "spec", "template", "metadata", "labels")
    wanted = _part(obj, "spec", "selector", "matchLabels")
    if message == "spec.selector: Required value" and labels:
        return f"write selector: {{matchLabels: {_flow(labels)}}}"
    if message.endswith("`selector` does not match template `labels`") and wanted:
        return f"the selector wants {_flow(wanted)}: write the same in both"
    return ""


def _part(obj: Any, *path: str) -> dict[str, Any]:
    """The map at a path; an empty one if there is none."""
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj if isinstance(obj, dict) else {}


def _flow(labels: dict[str, Any]) -> str:
    """Labels on one line, as YAML has them.

    >>> _flow({"app": "web", "release": "1"})
    '{app: web, release: "1"}'
    """
    values = {name: value if _PLAIN.fullmatch(str(value)) else json.dumps(value) for name, value in labels.items()}
    return "{" + ", ".join(f"{name}: {value}" for name, value in values.items()) + "}"
