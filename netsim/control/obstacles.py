"""What keeps a pod's containers from running: a volume that cannot be mounted, a port that two of them want.

A volume of a Secret or ConfigMap that is not there (and not `optional`) is tried again and again, ever more
slowly; until then the pod stays in ContainerCreating. Containers of one pod share its network, and so its ports:
of two that listen on the same one the second fails, and is restarted, and fails.

Sources: kubernetes `pkg/volume/secret`, `pkg/volume/configmap`, `pkg/volume/util/operationexecutor`,
`pkg/util/goroutinemap/exponentialbackoff` (500 ms, doubled up to 2 min 2 s).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netsim.api.objects import Object
from netsim.units import MS, S

Get = Callable[[str, str, str], Object | None]  # kind, namespace, name: as the store's `get`

FAILED_MOUNT = "FailedMount"
FIRST_RETRY, LAST_RETRY = 500 * MS, 122 * S
CLASH_TIME = 2500 * MS  # five tries, half a second apart


def missing_mounts(pod: Object, get: Get) -> list[str]:
    """Why volumes of a pod cannot be mounted now, each as the message of its FailedMount event.

    >>> pod = {"metadata": {"namespace": "default"}, "spec": {"volumes": [
    ...     {"name": "secret-volume", "secret": {"secretName": "nginxsecret"}}]}}
    >>> missing_mounts(pod, lambda kind, namespace, name: None)
    ['MountVolume.SetUp failed for volume "secret-volume" : secret "nginxsecret" not found']
    """
    namespace = pod["metadata"].get("namespace", "default")
    found = []
    for volume in pod["spec"].get("volumes") or ():
        for kind, source, name in sources_of(volume):
            problem = _problem(kind, source, get(kind, namespace, name), name)
            if problem:
                found.append(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {problem}')
                break
    return found


def sources_of(volume: Object) -> Iterator[tuple[str, Object, str]]:
    """The Secrets and ConfigMaps that a volume is filled from: kind, how it is written, and its name."""
    for source in (volume, *(volume.get("projected") or {}).get("sources", ())):
        if secret := source.get("secret"):
            yield "Secret", secret, secret.get("secretName") or secret.get("name", "")
        if config := source.get("configMap"):
            yield "ConfigMap", config, config.get("name", "")


def _problem(kind: str, source: Object, found: Object | None, name: str) -> str:
    if source.get("optional"):
        return ""
    if found is None:
        return f'{kind.lower()} "{name}" not found'
    held = [*(found.get("data") or ()), *(found.get("stringData") or ()), *(found.get("binaryData") or ())]
    absent = next((item["key"] for item in source.get("items") or () if item["key"] not in held), None)
    what = "secret" if kind == "Secret" else "config"
    return "" if absent is None else f"references non-existent {what} key: {absent}"


def mount_retry(failures: int) -> int:
    """How long the kubelet waits after so many failures in a row.

    >>> [mount_retry(n) // MS for n in (1, 2, 3)], mount_retry(20) // S
    ([500, 1000, 2000], 122)
    """
    return min(FIRST_RETRY << (failures - 1), LAST_RETRY)


def port_clashes(pod: Object) -> list[tuple[str, int]]:
    """Containers that cannot listen because one before them in the same pod has the port: name and port.

    >>> two = [{"name": name, "ports": [{"containerPort": 80}]} for name in ("one", "two")]
    >>> port_clashes({"spec": {"containers": two}})
    [('two', 80)]
    """
    taken: dict[tuple[int, str], str] = {}
    clashes = []
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            key = port["containerPort"], port.get("protocol") or "TCP"
            if taken.setdefault(key, container["name"]) != container["name"]:
                clashes.append((container["name"], key[0]))
    return clashes


def clash_log(port: int) -> str:
    """What nginx writes when it cannot have its port; it tries five times and gives up.

    >>> clash_log(80).splitlines()[-1]
    'nginx: [emerg] still could not bind()'
    """
    line = f"nginx: [emerg] bind() to 0.0.0.0:{port} failed (98: Address already in use)"
    return "\n".join([*[line] * 5, "nginx: [emerg] still could not bind()", ""])
