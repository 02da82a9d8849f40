"""Who asks, for what, how often, and how patiently.

A traffic source is open or closed. *Open*: requests arrive at a rate, whatever happens to those before
them (a Poisson process, or evenly spaced). *Closed*: a number of clients, each of which sends, waits for
the outcome, thinks, and sends again. Little's law and the difference between the two are why this matters:
an open source keeps pressing on a cluster that has slowed down, a closed one backs off by itself.

A connection is opened for each request, or kept and reused (`keepAlive`): what kube-proxy chose for a
connection stays chosen for as long as it lives, so a kept connection never sees a new endpoint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from pydantic import Field, field_validator, model_validator

from netsim.fields import Duration, Model, Name, Rate, Size
from netsim.units import MS, S


class Retries(Model):
    """What a client does after a failed try: wait `backoff`, doubled each time up to `maxBackoff`, try again.

    With `jitter` the wait is drawn evenly from half of that to all of it.
    """

    attempts: int = Field(default=0, ge=0, le=100)  # after the first
    backoff: Duration = 100 * MS
    max_backoff: Duration = 10 * S
    jitter: bool = True


class KeepAlive(Model):
    """Connections that outlive their request: at most `connections` idle ones, each for at most `idle`."""

    connections: int = Field(default=100, ge=1, le=1_000_000)
    idle: Duration = 90 * S
    requests: int | None = Field(default=None, ge=1)  # a connection is closed after so many


class Tls(Model):
    """TLS on new connections: its version, the kind of the server's key, and whether clients resume sessions.

    A session is resumed with the pod that it was begun with, for five minutes; `early` sends the request along then
    (0-RTT, TLS 1.3). Certificates are not looked at here.
    """

    version: Literal["1.2", "1.3"] = "1.3"
    key: Literal["rsa", "ecdsa"] = "rsa"
    resume: bool = True
    early: bool = False


SCHEMES = {"http": 80, "https": 443}
"""What a URL may begin with, and the port it then means."""

TARGET_HELP = "write http://NAME, svc/NAME:PORT, lb/NAME:PORT, node/NAME:PORT, pod/NAME:PORT or ADDRESS:PORT"

_URL = re.compile(r"([A-Za-z][-A-Za-z0-9+.]*)://([^/?#]*)(?:[/?#].*)?")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([0-9]+))?")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?")


@dataclass(frozen=True, slots=True)
class Target:
    """To whom requests go. A `dns` name must be resolved by the client; the others name the thing itself."""

    kind: Literal["dns", "svc", "lb", "node", "pod", "address"]
    name: str  # of an address: its text
    port: int
    namespace: str = ""  # of svc, lb and pod
    scheme: str = ""  # if it was a URL


@dataclass(frozen=True, slots=True)
class Origin:
    """From where requests come."""

    kind: Literal["pod", "node", "outside"]
    name: str = ""
    namespace: str = ""  # of a pod


def parse_target(text: str) -> Target:
    """Read what stands under `to`.

    >>> parse_target("http://my-nginx")
    Target(kind='dns', name='my-nginx', port=80, namespace='', scheme='http')
    >>> parse_target("svc/my-nginx.shop:8080")
    Target(kind='svc', name='my-nginx', port=8080, namespace='shop', scheme='')
    >>> parse_target("10.0.0.7:80").kind, parse_target("https://[fd00::1]").port
    ('address', 443)
    """
    if url := _URL.fullmatch(text):
        scheme, authority = url[1].lower(), url[2]
        if scheme not in SCHEMES:
            raise ValueError(f"{text!r}: {scheme}:// is not simulated; write http:// or https://")
        host, port = _host_and_port(text, authority, SCHEMES[scheme])
        return _named(text, host, port, scheme)
    kind, slash, rest = text.partition("/")
    if not slash:
        host, port = _host_and_port(text, text, port=80)
        if _named(text, host, port, "").kind == "dns":
            hint = f"write http://{text} or svc/{host}:{port}"
            raise ValueError(f"{text!r} does not say what {host} is; {hint}")
        return _named(text, *_host_and_port(text, text), "")
    if kind not in ("svc", "lb", "node", "pod"):
        raise ValueError(f"{text!r} is not a target; {TARGET_HELP}")
    host, port = _host_and_port(text, rest)
    if not _HOST.fullmatch(host) or host.endswith("."):
        raise ValueError(f"{text!r}: {host!r} cannot be a name; {TARGET_HELP}")
    name, namespace = (host, "") if kind == "node" else split_namespace(host)
    return Target(kind, name, port, namespace)  # type: ignore[arg-type]


def parse_origin(text: str) -> Origin:
    """Read what stands under `from`.

    >>> parse_origin("pod/client.shop"), parse_origin("outside").kind
    (Origin(kind='pod', name='client', namespace='shop'), 'outside')
    """
    kind, _, name = text.partition("/")
    if text == "outside":
        return Origin("outside")
    if kind not in ("pod", "node") or not _HOST.fullmatch(name) or name.endswith("."):
        raise ValueError(f"{text!r} is not a place requests come from; write pod/NAME, node/NAME or outside")
    return Origin("node", name) if kind == "node" else Origin("pod", *split_namespace(name))


def split_namespace(text: str) -> tuple[str, str]:
    """`NAME.NAMESPACE` or `NAME`, which lies in `default`. A pod's name may have dots, a namespace's not.

    >>> split_namespace("web.shop"), split_namespace("web"), split_namespace("web.v2.shop")
    (('web', 'shop'), ('web', 'default'), ('web.v2', 'shop'))
    """
    name, dot, namespace = text.rpartition(".")
    return (name, namespace) if dot else (text, "default")


def _host_and_port(text: str, authority: str, port: int | None = None) -> tuple[str, int]:
    parts = _HOST_PORT.fullmatch(authority)
    if parts is None or not parts[1]:
        raise ValueError(f"{text!r} is not a target; {TARGET_HELP}")
    port = int(parts[2][:6]) if parts[2] else port
    if port is None:
        raise ValueError(f"{text!r} does not say which port; write {text}:80")
    if not 1 <= port <= 65535:
        raise ValueError(f"{text!r}: a port is a number from 1 to 65535")
    return parts[1].strip("[]"), port


def _named(text: str, host: str, port: int, scheme: str) -> Target:
    """A target by its address, or by a name that has yet to be resolved."""
    try:
        return Target("address", str(ip_address(host)), port, scheme=scheme)
    except ValueError:
        pass
    if not _HOST.fullmatch(host) or re.fullmatch(r"[0-9.]+", host):
        raise ValueError(f"{text!r}: {host!r} is neither a name nor an address; {TARGET_HELP}")
    return Target("dns", host, port, scheme=scheme)


class Traffic(Model):
    """One traffic source.

    `from` is `pod/NAME[.NAMESPACE]`, `node/NAME`, or `outside` (a machine beyond the cluster's edge).
    `to` is a URL as that client would write it (`http://my-nginx`, resolved by the cluster's DNS), or names a
    thing and a port: `svc/my-nginx:80` (its cluster IP), `lb/my-nginx:80` (its load balancer),
    `node/worker-2:30080` (a node's address), `pod/NAME:80`, or an address `10.0.0.7:80`. A Service or a pod
    outside the namespace `default` is written `NAME.NAMESPACE`.
    """

    name: Name
    source: str = Field(alias="from", json_schema_extra={"pattern": r"^(pod/.+|node/.+|outside)$"})
    target: str = Field(alias="to", min_length=1)
    protocol: Literal["TCP", "UDP"] = "TCP"
    rate: Rate | None = None  # open: requests per second, all together
    arrivals: Literal["poisson", "constant"] = "poisson"
    clients: int | None = Field(default=None, ge=1, le=10_000_000)  # closed: how many
    think: Duration = 0
    start: Duration = 0
    stop: Duration | None = None  # None: the end of the run
    connect_timeout: Duration | None = 1 * S  # None: only the kernel gives up
    timeout: Duration | None = 2 * S  # for a whole try, connecting included
    retries: Retries = Retries()
    keep_alive: KeepAlive | None = None
    tls: Tls | None = None
    name_cache: Duration = 0  # how long clients themselves keep a name's address, at most for its TTL
    request: Size = 500
    response: Size = 10_000

    @field_validator("source")
    @classmethod
    def _from_somewhere(cls, source: str) -> str:
        parse_origin(source)
        return source

    @field_validator("target")
    @classmethod
    def _to_something(cls, target: str) -> str:
        parse_target(target)
        return target

    @model_validator(mode="after")
    def _open_or_closed(self) -> Traffic:
        if (self.rate is None) == (self.clients is None):
            raise ValueError("give either rate (an open source) or clients (a closed one)")
        if self.stop is not None and self.stop <= self.start:
            raise ValueError("stop must come after start")
        return self
