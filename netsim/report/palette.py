"""Colours, chosen so that people who see colours differently can tell them apart.

The hues are those of Okabe and Ito ("Color universal design", 2008). Cool ones are traffic sources, warm ones
are what went wrong, greys are what is as it should be or does not matter.
"""

from __future__ import annotations

INK, GREY, FAINT, PAPER = "#22272e", "#6b7280", "#e5e7eb", "#ffffff"

SOURCES = ("#0072b2", "#009e73", "#56b4e9", "#5b5ea6", "#00696b", "#7f8fa6")

OUTCOMES = {
    "ok": "#c9d6df",
    "timeout": "#d55e00",
    "refused": "#e69f00",
    "reset": "#cc79a7",
    "host-unreachable": "#8c2d04",
    "net-unreachable": "#6a3d9a",
    "dns-failure": "#f0e442",
    "tls-failure": "#a6761d",
    "rejected-by-policy": "#e7298a",
    "overloaded": "#b2182b",
    "unfinished": "#ececec",
}

STATES = {
    "ready": "#dfe5ea",
    "unnoticed": "#d55e00",
    "struck": "#eda36f",
    "off": "#8a6d5c",
    "not ready": "#f3c77c",
    "serving": "#7fb7d9",
    "stale": "#d55e00",
    "out": "#c3b5ad",
    "terminating": "#d9d2cd",
    "starting": "#dcebf5",
}
"""The colours of the states of `lanes.py`."""

MEANINGS = {
    "ready": "Ready",
    "unnoticed": "down, still Ready",
    "struck": "struck by a fault",
    "off": "down, NotReady",
    "not ready": "NotReady",
    "serving": "endpoint ready",
    "stale": "listed, not listening",
    "out": "endpoint not ready",
    "terminating": "Terminating",
    "starting": "starting",
}
"""What the figure says of them."""


DARK = ("unnoticed", "off", "stale")
"""The states whose colours take white letters."""


def source(number: int) -> str:
    """The colour of a traffic source."""
    return SOURCES[number % len(SOURCES)]
