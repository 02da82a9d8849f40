"""TLS as a client lives it: what it makes of a server's chain. (What it costs is in `dataplane/handshake.py`.)

From the server's certificate a way is looked for to one that the client trusts; then every date on the way is
held against the simulated calendar; then the name. What is wrong is said as OpenSSL and curl say it.

Left out: revocation, name constraints, key usage; Certificate Transparency; cipher negotiation.
Sources: RFC 5280, RFC 6125; OpenSSL `crypto/x509/x509_txt.c`; curl `lib/vtls/openssl.c`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netsim.api.names import ip_address
from netsim.lab.certificates import (
    alternative_names,
    common_name,
    instant,
    may_sign,
    self_signed,
    signed_by,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a client says of a chain: nothing, or what is wrong with it."""

    trusted: bool
    problem: str = ""  # in OpenSSL's words, or curl's where it is the name
    code: int = 0  # OpenSSL's X509_V_ERR_*; 0 where it is the name


def verify(chain: Sequence[Certificate], host: str, trusted: Iterable[Certificate], now: int) -> Verdict:
    """What a client makes of a server's chain: is it signed by somebody it trusts, in date, and for `host`?"""
    anchors = tuple(trusted)
    path, problem = _path(chain, anchors)
    if problem is not None:
        return problem
    date = instant(now)
    for certificate in path:
        if date < certificate.not_valid_before_utc:
            return Verdict(False, "certificate is not yet valid", 9)
        if date > certificate.not_valid_after_utc:
            return Verdict(False, "certificate has expired", 10)
    return match_host(chain[0], host)


def _path(chain: Sequence[Certificate], anchors: tuple[Certificate, ...]) -> tuple[list[Certificate], Verdict | None]:
    """From the server's certificate up to one that is trusted, or why there is no way."""
    path = [chain[0]]
    while path[-1] not in anchors:
        last = path[-1]
        if self_signed(last):
            first = len(path) == 1
            where = "" if first else " in certificate chain"
            return path, Verdict(False, f"self-signed certificate{where}", 18 if first else 19)
        issuer = next((c for c in (*anchors, *chain[1:]) if c not in path and signed_by(last, c)), None)
        if issuer is None:
            return path, Verdict(False, "unable to get local issuer certificate", 20)
        if not may_sign(issuer):
            return path, Verdict(False, "invalid CA certificate", 79)
        path.append(issuer)
    return path, None


def match_host(certificate: Certificate, host: str) -> Verdict:
    """Whether a certificate is for `host`: by its alternative names, or by its subject if it has none of those."""
    own = alternative_names(certificate)
    address = ip_address(host)
    if own:
        fits = str(address) in own if address else any(_fits(name, host) for name in own)
        what = "host name" if address is None else f"ipv{address.version} address"
        problem = f"no alternative certificate subject name matches target {what} '{host}'"
    else:
        common = common_name(certificate)
        fits = _fits(common, host) if address is None else common == host
        problem = f"certificate subject name '{common}' does not match target host name '{host}'"
    return Verdict(fits, "" if fits else problem)


def _fits(pattern: str, host: str) -> bool:
    """Whether a name, perhaps with `*` for its first label, is the host's.

    >>> _fits("*.default.svc", "web.default.svc"), _fits("*.svc", "web.default.svc"), _fits("Web", "web.")
    (True, False, True)
    """
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if pattern.startswith("*."):
        return pattern.count(".") > 1 and host.partition(".")[2] == pattern[2:]
    return pattern == host
