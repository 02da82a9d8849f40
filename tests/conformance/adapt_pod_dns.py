"""Cases of kind `pod_dns`: a pod's resolv.conf."""

from __future__ import annotations

from typing import Any

from netsim.control.pod_dns import Resolver, dns_source, fitted, merged_options, resolver_of

Given = dict[str, Any]


def judge(case: Given) -> None:
    """Each group of cases asks something else; what it gives tells which."""
    given, expected = case["input"], case["expected"]
    if "pod" in given:
        _resolv_conf(given, expected)
    elif "dns_policy" in given:
        _policy(given, expected)
    elif "nameservers" in given:
        resolver, warnings = fitted(Resolver(tuple(given["nameservers"])))
        assert list(resolver.nameservers) == expected["nameservers"]
        assert bool(warnings) == expected["warning_event"]
    elif "searches" in given:
        resolver, warnings = fitted(Resolver((), tuple(given["searches"])))
        assert list(resolver.searches) == expected["searches"]
        assert bool(warnings) == expected["warning_event"]
    else:
        _options(given, expected)


def _policy(given: Given, expected: Given) -> None:
    pod = {"spec": {"dnsPolicy": given["dns_policy"], "hostNetwork": given["host_network"]}}
    found = dns_source(pod)
    assert (found is None) == expected["error"]
    if not expected["error"]:
        assert found == expected["dns_source"]


def _resolv_conf(given: Given, expected: Given) -> None:
    host = given.get("host_resolv_conf") or {}
    node = Resolver(*(tuple(host.get(field) or ()) for field in ("nameservers", "searches", "options")))
    namespace = given["pod"].get("namespace", "default")
    pod = {"metadata": {"namespace": namespace}, "spec": given["pod"]}
    resolver, _ = resolver_of(pod, node, tuple(given.get("cluster_dns") or ()), given["cluster_domain"])
    assert list(resolver.nameservers) == (expected["nameservers"] or [])
    assert list(resolver.searches) == (expected["searches"] or [])
    _compare_options(resolver.options, expected, merged=bool(given["pod"].get("dnsConfig")))


def _options(given: Given, expected: Given) -> None:
    """Options as resolv.conf has them, and options as a pod has them."""
    lists = [value or [] for value in given.values()]
    own = [option for listed in lists for option in listed if isinstance(option, dict)]
    existing = [option for listed in lists for option in listed if isinstance(option, str)]
    _compare_options(merged_options(existing, own), expected, merged=True)


def _compare_options(found: tuple[str, ...], expected: Given, *, merged: bool) -> None:
    """An order can be claimed only of options that are taken as they are: kubelet merges by way of a Go map."""
    wanted = expected["options"] or []
    if expected.get("options_ordered"):
        assert not merged
        assert list(found) == wanted
    else:
        assert sorted(found) == sorted(wanted)
