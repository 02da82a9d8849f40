"""`kubectl describe pod`.

Source: kubectl pkg/describe, describePod, release 1.32.
"""

from __future__ import annotations

from collections.abc import Iterable

from netsim.api.describe.containers import write_containers
from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.describe.quantities import qos_class
from netsim.api.describe.volumes import write_volumes
from netsim.api.objects import Object, condition, controller_of, is_finished, is_leaving
from netsim.api.tables.ages import age
from netsim.api.tables.columns import NONE
from netsim.api.times import rfc1123


def describe_pod(pod: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a pod."""
    spec, metadata = pod["spec"], pod["metadata"]
    page = Page()
    _head(page, pod)
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    _status(page, pod, now)
    if spec.get("initContainers"):
        write_containers(page, "Init Containers", spec["initContainers"], pod)
    write_containers(page, "Containers", spec["containers"], pod)
    _gates(page, pod)
    _conditions(page, pod)
    write_volumes(page, spec.get("volumes") or ())
    page.line("QoS Class:", qos_class(pod))
    page.labels("Node-Selectors", spec.get("nodeSelector"))
    page.many("Tolerations", map(toleration_text, _by_key(spec.get("tolerations") or ())))
    write_events(page, events_of(pod, lookup("Event", metadata.get("namespace"))), now)
    return str(page)


def _head(page: Page, pod: Object) -> None:
    spec, status = pod["spec"], pod.get("status") or {}
    page.line("Name:", pod["metadata"]["name"])
    page.line("Namespace:", pod["metadata"].get("namespace", ""))
    page.line("Priority:", spec.get("priority", 0))
    for title, name in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(name):
            page.line(f"{title}:", spec[name])
    node = spec.get("nodeName")
    page.line("Node:", f"{node}/{status.get('hostIP', '')}" if node else NONE)
    if status.get("startTime") is not None:
        page.line("Start Time:", rfc1123(status["startTime"]))


def _status(page: Page, pod: Object, now: int) -> None:
    status, metadata = pod.get("status") or {}, pod["metadata"]
    if is_leaving(pod) and not is_finished(pod):
        page.line("Status:", f"Terminating (lasts {age(metadata['deletionTimestamp'], now)})")
        page.line("Termination Grace Period:", f"{metadata.get('deletionGracePeriodSeconds', 0)}s")
    else:
        page.line("Status:", status.get("phase", ""))
    for title in ("Reason", "Message"):
        if status.get(title.lower()):
            page.line(f"{title}:", status[title.lower()])
    page.line("IP:", status.get("podIP", ""))
    addresses = status.get("podIPs") or ()
    page.line("IPs:", *(() if addresses else (NONE,)))
    for address in addresses:
        page.line("IP:", address["ip"], level=1)
    owner = controller_of(pod)
    if owner is not None:
        page.line("Controlled By:", f"{owner['kind']}/{owner['name']}")
    if status.get("nominatedNodeName"):
        page.line("NominatedNodeName:", status["nominatedNodeName"])


def _gates(page: Page, pod: Object) -> None:
    gates = pod["spec"].get("readinessGates") or ()
    if gates:
        page.line("Readiness Gates:")
        kinds = [gate["conditionType"] for gate in gates]
        rows = ((f"{kind} ", f"{(condition(pod, kind) or {}).get('status', NONE)} ") for kind in kinds)
        page.table(("Type", "Status"), rows, ruler=False)


def _conditions(page: Page, pod: Object) -> None:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if conditions:
        page.line("Conditions:")
        rows = ((f"{one['type']} ", f"{one['status']} ") for one in conditions)  # the blank is kubectl's
        page.table(("Type", "Status"), rows, ruler=False)


def _by_key(tolerations: Iterable[Object]) -> list[Object]:
    return sorted(tolerations, key=lambda toleration: toleration.get("key", ""))


def toleration_text(toleration: Object) -> str:
    """A toleration in kubectl's words.

    >>> toleration_text({"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    'a:NoExecute op=Exists for 300s'
    """
    text = toleration.get("key", "")
    if toleration.get("value"):
        text += f"={toleration['value']}"
    if toleration.get("effect"):
        text += f":{toleration['effect']}"
    if toleration.get("operator") == "Exists" and not toleration.get("value"):
        text = f"{text} op=Exists" if text else "op=Exists"
    if toleration.get("tolerationSeconds") is not None:
        text += f" for {toleration['tolerationSeconds']}s"
    return text
