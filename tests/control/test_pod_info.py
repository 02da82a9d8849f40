"""What the scheduler reads in a pod."""

from __future__ import annotations

from control_builders import pod, replica_set, service

from netsim.control.pod_info import PodInfo, default_selector, requests_of


def container(cpu: str, **more: str) -> dict[str, object]:
    return {"resources": {"requests": {"cpu": cpu}}, **more}


def test_init_containers_count_only_if_they_need_more_than_the_rest() -> None:
    spec = {
        "containers": [container("1"), container("1")],
        "initContainers": [container("3"), container("500m")],
    }
    assert requests_of(spec) == {"cpu": 3000}
    assert requests_of({**spec, "initContainers": [container("1500m")]}) == {"cpu": 2000}


def test_sidecars_run_beside_the_containers_and_the_later_init_containers() -> None:
    sidecar = container("1", restartPolicy="Always")
    assert requests_of({"containers": [container("1")], "initContainers": [sidecar]}) == {"cpu": 2000}
    late = {"containers": [container("1")], "initContainers": [sidecar, container("2")]}
    assert requests_of(late) == {"cpu": 3000}
    early = {"containers": [container("1")], "initContainers": [container("2"), sidecar]}
    assert requests_of(early) == {"cpu": 2000}


def test_the_sandbox_has_its_own_needs() -> None:
    assert requests_of({"containers": [container("1")], "overhead": {"cpu": "250m"}}) == {"cpu": 1250}


def test_a_request_of_nothing_is_a_request() -> None:
    assert PodInfo.of(pod("p", cpu="0")).scored_cpu == 0
    assert PodInfo.of(pod("p")).scored_cpu == 100


def test_the_default_selector_joins_services_and_owner() -> None:
    made = pod("p", labels={"app": "web", "tier": "front", "pod-template-hash": "abc"})
    services = [service("web"), service("db"), service("web", selector={"tier": "front"})]
    owner = replica_set({"app": "web", "pod-template-hash": "abc"})
    found = default_selector(made, services, owner)
    assert found is not None
    assert found["matchLabels"] == {"app": "web", "tier": "front", "pod-template-hash": "abc"}


def test_a_pod_that_belongs_to_nothing_is_not_spread() -> None:
    job = {"kind": "Job", "spec": {"selector": {"matchLabels": {"app": "web"}}}}
    assert PodInfo.of(pod("p", labels={"app": "web"}), [service("db")], job).spread == ()


def test_the_systems_constraints_are_three_by_host_and_five_by_zone() -> None:
    info = PodInfo.of(pod("p", labels={"app": "web"}), [service("web")])
    assert [(c.key, c.max_skew, c.hard) for c in info.spread] == [
        ("kubernetes.io/hostname", 3, False),
        ("topology.kubernetes.io/zone", 5, False),
    ]


def test_a_pods_own_constraints_replace_the_systems() -> None:
    own = [{"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]
    info = PodInfo.of(pod("p", labels={"app": "web"}, topologySpreadConstraints=own), [service("web")])
    assert [(c.key, c.hard) for c in info.spread] == [("rack", True)]
    assert not info.default_spread
