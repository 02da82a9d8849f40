"""`kubectl describe` of what stands behind a Service, of namespaces, and of kinds without a page of their own."""

from __future__ import annotations

from netsim.console.session import Lab


def test_a_namespace_tells_its_phase_and_that_nothing_limits_it(lab: Lab) -> None:
    text = lab("kubectl describe ns default")
    assert text.endswith("Status:       Active\n\nNo resource quota.\n\nNo LimitRange resource.\n")


def test_quotas_and_limits_of_a_namespace_are_listed(lab: Lab) -> None:
    (lab.folder / "limits.yaml").write_text(
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {pods: '4'}}}\n---\n"
        "{apiVersion: v1, kind: LimitRange, metadata: {name: small}, "
        "spec: {limits: [{type: Container, max: {cpu: '2'}, default: {memory: 1Gi}}]}}\n"
    )
    lab("kubectl apply -f limits.yaml")
    rows = [line.split() for line in lab("kubectl describe ns default").splitlines()]
    assert ["Name:", "few"] in rows
    assert ["pods", "4"] in rows
    assert ["Container", "cpu", "-", "2", "-", "-", "-"] in rows
    assert ["Container", "memory", "-", "-", "-", "1Gi", "-"] in rows


def test_endpoints_tell_the_addresses_of_each_subset(nginx: Lab) -> None:
    pods = sorted(nginx("kubectl get pods -l run=my-nginx -o jsonpath='{.items[*].status.podIP}'").split())
    text = nginx("kubectl describe endpoints my-nginx")
    assert f"  Addresses:          {','.join(pods)}\n  NotReadyAddresses:  <none>\n" in text
    assert "    Name     Port  Protocol\n    ----     ----  --------\n    <unset>  80    TCP\n" in text


def test_an_endpoint_slice_tells_each_endpoint(nginx: Lab) -> None:
    text = nginx("kubectl describe endpointslices -l kubernetes.io/service-name=my-nginx")
    assert "AddressType:  IPv4\n" in text
    assert text.count("  - Addresses:  10.244.") == text.count("    TargetRef:  Pod/my-nginx-") == 2
    assert text.count("      Ready:    true\n") == 2


def test_what_has_no_page_shows_all_its_fields(nginx: Lab) -> None:
    (nginx.folder / "set.yaml").write_text(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: each}\nspec:\n  selector: {matchLabels: {a: b}}\n"
        "  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: c, image: nginx}]}\n"
    )
    nginx("kubectl apply -f set.yaml")
    text = nginx("kubectl describe controllerrevision")
    assert text.startswith("Name:         each-")
    for line in ("API Version:  apps/v1", "Kind:", "  Creation Timestamp:", "    Block Owner Deletion:  true"):
        assert f"\n{line}" in text
    assert nginx("kubectl -n kube-node-lease describe lease lab-worker-1").count("  Holder Identity:") == 1
