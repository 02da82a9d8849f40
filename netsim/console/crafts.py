"""Tools beside the cluster: `openssl` makes a certificate and its key, `docker` runs containers on hosts of its own.

Files that are made here are kept by the prompt and never written to disk; `cat`, `kubectl create secret tls`,
`kubectl create configmap --from-file` and `curl --cacert` find them by their names.

`ssh docker-1` and `ssh docker-2` lead to two machines outside of the cluster that run Docker, and nothing else.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netsim.console.output import Failure, Output
from netsim.units import DAY

if TYPE_CHECKING:
    from netsim.console.session import Lab
    from netsim.lab.docker import Docker

DOCKER_HOSTS = {"docker-1": "192.0.2.11", "docker-2": "192.0.2.12"}

MOST_DAYS = 1_000_000  # X.509 dates have four digits for the year

USAGE = "usage: openssl req -x509 -nodes -days 365 -newkey rsa:2048 -keyout KEY -out CERT -subj /CN=NAME"


def openssl(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Make a certificate that signs itself (`req -x509`), or show one's names and dates (`x509 -in FILE`)."""
    if words[:1] == ["x509"]:
        _show(lab, words, output)
        return
    options = _options(words)
    if words[:1] != ["req"] or "x509" not in options or not options.get("keyout") or not options.get("out"):
        raise Failure(USAGE)
    subject = dict(part.partition("=")[::2] for part in options.get("subj", "").strip("/").split("/"))
    names = [name.strip().removeprefix("DNS:").removeprefix("IP:") for name in _alternatives(options)]
    from netsim.lab.certificates import make_certificate

    days = options.get("days", "30")
    if not days.isdecimal() or not 0 < int(days) < MOST_DAYS:
        raise Failure(f'req: Can\'t parse "{days}" as a number of days')
    pair = make_certificate(
        names or [subject.get("CN", "localhost")],
        begins=lab.now,
        ends=lab.now + int(days) * DAY,
        subject=subject.get("CN"),
        key="rsa" if options.get("newkey", "rsa:2048").startswith("rsa") else "ecdsa",
        alternative=bool(names),
    )
    lab.files[options["keyout"]], lab.files[options["out"]] = pair.key, pair.certificate


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


def _alternatives(options: dict[str, str]) -> list[str]:
    text = options.get("addext", "")
    return text.partition("=")[2].split(",") if text.startswith("subjectAltName") else []


def _show(lab: Lab, words: Sequence[str], output: Output) -> None:
    from netsim.lab.certificates import alternative_names, chain_of

    options = _options(words)
    pem = lab.read(options.get("in", ""))
    if pem is None:
        raise Failure(f"Could not open file or uri for loading certificate from {options.get('in', '')}")
    first = chain_of(pem)[0]
    output.line(f"subject={first.subject.rfc4514_string()}")
    output.line(f"issuer={first.issuer.rfc4514_string()}")
    for word, date in (("notBefore", first.not_valid_before_utc), ("notAfter", first.not_valid_after_utc)):
        output.line(f"{word}={date:%b} {date.day:2} {date:%H:%M:%S %Y} GMT")
    if names := alternative_names(first):
        output.line(f"X509v3 Subject Alternative Name: {', '.join(names)}")


def on_docker(lab: Lab, host: str, words: Sequence[str], output: Output) -> None:
    """Do one command on a Docker host."""
    from netsim.lab.docker_cli import command

    _tell(command(_docker(lab), host, shlex.join(words)), output)


def is_docker_host(url: str) -> bool:
    """Whether a URL leads to a Docker host, by its name or address.

    >>> is_docker_host("http://docker-1:8080/"), is_docker_host("192.0.2.12"), is_docker_host("my-nginx")
    (True, True, False)
    """
    host = url.rpartition("://")[2].partition("/")[0].partition(":")[0]
    return host in DOCKER_HOSTS or host in DOCKER_HOSTS.values()


def curl_docker(lab: Lab, words: Sequence[str], output: Output) -> None:
    """Ask a Docker host for a page, from outside."""
    from netsim.lab.docker_cli import curl

    _tell(curl(_docker(lab), "outside", words), output)


def _docker(lab: Lab) -> Docker:
    """The Docker hosts, at the prompt's time."""
    lab.docker.now = lab.now
    return lab.docker


def _tell(printed: tuple[str, int], output: Output) -> None:
    text, code = printed
    (output.err if code else output.out)(text)
    output.code = code
