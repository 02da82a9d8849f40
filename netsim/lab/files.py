"""Files in a pod, as far as they come from Secrets and ConfigMaps.

What a path holds is looked up in the store when it is read. (The kubelet refreshes mounted volumes about once a
minute; that delay is left out.)
"""

from __future__ import annotations

import base64
from pathlib import PurePosixPath

from netsim.api.objects import Object
from netsim.api.store import Store
from netsim.control.obstacles import sources_of
from netsim.lab.certificates import secret_data


def file_in(store: Store, pod: Object, path: str) -> bytes | None:
    """What a file holds in the first of the pod's containers that has it; None if there is no such file."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    wanted = PurePosixPath(path)
    for container in pod["spec"]["containers"]:
        for mount in container.get("volumeMounts") or ():
            root, volume = PurePosixPath(mount["mountPath"]), volumes.get(mount["name"])
            if volume is not None and wanted.is_relative_to(root):
                inside = str(wanted.relative_to(root))
                inside = mount["subPath"] if mount.get("subPath") and inside == "." else inside
                found = volume_files(store, pod, volume).get(inside)
                if found is not None:
                    return found
    return None


def volume_files(store: Store, pod: Object, volume: Object) -> dict[str, bytes]:
    """The files of a volume by their paths in it."""
    files: dict[str, bytes] = {}
    for kind, source, name in sources_of(volume):
        obj = store.get(kind, pod["metadata"].get("namespace", "default"), name)
        data = _data(obj) if obj else {}
        items = {item["key"]: item["path"] for item in source.get("items") or ()}
        files |= {items[k]: v for k, v in data.items() if k in items} if items else data
    return files


def mounted_secrets(store: Store, pod: Object) -> list[Object]:
    """The Secrets that a pod's volumes are filled from, in their order, as far as they are there."""
    namespace = pod["metadata"].get("namespace", "default")
    names = [
        name for volume in pod["spec"].get("volumes") or () for kind, _, name in sources_of(volume) if kind == "Secret"
    ]
    return [secret for name in names if (secret := store.get("Secret", namespace, name)) is not None]


def _data(obj: Object) -> dict[str, bytes]:
    if obj["kind"] == "Secret":
        return secret_data(obj)
    text = {name: value.encode() for name, value in (obj.get("data") or {}).items()}
    return text | {name: base64.b64decode(value) for name, value in (obj.get("binaryData") or {}).items()}
