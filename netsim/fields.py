"""What a field of a scenario may be: the frozen base of every model, and the units people write.

A scenario is camelCase, as Kubernetes' own files are; the Python attributes are snake_case. Inside, a
duration is an integer count of nanoseconds, a size is bytes, a rate is per second; `units.py` has the
text forms. Each type carries its JSON Schema, so that an editor completes and checks a scenario.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from netsim.units import (
    format_bandwidth,
    format_duration,
    format_rate,
    format_share,
    format_size,
    parse_bandwidth,
    parse_duration,
    parse_rate,
    parse_share,
    parse_size,
)


class Model(BaseModel):
    """A part of a scenario: frozen, strict about names, camelCase in files."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


def _network(value: Any) -> IPv4Network | IPv6Network:
    if not isinstance(value, str):
        return value if isinstance(value, IPv4Network | IPv6Network) else ip_network(str(value))
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a network{_meant(value)}") from None


def _meant(text: str) -> str:
    """Why a text is no network, and which was probably meant.

    >>> _meant("10.244.1.0/16"), _meant("10.0.0.0/99")
    (': it has host bits set; write 10.244.0.0/16', '; write one such as 10.244.0.0/16')
    """
    try:
        return f": it has host bits set; write {ip_network(text, strict=False)}"
    except ValueError:
        return "; write one such as 10.244.0.0/16"


def _duration(value: Any, info: ValidationInfo) -> int:
    """A file must say the unit: only in Python is a bare number nanoseconds."""
    if info.mode == "json" and not isinstance(value, str) and value != 0:
        raise ValueError(f"{value!r} is not a duration; write 200ms, 40s or 1m30s")
    return parse_duration(value)


def _rate(value: Any, info: ValidationInfo) -> float:
    """A file must say the period: only in Python is a bare number per second."""
    if info.mode == "json" and not isinstance(value, str):
        raise ValueError(f"{value!r} is not a rate; write 50/s, 2k/s or 3/m")
    return parse_rate(value)


def _text(pattern: str, example: str, *also: dict[str, Any]) -> WithJsonSchema:
    own = {"type": "string", "pattern": pattern, "examples": [example]}
    return WithJsonSchema({"anyOf": [own, *also]} if also else own)


_NUMBER = r"[0-9]+(\.[0-9]+)?"

Duration = Annotated[
    int,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    _text(rf"^({_NUMBER}(ns|us|µs|ms|s|m|h|d))+$|^0$", "200ms", {"const": 0}),
]
"""A length of time: text such as `200ms`, `40s`, `1m30s`; nanoseconds inside."""

Rate = Annotated[
    float,
    BeforeValidator(_rate),
    PlainSerializer(format_rate, return_type=str),
    _text(rf"^{_NUMBER}k?/(s|m|h)$", "50/s"),
]
"""How often: text such as `50/s` or `3/m`; per second inside."""

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(format_size, return_type=str),
    _text(rf"^{_NUMBER}(B|kB|MB|GB|KiB|MiB|GiB)$", "10kB", {"type": "integer", "minimum": 0}),
]
"""How much: text such as `500B`, `10kB`, `1MiB`; bytes inside."""

Bandwidth = Annotated[
    int,
    BeforeValidator(parse_bandwidth),
    PlainSerializer(format_bandwidth, return_type=str),
    _text(rf"^{_NUMBER}[kMGT]?bit/s$", "10Gbit/s", {"type": "integer", "minimum": 1}),
]
"""How much a link carries: text such as `10Gbit/s` or `100Mbit/s`; bits per second inside."""

Share = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(format_share, return_type=str),
    _text(rf"^{_NUMBER}%$", "99.9%", {"type": "number", "minimum": 0, "maximum": 1}),
]
"""A part of a whole: `99.9%` or 0.999; a float from 0 to 1 inside."""

Network = Annotated[
    IPv4Network | IPv6Network,
    PlainValidator(_network),
    PlainSerializer(str, return_type=str),
    _text(r"^[0-9a-fA-F:.]+/[0-9]+$", "10.244.0.0/16"),
]
"""An address range in CIDR form."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
"""A DNS-1123 name, as Kubernetes names things."""

Labels = dict[str, str]
