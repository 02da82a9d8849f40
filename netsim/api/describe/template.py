"""The template of pods in the description of what makes pods.

Source: kubectl pkg/describe, DescribePodTemplate, release 1.32.
"""

from __future__ import annotations

from netsim.api.describe.containers import write_containers
from netsim.api.describe.page import Page
from netsim.api.describe.pod import toleration_text
from netsim.api.describe.volumes import write_volumes
from netsim.api.objects import Object


def write_template(page: Page, template: Object) -> None:
    """What the pods will be made of."""
    metadata, spec = template.get("metadata") or {}, template["spec"]
    page.line("Pod Template:")
    page.labels("Labels", metadata.get("labels"), level=1)
    if metadata.get("annotations"):
        page.annotations("Annotations", metadata["annotations"], level=1)
    if spec.get("serviceAccountName"):
        page.line("Service Account:", spec["serviceAccountName"], level=1)
    if spec.get("initContainers"):
        write_containers(page, "Init Containers", spec["initContainers"], None, inner="  ")
    write_containers(page, "Containers", spec["containers"], None, inner="  ")
    write_volumes(page, spec.get("volumes") or (), inner="  ")
    page.labels("Node-Selectors", spec.get("nodeSelector"), level=1)
    tolerations = sorted(spec.get("tolerations") or (), key=lambda toleration: toleration.get("key", ""))
    page.many("Tolerations", map(toleration_text, tolerations), level=1)
