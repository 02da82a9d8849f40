"""What a student sees at the prompt: load balancers' addresses and names, ports of nodes, variables, and obstacles."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import yaml
from lab_clusters import MY_NGINX, SERVICES, deployment, mounting, pod, service

from netsim.console.session import Lab
from netsim.lab.certificates import make_certificate
from netsim.scenario.load import loads


def prompt(*objects: dict[str, Any], **cluster: Any) -> Lab:
    """A prompt on the tutorial's cluster with DNS in pods, these objects, and a client pod."""
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "prompt"},
        "duration": "1h",
        "cluster": {
            "addresses": {"services": SERVICES},
            "nodes": [{"name": "control-plane", "role": "control-plane"}, {"name": "worker", "count": 2}],
            "dns": {},
            **cluster,
        },
    }
    return Lab([loads(yaml.safe_dump_all([scenario, pod("client"), *objects], sort_keys=False))])


def cells(lab: Lab, line: str) -> list[list[str]]:
    """The rows of a table, cell by cell, without its header."""
    return [row.split() for row in lab(line).splitlines()[1:]]


# load balancers -------------------------------------------------------------------------------------------------

HOSTNAME = "kubectl get svc my-nginx -o jsonpath='{.status.loadBalancer.ingress[0].hostname}'"


def test_an_address_is_pending_until_the_cloud_has_made_it() -> None:
    lab = prompt(deployment("my-nginx"), service("my-nginx"))
    lab("kubectl patch svc my-nginx -p '{\"spec\": {\"type\": \"LoadBalancer\"}}'")
    assert cells(lab, "kubectl get svc my-nginx")[0][3] == "<pending>"
    assert "LoadBalancer Ingress:" not in lab("kubectl describe svc my-nginx")
    lab("sleep 90s")
    address = cells(lab, "kubectl get svc my-nginx")[0][3]
    assert address.startswith("198.51.100.")
    assert f"LoadBalancer Ingress:     {address} (VIP)\n" in lab("kubectl describe svc my-nginx")
    assert "Welcome to nginx!" in lab(f"curl -s http://{address}")


def test_a_long_host_name_is_clipped_in_the_table_and_whole_in_the_description() -> None:
    lab = prompt(deployment("my-nginx"), service("my-nginx", type="LoadBalancer"), loadBalancer="aws-classic")
    lab("sleep 120s")
    whole = lab(HOSTNAME)
    assert whole.endswith(".us-east-1.elb.amazonaws.com")
    assert len(whole) > 60
    clipped = cells(lab, "kubectl get svc my-nginx")[0][3]
    assert clipped == f"{whole[:13]}..."
    assert len(clipped) == 16
    assert cells(lab, "kubectl get svc my-nginx -o wide")[0][3] == whole
    assert f"LoadBalancer Ingress:     {whole}\n" in lab("kubectl describe svc my-nginx")


def test_the_host_name_can_be_looked_up_inside_and_outside() -> None:
    lab = prompt(deployment("my-nginx"), service("my-nginx", type="LoadBalancer"), loadBalancer="aws-classic")
    lab("sleep 120s")
    assert "Welcome to nginx!" in lab(f"curl -s http://$({HOSTNAME})")
    assert "Welcome to nginx!" in lab(f"kubectl exec client -- curl -s http://$({HOSTNAME})")


def test_every_nodes_external_address_takes_the_node_port() -> None:
    exposed = service("my-nginx", [{"port": 80, "nodePort": 30080}], type="NodePort")
    lab = prompt(deployment("my-nginx", replicas=1), exposed)
    for node in ("control-plane", "worker-1", "worker-2"):
        assert "Welcome to nginx!" in lab(f"curl -s http://{node}:30080")
    given = lab("kubectl create service nodeport other --tcp=80 --node-port=30080")
    assert "provided port is already allocated" in given


def test_the_address_of_dns_is_taken() -> None:
    lab = prompt()
    lab.files["thief.yaml"] = yaml.safe_dump(service("thief", clusterIP="10.0.0.10")).encode()
    assert "provided IP is already allocated" in lab("kubectl create -f thief.yaml")


# the environment ------------------------------------------------------------------------------------------------

TUTORIALS_OWN = ["KUBERNETES_SERVICE_HOST=10.0.0.1", "KUBERNETES_SERVICE_PORT=443", "KUBERNETES_SERVICE_PORT_HTTPS=443"]


def variables(lab: Lab, name: str) -> list[str]:
    """What `printenv | grep SERVICE` shows in a pod."""
    return sorted(lab(f"kubectl exec {name} -- printenv | grep SERVICE").splitlines())


def nginx_pods(lab: Lab) -> list[str]:
    return [row[0] for row in cells(lab, "kubectl get pods -l run=my-nginx") if row[2] == "Running"]


def test_pods_older_than_their_service_lack_it_and_a_restart_of_the_pods_mends_that() -> None:
    lab = prompt(deployment("my-nginx"))
    lab.files["svc.yaml"] = yaml.safe_dump(service("my-nginx", [{"port": 80}], clusterIP=MY_NGINX)).encode()
    lab("kubectl create -f svc.yaml")
    old = nginx_pods(lab)
    for name in old:
        assert variables(lab, name) == TUTORIALS_OWN
    lab("sleep 10m")  # waiting does not help
    assert variables(lab, old[0]) == TUTORIALS_OWN
    lab("kubectl scale deployment my-nginx --replicas=0")
    lab("sleep 40s")
    lab("kubectl scale deployment my-nginx --replicas=2")
    new = nginx_pods(lab)
    assert not {*old} & {*new}
    for name in new:
        assert variables(lab, name) == [
            *TUTORIALS_OWN, f"MY_NGINX_SERVICE_HOST={MY_NGINX}", "MY_NGINX_SERVICE_PORT=80"
        ]  # fmt: skip


def test_dns_finds_the_service_at_once_from_the_very_pods_that_lack_its_variables() -> None:
    lab = prompt(deployment("my-nginx"))
    lab.files["svc.yaml"] = yaml.safe_dump(service("my-nginx", [{"port": 80}], clusterIP=MY_NGINX)).encode()
    lab("kubectl create -f svc.yaml")
    assert variables(lab, "client") == TUTORIALS_OWN
    found = lab("kubectl exec client -- nslookup my-nginx")
    assert f"Address 1: {MY_NGINX} my-nginx.default.svc.cluster.local\n" in found


def test_variables_outlive_the_service_they_speak_of() -> None:
    lab = prompt(deployment("my-nginx"), service("my-nginx", [{"port": 80}], clusterIP=MY_NGINX))
    lab("kubectl delete pod client")
    lab("kubectl run client --image=busybox")
    lab("kubectl delete svc my-nginx")
    assert f"MY_NGINX_SERVICE_HOST={MY_NGINX}" in variables(lab, "client")
    assert "can't resolve 'my-nginx'" in lab("kubectl exec client -- nslookup my-nginx")


def test_a_prompt_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = prompt()
    monkeypatch.setitem(sys.modules, "cryptography", None)
    told = lab("openssl req -x509 -nodes -days 365 -newkey rsa:2048 -keyout a.key -out a.crt -subj /CN=a")
    assert "certificates need the cryptography library" in told
    assert "pip install 'netsim-k8s[tls]'" in told
    assert "Welcome" not in lab("kubectl exec client -- curl -k https://kubernetes")


# obstacles ------------------------------------------------------------------------------------------------------


def test_a_pod_whose_secret_is_missing_waits_and_says_for_what() -> None:
    lab = prompt(mounting(pod("secure", "nginx", (443,)), "nginxsecret"))
    lab("sleep 20s")
    assert cells(lab, "kubectl get pod secure")[0][1:3] == ["0/1", "ContainerCreating"]
    said = lab("kubectl describe pod secure")
    assert "FailedMount" in said
    assert 'MountVolume.SetUp failed for volume "secret-volume" : secret "nginxsecret" not found' in said


def test_it_starts_soon_after_the_secret_has_come() -> None:
    lab = prompt(mounting(pod("secure", "nginx", (443,)), "nginxsecret"))
    pair = make_certificate(["secure"])
    lab.files["tls.key"], lab.files["tls.crt"] = pair.key, pair.certificate
    lab("sleep 5s")
    lab("kubectl create secret tls nginxsecret --key tls.key --cert tls.crt")
    lab("sleep 30s")
    assert cells(lab, "kubectl get pod secure")[0][1:3] == ["1/1", "Running"]
    assert lab("kubectl exec secure -- cat /etc/nginx/ssl/tls.crt") == pair.certificate.decode()


def two_containers(*ports: int) -> dict[str, Any]:
    made = pod("both", "nginx", ports[:1])
    second = {"name": "second", "image": "nginx", "ports": [{"containerPort": port} for port in ports[1:]]}
    made["spec"]["containers"].append(second)
    return made


def test_containers_of_a_pod_reach_each_other_as_localhost() -> None:
    lab = prompt(two_containers(80, 8080))
    assert cells(lab, "kubectl get pod both")[0][1:3] == ["2/2", "Running"]
    for container, port in (("both", 8080), ("second", 80)):
        assert "asked by 127.0.0.1." in lab(f"kubectl exec both -c {container} -- curl -s localhost:{port}")


def test_two_containers_of_a_pod_that_want_one_port_clash() -> None:
    lab = prompt(two_containers(80, 80))
    lab("sleep 30s")
    name, ready, status, restarts, *_ = cells(lab, "kubectl get pod both")[0]
    assert (name, ready) == ("both", "1/2")
    assert status in ("CrashLoopBackOff", "Error")
    assert int(restarts) >= 1
    assert "Address already in use" in lab("kubectl logs both -c second")
    address = lab("kubectl get pod both -o jsonpath='{.status.podIP}'")
    assert "Welcome to nginx!" in lab(f"kubectl exec client -- curl -s {address}")  # the first one has it
