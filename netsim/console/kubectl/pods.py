"""Verbs that go into pods: run, exec, attach, logs. Source: kubectl pkg/cmd/run, pkg/cmd/exec, pkg/cmd/logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from netsim.api.objects import Object, is_finished, key_of
from netsim.console import programs
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.create import create_one
from netsim.console.kubectl.verb import DRY_RUN, OUTPUT, SELECTOR, Verb, kind, namespace_of, targets, the_pod
from netsim.console.output import Failure, Output
from netsim.units import MINUTE

if TYPE_CHECKING:
    from netsim.console.session import Lab

HINT = "If you don't see a command prompt, try pressing enter."
LOGS = "netsim simulates what a program does on the network, not what it writes; there are no logs of "

TAIL = 10
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")

# run ----------------------------------------------------------------------------------------------------


def run(lab: Lab, call: Call, output: Output) -> None:
    """`run`: a pod; with `-it` one that one sits in, or that does one command."""
    if not call.words:
        raise Failure("error: NAME is required for run")
    if not call["image"]:
        raise Failure('error: required flag(s) "image" not set')
    attached = call["stdin"] or call["attach"]
    if call["rm"] and not attached:
        raise Failure("error: --rm should only be used for attached containers")
    name = call.words[0]
    command = [*call.words[1:], *(call.command or ())]
    obj = _pod(call, name, command)
    if not attached:
        create_one(lab, call, obj, output)
        if call["expose"]:
            create_one(lab, call, _service(call, name, obj), output)
        if call["restart"] != "Always" and command and call["dry-run"] == "none":
            _finish(lab, call, name, command)
        return
    stored = lab.api.create(obj, namespace_of(lab, call))
    inside = _running(lab, stored)
    if command and command[0] not in programs.SHELLS:
        done = _do(lab, inside, command)
        output.add(done)
        _leave(lab, call, inside, output)
        return
    output.warn(HINT)
    lab.enter(programs.InContainer(inside, f"[ root@{name}:/ ]$ ", lambda out: _leave(lab, call, inside, out)))


def _finish(lab: Lab, call: Call, name: str, command: list[str]) -> None:
    """Let a pod do its one thing and end; what it has written stands in its log."""
    inside = _running(lab, lab.api.get(kind("v1", "Pod"), namespace_of(lab, call), name))
    done = _do(lab, inside, command)
    _end(lab, inside, done.code)


def _do(lab: Lab, inside: programs.Inside, command: list[str]) -> Output:
    """Run a program as the container's own."""
    done = Output()
    try:
        programs.execute(lab, inside, command, done)
    except Failure as failure:
        done.fail(failure)
    lab.containers.write(inside.pod, inside.container, done.text)
    return done


def _pod(call: Call, name: str, command: list[str]) -> Object:
    labels = dict(pair.partition("=")[::2] for pair in call["labels"].split(",")) if call["labels"] else {"run": name}
    container: dict[str, Any] = {"name": name, "image": call["image"]}
    if command:
        container["command" if call["command"] else "args"] = command
    if call["env"]:
        container["env"] = [_variable(text) for text in call["env"]]
    if call["port"]:
        container["ports"] = [{"containerPort": call["port"]}]
    if call["stdin"]:
        container |= {"stdin": True, "stdinOnce": True, "tty": call["tty"]}
    spec = {"containers": [container], "restartPolicy": call["restart"], "dnsPolicy": "ClusterFirst"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _variable(text: str) -> Object:
    """What `--env=NAME=VALUE` says."""
    name, equals, value = text.partition("=")
    if not equals or not VARIABLE.fullmatch(name):
        raise Failure(f"error: invalid env: {text}")
    return {"name": name, "value": value}


def _service(call: Call, name: str, pod: Object) -> Object:
    if not call["port"]:
        raise Failure("error: --port must be set when exposing a service")
    port = call["port"]
    spec = {"selector": pod["metadata"]["labels"], "ports": [{"port": port, "protocol": "TCP", "targetPort": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _running(lab: Lab, pod: Object) -> programs.Inside:
    """Wait until a pod runs; its first container."""
    of = kind("v1", "Pod")
    key = key_of(pod)

    def runs() -> bool:
        now = lab.store.get(of.name, *key) or {}
        return bool(now.get("status", {}).get("phase") == "Running")

    if not lab.clock.until(runs, MINUTE):
        raise Failure("error: timed out waiting for the condition")
    found = lab.api.get(of, *key)
    return programs.Inside(found, found["spec"]["containers"][0])


def _leave(lab: Lab, call: Call, inside: programs.Inside, output: Output) -> None:
    """The attached session is over, and with it the program; with `--rm` the pod, too."""
    namespace, name = key_of(inside.pod)
    if call["rm"]:
        output.line(f'pod "{name}" deleted')
        lab.api.delete(kind("v1", "Pod"), namespace, name)
        return
    if call["restart"] == "Always":
        _session_ended(inside, output)
    _end(lab, inside, output.code)


def _session_ended(inside: programs.Inside, output: Output) -> None:
    again = f"kubectl attach {inside.pod['metadata']['name']} -c {inside.container['name']} -i -t"
    output.line(f"Session ended, resume using '{again}' command when the pod is running")


def _end(lab: Lab, inside: programs.Inside, code: int) -> None:
    """The program of a container ends."""
    lab.containers.end(inside.pod, inside.container, code)
    lab.clock.touch()


# exec, attach, logs -------------------------------------------------------------------------------------


def execute(lab: Lab, call: Call, output: Output) -> None:
    """`exec POD -- COMMAND`."""
    if not call.words:
        raise Failure("error: pod, type/name or --filename must be specified")
    command = call.command if call.command is not None else call.words[1:]
    if not command:
        raise Failure("error: you must specify at least one command for the container")
    if call.command is None:
        raise Failure("error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
                      "See 'kubectl exec -h' for help and examples")  # fmt: skip
    inside = _inside(lab, call, output)
    if command[0] in programs.SHELLS and len(command) == 1:
        lab.enter(programs.InContainer(inside, "/ # ", lambda out: None))
        return
    try:
        programs.execute(lab, inside, command, output)
    except Failure as failure:
        failure.text += _terminated(failure.code)
        raise
    if output.code:
        output.err(_terminated(output.code))


def _terminated(code: int) -> str:
    return f"command terminated with exit code {code}\n"


def _inside(lab: Lab, call: Call, output: Output) -> programs.Inside:
    """The container that is meant, if it runs."""
    pod = the_pod(lab, call, call.words)
    if is_finished(pod):
        phase = pod["status"]["phase"]
        raise Failure(f"error: cannot exec into a container in a completed pod; current phase is {phase}")
    container = _container(pod, call, output)
    if lab.containers.environment(pod, container) is None:
        raise Failure(_unreachable(lab, pod, container))
    return programs.Inside(pod, container)


def _container(pod: Object, call: Call, output: Output) -> Object:
    """The container that `-c` names, else the first."""
    containers: list[Object] = pod["spec"]["containers"]
    container = next((one for one in containers if one["name"] == (call["container"] or one["name"])), None)
    if container is None:
        raise Failure(f"error: container {call['container']} is not valid for pod {pod['metadata']['name']}")
    if len(containers) > 1 and not call["container"]:
        names = ", ".join(one["name"] for one in containers)
        output.warn(f'Defaulted container "{container["name"]}" out of: {names}')
    return container


def _unreachable(lab: Lab, pod: Object, container: Object) -> str:
    node = pod["spec"].get("nodeName", "")
    if not node:
        return f"error: pod {pod['metadata']['name']} does not have a host assigned"
    powered = lab.simulation.forwarding.powered.get(node)
    if powered is None:
        return f'Error from server (NotFound): nodes "{node}" not found'
    if not powered:
        host = lab.simulation.forwarding.node_places[node].address
        return f"Error from server: error dialing backend: dial tcp {host}:10250: connect: no route to host"
    return f'error: Internal error occurred: unable to upgrade connection: container not found ("{container["name"]}")'


def attach(lab: Lab, call: Call, output: Output) -> None:
    """`attach -it POD`: sit in it again."""
    if not call.words:
        raise Failure("error: at least one argument is required for attach")
    inside = _inside(lab, call, output)
    output.warn(HINT)
    name = inside.pod["metadata"]["name"]

    def leaving(out: Output) -> None:
        if inside.container.get("stdin"):  # what is attached to is the container's own program
            _session_ended(inside, out)
            _end(lab, inside, out.code)

    lab.enter(programs.InContainer(inside, f"[ root@{name}:/ ]$ ", leaving))


def logs(lab: Lab, call: Call, output: Output) -> None:
    """`logs POD`, or of all pods with labels: then, unless `--tail` says otherwise, the last ten lines of each."""
    if call.words and call["selector"]:
        raise Failure("error: only a selector (-l) or a POD name is allowed")
    if not call.words and not call["selector"]:
        raise Failure("error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.")
    if call.words:
        _log(lab, call, the_pod(lab, call, call.words), call["tail"], output)
        return
    found = targets(lab, call, ["pods"])
    if not found:
        output.warn(f"No resources found in {namespace_of(lab, call)} namespace.")
    for one in found:
        pod = lab.api.get(one.kind, one.namespace, one.name)
        _log(lab, call, pod, TAIL if call["tail"] is None else call["tail"], output)


def _log(lab: Lab, call: Call, pod: Object, tail: int | None, output: Output) -> None:
    """The last lines that a pod's container has written; all of them without a number, or with -1."""
    container = _container(pod, call, output)
    text = lab.containers.log(pod, container)
    if text is None:
        output.warn(f"{LOGS}{'/'.join(key_of(pod))}.")
        return
    lines = text.splitlines(keepends=True)
    output.out("".join(lines if tail in (None, -1) else lines[len(lines) - min(tail, len(lines)) :]))


_CONTAINER = Flag("container", short="c")
_STDIN = (Flag("stdin", "bool", "i"), Flag("tty", "bool", "t"))

VERBS = {
    "run": Verb(
        "Run an image in a pod, and perhaps sit in it",
        run,
        (
            Flag("image"), *_STDIN, Flag("rm", "bool"), Flag("restart", default="Always"), Flag("labels", short="l"),
            Flag("env", "array"), Flag("port", "int"), Flag("expose", "bool"), Flag("command", "bool"),
            Flag("attach", "bool"), DRY_RUN, OUTPUT, Flag("quiet", "bool", "q"), Flag("image-pull-policy"),
        ),
        "run NAME --image=image [--rm -it] [--restart=Never] [--labels=...] -- [COMMAND] [args...]",
    ),
    "exec": Verb("Do something in a container", execute, (_CONTAINER, *_STDIN), "exec POD -- COMMAND [args...]"),
    "attach": Verb("Sit in a container that runs", attach, (_CONTAINER, *_STDIN), "attach POD -it"),
    "logs": Verb(
        "Show what a container has written",
        logs,
        (_CONTAINER, SELECTOR, Flag("follow", "bool", "f"), Flag("previous", "bool", "p"), Flag("tail", "int")),
        "logs POD",
    ),
}  # fmt: skip
