"""What a process in a container sees: its environment, and the files that the kubelet puts there.

The environment is that of the instant at which the container was made: Services that come later are not in it.
Kubelet gives a container its own variables first, then those of Services that it does not set itself
(`netsim/control/environment.py`); the container runtime adds PATH and HOSTNAME before them and HOME behind.

Left out: images' own variables and files. Source: kubernetes pkg/kubelet/kubelet_pods.go
(makeEnvironmentVariables), kuberuntime; containerd's defaults.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.api.objects import Key, Object, key_of, node_of
from netsim.api.store import Change, Store
from netsim.control.containers import Container
from netsim.control.environment import service_variables
from netsim.control.kubelet import Kubelet
from netsim.control.life import Life
from netsim.control.obstacles import clash_log, port_clashes
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


class Past:
    """What Services, ConfigMaps and Secrets have been: a container shows them as they were when it was made."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._now = now
        self._versions: dict[str, dict[Key, list[tuple[int, Object | None]]]] = {}
        for kind in ("Service", "ConfigMap", "Secret"):
            self._versions[kind] = {key_of(obj): [(0, obj)] for obj in store.list(kind)}
            store.watch(kind, self._changed)

    def _changed(self, change: Change) -> None:
        obj = change.object
        versions = self._versions[obj["kind"]].setdefault(key_of(obj), [])
        versions.append((self._now(), None if change.type == "DELETED" else obj))

    def get(self, kind: str, key: Key, time: int) -> Object | None:
        """An object as it was at an instant; None if it was not there."""
        known = [obj for since, obj in self._versions[kind].get(key, ()) if since <= time]
        return known[-1] if known else None

    def list(self, kind: str, time: int) -> list[Object]:
        """All that were there."""
        return [found for key in self._versions[kind] if (found := self.get(kind, key, time)) is not None]


class Containers:
    """What happens in containers: what they were told when they were made, and what they have written."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._past = Past(simulation.store, lambda: simulation.now)
        self._written: dict[tuple[str, str], str] = {}  # by the pod's uid and the container's name

    # running and ending ----------------------------------------------------------------------------------

    def kubelet(self, pod: Object) -> Kubelet | None:
        """The kubelet that keeps a pod."""
        machine = self.simulation.built.machines.get(node_of(pod))
        return machine.kubelet if machine else None

    def life(self, pod: Object) -> Life | None:
        """A pod as its kubelet keeps it."""
        kubelet = self.kubelet(pod)
        return kubelet.life_of(pod) if kubelet else None

    def running(self, pod: Object, container: Object) -> Container | None:
        """A container, if it runs."""
        life = self.life(pod)
        found = next((one for one in life.containers if one.name == container["name"]), None) if life else None
        return found if found is not None and found.running else None

    def addresses(self, pod: Object) -> tuple[str, ...]:
        """A pod's addresses."""
        life = self.life(pod)
        return life.addresses if life else ()

    def end(self, pod: Object, container: Object, code: int) -> None:
        """A container's program ends; its kubelet notices, and does as the restart policy says."""
        kubelet = self.kubelet(pod)
        if kubelet is not None and self.running(pod, container):
            kubelet.crash_container(pod, code, container["name"])

    # what a program has written --------------------------------------------------------------------------

    def write(self, pod: Object, container: Object, text: str) -> None:
        """A program has written something."""
        place = pod["metadata"]["uid"], container["name"]
        self._written[place] = self._written.get(place, "") + text

    def log(self, pod: Object, container: Object) -> str | None:
        """What it has written; None if that is not known."""
        clashing = dict(port_clashes(pod))
        if container["name"] in clashing:
            return clash_log(clashing[container["name"]])
        return self._written.get((pod["metadata"]["uid"], container["name"]))

    # environment -----------------------------------------------------------------------------------------

    def environment(self, pod: Object, container: Object) -> dict[str, str] | None:
        """The variables of a container, as they were when it was made; None while it does not run."""
        running = self.running(pod, container)
        if running is None or running.began is None:
            return None
        time = running.began
        services = service_variables(pod, self._past.list("Service", time))
        own = self._own(pod, container, services, time)
        names = [*own, *(name for name in services if name not in own)]
        first = {"PATH": PATH, "HOSTNAME": hostname(pod)}
        given = {name: own.get(name, services.get(name, "")) for name in names}
        return {**first, **given, "HOME": given.get("HOME", "/root")}

    def _own(self, pod: Object, container: Object, services: Mapping[str, str], time: int) -> dict[str, str]:
        """What the container's `envFrom` and `env` say; `$(NAME)` is what was said of NAME before."""
        found: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            for kind, part in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                if part in source:
                    texts = self._texts(kind, (pod["metadata"]["namespace"], source[part]["name"]), time)
                    found |= {f"{source.get('prefix', '')}{key}": text for key, text in texts.items()}
        for variable in container.get("env") or ():
            value = variable.get("value") or ""
            if variable.get("valueFrom"):
                value = self._from(pod, variable["valueFrom"], time)
            else:
                value = _REFERENCE.sub(lambda m: self._referred(m, {**services, **found}), value)
            found[variable["name"]] = value
        return found

    @staticmethod
    def _referred(match: re.Match[str], known: Mapping[str, str]) -> str:
        return "$" if match[0] == "$$" else known.get(match[1], match[0])

    def _from(self, pod: Object, source: Object, time: int) -> str:
        for kind, part in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if part in source:
                texts = self._texts(kind, (pod["metadata"]["namespace"], source[part]["name"]), time)
                return texts.get(source[part]["key"], "")
        path = (source.get("fieldRef") or {}).get("fieldPath", "")
        look = FIELDS.get(path)
        if look is not None:
            return look(pod, self.addresses(pod))
        if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
            return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
        return ""

    def _texts(self, kind: str, key: Key, time: int) -> dict[str, str]:
        """What a ConfigMap or a Secret held, as text."""
        data = (self._past.get(kind, key, time) or {}).get("data") or {}
        if kind != "Secret":
            return dict(data)
        return {name: b64decode(value).decode(errors="replace") for name, value in data.items()}

    # files -----------------------------------------------------------------------------------------------

    def read(self, pod: Object, path: str) -> str | None:
        """A file that the kubelet has put into a container; None if there is none."""
        if path == "/etc/resolv.conf":
            return names_of(self.simulation).resolver(pod).text()
        if path == "/etc/hostname":
            return f"{hostname(pod)}\n"
        if path == "/etc/hosts":
            aliases = "".join(f"{a['ip']}\t{' '.join(a['hostnames'])}\n" for a in pod["spec"].get("hostAliases") or ())
            own = "".join(f"{address}\t{_full_name(pod, self.domain)}\n" for address in self.addresses(pod)[:1])
            return f"{MANAGED_HOSTS}{own}{aliases}"
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


FIELDS: Mapping[str, Callable[[Object, Sequence[str]], str]] = MappingProxyType(
    {
        "metadata.name": lambda pod, addresses: str(pod["metadata"]["name"]),
        "metadata.namespace": lambda pod, addresses: str(pod["metadata"]["namespace"]),
        "metadata.uid": lambda pod, addresses: str(pod["metadata"]["uid"]),
        "spec.nodeName": lambda pod, addresses: node_of(pod),
        "spec.serviceAccountName": lambda pod, addresses: str(pod["spec"].get("serviceAccountName", "default")),
        "status.podIP": lambda pod, addresses: "".join(addresses[:1]),
        "status.podIPs": lambda pod, addresses: ",".join(addresses),
        "status.hostIP": lambda pod, addresses: str(pod.get("status", {}).get("hostIP", "")),
    }
)
"""What a variable may take from its pod's own fields."""
