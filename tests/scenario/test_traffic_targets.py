"""What may stand under `from` and `to`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from netsim.traffic import Origin, Target, Traffic, parse_origin, parse_target

TARGETS = [
    # text                          kind      name                     port   namespace   scheme
    ("http://my-nginx", "dns", "my-nginx", 80, "", "http"),
    ("https://my-nginx", "dns", "my-nginx", 443, "", "https"),
    ("http://my-nginx:8080/index.html?q=1", "dns", "my-nginx", 8080, "", "http"),
    ("http://shop.prod.svc.cluster.local.", "dns", "shop.prod.svc.cluster.local.", 80, "", "http"),
    ("http://10.96.0.1", "address", "10.96.0.1", 80, "", "http"),
    ("https://[fd00:0::1]:8443", "address", "fd00::1", 8443, "", "https"),
    ("svc/my-nginx:80", "svc", "my-nginx", 80, "default", ""),
    ("svc/my-nginx.shop:80", "svc", "my-nginx", 80, "shop", ""),
    ("lb/my-nginx:443", "lb", "my-nginx", 443, "default", ""),
    ("node/worker-2:30080", "node", "worker-2", 30080, "", ""),
    ("node/worker-2.eu.example:30080", "node", "worker-2.eu.example", 30080, "", ""),
    ("pod/client:9000", "pod", "client", 9000, "default", ""),
    ("pod/web.v2.shop:9000", "pod", "web.v2", 9000, "shop", ""),
    ("10.0.0.7:80", "address", "10.0.0.7", 80, "", ""),
    ("[fd00::7]:80", "address", "fd00::7", 80, "", ""),
]


@pytest.mark.parametrize(("text", "kind", "name", "port", "namespace", "scheme"), TARGETS)
def test_a_target_says_what_it_is(
    text: str, kind: str, name: str, port: int, namespace: str, scheme: str
) -> None:
    assert parse_target(text) == Target(kind, name, port, namespace, scheme)  # type: ignore[arg-type]


WRONG = [
    # text                     what the message says
    ("", "is not a target"),
    ("my-nginx", "does not say what my-nginx is"),
    ("my-nginx:80", "write http://my-nginx:80 or svc/my-nginx:80"),
    ("10.0.0.7", "does not say which port"),
    ("svc/my-nginx", "write svc/my-nginx:80"),
    ("svc/my-nginx:http", "is not a target"),
    ("svc/my-nginx:0", "a port is a number from 1 to 65535"),
    ("svc/my-nginx:65536", "a port is a number from 1 to 65535"),
    ("svc/My-Nginx:80", "cannot be a name"),
    ("svc/:80", "is not a target"),
    ("svc/my-nginx.:80", "cannot be a name"),
    ("deploy/web:80", "is not a target"),
    ("tcp://web:80", "tcp:// is not simulated"),
    ("http://", "is not a target"),
    ("http://user@web", "neither a name nor an address"),
    ("http://web_1", "neither a name nor an address"),
    ("http://1.2.3", "neither a name nor an address"),
    ("http://256.1.1.1", "neither a name nor an address"),
    ("http://fd00::1", "is not a target"),
]


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_a_wrong_target_says_what_would_do(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"write|port") as raised:
        parse_target(text)
    assert says in str(raised.value)


def test_an_origin_is_a_pod_a_node_or_outside() -> None:
    assert parse_origin("pod/client") == Origin("pod", "client", "default")
    assert parse_origin("pod/client.shop") == Origin("pod", "client", "shop")
    assert parse_origin("node/worker-1") == Origin("node", "worker-1")
    assert parse_origin("outside") == Origin("outside")


@pytest.mark.parametrize("text", ["", "client", "pod/", "pod/Client", "svc/web", "outside/1", "node/a."])
def test_a_wrong_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write pod/NAME, node/NAME or outside"):
        parse_origin(text)


def test_a_source_checks_both_when_it_is_made() -> None:
    given = {"name": "a", "from": "outside", "to": "svc/web:80", "rate": "1/s"}
    assert Traffic.model_validate(given).target == "svc/web:80"
    with pytest.raises(ValidationError):
        Traffic.model_validate(given | {"to": "web"})
    with pytest.raises(ValidationError):
        Traffic.model_validate(given | {"from": "web"})
