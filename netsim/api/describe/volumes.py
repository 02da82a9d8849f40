"""The volumes of a pod, as `kubectl describe` tells them: one row of the table below for each kind.

Source: kubectl pkg/describe, describeVolumes, release 1.32. Left out: the storage systems that no simulated
pod has; they are shown as `<unknown>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netsim.api.describe.page import Page
from netsim.api.objects import Object
from netsim.api.tables.columns import NONE

VOLUMES: Mapping[str, tuple[str, tuple[tuple[str, str, Any], ...]]] = {
    # field       what it is                                                        title, field, if missing
    "hostPath": (
        "HostPath (bare host directory volume)",
        (("Path", "path", ""), ("HostPathType", "type", NONE)),
    ),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        (("Medium", "medium", ""), ("SizeLimit", "sizeLimit", "<unset>")),
    ),
    "secret": (
        "Secret (a volume populated by a Secret)",
        (("SecretName", "secretName", ""), ("Optional", "optional", False)),
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        (("Name", "name", ""), ("Optional", "optional", False)),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName", ""), ("ReadOnly", "readOnly", False)),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server", ""), ("Path", "path", ""), ("ReadOnly", "readOnly", False)),
    ),
}

PROJECTED = {
    "secret": (("SecretName", "name", ""), ("SecretOptionalName", "optional", "<nil>")),
    "configMap": (("ConfigMapName", "name", ""), ("ConfigMapOptional", "optional", "<nil>")),
    "downwardAPI": (("DownwardAPI", "", True),),
    "serviceAccountToken": (("TokenExpirationSeconds", "expirationSeconds", 3600),),
}


def write_volumes(page: Page, volumes: Iterable[Object], inner: str = "") -> None:
    """Volumes by name, each with where it comes from."""
    listed = list(volumes)
    if not listed:
        page.line(f"{inner}Volumes:", NONE)
        return
    page.line(f"{inner}Volumes:")
    for volume in listed:
        page.line(f"{' ' if inner else ''}{volume['name']}:", level=1)
        if "projected" in volume:
            _projected(page, volume["projected"])
            continue
        kind = next((kind for kind in VOLUMES if kind in volume), None)
        if kind is None:
            page.line("<unknown>", level=1)
            continue
        what, fields = VOLUMES[kind]
        page.line("Type:", what, level=2)
        _fields(page, fields, volume[kind] or {})


def _projected(page: Page, projected: Object) -> None:
    page.line("Type:", "Projected (a volume that contains injected data from multiple sources)", level=2)
    for source in projected.get("sources") or ():
        for kind, fields in PROJECTED.items():
            if kind in source:
                _fields(page, fields, source[kind] or {})


def _fields(page: Page, fields: Iterable[tuple[str, str, Any]], values: Object) -> None:
    for title, name, missing in fields:
        value = values.get(name)
        value = missing if value is None else value
        page.line(f"{title}:", str(value).lower() if isinstance(value, bool) else value, level=2)
