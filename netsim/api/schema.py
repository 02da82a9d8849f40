"""What Kubernetes' API knows: its kinds, how they are called, and which fields their types have.

The data is one generated file beside this module, from Kubernetes' published OpenAPI of the releases that
netsim knows (`data/NOTICE` says how; `tools/kubernetes_schema.py` makes it). It is read at first use. Left
out: what the OpenAPI leaves out too, such as which values a text field may take; `validation.py` knows
those that matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

DATA = "kubernetes.json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object, as `kubectl api-resources` lists it."""

    group: str  # "" for the core group
    version: str
    name: str
    plural: str
    short_names: tuple[str, ...]
    namespaced: bool
    type: str = ""  # where `fields` finds its fields; "" if nobody published them

    @property
    def api_version(self) -> str:
        """What stands in `apiVersion`.

        >>> find("apps/v1", "Deployment").api_version, find("v1", "Pod").api_version
        ('apps/v1', 'v1')
        """
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The name that kubectl takes for one of them."""
        return self.name.lower()

    @property
    def resource(self) -> str:
        """How kubectl's messages call them: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class Type:
    """What a field holds.

    `code` is one of: s text, i 32-bit integer, l 64-bit integer, n number, b true or false, y text in base64,
    x integer or text, q quantity, t time, * anything, o any object, # an object with fields, { a map from
    text, [ a list.
    """

    code: str
    name: str = ""  # for #: the type whose fields it has
    items: Type | None = None  # for { and [: what is in it
    merge_key: str | None = None  # for [: by which field apply merges such lists; "" if by value


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type."""

    name: str
    type: Type
    required: bool


CUSTOM = tuple(
    Kind("multicluster.x-k8s.io", "v1alpha1", name, f"{name.lower()}s", (short,), True)
    for name, short in (("ServiceExport", "svcex"), ("ServiceImport", "svcim"))
)
"""Kinds that come as custom resources; nobody has published their fields."""


def kinds() -> tuple[Kind, ...]:
    """Every kind that Kubernetes has; of a kind with several versions, the preferred one comes first."""
    return (*_loaded()[0], *CUSTOM)


def find(api_version: str, kind: str) -> Kind | None:
    """The kind that an object with this `apiVersion` and `kind` is.

    >>> find("apps/v1", "Deployment").plural, find("extensions/v1beta1", "Deployment")
    ('deployments', None)
    """
    return _by_version().get((api_version, kind))


def versions(kind: str) -> tuple[Kind, ...]:
    """The groups and versions in which a kind of this name exists.

    >>> [one.api_version for one in versions("HorizontalPodAutoscaler")]
    ['autoscaling/v2', 'autoscaling/v1']
    """
    return tuple(one for one in kinds() if one.name == kind)


def by_name(name: str) -> Kind | None:
    """The kind that kubectl finds for a word: a plural, singular or short name; a group may follow.

    >>> by_name("svc").name, by_name("deployments.apps").name, by_name("Pod").name, by_name("nothing")
    ('Service', 'Deployment', 'Pod', None)
    """
    return _by_name().get(name.lower())


def fields(type_name: str) -> Mapping[str, Field]:
    """The fields of a type, by name.

    >>> fields("core.v1.ServicePort")["port"].required, fields("core.v1.ServicePort")["targetPort"].type.code
    (True, 'x')
    """
    return _fields(type_name)


@cache
def _loaded() -> tuple[tuple[Kind, ...], dict[str, dict[str, str]]]:
    data: dict[str, Any] = json.loads((files("netsim.api") / "data" / DATA).read_text("utf-8"))
    rows = (
        Kind(group, version, kind, plural, tuple(short), namespaced, type_name)
        for group, version, kind, plural, short, namespaced, type_name in data["kinds"]
    )
    return tuple(rows), data["types"]


@cache
def _by_version() -> dict[tuple[str, str], Kind]:
    return {(kind.api_version, kind.name): kind for kind in kinds()}


@cache
def _by_name() -> dict[str, Kind]:
    names: dict[str, Kind] = {}
    for kind in kinds():
        for name in (kind.plural, kind.singular, *kind.short_names):
            names.setdefault(name, kind)
            names.setdefault(f"{name}.{kind.group}", kind)
            names.setdefault(f"{name}.{kind.version}.{kind.group}", kind)
    return names


@cache
def _fields(type_name: str) -> Mapping[str, Field]:
    return {
        name.removesuffix("!"): Field(name.removesuffix("!"), parse_type(code), name.endswith("!"))
        for name, code in _loaded()[1].get(type_name, {}).items()
    }


@cache
def parse_type(code: str) -> Type:
    """The type that a code of the data file stands for.

    >>> parse_type("[name=#core.v1.EnvVar").merge_key, parse_type("{s").items
    ('name', Type(code='s', name='', items=None, merge_key=None))
    """
    head, rest = code[0], code[1:]
    if head == "#":
        return Type("#", rest)
    if head == "{":
        return Type("{", items=parse_type(rest))
    if head == "[":
        key, merges, inner = rest.rpartition("=")
        return Type("[", items=parse_type(inner), merge_key=key if merges else None)
    return Type(head)
