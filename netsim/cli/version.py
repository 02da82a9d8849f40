"""`netsim version`: which netsim this is, and what it stands on."""

from __future__ import annotations

import click

STANDS_ON = ("numpy", "simpy", "networkx", "pydantic", "matplotlib", "pandas", "numba")


@click.command("version")
@click.option("-o", "output", type=click.Choice(["json"]), help="Print it as JSON.")
def command(output: str | None) -> None:
    """Print the versions of netsim and of what it stands on."""
    import json
    import platform
    from importlib.metadata import PackageNotFoundError, version

    import netsim

    found = {"netsim": netsim.__version__, "python": platform.python_version()}
    for name in STANDS_ON:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if output:
        click.echo(json.dumps(found, indent=2))
        return
    for name, number in found.items():
        click.echo(f"{name:<11} {number}")
