"""`ssh docker-1` and `ssh docker-2` lead to two machines outside of the cluster that run Docker, and nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netsim.console.output import Output

if TYPE_CHECKING:
    from netsim.console.session import Lab
    from netsim.lab.docker import Docker

DOCKER_HOSTS = {"docker-1": "192.0.2.11", "docker-2": "192.0.2.12"}


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
