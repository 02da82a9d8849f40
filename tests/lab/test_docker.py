"""Docker's model at the prompt of two hosts, and Kubernetes' flat network beside it."""

from __future__ import annotations

import pytest
from lab_clusters import deployment, pod, pods_of, simulation

from netsim.lab.docker import BRIDGE, Docker, DockerError, parse_publish
from netsim.lab.docker_cli import command, human
from netsim.lab.flat import flat
from netsim.units import HOUR, MINUTE, S

HOSTS = {"docker-1": "192.0.2.11", "docker-2": "192.0.2.12"}
REFUSED = "curl: (7) Failed to connect to {} after 0 ms: Could not connect to server\n"


@pytest.fixture
def docker() -> Docker:
    """An nginx published on port 8080 of the first host, and one on the second that is not published at all."""
    docker = Docker(HOSTS)
    assert typed(docker, "docker-1", "docker run -d -p 8080:80 --name web nginx")[1] == 0
    assert typed(docker, "docker-2", "docker run -d --name hidden nginx")[1] == 0
    return docker


def typed(docker: Docker, host: str, line: str) -> tuple[str, int]:
    return command(docker, host, line)


# the bridge -----------------------------------------------------------------------------------------------------


def test_containers_get_addresses_of_their_own_hosts_bridge_in_the_order_they_start(docker: Docker) -> None:
    typed(docker, "docker-1", "docker run -d redis")
    assert [c.address for c in docker.containers("docker-1")[::-1]] == ["172.17.0.2", "172.17.0.3"]
    assert docker.container("hidden").address == "172.17.0.2"  # the same address again, on the other host
    assert typed(docker, "docker-1", "docker inspect -f '{{.NetworkSettings.IPAddress}}' web") == ("172.17.0.2\n", 0)


REACH = [
    # who asks           for what               outcome               seen as            why
    ("host/docker-1", "172.17.0.2", 80, "ok", "172.17.0.1"),  # the host sees its own bridge
    ("container/web", "127.0.0.1", 80, "ok", "127.0.0.1"),
    ("host/docker-2", "192.0.2.11", 8080, "ok", "192.0.2.12"),  # through the published port
    ("container/hidden", "192.0.2.11", 8080, "ok", "192.0.2.12"),  # masqueraded: the container is not seen
    ("outside", "192.0.2.11", 8080, "ok", "203.0.113.254"),
    ("host/docker-1", "127.0.0.1", 8080, "ok", "172.17.0.1"),  # docker-proxy asks on its behalf
    ("host/docker-2", "192.0.2.11", 80, "refused", ""),  # the container's own port is nobody's on the host
    ("host/docker-1", "192.0.2.12", 80, "refused", ""),  # not published at all
    ("outside", "172.17.0.2", 80, "timeout", ""),  # nobody routes there
    ("host/docker-1", "172.17.0.7", 80, "host-unreachable", ""),
    ("host/docker-1", "192.0.2.99", 80, "timeout", ""),
]


@pytest.mark.parametrize(("origin", "address", "port", "outcome", "seen"), REACH)
def test_who_reaches_what(docker: Docker, origin: str, address: str, port: int, outcome: str, seen: str) -> None:
    met = docker.connect(origin, address, port)
    assert (met.outcome, met.seen) == (outcome, seen)


def test_a_containers_address_means_another_container_on_another_host(docker: Docker) -> None:
    # both are 172.17.0.2: whoever asks from the second host gets the second host's
    text, code = typed(docker, "docker-2", "curl http://172.17.0.2")
    assert "Container hidden on docker-2 answers" in text
    assert code == 0
    assert "Container web on docker-1 answers" in typed(docker, "docker-1", "curl http://172.17.0.2")[0]


def test_published_ports_are_translated_and_bridge_addresses_are_not(docker: Docker) -> None:
    assert docker.connect("host/docker-2", "192.0.2.11", 8080).translated
    assert not docker.connect("host/docker-1", "172.17.0.2", 80).translated


def test_the_hosts_rules_say_the_same(docker: Docker) -> None:
    text = typed(docker, "docker-1", "iptables -t nat -S")[0]
    assert f"-A POSTROUTING -s {BRIDGE} ! -o docker0 -j MASQUERADE\n" in text
    assert "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n" in text
    assert "DNAT" not in typed(docker, "docker-2", "iptables -t nat -S")[0]


def test_a_containers_nginx_has_no_other_pages_and_takes_no_data(docker: Docker) -> None:
    assert "<title>Welcome to nginx!</title>" in typed(docker, "docker-1", "curl 127.0.0.1:8080/index.html")[0]
    text, code = typed(docker, "docker-1", "curl 127.0.0.1:8080/nobody")
    assert "<h1>404 Not Found</h1>" in text
    assert code == 0
    assert "<h1>405 Not Allowed</h1>" in typed(docker, "docker-1", "curl -d a=1 127.0.0.1:8080")[0]
    assert typed(docker, "docker-1", "curl -f 127.0.0.1:8080/nobody")[1] == 22
    assert typed(docker, "docker-1", "curl --foo 127.0.0.1:8080")[0].startswith("curl: option --foo: is unknown\n")


# one port, one container ----------------------------------------------------------------------------------------


def test_two_containers_cannot_have_one_host_port(docker: Docker) -> None:
    text, code = typed(docker, "docker-1", "docker run -d -p 8080:80 --name two nginx")
    begins = "docker: Error response from daemon: driver failed programming external connectivity on endpoint two ("
    assert text.startswith(begins)
    assert text.endswith("): Bind for 0.0.0.0:8080 failed: port is already allocated.\n")
    assert code == 125
    assert docker.container("two").state == "created"  # it is left behind


@pytest.mark.parametrize("ports", ["-p 80:80 -p 80:81", "-p 80:80 -p 80:80", "-p 127.0.0.1:80:80 -p 80:80"])
def test_one_container_cannot_have_one_host_port_twice(docker: Docker, ports: str) -> None:
    text, code = typed(docker, "docker-2", f"docker run -d {ports} --name twice nginx")
    assert text.startswith("docker: Error response from daemon: driver failed programming external connectivity on ")
    assert text.endswith("): Bind for 0.0.0.0:80 failed: port is already allocated.\n")
    assert code == 125
    assert docker.container("twice").state == "created"


def test_P_leaves_alone_what_the_container_itself_has_named(docker: Docker) -> None:
    assert typed(docker, "docker-2", "docker run -d -p 32768:81 -P nginx")[1] == 0
    assert [p.host_port for p in docker.containers("docker-2")[0].published] == [32768, 32769]


def test_on_another_host_or_port_or_address_they_can(docker: Docker) -> None:
    assert typed(docker, "docker-1", "docker run -d -p 8081:80 nginx")[1] == 0
    assert typed(docker, "docker-2", "docker run -d -p 8080:80 nginx")[1] == 0
    assert typed(docker, "docker-2", "docker run -d -p 127.0.0.1:9000:80 nginx")[1] == 0
    assert typed(docker, "docker-2", "docker run -d -p 192.0.2.12:9000:80 nginx")[1] == 0
    assert typed(docker, "docker-2", "docker run -d -p 9000:80 nginx")[1] == 125


def test_a_stopped_container_frees_its_port_and_may_not_get_it_back(docker: Docker) -> None:
    assert typed(docker, "docker-1", "docker stop web") == ("web\n", 0)
    assert typed(docker, "docker-1", "docker run -d -p 8080:80 --name two nginx")[1] == 0
    text, code = typed(docker, "docker-1", "docker start web")
    assert text.endswith("port is already allocated\nError: failed to start containers: web\n")
    assert code == 1


def test_P_takes_ports_from_the_ephemeral_range(docker: Docker) -> None:
    for _ in range(2):
        typed(docker, "docker-2", "docker run -d -P nginx")
    typed(docker, "docker-2", "docker run -d -p 80 nginx")
    assert [c.published[0].host_port for c in docker.containers("docker-2")[:3]] == [32770, 32769, 32768]


def test_a_lost_host_takes_its_containers_along_and_nothing_replaces_them(docker: Docker) -> None:
    docker.lose("docker-1")
    text, code = typed(docker, "docker-2", "curl -m 2 http://192.0.2.11:8080")
    assert (text, code) == ("curl: (28) Connection timed out after 2000 milliseconds\n", 28)
    assert [c.host for c in docker.containers()] == ["docker-2", "docker-1"]


def test_people_have_to_tell_each_other(docker: Docker) -> None:
    said = docker.coordination()
    assert "web (nginx on docker-1) has port 8080 of docker-1: nobody else may run there and want it" in said
    assert any("must be told 192.0.2.11:8080" in line for line in said)
    assert any(line.startswith("hidden (nginx on docker-2) can be reached from docker-2 alone") for line in said)


# the prompt -----------------------------------------------------------------------------------------------------


def test_ps_shows_what_runs(docker: Docker) -> None:
    docker.now = 90 * S
    identity = docker.container("web").id[:12]
    assert typed(docker, "docker-1", "docker ps")[0] == (
        "CONTAINER ID   IMAGE   COMMAND                  CREATED              STATUS"
        "              PORTS                  NAMES\n"
        f'{identity}   nginx   "/docker-entrypoint.…"   About a minute ago   Up About a minute'
        "   0.0.0.0:8080->80/tcp   web\n"
    )
    assert "80/tcp   hidden" in typed(docker, "docker-2", "docker ps")[0]


def test_other_verbs(docker: Docker) -> None:
    assert typed(docker, "docker-1", "docker port web") == ("80/tcp -> 0.0.0.0:8080\n", 0)
    assert '"IPAddress": "172.17.0.2"' in typed(docker, "docker-1", "docker inspect web")[0]
    assert "Container hidden on docker-2" in typed(docker, "docker-2", "docker exec hidden curl -s localhost")[0]
    assert typed(docker, "docker-1", "docker rm web")[0] == "web\n"
    assert typed(docker, "docker-1", "docker ps -a")[0].count("\n") == 1


WRONG = [
    ("docker port nobody", "Error response from daemon: No such container: nobody\n", 1),
    ("docker frob", "docker: 'frob' is not a docker command.\nSee 'docker --help'\n", 1),
    ("docker run -d --name web nginx", 'The container name "/web" is already in use.\n', 125),
    ("docker run -d -p a:80 nginx", "(should be HOST_PORT:PORT but got 'a:80')\n", 125),
    ("curl http://web", "curl: (6) Could not resolve host: web\n", 6),  # the default bridge has no names
    ("curl http://192.0.2.12", REFUSED.format("192.0.2.12 port 80"), 7),
    ("vim", "bash: vim: command not found\n", 127),
]


@pytest.mark.parametrize(("line", "ending", "code"), WRONG)
def test_what_goes_wrong_is_said_as_docker_says_it(docker: Docker, line: str, ending: str, code: int) -> None:
    text, got = typed(docker, "docker-1", line)
    assert text.endswith(ending)
    assert got == code


def test_wrong_ports_are_told() -> None:
    with pytest.raises(DockerError, match="invalid containerPort: http"):
        parse_publish("http")


def test_durations_as_docker_writes_them() -> None:
    assert human(89 * MINUTE) == "About an hour"
    assert human(90 * MINUTE) == "2 hours"
    assert human(47 * HOUR) == "47 hours"


# Kubernetes' flat network beside it ------------------------------------------------------------------------------


def test_two_nginx_on_one_node_both_have_port_80_and_everybody_reaches_both_untranslated() -> None:
    made = simulation(deployment("crowd", replicas=4), pod("other"))
    pairs = flat(made, {"run": "crowd"})
    crowd = pods_of(made, "crowd")
    nodes = [p["spec"]["nodeName"] for p in crowd]
    assert len(set(nodes)) < len(nodes)  # some share a node, and nobody had to agree on ports
    assert {pair.target for pair in pairs} == {f"{p['status']['podIP']}:80" for p in crowd}
    assert all(pair.untouched for pair in pairs)
    sources = {pair.source for pair in pairs}
    assert {"node/control-plane", "node/worker-1", "pod/default/client", "pod/default/other"} <= sources


def test_a_pods_address_is_unique_and_from_its_nodes_range() -> None:
    made = simulation()
    pods = [p for p in made.store.list("Pod") if not p["spec"].get("hostNetwork")]
    addresses = [p["status"]["podIP"] for p in pods]
    assert len(set(addresses)) == len(addresses)
    for one in pods:
        node = made.store.get("Node", "", one["spec"]["nodeName"])
        assert node is not None
        assert one["status"]["podIP"].rpartition(".")[0] == node["spec"]["podCIDR"].rpartition(".")[0]
