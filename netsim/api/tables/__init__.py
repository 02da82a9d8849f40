"""kubectl's tables: which columns each kind has, what is in the cells, and how they are laid out."""

from netsim.api.tables.ages import age, human_duration, micro_age
from netsim.api.tables.columns import Column, View
from netsim.api.tables.table import (
    COLUMNS,
    OTHER,
    Table,
    narrow,
    qualified_kind,
    table,
    text,
    with_kind,
    with_labels,
    with_namespace,
)

__all__ = [
    "COLUMNS",
    "OTHER",
    "Column",
    "Table",
    "View",
    "age",
    "human_duration",
    "micro_age",
    "narrow",
    "qualified_kind",
    "table",
    "text",
    "with_kind",
    "with_labels",
    "with_namespace",
]
