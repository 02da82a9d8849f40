"""`netsim shell`: a prompt on the simulated cluster, or a few commands, or a script of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netsim.cli import interrupts

if TYPE_CHECKING:
    from netsim.console.output import Output
    from netsim.console.session import Lab

WELCOME = """{title}
The clock stands still while you think, and goes on after each command until the cluster has come to rest, or by
as much as you say (`sleep 40s`). `help` lists what there is, `exit` leaves."""


@click.command("shell")
@click.argument("scenarios", type=click.Path(), nargs=-1, required=True, metavar="SCENARIO...")
@click.option("-c", "commands", multiple=True, metavar="COMMANDS", help="Do these commands and leave.")
@click.option("--script", type=click.Path(dir_okay=False), help="Do the lines of a file, each shown with its prompt.")
@click.option("--seed", type=int, default=None, help="Another seed than the scenario's.")
def command(scenarios: tuple[str, ...], commands: tuple[str, ...], script: str | None, seed: int | None) -> None:
    """Open a prompt on the cluster of SCENARIO: kubectl, ssh to its nodes, curl from outside.

    The clock runs to quiescence after each command, or as long as `sleep 40s` says. Several scenarios are several
    clusters; `kubectl --context NAME` chooses. The exit code is that of the last command.
    """
    import netsim

    lab = netsim.shell(*scenarios, seed=seed)
    if commands:
        code = _each(lab, list(commands))
    elif script is not None:
        code = _script(lab, _text(script))
    elif sys.stdin.isatty():
        code = _prompt(lab)
    else:
        from netsim.console.script import lines

        code = _each(lab, list(lines(sys.stdin.read())))
    raise click.exceptions.Exit(code)


def _text(file: str) -> str:
    from netsim.errors import ScenarioError

    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"cannot read the script {file}: {error}") from None


def _each(lab: Lab, lines: list[str]) -> int:
    """Do lines, and print what they say."""
    from netsim.console.output import Exit

    code = 0
    for line in lines:
        try:
            output = lab.run(line)
        except Exit:
            break
        code = output.code
        _print(output)
    return code


def _script(lab: Lab, text: str) -> int:
    from netsim.console.script import steps

    code = 0
    for shown, output in steps(lab, text):
        click.echo(shown)
        click.echo(output.text, nl=False)
        code = output.code
    return code


def _print(output: Output) -> None:
    for stream, text in output.parts:
        click.echo(text, nl=False, err=stream == "err")


# for those who type ------------------------------------------------------------------------------------


def _prompt(lab: Lab) -> int:
    """Read lines from a terminal until the person leaves."""
    from netsim.console.output import Exit

    _completing(lab)
    document = lab.simulation.document.metadata
    click.echo(WELCOME.format(title=document.title or document.name))
    code = 0
    while True:
        try:
            line = _read(lab.prompt)
        except EOFError:
            click.echo()
            line = "exit"
        except KeyboardInterrupt:
            interrupts.dealt_with()
            click.echo()
            continue
        try:
            output = lab.run(line)
        except Exit:
            return code
        except KeyboardInterrupt:
            interrupts.dealt_with()
            click.echo("^C (the clock stands where it was stopped)")
            continue
        code = output.code
        _print(output)


def _read(prompt: str) -> str:
    """A line that was typed, with those that it goes on in after a backslash at its end."""
    line = input(prompt)
    while line.endswith("\\"):
        line += f"\n{input('> ')}"
    return line


def _completing(lab: Lab) -> None:
    """History and completion by the tabulator, where the platform has readline."""
    try:
        import readline
    except ImportError:
        return

    def complete(text: str, state: int) -> str | None:
        found = lab.complete(readline.get_line_buffer()[: readline.get_endidx()])
        return f"{found[state]} " if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n;|&")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
