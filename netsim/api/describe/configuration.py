"""`kubectl describe configmap` and `secret`: a ConfigMap's texts as they are, of a Secret only how long they are.

Source: kubectl pkg/describe, ConfigMapDescriber and describeSecret.
"""

from __future__ import annotations

from base64 import b64decode

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.heading import headed
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.objects import Object


def describe_configmap(configmap: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a ConfigMap."""
    page = headed(configmap)
    _title(page, "Data")
    for name, text in sorted((configmap.get("data") or {}).items()):
        for line in (f"{name}:", "----", *text.split("\n"), ""):
            page.line(line)
    _title(page, "BinaryData")
    for name, value in sorted((configmap.get("binaryData") or {}).items()):
        page.line(f"{name}: {_length(value)} bytes")
    page.line("")
    write_events(page, events_of(configmap, lookup("Event", configmap["metadata"].get("namespace"))), now)
    return str(page)


def describe_secret(secret: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a Secret."""
    page = headed(secret)
    page.line("")
    page.line("Type:", secret.get("type", "Opaque"))
    _title(page, "Data")
    for name, value in sorted((secret.get("data") or {}).items()):
        page.line(f"{name}:", f"{_length(value)} bytes")
    return str(page)


def _title(page: Page, title: str) -> None:
    for line in ("", title, "===="):
        page.line(line)


def _length(value: str) -> int:
    return len(b64decode(value))
