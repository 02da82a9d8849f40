"""The scenario document: what is in a scenario file, as one frozen value.

`load.py` reads it from a file and reports every mistake at once; `schema.py` publishes its JSON Schema.
Each part's model lives with the thing it describes (`traffic.py`, `faults.py`, `topology/network.py`...).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from netsim.control.corefile import ClusterDns
from netsim.control.load_balancers import AnyLoadBalancer, LoadBalancer
from netsim.control.timings import DEFAULT_VERSION, Timings, timings
from netsim.dataplane.serving import Serving
from netsim.faults import AnyFault
from netsim.fields import Duration, Model, Name
from netsim.proxy.config import ProxyConfig
from netsim.topology.network import Addresses, CniFamily, Links, Nodes
from netsim.traffic import Traffic
from netsim.units import DAY, MINUTE, US, S, format_duration

LONGEST = 30 * DAY
"""How long a run may last: its series has a row for every second of it."""


class Metadata(Model):
    """What the scenario is called, and the question it answers."""

    name: Name
    title: str = ""
    question: str = ""


class Kernel(Model):
    """The Linux of every machine: how patiently it opens connections.

    Source: Linux `Documentation/networking/ip-sysctl`, tcp_syn_retries and tcp_syn_linear_timeouts (6.5+).
    """

    syn_retries: int = Field(default=6, ge=0, le=127)
    syn_linear_timeouts: int = Field(default=4, ge=0, le=127)


class Cluster(Model):
    """Machines and their network, the Kubernetes version, and every timing."""

    version: Literal["1.31", "1.32", "1.33", "1.34", "1.35", "1.36"] = DEFAULT_VERSION  # type: ignore[assignment]
    profile: Literal["default", "fast", "medium", "low", "legacy"] = "default"
    timings: Timings = Field(default_factory=dict, validate_default=True)  # over version and profile
    nodes: tuple[Nodes, ...] = Field(min_length=1)
    links: Links = Links()
    addresses: Addresses = Addresses()
    cni: CniFamily = "flannel-vxlan"
    hairpin: bool = True  # the bridge plugin's hairpinMode: a pod may reach itself through its Service
    proxy: ProxyConfig = ProxyConfig()
    kernel: Kernel = Kernel()
    load_balancer: AnyLoadBalancer = LoadBalancer()  # the name of a profile, or one with changes
    domain: Name = "cluster.local"
    name_lookup: Duration = 500 * US  # what a client waits for DNS, for each new connection, if that is not in pods
    dns: ClusterDns | None = None

    @field_validator("timings", mode="before")
    @classmethod
    def _over_version_and_profile(cls, given: Any, info: ValidationInfo) -> Any:
        """What the version and the profile wait for by default, and over it the fields that were given."""
        if not isinstance(given, dict):
            return given
        names = {} if info.mode == "json" else {name: to_camel(name) for name in Timings.model_fields}
        known = {name: info.data[name] for name in ("version", "profile") if name in info.data}
        base = timings(**{"version": DEFAULT_VERSION, **known})
        return {
            **base.model_dump(mode="json"),
            **{names.get(name, name): value for name, value in given.items()},
        }

    @property
    def resolved_timings(self) -> Timings:
        """Every period, grace and limit: those of `version`, then of `profile`, then what `timings` says."""
        return self.timings


class Check(Model):
    """What must hold of the run: a measure (of one traffic source or fault), and its bounds."""

    measure: str
    of: str = ""
    at_least: str | float | int | None = None
    at_most: str | float | int | None = None


class ScenarioDocument(Model):
    """A whole scenario file: a cluster, what runs on it, who talks to it, what breaks, and what must hold."""

    api_version: Literal["netsim/v1"]
    kind: Literal["Scenario"]
    metadata: Metadata
    seed: int = Field(default=1, ge=0, lt=2**63)
    duration: Duration = 2 * MINUTE
    cluster: Cluster
    manifests: tuple[str, ...] = ()  # files of Kubernetes objects, relative to the scenario's own folder
    traffic: tuple[Traffic, ...] = ()
    serving: tuple[Serving, ...] = ()
    faults: tuple[AnyFault, ...] = ()
    checks: tuple[Check, ...] = ()

    @field_validator("duration")
    @classmethod
    def _some_time(cls, duration: int) -> int:
        if duration < S // 1000:
            raise ValueError("a run lasts at least 1ms")
        if duration > LONGEST:
            raise ValueError(f"a run lasts at most 30d, found {format_duration(duration)}; write 30d, or less")
        return duration
