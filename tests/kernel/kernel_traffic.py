"""Real TCP and UDP inside the lab: servers that say who they are and whom they see, and clients that count.

An outcome is a tuple: ("ok", who answered, which source it saw), or one word for what went wrong, the same
words as the simulator's. Sockets belong to the namespace they were made in, so one process can hold those of
all. Clients never block: a flow is many sockets under way at once, each with a deadline, so silence costs one
deadline however many meet it.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

Inside = Callable[[str], AbstractContextManager[None]]
Outcome = tuple[str, ...]

ERRORS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "host-unreachable",
    errno.ENETUNREACH: "net-unreachable",
    errno.ETIMEDOUT: "timeout",
}
QUESTION = b"?"
AT_ONCE = 400  # sockets under way; a process may have 1024 files


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _kind(protocol: str) -> socket.SocketKind:
    return socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM


# servers -------------------------------------------------------------------------------------------------------


def serve(inside: Inside, listeners: list[dict[str, Any]]) -> None:
    """Start one process that answers for every listener: {name, space, address, port, protocol}."""
    sockets: dict[int, tuple[socket.socket, str]] = {}
    for listener in listeners:
        with inside(listener["space"]):
            sock = socket.socket(_family(listener["address"]), _kind(listener["protocol"]))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((listener["address"], listener["port"]))
            if listener["protocol"] == "TCP":
                sock.listen(1024)
            sock.setblocking(False)
            sockets[sock.fileno()] = sock, listener["name"]
    if os.fork() == 0:
        try:
            os.close(0)  # the commands are not for this process
            _answer(sockets)
        finally:
            os._exit(1)
    for sock, _ in sockets.values():
        sock.close()


def _answer(listening: dict[int, tuple[socket.socket, str]]) -> None:
    """Say to everybody who asks: my name, and the address I see."""
    poll = select.epoll()
    for fd in listening:
        poll.register(fd, select.EPOLLIN)
    talking: dict[int, tuple[socket.socket, bytes]] = {}
    while True:
        for fd, _ in poll.poll():
            try:
                if fd in listening:
                    sock, name = listening[fd]
                    if sock.type == socket.SOCK_DGRAM:
                        _, peer = sock.recvfrom(64)
                        sock.sendto(_words(name, peer), peer)
                        continue
                    connection, peer = sock.accept()
                    connection.setblocking(False)
                    talking[connection.fileno()] = connection, _words(name, peer)
                    poll.register(connection.fileno(), select.EPOLLIN)
                    continue
                connection, words = talking[fd]
                if connection.recv(64):
                    connection.send(words)
                    continue
            except BlockingIOError:
                continue
            except OSError:
                pass
            if fd in talking:
                poll.unregister(fd)
                talking.pop(fd)[0].close()


def _words(name: str, peer: tuple[Any, ...]) -> bytes:
    return f"{name} {peer[0]}".encode()


# clients -------------------------------------------------------------------------------------------------------


class Attempt:
    """One connection (or UDP socket) on its way."""

    __slots__ = ("connected", "deadline", "flow", "outcome", "sock")

    def __init__(self, inside: Inside, flow: dict[str, Any], index: int) -> None:
        self.flow = index
        self.deadline = time.monotonic() + flow["patience"]
        self.outcome: Outcome | None = None
        self.connected = False
        with inside(flow["space"]):
            self.sock = socket.socket(_family(flow["to"]), _kind(flow["protocol"]))
        self.sock.setblocking(False)
        try:
            if flow["protocol"] == "TCP":
                # closing resets: no sockets are left waiting
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if flow.get("source"):
                self.sock.bind((flow["source"], flow.get("source_port", 0)))
            code = self.sock.connect_ex((flow["to"], flow["port"]))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            if flow["protocol"] == "UDP":
                self.sock.send(QUESTION)
                self.connected = True
        except OSError as problem:
            self.outcome = _outcome(problem)

    @property
    def interest(self) -> int:
        """What to wait for."""
        return select.EPOLLIN if self.connected else select.EPOLLOUT

    def proceed(self) -> None:
        """Something has happened to the socket."""
        try:
            if not self.connected:
                code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
                self.sock.send(QUESTION)
                self.connected = True
                return
            words = self.sock.recv(256).decode()
            self.outcome = ("ok", *words.split()) if words else ("reset",)
        except BlockingIOError:
            pass
        except OSError as problem:
            self.outcome = _outcome(problem)


def _outcome(problem: OSError) -> Outcome:
    number = problem.errno or 0
    return (ERRORS.get(number, errno.errorcode.get(number, str(problem))),)


class Client:
    """Sends flows and counts what becomes of them."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside

    def cross(self, flows: list[dict[str, Any]]) -> list[Counter[Outcome]]:
        """Each flow is {space, to, port, protocol, count, window, patience} and maybe {source}."""
        counts: list[Counter[Outcome]] = [Counter() for _ in flows]
        left = [flow["count"] for flow in flows]
        under_way = [0] * len(flows)
        attempts: dict[int, Attempt] = {}
        poll = select.epoll()

        def finish(attempt: Attempt) -> None:
            assert attempt.outcome is not None
            counts[attempt.flow][attempt.outcome] += 1
            under_way[attempt.flow] -= 1
            if attempts.pop(attempt.sock.fileno(), None) is not None:
                poll.unregister(attempt.sock.fileno())
            attempt.sock.close()

        while True:
            for index, flow in enumerate(flows):
                if _hopeless(counts[index]):
                    left[index] = 0
                while left[index] and under_way[index] < flow["window"] and len(attempts) < AT_ONCE:
                    left[index] -= 1
                    under_way[index] += 1
                    attempt = Attempt(self.inside, flow, index)
                    if attempt.outcome is not None:
                        finish(attempt)
                        continue
                    attempts[attempt.sock.fileno()] = attempt
                    poll.register(attempt.sock.fileno(), attempt.interest)
            if not attempts:
                poll.close()
                return counts
            soonest = min(attempt.deadline for attempt in attempts.values())
            for fd, _ in poll.poll(max(0.0, soonest - time.monotonic()) + 0.001):
                attempt = attempts[fd]
                attempt.proceed()
                if attempt.outcome is not None:
                    finish(attempt)
                else:
                    poll.modify(fd, attempt.interest)
            now = time.monotonic()
            for attempt in [a for a in attempts.values() if a.deadline <= now]:
                attempt.outcome = ("timeout",)
                finish(attempt)


def _hopeless(count: Counter[Outcome]) -> bool:
    """Nothing but silence so far: more of it would teach nothing."""
    return count[("timeout",)] >= 3 and len(count) == 1


class Held:
    """One connection that is kept, to be asked again later."""

    def __init__(self, inside: Inside, flow: dict[str, Any]) -> None:
        with inside(flow["space"]):
            self.sock = socket.socket(_family(flow["to"]), _kind(flow["protocol"]))
        self.sock.settimeout(flow["patience"])
        self.problem: OSError | None = None
        try:
            if flow.get("source"):
                self.sock.bind((flow["source"], flow.get("source_port", 0)))
            self.sock.connect((flow["to"], flow["port"]))
        except OSError as problem:
            self.problem = problem

    @property
    def port(self) -> int:
        """Its local port."""
        return int(self.sock.getsockname()[1])

    def ask(self) -> Outcome:
        """Ask once more, on the same socket."""
        if self.problem is not None:
            return ("timeout",) if isinstance(self.problem, TimeoutError) else _outcome(self.problem)
        try:
            self.sock.send(QUESTION)
            words = self.sock.recv(256).decode()
        except TimeoutError:
            return ("timeout",)
        except OSError as problem:
            return _outcome(problem)
        return ("ok", *words.split()) if words else ("reset",)

    def close(self) -> None:
        """Close it."""
        self.sock.close()
