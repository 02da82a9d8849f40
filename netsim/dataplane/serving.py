"""How a pod serves: what queueing theory wants to know of it.

A pod is a queue with `workers` servers (G/G/c, first come first served). A request that finds `workers`
busy waits; one that finds `backlog` others waiting is turned away (`overloaded`). On SIGTERM a pod stops at
once (`stop: exit`, what most programs do), shuts down with care (`drain`), or ignores it until SIGKILL comes at the
end of its grace.

To shut down with care is to stop listening, to close the connections that carry no request, and to end when the last
answer is out. A client learns of a closed connection one way later; a request that it sends in between is reset. A
connection just accepted is given time for its first request. So do nginx and Go's net/http.

Source: nginx "Controlling nginx" (graceful shutdown), `ngx_close_idle_connections`; Go net/http `Server.Shutdown`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from netsim.draws import Distribution
from netsim.fields import Duration, Labels, Model
from netsim.units import MS


class Serving(Model):
    """The behaviour of the pods that `selector` selects; the first entry that matches a pod counts."""

    selector: Labels = Field(default={})  # labels the pod must have; none: every pod
    namespace: str | None = None
    startup: Duration = 200 * MS  # from container start to listening
    service_time: Distribution = Distribution.parse("exponential(5ms)")
    workers: int = Field(default=8, ge=1, le=10_000)
    backlog: int = Field(default=128, ge=0, le=1_000_000)
    stop: Literal["exit", "drain", "ignore"] = "exit"
    ports: tuple[int, ...] = ()  # where it listens; none: its containers' ports
