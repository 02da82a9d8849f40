"""create: from files, or an object of a few kinds from flags."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from netsim.api.objects import Object
from netsim.api.printing import Group, Options, print_groups
from netsim.api.schema import Kind
from netsim.api.simulated import simulated
from netsim.console.api import NoKind, StatusError, told
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.files import each_written
from netsim.console.kubectl.verb import DRY_RUN, FILES, OUTPUT, Verb, dry, namespace_of, shown
from netsim.console.output import ERR, Failure, Output
from netsim.lab.multicluster import EXPORT

if TYPE_CHECKING:
    from netsim.console.session import Lab

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def create_files(lab: Lab, call: Call, output: Output) -> None:
    """`create -f`: each object in the files, new."""

    def write(obj: Object, source: str) -> None:
        if call["save-config"]:
            obj = with_last_applied(obj)
        try:
            create_one(lab, call, obj, output, source)
        except (StatusError, NoKind) as error:
            raise Failure(refusal(error, "creating", source)) from None

    each_written(lab, call, output, "create", write)


def refusal(error: StatusError | NoKind, doing: str, source: str) -> str:
    """What kubectl prints when what it was doing to an object of a file was refused."""
    if isinstance(error, StatusError):
        return told(error.when(doing, source))
    where = f'resource mapping not found for name: "{error.name}" namespace: "{error.namespace}" from "{source}"'
    return f"error: {where}: {error}\nensure CRDs are installed first\n"


def create_one(lab: Lab, call: Call, obj: Object, output: Output, source: str = "", done: str = "created") -> None:
    """Create one object, and say so."""
    wanted = call.flags.get("namespace", "")
    given = (obj.get("metadata") or {}).get("namespace")
    kind = lab.api.kind_of(obj)
    if kind.namespaced and wanted and given and given != wanted:
        raise Failure(
            f'error: the namespace from the provided object "{given}" does not match the namespace "{wanted}". '
            f"You must pass '--namespace={given}' to perform this operation."
        )
    stored = obj if call["dry-run"] != "none" else lab.api.create(obj, namespace_of(lab, call))
    _warn_of_inert(lab, kind, output)
    say(lab, call, stored, done, output)


def _warn_of_inert(lab: Lab, kind: Kind, output: Output) -> None:
    """Say, once a command, that nothing will come of the objects of a kind: they are kept, and that is all."""
    warning = f"Warning: {kind.name} is accepted but not simulated\n"
    of_the_set = lab.clusterset is not None and kind.api_version == EXPORT
    if simulated(kind) is None and not of_the_set and (ERR, warning) not in output.parts:
        output.err(warning)


def say(lab: Lab, call: Call, obj: Object, done: str, output: Output) -> None:
    """What a writing verb prints of an object: what was done to it, or the object as `-o` wants it."""
    how = call.flags.get("output", "")
    if how == "name":
        output.line(shown(obj))
    elif how:
        try:
            output.out(print_groups([Group(obj["kind"], (obj,))], Options(output=how, single=True), lab.now).text)
        except ValueError as error:
            raise Failure(f"error: {error}") from None
    else:
        output.line(f"{shown(obj)} {done}{dry(call)}")


def with_last_applied(obj: Object) -> Object:
    """The object with a note of itself, by which a later `apply` sees what is no longer wanted."""
    import json

    metadata = {**(obj.get("metadata") or {})}
    notes = {name: text for name, text in (metadata.get("annotations") or {}).items() if name != LAST_APPLIED}
    plain = {**obj, "metadata": {**metadata, "annotations": notes}}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**obj, "metadata": {**metadata, "annotations": {**notes, LAST_APPLIED: f"{text}\n"}}}


# objects from flags -------------------------------------------------------------------------------------


def _name(call: Call, verb: str) -> str:
    if len(call.words) != 1:
        wrong = f"exactly one NAME is required, got {len(call.words)}"
        raise Failure(f"error: {wrong}\nSee 'kubectl {verb} -h' for help and examples")
    return call.words[0]


def create_namespace(lab: Lab, call: Call, output: Output) -> None:
    """A namespace."""
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _name(call, "create namespace")}}
    create_one(lab, call, obj, output)


def create_deployment(lab: Lab, call: Call, output: Output) -> None:
    """A Deployment of one image, its pods labelled `app=NAME`."""
    name, images = _name(call, "create deployment"), call["image"]
    if not images:
        raise Failure('error: required flag(s) "image" not set')
    labels = {"app": name}
    containers: list[Object] = [{"name": _container_name(image), "image": image} for image in images]
    if call["port"] is not None:
        containers[0] |= {"ports": [{"containerPort": call["port"]}]}
    if call.command:
        containers[0] |= {"command": call.command}
    replicas = 1 if call["replicas"] is None else call["replicas"]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}
    create_one(lab, call, obj, output)


def _container_name(image: str) -> str:
    """A container's name from its image.

    >>> _container_name("registry.k8s.io/nginx-slim:0.8")
    'nginx-slim'
    """
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0].replace("_", "-").lower()


def create_service(kind: str) -> Verb:
    """The verb that creates a Service of a type, which selects `app=NAME`."""

    def run(lab: Lab, call: Call, output: Output) -> None:
        name = _name(call, f"create service {kind.lower()}")
        spec: Object = {"type": kind, "ports": _ports(call), "selector": {"app": name}}
        if kind == "ExternalName":
            spec = {"type": kind, "externalName": call["external-name"]}
        elif not spec["ports"] and call.flags.get("clusterip") != "None":
            raise Failure("error: at least one tcp port specifier must be provided")
        if call.flags.get("clusterip"):
            spec["clusterIP"] = call["clusterip"]
        if call.flags.get("node-port"):
            spec["ports"][0]["nodePort"] = call["node-port"]
        metadata = {"name": name, "labels": {"app": name}}
        create_one(lab, call, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}, output)

    own = {
        "ClusterIP": (Flag("clusterip"),),
        "NodePort": (Flag("node-port", "int"),),
        "ExternalName": (Flag("external-name"),),
    }
    return Verb(f"Make a Service of type {kind}", run, (Flag("tcp", "list"), *own.get(kind, ()), *WRITING))


def _ports(call: Call) -> list[Object]:
    """The ports in `--tcp=PORT[:TARGET]`."""
    ports = []
    for text in call.flags.get("tcp", ()):
        port, _, target = text.partition(":")
        if not port.isdecimal():
            raise Failure(f"error: invalid port: {text}")
        to: int | str = int(target) if target.isdecimal() else target or int(port)
        ports.append({"name": text.replace(":", "-"), "port": int(port), "protocol": "TCP", "targetPort": to})
    return ports


def create_configmap(lab: Lab, call: Call, output: Output) -> None:
    """A ConfigMap from files and literals."""
    metadata = {"name": _name(call, "create configmap")}
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for key, value in _data(lab, call).items():
        try:
            data[key] = value.decode("utf-8")
        except UnicodeDecodeError:
            binary[key] = b64encode(value).decode()
    obj: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    for part, held in (("data", data), ("binaryData", binary)):
        if held:
            obj[part] = held
    create_one(lab, call, obj, output)


def create_secret(lab: Lab, call: Call, output: Output) -> None:
    """A Secret from files and literals."""
    data = {key: b64encode(value).decode() for key, value in _data(lab, call).items()}
    _create_secret(lab, call, output, data, call["type"] or "Opaque")


def create_tls_secret(lab: Lab, call: Call, output: Output) -> None:
    """A Secret with a certificate and its key."""
    if not call["cert"] or not call["key"]:
        raise Failure("error: key and cert must be specified")
    data = {name: b64encode(_read(lab, call[flag])).decode() for name, flag in PARTS}
    _create_secret(lab, call, output, data, "kubernetes.io/tls")


PARTS = (("tls.crt", "cert"), ("tls.key", "key"))


def _create_secret(lab: Lab, call: Call, output: Output, data: dict[str, str], kind: str) -> None:
    metadata = {"name": _name(call, "create secret")}
    obj = {"apiVersion": "v1", "kind": "Secret", "type": kind, "data": data, "metadata": metadata}
    create_one(lab, call, obj, output)


def _data(lab: Lab, call: Call) -> dict[str, bytes]:
    """What `--from-literal` and `--from-file` bring, by key."""
    data: dict[str, bytes] = {}
    for literal in call["from-literal"]:
        key, equals, value = literal.partition("=")
        if not equals or not key:
            raise Failure(f"error: invalid literal source {literal}, expected key=value")
        _once(data, key, value.encode())
    for given in call["from-file"]:
        key, equals, name = given.rpartition("=")
        if name not in lab.files and not equals and lab.file(name).is_dir():
            for inside in sorted(one.name for one in lab.file(name).iterdir() if one.is_file()):
                _once(data, inside, _read(lab, f"{name}/{inside}"))
            continue
        _once(data, key if equals else name.rpartition("/")[2], _read(lab, name))
    return data


def _once(data: dict[str, bytes], key: str, value: bytes) -> None:
    if key in data:
        raise Failure(f'error: cannot add key "{key}", another key by that name already exists in Data')
    data[key] = value


def _read(lab: Lab, name: str) -> bytes:
    held = lab.read(name)
    if held is None:
        raise Failure(f"error: error reading {name}: no such file or directory")
    return held


WRITING = (DRY_RUN, OUTPUT, Flag("save-config", "bool"), Flag("field-manager"), Flag("validate", alone="true"))
_SOURCES = (Flag("from-file", "list"), Flag("from-literal", "array"))

_DEPLOYMENT = (Flag("image", "list"), Flag("replicas", "int", "r"), Flag("port", "int"), *WRITING)

_NAMESPACE_VERB = Verb("Make a namespace", create_namespace, WRITING)
_DEPLOYMENT_VERB = Verb("Make a Deployment of an image", create_deployment, _DEPLOYMENT)
_CONFIGMAP_VERB = Verb("Make a ConfigMap of files and texts", create_configmap, (*_SOURCES, *WRITING))

VERBS = {
    "create": Verb("Make the objects in files", create_files, (FILES, *WRITING), "create -f FILENAME"),
    "create namespace": _NAMESPACE_VERB,
    "create ns": _NAMESPACE_VERB,
    "create deployment": _DEPLOYMENT_VERB,
    "create deploy": _DEPLOYMENT_VERB,
    "create configmap": _CONFIGMAP_VERB,
    "create cm": _CONFIGMAP_VERB,
    "create secret generic": Verb(
        "Make a Secret of files and texts", create_secret, (*_SOURCES, Flag("type"), *WRITING)
    ),
    "create secret tls": Verb(
        "Make a Secret of a certificate and its key", create_tls_secret, (Flag("cert"), Flag("key"), *WRITING)
    ),
    "create service clusterip": create_service("ClusterIP"),
    "create service nodeport": create_service("NodePort"),
    "create service loadbalancer": create_service("LoadBalancer"),
    "create service externalname": create_service("ExternalName"),
}
