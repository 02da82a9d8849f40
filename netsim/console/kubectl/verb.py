"""What a verb of kubectl is, and what all verbs share: namespaces, objects by name or label, error texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.api import selectors
from netsim.api.names import label_value, qualified_name
from netsim.api.objects import Object, key_of, labels_of
from netsim.api.query import Wanted, parse_words
from netsim.api.schema import Kind, find
from netsim.console.api import NoKind, StatusError, told
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.files import objects_in
from netsim.console.output import Failure, Output
from netsim.errors import ScenarioError
from netsim.units import parse_duration

if TYPE_CHECKING:
    from netsim.console.session import Lab

Run = Callable[["Lab", Call, Output], None]

NAMESPACE = Flag("namespace", short="n")
ALL_NAMESPACES = Flag("all-namespaces", "bool", "A")
SELECTOR = Flag("selector", short="l")
FILES = Flag("filename", "list", "f")
DRY_RUN = Flag("dry-run", default="none", alone="unchanged")
OUTPUT = Flag("output", short="o")
COMMON = (
    NAMESPACE, Flag("context"), Flag("cluster"), Flag("kubeconfig"), Flag("v", "int", "v"), Flag("request-timeout"),
    Flag("help", "bool", "h"),
)  # fmt: skip
"""Flags that every verb takes."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it says of itself, which flags it takes, and what does it."""

    summary: str
    run: Run
    flags: tuple[Flag, ...] = ()
    usage: str = ""
    asks_server: bool = True  # it is of no use without an API server
    any_flag: bool = False  # what flags it is given does not matter


@dataclass(frozen=True, slots=True)
class Target:
    """An object that a command line names."""

    kind: Kind
    namespace: str
    name: str


def kind(version: str, name: str) -> Kind:
    """A kind that is known to exist."""
    found = find(version, name)
    assert found is not None, (version, name)
    return found


def minor(lab: Lab) -> int:
    """The minor release of the cluster, and of the kubectl that comes with it."""
    return int(lab.simulation.document.cluster.version.partition(".")[2])


def namespace_of(lab: Lab, call: Call) -> str:
    """The namespace that the command line means."""
    return str(call["namespace"]) or lab.context.namespace


@contextmanager
def kubectl_errors() -> Iterator[None]:
    """What kubectl prints when the API server, or it itself, says no."""
    try:
        yield
    except ScenarioError as error:
        problem = error.problems[0]
        raise Failure(f"error: {problem.message}{f' ({problem.hint})' if problem.hint else ''}") from None
    except (StatusError, NoKind) as error:
        raise Failure(told(error)) from None


def each(targets: Iterable[Target], act: Callable[[Target], None], output: Output) -> None:
    """Do something with each; what is refused is told, and does not keep the others from it."""
    for target in targets:
        try:
            act(target)
        except StatusError as error:
            output.err(told(error))
            output.code = 1


def targets(lab: Lab, call: Call, words: list[str] | None = None, *, every: bool = False) -> list[Target]:
    """The objects that words name, or files hold, or a label selector finds."""
    words = call.words if words is None else words
    if not words and call.flags.get("filename"):
        return [written(lab, call, obj) for obj, _ in objects_in(lab, call)]
    selector = call.flags.get("selector", "")
    if not words:
        raise Failure("error: resource(s) were provided, but no name was specified")
    wanted = parse_words(words)
    if selector or every:
        return [found for one in wanted for found in _selected(lab, call, one.kind, selector)]
    if not all(one.names for one in wanted):
        raise Failure("error: resource(s) were provided, but no name was specified")
    return [Target(one.kind, _namespace(lab, call, one.kind), name) for one in wanted for name in one.names]


def pairs(words: list[str], part: str = "labels") -> dict[str, str]:
    """What `KEY=VALUE` words say; `part` is labels or annotations."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        wrong = [*qualified_name(name), *(label_value(value) if part == "labels" else ())]
        if not equals or wrong:
            raise Failure(f"error: invalid {part[:-1]} spec: {word}" + (f"; {wrong[0]}" if wrong else ""))
        found[name] = value
    return found


def written(lab: Lab, call: Call, obj: Object) -> Target:
    """The object that a manifest is about."""
    of, metadata = lab.api.kind_of(obj), obj.get("metadata") or {}
    namespace = (metadata.get("namespace") or namespace_of(lab, call)) if of.namespaced else ""
    return Target(of, namespace, metadata.get("name", ""))


def _selected(lab: Lab, call: Call, of: Kind, selector: str) -> Iterator[Target]:
    chosen = selectors.parse(selector)
    everywhere = call.flags.get("all-namespaces")
    for obj in lab.api.list(of, None if everywhere else _namespace(lab, call, of)):
        if chosen(labels_of(obj)):
            yield Target(of, *key_of(obj))


def _namespace(lab: Lab, call: Call, of: Kind) -> str:
    return namespace_of(lab, call) if of.namespaced else ""


def the_pod(lab: Lab, call: Call, words: list[str]) -> Object:
    """The pod that words name: by its name, as `pod/NAME`, or the first of a `deployment/NAME` or `svc/NAME`."""
    word = words[0]
    wanted = parse_words([word])[0] if "/" in word else Wanted(kind("v1", "Pod"), (word,))
    namespace = namespace_of(lab, call)
    obj = lab.api.get(wanted.kind, namespace, wanted.names[0])
    if wanted.kind.name == "Pod":
        return obj
    selector = obj["spec"].get("selector") or {}
    if wanted.kind.name == "Service":
        selector = {"matchLabels": selector}
    pods = [one for one in lab.api.list(kind("v1", "Pod"), namespace) if selectors.matches(selector, labels_of(one))]
    running = [one for one in pods if one.get("status", {}).get("phase") == "Running"]
    if not running:
        raise Failure(f"error: no pods are running for {wanted.kind.singular}/{wanted.names[0]}")
    return running[0]


def time_limit(lab: Lab, call: Call, default: int) -> int:
    """How long a verb may wait: as `--timeout` says, else `timeout DURATION` before it, else by default."""
    text = call["timeout"]
    return (parse_duration(text) if text else 0) or lab.limit or default


def shown(obj: Object) -> str:
    """`deployment.apps/web`, as kubectl names what it has changed."""
    group, slash, _ = obj["apiVersion"].partition("/")
    name = f"{obj['kind'].lower()}.{group}" if slash else obj["kind"].lower()
    return f"{name}/{obj['metadata']['name']}"


def changed(lab: Lab, call: Call, one: Target, patch: Any, how: str = "strategic") -> Object:
    """The object as a patch makes it; in a dry run it stays as it was."""
    return lab.api.patch(one.kind, one.namespace, one.name, patch, how, dry=is_dry(call))


def is_dry(call: Call) -> bool:
    """Whether everything is to stay as it is."""
    return bool(call["dry-run"] != "none")


def dry(call: Call) -> str:
    """What is added to a line when nothing is really done."""
    return {"none": "", "server": " (server dry run)"}.get(call["dry-run"], " (dry run)")
