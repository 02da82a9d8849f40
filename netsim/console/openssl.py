"""`openssl` makes certificates and their keys (`req -x509`) and shows them (`x509`); `make keys` is the tutorial's way.

A certificate signs itself, or is signed by another one made here (`-CA`, `-CAkey`). Files are kept by the prompt
and never written to disk; `cat`, `kubectl create secret tls`, `kubectl create configmap --from-file` and
`curl --cacert` find them by their names. Source: openssl 3.2, apps/req.c, apps/x509.c, apps/lib/apps.c (parse_name).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.api.names import ip_address
from netsim.console.output import Failure, Output
from netsim.units import DAY

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

    from netsim.console.session import Lab
    from netsim.lab.certificates import Pair

MOST_DAYS = 1_000_000  # X.509 dates have four digits for the year

USAGE = "usage: openssl req -x509 -nodes -days 365 -newkey rsa:2048 -keyout KEY -out CERT -subj /CN=NAME"
FORMAT = (
    "req: subject name is expected to be in the format /type0=value0/type1=value1/type2=... where characters may be "
    "escaped by \\. This name is not in that format: '{}'"
)


def openssl(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Make a certificate and its key (`req -x509`), or show one (`x509 -in FILE`)."""
    options = _options(words)
    if words[:1] == ["x509"]:
        _show(lab, options, output)
    elif words[:1] == ["req"] and "x509" in options and options.get("keyout") and options.get("out"):
        pair = _made(lab, options, output)
        lab.files[options["keyout"]], lab.files[options["out"]] = pair.key, pair.certificate
    else:
        raise Failure(USAGE)


def make(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """`make keys KEY=... CERT=...`, as the Makefile beside the tutorial's nginx example does it."""
    named = dict(word.partition("=")[::2] for word in words if "=" in word)
    if [word for word in words if "=" not in word] != ["keys"] or not named.get("KEY") or not named.get("CERT"):
        raise Failure("make: *** this prompt knows one target: make keys KEY=FILE CERT=FILE.  Stop.", 2)
    line = KEYS.format(key=named["KEY"], certificate=named["CERT"])
    output.line(line)
    openssl(lab, shlex.split(line)[1:], output, "")


KEYS = (
    "openssl req -x509 -nodes -days 365 -newkey rsa:2048 -keyout {key} -out {certificate} "
    '-subj "/CN=my-nginx/O=my-nginx"'
)


def _options(words: Sequence[str]) -> dict[str, str]:
    """`-name value`, and `-name` alone."""
    found: dict[str, str] = {}
    rest = list(words[1:])
    while rest:
        word = rest.pop(0).lstrip("-")
        found[word] = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    return found


# req ------------------------------------------------------------------------------------------------------


def _made(lab: Lab, options: dict[str, str], output: Output) -> Pair:
    from netsim.lab.certificates import make_certificate

    days = options.get("days", "30")
    if not days.isdecimal() or not 0 < int(days) < MOST_DAYS:
        raise Failure(f'req: Can\'t parse "{days}" as a number of days')
    subject = _subject(options.get("subj", "/CN=localhost"), output)
    names = _alternatives(options)
    try:
        return make_certificate(
            names or [subject.get("CN", "")],
            _authority(lab, options),
            begins=lab.now,
            ends=lab.now + int(days) * DAY,
            subject=subject,
            key="rsa" if options.get("newkey", "rsa:2048").startswith("rsa") else "ecdsa",
            alternative=bool(names),
        )
    except ValueError as error:  # a country of three letters, a name that no host can have
        raise Failure(f"Error making certificate request: {error}") from None


def _subject(text: str, output: Output) -> dict[str, str]:
    """What stands behind `-subj`: attributes and their values, in order."""
    from netsim.lab.certificates import ATTRIBUTES

    parts = [part.partition("=") for part in text.removesuffix("/").split("/")[1:]]
    if not text.startswith("/") or not all(equals for _, equals, _ in parts):
        raise Failure(FORMAT.format(text))
    for name, _, value in parts:
        if name not in ATTRIBUTES:
            output.warn(f'req: Skipping unknown subject name attribute "{name}"')
        elif not value:
            output.warn(f'req: No value provided for subject name attribute "{name}", skipped')
    return {name: value for name, _, value in parts if name in ATTRIBUTES and value}


def _alternatives(options: dict[str, str]) -> list[str]:
    """The names behind `-addext subjectAltName=`."""
    name, _, text = options.get("addext", "").partition("=")
    listed = [one.strip().removeprefix("DNS:").removeprefix("IP:") for one in text.split(",")]
    return [one for one in listed if one] if name.strip() == "subjectAltName" else []


def _authority(lab: Lab, options: dict[str, str]) -> Pair | None:
    """Whose signature is asked for (`-CA`, `-CAkey`); None for the certificate's own."""
    from netsim.lab.certificates import Pair, problem_of

    if "CA" not in options:
        return None
    certificate = _read(lab, options["CA"], "CA certificate")
    pair = Pair(certificate, _read(lab, options.get("CAkey") or options["CA"], "CA private key"))
    if problem_of(pair) is not None:
        raise Failure("CA certificate and CA private key do not match")
    return pair


def _read(lab: Lab, name: str, what: str) -> bytes:
    held = lab.read(name)
    if held is None:
        raise Failure(f"Could not open file or uri for loading {what} from {name}")
    return held


# x509 -----------------------------------------------------------------------------------------------------


def _show(lab: Lab, options: dict[str, str], output: Output) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from netsim.lab.certificates import chain_of

    name = options.get("in", "")
    try:
        first = chain_of(_read(lab, name, "certificate"))[0]
    except ValueError:
        raise Failure(f"Could not find certificate from {name}") from None
    for option in options:
        if option in SHOWN:
            output.out("".join(f"{line}\n" for line in SHOWN[option](first)))
    if "noout" not in options:
        output.out(first.public_bytes(Encoding.PEM).decode())


def _begins(certificate: Certificate) -> list[str]:
    return [f"notBefore={_date(certificate.not_valid_before_utc)}"]


def _ends(certificate: Certificate) -> list[str]:
    return [f"notAfter={_date(certificate.not_valid_after_utc)}"]


def _extension(certificate: Certificate) -> list[str]:
    from netsim.lab.certificates import alternative_names

    named = [f"{'IP Address' if ip_address(name) else 'DNS'}:{name}" for name in alternative_names(certificate)]
    return ["X509v3 Subject Alternative Name: ", f"    {', '.join(named)}"] if named else []


SHOWN: Mapping[str, Callable[[Certificate], list[str]]] = MappingProxyType(
    {
        "subject": lambda one: [f"subject={_name(one.subject)}"],
        "issuer": lambda one: [f"issuer={_name(one.issuer)}"],
        "dates": lambda one: [*_begins(one), *_ends(one)],
        "startdate": _begins,
        "enddate": _ends,
        "ext": _extension,
    }
)
"""What `openssl x509` is asked to show, in lines."""


def _name(name: Name) -> str:
    return ", ".join(f"{part.rfc4514_attribute_name}={part.value!s}" for part in name)


def _date(date: datetime) -> str:
    return f"{date:%b} {date.day:2} {date:%H:%M:%S %Y} GMT"
