"""Address and port allocators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.topology.allocators import (
    AlreadyAllocated,
    Full,
    HostLocal,
    NodeCIDRAllocator,
    NodePortAllocator,
    NotInRange,
    ServiceIPAllocator,
)


@pytest.mark.parametrize(
    ("mask", "offset"), [(12, 256), (16, 256), (20, 256), (22, 64), (24, 16), (26, 16), (28, 0), (30, 0)]
)
def test_the_static_band_has_the_size_of_the_formula(mask: int, offset: int) -> None:
    assert ServiceIPAllocator(f"10.96.0.0/{mask}").offset == offset


@given(st.lists(st.integers(0, 2**64 - 1), min_size=254, max_size=254))
def test_automatic_addresses_leave_the_static_band_for_last(bits: list[int]) -> None:
    ips = ServiceIPAllocator("10.96.0.0/24")
    taken = [ips.allocate_next(b) for b in bits]
    assert len(set(taken)) == 254
    assert {f"10.96.0.{i}" for i in range(17, 255)} == set(taken[:238])
    with pytest.raises(Full):
        ips.allocate_next(0)


@given(st.data())
def test_an_automatic_address_is_the_next_free_one_from_its_start(data: st.DataObject) -> None:
    ips = ServiceIPAllocator("10.96.0.0/25")
    taken = data.draw(st.sets(st.integers(17, 126), max_size=109))
    for number in taken:
        ips.allocate(f"10.96.0.{number}")
    bits = data.draw(st.integers(0, 2**64 - 1))
    start = 17 + (bits * 110 >> 64)
    order = [*range(start, 127), *range(17, start)]
    assert ips.allocate_next(bits) == f"10.96.0.{next(n for n in order if n not in taken)}"


@pytest.mark.parametrize("address", ["192.168.0.1", "192.168.1.0", "192.168.1.255", "192.168.2.2", "fd00::1"])
def test_addresses_outside_the_range_are_refused(address: str) -> None:
    with pytest.raises(NotInRange, match="not in the valid range"):
        ServiceIPAllocator("192.168.1.0/24").allocate(address)


def test_a_taken_address_is_refused_until_it_is_released() -> None:
    ips = ServiceIPAllocator("192.168.1.0/24")
    ips.allocate("192.168.1.7")
    with pytest.raises(AlreadyAllocated, match="provided IP is already allocated"):
        ips.allocate("192.168.1.7")
    ips.release("192.168.1.7")
    assert ips.allocate("192.168.1.7") == "192.168.1.7"
    assert (ips.free, ips.used, list(ips), ips.has("192.168.1.7")) == (253, 1, ["192.168.1.7"], True)


def test_ipv6_has_no_broadcast_address() -> None:
    ips = ServiceIPAllocator("2001:db8:1::/116")
    assert ips.free == 4095
    assert ips.allocate("2001:db8:1::fff") == "2001:db8:1::fff"


def test_automatic_node_ports_start_at_30086_until_the_band_is_full() -> None:
    ports = NodePortAllocator()
    taken = [ports.allocate_next(2**63) for _ in range(2768)]
    assert min(taken[:2682]) == 30086
    assert sorted(taken[2682:]) == list(range(30000, 30086))
    with pytest.raises(Full):
        ports.allocate_next(0)


@pytest.mark.parametrize(
    ("size", "offset"), [(10, 0), (16, 0), (17, 16), (128, 16), (2048, 64), (2768, 86), (4096, 128), (8192, 128)]
)
def test_the_static_band_of_node_ports_has_the_size_of_its_formula(size: int, offset: int) -> None:
    ports = NodePortAllocator(30000, 30000 + size - 1)
    assert (ports.offset, ports.dynamic_first) == (offset, 30000 + offset)


def test_node_ports_are_checked() -> None:
    ports = NodePortAllocator()
    ports.allocate(30080)
    with pytest.raises(AlreadyAllocated, match="provided port is already allocated"):
        ports.allocate(30080)
    with pytest.raises(NotInRange, match="The range of valid ports is 30000-32767"):
        ports.allocate(8080)
    assert (ports.free, ports.used, list(ports), ports.has(30080)) == (2767, 1, [30080], True)
    ports.release(30080)
    assert ports.used == 0


def test_a_16_holds_256_nodes() -> None:
    ranges = NodeCIDRAllocator("10.244.0.0/16", 24)
    found = [ranges.allocate() for _ in range(256)]
    assert (found[0], found[-1]) == ("10.244.0.0/24", "10.244.255.0/24")
    with pytest.raises(Full, match="no remaining CIDRs left"):
        ranges.allocate()
    ranges.release("10.244.7.0/24")
    assert ranges.allocate() == "10.244.7.0/24"


def test_a_range_a_node_already_has_is_not_given_again() -> None:
    ranges = NodeCIDRAllocator("fd00:10:244::/56", 64)
    ranges.occupy("fd00:10:244::/64")
    assert ranges.allocate() == "fd00:10:244:1::/64"
    with pytest.raises(NotInRange):
        ranges.occupy("10.0.0.0/24")


def test_a_freed_pod_address_is_not_reused_at_once() -> None:
    pods = HostLocal("10.244.1.0/29")
    assert [pods.allocate() for _ in range(3)] == ["10.244.1.2", "10.244.1.3", "10.244.1.4"]
    pods.release("10.244.1.3")
    assert [pods.allocate() for _ in range(3)] == ["10.244.1.5", "10.244.1.6", "10.244.1.3"]
    with pytest.raises(Full, match="no IP addresses available"):
        pods.allocate()
    assert pods.has("10.244.1.3")
    assert pods.gateway == "10.244.1.1"


def test_the_address_of_dns_is_given_to_nobody_who_does_not_ask_for_it() -> None:
    ips = ServiceIPAllocator("10.0.0.0/28", kept="10.0.0.10")
    given = [ips.allocate_next(0) for _ in range(13)]
    assert "10.0.0.10" not in given
    with pytest.raises(Full):
        ips.allocate_next(0)
    assert ips.allocate("10.0.0.10") == "10.0.0.10"
