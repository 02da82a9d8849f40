"""`kubectl describe` of a kind that has no page of its own: all fields, in the order of their names.

A field's name is parted into words, so `creationTimestamp` becomes `Creation Timestamp`. ControllerRevisions and
Leases look like this, and whatever a CRD brings. Source: kubectl pkg/describe, describe.go (genericDescriber,
printUnstructuredContent, smartLabelFor).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.heading import headed
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.objects import Object
from netsim.api.times import with_times

ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
SKIPPED = tuple(f".metadata.{name}" for name in ("managedFields", "name", "namespace", "labels", "annotations"))


def describe_generic(obj: Object, lookup: Lookup, now: int) -> str:
    """Everything that an object holds, and its events."""
    page = headed(obj, namespace="")
    _fields(page, with_times(obj), "", 0)
    write_events(page, events_of(obj, lookup("Event", obj["metadata"].get("namespace"))), now)
    return str(page)


def _fields(page: Page, content: Mapping[str, Any], path: str, level: int) -> None:
    for name in sorted(content):
        value, place = content[name], f"{path}.{name}"
        if place in SKIPPED:
            continue
        if not isinstance(value, Mapping | list):
            page.line(f"{label_of(name)}:", _text(value), level=level)
            continue
        page.line(f"{label_of(name)}:", level=level)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Mapping):
                _fields(page, part, place, level + 1)
            else:
                page.line(_text(part), level=level + 1)


def _text(value: Any) -> str:
    return "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def label_of(field: str) -> str:
    """A field's name in words.

    >>> label_of("creationTimestamp"), label_of("apiVersion"), label_of("podIPs"), label_of("uid")
    ('Creation Timestamp', 'API Version', 'Pod I Ps', 'UID')
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^A-Za-z0-9_]+", field)
    return " ".join(word.upper() if word.upper() in ACRONYMS else word[:1].upper() + word[1:] for word in words)
