"""Runs inside fresh namespaces and prints what this machine lacks for a lab, in a few words; nothing if it can.

Called with the tools that load rules: `nft`, or `iptables-restore` and its kin.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RULES = (
    ("-m statistic", "-A T -m statistic --mode random --probability 0.5 -j RETURN"),
    ("-m recent", "-A T -m recent --rcheck --seconds 9 --reap --name T --rsource -j RETURN"),
    ("-m addrtype", "-A T -m addrtype --dst-type LOCAL -j RETURN"),
    ("-m mark", "-A T -m mark ! --mark 0x4000/0x4000 -j RETURN"),
    ("-m comment", "-A T -m comment --comment x -j RETURN"),
    ("MASQUERADE", "-A POSTROUTING -j MASQUERADE --random-fully"),
)
FILTER = "*filter\n:T - [0:0]\n-A T -m conntrack --ctstate NEW -j REJECT\nCOMMIT\n"
NFT = (
    ("nft numgen", "numgen random mod 2 vmap { 0 : accept, 1 : drop }"),
    ("nft fib", "fib daddr type local accept"),
    ("nft reject", "reject"),
)


def can(argv: list[str], text: str = "") -> bool:
    """Whether a command works."""
    try:
        return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def lacks(tools: list[str]) -> str:
    """The first thing that is missing."""
    links = [
        ("the program ip", ["ip", "link"]),
        ("the program conntrack", ["conntrack", "-L"]),
        ("bridges", ["ip", "link", "add", "br0", "type", "bridge"]),
        ("veth pairs", ["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]),
        ("ports of a bridge", ["ip", "link", "set", "v0", "master", "br0"]),
        ("hairpin ports", ["ip", "link", "set", "v0", "type", "bridge_slave", "hairpin", "on"]),
    ]
    for name, command in links:
        if not can(command):
            return name
    settings = Path("/proc/sys/net")
    if not (settings / "bridge/bridge-nf-call-iptables").exists():
        return "the kernel module br_netfilter"
    try:
        (settings / "ipv4/ip_forward").write_text("1")
    except OSError:
        return "the right to change kernel settings"
    for tool in tools:
        if missing := (_nft() if tool == "nft" else _iptables(tool)):
            return missing
    return ""


def _nft() -> str:
    if not can(["nft", "list", "ruleset"]):
        return "nft"
    for name, rule in NFT:
        if not can(["nft", "-f", "-"], f"table ip t {{ chain c {{ {rule}\n }}\n }}\n"):
            return name
    nat = "table ip t { chain n { type nat hook postrouting priority srcnat; masquerade fully-random\n }\n }\n"
    return "" if can(["nft", "-f", "-"], nat) else "nft masquerade"


def _iptables(tool: str) -> str:
    if not can([tool, "-w"], "*nat\nCOMMIT\n"):
        return tool
    for name, rule in RULES:
        if not can([tool, "-w"], f"*nat\n:T - [0:0]\n{rule}\nCOMMIT\n"):
            return f"{name} in {tool}"
    return "" if can([tool, "-w"], FILTER) else f"REJECT in {tool}"


if __name__ == "__main__":
    print(lacks(sys.argv[1:]))
