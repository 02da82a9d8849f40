"""Make `netsim/api/data/kubernetes.json`: the fields of every Kubernetes kind, from its published OpenAPI.

    pip install --no-deps kubernetes-validate==1.37.0
    python tools/kubernetes_schema.py              # writes the file; the same input gives the same bytes

The PyPI package `kubernetes-validate` carries Kubernetes' OpenAPI definitions (Apache-2.0, copyright The
Kubernetes Authors) as JSON Schema, one folder a release. From the releases that netsim knows, this takes the
field names, their types, which are required, and the keys by which lists merge; descriptions stay behind.
What several releases say differently is taken from 1.32; what only others have is added. The definitions do
not say how a kind is called in a URL or whether it lives in a namespace: the small tables below do, as
`kubectl api-resources` prints it.

The data file, one type a line, so that a change can be read:

    {"kubernetes": [release, ...],
     "kinds": [[group, version, kind, plural, [short names], namespaced, type], ...],     best version first
     "types": {type: {field: code}}}

A field that must be present ends in `!`. A code says what a field holds:

    s text    i 32-bit integer    l 64-bit integer    n number    b true or false    y text in base64
    x integer or text    q quantity    t time    * anything    o any object    #TYPE an object of that type
    {CODE a map from text    [CODE a list    [KEY=CODE a list that merges by KEY
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

RELEASES = ("1.32.0", "1.31.0", "1.33.0", "1.34.0", "1.35.0", "1.36.0")  # the first has the last word
TARGET = Path(__file__).parent.parent / "netsim" / "api" / "data" / "kubernetes.json"

# Types that are not structures on the wire, whatever their definition says.
SCALARS = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "o",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "o",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "*",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "*",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "*",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "*",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus": "o",
}
PRIMITIVES = {"string": "s", "boolean": "b", "number": "n"}
PREFIXES = {
    "io.k8s.apiextensions-apiserver.pkg.apis.": "",
    "io.k8s.kube-aggregator.pkg.apis.": "",
    "io.k8s.apimachinery.pkg.apis.": "",
    "io.k8s.apimachinery.pkg.": "",
    "io.k8s.api.": "",
}

SUBRESOURCES = {"Eviction", "Scale", "TokenRequest"}  # never objects of their own
CLUSTER_SCOPED = {
    "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding",
    "ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "FlowSchema",
    "IPAddress", "IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
    "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "SelfSubjectAccessReview",
    "SelfSubjectReview", "SelfSubjectRulesReview", "ServiceCIDR", "StorageClass", "StorageVersion",
    "StorageVersionMigration", "SubjectAccessReview", "TokenReview", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment",
    "VolumeAttributesClass",
}  # fmt: skip
SHORT_NAMES = {
    "CertificateSigningRequest": "csr", "ComponentStatus": "cs", "ConfigMap": "cm", "CronJob": "cj",
    "CustomResourceDefinition": "crd crds", "DaemonSet": "ds", "Deployment": "deploy", "Endpoints": "ep",
    "Event": "ev", "HorizontalPodAutoscaler": "hpa", "Ingress": "ing", "IPAddress": "ip",
    "LimitRange": "limits", "Namespace": "ns", "NetworkPolicy": "netpol", "Node": "no",
    "PersistentVolume": "pv", "PersistentVolumeClaim": "pvc", "Pod": "po", "PodDisruptionBudget": "pdb",
    "PriorityClass": "pc", "ReplicaSet": "rs", "ReplicationController": "rc", "ResourceQuota": "quota",
    "Service": "svc", "ServiceAccount": "sa", "StatefulSet": "sts", "StorageClass": "sc",
    "VolumeAttributesClass": "vac",
}  # fmt: skip


def main() -> None:
    """Read the definitions, write the data file, say how large it became."""
    parser = argparse.ArgumentParser(description="Write netsim's table of Kubernetes kinds and fields.")
    parser.add_argument("--to", type=Path, default=TARGET)
    target = parser.parse_args().to
    text = render([definitions(release) for release in RELEASES])
    target.write_text(text, "utf-8", newline="\n")
    print(f"{target}: {len(text):,} bytes")


def definitions(release: str) -> dict[str, Any]:
    """The definitions of one release, from the installed package."""
    package = importlib.util.find_spec("kubernetes_validate")
    if package is None or package.origin is None:
        raise SystemExit("pip install --no-deps kubernetes-validate==1.37.0 first")
    folder = Path(package.origin).parent / "kubernetes-json-schema" / f"v{release}-local"
    return json.loads((folder / "_definitions.json").read_text("utf-8"))["$defs"]


def render(releases: list[dict[str, Any]]) -> str:
    """The data file's text."""
    kinds: dict[tuple[str, ...], list[Any]] = {}
    types: dict[str, dict[str, str]] = {}
    for release in releases:
        rows = [row for name in release for row in kinds_of(name, release[name])]
        for row in rows:
            kinds.setdefault(tuple(row[:3]), row)
        for name, new in reachable([row[-1] for row in rows], release).items():
            types[name] = joined(types.get(name, {}), new)
    lines = [compact(row) for row in sorted(kinds.values(), key=rank)]
    entries = [f"{compact(name)}:{compact(types[name])}" for name in sorted(types)]
    return (
        f'{{"kubernetes":{compact(sorted(RELEASES))},\n"kinds":[\n' + ",\n".join(lines)
        + '\n],\n"types":{\n' + ",\n".join(entries) + "\n}}\n"
    )  # fmt: skip


def compact(value: Any) -> str:
    """JSON without blanks."""
    return json.dumps(value, separators=(",", ":"))


def joined(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """The fields of both, sorted; of a field that both have, the old.

    >>> joined({"b!": "s"}, {"a": "i", "b": "s"})
    {'a': 'i', 'b!': 's'}
    """
    known = {name.removesuffix("!") for name in old}
    added = {name: code for name, code in new.items() if name.removesuffix("!") not in known}
    return dict(sorted({**old, **added}.items()))


def kinds_of(name: str, definition: dict[str, Any]) -> list[list[Any]]:
    """The rows of the kinds that a definition is: those with an object's metadata."""
    metadata = definition.get("properties", {}).get("metadata", {}).get("$ref", "")
    if not metadata.endswith(".ObjectMeta"):
        return []
    return [
        [
            row["group"], row["version"], row["kind"], plural(row["kind"]),
            SHORT_NAMES.get(row["kind"], "").split() if row["group"] != "events.k8s.io" else [],
            row["kind"] not in CLUSTER_SCOPED, short(name),
        ]
        for row in definition.get("x-kubernetes-group-version-kind", ())
        if row["kind"] not in SUBRESOURCES
    ]  # fmt: skip


def rank(row: list[Any]) -> tuple[Any, ...]:
    """Kinds by group, the core group first; within a kind, the version a client would prefer first."""
    group, version, kind = row[:3]
    major, stage, minor = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version).groups()  # type: ignore[union-attr]
    return (group, kind, {None: 0, "beta": 1, "alpha": 2}[stage], -int(major), -int(minor or 0))


def plural(kind: str) -> str:
    """How a kind is called in a URL.

    >>> plural("Pod"), plural("Ingress"), plural("NetworkPolicy"), plural("Endpoints")
    ('pods', 'ingresses', 'networkpolicies', 'endpoints')
    """
    name = kind.lower()
    if name == "endpoints":
        return name
    if name.endswith(("s", "x", "ch")):
        return name + "es"
    return name[:-1] + "ies" if re.search("[^aeo]y$", name) else name + "s"


def reachable(names: list[str], definitions: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Every type that the kinds lead to."""
    by_short = {short(name): definition for name, definition in definitions.items()}
    types: dict[str, dict[str, str]] = {}
    while names:
        name = names.pop()
        if name not in types:
            types[name] = fields(by_short[name])
            names += [code.rsplit("#", 1)[1] for code in types[name].values() if "#" in code]
    return types


def fields(definition: dict[str, Any]) -> dict[str, str]:
    """The fields of one type and their codes, sorted; a `!` marks those that must be present."""
    required = set(definition.get("required", ()))
    properties = definition.get("properties", {})
    return {
        name + "!" * (name in required): code(properties[name]) for name in sorted(properties)
    }  # fmt: skip


def code(schema: dict[str, Any]) -> str:
    """The code of one field's schema."""
    if "$ref" in schema:
        target = schema["$ref"].rsplit("/", 1)[1]
        return SCALARS.get(target) or "#" + short(target)
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else next(one for one in kind if one != "null")
    if kind == "array":
        strategy = schema.get("x-kubernetes-patch-strategy", "")
        key = schema.get("x-kubernetes-patch-merge-key", "")
        return ("[" + key + "=" if "merge" in strategy.split(",") else "[") + code(schema["items"])
    if kind == "object":
        return "{" + code(schema["additionalProperties"]) if "additionalProperties" in schema else "o"
    if kind == "integer":
        return "l" if schema.get("format") == "int64" else "i"
    return "y" if schema.get("format") == "byte" else PRIMITIVES[kind]


def short(name: str) -> str:
    """A definition's name without the part that says nothing: `core.v1.Pod`."""
    prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
    return PREFIXES[prefix] + name.removeprefix(prefix)


if __name__ == "__main__":
    main()
