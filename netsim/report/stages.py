"""Where the seconds went: an incident as a row of waits, each with the component that was waited for.

The moments of an incident, in the order in which they came, cut its time into stages. A moment that never came, or
that came together with another, makes no stage of its own. What goes on beside that (a load balancer asks nodes by
itself, and nobody waits for it) is a stage since the fault, and shortens no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.incidents import Incident

STAGES = (
    # the moment that ends it, who was waited for, for what
    ("noticed", "", "noticed"),
    ("turned_away", "load balancer", "balancers turned away"),
    ("endpoints_gone", "EndpointSlice", "endpoints gone"),
    ("rules_first", "kube-proxy", "out of the first rules"),
    ("rules_last", "kube-proxy", "out of the last rules"),
    ("tainted", "node lifecycle", "tainted NoExecute"),
    ("evicted", "taint eviction", "pods told to go"),
    ("created", "", "replacement created"),
    ("scheduled", "scheduler", "replacement scheduled"),
    ("ready", "kubelet", "replacement ready"),
    ("in_rules", "kube-proxy", "in the last rules"),
    ("let_go", "the fault", "it lets go"),
    ("led", "leader election", "controllers lead again"),
    ("repaired", "", "ready again"),
)
"""Every stage that an incident can have, in the usual order; it says itself who noticed, created and repaired."""

BESIDE = ("turned_away",)
"""Moments that end a wait of their own, beside the chain of the others."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A wait for one component."""

    component: str
    what: str  # what had happened at its end
    begin: int
    end: int
    beside: bool = False  # it went on beside the chain of the others

    @property
    def took(self) -> int:
        """How long it was, in nanoseconds."""
        return self.end - self.begin

    def data(self) -> dict[str, Any]:
        """As `summary.json` holds it, in seconds since the run began."""
        return {"component": self.component, "what": self.what, "begin": self.begin / S, "end": self.end / S,
                "took": self.took / S, "beside": self.beside}  # fmt: skip


def stages(incident: Incident) -> tuple[Stage, ...]:
    """The stages of an incident, one after the other; those beside the others where they ended."""
    found: list[Stage] = []
    reached = incident.injected
    for time, at in sorted((time, at) for at, (moment, *_) in enumerate(STAGES)
                           if (time := getattr(incident, moment)) is not None):  # fmt: skip
        moment, component, what = STAGES[at]
        if moment in BESIDE and time != reached:
            found.append(Stage(component, what, incident.injected, time, beside=True))
        elif time > reached or (time == reached and moment == "noticed"):
            found.append(Stage(component or getattr(incident, f"{moment}_by"), what, reached, time))
            reached = time
    return tuple(found)
