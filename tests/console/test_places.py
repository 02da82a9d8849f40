"""In containers, on nodes, on Docker hosts: what one finds there, and what happens when one leaves."""

from __future__ import annotations

import pytest

from netsim.console.session import Lab


def first_pod(lab: Lab) -> str:
    return lab("kubectl get pods -l run=my-nginx -o jsonpath='{.items[0].metadata.name}'")


# containers -----------------------------------------------------------------------------------------------


def test_a_container_knows_the_services_that_were_there_when_it_was_made(nginx: Lab) -> None:
    assert nginx(f"kubectl exec {first_pod(nginx)} -- printenv | grep MY_NGINX") == ""
    known = nginx("kubectl exec client -- printenv | grep MY_NGINX_SERVICE").splitlines()
    assert [line.partition("=")[0] for line in known] == ["MY_NGINX_SERVICE_HOST", "MY_NGINX_SERVICE_PORT"]
    nginx("kubectl delete svc my-nginx")
    assert nginx("kubectl exec client -- printenv MY_NGINX_SERVICE_PORT") == "80\n"


def test_a_container_that_starts_again_looks_again(nginx: Lab) -> None:
    nginx("kubectl delete svc my-nginx; kubectl create service clusterip late --tcp=80")
    assert "LATE_PORT=" not in nginx("kubectl exec client -- printenv")
    pod = nginx.store.get("Pod", "default", "client")
    assert pod is not None
    nginx.containers.end(pod, pod["spec"]["containers"][0], 1)
    nginx("sleep 20s")
    assert nginx("kubectl get pod client").splitlines()[1].split()[3] == "1"
    after = nginx("kubectl exec client -- printenv")
    assert "LATE_PORT=tcp://" in after
    assert "MY_NGINX_" not in after


def test_variables_come_from_the_manifest_first(lab: Lab) -> None:
    (lab.folder / "pod.yaml").write_text("""\
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {tier: front}}
spec:
  containers:
  - name: c
    image: busybox
    envFrom: [{prefix: C_, configMapRef: {name: config}}]
    env:
    - {name: PLAIN, value: "1"}
    - {name: BOTH, value: "$(PLAIN)-$(C_a)-$(NOBODY)-$$(PLAIN)"}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: TIER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['tier']"}}}
    - {name: PASS, valueFrom: {secretKeyRef: {name: secret, key: pass}}}
    - {name: KUBERNETES_PORT, value: mine}
""")
    lab("kubectl create cm config --from-literal=a=2; kubectl create secret generic secret --from-literal=pass=word")
    lab("kubectl apply -f pod.yaml")
    found = dict(line.partition("=")[::2] for line in lab("kubectl exec p -- env").splitlines())
    assert found["BOTH"] == "1-2-$(NOBODY)-$(PLAIN)"
    assert found["NODE"].startswith("lab-worker-")
    assert found["IP"] == lab("kubectl exec p -- hostname -i").strip()
    assert (found["TIER"], found["PASS"], found["KUBERNETES_PORT"]) == ("front", "word", "mine")
    assert list(found)[:2] == ["PATH", "HOSTNAME"]


def test_curl_and_nslookup_take_time_and_go_where_the_rules_send_them(nginx: Lab) -> None:
    began = nginx.now
    assert "Welcome to nginx!" in nginx("kubectl exec client -- curl -s my-nginx")
    assert nginx.now > began
    address = nginx("kubectl get svc my-nginx -o jsonpath='{.spec.clusterIP}'")
    assert address in nginx("kubectl exec client -- nslookup my-nginx")
    nginx("kubectl scale deploy my-nginx --replicas=0")
    refused = nginx("kubectl exec client -- curl -sS my-nginx")
    assert refused.startswith("curl: (7) Failed to connect to my-nginx port 80 after 0 ms")
    assert refused.endswith("command terminated with exit code 7\n")
    assert nginx.last.code == 7


def test_one_sits_in_a_pod_until_exit_and_rm_takes_it_away(nginx: Lab) -> None:
    assert nginx("kubectl run box --image=busybox -it --rm").endswith("try pressing enter.\n")
    assert nginx.prompt == "[ root@box:/ ]$ "
    assert nginx("hostname") == "box\n"
    assert nginx("foo").startswith("sh: foo: not found")
    assert nginx.last.code == 127
    assert nginx("exit") == 'pod "box" deleted\n'
    assert nginx.prompt == "$ "
    assert nginx("kubectl get pod box --ignore-not-found") == ""


def test_a_session_that_ends_ends_the_container_and_it_starts_again(lab: Lab) -> None:
    lab("kubectl run box --image=busybox -it")
    again = "Session ended, resume using 'kubectl attach box -c box -i -t' command when the pod is running\n"
    assert lab("exit") == again
    assert lab("kubectl get pod box").splitlines()[1].split()[1:4] == ["1/1", "Running", "1"]
    lab("kubectl attach box -it")
    assert lab("exit") == again


@pytest.mark.parametrize(("command", "code", "status"), [("echo hi", 0, "Completed"), ("printenv NOPE", 1, "Error")])
def test_a_pod_that_does_one_thing_ends_as_that_ends(lab: Lab, command: str, code: int, status: str) -> None:
    lab(f"kubectl run once --image=busybox --restart=Never -i -- {command}")
    assert lab.last.code == code
    assert lab("kubectl get pod once").splitlines()[1].split()[1:3] == ["0/1", status]
    lab(f"kubectl run later --image=busybox --restart=Never -- {command}")
    assert lab("kubectl get pod later").splitlines()[1].split()[1:3] == ["0/1", status]
    assert lab("kubectl logs later") == ("hi\n" if code == 0 else "")


def test_nobody_gets_into_what_does_not_run(nginx: Lab) -> None:
    (nginx.folder / "two.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: two}, "
        "spec: {containers: [{name: a, image: i}, {name: b, image: i}]}}"
    )
    nginx("kubectl apply -f two.yaml; kubectl run unfit --image=i --dry-run=client")
    assert nginx("kubectl exec two -- hostname") == 'Defaulted container "a" out of: a, b\ntwo\n'
    assert nginx("kubectl exec two -c z -- hostname") == "error: container z is not valid for pod two\n"
    node = nginx("kubectl get pod client -o jsonpath='{.spec.nodeName}'")
    nginx(f"power off {node}")
    text = nginx("kubectl exec client -- hostname")
    assert text.startswith("Error from server: error dialing backend: dial tcp 192.168.0.")
    assert text.endswith(":10250: connect: no route to host\n")


def test_a_shell_in_a_container_has_its_variables_and_pipes(nginx: Lab) -> None:
    text = nginx("kubectl exec client -- sh -c 'echo $HOSTNAME; printenv | grep -c MY_NGINX; foo || echo no'")
    assert text.startswith("client\n7\nsh: foo: not found; here there are printenv, ")
    assert text.endswith("\nno\n")
    assert nginx("kubectl exec client -- sh -c 'exit; kubectl get pods'") == ""
    assert nginx.prompt == "$ "
    nginx("kubectl exec -it client -- sh")
    assert nginx("echo $HOME-$MY_NGINX_SERVICE_PORT") == "/root-80\n"
    assert nginx("exit") == ""
    assert nginx("echo $HOME.") == ".\n"


# nodes ----------------------------------------------------------------------------------------------------


def test_a_node_shows_its_rules_table_by_table(nginx: Lab) -> None:
    everything = nginx("ssh lab-worker-1 iptables-save")
    nat = nginx("ssh lab-worker-1 iptables-save -t nat")
    assert nat.startswith("*nat\n")
    assert nat.endswith("COMMIT\n")
    assert nat in everything
    assert "default/my-nginx cluster IP" in nat
    assert nginx("ssh lab-worker-1 iptables-save -t raw").startswith("iptables-save: Cannot initialize")
    assert nginx("ssh lab-worker-1 nft list ruleset") == (
        "kube-proxy runs in iptables mode here, so there are no nftables rules; ask for iptables\n"
    )


def test_conntrack_lists_connections_and_can_be_narrowed(nginx: Lab) -> None:
    node = nginx("kubectl get pod client -o jsonpath='{.spec.nodeName}'")
    address = nginx("kubectl get svc my-nginx -o jsonpath='{.spec.clusterIP}'")
    nginx("kubectl exec client -- curl -s my-nginx; kubectl exec client -- curl -s my-nginx")
    counted = "conntrack v1.4.8 (conntrack-tools): 2 flow entries have been shown.\n"
    text = nginx(f"ssh {node} conntrack -L -d {address} -p tcp --dport 80")
    assert text.endswith(counted)
    assert nginx.last.stderr == counted
    assert all(f"dst={address} " in line for line in nginx.last.stdout.splitlines())
    assert nginx(f"ssh {node} conntrack -L -d 10.9.9.9").endswith(": 0 flow entries have been shown.\n")
    assert nginx(f"ssh {node} conntrack -D").startswith("conntrack v1.4.8")


def test_the_virtual_address_is_on_no_interface_except_where_ipvs_binds_it(opened) -> None:
    for mode, there in (("iptables", False), ("ipvs", True)):
        lab = opened(more=f"  proxy: {{mode: {mode}}}")
        lab("kubectl apply -f my-nginx.yaml; kubectl expose deploy/my-nginx")
        address = lab("kubectl get svc my-nginx -o jsonpath='{.spec.clusterIP}'")
        assert (address in lab("ssh lab-worker-1 ip addr")) == there
    assert f"TCP  {address}:80 rr" in lab("ssh lab-worker-1 ipvsadm -Ln")


def test_one_stays_on_a_node_until_exit(nginx: Lab) -> None:
    nginx("ssh lab-worker-1")
    assert nginx.prompt == "[root@lab-worker-1 ~]# "
    assert nginx("hostname") == "lab-worker-1\n"
    assert nginx("sudo ip route | head -1").startswith("default via ")
    assert nginx("foo").startswith("bash: foo: command not found")
    assert nginx("logout") == "logout\n"
    assert nginx.prompt == "$ "


def test_a_node_without_power_cannot_be_reached(lab: Lab) -> None:
    assert lab("power off lab-worker-1") == "node/lab-worker-1 powered off\n"
    assert lab("power off lab-worker-1") == "node/lab-worker-1 is off already\n"
    assert lab("ssh lab-worker-1") == "ssh: connect to host lab-worker-1 port 22: No route to host\n"
    assert lab("ssh nowhere ls") == "ssh: Could not resolve hostname nowhere: Name or service not known\n"
    assert lab("power off nowhere").startswith('power: there is no node "nowhere"; there are lab-control-plane')
    lab("sleep 60s")
    assert lab("kubectl get nodes lab-worker-1").splitlines()[1].split()[1] == "NotReady"
    lab("power on lab-worker-1; sleep 60s")
    assert lab("kubectl get nodes lab-worker-1").splitlines()[1].split()[1] == "Ready"


def test_a_trace_explains_a_packet_and_sends_none(nginx: Lab) -> None:
    text = nginx("trace pod/client svc/my-nginx:80")
    assert "destination becomes 10.244." in text
    assert text.rstrip().rpartition("\n")[2].startswith("verdict: ok after ")
    node = nginx("kubectl get pod client -o jsonpath='{.spec.nodeName}'")
    assert nginx(f"ssh {node} conntrack -L -p tcp").endswith(": 0 flow entries have been shown.\n")
    assert nginx("trace pod/nobody svc/my-nginx:80").startswith("trace: pod/nobody does not run")


# drain ----------------------------------------------------------------------------------------------------


def test_drain_empties_a_node_and_uncordon_opens_it_again(nginx: Lab) -> None:
    node = nginx(f"kubectl get pod {first_pod(nginx)} -o jsonpath='{{.spec.nodeName}}'")
    alone = "cannot delete Pods that declare no controller (use --force to override): default/client"
    home = nginx("kubectl get pod client -o jsonpath='{.spec.nodeName}'")
    assert nginx(f"kubectl drain {home}") == (
        f'node/{home} cordoned\nerror: unable to drain node "{home}" due to error: {alone}, continuing command...\n'
        f"There are pending nodes to be drained:\n {home}\n{alone}\n"
    )
    nginx(f"kubectl uncordon {home}")
    told = nginx(f"kubectl drain {node} --force").splitlines()
    assert told[0] == f"node/{node} cordoned"
    assert told[-1] == f"node/{node} drained"
    assert sum(line.endswith(" evicted") for line in told) == sum(line.startswith("evicting pod ") for line in told)
    assert node not in nginx("kubectl get pods -l run=my-nginx -o wide")
    assert nginx(f"kubectl get node {node}").splitlines()[1].split()[1] == "Ready,SchedulingDisabled"
    assert nginx(f"kubectl drain {node}") == f"node/{node} already cordoned\nnode/{node} drained\n"
    assert nginx(f"kubectl uncordon {node}") == f"node/{node} uncordoned\n"


def test_drain_waits_for_a_disruption_budget_as_long_as_it_may(nginx: Lab) -> None:
    (nginx.folder / "pdb.yaml").write_text(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: all}, "
        "spec: {minAvailable: 2, selector: {matchLabels: {run: my-nginx}}}}"
    )
    nginx("kubectl apply -f pdb.yaml")
    pod = first_pod(nginx)
    node = nginx(f"kubectl get pod {pod} -o jsonpath='{{.spec.nodeName}}'")
    text = nginx(f"kubectl drain {node} --force --timeout=12s")
    refused = f'error when evicting pods/"{pod}" -n "default" (will retry after 5s): Cannot evict pod'
    assert text.count(refused) == 3
    assert text.endswith(f"There are pending nodes to be drained:\n {node}\nglobal timeout reached: 12s\n")
    assert pod in nginx("kubectl get pods")


# docker ---------------------------------------------------------------------------------------------------


def test_docker_hosts_have_ports_that_only_one_container_can_have(lab: Lab) -> None:
    lab("ssh docker-1 docker run -d --name a -p 80:80 nginx")
    assert "port is already allocated" in lab("ssh docker-1 docker run -d --name b -p 80:80 nginx")
    assert lab.last.code == 125
    assert "Container a on docker-1 answers" in lab("ssh docker-2 curl -s docker-1")
    assert "Container a on docker-1 answers" in lab("curl -s 192.0.2.11")
    assert lab("curl docker-2").startswith("curl: (7) Failed to connect to docker-2 port 80")
    lab("ssh docker-1")
    assert lab.prompt == "[root@docker-1 ~]# "
    assert lab("docker ps").splitlines()[1].endswith("0.0.0.0:80->80/tcp   a")
