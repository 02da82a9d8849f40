"""How things may be called: names, labels and ports, with Kubernetes' own words for what is wrong.

Each function returns what is wrong with a text, or nothing.
Source: Kubernetes 1.32, k8s.io/apimachinery/pkg/util/validation.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"

_ENDS = "must start and end with an alphanumeric character"
_OF_NAMES = f"must consist of alphanumeric characters, '-', '_' or '.', and {_ENDS}"

PROTOCOLS = ("SCTP", "TCP", "UDP")

Wrong = tuple[str, ...]  # each thing that is wrong


def said(message: str, pattern: str, *examples: str) -> str:
    """A message with examples, as Kubernetes puts them together (two spaces and all).

    >>> said("must be odd", "[13579]", "1", "3")
    "must be odd (e.g. '1',  or '3', regex used for validation is '[13579]')"
    """
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} ({'e.g. ' + shown if shown else ''}regex used for validation is '{pattern}')"


def too_long(limit: int) -> str:
    """What Kubernetes says of a name that is too long."""
    return f"must be no more than {limit} bytes"


@lru_cache(4096)
def dns_label(text: str) -> Wrong:
    """A label of RFC 1123, such as the name of a namespace or a container.

    >>> dns_label("web-1"), dns_label("a.b")
    ((), ('must not contain dots',))
    """
    wrong = [too_long(63)] if len(text) > 63 else []
    if not re.fullmatch(_LABEL, text):
        allowed = "lower case alphanumeric characters or '-'"
        message = f"a lowercase RFC 1123 label must consist of {allowed}, and {_ENDS}"
        dots = re.fullmatch(_SUBDOMAIN, text)
        wrong.append("must not contain dots" if dots else said(message, _LABEL, "my-name", "123-abc"))
    return tuple(wrong)


@lru_cache(4096)
def dns_subdomain(text: str) -> Wrong:
    """A subdomain of RFC 1123, which most names are."""
    wrong = [too_long(253)] if len(text) > 253 else []
    if not re.fullmatch(_SUBDOMAIN, text):
        allowed = "lower case alphanumeric characters, '-' or '.'"
        message = f"a lowercase RFC 1123 subdomain must consist of {allowed}, and {_ENDS}"
        wrong.append(said(message, _SUBDOMAIN, "example.com"))
    return tuple(wrong)


@lru_cache(4096)
def dns_1035_label(text: str) -> Wrong:
    """A label of RFC 1035, such as the name of a Service.

    >>> dns_1035_label("web"), len(dns_1035_label("1web"))
    ((), 1)
    """
    wrong = [too_long(63)] if len(text) > 63 else []
    if not re.fullmatch(_LABEL_1035, text):
        message = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        wrong.append(said(message, _LABEL_1035, "my-name", "abc-123"))
    return tuple(wrong)


@lru_cache(4096)
def qualified_name(text: str) -> Wrong:
    """The key of a label: a name, perhaps with a domain before it.

    >>> qualified_name("app.kubernetes.io/name"), qualified_name("a/")
    ((), ('name part must be non-empty',))
    """
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        message = f"a qualified name {_OF_NAMES}"
        examples = said(message, _NAME, "MyName", "my.name", "123-abc")
        return (f"{examples} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    wrong = []
    if slash:
        wrong += [
            f"prefix part {one}" for one in (dns_subdomain(prefix) if prefix else ("must be non-empty",))
        ]
    if not name:
        return (*wrong, "name part must be non-empty")
    if len(name) > 63:
        wrong.append("name part " + too_long(63))
    if not re.fullmatch(_NAME, name):
        wrong.append("name part " + said(_OF_NAMES, _NAME, "MyName", "my.name", "123-abc"))
    return tuple(wrong)


@lru_cache(4096)
def label_value(text: str) -> Wrong:
    """The value of a label."""
    wrong = [too_long(63)] if len(text) > 63 else []
    if not re.fullmatch(_VALUE, text):
        message = f"a valid label must be an empty string or {_OF_NAMES.removeprefix('must ')}"
        wrong.append(said(message, _VALUE, "MyValue", "my_value", "12345"))
    return tuple(wrong)


@lru_cache(4096)
def port_name(text: str) -> Wrong:
    """The name of a container's port (RFC 6335).

    >>> port_name("http"), port_name("8080"), port_name("-a")
    ((), ('must contain at least one letter (a-z)',), ('must not begin or end with a hyphen',))
    """
    wrong = []
    if len(text) > 15:
        wrong.append(too_long(15))
    if not re.fullmatch("[-a-z0-9]+", text):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in text:
        wrong.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        wrong.append("must not begin or end with a hyphen")
    return tuple(wrong)


def data_key(text: str) -> Wrong:
    """A key in the data of a ConfigMap or a Secret."""
    if len(text) > 253:
        return (too_long(253),)
    if text in (".", ".."):
        return (f"must not be '{text}'",)
    if text.startswith(".."):
        return ("must not start with '..'",)
    if re.fullmatch(_KEY, text):
        return ()
    message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    return (said(message, _KEY, "key.name", "KEY_NAME", "key-name"),)


def percentage(text: str) -> Wrong:
    """A share such as 25%.

    >>> percentage("25%"), len(percentage("a quarter"))
    ((), 1)
    """
    if re.fullmatch(_PERCENT, text):
        return ()
    message = "a valid percent string must be a numeric string followed by an ending '%'"
    return (said(message, _PERCENT, "1%", "93%"),)


def port_number(number: int) -> Wrong:
    """A port that can be listened on.

    >>> port_number(80), port_number(0)
    ((), ('must be between 1 and 65535, inclusive',))
    """
    return () if 1 <= number <= 65535 else ("must be between 1 and 65535, inclusive",)


@lru_cache(4096)
def ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is, or None.

    >>> ip_address("10.96.0.10"), ip_address("10.96.0")
    (IPv4Address('10.96.0.10'), None)
    """
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def is_cidr(text: str) -> bool:
    """Whether a text is a network such as 10.9.8.0/24."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text
