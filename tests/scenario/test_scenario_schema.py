"""The JSON Schema: draft-07, with words for every field, and of one mind with what `load` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from netsim.api.documents import read_documents
from netsim.errors import ScenarioError
from netsim.faults import FAULTS
from netsim.scenario.load import loads
from netsim.scenario.resolved import resolved
from netsim.scenario.schema import comments, scenario_schema
from netsim.traffic import Traffic

SCHEMA = scenario_schema()
VALIDATOR = Draft7Validator(SCHEMA)
INVALID = Path(__file__).parent.parent / "invalid"
SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"

KEYWORDS = {
    "$schema", "$ref", "title", "description", "default", "examples", "type", "enum", "const", "properties",
    "required", "additionalProperties", "definitions", "items", "minItems", "maxItems", "minLength",
    "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "anyOf", "oneOf",
    "allOf",
}  # fmt: skip


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from schemas(part)
    if not isinstance(schema, dict):
        return
    yield schema
    for name, value in schema.items():
        if name in ("properties", "definitions"):
            for part in value.values():
                yield from schemas(part)
        elif name in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            yield from schemas(value)


def test_it_is_a_schema_of_draft_07_with_nothing_newer() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    used = {keyword for schema in schemas(SCHEMA) for keyword in schema}
    assert used <= KEYWORDS


def test_every_reference_stands_alone_and_leads_somewhere() -> None:
    references = [schema for schema in schemas(SCHEMA) if "$ref" in schema]
    assert references
    for schema in references:
        assert list(schema) == ["$ref"]
        assert schema["$ref"].removeprefix("#/definitions/") in SCHEMA["definitions"]


def test_defaults_are_what_a_file_would_say() -> None:
    properties = SCHEMA["definitions"]["Traffic"]["properties"]
    assert properties["timeout"]["default"] == "2s"
    assert properties["response"]["default"] == "10kB"
    assert properties["stop"]["default"] is None
    for schema in schemas(SCHEMA):
        if "default" in schema and ("anyOf" in schema or "pattern" in schema):
            rules = {name: value for name, value in schema.items() if name != "default"}
            assert Draft7Validator({**rules, "definitions": SCHEMA["definitions"]}).is_valid(
                schema["default"]
            )


def test_fields_are_described_by_the_comments_beside_them() -> None:
    assert comments(Traffic)["rate"] == "open: requests per second, all together"
    described = SCHEMA["definitions"]["Traffic"]["properties"]
    assert described["stop"]["description"] == "null: the end of the run"
    assert SCHEMA["definitions"]["Traffic"]["description"].startswith("One traffic source.")
    assert SCHEMA["definitions"]["NodePowerLoss"]["properties"]["duration"]["description"] == "null: for good"


def test_every_fault_is_in_it() -> None:
    for fault in FAULTS.values():
        assert fault.__name__ in SCHEMA["definitions"]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_projects_scenarios_fit(path: Path) -> None:
    document = read_documents(path.read_text("utf-8"), path.name)[0].value
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_a_resolved_scenario_fits() -> None:
    text = (
        "{apiVersion: netsim/v1, kind: Scenario, metadata: {name: a}, cluster: {nodes: [{name: n}]},"
        " traffic: [{name: t, from: outside, to: 'node/n:10250', rate: 5/s, start: 0}],"
        " faults: [{name: f, action: node-power-loss, at: 1s}], checks: [{measure: success, atLeast: 0.5}]}"
    )
    for written in (text, resolved(loads(text))):
        document = read_documents(written, "a.yaml")[0].value
        assert [error.message for error in VALIDATOR.iter_errors(document)] == []


BROKEN = [
    "unknown-field", "unknown-field-in-a-list", "missing-field", "number-in-quotes", "no-is-text",
    "version-without-quotes", "duration-without-unit", "duration-in-words", "rate-without-period",
    "unknown-choice", "unknown-fault", "bad-name", "no-nodes", "unknown-timing", "wrong-version",
    "everything-at-once",
]  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_mistakes_of_shape_show_in_the_editor_too(name: str) -> None:
    text = (INVALID / f"{name}.yaml").read_text("utf-8")
    document = read_documents(text, name)[0].value
    assert not VALIDATOR.is_valid(document)


VALUES: list[Any] = [None, True, 0, -1, 1.5, "", "x", "1s", "50/s", "10kB", "99%", [], {}, ["x"], 3]
RIGHT = {
    "apiVersion": "netsim/v1",
    "kind": "Scenario",
    "metadata": {"name": "a"},
    "duration": "10s",
    "cluster": {"nodes": [{"name": "n"}]},
    "traffic": [{"name": "t", "from": "outside", "to": "203.0.113.9:80", "rate": "5/s"}],
    "faults": [{"name": "f", "action": "node-power-loss", "at": "1s"}],
}
PARTS = [
    ("seed",), ("duration",), ("manifests",), ("metadata",), ("metadata", "title"), ("cluster", "cni"),
    ("cluster", "timings"), ("cluster", "timings", "write"), ("cluster", "timings", "sandbox"),
    ("cluster", "timings", "controllerBurst"), ("cluster", "nodes", 0, "count"),
    ("cluster", "nodes", 0, "labels"), ("cluster", "addresses", "pods"),
    ("cluster", "proxy", "nodePortAddresses"), ("traffic", 0, "start"),
    ("traffic", 0, "request"), ("traffic", 0, "keepAlive"), ("traffic", 0, "retries", "jitter"),
    ("faults", 0, "at"), ("faults", 0, "duration"), ("faults", 0, "value"),
    ("faults", 0, "selector", "nodes"),
]  # fmt: skip


@pytest.mark.parametrize("path", PARTS, ids=lambda path: ".".join(map(str, path)))
def test_what_the_schema_refuses_netsim_refuses(path: tuple[str | int, ...]) -> None:
    """The other way round the schema may be milder: it cannot see everything."""
    refused = 0
    for value in VALUES:
        document = json.loads(json.dumps(RIGHT))
        inside = document
        for step in path[:-1]:
            inside = inside.setdefault(step, {}) if isinstance(inside, dict) else inside[step]
        inside[path[-1]] = value
        if not VALIDATOR.is_valid(document):
            refused += 1
            with pytest.raises(ScenarioError):
                loads(json.dumps(document))
    assert refused
