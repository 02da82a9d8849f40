"""The command `netsim`: which verbs there are, and how any of them ends.

A verb is a module of this folder with a click command called `command`; it is imported when it is used, and
it imports what it needs when it runs. So `netsim --help` loads click and nothing else.

Exit codes: 0 fine, 1 a check failed (or something asked for was not there), 2 the command line or a scenario
is wrong, 3 a mistake of netsim's own, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from netsim.cli import interrupts

USAGE, OURS, INTERRUPTED = 2, 3, 130  # and 1, when a check fails or what was compared differs

VERBS = {
    "run": "Run a scenario: what happened, what clients saw, which claims hold.",
    "check": "Say everything that is wrong with a scenario file.",
    "schema": "Print the JSON Schema of a scenario file.",
    "shell": "Open a prompt on the cluster: kubectl, ssh, curl, and a clock you move.",
    "get": "Show the cluster at an instant, in kubectl's tables.",
    "trace": "Show where a packet goes at an instant, and what decided each hop.",
    "reach": "Show who can reach whom at an instant.",
    "sweep": "Run a scenario in many variants under many seeds, and say what differs.",
    "compare": "Say what differs between two runs, or between two sweeps.",
    "examples": "List the scenarios at hand, and what each asks.",
    "version": "Print the versions of netsim and of what it stands on.",
}
"""Every verb, and what it does: the help of the command is this table."""


class Verbs(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        from importlib import import_module

        command: click.Command = import_module(f"netsim.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"there is no verb {args[0]!r}{_hint(args[0])}")
        return super().resolve_command(ctx, args)


def _hint(word: str) -> str:
    from difflib import get_close_matches

    if word.endswith((".yaml", ".yml")):
        return f"; did you mean: netsim run {word}"
    near = get_close_matches(word, VERBS, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(VERBS)}"


@click.group(
    "netsim",
    cls=Verbs,
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--debug", is_flag=True, help="Show where a mistake of netsim's own happened (or set NETSIM_DEBUG)."
)
def netsim(debug: bool) -> None:
    """A wind tunnel for Kubernetes networking.

    Hand it your manifests, a cluster, traffic and what breaks: it tells you where every packet went, how
    long it took, what the client saw, and why.
    """
    if debug:
        os.environ["NETSIM_DEBUG"] = "1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process as the exit codes say."""
    interrupts.remember()
    code = ended(arguments)
    interrupts.over()
    sys.exit(code)


def ended(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code. Whatever goes wrong is said on standard error."""
    try:
        _plain_streams()
        code = netsim.main(arguments, prog_name="netsim", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _interrupted()
    except (BrokenPipeError, SystemExit):  # click leaves when the reader of its output has gone
        code = 0
    except Exception as error:
        code = _interrupted() if interrupts.came() else _wrong(error)
    _flush()
    return code if isinstance(code, int) else 0


def _plain_streams() -> None:
    """Print UTF-8 wherever we are; what a terminal cannot show must not end a run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            encoding = stream.encoding if stream.isatty() else "utf-8"
            reconfigure(encoding=encoding, errors="replace")


def _flush() -> None:
    """Write out what is left. That nobody reads it any more (`netsim ... | head`) is no mistake."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupted() -> int:
    click.echo("interrupted", err=True)
    return INTERRUPTED


def _wrong(error: Exception) -> int:
    from netsim.errors import ModelError, NetsimError

    if isinstance(error, NetsimError) and not isinstance(error, ModelError):
        click.echo(str(error), err=True)
        return USAGE
    if os.environ.get("NETSIM_DEBUG"):
        import traceback

        traceback.print_exception(error)
    else:
        click.echo(f"netsim: this is a mistake of netsim's own: {type(error).__name__}: {error}", err=True)
        click.echo("Please report it, with the scenario and what `netsim --debug ...` prints.", err=True)
    return OURS
