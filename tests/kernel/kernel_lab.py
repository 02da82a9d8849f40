"""The real kernel's side, seen from the tests: starts the driver in fresh namespaces and tells it what to do.

No root is needed: `unshare` maps the user to root inside a user namespace of its own. When the driver's input
ends, or the tests die, every process and every interface inside is gone with it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("kernel_driver.py")
PROBE = Path(__file__).with_name("kernel_probe.py")
SPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child")
USER = ("--user", "--map-root-user")
LONGEST = 120.0  # seconds that one command may take

RESTORE = {
    "iptables": {4: "iptables-restore", 6: "ip6tables-restore"},
    "iptables-legacy": {4: "iptables-legacy-restore", 6: "ip6tables-legacy-restore"},
    "iptables-nft": {4: "iptables-nft-restore", 6: "ip6tables-nft-restore"},
}
EMPTY = "*mangle\nCOMMIT\n*filter\nCOMMIT\n*nat\nCOMMIT\n"
NO_TABLES = "".join(f"table {f} kube-proxy\ndelete table {f} kube-proxy\n" for f in ("ip", "ip6"))


def _nat_chain(hook: str, priority: str, statement: str, ways: dict[str, str]) -> str:
    """A chain of nft that replaces addresses by a map."""
    elements = ", ".join(f"{old} : {new}" for old, new in ways.items())
    return f"chain {hook} {{ type nat hook {hook} priority {priority}; {statement} map {{ {elements} }}\n }}\n"


@cache
def prefix() -> tuple[str, ...]:
    """The command that opens fresh namespaces; empty if this machine has no way to."""
    for user in (USER, ()):
        command = ("unshare", *user, *SPACES)
        try:
            done = subprocess.run([*command, "true"], capture_output=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if not done.returncode:
            return command
    return ()


@cache
def missing(backend: str) -> str:
    """What this machine lacks for a lab with that backend, in a few words; "" if it has everything."""
    if not prefix():
        return "network namespaces (neither user namespaces nor root)"
    tools = ("nft",) if backend == "nft" else RESTORE[backend].values()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*prefix(), sys.executable, str(PROBE), *tools],
            capture_output=True, text=True, timeout=60, env=_environment(folder),
        )  # fmt: skip
    return done.stdout.strip() if not done.returncode else done.stderr.strip().splitlines()[-1]


def _environment(folder: str) -> dict[str, str]:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return {**os.environ, "PATH": path, "XTABLES_LOCKFILE": f"{folder}/lock", "PYTHONDONTWRITEBYTECODE": "1"}


class Lab:
    """A cluster of network namespaces."""

    def __init__(self, description: dict[str, Any], backend: str) -> None:
        self.backend = backend
        self.nodes = [node["name"] for node in description["nodes"]]
        families = {6 if ":" in address else 4 for node in description["nodes"] for address in node["addresses"]}
        self._tools = [RESTORE[backend][v] for v in sorted(families)] if backend != "nft" else []
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [*prefix(), sys.executable, str(DRIVER)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(self._folder.name),
        )  # fmt: skip
        self._pending = b""
        self._do("build", description=description)
        if description["edge"]:
            self._know_nodes_outside(description["edge"])

    def close(self) -> None:
        """Take it down: the driver ends with its input, and takes the namespaces with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._folder.cleanup()

    # rules ------------------------------------------------------------------------------------------------

    def load(self, texts: dict[str, str]) -> None:
        """Put each node's rules in place of those it had, as kube-proxy would: in one go."""
        for node, text in texts.items():
            if self.backend == "nft":
                self.run(node, ["nft", "-f", "-"], NO_TABLES + text)
                continue
            for tool, part in zip(self._tools, text.split("\n\n"), strict=True):
                self.run(node, [tool, "-w"], part.rstrip("\n") + "\n")

    def load_later(self, node: str, text: str, seconds: float) -> None:
        """The same for one node, in a while; meanwhile the lab goes on."""
        tool = "nft -f -" if self.backend == "nft" else f"{self._tools[0]} -w"
        script = f'text=$(cat); (sleep {seconds}; printf "%s\\n" "$text" | {tool}) >/dev/null 2>&1 </dev/null &'
        self.run(node, ["sh", "-c", script], (NO_TABLES if self.backend == "nft" else "") + text)

    def masquerade(self, node: str, pods: str, cluster: str) -> None:
        """What most network plugins do: a pod that leaves the pod network does so as its node."""
        if self.backend == "nft":
            rule = f"ip saddr {pods} ip daddr != {cluster} masquerade"
            hook = "type nat hook postrouting priority srcnat + 5;"
            self.run(node, ["nft", "-f", "-"], f"table ip cni {{ chain out {{ {hook} {rule}\n }}\n }}\n")
            return
        rule = f"-A POSTROUTING -s {pods} ! -d {cluster} -j MASQUERADE"
        self.run(node, [self._tools[0], "-w", "--noflush"], f"*nat\n{rule}\nCOMMIT\n")

    def _know_nodes_outside(self, edge: list[dict[str, Any]]) -> None:
        """What a cloud does at its edge: an external address stands for a node, one to one, in both directions."""
        ways_in = {node["outside"]: node["inside"] for node in edge}
        ways_out = {source: node["outside"] for node in edge for source in (node["inside"], *node["pods"])}
        if self.backend == "nft":
            text = "table ip edge {\n"
            text += _nat_chain("prerouting", "dstnat", "dnat to ip daddr", ways_in)
            text += _nat_chain("postrouting", "srcnat", "ct status dnat snat to ip saddr", ways_out)
            self.run("router", ["nft", "-f", "-"], text + "}\n")
            return
        rules = [f"-A PREROUTING -d {old} -j DNAT --to-destination {new}\n" for old, new in ways_in.items()]
        snat = "-m conntrack --ctstate DNAT -j SNAT --to-source"
        rules += [f"-A POSTROUTING -s {old} {snat} {new}\n" for old, new in ways_out.items()]
        self.run("router", [self._tools[0], "-w"], f"*nat\n{''.join(rules)}COMMIT\n")

    def reset(self) -> None:
        """No rules, and no memory of connections."""
        for node in self.nodes:
            if self.backend == "nft":
                self.run(node, ["nft", "-f", "-"], NO_TABLES)
            else:
                for tool in self._tools:
                    self.run(node, [tool, "-w"], EMPTY)
            self.forget(node)

    def forget(self, node: str) -> None:
        """A node's conntrack table is emptied."""
        self.run(node, ["conntrack", "-F"], check=False)

    # packets ----------------------------------------------------------------------------------------------

    def cross(self, flows: Iterable[dict[str, Any]]) -> list[Counter[tuple[str, ...]]]:
        """Send flows, and count what became of each."""
        answers = self._do("cross", flows=list(flows))
        return [Counter({tuple(outcome): n for outcome, n in answer}) for answer in answers]

    def open(self, name: str, flow: dict[str, Any]) -> tuple[str, ...]:
        """Open one connection, ask once, and keep it."""
        return tuple(self._do("open", name=name, flow=flow))

    def ask(self, name: str) -> tuple[str, ...]:
        """Ask again on a connection that was kept."""
        return tuple(self._do("ask", name=name))

    def port(self, name: str) -> int:
        """The local port of a connection that was kept."""
        return int(self._do("port", name=name))

    def hang_up(self, name: str) -> None:
        """Close a connection that was kept."""
        self._do("close", name=name)

    def run(self, space: str, argv: list[str], text: str = "", *, check: bool = True) -> str:
        """Run a program in one of the namespaces; what it prints."""
        return str(self._do("run", space=space, argv=argv, text=text, check=check))

    # the driver -------------------------------------------------------------------------------------------

    def _do(self, command: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        reply = json.loads(self._line())
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["answer"]

    def _line(self) -> bytes:
        """The driver's next line; it has a limited time to say it."""
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        while b"\n" not in self._pending:
            ready, _, _ = select.select([fd], [], [], LONGEST)
            more = os.read(fd, 1 << 16) if ready else b""
            if not more:
                self._process.kill()
                raise RuntimeError("the lab's driver is gone" if ready else "the lab's driver does not answer")
            self._pending += more
        line, _, self._pending = self._pending.partition(b"\n")
        return line
