"""Verbs of kubectl that the prompt knows and does not do: each says why, and what one does here instead.

Source: kubectl pkg/cmd (portforward, proxy, autoscale, debug, cp).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.console.flags import Call
from netsim.console.kubectl.verb import Verb
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

INSTEAD = {
    "port-forward": (
        "Forward local ports to a pod",
        "there is no local port here that a tunnel could begin at; ask from inside with "
        "`kubectl exec POD -- curl ...`, or from outside with `curl` and a Service of type NodePort or LoadBalancer",
    ),
    "proxy": (
        "Serve the Kubernetes API at a local port",
        "there is no local port here that a proxy could listen at; `kubectl get --output=json` shows the same objects",
    ),
    "autoscale": (
        "Scale a Deployment by what its pods use",
        "what pods use is not simulated, so an autoscaler would have nothing to go by; use `kubectl scale`",
    ),
    "debug": (
        "Look into a pod with a container of one's own",
        "ephemeral containers are not simulated; use `kubectl run -it --rm --image=IMAGE NAME` beside the pod, "
        "`kubectl exec` in it, or `ssh NODE`",
    ),
    "cp": (
        "Copy files to and from containers",
        "containers have no file systems here but what volumes bring; use a ConfigMap or a Secret",
    ),
}
"""What each verb would be for, and why it is not done."""


def _not_here(name: str, summary: str, reason: str) -> Verb:
    def refuse(lab: Lab, call: Call, output: Output) -> None:
        raise Failure(f"error: kubectl {name} is not done here: {reason}")

    return Verb(f"{summary} (not here; it says why)", refuse, any_flag=True)


VERBS = {name: _not_here(name, *texts) for name, texts in INSTEAD.items()}
