"""`kubectl describe service`, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

from netsim.api.describe import describe
from netsim.units import S

Object = dict[str, Any]
NOW = 300 * S


def golden(text: str) -> str:
    """The text with its margin removed; `|` ends a line that has blanks at its end."""
    return dedent(text).removeprefix("\n").replace("|\n", "\n")


def described(obj: Object, *others: Object, now: int = NOW) -> str:
    def lookup(kind: str, namespace: str | None) -> Sequence[Object]:
        return [
            one
            for one in (obj, *others)
            if one["kind"] == kind and namespace in (None, one["metadata"].get("namespace"))
        ]

    return describe(obj, lookup, now)


def lines(text: str, *titles: str) -> list[str]:
    """The lines that begin with these titles."""
    return [line for line in text.splitlines() if line.startswith(titles)]


def event(about: Object, reason: str, first: int, **fields: Any) -> Object:
    metadata = about["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{first:x}",
            "namespace": metadata.get("namespace", "default"),
        },
        "involvedObject": {
            "kind": about["kind"],
            "name": metadata["name"],
            "uid": metadata.get("uid", ""),
            "namespace": metadata.get("namespace", ""),
        },
        "type": "Normal",
        "reason": reason,
        "message": f"{reason} happened\n",
        "source": {"component": "kubelet"},
        "firstTimestamp": first,
        "lastTimestamp": first,
        "count": 1,
        **fields,
    }


def service(status: Object | None = None, **spec: Any) -> Object:
    ports = [{"port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "my-nginx",
            "namespace": "default",
            "uid": "s1",
            "labels": {"run": "my-nginx", "a": "b"},
        },
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.9",
            "clusterIPs": ["10.96.0.9"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "selector": {"run": "my-nginx"},
            "ports": ports,
            "sessionAffinity": "None",
            "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster",
            **spec,
        },
        "status": {"loadBalancer": status or {}},
    }


def endpoint_slice(of: str, addresses: dict[str, bool | None], **port: Any) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": of,
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "my-nginx"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8080, "protocol": "TCP", **port}],
        "endpoints": [
            {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
            for address, ready in addresses.items()
        ],
    }


def test_describe_service() -> None:
    balancer = service({"ingress": [{"ip": "198.51.100.1", "ipMode": "VIP"}]})
    ready = endpoint_slice("my-nginx-a", {"10.244.1.2": True, "10.244.2.2": False, "10.244.3.2": None})
    assert described(balancer, ready) == golden("""
        Name:                     my-nginx
        Namespace:                default
        Labels:                   a=b
                                  run=my-nginx
        Annotations:              <none>
        Selector:                 run=my-nginx
        Type:                     LoadBalancer
        IP Family Policy:         SingleStack
        IP Families:              IPv4
        IP:                       10.96.0.9
        IPs:                      10.96.0.9
        LoadBalancer Ingress:     198.51.100.1 (VIP)
        Port:                     <unset>  80/TCP
        TargetPort:               8080/TCP
        NodePort:                 <unset>  30080/TCP
        Endpoints:                10.244.1.2:8080,10.244.3.2:8080
        Session Affinity:         None
        External Traffic Policy:  Cluster
        Internal Traffic Policy:  Cluster
        Events:                   <none>
        """)


def test_describe_service_with_everything_that_may_be_there() -> None:
    full = service(
        {"ingress": [{"hostname": "a-very-long-name.elb.example.com"}, {"ip": "192.0.2.1"}]},
        externalIPs=["192.0.2.7", "192.0.2.8"],
        loadBalancerIP="192.0.2.9",
        loadBalancerSourceRanges=["10.0.0.0/8", "192.0.2.0/24"],
        healthCheckNodePort=31000,
        selector=None,
        ports=[
            {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"},
            {"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
        ],
    )
    del full["metadata"]["labels"]
    full["metadata"]["annotations"] = {
        "b": "2",
        "a": "1",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    first = endpoint_slice("a", {"10.244.1.2": True, "10.244.1.3": True}, name="http", port=8080)
    second = endpoint_slice(
        "b", {"10.244.2.2": True, "10.244.2.3": True, "10.244.2.4": True}, name="http", port=9090
    )
    assert described(full, second, first) == golden("""
        Name:                        my-nginx
        Namespace:                   default
        Labels:                      <none>
        Annotations:                 a: 1
                                     b: 2
        Selector:                    <none>
        Type:                        LoadBalancer
        IP Family Policy:            SingleStack
        IP Families:                 IPv4
        IP:                          10.96.0.9
        IPs:                         10.96.0.9
        External IPs:                192.0.2.7,192.0.2.8
        Desired LoadBalancer IP:     192.0.2.9
        LoadBalancer Ingress:        a-very-long-name.elb.example.com, 192.0.2.1
        Port:                        http  80/TCP
        TargetPort:                  web/TCP
        Endpoints:                   10.244.1.2:8080,10.244.1.3:8080,10.244.2.2:9090 + 2 more...
        Port:                        dns  53/UDP
        TargetPort:                  53/UDP
        Endpoints:                   |
        Session Affinity:            None
        External Traffic Policy:     Cluster
        Internal Traffic Policy:     Cluster
        HealthCheck NodePort:        31000
        LoadBalancer Source Ranges:  10.0.0.0/8,192.0.2.0/24
        Events:                      <none>
        """)


def test_a_service_without_slices_has_no_endpoints_and_one_with_none_ready_has_an_empty_line() -> None:
    assert lines(described(service()), "Endpoints:") == ["Endpoints:                <none>"]
    nobody = endpoint_slice("a", {"10.244.1.2": False})
    assert lines(described(service(), nobody), "Endpoints:") == ["Endpoints:                "]


def test_a_service_that_is_a_name_has_no_address() -> None:
    name = service(
        type="ExternalName",
        externalName="db.example.com",
        clusterIP="",
        clusterIPs=[],
        ipFamilies=[],
        ports=[],
    )
    shown = [
        line.rstrip() for line in lines(described(name), "IP:", "IPs:", "IP Families:", "External Name:")
    ]
    assert [line.split(":")[1].strip() for line in shown] == ["<none>", "", "<none>", "db.example.com"]


def test_of_a_kind_without_a_page_all_fields_are_told() -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}}
    assert described({**lease, "spec": {"leaseDurationSeconds": 40}}) == (
        "Name:         a\n"
        "Namespace:    \n"
        "Labels:       <none>\n"
        "Annotations:  <none>\n"
        "API Version:  coordination.k8s.io/v1\n"
        "Kind:         Lease\n"
        "Metadata:\n"
        "Spec:\n"
        "  Lease Duration Seconds:  40\n"
        "Events:                    <none>\n"
    )
