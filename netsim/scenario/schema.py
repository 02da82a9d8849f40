"""The scenario's JSON Schema, for editors: it completes names, shows what they mean, and marks what is wrong.

pydantic derives it from the models. Here it is put into the words of draft-07, which editors know best, and
each field gets the comment beside it in the source as its description, so that the two cannot drift apart.
What only netsim can see (names that must meet, times that must fit) is left to `netsim check`.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from netsim.scenario.model import ScenarioDocument

DRAFT = "http://json-schema.org/draft-07/schema#"
_NOT_WORDS = re.compile(r"type: ignore|noqa|fmt: |pragma:")
_NOT_DRAFT_07 = ("discriminator", "title")  # titles are no more than the names again


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with the fields' comments as descriptions, and defaults as files have them."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        kind: type[BaseModel] = schema["cls"]
        words = comments(kind)
        defaults = kind.model_construct().model_dump(mode="json", warnings=False)
        for name, info in kind.model_fields.items():
            part = result["properties"][info.alias or name]
            if name in words:
                part["description"] = words[name]
            if "default" in part:  # as a file has it: 1s, not 1000000000
                part["default"] = defaults[info.alias or name]
        return result


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (draft-07) of a scenario file's first document."""
    schema = ScenarioDocument.model_json_schema(
        by_alias=True, ref_template="#/definitions/{model}", schema_generator=_Generator
    )
    schema["definitions"] = schema.pop("$defs")
    return {"$schema": DRAFT, "title": "A netsim scenario", **_as_draft_07(schema)}


def comments(kind: type[BaseModel]) -> dict[str, str]:
    """What the comments beside a model's fields say, by field.

    >>> from netsim.traffic import Retries
    >>> comments(Retries)
    {'attempts': 'after the first'}
    """
    words: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            words |= _own_comments(textwrap.dedent(inspect.getsource(base)))
    return words


def _own_comments(source: str) -> dict[str, str]:
    """The comments beside the fields of one class."""
    beside = {
        token.start[0]: token.string.lstrip("# ").replace("None", "null")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and not _NOT_WORDS.search(token.string)
    }
    fields = (part for part in ast.walk(ast.parse(source)) if isinstance(part, ast.AnnAssign))
    return {
        part.target.id: beside[part.end_lineno]
        for part in fields
        if isinstance(part.target, ast.Name) and part.end_lineno in beside
    }


def _as_draft_07(schema: Any) -> Any:
    """A schema without what later drafts brought, and with nothing beside a `$ref`: draft-07 ignores that."""
    if isinstance(schema, list):
        return [_as_draft_07(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("properties", "definitions"):
            result[name] = {key: _as_draft_07(part) for key, part in value.items()}
        elif name == "default" and isinstance(value, dict):
            continue  # the defaults of its fields say the same
        elif name in ("default", "const", "enum", "examples"):
            result[name] = value
        elif name not in _NOT_DRAFT_07:
            result[name] = _as_draft_07(value)
    if "prefixItems" in result:
        result["items"] = result.pop("prefixItems")
    if "$ref" in result and len(result) > 1:
        result["allOf"] = [{"$ref": result.pop("$ref")}]
    return result
