"""The API store: objects by kind, a resourceVersion for every write, watches, owners.

What etcd and the API server do together, seen by their clients: objects are values (a write stores a new
one); each write raises one counter and stamps the object with it; an update that carries an old
resourceVersion is refused (optimistic concurrency); who watches a kind hears of each change, in order;
when an owner goes, what it owned goes too.

A write that changes nothing is no write. Handlers of a watch are called in the instant of the write:
components add the latency of their own watch (`control/informer.py`). Indices are client-go's: a function
from an object to the keys it is to be found under.

Left out: authentication, admission chains beyond defaulting, field management, the watch cache.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Key, Object, key_of
from netsim.errors import NetsimError


class Refused(NetsimError):
    """The API server says no, with the reason of its Status."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(reason, message)  # whoever raises it again makes it anew from both

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True, slots=True)
class Change:
    """What a watch delivers: an object as it is now and as it was."""

    type: str  # ADDED, MODIFIED, DELETED
    object: Object
    old: Object | None


Objects = list[Object]
Handler = Callable[[Change], None]
IndexFunction = Callable[[Object], Iterable[Any]]


class Index:
    """Objects of one kind by whatever `keys` says of each, in the order they came."""

    def __init__(self, keys: IndexFunction) -> None:
        self.keys = keys
        self.found: dict[Any, dict[Key, Object]] = defaultdict(dict)

    def change(self, old: Object | None, new: Object | None) -> None:
        """Follow one write."""
        after = tuple(self.keys(new)) if new else ()
        if old:
            for key in self.keys(old):
                if key not in after:
                    self.found[key].pop(key_of(old), None)
        if new:
            for key in after:
                self.found[key][key_of(new)] = new


class Store:
    """All objects of a cluster at this instant."""

    def __init__(self, clock: Callable[[], int], seed: int = 0) -> None:
        self._clock = clock
        self._seed = seed
        self._objects: dict[str, dict[Key, Object]] = defaultdict(dict)
        self._handlers: dict[str, list[Handler]] = defaultdict(list)
        self._indices: dict[str, dict[str, Index]] = defaultdict(dict)
        self._owned: dict[str, dict[tuple[str, Key], None]] = defaultdict(dict)
        self.resource_version = 0

    # reading -------------------------------------------------------------------------------------

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._objects[kind].get((namespace, name))

    def list(self, kind: str, namespace: str | None = None) -> Objects:
        """All objects of a kind (in one namespace), oldest first."""
        objects = self._objects[kind].values()
        if namespace is None:
            return list(objects)
        return [obj for obj in objects if obj["metadata"].get("namespace", "") == namespace]

    def kinds(self) -> tuple[str, ...]:
        """The kinds of which there is an object."""
        return tuple(sorted(kind for kind, objects in self._objects.items() if objects))

    def index(self, kind: str, name: str, keys: IndexFunction) -> None:
        """Keep objects of a kind findable under what `keys` says of each."""
        if name not in self._indices[kind]:
            index = self._indices[kind][name] = Index(keys)
            for obj in self._objects[kind].values():
                index.change(None, obj)

    def find(self, kind: str, index: str, key: Any) -> Objects:
        """The objects that an index holds under `key`."""
        return list(self._indices[kind][index].found.get(key, {}).values())

    def find_count(self, kind: str, index: str, key: Any) -> int:
        """How many there are."""
        return len(self._indices[kind][index].found.get(key, ()))

    # watching ------------------------------------------------------------------------------------

    def watch(self, kind: str, handler: Handler) -> None:
        """Call `handler` at each write of that kind from now on."""
        self._handlers[kind].append(handler)

    # writing -------------------------------------------------------------------------------------

    def create(self, obj: Object) -> Object:
        """Store a new object with uid, resourceVersion and creation time."""
        kind, key = obj["kind"], key_of(obj)
        if key in self._objects[kind]:
            raise Refused("AlreadyExists", f'{kind.lower()}s "{key[1]}" already exists')
        metadata = {
            **obj["metadata"],
            "uid": self._uid(),
            "creationTimestamp": self._clock(),
            "generation": 1,
        }
        stored = self._stamp({**obj, "metadata": metadata})
        self._objects[kind][key] = stored
        for owner in metadata.get("ownerReferences") or ():
            self._owned[owner["uid"]][kind, key] = None
        self._tell(Change("ADDED", stored, None))
        return stored

    def update(self, obj: Object) -> Object:
        """Replace an object. Its resourceVersion must be the stored one, or absent."""
        kind, key = obj["kind"], key_of(obj)
        old = self._objects[kind].get(key)
        if old is None:
            raise Refused("NotFound", f'{kind.lower()}s "{key[1]}" not found')
        version = obj["metadata"].get("resourceVersion")
        if version is not None and version != old["metadata"]["resourceVersion"]:
            raise Refused(
                "Conflict",
                f'Operation cannot be fulfilled on {kind.lower()}s "{key[1]}": the object has been modified; '
                "please apply your changes to the latest version and try again",
            )
        if obj == old:
            return old
        if obj.get("spec") != old.get("spec"):
            generation = old["metadata"].get("generation", 1) + 1
            obj = {**obj, "metadata": {**obj["metadata"], "generation": generation}}
        stored = self._objects[kind][key] = self._stamp(obj)
        self._tell(Change("MODIFIED", stored, old))
        return stored

    def remove(self, kind: str, namespace: str, name: str) -> Object | None:
        """Take an object away at once, and (in the background) everything it owned."""
        old = self._objects[kind].pop((namespace, name), None)
        if old is None:
            return None
        last = self._stamp(old)
        self._tell(Change("DELETED", last, old))
        uid = old["metadata"]["uid"]
        for owned_kind, (owned_namespace, owned_name) in list(self._owned.pop(uid, ())):
            owned = self.get(owned_kind, owned_namespace, owned_name)
            if owned is not None and any(uid == one["uid"] for one in owned["metadata"].get("ownerReferences") or ()):
                self.delete(owned)
        return last

    def delete(self, obj: Object, grace: int | None = None) -> None:
        """DELETE: a pod that is bound gets its grace (nanoseconds) and a deletion timestamp; others go at once."""
        kind, (namespace, name) = obj["kind"], key_of(obj)
        current = self.get(kind, namespace, name)
        if current is None:
            return
        if kind != "Pod" or not self._graceful(current, grace):
            self.remove(kind, namespace, name)
            return
        if current["metadata"].get("deletionTimestamp") is not None:
            return
        grace = pod_grace(current) if grace is None else grace
        metadata = {
            **current["metadata"],
            "deletionTimestamp": self._clock() + grace,
            "deletionGracePeriodSeconds": grace // 1_000_000_000,
        }
        self.update({**current, "metadata": metadata})

    @staticmethod
    def _graceful(pod: Object, grace: int | None) -> bool:
        """Whether a pod may linger: an unscheduled or finished one is gone at once (registry/core/pod/strategy.go)."""
        finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        return grace != 0 and bool(pod["spec"].get("nodeName")) and not finished

    def _stamp(self, obj: Object) -> Object:
        self.resource_version += 1
        return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.resource_version)}}

    def _uid(self) -> str:
        digest = hashlib.sha256(f"{self._seed}/uid/{self.resource_version}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    def _tell(self, change: Change) -> None:
        kind = change.object["kind"]
        new = None if change.type == "DELETED" else change.object
        for index in self._indices[kind].values():
            index.change(change.old, new)
        for handler in self._handlers[kind]:
            handler(change)


def pod_grace(pod: Object) -> int:
    """The pod's own grace period, in nanoseconds."""
    return int(pod["spec"].get("terminationGracePeriodSeconds", 30)) * 1_000_000_000
