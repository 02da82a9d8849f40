"""Verbs about the client itself: config, which clusters there are and which is spoken to, and auth, who one is.

Every cluster at the prompt is a context of one kubeconfig, with a user `admin` who may do everything: there is
no authorization here. Source: kubectl pkg/cmd (config, auth).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.api.tables.layout import TABLE, align
from netsim.api.yamltext import to_yaml
from netsim.console.context import Context
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.verb import ALL_NAMESPACES, OUTPUT, Verb
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

USER = "admin"
OMITTED = "DATA+OMITTED"


def set_context(lab: Lab, call: Call, output: Output) -> None:
    """`config set-context --current --namespace=NS`: where names are looked for from now on."""
    if not call["current"] or not call["namespace"]:
        raise Failure("error: of a context the namespace can be set: --current --namespace=NAME")
    lab.context.namespace = call["namespace"]
    output.line(f'Context "{lab.context.name}" modified.')


def use_context(lab: Lab, call: Call, output: Output) -> None:
    """`config use-context NAME`: which cluster is spoken to from now on."""
    if len(call.words) != 1:
        told = f"error: Unexpected args: [{' '.join(call.words)}]"
        raise Failure(f"{told}\nSee 'kubectl config use-context -h' for help and examples")
    name = call.words[0]
    if name not in lab.contexts:
        raise Failure(f'error: no context exists with the name: "{name}"')
    lab.context = lab.contexts[name]
    output.line(f'Switched to context "{name}".')


def current_context(lab: Lab, call: Call, output: Output) -> None:
    """`config current-context`."""
    output.line(lab.context.name)


def get_contexts(lab: Lab, call: Call, output: Output) -> None:
    """`config get-contexts [NAME...]`: every cluster at this prompt, or those that are named."""
    chosen = {name: lab.contexts[name] for name in call.words or lab.contexts if name in lab.contexts}
    if call["output"] == "name":
        output.out("".join(f"{name}\n" for name in chosen))
    else:
        rows = [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]] if not call["no-headers"] else []
        for name, one in chosen.items():
            rows.append(["*" if one is lab.context else "", name, name, USER, _namespace(one).get("namespace", "")])
        output.out("".join(f"{line}\n" for line in align(rows, **TABLE)))
    for name in call.words:
        if name not in lab.contexts:
            output.warn(f"error: context {name} not found")
            output.code = 1


def get_clusters(lab: Lab, call: Call, output: Output) -> None:
    """`config get-clusters`."""
    output.out("".join(f"{name}\n" for name in ("NAME", *lab.contexts)))


def view(lab: Lab, call: Call, output: Output) -> None:
    """`config view`: the kubeconfig that this prompt stands for; `--minify` keeps what is in use."""
    chosen = [lab.context] if call["minify"] else list(lab.contexts.values())
    output.out(
        to_yaml(
            {
                "apiVersion": "v1",
                "clusters": [
                    {"cluster": {"certificate-authority-data": OMITTED, "server": one.url}, "name": one.name}
                    for one in chosen
                ],
                "contexts": [
                    {"context": {"cluster": one.name, **_namespace(one), "user": USER}, "name": one.name}
                    for one in chosen
                ],
                "current-context": lab.context.name,
                "kind": "Config",
                "preferences": {},
                "users": [
                    {"name": USER, "user": {"client-certificate-data": OMITTED, "client-key-data": OMITTED}},
                ],
            }
        )
    )


def _namespace(one: Context) -> dict[str, str]:
    """The namespace of a context, where it is not the one that everybody begins in."""
    return {} if one.namespace == "default" else {"namespace": one.namespace}


def can_i(lab: Lab, call: Call, output: Output) -> None:
    """`auth can-i VERB TYPE`: yes."""
    if not call["list"] and len(call.words) < 2:
        raise Failure("error: you must specify two arguments: verb resource or verb resource/resourceName.")
    output.line("yes")


def whoami(lab: Lab, call: Call, output: Output) -> None:
    """`auth whoami`."""
    rows = [["ATTRIBUTE", "VALUE"], ["Username", USER], ["Groups", "[system:masters system:authenticated]"]]
    output.out("".join(f"{line}\n" for line in align(rows, **TABLE)))


VERBS = {
    "config set-context": Verb("Choose the namespace", set_context, (Flag("current", "bool"),), asks_server=False),
    "config use-context": Verb("Choose the cluster", use_context, usage="config use-context NAME", asks_server=False),
    "config current-context": Verb("Say which cluster is spoken to", current_context, asks_server=False),
    "config get-contexts": Verb(
        "List the clusters at this prompt",
        get_contexts,
        (OUTPUT, Flag("no-headers", "bool")),
        "config get-contexts [NAME...]",
        asks_server=False,
    ),
    "config get-clusters": Verb("List the names of the clusters", get_clusters, asks_server=False),
    "config view": Verb("Show the kubeconfig", view, (Flag("minify", "bool"),), asks_server=False),
    "auth can-i": Verb(
        "Say whether one may do something: here one may",
        can_i,
        (ALL_NAMESPACES, Flag("list", "bool")),
        "auth can-i VERB TYPE[/NAME]",
    ),
    "auth whoami": Verb("Say who one is", whoami, (OUTPUT,)),
}
