"""`netsim schema`: the JSON Schema of the files that netsim reads, for editors and other programs."""

from __future__ import annotations

import click


@click.command("schema")
@click.option("--kind", type=click.Choice(["scenario"]), default="scenario", help="Of which kind of file.")
def command(kind: str) -> None:
    """Print the JSON Schema (draft-07) of a scenario file.

    An editor with a YAML language server completes and checks a scenario that begins with the line
    `# yaml-language-server: $schema=scenario.schema.json`.
    """
    import json

    from netsim.scenario.schema import scenario_schema

    schemas = {"scenario": scenario_schema}
    click.echo(json.dumps(schemas[kind](), indent=2, ensure_ascii=False))
