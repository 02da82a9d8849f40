"""What the API server refuses, and its words."""

# ruff: noqa: E501 (a case is a row, however long)

from __future__ import annotations

from typing import Any

import pytest

from netsim.api import names, schema
from netsim.api.validation import Ranges, taken_twice, validate

Object = dict[str, Any]
Path = tuple[str | int, ...]

LABEL_1123 = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
    "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
LABEL_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def messages(kind: str, obj: Object, ranges: Ranges | None = None) -> list[str]:
    return [message for _, message in refused(kind, obj, ranges)]


def refused(kind: str, obj: Object, ranges: Ranges | None = None) -> list[tuple[Path, str]]:
    known = schema.versions(kind)[0]
    place = {"namespace": "default"} if known.namespaced else {}
    obj = {"apiVersion": known.api_version, "kind": kind, "metadata": {"name": "web", **place}, **obj}
    return list(validate(obj, known, ranges))


def service(**spec: Any) -> Object:
    return {"spec": {"ports": [{"port": 80}], **spec}}


def pod(**spec: Any) -> Object:
    return {"spec": {"containers": [{"name": "web", "image": "nginx"}], **spec}}


def container(**fields: Any) -> Object:
    return {"spec": {"containers": [{"name": "web", "image": "nginx", **fields}]}}


def deployment(**spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, **pod()}
    return {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}}


# metadata ---------------------------------------------------------------------------------------------


NAMES = [
    # kind         name           message
    ("Pod", "Web", f'metadata.name: Invalid value: "Web": {SUBDOMAIN}'),
    ("Pod", "a..b", f'metadata.name: Invalid value: "a..b": {SUBDOMAIN}'),
    ("Service", "1web", f'metadata.name: Invalid value: "1web": {LABEL_1035}'),
    ("Namespace", "a_b", f'metadata.name: Invalid value: "a_b": {LABEL_1123}'),
    ("Namespace", "a.b", 'metadata.name: Invalid value: "a.b": must not contain dots'),
    ("Service", "a" * 64, f'metadata.name: Invalid value: "{"a" * 64}": must be no more than 63 bytes'),
]
VALID = {"Pod": pod(), "Service": service(), "Namespace": {}, "Node": {}, "ConfigMap": {}}


@pytest.mark.parametrize(("kind", "name", "message"), NAMES)
def test_names_have_a_syntax(kind: str, name: str, message: str) -> None:
    assert messages(kind, {**VALID[kind], "metadata": {"name": name}}) == [message]


@pytest.mark.parametrize("kind", VALID)
def test_a_name_is_needed_or_what_to_make_it_from(kind: str) -> None:
    required = "metadata.name: Required value: name or generateName is required"
    assert messages(kind, {**VALID[kind], "metadata": {}}) == [required]
    assert messages(kind, {**VALID[kind], "metadata": {"generateName": "web-"}}) == []
    assert messages(kind, {**VALID[kind], "metadata": {"name": "web"}}) == []


def test_labels_and_annotations_have_a_syntax_and_the_place_is_the_key() -> None:
    metadata = {
        "name": "web",
        "labels": {"app": "my app", "-a": "b", "example.org/": "c", "a/b/c": "", "Up/x": ""},
        "annotations": {"any/thing": "goes here!", "bad key": ""},
    }
    found = refused("Pod", {**pod(), "metadata": metadata})
    assert found[0] == (
        ("metadata", "labels", "app"),
        f'metadata.labels: Invalid value: "my app": {LABEL_VALUE}',
    )
    assert found[1] == (("metadata", "labels", "-a"), f'metadata.labels: Invalid value: "-a": {LABEL_KEY}')
    assert found[2][1] == 'metadata.labels: Invalid value: "example.org/": name part must be non-empty'
    assert found[3][1].startswith('metadata.labels: Invalid value: "a/b/c": a qualified name must consist of')
    assert found[3][1].endswith("with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")
    assert found[4][1] == f'metadata.labels: Invalid value: "Up/x": prefix part {SUBDOMAIN}'
    assert found[5] == (
        ("metadata", "annotations", "bad key"),
        f'metadata.annotations: Invalid value: "bad key": {LABEL_KEY}',
    )
    assert len(found) == 6


def test_annotations_have_a_limit() -> None:
    metadata = {"name": "web", "annotations": {"a": "x" * (256 << 10)}}
    limit = "metadata.annotations: Too long: may not be more than 262144 bytes"
    assert messages("Pod", {**pod(), "metadata": metadata}) == [limit]


def test_a_namespace_has_a_syntax_and_is_not_for_cluster_scoped_kinds() -> None:
    assert messages("Pod", {**pod(), "metadata": {"name": "a", "namespace": "My"}}) == [
        f'metadata.namespace: Invalid value: "My": {LABEL_1123}'
    ]
    assert messages("Node", {"metadata": {"name": "a", "namespace": "b"}}) == [
        "metadata.namespace: Forbidden: not allowed on this type"
    ]


# Services ---------------------------------------------------------------------------------------------

GOOD_SERVICES = [
    service(),
    service(type="NodePort", ports=[{"port": 80, "nodePort": 30080, "targetPort": "http"}]),
    service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=32000),
    service(clusterIP="None", ports=None),
    service(clusterIP="10.96.0.44", clusterIPs=["10.96.0.44"]),
    service(ports=[{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53}]),
    {"spec": {"type": "ExternalName", "externalName": "db.example.com."}},
    service(externalIPs=["192.0.2.1"], externalTrafficPolicy="Local"),
    service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 60}}),
    service(selector={"app": "web"}, trafficDistribution="PreferClose", internalTrafficPolicy="Local"),
    service(
        type="LoadBalancer", loadBalancerSourceRanges=[" 10.0.0.0/8 "], loadBalancerClass="example.com/lb"
    ),
    service(ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4"]),
    service(clusterIP="None", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"]),
]


@pytest.mark.parametrize("spec", GOOD_SERVICES)
def test_a_good_service_is_let_in(spec: Object) -> None:
    assert messages("Service", spec) == []


BAD_SERVICES = [
    ({}, "spec.ports: Required value"),
    (service(ports=[]), "spec.ports: Required value"),
    (service(type="External"), 'spec.type: Unsupported value: "External": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'),
    (service(ports=[{"port": 80}, {"name": "b", "port": 81}]), "spec.ports[0].name: Required value"),
    (service(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]), 'spec.ports[1].name: Duplicate value: "a"'),
    (service(ports=[{"name": "a_b", "port": 80}]), f'spec.ports[0].name: Invalid value: "a_b": {LABEL_1123}'),
    (service(ports=[{"port": 0}]), "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
    (service(ports=[{}]), "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
    (service(ports=[{"port": 80, "targetPort": 70000}]), "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"),
    (service(ports=[{"port": 80, "targetPort": "80"}]), 'spec.ports[0].targetPort: Invalid value: "80": must contain at least one letter (a-z)'),
    (service(ports=[{"port": 80, "protocol": "HTTP"}]), 'spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'),
    (service(ports=[{"port": 80, "nodePort": 30080}]), "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"),
    (service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]), 'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'),
    (service(type="NodePort", ports=[{"name": "a", "port": 80, "nodePort": 30080}, {"name": "b", "port": 81, "nodePort": 30080}]), "spec.ports[1].nodePort: Duplicate value: 30080"),
    (service(type="NodePort", clusterIP="None"), "spec.clusterIP: Invalid value: \"None\": may not be set to 'None' for NodePort services"),
    (service(type="LoadBalancer", clusterIPs=["None"]), "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"),
    (service(type="ExternalName"), "spec.externalName: Required value"),
    (service(type="ExternalName", externalName="a_b"), f'spec.externalName: Invalid value: "a_b": {SUBDOMAIN}'),
    (service(type="ExternalName", externalName="a", clusterIP="10.96.0.9"), "spec.clusterIP: Forbidden: may not be set for ExternalName services"),
    (service(clusterIP="10.96.0"), f'spec.clusterIP: Invalid value: "10.96.0": {names.NOT_AN_IP}'),
    (service(clusterIP="10.96.0.9", clusterIPs=["10.96.0.8"]), 'spec.clusterIPs: Invalid value: []string{"10.96.0.8"}: first value must match `clusterIP`'),
    (service(externalIPs=["web"]), f'spec.externalIPs[0]: Invalid value: "web": {names.NOT_AN_IP}'),
    (service(sessionAffinity="Cookie"), 'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"'),
    (service(sessionAffinityConfig={"clientIP": {}}), "spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None"),
    (service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86401}}), "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400"),
    (service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}), "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400"),
    (service(externalTrafficPolicy="Local"), 'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'),
    (service(type="NodePort", externalTrafficPolicy="Near"), 'spec.externalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"'),
    (service(internalTrafficPolicy="Near"), 'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"'),
    (service(healthCheckNodePort=32000), "spec.healthCheckNodePort: Invalid value: 32000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"),
    (service(loadBalancerSourceRanges=["10.0.0.0/8"]), "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"),
    (service(allocateLoadBalancerNodePorts=False), "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"),
    (service(loadBalancerClass="a"), "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"),
    (service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.1"]), f'spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.1": {names.NOT_A_CIDR}'),
    (service(trafficDistribution="Near"), 'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'),
    (service(selector={"app": "my app"}), f'spec.selector: Invalid value: "my app": {LABEL_VALUE}'),
    (service(ipFamilyPolicy="Dual"), 'spec.ipFamilyPolicy: Unsupported value: "Dual": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'),
    (service(ipFamilyPolicy="RequireDualStack"), 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'),
    (service(ipFamilies=["IPv6"]), 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
    (service(ipFamilies=["IPv5"]), 'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), BAD_SERVICES)
def test_a_bad_service_is_refused(spec: Object, message: str) -> None:
    assert message in messages("Service", spec)


def test_a_dual_stack_cluster_takes_both_families() -> None:
    ranges = Ranges(("10.96.0.0/16", "fd00::/108"))
    both = ["IPv4", "IPv6"]
    assert messages("Service", service(ipFamilyPolicy="RequireDualStack", ipFamilies=both), ranges) == []
    refusal = messages("Service", service(ipFamilyPolicy="SingleStack", ipFamilies=both), ranges)
    assert refusal == [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' "
        "when multiple IP families are specified"
    ]


# what Services may not have in common -----------------------------------------------------------------


def together(*specs: Object, ranges: Ranges | None = None) -> list[tuple[int, Path, str]]:
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"s{i}", "namespace": "default", **spec.get("metadata", {})},
            "spec": spec["spec"],
        }
        for i, spec in enumerate(specs)
    ]
    return taken_twice(objects, ranges)


def node_port(number: int, **port: Any) -> Object:
    return service(type="NodePort", ports=[{"port": 80, "nodePort": number, **port}])


def test_a_node_port_outside_the_range_is_refused() -> None:
    message = (
        "spec.ports[0].nodePort: Invalid value: 20000: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767"
    )
    assert together(node_port(20000)) == [(0, ("spec", "ports", 0, "nodePort"), message)]
    assert together(node_port(20000), ranges=Ranges(node_ports=(20000, 20010))) == []


def test_a_node_port_belongs_to_one_service_whatever_its_protocol() -> None:
    taken = "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"
    found = together(node_port(30080), node_port(30081), node_port(30080, protocol="UDP"))
    assert found == [(2, ("spec", "ports", 0, "nodePort"), taken)]


def test_one_service_may_use_a_node_port_for_two_protocols() -> None:
    ports = [
        {"name": "udp", "port": 53, "protocol": "UDP", "nodePort": 30053},
        {"name": "tcp", "port": 53, "protocol": "TCP", "nodePort": 30053},
    ]
    assert together(service(type="NodePort", ports=ports)) == []


def test_a_port_for_health_checks_is_a_node_port_too() -> None:
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30080}
    (found,) = together(node_port(30080), service(**local))
    assert found[:2] == (1, ("spec", "healthCheckNodePort"))
    assert found[2].endswith("HealthCheck NodePort 30080: provided port is already allocated")


def test_a_cluster_ip_outside_the_range_is_refused_where_it_was_written() -> None:
    message = (
        'spec.clusterIPs: Invalid value: []string{"10.0.0.9"}: failed to allocate IP 10.0.0.9: the provided IP '
        "(10.0.0.9) is not in the valid range. The range of valid IPs is 10.96.0.0/12"
    )
    assert together(service(clusterIP="10.0.0.9")) == [(0, ("spec", "clusterIP"), message)]
    assert together(service(clusterIP="10.0.0.9"), ranges=Ranges(("10.0.0.0/16",))) == []


def test_a_cluster_ip_is_given_once() -> None:
    (found,) = together(service(clusterIP="10.96.0.44"), service(clusterIPs=["10.96.0.44"]))
    assert found[:2] == (1, ("spec", "clusterIPs", 0))
    assert found[2].endswith("failed to allocate IP 10.96.0.44: provided IP is already allocated")


def test_headless_services_share_nothing() -> None:
    assert together(service(clusterIP="None"), service(clusterIP="None")) == []


def test_the_first_address_is_that_of_the_api_server() -> None:
    (found,) = together(service(clusterIP="10.96.0.1"))
    assert found[2].endswith("provided IP is already allocated")
    assert together({"metadata": {"name": "kubernetes"}, **service(clusterIP="10.96.0.1")}) == []


def test_an_address_of_a_family_that_the_cluster_lacks_is_refused() -> None:
    (found,) = together(service(clusterIP="fd00::5"))
    assert found[2].endswith("IPv6 is not configured on this cluster")


# pods -------------------------------------------------------------------------------------------------

GOOD_PODS = [
    pod(),
    pod(
        hostNetwork=True, hostname="a", subdomain="b", nodeName="node-1.example.com", nodeSelector={"a": "b"}
    ),
    container(ports=[{"containerPort": 80, "name": "http"}, {"containerPort": 80, "protocol": "UDP"}]),
    container(readinessProbe={"httpGet": {"port": "http"}, "successThreshold": 2}),
    container(resources={"requests": {"cpu": "100m", "memory": 1}, "limits": {"cpu": 0.1}}),
    container(env=[{"name": "A"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]),
    container(lifecycle={"preStop": {"sleep": {"seconds": 3}}}),
    pod(tolerations=[{"operator": "Exists"}, {"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}]),
    pod(dnsPolicy="None", dnsConfig={"nameservers": ["10.96.0.10"], "options": [{"name": "ndots"}]}),
    pod(
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
        ]
    ),
]


@pytest.mark.parametrize("spec", GOOD_PODS)
def test_a_good_pod_is_let_in(spec: Object) -> None:
    assert messages("Pod", spec) == []


HARD, SOFT = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
BAD_PODS = [
    ({}, "spec.containers: Required value"),
    (pod(containers=[{"image": "a"}]), "spec.containers[0].name: Required value"),
    (pod(containers=[{"name": "a"}]), "spec.containers[0].image: Required value"),
    (container(image=" nginx"), 'spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace'),
    (pod(containers=[{"name": "a", "image": "b"}] * 2), 'spec.containers[1].name: Duplicate value: "a"'),
    (container(name="A"), f'spec.containers[0].name: Invalid value: "A": {LABEL_1123}'),
    (container(ports=[{}]), "spec.containers[0].ports[0].containerPort: Required value"),
    (container(ports=[{"containerPort": 70000}]), "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"),
    (container(ports=[{"containerPort": 80, "protocol": "HTTP"}]), 'spec.containers[0].ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'),
    (container(ports=[{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]), 'spec.containers[0].ports[1].name: Duplicate value: "a"'),
    (container(ports=[{"containerPort": 80, "name": "a-port-with-a-long-name"}]), 'spec.containers[0].ports[0].name: Invalid value: "a-port-with-a-long-name": must be no more than 15 bytes'),
    (pod(hostNetwork=True, containers=[{"name": "a", "image": "b", "ports": [{"containerPort": 80, "hostPort": 81}]}]), "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is true"),
    (container(env=[{"value": "b"}]), "spec.containers[0].env[0].name: Required value"),
    (container(env=[{"name": "A", "value": "b", "valueFrom": {}}, {"name": "B", "value": "b", "valueFrom": {"fieldRef": {}}}]), 'spec.containers[0].env[1].valueFrom: Invalid value: "": may not be specified when `value` is not empty'),
    (container(readinessProbe={}), "spec.containers[0].readinessProbe: Required value: must specify a handler type"),
    (container(readinessProbe={"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}), "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"),
    (container(readinessProbe={"httpGet": {"port": 80}, "periodSeconds": -1}), "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"),
    (container(readinessProbe={"tcpSocket": {"port": 0}}), "spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"),
    (container(livenessProbe={"httpGet": {"port": 80}, "successThreshold": 2}), "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"),
    (container(lifecycle={"preStop": {"exec": {}, "sleep": {"seconds": 1}}}), "spec.containers[0].lifecycle.preStop.sleep: Forbidden: may not specify more than 1 handler type"),
    (container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}), 'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'),
    (container(resources={"requests": {"cpu": "-1"}}), 'spec.containers[0].resources.requests.cpu: Invalid value: "-1": must be greater than or equal to 0'),
    (pod(restartPolicy="Sometimes"), 'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'),
    (pod(dnsPolicy="Own"), 'spec.dnsPolicy: Unsupported value: "Own": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"'),
    (pod(dnsPolicy="None"), "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"),
    (pod(dnsConfig={"nameservers": ["dns"]}), f'spec.dnsConfig.nameservers[0]: Invalid value: "dns": {names.NOT_AN_IP}'),
    (pod(hostname="a.b"), 'spec.hostname: Invalid value: "a.b": must not contain dots'),
    (pod(nodeSelector={"a": "b c"}), f'spec.nodeSelector: Invalid value: "b c": {LABEL_VALUE}'),
    (pod(tolerations=[{"key": "a", "operator": "Exists", "value": "b"}]), "spec.tolerations[0].operator: Invalid value: \"Exists\": value must be empty when `operator` is 'Exists'"),
    (pod(tolerations=[{"value": "b"}]), 'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"'),
    (pod(tolerations=[{"key": "a", "effect": "Go"}]), 'spec.tolerations[0].effect: Unsupported value: "Go": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'),
    (pod(tolerations=[{"key": "a", "tolerationSeconds": 1}]), "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"),
    (pod(topologySpreadConstraints=[{"topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]), "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"),
    (pod(topologySpreadConstraints=[{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]), "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty"),
    (pod(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "a"}]), 'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"'),
    (pod(affinity={"nodeAffinity": {HARD: {}}}), f"spec.affinity.nodeAffinity.{HARD}.nodeSelectorTerms: Required value: must have at least one node selector term"),
    (pod(affinity={"nodeAffinity": {HARD: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Gt"}]}]}}}), f"spec.affinity.nodeAffinity.{HARD}.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"),
    (pod(affinity={"nodeAffinity": {SOFT: [{"preference": {}}]}}), f"spec.affinity.nodeAffinity.{SOFT}[0].weight: Invalid value: 0: must be in the range 1-100"),
    (pod(affinity={"podAntiAffinity": {HARD: [{"labelSelector": {}}]}}), f"spec.affinity.podAntiAffinity.{HARD}[0].topologyKey: Required value: can not be empty"),
    (pod(affinity={"podAffinity": {SOFT: [{"weight": 1, "podAffinityTerm": {"topologyKey": "a", "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}}]}}), f'spec.affinity.podAffinity.{SOFT}[0].podAffinityTerm.labelSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator'),
    (pod(readinessGates=[{}]), 'spec.readinessGates[0].conditionType: Invalid value: "": name part must be non-empty'),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), BAD_PODS)
def test_a_bad_pod_is_refused(spec: Object, message: str) -> None:
    assert message in messages("Pod", spec)


# what makes pods --------------------------------------------------------------------------------------

ROLLING = "spec.strategy.rollingUpdate"
BAD_DEPLOYMENTS = [
    (deployment(replicas=-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    (deployment(selector=None), "spec.selector: Required value"),
    (deployment(selector={}), "spec.selector: Invalid value: map[string]string{}: empty selector is invalid for deployment"),
    (deployment(selector={"matchLabels": {"app": "api"}}), 'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`'),
    (deployment(template={}), "spec.template.metadata.labels: Invalid value: map[string]string{}: `selector` does not match template `labels`"),
    (deployment(template={}), "spec.template.spec.containers: Required value"),
    (deployment(selector={"matchExpressions": [{"key": "app", "operator": "In"}]}), "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"),
    (deployment(template={"metadata": {"labels": {"app": "web"}}, **pod(restartPolicy="Never")}), 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'),
    (deployment(minReadySeconds=600, progressDeadlineSeconds=600), "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"),
    (deployment(revisionHistoryLimit=-1), "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"),
    (deployment(strategy={"type": "Rolling"}), 'spec.strategy.type: Unsupported value: "Rolling": supported values: "Recreate", "RollingUpdate"'),
    (deployment(strategy={"type": "Recreate", "rollingUpdate": {}}), f"{ROLLING}: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
    (deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}), f'{ROLLING}.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'),
    (deployment(strategy={"rollingUpdate": {"maxUnavailable": "150%"}}), f'{ROLLING}.maxUnavailable: Invalid value: "150%": must not be greater than 100%'),
    (deployment(strategy={"rollingUpdate": {"maxSurge": "half"}}), f"{ROLLING}.maxSurge: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), BAD_DEPLOYMENTS)
def test_a_bad_deployment_is_refused(spec: Object, message: str) -> None:
    assert message in messages("Deployment", spec)


def test_good_workloads_are_let_in() -> None:
    assert (
        messages("Deployment", deployment(strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}))
        == []
    )
    assert messages("ReplicaSet", deployment(replicas=0)) == []
    assert messages("ReplicaSet", deployment(selector=None)) == ["spec.selector: Required value"]


# the rest ---------------------------------------------------------------------------------------------

BAD_OBJECTS = [
    ("ConfigMap", {"data": {"a b": "c"}}, 'data: Invalid value: "a b": a valid config key must consist of alphanumeric characters, \'-\', \'_\' or \'.\' (e.g. \'key.name\',  or \'KEY_NAME\',  or \'key-name\', regex used for validation is \'[-._a-zA-Z0-9]+\')'),
    ("ConfigMap", {"data": {"..": "c"}}, "data: Invalid value: \"..\": must not be '..'"),
    ("ConfigMap", {"data": {"a": "b"}, "binaryData": {"a": "Yg=="}}, 'binaryData: Invalid value: "a": duplicate of key present in data'),
    ("Secret", {"stringData": {"a": "x" * ((1 << 20) + 1)}}, "data: Too long: may not be more than 1048576 bytes"),
    ("EndpointSlice", {}, "addressType: Required value"),
    ("EndpointSlice", {"addressType": "IPv5"}, 'addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"'),
    ("EndpointSlice", {"addressType": "IPv4", "endpoints": [{"addresses": []}]}, "endpoints[0].addresses: Required value: must contain at least 1 address"),
    ("EndpointSlice", {"addressType": "IPv4", "endpoints": [{"addresses": ["fd00::1"]}]}, 'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address'),
    ("EndpointSlice", {"addressType": "IPv4", "ports": [{"port": 80}, {"port": 81}]}, 'ports[1].name: Duplicate value: ""'),
    ("Endpoints", {"subsets": [{"addresses": [{"ip": "web"}]}]}, f'subsets[0].addresses[0].ip: Invalid value: "web": {names.NOT_AN_IP}'),
    ("Endpoints", {"subsets": [{"ports": [{"port": 80}]}]}, "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"),
    ("Node", {"spec": {"taints": [{"key": "a", "effect": "Go"}]}}, 'spec.taints[0].effect: Unsupported value: "Go": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'),
    ("Node", {"spec": {"taints": [{"effect": "NoExecute"}]}}, "spec.taints[0].key: Required value"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "message"), BAD_OBJECTS)
def test_other_bad_objects_are_refused(kind: str, obj: Object, message: str) -> None:
    assert messages(kind, obj) == [message]


def test_a_kind_that_is_not_simulated_is_looked_at_no_further_than_its_metadata() -> None:
    assert messages("Job", {"spec": {"parallelism": -1}}) == []
    assert messages("Job", {"metadata": {"name": "A"}}) == [
        f'metadata.name: Invalid value: "A": {SUBDOMAIN}'
    ]
