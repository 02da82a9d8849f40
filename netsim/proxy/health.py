"""What kube-proxy answers to load balancers that ask a Service's health check node port.

A balancer under policy Local must know which nodes have an endpoint, so kube-proxy listens on that port of every
node: 200 if at least one ready pod of the Service runs there and the proxy itself is well, 503 otherwise. Pods
that are terminating do not count, though they still get what comes. The header gives their number as a weight.

Source: kubernetes `pkg/proxy/healthcheck/service_health.go`, KEP-1669.
"""

from __future__ import annotations

from dataclasses import dataclass

HEALTHZ_PORT = 10256
"""Where kube-proxy says how it is itself, whatever the Service."""

REASONS = {200: "OK", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """An HTTP answer of kube-proxy's health server."""

    namespace: str
    service: str
    local_endpoints: int
    proxy_healthy: bool

    @property
    def status(self) -> int:
        """200 or 503.

        >>> [HealthAnswer("default", "web", n, well).status for n, well in ((2, True), (0, True), (2, False))]
        [200, 503, 503]
        """
        return 200 if self.local_endpoints and self.proxy_healthy else 503

    @property
    def reason(self) -> str:
        """The words of the status."""
        return REASONS[self.status]

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that tell a balancer something."""
        return ("X-Content-Type-Options", "nosniff"), ("X-Load-Balancing-Endpoint-Weight", str(self.local_endpoints))

    @property
    def body(self) -> str:
        """What curl prints.

        >>> print(HealthAnswer("default", "web", 2, True).body.expandtabs(2))
        {
          "service": {
            "namespace": "default",
            "name": "web"
          },
          "localEndpoints": 2,
          "serviceProxyHealthy": true
        }
        """
        healthy = str(self.proxy_healthy).lower()
        service = f'\t"service": {{\n\t\t"namespace": "{self.namespace}",\n\t\t"name": "{self.service}"\n\t}}'
        return f'{{\n{service},\n\t"localEndpoints": {self.local_endpoints},\n\t"serviceProxyHealthy": {healthy}\n}}'

    def __str__(self) -> str:
        pods = f"{self.local_endpoints} ready pod{'' if self.local_endpoints == 1 else 's'} of"
        well = "" if self.proxy_healthy else ", kube-proxy is not well"
        return f"{self.status} {self.reason}: {pods} {self.namespace}/{self.service} here{well}"
