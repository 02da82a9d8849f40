"""The far end of an HTTP request: what the pod that was reached says, over TLS where it has a certificate.

Every listening program speaks HTTP and says who it is and whom it saw; one whose image is nginx says it on a page
of its own. It speaks TLS on ports that are called or numbered so, with the first pair of certificate and key that
its volumes hold. The API server has a certificate of its own cluster's authority, which nobody else trusts.

A certificate that is exchanged in its Secret is shown from then on: the program reloads (as `nginxhttps` of the
tutorial does, which watches its files).

nginx has the pages of its image and answers anything else as it does: 404 for other paths, 405 for whatever is not
GET or HEAD, 400 for plain HTTP where it expects TLS. Other programs say the same to every path and method.

Left out: what a request carries, query strings, conditional and range requests, pages mounted into a pod.
Source: nginx `src/http/ngx_http_special_response.c`, `modules/ngx_http_static_module.c`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from netsim.api.objects import Object, container_ports
from netsim.api.times import rfc1123, rfc3339_nano
from netsim.control.proxy_health import stays
from netsim.dataplane.server import Server
from netsim.lab.certificates import Pair, make_ca, make_certificate, problem_of, read_pair
from netsim.lab.files import mounted_secrets
from netsim.proxy.health import REASONS
from netsim.simulation import Simulation

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

API_SERVER_PORT = 6443
TLS_PORTS = (443, 8443, API_SERVER_PORT)
NGINX = "1.27.3"
FORBIDDEN = '{"kind":"Status","status":"Failure","reason":"Forbidden","code":403}\n'  # the API server to a stranger

PATHS = ("/", "/index.html", "/50x.html")  # what the image has pages for
TO_TLS = "The plain HTTP request was sent to HTTPS port"
REFUSAL = """<html>
<head><title>{title}</title></head>
<body>
<center><h1>{status}</h1></center>
{more}<hr><center>nginx/{version}</center>
</body>
</html>
""".replace("\n", "\r\n")
PAGE = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>{who} answers; it was asked by {seen}.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, and whom the program sees asking."""

    seen: str
    method: str = "GET"
    path: str = "/"
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def head(self) -> str:
        """Status line and headers, with the empty line that ends them."""
        return "\r\n".join([f"HTTP/1.1 {self.status} {self.reason}", *(f"{k}: {v}" for k, v in self.headers), "", ""])

    def closing(self) -> Response:
        """The same from a server that hangs up after it."""
        headers = ((name, "close" if name == "Connection" else value) for name, value in self.headers)
        return replace(self, headers=tuple(headers))


def respond(simulation: Simulation, server: Server, port: int, request: Request, *, busy: bool) -> Response:
    """What a program says to a request."""
    now, pod = simulation.now, pod_of(simulation, server)
    nginx = _image(pod).startswith("nginx")
    if busy:
        return _response(now, 503, "Service Unavailable", "overloaded\n", nginx)
    if server is simulation.forwarding.proxies.get(server.machine):
        return _of_proxy(simulation, server.machine, port)
    plain_to_tls = not request.secure and speaks_tls(simulation, server, port)
    if is_api_server(server) and not plain_to_tls:
        return _response(now, 403, "Forbidden", FORBIDDEN, False)
    who = f"{'Pod' if nginx else 'pod'} {server.name} on {server.machine}"
    return answer(now, request, who, nginx=nginx, plain_to_tls=plain_to_tls)


def answer(now: int, request: Request, who: str, *, nginx: bool, plain_to_tls: bool = False) -> Response:
    """What a program that calls itself `who` says: nginx with the pages of its image, or any other."""
    if nginx:
        return _of_nginx(now, request, who, plain_to_tls)
    if plain_to_tls:
        return _response(now, 400, "Bad Request", "Client sent an HTTP request to an HTTPS server.\n", False)
    return _response(now, 200, "OK", f"{who} answers; it was asked by {request.seen}\n", False)


def _of_nginx(now: int, request: Request, who: str, plain_to_tls: bool) -> Response:
    if plain_to_tls:
        return _refusal(now, 400, "Bad Request", TO_TLS).closing()
    known = request.path.partition("?")[0] in PATHS
    if request.method not in ("GET", "HEAD", "POST") or (known and request.method == "POST"):
        return _refusal(now, 405, "Not Allowed")
    if not known:
        return _refusal(now, 404, "Not Found")
    return _response(now, 200, "OK", PAGE.format(who=who, seen=request.seen), True)


def _refusal(now: int, status: int, reason: str, detail: str = "") -> Response:
    """nginx's own page for what it does not do."""
    line = f"{status} {reason}"
    more = f"<center>{detail}</center>\r\n" if detail else ""
    title = f"{status} {detail}" if detail else line
    return _response(now, status, reason, REFUSAL.format(title=title, status=line, more=more, version=NGINX), True)


def _of_proxy(simulation: Simulation, node: str, port: int) -> Response:
    """What a node's kube-proxy says: of a Service's ready pods there, or (healthz) of itself."""
    now, state = simulation.now, simulation.forwarding
    health = state.health(node, port)
    if health is not None:
        plain = _response(now, health.status, health.reason, health.body, False)
        return replace(plain, headers=(*plain.headers, *health.headers))
    obj = simulation.store.get("Node", "", node)
    eligible = obj is not None and stays(obj)
    time = rfc3339_nano(now).replace("T", " ").replace("Z", " +0000 UTC")
    body = f'{{"lastUpdated": "{time}","currentTime": "{time}", "nodeEligible": {str(eligible).lower()}}}'
    status = 200 if state.proxy_well(node) and eligible else 503
    return _response(now, status, REASONS[status], body, False)


def _response(now: int, status: int, reason: str, body: str, nginx: bool) -> Response:
    kind = "text/html" if nginx else "application/json" if body.startswith("{") else "text/plain"
    headers = [("Server", f"nginx/{NGINX}")] if nginx else []
    headers += [("Date", rfc1123(now).replace("+0000", "GMT")), ("Content-Type", kind)]
    headers += [("Content-Length", str(len(body))), ("Connection", "keep-alive")]
    return Response(status, reason, tuple(headers), body)


def pod_of(simulation: Simulation, server: Server) -> Object | None:
    """The pod whose program a server is; the API server has none."""
    namespace, _, name = server.name.partition("/")
    return simulation.store.get("Pod", namespace, name)


def is_api_server(server: Server) -> bool:
    """Whether this is a control plane's API server, which runs without a pod object."""
    return server.name.startswith("kube-system/kube-apiserver-")


def _image(pod: Object | None) -> str:
    image = pod["spec"]["containers"][0].get("image", "") if pod else ""
    return str(image).rpartition("/")[2].replace("nginxhttps", "nginx")


# TLS ----------------------------------------------------------------------------------------------------------


def speaks_tls(simulation: Simulation, server: Server, port: int) -> bool:
    """Whether a program expects TLS on a port."""
    return bool(served_chain(simulation, server, port))


def served_chain(simulation: Simulation, server: Server, port: int) -> tuple[Certificate, ...]:
    """The certificates that a program shows on a port; none: it does not speak TLS there."""
    if is_api_server(server):
        return _chain(_api_pair(simulation)) if port == API_SERVER_PORT else ()
    pod = pod_of(simulation, server)
    if pod is None or not _is_tls_port(pod, port):
        return ()
    for secret in mounted_secrets(simulation.store, pod):
        pair = read_pair(secret)
        if pair is not None:
            return _chain(pair) if problem_of(pair) is None else ()
    return ()


def _chain(pair: Pair) -> tuple[Certificate, ...]:
    from netsim.lab.certificates import chain_of

    return chain_of(pair.certificate)


def _is_tls_port(pod: Object, port: int) -> bool:
    named = {p["containerPort"]: p.get("name") or "" for p in container_ports(pod)}
    return port in TLS_PORTS or named.get(port, "").startswith(("https", "tls"))


_API_PAIRS: WeakKeyDictionary[Simulation, Pair] = WeakKeyDictionary()


def _api_pair(simulation: Simulation) -> Pair:
    """The API server's certificate, signed by the cluster's own authority; made when first shown."""
    if simulation not in _API_PAIRS:
        domain = simulation.document.cluster.domain
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{domain}"]
        service = simulation.store.get("Service", "default", "kubernetes")
        addresses = [service["spec"]["clusterIP"]] if service else []
        _API_PAIRS[simulation] = make_certificate([*names, *addresses], make_ca("kubernetes"))
    return _API_PAIRS[simulation]
