"""Docker hosts at a prompt: `docker run|ps|inspect|port|stop|start|rm|exec`, `curl` and `iptables` on each.

Sources: docker/cli (`docker ps` columns and durations), libnetwork `drivers/bridge/setup_ip_tables.go`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address

from netsim.api.names import ip_address
from netsim.lab.curl_options import Url, Wrong, parse, url
from netsim.lab.curl_output import shown
from netsim.lab.docker import BRIDGE, COMMANDS, GATEWAY, Container, Docker, DockerError, Published, parse_publish
from netsim.lab.http import Request, answer
from netsim.units import DAY, HOUR, MINUTE, MS, S

Printed = tuple[str, int]
SYN_PATIENCE = 131 * S  # Linux gives up after six retransmissions, four of them a second apart


def command(docker: Docker, host: str, line: str) -> Printed:
    """What a command prints on a host, and its exit code."""
    words = shlex.split(line)
    if not words:
        return "", 0
    try:
        if words[0] == "curl":
            return curl(docker, f"host/{host}", words[1:])
        if words[0].startswith("iptables"):
            return iptables(docker, host), 0
        if words[0] == "docker" and len(words) > 1 and words[1] in VERBS:
            return VERBS[words[1]](docker, host, words[2:])
    except DockerError as error:
        return f"{error}\n", error.code
    if words[0] == "docker":
        return f"docker: '{' '.join(words[1:2])}' is not a docker command.\nSee 'docker --help'\n", 1
    return f"bash: {words[0]}: command not found\n", 127


def _run(docker: Docker, host: str, words: Sequence[str]) -> Printed:
    publish: list[Published] = []
    rest, name, publish_all = [], "", False
    left = iter(words)
    for word in left:
        if word in ("-p", "--publish"):
            publish.append(parse_publish(next(left, "")))
        elif word == "--name":
            name = next(left, "")
        elif word in ("-P", "--publish-all"):
            publish_all = True
        elif word not in ("-d", "--detach"):
            rest.append(word)
    if not rest:
        raise DockerError('docker: "docker run" requires at least 1 argument.\nSee \'docker run --help\'.', 1)
    made = docker.run(host, rest[0], publish, publish_all=publish_all, name=name)
    return f"{made.id}\n", 0


def _ps(docker: Docker, host: str, words: Sequence[str]) -> Printed:
    rows = [("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")]
    for c in docker.containers(host, all="-a" in words or "--all" in words):
        age = human(docker.now - c.created)
        up = human(docker.now - c.started)
        status = {"running": f"Up {up}", "created": "Created", "exited": f"Exited (0) {up} ago"}[c.state]
        started = f'"{COMMANDS.get(c.image.partition(":")[0], "sh")}"'
        rows.append((c.id[:12], c.image, started, f"{age} ago", status, ports(c), c.name))
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    lines = ["   ".join([*(f"{cell:{w}}" for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows]
    return "\n".join([*lines, ""]), 0


def ports(container: Container) -> str:
    """The PORTS column."""
    if container.state != "running":
        return ""
    leading = {p.port: f"{p.address}:{p.host_port}->{p.port}/tcp" for p in container.published}
    return ", ".join([*leading.values(), *(f"{port}/tcp" for port in container.listens if port not in leading)])


def human(time: int) -> str:
    """A duration as Docker writes it.

    >>> human(0), human(S), human(59 * S), human(61 * S), human(5 * MINUTE), human(HOUR), human(50 * HOUR)
    ('Less than a second', '1 second', '59 seconds', 'About a minute', '5 minutes', 'About an hour', '2 days')
    """
    if time < MINUTE:
        count = time // S
        return "Less than a second" if count < 1 else "1 second" if count == 1 else f"{count} seconds"
    if time < HOUR:
        return "About a minute" if time < 2 * MINUTE else f"{time // MINUTE} minutes"
    if time < 48 * HOUR:
        hours = (time + HOUR // 2) // HOUR
        return "About an hour" if hours == 1 else f"{hours} hours"
    return f"{time // DAY} days"


def _inspect(docker: Docker, host: str, words: Sequence[str]) -> Printed:
    formatted = [i + 1 for i, word in enumerate(words) if word in ("-f", "--format")]
    names = [word for i, word in enumerate(words) if not word.startswith("-") and i not in formatted]
    container = docker.container(names[0] if names else "", host)
    if len(names) < len(words):
        return f"{container.address}\n", 0
    gateway = GATEWAY if container.address else ""
    network = {"IPAddress": container.address, "Gateway": gateway, "IPPrefixLen": BRIDGE.prefixlen}
    bound = {f"{p.port}/tcp": [{"HostIp": p.address, "HostPort": str(p.host_port)}] for p in container.published}
    about = {"Id": container.id, "Name": f"/{container.name}", "NetworkSettings": {"Ports": bound, **network}}
    return json.dumps([about], indent=4) + "\n", 0


def _port(docker: Docker, host: str, words: Sequence[str]) -> Printed:
    container = docker.container(words[0] if words else "", host)
    return "".join(f"{p.port}/tcp -> {p.address}:{p.host_port}\n" for p in container.published), 0


def _each(act: Callable[[Docker, str, str], object]) -> Callable[[Docker, str, Sequence[str]], Printed]:
    def verb(docker: Docker, host: str, words: Sequence[str]) -> Printed:
        for name in (word for word in words if not word.startswith("-")):
            act(docker, host, name)
        return "".join(f"{word}\n" for word in words if not word.startswith("-")), 0

    return verb


def _started(docker: Docker, host: str, name: str) -> None:
    try:
        docker.start(host, name)
    except DockerError as error:
        raise DockerError(f"{error}\nError: failed to start containers: {name}", 1) from None


def _exec(docker: Docker, host: str, words: Sequence[str]) -> Printed:
    rest = [word for i, word in enumerate(words) if i or not word.startswith("-")]
    container = docker.container(rest[0] if rest else "", host)
    if container.state != "running":
        raise DockerError(f"Error response from daemon: container {container.id} is not running", 1)
    if rest[1:2] != ["curl"]:
        return f'OCI runtime exec failed: exec: "{"".join(rest[1:2])}": executable file not found in $PATH\n', 127
    return curl(docker, f"container/{container.id}", rest[2:])


VERBS: dict[str, Callable[[Docker, str, Sequence[str]], Printed]] = {
    "run": _run, "ps": _ps, "inspect": _inspect, "port": _port, "exec": _exec,
    "stop": _each(Docker.stop), "start": _each(_started), "rm": _each(Docker.remove),
}  # fmt: skip


def curl(docker: Docker, origin: str, words: Sequence[str]) -> Printed:
    """curl to an address; names mean nothing on the default bridge."""
    try:
        options = parse(words)
        wanted = url(options.urls[0])
    except Wrong as wrong:
        return wrong.text, wrong.code
    address = "127.0.0.1" if wanted.host == "localhost" else docker.hosts.get(wanted.host, wanted.host)
    if not isinstance(ip_address(address), IPv4Address):
        return f"curl: (6) Could not resolve host: {wanted.host}\n", 6
    met = docker.connect(origin, address, wanted.port)
    if met.outcome == "ok" and met.container is not None:
        who = f"Container {met.container.name} on {met.container.host}"
        nginx = met.container.image.startswith("nginx")
        response = answer(docker.now, Request(met.seen, options.method, wanted.path), who, nginx=nginx)
        if options.fail and response.status >= 400:
            return f"curl: (22) The requested URL returned error: {response.status}\n", 22
        return "" if options.output else shown(response, options), 0
    return _failed(wanted, met.outcome, met.elapsed, options.connect_timeout or options.max_time)


def _failed(wanted: Url, outcome: str, elapsed: int, limit: int) -> Printed:
    if limit and (outcome == "timeout" or elapsed > limit):
        return f"curl: (28) Connection timed out after {limit // MS} milliseconds\n", 28
    code, after = (28, SYN_PATIENCE) if outcome == "timeout" else (7, elapsed)
    where = f"{wanted.host} port {wanted.port} after {after // MS} ms"
    return f"curl: ({code}) Failed to connect to {where}: Could not connect to server\n", code


def iptables(docker: Docker, host: str) -> str:
    """A host's nat table, as `iptables -t nat -S` prints it."""
    return "\n".join([*_rules(docker, host), ""])


def _rules(docker: Docker, host: str) -> Iterator[str]:
    yield from (f"-P {chain} ACCEPT" for chain in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"))
    yield "-N DOCKER"
    yield "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"
    yield "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER"
    yield f"-A POSTROUTING -s {BRIDGE} ! -o docker0 -j MASQUERADE"
    running = [(c, p) for c in docker.containers(host)[::-1] for p in c.published]
    for c, p in running:
        yield f"-A POSTROUTING -s {c.address}/32 -d {c.address}/32 -p tcp -m tcp --dport {p.port} -j MASQUERADE"
    yield "-A DOCKER -i docker0 -j RETURN"
    for c, p in running:
        only = "" if p.address == "0.0.0.0" else f"-d {p.address}/32 "
        match = f"{only}! -i docker0 -p tcp -m tcp --dport {p.host_port}"
        yield f"-A DOCKER {match} -j DNAT --to-destination {c.address}:{p.port}"
