"""`curl` on a pod, a node or outside: the name looked up, a connection opened, TLS spoken, a page fetched.

Each step is the simulation's own: the lookup asks the cluster's DNS (`dns.py`), the connection is a packet that
meets the rules of the client's node (`path.py`), the certificate is one that the pod has in a Secret. What goes
wrong is said in curl's words, with its exit codes: 6, 7, 28, 35, 60, 77.

Several URLs of one command line share a connection, if they are for the same host and port; where each connection
ends with its answer (`-H "Connection: close"`), a TLS session is resumed with the pod that it was begun with.

The clock stands still meanwhile: all is done in the state of this instant, and what it would have taken comes
back as a number. Whoever runs a shell moves the clock on by it.

Left out: proxies, redirects, uploads, HTTP/2, the progress meter, retransmissions that meet a changed cluster.
Sources: curl 8.x `lib/connect.c`, `lib/vtls/openssl.c`, `src/tool_writeout.c`; libcurl-errors(3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netsim.api.names import ip_address
from netsim.control.lookup import Asker
from netsim.dataplane.errand import Reached, send, socket
from netsim.dataplane.handshake import Sessions, handshake
from netsim.dataplane.server import Server
from netsim.lab.curl_options import Options, Url, Wrong, parse, url
from netsim.lab.curl_output import Transfer, printed
from netsim.lab.dns import lookup
from netsim.lab.files import file_in
from netsim.lab.http import Request, respond, served_chain
from netsim.lab.names import Names, names_of
from netsim.simulation import Simulation
from netsim.traffic import Origin
from netsim.units import MS, S

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

DEFAULT_CONNECT_TIMEOUT = 300 * S

SAYS = {
    "refused": "Connection refused",
    "host-unreachable": "No route to host",
    "net-unreachable": "Network is unreachable",
    "timeout": "Connection timed out",
}

MORE = """More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above.
"""


def curl(
    simulation: Simulation, origin: str | Origin, argv: Sequence[str], files: Mapping[str, bytes] | None = None
) -> tuple[str, int, int]:
    """What `curl` prints there, its exit code, and the nanoseconds it would have taken.

    `argv` comes without the command's own name; `files` are those on the client's machine beside what its pod
    has mounted (for `--cacert`). What would go to two streams is one text, errors and notes first.
    """
    try:
        options = parse(argv)
        urls = [url(text) for text in options.urls]
    except Wrong as wrong:
        return wrong.text, wrong.code, 0
    names = names_of(simulation)
    client = names.client(origin)
    text, code, elapsed, session = "", 0, 0, Session()
    for number, wanted in enumerate(urls):
        transfer = fetch(names, client, wanted, options, files or {}, session)
        text += printed(transfer, options, options.output[number : number + 1])
        code, elapsed = transfer.code, elapsed + transfer.total
    for transfer in session.open.values():
        _hang_up(names, transfer)
    return text, code, elapsed


@dataclass
class Session:
    """What one command line keeps from URL to URL: connections by scheme, host and port, and TLS sessions by pod."""

    open: dict[tuple[str, str, int], Transfer] = field(default_factory=dict)
    begun: Sessions = field(default_factory=Sessions)


def fetch(
    names: Names, client: Asker, wanted: Url, options: Options, files: Mapping[str, bytes], session: Session
) -> Transfer:
    """Do what curl does for one URL."""
    transfer = Transfer(wanted, client)
    key = wanted.scheme, wanted.host, wanted.port
    if key in session.open:
        _reuse(transfer, session.open[key])
        _exchange(names, transfer, options)
        return transfer
    trusted = _trusted(names, client, options, files)
    if trusted is None:
        transfer.fail(77, f"error setting certificate verify locations:  CAfile: {options.cacert} CApath: none", 0)
        return transfer
    addresses = _resolve(names, transfer, options)
    connected = bool(addresses) and _connect(names, transfer, options, addresses)
    if connected and _secure(names, transfer, options, trusted, session):
        _exchange(names, transfer, options)
        if not options.closes:
            session.open[key] = transfer
    if key not in session.open:
        _hang_up(names, transfer)
    limit = options.max_time
    if limit and transfer.total > limit and transfer.code in (0, 6, 7, 28):
        _out_of_time(transfer, limit)
    return transfer


def _reuse(transfer: Transfer, earlier: Transfer) -> None:
    transfer.reached, transfer.address, transfer.reused = earlier.reached, earlier.address, True
    transfer.notes.append(f"* Re-using existing connection with host {transfer.url.host}")


def _hang_up(names: Names, transfer: Transfer) -> None:
    if transfer.reached is not None and transfer.reached.connection is not None:
        transfer.reached.connection.close(names.simulation.forwarding)


# names ----------------------------------------------------------------------------------------------------------


def _resolve(names: Names, transfer: Transfer, options: Options) -> list[str]:
    """The addresses to try."""
    host, port = transfer.url.host, transfer.url.port
    given = options.resolve.get((host, port))
    if given:
        transfer.notes.append(f"* Added {host}:{port}:{','.join(given)} to DNS cache")
        return given
    if ip_address(host) is not None:
        return [host]
    if host == "localhost":
        return ["127.0.0.1"]
    kinds = (options.family,) if options.family else ("A", "AAAA")
    found = lookup(names.simulation, transfer.client.origin, host, kinds)
    transfer.namelookup = transfer.total = found.elapsed
    if not found.addresses:
        transfer.notes.append(f"* Could not resolve host: {host}")
        transfer.fail(6, f"Could not resolve host: {host}", found.elapsed)
    return list(found.addresses)


# connecting -----------------------------------------------------------------------------------------------------


def _connect(names: Names, transfer: Transfer, options: Options, addresses: list[str]) -> bool:
    """Try one address after the other until one answers."""
    limit = options.connect_timeout or DEFAULT_CONNECT_TIMEOUT
    limit = min(limit, options.max_time) if options.max_time else limit
    patience = min(limit - transfer.total, names.simulation.built.syn_schedule[-1])
    for number, address in enumerate(addresses):
        reached = _knock(names, transfer, address)
        last = number == len(addresses) - 1
        spent = (patience if last else patience // 2) if reached.outcome == "timeout" else reached.elapsed
        patience -= spent
        transfer.total += spent
        if reached.answered and transfer.total < limit:
            transfer.reached, transfer.address, transfer.connect = reached, address, transfer.total
            transfer.notes.append(f"* Connected to {transfer.url.host} ({address}) port {transfer.url.port}")
            return True
        own = f"{reached.packet.source} port {reached.packet.source_port}"
        why = SAYS.get(reached.outcome, SAYS["timeout"])
        transfer.notes.append(f"* connect to {address} port {transfer.url.port} from {own} failed: {why}")
        if transfer.total >= limit:
            break
    _not_connected(transfer, options, limit)
    return False


def _knock(names: Names, transfer: Transfer, address: str) -> Reached:
    shown = f"[{address}]" if ":" in address else address
    transfer.notes.append(f"*   Trying {shown}:{transfer.url.port}...")
    place, state = transfer.client.place, names.simulation.forwarding
    packet = socket(state, place, address, transfer.url.port, "TCP", names.chance)
    return send(state, place, packet, names.chance)


def _not_connected(transfer: Transfer, options: Options, limit: int) -> None:
    where = f"{transfer.url.host} port {transfer.url.port}"
    if transfer.total >= limit:
        transfer.fail(28, f"Connection timed out after {limit // MS} milliseconds", limit)
    elif any(note.endswith(SAYS["timeout"]) for note in transfer.notes):
        transfer.fail(28, f"Failed to connect to {where} after {transfer.total // MS} ms: Could not connect to server")
    else:
        transfer.fail(7, f"Failed to connect to {where} after {transfer.total // MS} ms: Could not connect to server")


def _out_of_time(transfer: Transfer, limit: int) -> None:
    if not transfer.address:
        what = "Resolving" if transfer.namelookup >= limit else "Connection"
        transfer.fail(28, f"{what} timed out after {limit // MS} milliseconds", limit)
    else:
        transfer.fail(28, f"Operation timed out after {limit // MS} milliseconds with 0 bytes received", limit)
    transfer.response = None


# TLS ------------------------------------------------------------------------------------------------------------


def _trusted(
    names: Names, client: Asker, options: Options, files: Mapping[str, bytes]
) -> tuple[Certificate, ...] | None:
    """Whom the client trusts: those in its --cacert file, or nobody; None if that file cannot be used."""
    if not options.cacert:
        return ()
    pem = files.get(options.cacert)
    if pem is None and client.pod is not None:
        pem = file_in(names.simulation.store, client.pod, options.cacert)
    from netsim.lab.certificates import chain_of

    try:
        return chain_of(pem) if pem else None
    except ValueError:
        return None


def _secure(
    names: Names, transfer: Transfer, options: Options, trusted: tuple[Certificate, ...], session: Session
) -> bool:
    """The TLS handshake, for https."""
    if transfer.url.scheme != "https":
        return True
    from netsim.lab.certificates import key_kind
    from netsim.lab.tls import verify

    server, port = _far_end(transfer)
    chain = served_chain(names.simulation, server, port)
    if not chain:
        transfer.fail(35, "TLS connect error: error:0A00010B:SSL routines::wrong version number")
        transfer.total += _trip(transfer)
        return False
    version = "1.2" if options.tls == "1.2" else "1.3"
    resumed = session.begun.knows(server, names.simulation.now)
    kind = key_kind(chain[0])
    cost = handshake(version, kind, resumed=resumed, certificates=len(chain) - 1)  # type: ignore[arg-type]
    transfer.total += cost.time(_trip(transfer), server.slowness)
    if resumed:
        transfer.notes.append("* SSL reusing session ID")
    verdict = verify(chain, transfer.url.host, trusted, names.simulation.now)
    transfer.notes += _described(chain[0], version, verdict.problem, options)
    if not verdict.trusted and not options.insecure:
        what = f"SSL certificate problem: {verdict.problem}" if verdict.code else f"SSL: {verdict.problem}"
        transfer.fail(60, f"{what}\n{MORE}".rstrip("\n"))
        return False
    transfer.appconnect = transfer.total
    session.begun.begin(server, names.simulation.now)
    return True


def _described(certificate: Certificate, version: str, problem: str, options: Options) -> list[str]:
    dates = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    begins, ends = (f"{d:%b} {d.day:2} {d:%H:%M:%S %Y} GMT" for d in dates)
    how = "ok" if not problem else f"failed: {problem}, continuing anyway" if options.insecure else f"failed: {problem}"
    return [
        f"* SSL connection using TLSv{version}",
        "* Server certificate:",
        f"*  subject: {certificate.subject.rfc4514_string()}",
        f"*  start date: {begins}",
        f"*  expire date: {ends}",
        f"*  issuer: {certificate.issuer.rfc4514_string()}",
        f"*  SSL certificate verify {how}.",
    ]


# the request ----------------------------------------------------------------------------------------------------


def _far_end(transfer: Transfer) -> tuple[Server, int]:
    """Who was reached, and on which port of its own."""
    reached = transfer.reached
    assert reached is not None
    assert reached.server is not None
    return reached.server, reached.port


def _trip(transfer: Transfer) -> int:
    return transfer.reached.elapsed if transfer.reached else 0


def _exchange(names: Names, transfer: Transfer, options: Options) -> None:
    """Send the request and read the answer, at whatever pace the pod serves."""
    simulation, reached = names.simulation, transfer.reached
    server, port = _far_end(transfer)
    assert reached is not None
    now = simulation.now
    service = server.serving.service_time.draw(names.chance("service"))
    slot = server.queue.enter(now, service)
    transfer.total += _trip(transfer) + (slot[1] - now if slot else 0)
    transfer.starttransfer = transfer.total
    request = Request(reached.seen, options.method, transfer.url.path, transfer.url.scheme == "https")
    transfer.response = respond(simulation, server, port, request, busy=slot is None)
    if options.closes:
        transfer.response = transfer.response.closing()
    if options.fail and transfer.response.status >= 400:
        transfer.fail(22, f"The requested URL returned error: {transfer.response.status}")
