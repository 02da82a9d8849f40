"""The environment variables by which a container finds Services, as they were when it was made.

Kubernetes' oldest service discovery, after Docker's links. A Service that comes later, or whose address
changes, is not seen by a running container; a restarted one takes a new snapshot.

Source: kubernetes `pkg/kubelet/envvars/envvars.go`, `pkg/kubelet/kubelet_pods.go` (getServiceEnvVarMap).
"""

from __future__ import annotations

from collections.abc import Iterable

from netsim.api.objects import Object, name_of

Variable = tuple[str, str]

MASTER = ("default", "kubernetes")  # the one Service that every container hears of


def variables_of(services: Iterable[Object]) -> list[Variable]:
    """The variables for Services, in order. One without an address of its own has none.

    >>> ports = [{"port": 80, "name": "web"}]
    >>> service = {"metadata": {"name": "my-nginx"}, "spec": {"clusterIP": "10.0.162.149", "ports": ports}}
    >>> [f"{name}={value}" for name, value in variables_of([service])][:3]
    ['MY_NGINX_SERVICE_HOST=10.0.162.149', 'MY_NGINX_SERVICE_PORT=80', 'MY_NGINX_SERVICE_PORT_WEB=80']
    """
    found: list[Variable] = []
    for service in services:
        if has_address(service):
            found += _plain(service)
            found += _links(service)
    return found


def service_variables(pod: Object, services: Iterable[Object]) -> dict[str, str]:
    """What a container of `pod` would be given if it were made now.

    That is the API server's Service, and those of the pod's own namespace unless it wants no links. A Service
    of its own namespace that is called `kubernetes` takes the place of the API server's.
    """
    own, links = pod["metadata"].get("namespace", "default"), pod["spec"].get("enableServiceLinks", True)
    chosen: dict[str, Object] = {}
    for service in services:
        namespace, name = service["metadata"].get("namespace", "default"), name_of(service)
        if not has_address(service):
            continue
        if (namespace, name) == MASTER:
            chosen.setdefault(name, service)
        elif namespace == own and links:
            chosen[name] = service
    return dict(variables_of(chosen.values()))


def has_address(service: Object) -> bool:
    """Whether a Service has a virtual address: headless ones and mere names have none."""
    return service["spec"].get("clusterIP") not in (None, "", "None")


def _named(text: str) -> str:
    return text.replace("-", "_").upper()


def _plain(service: Object) -> list[Variable]:
    """Host and ports, as Kubernetes names them."""
    prefix, spec = _named(name_of(service)), service["spec"]
    found = [(f"{prefix}_SERVICE_HOST", spec["clusterIP"])]
    ports = spec.get("ports") or ()
    found += [(f"{prefix}_SERVICE_PORT", str(port["port"])) for port in ports[:1]]
    for port in ports:
        if port.get("name"):
            found.append((f"{prefix}_SERVICE_PORT_{_named(port['name'])}", str(port["port"])))
    return found


def _links(service: Object) -> list[Variable]:
    """The same as Docker's links would have it."""
    prefix, address = _named(name_of(service)), service["spec"]["clusterIP"]
    host = f"[{address}]" if ":" in address else address
    found: list[Variable] = []
    for number, port in enumerate(service["spec"].get("ports") or ()):
        protocol = port.get("protocol") or "TCP"
        url = f"{protocol.lower()}://{host}:{port['port']}"
        name = f"{prefix}_PORT_{port['port']}_{protocol.upper()}"
        if number == 0:
            found.append((f"{prefix}_PORT", url))
        found += [(name, url), (f"{name}_PROTO", protocol.lower())]
        found += [(f"{name}_PORT", str(port["port"])), (f"{name}_ADDR", address)]
    return found
