"""Manifests: what is read, what is refused with its place, and what is listed as not simulated."""

# ruff: noqa: E501 (a case is a row, however long)

from __future__ import annotations

import contextlib
import copy
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsim.api.defaults import defaulted
from netsim.api.documents import Document, read_documents
from netsim.api.manifests import Manifests, load_manifests
from netsim.errors import Problem, ScenarioError

NGINX = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: my-nginx
spec:
  replicas: 2
  selector:
    matchLabels: {run: my-nginx}
  template:
    metadata:
      labels: {run: my-nginx}
    spec:
      containers:
      - name: my-nginx
        image: nginx:1.27
        ports:
        - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: my-nginx
  labels: {run: my-nginx}
spec:
  ports:
  - port: 80
  selector: {run: my-nginx}
"""


def load(text: str, **ranges: Any) -> Manifests:
    return load_manifests(read_documents(text, "a.yaml"), **ranges)


def problems(text: str, **ranges: Any) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(text, **ranges)
    return caught.value.problems


def only(text: str, **ranges: Any) -> Problem:
    (problem,) = problems(text, **ranges)
    return problem


def where(problem: Problem) -> str:
    return str(problem.place)


def changed(old: str, new: str, text: str = NGINX) -> str:
    assert old in text
    return text.replace(old, new, 1)


# what is read -----------------------------------------------------------------------------------------


def test_objects_are_as_written_but_for_their_namespace() -> None:
    documents = read_documents(NGINX, "a.yaml")
    written = [copy.deepcopy(document.value) for document in documents]
    manifests = load_manifests(documents)
    assert [document.value for document in documents] == written
    for obj in written:
        obj["metadata"]["namespace"] = "default"
    assert list(manifests.objects) == written
    assert manifests.ignored == ()


def test_a_namespace_that_is_given_stays_and_cluster_scoped_kinds_get_none() -> None:
    text = "{apiVersion: v1, kind: Node, metadata: {name: a}}\n---\n" + changed(
        "  name: my-nginx\n", "  name: my-nginx\n  namespace: shop\n"
    )
    namespaces = [obj["metadata"].get("namespace") for obj in load(text).objects]
    assert namespaces == [None, "shop", "default"]


def test_a_list_is_its_items_and_they_keep_their_places() -> None:
    indented = NGINX.split("---\n")[1].rstrip().replace("\n", "\n    ")
    text = f"apiVersion: v1\nkind: List\nmetadata: {{}}\nitems:\n  - {indented}\n"
    manifests = load(text + "---\n" + NGINX.split("---\n")[0])
    assert [obj["kind"] for obj in manifests.objects] == ["Service", "Deployment"]
    assert str(manifests.place(0, ("spec", "ports", 0, "port"))) == "a.yaml:12:15"
    assert str(manifests.place(0, ("spec",), key=True)) == "a.yaml:10:5"
    assert str(manifests.place(1, ("spec", "replicas"))) == "a.yaml:20:13"


def test_items_of_a_list_of_one_kind_need_not_say_it() -> None:
    text = """{"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}"""
    (obj,) = load(text).objects
    assert obj == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}


def test_lists_may_be_empty_or_in_lists() -> None:
    assert load("{apiVersion: v1, kind: List, items: []}").objects == ()
    assert load("{apiVersion: v1, kind: List}").objects == ()
    inner = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}]}"
    assert len(load(f"{{apiVersion: v1, kind: List, items: [{inner}]}}").objects) == 1


def test_null_is_the_same_as_nothing() -> None:
    text = changed(
        "  replicas: 2\n",
        "  replicas: null\n  strategy:\n",
        changed("    metadata:", "    metadata:\n      annotations:"),
    )
    assert load(text).objects[0]["spec"].keys() == {"selector", "template"}


def test_null_among_texts_is_an_empty_text() -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x: }}, data: {b: , c: d}}"
    (obj,) = load(text).objects
    assert obj["data"] == {"b": "", "c": "d"}
    assert obj["metadata"]["labels"] == {"x": ""}
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: b, resources: {requests: {cpu: }}}]}}"
    assert load(pod).objects[0]["spec"]["containers"][0]["resources"] == {"requests": {}}


def test_what_the_api_server_sets_is_left_out_without_a_word() -> None:
    text = changed(
        "  name: my-nginx\n",
        "  name: my-nginx\n  uid: a\n  resourceVersion: '7'\n  generation: 2\n  creationTimestamp: '2024-01-01T00:00:00Z'\n",
    )
    manifests = load(text)
    assert manifests.objects[0]["metadata"] == {"name": "my-nginx", "namespace": "default"}
    assert manifests.ignored == ()


def test_status_is_the_simulators_but_for_what_a_node_has() -> None:
    node = "{apiVersion: v1, kind: Node, metadata: {name: a}, status: {capacity: {cpu: 4}, phase: Running}}"
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: a, image: b}]}
status: {phase: Running}
"""
    manifests = load(f"{node}\n---{pod}")
    assert manifests.objects[0]["status"]["capacity"] == {"cpu": 4}
    assert "status" not in manifests.objects[1]
    assert manifests.ignored == ("status.phase is not simulated (Node)", "status is not simulated (Pod)")


def test_no_documents_are_no_objects() -> None:
    assert load_manifests([]) == Manifests(())


# what is not simulated --------------------------------------------------------------------------------


def test_a_real_field_that_is_not_simulated_is_listed_once_at_its_top() -> None:
    container = """
      - name: c%d
        image: nginx
        securityContext: {runAsUser: 1, capabilities: {drop: [ALL]}}
        resources: {limits: {cpu: 1}, requests: {cpu: 1}}"""
    text = changed("      containers:\n", "      containers:" + container % 1 + container % 2 + "\n")
    text = changed(
        "    spec:\n", "    spec:\n      schedulerName: mine\n      hostPID: false\n", text
    )
    again = text.split("---\n")[0].replace("name: my-nginx", "name: other")
    assert load(f"{text}\n---\n{again}").ignored == (
        "spec.template.spec.schedulerName is not simulated (Deployment)",
        "spec.template.spec.hostPID is not simulated (Deployment)",
        "spec.template.spec.containers[].securityContext is not simulated (Deployment)",
        "spec.template.spec.containers[].resources.limits is not simulated (Deployment)",
    )


def test_what_is_empty_is_not_worth_a_note() -> None:
    text = changed(
        "    spec:\n", "    spec:\n      securityContext: {}\n      volumes: []\n      initContainers:\n"
    )
    assert load(text).ignored == ()


def test_the_fields_of_what_is_not_simulated_are_checked_all_the_same() -> None:
    text = changed("    spec:\n", "    spec:\n      securityContext: {runAsUsr: 1}\n")
    problem = only(text)
    assert problem.message == 'unknown field "spec.template.spec.securityContext.runAsUsr"'
    assert problem.hint == "did you mean runAsUser?"


def test_a_kind_that_is_not_simulated_is_listed_once() -> None:
    account = "---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: %s}}\n"
    policy = "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db}, spec: {podSelector: {}}}\n"
    manifests = load(account % "a" + policy + account % "b")
    assert [obj["metadata"]["name"] for obj in manifests.objects] == ["a", "db", "b"]
    assert manifests.ignored == (
        "ServiceAccount is accepted but not simulated",
        "NetworkPolicy is accepted but not simulated",
    )


SIMULATED = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
  annotations: {a: b}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: u, controller: true}]
spec:
  nodeName: node-1
  nodeSelector: {disk: ssd}
  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone}]}}
  tolerations: [{operator: Exists}]
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
  hostNetwork: false
  hostname: a
  subdomain: b
  terminationGracePeriodSeconds: 5
  restartPolicy: Always
  enableServiceLinks: true
  dnsPolicy: ClusterFirst
  dnsConfig: {options: [{name: ndots, value: "2"}]}
  readinessGates: [{conditionType: example.org/ready}]
  containers:
  - name: web
    image: nginx
    ports: [{containerPort: 80, name: http, protocol: TCP}]
    resources: {requests: {cpu: 100m, memory: 64Mi}}
    env: [{name: A, value: b}, {name: B, valueFrom: {configMapKeyRef: {name: c, key: d}}}]
    envFrom: [{secretRef: {name: s}}]
    readinessProbe: {httpGet: {path: /, port: http, httpHeaders: [{name: X, value: y}]}, periodSeconds: 5}
    livenessProbe: {tcpSocket: {port: 80}}
    startupProbe: {grpc: {port: 80}}
    lifecycle: {preStop: {sleep: {seconds: 3}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080, protocol: TCP, appProtocol: http}]
  clusterIP: 10.96.0.44
  clusterIPs: [10.96.0.44]
  ipFamilies: [IPv4]
  ipFamilyPolicy: SingleStack
  externalIPs: [192.0.2.1]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
  internalTrafficPolicy: Local
  externalTrafficPolicy: Local
  healthCheckNodePort: 30081
  publishNotReadyAddresses: true
  allocateLoadBalancerNodePorts: true
  loadBalancerSourceRanges: [10.0.0.0/8]
  trafficDistribution: PreferClose
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, nodeName: a, zone: b, hints: {forZones: [{name: b}]}}]
---
apiVersion: v1
kind: Secret
metadata: {name: s}
type: Opaque
data: {a: YWJj}
stringData: {b: c}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {d: e}
---
apiVersion: v1
kind: Endpoints
metadata: {name: outside}
subsets: [{addresses: [{ip: 192.0.2.9}], ports: [{port: 80}]}]
"""


def test_what_is_simulated_is_not_listed() -> None:
    manifests = load(SIMULATED)
    assert manifests.ignored == ()
    assert len(manifests.objects) == 6


# mistakes in fields -----------------------------------------------------------------------------------


def test_a_misspelt_field_is_told_in_kubectls_words_with_its_place() -> None:
    problem = only(changed("  replicas: 2", "  replcas: 2"))
    assert problem.message == 'unknown field "spec.replcas"'
    assert where(problem) == "a.yaml:6:3"
    assert problem.hint == "did you mean replicas?"
    assert problem.place is not None
    assert problem.place.text == "  replcas: 2"


FIELDS = [
    # instead of              stands                         message                                       hint
    ("image: nginx", "imagee: nginx", 'unknown field "spec.template.spec.containers[0].imagee"', "did you mean image?"),
    ("    matchLabels", "    matchlabels", 'unknown field "spec.selector.matchlabels"', "did you mean matchLabels?"),
    ("metadata:\n  name", "metadata:\n  namespce: a\n  name", 'unknown field "metadata.namespce"', "did you mean namespace?"),
    ("  replicas: 2", "  nodeSelector: {a: b}", 'unknown field "spec.nodeSelector"', "nodeSelector belongs in spec.template.spec"),
    ("        image", "        tolerations: []\n        image", 'unknown field "spec.template.spec.containers[0].tolerations"', "tolerations belongs in spec.template.spec"),
    ("        - containerPort", "        - image: a\n          containerPort", 'unknown field "spec.template.spec.containers[0].ports[0].image"', "image belongs in spec.template.spec.containers[]"),
    ("spec:\n  replicas", "replicas: 1\nspec:\n  replicas", 'unknown field "replicas"', "replicas belongs in spec"),
    ("        - containerPort: 80", "        - port: 80", 'unknown field "spec.template.spec.containers[0].ports[0].port"', "did you mean containerPort?"),
    ("spec:\n  replicas", "labels: {}\nspec:\n  replicas", 'unknown field "labels"', "labels belongs in metadata"),
    ("  replicas: 2", "  xyzzy: 2", 'unknown field "spec.xyzzy"', ""),
    ("replicas: 2", "replicas: three", 'spec.replicas: expected integer, found string "three"', ""),
    ("replicas: 2", 'replicas: "3"', 'spec.replicas: expected integer, found string "3"', "leave the quotes out: 3"),
    ("replicas: 2", "replicas: 2.5", "spec.replicas: expected integer, found number 2.5", ""),
    ("replicas: 2", "replicas: true", "spec.replicas: expected integer, found boolean true", ""),
    ("replicas: 2", "replicas: 3000000000", "spec.replicas: 3000000000 does not fit an integer of 32 bits", ""),
    ("replicas: 2", "paused: yes", 'spec.paused: expected boolean, found string "yes"', "write true or false, without quotes"),
    ("{run: my-nginx}", "{run: 7}", "spec.selector.matchLabels.run: expected string, found integer 7", 'put it in quotes: "7"'),
    ("{run: my-nginx}", "[a]", "spec.selector.matchLabels: expected object, found list", "leave the dash out"),
    ("        - containerPort: 80", "          containerPort: 80", "spec.template.spec.containers[0].ports: expected list, found object", "begin each item of the list with a dash"),
    ("        - containerPort: 80", "        - 80", "spec.template.spec.containers[0].ports[0]: expected object, found integer 80", ""),
    ("        - containerPort: 80", "        -", "spec.template.spec.containers[0].ports[0]: expected object, found null", ""),
    ("        image", "        env: [{name: A, value: 8080}]\n        image", "spec.template.spec.containers[0].env[0].value: expected string, found integer 8080", 'put it in quotes: "8080"'),
    ("        image", "        env: [{name: A, value: true}]\n        image", "spec.template.spec.containers[0].env[0].value: expected string, found boolean true", 'put it in quotes: "true"'),
    ("        image", "        readinessProbe: {tcpSocket: {port: 1.5}}\n        image", "spec.template.spec.containers[0].readinessProbe.tcpSocket.port: expected integer or string, found number 1.5", ""),
    ("        image", "        resources: {requests: {cpu: 1x}}\n        image", "spec.template.spec.containers[0].resources.requests.cpu: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'", "such as 250m, 0.5, 64Mi or 2G"),
    ("        image", "        resources: {requests: {cpu: [1]}}\n        image", "spec.template.spec.containers[0].resources.requests.cpu: expected quantity, found list", ""),
    ("  name: my-nginx\n", "  name: my-nginx\n  creationTimestamp: today\n", 'metadata.creationTimestamp: "today" is not a time as RFC 3339 has it', "such as 2026-01-31T12:00:00Z"),
    ("  name: my-nginx\n", "  name: my-nginx\n  labels: {example.org/a: 1}\n", "metadata.labels[example.org/a]: expected string, found integer 1", 'put it in quotes: "1"'),
    ("  name: my-nginx\n", "  name: 7\n", "metadata.name: expected string, found integer 7", 'put it in quotes: "7"'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message", "hint"), FIELDS)
def test_a_wrong_field_is_one_problem(old: str, new: str, message: str, hint: str) -> None:
    problem = only(changed(old, new))
    assert (problem.message, problem.hint) == (message, hint)


def test_base64_is_looked_at() -> None:
    problem = only("{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {p: pass!}}")
    assert problem.message == "data.p: illegal base64 data"
    assert "stringData" in problem.hint


def test_a_wrong_field_does_not_hide_what_else_is_wrong() -> None:
    text = changed("replicas: 2", "replicas: two", changed("  - port: 80", "  - port: 0\n    nodePrt: 1"))
    text = changed("my-nginx}\n  template", "other}\n  template", text)
    assert [(where(problem), problem.message) for problem in problems(text)] == [
        ("a.yaml:6:13", 'spec.replicas: expected integer, found string "two"'),
        (
            "a.yaml:11:15",
            'The Deployment "my-nginx" is invalid: spec.template.metadata.labels: Invalid value: '
            'map[string]string{"run":"my-nginx"}: `selector` does not match template `labels`',
        ),
        (
            "a.yaml:26:11",
            'The Service "my-nginx" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and '
            "65535, inclusive",
        ),
        ("a.yaml:27:5", 'unknown field "spec.ports[0].nodePrt"'),
    ]


# mistakes in objects ----------------------------------------------------------------------------------

KINDS = [
    # document                                                    place        message, hint
    ("{apiVersion: apps/v1, kind: Deploymnt}", "a.yaml:1:29", 'no matches for kind "Deploymnt" in version "apps/v1"', "did you mean Deployment?"),
    ("{apiVersion: v1, kind: deployment}", "a.yaml:1:24", 'no matches for kind "deployment" in version "v1"', "did you mean Deployment? (apiVersion: apps/v1)"),
    ("{apiVersion: v1, kind: services}", "a.yaml:1:24", 'no matches for kind "services" in version "v1"', "did you mean Service?"),
    ("{apiVersion: extensions/v1beta1, kind: Deployment}", "a.yaml:1:14", 'no matches for kind "Deployment" in version "extensions/v1beta1"', "write apiVersion: apps/v1"),
    ("{apiVersion: policy/v1beta1, kind: PodDisruptionBudget}", "a.yaml:1:14", 'no matches for kind "PodDisruptionBudget" in version "policy/v1beta1"', "write apiVersion: policy/v1"),
    ("{apiVersion: example.org/v1, kind: Gadget}", "a.yaml:1:36", 'no matches for kind "Gadget" in version "example.org/v1"', "a custom kind needs its CustomResourceDefinition among the manifests"),
    ("{apiVersion: netsim/v1, kind: Scenario}", "a.yaml:1:31", 'no matches for kind "Scenario" in version "netsim/v1"', "a scenario is run by itself; it is not a manifest"),
    ("{kind: Pod}", "a.yaml:1:1", "apiVersion not set", "write apiVersion: v1"),
    ("{apiVersion: v1}", "a.yaml:1:1", "kind not set", ""),
    ("{apiVersion: 1, kind: Pod}", "a.yaml:1:14", "apiVersion: expected string, found integer 1", ""),
    ("- 1", "a.yaml:1:1", "expected a Kubernetes object, found list", ""),
    ("just text", "a.yaml:1:1", 'expected a Kubernetes object, found string "just text"', ""),
    ("{apiVersion: v1, kind: List, items: [7]}", "a.yaml:1:38", "expected a Kubernetes object, found integer 7", ""),
    ("{apiVersion: v1, kind: List, items: {}, more: 1}", "a.yaml:1:41", 'unknown field "more"', ""),
    ("{apiVersion: v1, kind: List, items: a}", "a.yaml:1:37", 'items: expected list, found string "a"', ""),
    ("{apiVersion: v1, kind: ConfigMap}", "a.yaml:1:1", 'The ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required', ""),
    ("{apiVersion: v1, kind: Node, metadata: {name: A}}", "a.yaml:1:47", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "hint"), KINDS)
def test_what_is_no_object_of_a_known_kind_is_told(
    text: str, place: str, message: str | None, hint: str
) -> None:
    problem = only(text)
    assert where(problem) == place
    assert problem.hint == hint
    assert message in (None, problem.message)


def test_an_empty_object_lacks_both() -> None:
    assert [problem.message for problem in problems("{metadata: {name: a}}")] == [
        "apiVersion not set",
        "kind not set",
    ]


def test_the_same_object_twice_is_told_with_both_places() -> None:
    problem = only(NGINX + "---\n" + NGINX.split("---\n")[1])
    assert problem.message == 'services "my-nginx" already exists'
    assert where(problem) == "a.yaml:32:9"
    assert problem.hint == "the first is at a.yaml:22:9"


def test_objects_of_one_name_may_differ_in_kind_or_namespace() -> None:
    other = NGINX.split("---\n")[1].replace("  name: my-nginx", "  name: my-nginx\n  namespace: b")
    assert len(load(NGINX + "---\n" + other).objects) == 3


def test_objects_that_get_their_names_later_are_never_the_same() -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: a-}}\n"
    assert len(load(f"{text}---\n{text}").objects) == 2


def test_a_custom_kind_is_taken_if_its_definition_is_there() -> None:
    gadget = "{apiVersion: example.org/v1, kind: Gadget, metadata: {name: a}, spec: {any: [thing]}}"
    definition = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
    manifests = load(f"{gadget}\n---{definition}")
    assert manifests.objects[0]["metadata"] == {"name": "a", "namespace": "default"}
    assert manifests.ignored == (
        "Gadget is accepted but not simulated",
        "CustomResourceDefinition is accepted but not simulated",
    )
    assert problems(f"{gadget.replace('name: a', 'nam: a')}\n---{definition}")


def test_a_kind_that_only_shares_its_name_with_a_simulated_one_is_not_simulated() -> None:
    definition = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: services.serving.example.org}
spec:
  group: serving.example.org
  names: {kind: Service, plural: services}
  versions: [{name: v1, served: true, storage: true}]
---
apiVersion: serving.example.org/v1
kind: Service
metadata: {name: a}
spec: {template: {}}
status: {url: b}
---
apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: a}
regarding: {kind: Pod}
"""
    manifests = load(definition)
    assert manifests.objects[1]["status"] == {"url": "b"}
    assert manifests.ignored[1:] == (
        "Service is accepted but not simulated",
        "Event is accepted but not simulated",
    )


# what the API server refuses --------------------------------------------------------------------------


def test_a_refusal_is_told_as_kubectl_prints_it_and_points_at_the_value() -> None:
    problem = only(changed("  - port: 80", "  - port: 80\n    nodePort: 20000\n  type: NodePort"))
    assert problem.message == (
        'The Service "my-nginx" is invalid: spec.ports[0].nodePort: Invalid value: 20000: provided port is not '
        "in the valid range. The range of valid ports is 30000-32767"
    )
    assert where(problem) == "a.yaml:27:15"


def test_a_refusal_of_what_is_missing_points_at_what_it_would_be_in() -> None:
    problem = only(changed("  ports:\n  - port: 80\n", ""))
    assert problem.message == 'The Service "my-nginx" is invalid: spec.ports: Required value'
    assert where(problem) == "a.yaml:24:1"


def test_the_clusters_ranges_can_be_given() -> None:
    text = changed("  - port: 80", "  - port: 80\n  clusterIP: 172.20.0.9")
    assert "The range of valid IPs is 10.96.0.0/12" in only(text).message
    assert load(text, service_cidrs=("172.20.0.0/16",)).objects
    text = changed("  - port: 80", "  - port: 80\n    nodePort: 20000\n  type: NodePort")
    assert load(text, node_ports=(20000, 20010)).objects


def test_an_address_that_two_services_want_is_refused_to_the_second() -> None:
    service = "{apiVersion: v1, kind: Service, metadata: {name: %s}, spec: {clusterIP: 10.96.0.9, ports: [{port: 1}]}}\n"
    problem = only(service % "a" + "---\n" + service % "b")
    assert problem.message.endswith("failed to allocate IP 10.96.0.9: provided IP is already allocated")
    assert where(problem) == "a.yaml:3:72"


def test_problems_come_in_the_order_of_the_files() -> None:
    first = read_documents("kind: Pod\n---\napiVersion: v1\nkind: List\nitems: [7]\n", "b.yaml")
    second = read_documents(changed("replicas", "replcas"), "a.yaml")
    with pytest.raises(ScenarioError) as caught:
        load_manifests([*first, *second])
    assert [where(problem) for problem in caught.value.problems] == ["b.yaml:1:1", "b.yaml:5:9", "a.yaml:6:3"]


# whatever is written ----------------------------------------------------------------------------------

VALUES = st.sampled_from(
    [None, True, 0, -1, 7, 70_000, 2.5, "", "a", "-", "A b", "10%", [], {}, [None], [7], {"a": 1}]
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all values in a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(one for name, item in inside for one in paths(item, (*path, name)))]


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy of `value` with `new` at `path`."""
    if not path:
        return new
    copied = copy.copy(value)
    copied[path[0]] = put(value[path[0]], path[1:], new)
    return copied


FULL = read_documents(SIMULATED + "---\n" + NGINX, "a.yaml")
CHANGES = [(number, path) for number, document in enumerate(FULL) for path in paths(document.value)]


@settings(derandomize=True, deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(CHANGES), VALUES), min_size=1, max_size=2))
def test_whatever_is_written_is_read_or_refused(changes: list[Any]) -> None:
    values = [document.value for document in FULL]
    for (number, path), new in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier change took it away
            values[number] = put(values[number], path, new)
    documents = [Document(value, "a.yaml", 1) for value in values]
    objects: tuple[Any, ...] = ()
    with contextlib.suppress(ScenarioError):
        objects = load_manifests(documents).objects
    once = [defaulted(obj) for obj in objects]
    assert [defaulted(obj) for obj in once] == once


# speed ------------------------------------------------------------------------------------------------


def test_ten_thousand_pods_and_a_thousand_services_load_in_a_few_seconds() -> None:
    pod = read_documents(SIMULATED, "a.yaml")[0].value
    service = read_documents(NGINX, "a.yaml")[1].value
    many = [
        Document({**obj, "metadata": {**obj["metadata"], "name": f"{name}-{i}"}}, "a.yaml", 1)
        for obj, name, count in ((pod, "pod", 10_000), (service, "service", 1_000))
        for i in range(count)
    ]
    began = time.process_time()
    assert len(load_manifests(many).objects) == 11_000
    assert time.process_time() - began < 6
