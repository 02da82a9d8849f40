"""`netsim examples`: the scenarios at hand.

They are looked for in `scenarios/` of the current folder, then where an installed netsim keeps its own
(`share/netsim/scenarios`). Only the head of each file is read; whether it can be run is for `netsim check` to
say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("examples")
@click.option("-o", "output", type=click.Choice(["json"]), help="Print them as JSON.")
def command(output: str | None) -> None:
    """List the scenarios at hand, and what each asks."""
    import json

    folder = scenarios_folder()
    found = described(folder) if folder else []
    if output:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif not found:
        click.echo("no scenarios here; netsim looks in ./scenarios", err=True)
    else:
        _print(found)


def scenarios_folder() -> Path | None:
    """Where the scenarios are."""
    import sysconfig

    places = (Path("scenarios"), Path(sysconfig.get_path("data")) / "share" / "netsim" / "scenarios")
    return next((place for place in places if place.is_dir()), None)


def described(folder: Path) -> list[dict[str, str]]:
    """File, title and question of each scenario in a folder; what is no scenario is passed over."""
    found = []
    for path in sorted(folder.glob("*.y*ml")):
        metadata = _metadata(path)
        if metadata is not None:
            told = {name: str(metadata.get(name) or "") for name in ("title", "question")}
            found.append({"file": path.as_posix(), **told})
    return found


def _metadata(path: Path) -> dict[str, Any] | None:
    from netsim.api.documents import read_documents
    from netsim.errors import ScenarioError

    try:
        head = next(iter(read_documents(path.read_text("utf-8"), str(path))), None)
    except (ScenarioError, OSError, UnicodeDecodeError):
        return None
    value = head.value if head else None
    if not isinstance(value, dict) or value.get("kind") != "Scenario":
        return None
    metadata = value.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _print(found: list[dict[str, str]]) -> None:
    import shutil
    import textwrap

    width = max(40, shutil.get_terminal_size((80, 24)).columns)
    for each in found:
        click.echo(each["file"])
        for text in (each["title"], each["question"]):
            click.echo("".join(f"    {line}\n" for line in textwrap.wrap(text, width - 4)), nl=False)
    click.echo(f"\nRun one with: netsim run {found[0]['file']}", err=True)
