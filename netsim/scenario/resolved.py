"""A scenario written out with nothing left to defaults: one YAML text that reads back to an equal scenario.

The scenario comes first, every field of it in full; its Kubernetes objects follow as further documents, so
that the text depends on no other file. Text that some reader of YAML, be it of 1.1 or of 1.2, might take for
something else (`no`, `22:22`, `1e3`) is quoted.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from netsim.scenario.scenario import Scenario

_NUMBER = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"  # YAML 1.2
    r"|[-+]?[0-9][0-9_,:.]*"  # sexagesimal, and grouped by underscores: YAML 1.1
)
_WORD = re.compile(r"y|Y|n|N")  # YAML 1.1 calls them booleans, PyYAML's resolver does not
_TEXT = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter, more careful with quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True  # objects share parts; each is written out


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif _NUMBER.fullmatch(text) or _WORD.fullmatch(text):
        style = "'"
    return dumper.represent_scalar(_TEXT, text, style)


_Dumper.add_representer(str, _text)


def resolved(scenario: Scenario) -> str:
    """The scenario as YAML: the document with all its defaults, then the objects."""
    document = scenario.document.model_dump(mode="json")
    return to_yaml(document, *scenario.objects)


def to_yaml(*documents: Any) -> str:
    """Plain values as YAML documents, keys in the order they have.

    >>> print(to_yaml({"b": "no", "a": ["22:22", "1e3", 1.5]}), end="")
    b: 'no'
    a:
    - '22:22'
    - '1e3'
    - 1.5
    """
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=110,
        explicit_start=len(documents) > 1,
    )
