"""Docker's model of a network, for contrast: every host has a private bridge, and nobody else can see into it.

Each host has docker0, 172.17.0.1/16; its containers get 172.17.0.2, 172.17.0.3, ... as they start. The same
addresses exist on every host and mean something only there. To be reached from elsewhere a container publishes
a port of its host (`-p 8080:80`): a port that only one container of the host can have, and that whoever wants to
use it has to be told. What leaves the bridge is masqueraded: others see the host.

Who asks is `host/NAME`, `container/NAME` (a container of any host; names must differ) or `outside`.

Left out: user-defined networks and their DNS, links, overlay networks, IPv6, published UDP ports, restarts.
Sources: Docker documentation ("Bridge network driver", "Port publishing and mapping"), libnetwork's iptables
rules and error texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from netsim.units import MS, US

BRIDGE = IPv4Network("172.17.0.0/16")
GATEWAY = "172.17.0.1"
EPHEMERAL = range(32768, 61000)  # where -P takes host ports from
LISTENS = {"nginx": (80,), "httpd": (80,), "redis": (6379,), "postgres": (5432,)}  # EXPOSEd by these images
COMMANDS = {"nginx": "/docker-entrypoint.…", "httpd": "httpd-foreground", "redis": "docker-entrypoint.s…"}
ADJECTIVES = ("brave", "calm", "eager", "fond", "keen", "lucid", "merry", "quiet", "swift", "tidy")
SURNAMES = ("bell", "cerf", "clarke", "floyd", "hopper", "kleinrock", "perlman", "postel", "shannon", "tanenbaum")

State = Literal["created", "running", "exited"]


class DockerError(Exception):
    """The daemon says no."""

    def __init__(self, message: str, code: int = 125) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Published:
    """A host port that leads to a container's."""

    host_port: int
    port: int
    address: str = "0.0.0.0"

    def overlaps(self, other: Published) -> bool:
        """Whether both cannot be had at once."""
        anywhere = "0.0.0.0" in (self.address, other.address)
        return self.host_port == other.host_port and (anywhere or self.address == other.address)


@dataclass(frozen=True, slots=True)
class Container:
    """A container of one host."""

    id: str
    name: str
    image: str
    host: str
    created: int
    state: State
    started: int = 0
    address: str = ""  # on its host's bridge; none unless it runs
    listens: tuple[int, ...] = ()
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, slots=True)
class Met:
    """What became of a connection: as in netsim's runs, `ok`, `refused`, `timeout` or `host-unreachable`."""

    outcome: str
    reason: str
    container: Container | None = None
    seen: str = ""  # the source address that the container saw
    translated: bool = False  # whether addresses were changed on the way
    elapsed: int = 0


class Docker:
    """Hosts with Docker, and what runs on them."""

    def __init__(self, hosts: Mapping[str, str], outside: str = "203.0.113.254", link: int = 100 * US) -> None:
        self.hosts = dict(hosts)  # name -> address
        self.down: set[str] = set()
        self.now = 0
        self.outside = outside
        self.link = link  # one way, from host to host
        self._containers: list[Container] = []
        self._count = 0

    # what runs ----------------------------------------------------------------------------------------------

    def containers(self, host: str | None = None, *, all: bool = False) -> list[Container]:
        """The running ones of a host (or of all), the newest first, as `docker ps` has them."""
        return [c for c in self._containers[::-1] if host in (None, c.host) and (all or c.state == "running")]

    def container(self, name: str, host: str | None = None) -> Container:
        """A container by its name or the beginning of its id."""
        for container in self.containers(host, all=True):
            if name and (container.name == name or container.id.startswith(name)):
                return container
        raise DockerError(f"Error response from daemon: No such container: {name}", 1)

    def run(
        self, host: str, image: str, publish: Sequence[Published] = (), *, publish_all: bool = False, name: str = ""
    ) -> Container:
        """`docker run -d`. If a port cannot be had, the container is left behind, created but not running."""
        if any(c.name == name for c in self.containers(host, all=True)):
            told = f'Conflict. The container name "/{name}" is already in use.'
            raise DockerError(f"docker: Error response from daemon: {told}")
        listens = LISTENS.get(_base(image), ())
        anywhere = [*(p.port for p in publish if not p.host_port), *(listens if publish_all else ())]
        named = [p for p in publish if p.host_port]
        wanted = [*named, *self._ephemeral(host, anywhere, {p.host_port for p in named})]
        made = replace(self._made(host, image, name or self._name(host), listens), published=tuple(wanted))
        self._containers.append(made)
        try:
            return self.start(host, made.id)
        except DockerError as error:
            raise DockerError(f"docker: {error}.") from None

    def _refuse_taken(self, made: Container, port: Published, own: Sequence[Published]) -> None:
        """A port of the host can be had once: by another container, or by this one (`own`)."""
        others = [taken for c in self.containers(made.host) for taken in c.published]
        if any(port.overlaps(taken) for taken in (*others, *own)):
            endpoint = f"{made.name} ({hashlib.sha256(made.id.encode()).hexdigest()})"
            raise DockerError(
                f"Error response from daemon: driver failed programming external connectivity on endpoint {endpoint}: "
                f"Bind for {port.address}:{port.host_port} failed: port is already allocated",
                1,
            )

    def stop(self, host: str, name: str) -> None:
        """Its program ends; its address and its ports are free again."""
        self._replace(replace(self.container(name, host), state="exited", address=""))

    def start(self, host: str, name: str) -> Container:
        """It runs again, with whatever address is free now."""
        old = self.container(name, host)
        if old.state != "running":
            for number, port in enumerate(old.published):
                self._refuse_taken(old, port, old.published[:number])
            old = replace(old, state="running", started=self.now, address=self._free_address(host))
            self._replace(old)
        return old

    def remove(self, host: str, name: str) -> None:
        """Take it away."""
        self._containers.remove(self.container(name, host))

    def lose(self, host: str) -> None:
        """A host loses power; nothing that ran there runs anywhere else afterwards."""
        self.down.add(host)

    def _replace(self, new: Container) -> None:
        self._containers = [new if c.id == new.id else c for c in self._containers]

    def _made(self, host: str, image: str, name: str, listens: tuple[int, ...]) -> Container:
        self._count += 1
        identity = hashlib.sha256(f"{host}/{self._count}".encode()).hexdigest()
        return Container(identity, name, image, host, self.now, "created", listens=listens)

    def _name(self, host: str) -> str:
        bits = hashlib.sha256(f"name/{host}/{self._count}".encode()).digest()
        return f"{ADJECTIVES[bits[0] % len(ADJECTIVES)]}_{SURNAMES[bits[1] % len(SURNAMES)]}"

    def _free_address(self, host: str) -> str:
        taken = {GATEWAY, *(c.address for c in self.containers(host))}
        return next(a for a in map(str, BRIDGE.hosts()) if a not in taken)

    def _ephemeral(self, host: str, ports: Sequence[int], own: Set[int]) -> Iterator[Published]:
        taken = {p.host_port for c in self.containers(host) for p in c.published} | own
        free = (port for port in EPHEMERAL if port not in taken)
        yield from (Published(next(free), port) for port in ports)

    # connections --------------------------------------------------------------------------------------------

    def connect(self, origin: str, address: str, port: int) -> Met:
        """What becomes of a connection from there to an address."""
        kind, _, name = origin.partition("/")
        client = self.container(name) if kind == "container" else None
        host = client.host if client else name if kind == "host" else None
        if host in self.down:
            return Met("timeout", f"{host} has no power")
        if address == "127.0.0.1":
            return self._to_itself(client, host, port)
        if IPv4Address(address) in BRIDGE and address != GATEWAY:
            return self._to_bridge(client, host, address, port)
        target = host if address == GATEWAY else next((n for n, a in self.hosts.items() if a == address), None)
        if target is None:
            return Met("timeout", f"{address} is nobody's address")
        return self._to_host(client, host, target, port)

    def _to_itself(self, client: Container | None, host: str | None, port: int) -> Met:
        """Localhost: in a container its own, on a host docker-proxy's."""
        if client is not None:
            return _listening(client, port, "127.0.0.1", 10 * US)
        if host is None:
            return Met("refused", "nothing listens there")
        return self._published(host, port, GATEWAY, self.link // 10)

    def _to_bridge(self, client: Container | None, host: str | None, address: str, port: int) -> Met:
        """172.17.0.0/16 is the sender's own bridge, whosever address was meant."""
        if host is None:
            return Met("timeout", f"{address} is not routed: it means something on each Docker host alone")
        for container in self.containers(host):
            if container.address == address:
                return _listening(container, port, client.address if client else GATEWAY, self.link // 10)
        return Met("host-unreachable", f"no container of {host} has {address}", elapsed=3070 * MS)

    def _to_host(self, client: Container | None, host: str | None, target: str, port: int) -> Met:
        """A port of a host, published or not."""
        if target in self.down:
            return Met("timeout", f"{target} has no power")
        if host == target:
            # what comes from the bridge skips the DNAT and meets docker-proxy, which asks from the bridge
            seen = GATEWAY if client else self.hosts[target]
            return self._published(target, port, seen, self.link // 10)
        seen = self.hosts[host] if host else self.outside  # masqueraded if it comes from a container
        return self._published(target, port, seen, 2 * self.link)

    def _published(self, host: str, port: int, seen: str, elapsed: int) -> Met:
        for container in self.containers(host):
            for published in container.published:
                if published.host_port == port:
                    met = _listening(container, published.port, seen, elapsed)
                    return replace(met, translated=True)
        return Met("refused", f"nobody has published port {port} of {host}", elapsed=elapsed)

    # who has to agree with whom -----------------------------------------------------------------------------

    def coordination(self) -> list[str]:
        """What people have to tell each other because of what runs now."""
        said = []
        for container in self.containers()[::-1]:
            where = f"{container.name} ({container.image} on {container.host})"
            if not container.published:
                said.append(f"{where} can be reached from {container.host} alone; for others it needs one of its ports")
            for port in container.published:
                said += [
                    f"{where} has port {port.host_port} of {container.host}: nobody else may run there and want it",
                    f"clients of {where} must be told {self.hosts[container.host]}:{port.host_port}, "
                    f"and told again when it moves",
                ]
        return said


def _listening(container: Container, port: int, seen: str, elapsed: int) -> Met:
    if port not in container.listens:
        return Met("refused", f"{container.name} does not listen on port {port}", elapsed=elapsed)
    return Met("ok", f"{container.name} answers", container, seen, elapsed=elapsed)


def _base(image: str) -> str:
    return image.rpartition("/")[2].partition(":")[0]


def parse_publish(text: str) -> Published:
    """What stands after `-p`: [[ADDRESS:]HOST_PORT:]PORT. Host port 0: any that is free.

    >>> parse_publish("8080:80"), parse_publish("127.0.0.1:8080:80").address
    (Published(host_port=8080, port=80, address='0.0.0.0'), '127.0.0.1')
    >>> parse_publish("80").host_port
    0
    """
    parts = text.removesuffix("/tcp").split(":")
    if len(parts) > 3 or not all(part.isdigit() for part in parts[-2:]):
        raise DockerError(f"docker: invalid containerPort: {parts[-1]}" if len(parts) < 2 else _not_a_port(text))
    parts = ["0", *parts] if len(parts) == 1 else parts
    return Published(int(parts[-2]), int(parts[-1]), parts[0] if len(parts) == 3 else "0.0.0.0")


def _not_a_port(text: str) -> str:
    return f"docker: invalid publish opts format (should be HOST_PORT:PORT but got '{text}')"
