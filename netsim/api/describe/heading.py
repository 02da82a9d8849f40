"""How most descriptions begin: name, namespace, labels, annotations."""

from __future__ import annotations

from netsim.api.describe.page import Page
from netsim.api.objects import Object


def headed(obj: Object, namespace: str = "default") -> Page:
    """A page with the first lines about an object; `namespace` is told of one that says none."""
    metadata, page = obj["metadata"], Page()
    page.line("Name:", metadata["name"])
    page.line("Namespace:", metadata.get("namespace", namespace))
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    return page
