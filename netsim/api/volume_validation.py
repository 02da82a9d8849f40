"""What the API server refuses of volumes, and of where containers mount them.

Source: Kubernetes 1.32, pkg/apis/core/validation/validation.go (ValidateVolumes, ValidateVolumeMounts).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from netsim.api import names
from netsim.api.refusals import Path, Refusals

Object = dict[str, Any]

NAMED = {"secret": "secretName", "configMap": "name"}  # a source that must say whose it is


def volumes(no: Refusals, path: Path, given: list[Object]) -> list[str]:
    """The volumes of a pod; returns the names that may be mounted."""
    seen: list[str] = []
    for index, volume in enumerate(given):
        where, name = (*path, index), volume.get("name")
        if not name:
            no.required((*where, "name"))
        elif name in seen:
            no.duplicate((*where, "name"), name)
        else:
            no.each((*where, "name"), name, names.dns_label(name))
            seen.append(name)
        _source(no, where, {kind: source for kind, source in volume.items() if kind != "name"})
    return seen


def _source(no: Refusals, path: Path, sources: Object) -> None:
    given = [kind for kind, source in sources.items() if source is not None]
    if not given:
        no.required(path, "must specify a volume type")
    for kind in given[1:]:
        no.forbidden((*path, kind), "may not specify more than 1 volume type")
    for kind in given[:1]:
        if kind in NAMED and not sources[kind].get(NAMED[kind]):
            no.required((*path, kind, NAMED[kind]))


def mounts(no: Refusals, path: Path, given: list[Object], known: Collection[str]) -> None:
    """The mounts of a container; `known` are the pod's volumes."""
    seen: set[str] = set()
    for index, mount in enumerate(given):
        where, name, at = (*path, index), mount.get("name"), mount.get("mountPath")
        if not name:
            no.required((*where, "name"))
        elif name not in known:
            no.not_found((*where, "name"), name)
        if not at:
            no.required((*where, "mountPath"))
        elif at in seen:
            no.invalid((*where, "mountPath"), at, "must be unique")
        seen.add(at or "")
