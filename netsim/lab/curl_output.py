"""What curl prints: notes (`-v`), errors, the answer, and what `-w` asks for.

Source: curl 8.x `src/tool_writeout.c`, `lib/curl_trc.c`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netsim.control.lookup import Asker
from netsim.dataplane.errand import Reached
from netsim.lab.curl_options import Options, Url
from netsim.lab.http import Response
from netsim.units import S

VERSION = "8.11.1"


@dataclass
class Transfer:
    """One URL under way: what was said, and when what was done (nanoseconds since it began)."""

    url: Url
    client: Asker
    namelookup: int = 0
    connect: int = 0
    appconnect: int = 0
    starttransfer: int = 0
    total: int = 0
    address: str = ""
    reached: Reached | None = None
    reused: bool = False  # over a connection that an earlier URL has opened
    response: Response | None = None
    notes: list[str] = field(default_factory=list)  # what -v shows
    error: str = ""
    code: int = 0

    def fail(self, code: int, message: str, after: int | None = None) -> None:
        """End it, `after` this long."""
        self.code, self.error = code, message
        if after is not None:
            self.total = after


def printed(transfer: Transfer, options: Options, output: Sequence[str]) -> str:
    """Everything that a transfer puts out; with an `output` (`-o`) the answer itself goes elsewhere."""
    text = "".join(f"{note}\n" for note in transfer.notes) if options.verbose else ""
    if options.verbose and transfer.response is not None:
        text += _conversation(transfer, options)
    if transfer.code and (not options.silent or options.show_error):
        text += f"curl: ({transfer.code}) {transfer.error}\n"
    if transfer.response is not None and not output and transfer.code != 22:
        text += shown(transfer.response, options)
    return text + (_written_out(options.write_out, transfer) if options.write_out else "")


def shown(response: Response, options: Options) -> str:
    """The answer itself, as far as it was asked for."""
    head = response.head().replace("\r\n", "\n") if options.head or options.include else ""
    return head + ("" if options.method == "HEAD" else response.body.replace("\r\n", "\n"))


def _conversation(transfer: Transfer, options: Options) -> str:
    lines = [f"{options.method} {transfer.url.path} HTTP/1.1", f"Host: {transfer.url.authority}"]
    lines += [f"User-Agent: curl/{VERSION}", "Accept: */*", *options.headers]
    if options.data:
        length = len("&".join(options.data).encode())
        lines += [f"Content-Length: {length}", "Content-Type: application/x-www-form-urlencoded"]
    lines.append("")
    assert transfer.response is not None
    said = transfer.response.head().split("\r\n")[:-1]
    kept = f"* Connection #0 to host {transfer.url.host} left intact"
    kept = "* shutting down connection #0" if options.closes else kept
    return "\n".join([*(f"> {line}" for line in lines), *(f"< {line}" for line in said), kept, ""])


def _written_out(template: str, transfer: Transfer) -> str:
    """What `-w` makes of its template; a variable that is not known vanishes, with curl's complaint."""
    text = template.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
    known = _variables(transfer)
    parts = text.split("%{")
    out = parts[0]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        out += f"{known.get(name, '')}{rest}" if closed else f"%{{{part}"
    return out.replace("%%", "%")


def _variables(transfer: Transfer) -> dict[str, str]:
    reached, response = transfer.reached, transfer.response
    status = f"{response.status if response else 0:03d}"
    local = reached.packet if reached else None
    times = {
        "time_namelookup": transfer.namelookup, "time_connect": transfer.connect,
        "time_appconnect": transfer.appconnect, "time_pretransfer": transfer.appconnect or transfer.connect,
        "time_starttransfer": transfer.starttransfer, "time_total": transfer.total, "time_redirect": 0,
    }  # fmt: skip
    return {
        **{name: f"{time / S:.6f}" for name, time in times.items()},
        "http_code": status,
        "response_code": status,
        "remote_ip": transfer.address,
        "remote_port": str(transfer.url.port) if reached else "-1",
        "local_ip": local.source if local else "",
        "local_port": str(local.source_port) if local else "-1",
        "size_download": str(len(response.body) if response else 0),
        "content_type": dict(response.headers)["Content-Type"] if response else "",
        "url": transfer.url.text,
        "url_effective": transfer.url.text,
        "scheme": transfer.url.scheme,
        "num_connects": str(int(reached is not None and not transfer.reused)),
        "http_version": "1.1" if response else "0",
        "exitcode": str(transfer.code),
        "errormsg": transfer.error.partition("\n")[0],
        "ssl_verify_result": "0" if transfer.code != 60 else "1",
    }
