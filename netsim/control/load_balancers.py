"""External load balancers by kind: when they are there, whom they trust, and how they lose that trust.

A balancer outside the cluster knows nothing of Kubernetes. Clouds ask every node on some port, again and again
(`health_checks.py`): under `externalTrafficPolicy: Cluster` kube-proxy's own healthz or a node port, under
`Local` the Service's health check node port, which tells apart nodes with and without a ready pod. MetalLB's
speakers watch each other, or the router watches them (`metallb.py`). Some balancers send a packet on as it
is, others to a node port; some answer "nobody is well" by sending to everybody, in the hope that the checks
are wrong. Open connections stay where they are (GCP, Azure), are reset when their node is turned away from
(AWS), or go where the hash of each packet now falls (a router, and whoever answers ARP).

Left out: zones of a balancer, several frontends, idle timeouts, weights; the end of a drained node's connections
(300 s with AWS); an ALB's own connections to clients. A cloud's provisioning time is typical, not documented.

Sources: cloud-provider-gcp `gce_loadbalancer*.go`; cloud-provider-aws `aws_loadbalancer.go`;
aws-load-balancer-controller `pkg/targetgroup`; cloud-provider-azure `azure_loadbalancer_healthprobe.go`; the
clouds' documentation of unhealthy targets; metallb `speaker`, hashicorp/memberlist `config.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from netsim.fields import Duration, Model
from netsim.units import S, format_duration

if TYPE_CHECKING:  # a scenario is read without it
    from netsim.dataplane.forwarding import Flows

Probe = Literal["proxy-healthz", "health-check-node-port", "node-port"]
ProfileName = Literal["gcp", "aws-classic", "aws-nlb", "aws-lbc-nlb", "aws-alb", "azure", "metallb-l2", "metallb-bgp"]


@dataclass(frozen=True)
class Profile:
    """One kind of load balancer."""

    watches: Literal["probes", "memberlist", "bgp"]  # how it finds out which nodes are well
    provisioning: int  # from the Service to an address; EXTERNAL-IP is <pending> meanwhile
    gives: Literal["ip", "hostname"] = "ip"  # what the Service's status gets
    sends_to: Literal["address", "node-port"] = "address"  # a packet goes on as it is, or to a node port
    cluster: Probe = "proxy-healthz"  # what is asked under policy Cluster
    local: Probe = "health-check-node-port"  # and under policy Local
    interval: int | None = None  # probes: from one to the next
    timeout: int | None = None  # probes: how long one waits for an answer
    healthy: int | None = None  # answers in a row until a node is believed in
    unhealthy: int | None = None  # and until it no longer is
    hold: int | None = None  # BGP: the router's patience with a silent speaker
    last_resort: Literal["all", "none"] = "none"  # whom it sends to when no node is well
    flows: Flows = "kept"  # what becomes of open connections when its nodes change


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "gcp": Profile(
            "probes", 45 * S,
            interval=8 * S, timeout=1 * S, healthy=1, unhealthy=3, last_resort="all",
        ),
        "aws-classic": Profile(
            "probes", 60 * S, "hostname", "node-port", "node-port", "node-port",
            interval=10 * S, timeout=5 * S, healthy=2, unhealthy=6, flows="reset",
        ),
        "aws-nlb": Profile(
            "probes", 120 * S, "hostname", "node-port", "node-port",
            interval=30 * S, timeout=10 * S, healthy=3, unhealthy=3, last_resort="all", flows="reset",
        ),
        "aws-lbc-nlb": Profile(
            "probes", 120 * S, "hostname", "node-port", "node-port", "node-port",
            interval=10 * S, timeout=10 * S, healthy=3, unhealthy=3, last_resort="all", flows="reset",
        ),
        "aws-alb": Profile(
            "probes", 120 * S, "hostname", "node-port", "node-port", "node-port",
            interval=15 * S, timeout=5 * S, healthy=2, unhealthy=2, last_resort="all",
        ),
        "azure": Profile(
            "probes", 60 * S, cluster="node-port",
            interval=5 * S, timeout=0, healthy=1, unhealthy=2,
        ),
        "metallb-l2": Profile("memberlist", S // 5, flows="rehashed"),
        "metallb-bgp": Profile("bgp", S // 5, hold=90 * S, flows="rehashed"),
    }
)  # fmt: skip
"""Load balancers by name. `aws-nlb` is the cloud provider's, `aws-lbc-nlb` the load balancer controller's."""

DEFAULT: ProfileName = "gcp"


class LoadBalancer(Model):
    """The load balancers of a cluster: a profile, and over it the fields that are given."""

    profile: ProfileName = DEFAULT
    provisioning: Duration = 45 * S  # from the Service to its address
    interval: Duration | None = None  # from one health check of a node to the next
    timeout: Duration | None = None  # how long a check waits for an answer
    healthy: int | None = Field(default=None, ge=1)  # good answers in a row until a node is sent to
    unhealthy: int | None = Field(default=None, ge=1)  # bad ones until it no longer is
    hold: Duration | None = None  # metallb-bgp: how long the router trusts a silent node

    @model_validator(mode="before")
    @classmethod
    def _over_the_profile(cls, given: Any) -> Any:
        """What the profile says, and over it what was given."""
        if not isinstance(given, Mapping):
            return given
        name = given.get("profile", DEFAULT)
        known = PROFILES.get(name) if isinstance(name, str) else None
        if known is None:
            return given
        base = {field: getattr(known, field) for field in _OPEN}
        texts = {field: format_duration(base[field]) for field in _TIMES if base[field] is not None}
        return {**base, **texts, **given}

    @model_validator(mode="after")
    def _fits(self) -> LoadBalancer:
        """A field that the profile has no use for is a mistake."""
        for name in _OPEN:
            if getattr(PROFILES[self.profile], name) is None and getattr(self, name) is not None:
                raise ValueError(f"{self.profile} has no {name}")
        if 0 in (self.interval, self.hold):
            raise ValueError("interval and hold must be more than 0")
        if self.interval is not None and self.timeout is not None and self.timeout > self.interval:
            raise ValueError("a check cannot wait longer for its answer (timeout) than for the next (interval)")
        return self

    def resolved(self) -> Profile:
        """The profile with everything that was said over it."""
        profile = PROFILES[self.profile]
        values = {field.name: getattr(profile, field.name) for field in fields(profile)}
        return Profile(**{**values, **{name: getattr(self, name) for name in _OPEN}})


_TIMES = ("provisioning", "interval", "timeout", "hold")
_OPEN = (*_TIMES, "healthy", "unhealthy")
"""The fields of a profile that a scenario may change."""


def _named(given: Any) -> Any:
    return {"profile": given} if isinstance(given, str) else given


AnyLoadBalancer = Annotated[LoadBalancer, BeforeValidator(_named, json_schema_input_type=ProfileName | LoadBalancer)]
"""The name of a profile, or a profile with changes."""


def turning_away(profile: Profile) -> tuple[int, int]:
    """The least and the most time from a node's power loss until such a balancer no longer sends to it.

    Up to one interval until the next question, then the missing answers, the last waited for in vain.

    >>> [low // S for low in turning_away(PROFILES["gcp"])], [up // S for up in turning_away(PROFILES["aws-nlb"])]
    ([17, 25], [70, 100])
    """
    if profile.watches == "bgp":
        assert profile.hold is not None
        return profile.hold - profile.hold // 3, profile.hold
    assert profile.interval is not None
    assert profile.timeout is not None
    assert profile.unhealthy is not None
    least = (profile.unhealthy - 1) * profile.interval + profile.timeout
    return least, least + profile.interval
