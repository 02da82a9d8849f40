"""What a process in a container sees: its environment, and the files that the kubelet puts there.

The environment is taken when the container is made and never changes: Services that come later are not in it.
Kubelet gives a container its own variables first, then those of Services that it does not set itself
(`netsim/control/environment.py`); the container runtime adds PATH and HOSTNAME before them and HOME behind.

Left out: images' own variables and files. Source: kubernetes pkg/kubelet/kubelet_pods.go
(makeEnvironmentVariables), kuberuntime; containerd's defaults.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.api.objects import Object, node_of
from netsim.control.environment import service_variables
from netsim.dataplane.server import Server
from netsim.lab.files import file_in
from netsim.lab.names import names_of

if TYPE_CHECKING:
    from netsim.simulation import Simulation

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")

MANAGED_HOSTS = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


class Containers:
    """The environment of every container, as it was when the container was made."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._frozen: dict[str, tuple[Server, dict[str, dict[str, str]]]] = {}  # by namespace/name of the pod
        forwarding = simulation.forwarding
        self._then = forwarding.on_start
        forwarding.on_start = self._started

    def _started(self, server: Server) -> None:
        """A pod's containers are made: this is the instant that their environment shows for ever."""
        self._then(server)
        namespace, _, name = server.name.partition("/")
        pod = self.simulation.store.get("Pod", namespace, name)
        if pod is not None:
            made = {one["name"]: self._environment(pod, one, server) for one in pod["spec"]["containers"]}
            self._frozen[server.name] = server, made

    def environment(self, pod: Object, container: Object) -> dict[str, str] | None:
        """The variables of a container; None while it does not run."""
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        server, made = self._frozen.get(name, (None, {}))
        if server is None or server.ended is not None or self.simulation.forwarding.servers.get(name) is not server:
            return None
        return made.get(container["name"])

    def _environment(self, pod: Object, container: Object, server: Server) -> dict[str, str]:
        services = service_variables(pod, self.simulation.store.list("Service"))
        own = self._own(pod, container, services, server)
        names = [*own, *(name for name in services if name not in own)]
        first = {"PATH": PATH, "HOSTNAME": hostname(pod)}
        given = {name: own.get(name, services.get(name, "")) for name in names}
        return {**first, **given, "HOME": given.get("HOME", "/root")}

    def _own(self, pod: Object, container: Object, services: Mapping[str, str], server: Server) -> dict[str, str]:
        """What the container's `envFrom` and `env` say; `$(NAME)` is what was said of NAME before."""
        found: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            for kind, part in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                if part in source:
                    texts = self.texts(kind, pod["metadata"]["namespace"], source[part]["name"])
                    found |= {f"{source.get('prefix', '')}{key}": text for key, text in texts.items()}
        for variable in container.get("env") or ():
            value = variable.get("value") or ""
            if variable.get("valueFrom"):
                value = self._from(pod, variable["valueFrom"], server)
            else:
                value = _REFERENCE.sub(lambda m: self._referred(m, {**services, **found}), value)
            found[variable["name"]] = value
        return found

    @staticmethod
    def _referred(match: re.Match[str], known: Mapping[str, str]) -> str:
        return "$" if match[0] == "$$" else known.get(match[1], match[0])

    def _from(self, pod: Object, source: Object, server: Server) -> str:
        for kind, part in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if part in source:
                texts = self.texts(kind, pod["metadata"]["namespace"], source[part]["name"])
                return texts.get(source[part]["key"], "")
        path = (source.get("fieldRef") or {}).get("fieldPath", "")
        look = FIELDS.get(path)
        if look is not None:
            return look(pod, server)
        if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
            return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
        return ""

    def texts(self, kind: str, namespace: str, name: str) -> dict[str, str]:
        """What a ConfigMap or a Secret holds, as text."""
        found = self.simulation.store.get(kind, namespace, name) or {}
        data = found.get("data") or {}
        if kind != "Secret":
            return dict(data)
        return {key: b64decode(value).decode(errors="replace") for key, value in data.items()}

    # files -----------------------------------------------------------------------------------------------

    def read(self, pod: Object, path: str) -> str | None:
        """A file that the kubelet has put into a container; None if there is none."""
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        server = self.simulation.forwarding.servers[name]
        if path == "/etc/resolv.conf":
            return names_of(self.simulation).resolver(pod).text()
        if path == "/etc/hostname":
            return f"{hostname(pod)}\n"
        if path == "/etc/hosts":
            aliases = "".join(f"{a['ip']}\t{' '.join(a['hostnames'])}\n" for a in pod["spec"].get("hostAliases") or ())
            return f"{MANAGED_HOSTS}{server.addresses[0]}\t{_full_name(pod, self.domain)}\n{aliases}"
        held = file_in(self.simulation.store, pod, path)
        return None if held is None else held.decode("utf-8", "replace")

    @property
    def domain(self) -> str:
        """The cluster's DNS domain."""
        return self.simulation.document.cluster.domain


def hostname(pod: Object) -> str:
    """What a pod calls itself; in the node's network, as the node is called."""
    if pod["spec"].get("hostNetwork"):
        return node_of(pod)
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def _full_name(pod: Object, domain: str) -> str:
    name, subdomain = hostname(pod), pod["spec"].get("subdomain")
    if not subdomain:
        return name
    return f"{name}.{subdomain}.{pod['metadata']['namespace']}.svc.{domain}\t{name}"


FIELDS: Mapping[str, Callable[[Object, Server], str]] = MappingProxyType(
    {
        "metadata.name": lambda pod, server: str(pod["metadata"]["name"]),
        "metadata.namespace": lambda pod, server: str(pod["metadata"]["namespace"]),
        "metadata.uid": lambda pod, server: str(pod["metadata"]["uid"]),
        "spec.nodeName": lambda pod, server: node_of(pod),
        "spec.serviceAccountName": lambda pod, server: str(pod["spec"].get("serviceAccountName", "default")),
        "status.podIP": lambda pod, server: server.addresses[0],
        "status.podIPs": lambda pod, server: ",".join(server.addresses),
        "status.hostIP": lambda pod, server: str(pod.get("status", {}).get("hostIP", "")),
    }
)
"""What a variable may take from its pod's own fields."""
