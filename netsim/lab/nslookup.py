"""`nslookup`, as busybox and as BIND print it, from answers that have come through the cluster.

Busybox's looks up the server's own name first and every address it finds, so that names stand beside them;
it asks the C library, and so follows the search path. BIND's follows it too, prints what it was told, and says
of the last name it tried that there is none.

Left out: interactive use, BIND's `-debug`, busybox 1.29 and later, which print like BIND.
Sources: busybox `networking/nslookup.c` (1.28); BIND `bin/dig/nslookup.c` (9.18).
"""

from __future__ import annotations

from collections.abc import Sequence

from netsim.api.names import ip_address
from netsim.control.dns_records import TYPES, Question, Record, reverse_name
from netsim.control.lookup import Asker, Lookup
from netsim.lab.dns import ask, lookup
from netsim.lab.names import Names, names_of
from netsim.simulation import Simulation
from netsim.traffic import Origin

Printed = tuple[str, int, int]  # text, exit code, nanoseconds it would have taken
USAGE = "Usage: nslookup [HOST] [SERVER]"


def nslookup(simulation: Simulation, origin: str | Origin, argv: Sequence[str], flavour: str = "busybox") -> Printed:
    """What `nslookup` prints there; `argv` without the command's own name, `flavour` busybox or bind."""
    options = [word for word in argv if word.startswith("-")]
    words = [word for word in argv if not word.startswith("-")]
    if not words or len(words) > 2:
        return f"{USAGE}\n", 1, 0
    server = words[1] if len(words) == 2 else None
    if server is not None and ip_address(server) is None:
        found = lookup(simulation, origin, server)
        if not found.addresses:
            return f"nslookup: can't resolve '{server}'\n", 1, found.elapsed
        server = found.addresses[0]
    if flavour == "busybox" and not options:
        return _busybox(simulation, origin, words[0], server)
    return _bind(simulation, origin, words[0], _kinds(options), server)


def _kinds(options: Sequence[str]) -> tuple[str, ...]:
    """The types that options such as `-type=SRV` ask for."""
    given = [option.partition("=")[2].upper() for option in options if option.lstrip("-")[:2] in ("ty", "qu", "q=")]
    return tuple(kind for kind in given if kind in TYPES) or ("A", "AAAA")


# busybox --------------------------------------------------------------------------------------------------------


def _busybox(simulation: Simulation, origin: str | Origin, name: str, server: str | None) -> Printed:
    names = names_of(simulation)
    client = names.client(origin)
    own, server = server, server or client.resolver.nameservers[0]
    shown, spent = _named(names, client, server)
    lines = [f"Server:    {server}", f"Address 1: {shown}", ""]
    found = lookup(simulation, origin, name, server=own)
    spent += found.elapsed
    addresses = (name,) if ip_address(name) else found.addresses
    if not addresses:
        return "\n".join([*lines, f"nslookup: can't resolve '{name}'", ""]), 1, spent
    lines.append(f"Name:      {name}")
    for number, address in enumerate(addresses, 1):
        shown, took = _named(names, client, address)
        lines.append(f"Address {number}: {shown}")
        spent += took
    return "\n".join([*lines, ""]), 0, spent


def _named(names: Names, client: Asker, address: str) -> tuple[str, int]:
    """An address with its name behind it, if it has one, and how long that took to find out."""
    found = ask(names, client, client.resolver.nameservers[0], Question(reverse_name(address), "PTR"))
    known = found.answer.data("PTR") if found.answer else ()
    return " ".join((address, *known[:1])), found.elapsed


# BIND -----------------------------------------------------------------------------------------------------------


def _bind(
    simulation: Simulation, origin: str | Origin, name: str, kinds: tuple[str, ...], server: str | None
) -> Printed:
    if reverse := ip_address(name) is not None:
        found = lookup(simulation, origin, f"{reverse_name(name)}.", ("PTR",), server=server)
    else:
        found = lookup(simulation, origin, name, kinds, server=server)
    if found.failed:
        return _unanswered(found)
    answer, server = found.answer, found.server
    assert answer is not None
    lines = [] if reverse else [f"Server:\t\t{server}", f"Address:\t{server}#53", ""]
    if not answer.records:
        last = found.asked[-1].question.name if reverse else name
        why = "NXDOMAIN" if answer.code == "NXDOMAIN" else "No answer"
        if why == "No answer":
            return "\n".join([*lines, f"*** Can't find {last}: {why}", "", ""]), 1, found.elapsed
        return "\n".join([*lines, f"** server can't find {last}: {why}", "", ""]), 1, found.elapsed
    if not answer.authoritative and not reverse:
        lines.append("Non-authoritative answer:")
    lines += [_shown(record) for record in answer.records]
    return "\n".join([*lines, "", ""]), 0, found.elapsed


def _unanswered(found: Lookup) -> Printed:
    tried = [one for one in found.asked if one.answer is None and one.question.type == found.asked[0].question.type]
    lines = [f";; communications error to {one.server}#53: {_error(one.by)}" for one in tried]
    refused = any(one.by.startswith("refused") for one in tried)
    last = ";; no servers could be reached" if refused else ";; connection timed out; no servers could be reached"
    return "\n".join([*lines, last, "", ""]), 1, found.elapsed


def _error(by: str) -> str:
    known = {"refused": "connection refused", "host-unreachable": "host unreachable"}
    known["net-unreachable"] = "network unreachable"
    return known.get(by.partition(":")[0], "timed out")


def _shown(record: Record) -> str:
    """One record, as BIND's nslookup writes it."""
    if record.type in ("A", "AAAA"):
        return f"Name:\t{record.name}\nAddress: {record.data}"
    what = {"SRV": "service", "PTR": "name", "CNAME": "canonical name", "TXT": "text", "NS": "nameserver"}
    data = f'"{record.data}"' if record.type == "TXT" else f"{record.data}."
    return f"{record.name}\t{what.get(record.type, record.type)} = {data}"
