"""The API server as a client meets it: every write is checked, admitted, and refused in its words.

What HTTP would add (paths, verbs, content types) is not here: a server needs only to map its requests to these
calls and a `StatusError` to a Status. Unknown fields are refused, as kubectl's default `--validate=strict` has
it; what may not change is compared with what is stored; Services are checked against each other.

Sources: apiserver `pkg/endpoints/handlers`, apimachinery `pkg/api/errors`, kubernetes `pkg/registry/core`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from netsim.api import immutable, schema, validation
from netsim.api.checking import Notes, check
from netsim.api.defaults import defaulted
from netsim.api.manifests import as_created, without_nulls
from netsim.api.objects import Object, is_leaving, key_of
from netsim.api.service_updates import prepared
from netsim.api.store import Refused
from netsim.api.times import with_times
from netsim.console.patching import PatchError, patched
from netsim.control.naming import generated
from netsim.errors import NetsimError
from netsim.units import MS, S

if TYPE_CHECKING:
    from netsim.simulation import Simulation

CODES: Mapping[str, int] = MappingProxyType(
    {"BadRequest": 400, "Forbidden": 403, "NotFound": 404, "AlreadyExists": 409, "Conflict": 409, "Invalid": 422,
     "TooManyRequests": 429}
)  # fmt: skip
"""The HTTP code of each reason."""

PERMANENT = ("default", "kube-node-lease", "kube-public", "kube-system")


class StatusError(NetsimError):
    """What the API server answers instead of doing what it was asked."""

    def __init__(self, reason: str, message: str, kind: str = "", name: str = "", causes: Iterable[str] = ()) -> None:
        self.reason = reason
        self.message = message
        self.kind = kind
        self.name = name
        self.causes = tuple(causes)  # for Invalid: each with its field
        super().__init__(message)

    @property
    def code(self) -> int:
        """Its HTTP code."""
        return CODES[self.reason]

    def when(self, doing: str, source: str) -> StatusError:
        """The same, with what was being done to which file or pod."""
        message = f'error when {doing} "{source}": {self.message}' if source else self.message
        return StatusError(self.reason, message, self.kind, self.name, self.causes)


class NoKind(NetsimError):
    """An object of a kind that the API server does not have."""

    def __init__(self, obj: Object) -> None:
        self.version, self.kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        metadata = obj.get("metadata") or {}
        self.name, self.namespace = metadata.get("name", ""), metadata.get("namespace", "")
        super().__init__(f'no matches for kind "{self.kind}" in version "{self.version}"')


class Api:
    """The API server of a simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.store = simulation.store
        self.admission = simulation.built.admission
        cidr = str(simulation.document.cluster.addresses.services)
        self.ranges = validation.Ranges((cidr,), validation.NODE_PORTS)
        self._names = simulation.cluster.draws.stream("generated-names")

    # reading ---------------------------------------------------------------------------------------------

    def kind_of(self, obj: Object) -> schema.Kind:
        """The kind that an object says it is."""
        found = schema.find(str(obj.get("apiVersion")), str(obj.get("kind")))
        if found is None:
            raise NoKind(obj)
        return found

    def get(self, kind: schema.Kind, namespace: str, name: str) -> Object:
        """One object."""
        found = self.store.get(kind.name, namespace if kind.namespaced else "", name)
        if found is None:
            raise not_found(kind, name)
        return found

    def list(self, kind: schema.Kind, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, by namespace and name."""
        return sorted(self.store.list(kind.name, namespace if kind.namespaced else None), key=key_of)

    # writing ---------------------------------------------------------------------------------------------

    def create(self, obj: Object, namespace: str = "default", *, dry: bool = False) -> Object:
        """POST. A `dry` run checks, and gives what would be stored, short of addresses and identity."""
        kind = self.kind_of(obj)
        obj = self._read(kind, obj, namespace)
        metadata = obj["metadata"]
        if metadata.get("generateName") and not metadata.get("name"):
            metadata = {**metadata, "name": generated(metadata["generateName"], self._names.next())}
            obj = {**obj, "metadata": metadata}
        self._check_namespace(kind, obj)
        self._validate(kind, obj)
        if self.store.get(kind.name, *key_of(obj)) is not None:
            name = metadata["name"]
            raise StatusError("AlreadyExists", f'{kind.resource} "{name}" already exists', kind.name, name)
        if dry:
            return defaulted(as_stored(obj))
        return self._admitted(self.admission.create, kind, as_stored(obj))

    def update(self, new: Object, old: Object, *, dry: bool = False) -> Object:
        """PUT: an object in the place of the one that is there; its status and identity stay. A `dry` run only checks.

        What comes back is `old` itself where nothing is to change.
        """
        kind = self.kind_of(old)
        version = (new.get("metadata") or {}).get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict(kind, old["metadata"]["name"])
        identity = {name: old["metadata"][name] for name in immutable.IDENTITY if name in old["metadata"]}
        new = self._read(kind, new, old["metadata"].get("namespace", ""))
        new = prepared({**new, "metadata": {**new["metadata"], **identity}}, old)
        if "status" in old:
            new = {**new, "status": old["status"]}
        self._validate(kind, new, immutable.changes(kind.name, new, old))
        if dry:
            return old if as_stored(new) == old else as_stored(new)
        return self._admitted(self.admission.update, kind, as_stored(new))

    def patch(
        self, kind: schema.Kind, namespace: str, name: str, patch: Any, how: str = "strategic", *, dry: bool = False
    ) -> Object:
        """PATCH."""
        old = self.get(kind, namespace, name)
        try:
            new = patched(old, patch, how, kind)
        except PatchError as error:
            raise StatusError("BadRequest", str(error), kind.name, name) from None
        return self.update(new, old, dry=dry)

    def delete(self, kind: schema.Kind, namespace: str, name: str, grace: int | None = None) -> Object:
        """DELETE, with a grace period in nanoseconds; the object as it was."""
        old = self.get(kind, namespace, name)
        if kind.name == "Namespace":
            self._end_namespace(kind, old)
        else:
            self.store.delete(old, grace)
        return old

    # one step each -----------------------------------------------------------------------------------------

    def _read(self, kind: schema.Kind, obj: Object, namespace: str) -> Object:
        """The object as the server decodes it: unknown fields and wrong types are refused."""
        notes = Notes()
        mistakes = check(kind, with_times(obj), notes)
        if mistakes:
            said = ", ".join(mistake.message for mistake in mistakes)
            strict = "strict decoding error: " if all(mistake.unknown for mistake in mistakes) else ""
            what = f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}'
            name = (obj.get("metadata") or {}).get("name", "")
            raise StatusError("BadRequest", f"{what}: {strict}{said}", kind.name, name)
        if notes.nulls:
            obj = without_nulls(obj)
        metadata = obj.get("metadata") or {}
        if kind.namespaced and not metadata.get("namespace"):
            obj = {**obj, "metadata": {**metadata, "namespace": namespace}}
        return as_created(obj, kind)

    def _check_namespace(self, kind: schema.Kind, obj: Object) -> None:
        name = obj["metadata"].get("namespace", "")
        if not kind.namespaced:
            return
        namespace = self.store.get("Namespace", "", name)
        if namespace is None:
            raise StatusError("NotFound", f'namespaces "{name}" not found', "Namespace", name)
        if is_leaving(namespace):
            what = obj["metadata"].get("name", "")
            raise StatusError(
                "Forbidden",
                f'{kind.resource} "{what}" is forbidden: unable to create new content in namespace {name} '
                "because it is being terminated",
                kind.name,
                what,
            )

    def _validate(self, kind: schema.Kind, obj: Object, more: Iterable[str] = ()) -> None:
        causes = [message for _, message in validation.validate(obj, kind, self.ranges)]
        causes += more
        if kind.name == "Service":
            others = [one for one in self.store.list("Service") if key_of(one) != key_of(obj)]
            found = validation.taken_twice([*others, obj], self.ranges)
            causes += [message for index, _, message in found if index == len(others)]
        if causes:
            raise invalid(kind, obj, causes)

    def _admitted(self, write: Any, kind: schema.Kind, obj: Object) -> Object:
        try:
            stored: Object = write(obj)
        except Refused as error:
            if error.reason == "Invalid":
                raise invalid(kind, obj, [str(error).partition("is invalid: ")[2] or str(error)]) from None
            raise StatusError(error.reason, str(error), kind.name, obj["metadata"]["name"]) from None
        return stored

    def _end_namespace(self, kind: schema.Kind, namespace: Object) -> None:
        """All that is in it goes, then the namespace itself."""
        name = namespace["metadata"]["name"]
        if name in PERMANENT:
            message = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
            raise StatusError("Forbidden", message, kind.name, name)
        if is_leaving(namespace):
            return
        cluster = self.simulation.cluster
        metadata = {**namespace["metadata"], "deletionTimestamp": cluster.now}
        self.store.update({**namespace, "metadata": metadata, "status": {"phase": "Terminating"}})

        def emptied() -> Generator[Any, Any, None]:
            while self._empty_namespace(name):
                yield cluster.env.timeout(100 * MS)
            self.store.remove("Namespace", "", name)

        cluster.env.process(emptied())

    def _empty_namespace(self, name: str) -> int:
        """Ask everything in it to go; how much is still there."""
        left = 0
        for kind in self.store.kinds():
            for obj in self.store.list(kind, name):
                self.store.delete(obj)
                left += self.store.get(kind, *key_of(obj)) is not None
        return left


def as_stored(obj: Object) -> Object:
    """What the server rewrites on the way in: a Secret's texts are kept in base64."""
    if obj.get("kind") != "Secret" or not obj.get("stringData"):
        return obj
    from base64 import b64encode

    data = {name: b64encode(text.encode()).decode() for name, text in obj["stringData"].items()}
    kept = {name: value for name, value in obj.items() if name != "stringData"}
    return {**kept, "data": {**(obj.get("data") or {}), **data}}


def not_found(kind: schema.Kind, name: str) -> StatusError:
    """There is no such object."""
    return StatusError("NotFound", f'{kind.resource} "{name}" not found', kind.name, name)


def conflict(kind: schema.Kind, name: str) -> StatusError:
    """Somebody else has written it meanwhile."""
    message = (
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return StatusError("Conflict", message, kind.name, name)


def invalid(kind: schema.Kind, obj: Object, causes: list[str]) -> StatusError:
    """The object is wrong, for these causes."""
    name = obj["metadata"].get("name", "")
    group = f"{kind.name}.{kind.group}" if kind.group else kind.name
    listed = causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]"
    return StatusError("Invalid", f'{group} "{name}" is invalid: {listed}', kind.name, name, causes)


def told(error: NetsimError) -> str:
    """An error as kubectl prints it."""
    if isinstance(error, StatusError):
        if error.reason != "Invalid":
            return f"Error from server ({error.reason}): {error.message}\n"
        causes = tuple(dict.fromkeys(error.causes))
        listed = f"{causes[0]}\n" if len(causes) == 1 else "\n" + "".join(f"* {one}\n" for one in causes)
        return f'The {error.kind} "{error.name}" is invalid: {listed}'
    return f"error: {error}\n"


def seconds(grace: int | None) -> int | None:
    """A grace period given in seconds, in nanoseconds; below zero means the pod's own."""
    return None if grace is None or grace < 0 else grace * S
