"""A table of objects: what the API server makes of a list, and how kubectl shows it.

The server fills the cells of *all* columns, the client hides the wide ones and may add columns of its own:
the namespace in front, labels behind, the kind before each name when several kinds are listed.
Source: cli-runtime pkg/printers, tableprinter.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from netsim.api.objects import Object, labels_of
from netsim.api.tables import configuration, events, nodes, pods, services, workloads
from netsim.api.tables.columns import AGE, NAME, Cell, Column, View, labels_text
from netsim.api.tables.layout import TABLE, align

COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "Pod": pods.COLUMNS,
        "Node": nodes.COLUMNS,
        "Service": services.SERVICE,
        "Endpoints": services.ENDPOINTS,
        "EndpointSlice": services.ENDPOINT_SLICE,
        "Deployment": workloads.DEPLOYMENT,
        "ReplicaSet": workloads.REPLICA_SET,
        "StatefulSet": workloads.STATEFUL_SET,
        "DaemonSet": workloads.DAEMON_SET,
        "ControllerRevision": workloads.CONTROLLER_REVISION,
        "PodDisruptionBudget": workloads.POD_DISRUPTION_BUDGET,
        "Event": events.COLUMNS,
        "ConfigMap": configuration.CONFIG_MAP,
        "Secret": configuration.SECRET,
        "ServiceAccount": configuration.SERVICE_ACCOUNT,
        "Namespace": configuration.NAMESPACE,
        "Lease": configuration.LEASE,
        "NetworkPolicy": configuration.NETWORK_POLICY,
        "ServiceImport": configuration.SERVICE_IMPORT,
    }
)
"""The columns of each kind."""

OTHER = (NAME, AGE)
"""The columns of every other kind."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and a row of cells for each object."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    objects: tuple[Object, ...]


def table(kind: str, objects: Iterable[Object], view: View) -> Table:
    """The table of objects of one kind, with all its columns."""
    columns = COLUMNS.get(kind, OTHER)
    listed = tuple(objects)
    return Table(columns, tuple(tuple(str(c.cell(o, view)) for c in columns) for o in listed), listed)


def narrow(full: Table, wide: bool) -> Table:
    """The table without its wide columns, unless they are wanted."""
    if wide:
        return full
    kept = [number for number, column in enumerate(full.columns) if not column.wide]
    rows = tuple(tuple(row[number] for number in kept) for row in full.rows)
    return replace(full, columns=tuple(full.columns[number] for number in kept), rows=rows)


def with_namespace(plain: Table) -> Table:
    """The table with each object's namespace in front."""
    return _joined(before=(Column("Namespace", _namespace),), plain=plain)


def with_labels(plain: Table, keys: Sequence[str], every: bool) -> Table:
    """The table with the values of some labels behind, and then perhaps all labels in one column."""
    own = tuple(Column(key.rpartition("/")[2], _label(key)) for key in keys)
    return _joined(plain=plain, behind=(*own, Column("Labels", _labels)) if every else own)


def with_kind(plain: Table) -> Table:
    """The table with each object's kind and group before its name, as in `deployment.apps/web`."""
    place = next((number for number, column in enumerate(plain.columns) if column.name == "Name"), None)
    if place is None:
        return plain
    rows = (
        (*row[:place], f"{qualified_kind(obj)}/{row[place]}", *row[place + 1 :])
        for row, obj in zip(plain.rows, plain.objects, strict=True)
    )
    return replace(plain, rows=tuple(rows))


def qualified_kind(obj: Object) -> str:
    """Kind and group as kubectl names them in front of an object.

    >>> qualified_kind({"apiVersion": "apps/v1", "kind": "Deployment"})
    'deployment.apps'
    """
    group, slash, _ = obj["apiVersion"].partition("/")
    return f"{obj['kind'].lower()}.{group}" if slash else obj["kind"].lower()


def text(shown: Table, headers: bool = True) -> str:
    """The table as kubectl prints it; nothing at all when it has no rows."""
    if not shown.rows:
        return ""
    lines = [[_one_line(cell) for cell in row] for row in shown.rows]
    if headers:
        lines.insert(0, [column.name.upper() for column in shown.columns])
    return "".join(f"{line}\n" for line in align(lines, **TABLE))


def _joined(*, plain: Table, before: tuple[Column, ...] = (), behind: tuple[Column, ...] = ()) -> Table:
    view = View(now=0)  # columns that the client adds show metadata only
    rows = (
        (*(str(c.cell(obj, view)) for c in before), *row, *(str(c.cell(obj, view)) for c in behind))
        for row, obj in zip(plain.rows, plain.objects, strict=True)
    )
    return replace(plain, columns=(*before, *plain.columns, *behind), rows=tuple(rows))


def _namespace(obj: Object, view: View) -> str:
    return obj["metadata"].get("namespace", "")


def _labels(obj: Object, view: View) -> str:
    return labels_text(labels_of(obj))


def _label(key: str) -> Cell:
    def cell(obj: Object, view: View) -> str:
        return labels_of(obj).get(key, "")

    return cell


def _one_line(cell: str) -> str:
    """A cell up to its first line break, then three dots.

    >>> _one_line("a\\nb"), _one_line("a")
    ('a...', 'a')
    """
    first = cell.replace("\r", "\n").replace("\f", "\n").partition("\n")
    return first[0] + ("..." if first[1] else "")
