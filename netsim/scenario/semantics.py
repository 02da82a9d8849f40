"""Mistakes that no single field shows: names that must meet, times that must fit, ranges that must not touch.

Each function looks at one question and yields what it finds; `SENSE` lists them. What depends on the
Kubernetes objects (who is asked by traffic, whom `serving` selects) is in `references.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pydantic.alias_generators import to_camel

from netsim.scenario.draft import Draft
from netsim.scenario.fault_sense import durations_of_nothing, faults_that_hit_nobody, overlapping_power_losses
from netsim.scenario.measures import MEASURES, parse_bound
from netsim.scenario.mistakes import Mistake, Path, nearest, one_of, written
from netsim.scenario.model import Check
from netsim.scenario.patch_sense import refused_patches
from netsim.scenario.references import misdirected, unmet_selectors
from netsim.topology.network import Addresses
from netsim.units import format_duration, parse_quantity

RANGES = ("pods", "services", "nodes", "external", "load_balancers")
"""The address ranges of a cluster."""

NARROWEST = 30
"""The longest mask of a node's range of IPv4 pods: two addresses, and the bridge has one of them."""

PERIODS = ("lease_renew", "node_status_update", "node_status_report", "node_monitor_period", "pod_gc_period",
           "taint_pass", "pleg_relist")  # fmt: skip
"""Timings of what happens again and again: with a period of nothing, time would stand still."""

AMOUNTS = ("controller_qps", "controller_burst", "max_endpoints_per_slice")
"""Timings that must be more than nothing too, or nobody could ever act."""

RATES = (
    "node_eviction_rate",
    "secondary_node_eviction_rate",
    "unhealthy_zone_threshold",
    "large_cluster_size",
)
"""Timings that may be nothing, but not less."""


def senseless(draft: Draft) -> Iterator[Mistake]:
    """Everything in a scenario that is well formed, but cannot be meant."""
    for look in SENSE:
        yield from look(draft)


# names -------------------------------------------------------------------------------------------------


def repeated_names(draft: Draft) -> Iterator[Mistake]:
    """Traffic sources and faults are told apart by their names, and so are nodes."""
    for part in ("traffic", "faults"):
        first: dict[str, int] = {}
        for i, name in enumerate(draft.names(part)):
            if name is not None and first.setdefault(name, i) != i:
                message = f'{part}[{first[name]}] is called "{name}" already'
                yield Mistake((part, i, "name"), message, "give each a name of its own")
    groups: dict[str, int] = {}
    for i, group in enumerate(draft.groups):
        names = group.names() if group is not None else ()
        taken = next((name for name in names if groups.setdefault(name, i) != i), None)
        if taken is not None:
            path = ("cluster", "nodes", i, "name")
            yield Mistake(path, f'cluster.nodes[{groups[taken]}] has a node called "{taken}" already')


# times -------------------------------------------------------------------------------------------------


def beyond_the_run(draft: Draft) -> Iterator[Mistake]:
    """What begins when the run is over never happens."""
    if (end := draft.duration) is None:
        return
    hint = f"the run ends at {format_duration(end)}, which `duration` says"
    for part, name in (("traffic", "start"), ("faults", "at")):
        for i in range(len(draft.names(part))):
            if (draft.time(part, i, name) or 0) >= end:
                yield Mistake((part, i, name), f"{part}[{i}].{name} is not within the run", hint)
    for i in range(len(draft.traffic)):
        if (draft.time("traffic", i, "stop") or 0) > end:
            yield Mistake(("traffic", i, "stop"), f"traffic[{i}].stop is beyond the run", hint)


def standing_still(draft: Draft) -> Iterator[Mistake]:
    """Periods and amounts that are nothing."""
    if draft.cluster is None:
        return
    timings = draft.cluster.timings
    for name in (*PERIODS, *AMOUNTS, *RATES):
        value, alias = getattr(timings, name), to_camel(name)
        if value < 0 or (value == 0 and name not in RATES):
            limit = "at least 0" if name in RATES else "more than 0"
            yield Mistake(("cluster", "timings", alias), f"cluster.timings.{alias} must be {limit}")
    if draft.cluster.proxy.sync_period <= 0:
        yield Mistake(("cluster", "proxy", "syncPeriod"), "cluster.proxy.syncPeriod must be more than 0")


# sizes -------------------------------------------------------------------------------------------------


def strange_sizes(draft: Draft) -> Iterator[Mistake]:
    """Capacities that are no quantities, ports that cannot be."""
    for i, group in enumerate(draft.groups):
        if group is None:
            continue
        for name, value in (("cpu", group.capacity.cpu), ("memory", group.capacity.memory)):
            if not _is_quantity(value):
                path: Path = ("cluster", "nodes", i, "capacity", name)
                yield Mistake(path, f'{written(path)}: "{value}" is not a quantity', "write 4, 500m or 16Gi")
        if group.capacity.pods < 0:
            path = ("cluster", "nodes", i, "capacity", "pods")
            yield Mistake(path, f"{written(path)} must be at least 0")
    for i, serving in enumerate(draft.serving):
        for j, port in enumerate(serving.ports if serving else ()):
            if not 1 <= port <= 65535:
                path = ("serving", i, "ports", j)
                yield Mistake(path, f"{written(path)}: a port is a number from 1 to 65535")


def _is_quantity(text: str) -> bool:
    try:
        return parse_quantity(text) >= 0
    except ValueError:
        return False


# addresses ---------------------------------------------------------------------------------------------


def other_families(draft: Draft) -> Iterator[Mistake]:
    """All addresses are of one family, and the pod network carries it."""
    if draft.cluster is None:
        return
    families = {name: getattr(draft.cluster.addresses, name).version for name in RANGES}
    sixes = [to_camel(name) for name, version in families.items() if version == 6]
    if sixes and len(sixes) < len(families):
        message = f"cluster.addresses: {', '.join(sixes)} of IPv6, the others of IPv4: dual stack is not simulated"
        yield Mistake(_written_one(draft, *sixes), message, "give all five ranges one family")
    if families["pods"] == 6 and draft.cluster.cni == "calico-ipip":
        path: Path = ("cluster", "cni")
        yield Mistake(path, f"{written(path)}: calico-ipip carries IPv4 alone", "calico-vxlan carries both")


def overlapping_ranges(draft: Draft) -> Iterator[Mistake]:
    """An address belongs to one range only."""
    if draft.cluster is None:
        return
    for pair in combinations(RANGES, 2):
        one, other = (getattr(draft.cluster.addresses, name) for name in pair)
        if one.version == other.version and one.overlaps(other):
            names = [to_camel(name) for name in pair]
            message = f"cluster.addresses: {names[0]} {one} and {names[1]} {other} overlap"
            yield Mistake(_written_one(draft, *reversed(names)), message, "give each its own range")


def narrow_ranges(draft: Draft) -> Iterator[Mistake]:
    """Every node needs a range for its pods, and an address of its own."""
    if draft.cluster is None:
        return
    addresses, count = draft.cluster.addresses, len(draft.nodes())
    mask, pods = addresses.node_mask, addresses.pods
    if pods.version == 4 and mask > NARROWEST:
        message = f"cluster.addresses.nodeMask: must be at most {NARROWEST}, found {mask}"
        yield Mistake(_written_one(draft, "nodeMask"), message)
    elif mask < pods.prefixlen:
        message = f"cluster.addresses.nodeMask: a node's /{mask} does not fit into {pods}"
        yield Mistake(_written_one(draft, "nodeMask", "pods"), message, _wider(addresses, count))
    elif count > 1 << (mask - pods.prefixlen):
        room = 1 << (mask - pods.prefixlen)
        message = (
            f"cluster.addresses.pods: {pods} holds {room} ranges of /{mask}, one a node, for {count} nodes"
        )
        yield Mistake(_written_one(draft, "pods", "nodeMask"), message, _wider(addresses, count))
    if count > (room := max(0, addresses.nodes.num_addresses - 2)):
        message = f"cluster.addresses.nodes: {addresses.nodes} holds {room} addresses for {count} nodes"
        yield Mistake(_written_one(draft, "nodes"), message)


def _written_one(draft: Draft, *names: str) -> Path:
    """The first of these ranges that the file itself writes; what is wrong by default is wrong in `nodes`."""
    paths: list[Path] = [("cluster", "addresses", name) for name in names]
    return next((path for path in paths if draft.wrote(path)), ("cluster", "nodes"))


def _wider(addresses: Addresses, count: int) -> str:
    """A range for pods with room for so many nodes, beside the default range for Services."""
    if addresses.pods.version == 6:
        return "nodeMask: 64 is usual for IPv6, with pods of /56 or more"
    length = addresses.node_mask - (count - 1).bit_length()
    return f"pods: 10.128.0.0/{length} would hold them" if length >= 9 else "make nodeMask larger"


# checks ------------------------------------------------------------------------------------------------


def empty_checks(draft: Draft) -> Iterator[Mistake]:
    """A check names a measure of something that exists, and bounds that can be met."""
    for i, check in enumerate(draft.checks):
        if check is None:
            continue
        if check.measure not in MEASURES:
            message = f'checks[{i}].measure: there is no measure "{check.measure}"'
            hint = nearest(check.measure, MEASURES) or f"measures: {', '.join(MEASURES)}"
            yield Mistake(("checks", i, "measure"), message, hint)
            continue
        yield from _wrong_subject(draft, i, check)
        yield from _wrong_bounds(i, check)


def _wrong_subject(draft: Draft, i: int, check: Check) -> Iterator[Mistake]:
    measure = MEASURES[check.measure]
    part, what = ("traffic", "traffic source") if measure.of == "source" else ("faults", "fault")
    other = "faults" if part == "traffic" else "traffic"
    names = draft.names(part)
    known = [name for name in names if name is not None]
    if check.of in known:
        return
    if not check.of:
        if measure.of == "fault" and len(names) != 1:
            hint = f"of: {known[0]}" if known else "there are no faults"
            yield Mistake(
                ("checks", i, "of"), f"checks[{i}]: {check.measure} is measured of one fault; say which", hint
            )
        return
    if None in names:
        return  # it may be the one whose name is wrong
    hint = one_of(f"{what}s", check.of, known)
    if check.of in draft.names(other):
        hint = f"that is a {'fault' if other == 'faults' else 'traffic source'}; {hint}"
    yield Mistake(("checks", i, "of"), f'checks[{i}].of: there is no {what} "{check.of}"', hint)


def _wrong_bounds(i: int, check: Check) -> Iterator[Mistake]:
    bounds: dict[str, int | float] = {}
    for name, value in (("atLeast", check.at_least), ("atMost", check.at_most)):
        if value is None:
            continue
        try:
            bounds[name] = parse_bound(check.measure, value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            yield Mistake(("checks", i, name), f"checks[{i}].{name}: {message}", hint)
    if check.at_least is None and check.at_most is None:
        yield Mistake(("checks", i), f"checks[{i}] has no bound", "give atLeast, atMost or both")
    if len(bounds) == 2 and bounds["atLeast"] > bounds["atMost"]:
        yield Mistake(
            ("checks", i, "atMost"), f"checks[{i}]: nothing is at least {check.at_least} and at most this"
        )


SENSE = (
    repeated_names,
    beyond_the_run,
    standing_still,
    strange_sizes,
    other_families,
    overlapping_ranges,
    narrow_ranges,
    misdirected,
    unmet_selectors,
    faults_that_hit_nobody,
    refused_patches,
    overlapping_power_losses,
    durations_of_nothing,
    empty_checks,
)
"""Every question that is asked of a scenario."""
