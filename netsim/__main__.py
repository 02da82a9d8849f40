"""`python -m netsim`, and the command `netsim`: the command line, ready for Ctrl-C before anything else is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and end the process as its exit codes say."""
    try:
        from netsim.cli import interrupts

        interrupts.remember()
        from netsim.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt:  # before the command line could see to it, or after
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
