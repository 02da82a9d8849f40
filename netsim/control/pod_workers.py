"""What a kubelet does with each pod of its node, from binding to burial.

*A pod's start.* Its volumes, as soon as they can be filled; sandbox and address, then the containers; the kubelet
notices that they run when it next relists them, and writes the pod's status. Without a readiness probe the pod is
ready from then on, whether its program listens yet or not.

*A container's end.* Noticed at the next relist, and started again as the restart policy and the back-off say
(`containers.py`); pod, sandbox and address stay, meanwhile connections are refused. A sandbox that dies takes
more: the containers get their grace, then all is made anew, with a new address.

*A pod's end.* The preStop hook, SIGTERM, at the end of the grace SIGKILL; when the containers are gone and the
kubelet has noticed, the pod object is removed. Readiness is probed to the last.

Left out: a finished pod's last status before its object goes; sidecars that outlast the other containers.
Sources: kubernetes `pkg/kubelet` (pod_workers.go, kubelet.go), `kuberuntime` (kuberuntime_manager.go,
kuberuntime_container.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from netsim.api.objects import key_of
from netsim.api.store import pod_grace
from netsim.control.cluster import Cluster
from netsim.control.containers import Container, restarts_after
from netsim.control.life import Life
from netsim.control.obstacles import FAILED_MOUNT, missing_mounts, mount_retry
from netsim.control.pod_status import pre_stop
from netsim.control.prober import KINDS, Answer, Probe, ask, probe_of, work
from netsim.control.runtime import Runtime, Steps
from netsim.draws import uniform
from netsim.units import MS, S

LAST_WORDS = 2 * S  # left for SIGTERM, however long the preStop hook took
ON_THE_WAY = 100 * MS  # what a program that drains waits for requests on connections it has just accepted
FOREVER = 1 << 62
KILLED = 137  # the exit code of SIGKILL


class PodWorkers:
    """Works on the pods of one node. `run` starts a process that ends with the kubelet's own."""

    def __init__(
        self, cluster: Cluster, node: str, runtime: Runtime, run: Callable[[Steps], Any],
        report: Callable[..., None], forget: Callable[[Life], Steps],
    ) -> None:  # fmt: skip
        self.cluster = cluster
        self.node = node
        self.runtime = runtime
        self.run = run
        self.report = report  # write a pod's status
        self.forget = forget  # have a pod's object removed
        self.began = 0  # when the kubelet's process started

    # a pod's life -------------------------------------------------------------------------------------

    def live(self, life: Life) -> Steps:
        """From a bound pod to a running one, and on, in a new sandbox whenever it has lost its own."""
        env = self.cluster.env
        while True:
            if not life.sandbox:
                yield from self._tear_down(life)
                if self._is_over(life):
                    return
                yield from self._mount(life)
                yield from self.runtime.make_sandbox(life)
            life.keepers = [self.run(self._keep(life, container)) for container in life.containers]
            yield env.any_of([life.broke, env.all_of(life.keepers)])
            if life.sandbox:
                break
            yield from self.runtime.relisted()
            lost = f"pod/{'/'.join(key_of(life.pod))}"
            self.cluster.history.record(self.cluster.now, "sandbox-lost", lost, self.node)
            for keeper in life.keepers:
                _interrupt(keeper)
        self.runtime.release(life)  # every container has run to its end

    def _mount(self, life: Life) -> Steps:
        """Fill the pod's volumes, trying ever more slowly while what they are filled from is not there."""
        failures = 0
        while problems := missing_mounts(life.pod, self.cluster.store.get):
            failures += 1
            for problem in problems:
                self._say(life, "Warning", FAILED_MOUNT, problem)
            yield self.cluster.env.timeout(mount_retry(failures))

    def _tear_down(self, life: Life) -> Steps:
        """What is left of a broken sandbox goes: the containers with their grace, then the address."""
        running = [container for container in life.containers if container.running]
        if running:
            yield from self._kill_all(life, running, pod_grace(life.pod))
        if life.addresses:
            self._say(life, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        for container in life.containers:
            container.notice()
        self.report(life)
        self.runtime.release(life)

    def _is_over(self, life: Life) -> bool:
        """Whether no container is to run again."""
        policy = life.pod["spec"].get("restartPolicy", "Always")
        return all(c.end and not restarts_after(policy, c.end["exitCode"]) for c in life.containers)

    def _keep(self, life: Life, container: Container) -> Steps:
        """Keep a container as the restart policy wants it: start it, notice its end, start it again."""
        env, chance = self.cluster.env, life.chance
        while True:
            if container.end is not None:
                if container.state.get("terminated") is not container.end:
                    yield from self.runtime.relisted()
                    self._stop_probing(container)
                    container.notice()
                    self.report(life)
                if not restarts_after(life.pod["spec"].get("restartPolicy", "Always"), container.end["exitCode"]):
                    return
                yield from self._hold_back(life, container)
            if not container.running:
                yield from self.runtime.works()
                yield env.timeout(self.cluster.timings.container_start.draw(chance.next()))
                self.runtime.start(life, container)
            yield from self.runtime.relisted()
            if container.running:
                self._noticed_running(life, container)
                yield container.over

    def _hold_back(self, life: Life, container: Container) -> Steps:
        """Wait as long as the back-off says. What waits longer than one relist is said to crash in a loop."""
        cluster, ended = self.cluster, container.end["finishedAt"]  # type: ignore[index]
        wait = container.backoff.wait(ended)
        left = ended + wait - cluster.now
        if left > 0:
            first = min(left, cluster.timings.pleg_relist)
            yield cluster.env.timeout(first)
            name, pod = container.name, f"{key_of(life.pod)[1]}_{key_of(life.pod)[0]}({life.uid})"
            text = f"back-off {_minutes(wait)} restarting failed container={name} pod={pod}"
            container.hold_back("CrashLoopBackOff", text)
            self.report(life)
            self._say(life, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {pod}")
            yield cluster.env.timeout(left - first)
        container.backoff.restarted(ended, cluster.now)

    def _noticed_running(self, life: Life, container: Container) -> None:
        """A container was found running."""
        new = "running" not in container.state
        container.notice()
        probes = {kind: probe for kind in KINDS if (probe := probe_of(container.spec, kind))}
        if new or not container.started:
            container.started = "startup" not in probes
        container.ready = container.started and "readiness" not in probes
        self.report(life)
        if new:
            image = container.spec.get("image", "")
            self._say(life, "Normal", "Pulled", f'Container image "{image}" already present on machine')
            self._say(life, "Normal", "Created", f"Created container: {container.name}")
            self._say(life, "Normal", "Started", f"Started container {container.name}")
        first = ("startup",) if not container.started else ("liveness", "readiness")
        for kind in first:
            if kind in probes:
                self._probe(life, container, kind, probes[kind])

    # a pod's end --------------------------------------------------------------------------------------

    def end(self, life: Life, grace: int) -> Steps:
        """From the wish that a pod goes to its being gone."""
        life.leaving = True
        for process in (life.process, *life.keepers):
            _interrupt(process)
        for container in life.containers:
            self._stop_probing(container, "startup", "liveness")
        running = [container for container in life.containers if container.running]
        if running:
            yield from self._kill_all(life, running, grace)
            yield from self.runtime.relisted()
        self.runtime.release(life)
        for container in life.containers:
            self._stop_probing(container)
        yield from self.forget(life)

    def _kill_all(self, life: Life, containers: list[Container], grace: int) -> Steps:
        """Kill containers side by side."""
        yield self.cluster.env.all_of([self.run(self._kill(life, one, grace)) for one in containers])

    def _kill(self, life: Life, container: Container, grace: int, why: str = "") -> Steps:
        """The preStop hook, SIGTERM, and at the end of the grace SIGKILL."""
        env, cluster, run = self.cluster.env, self.cluster, container.over
        yield from self.runtime.works()
        deadline = cluster.now + grace
        self._say(life, "Normal", "Killing", why or f"Stopping container {container.name}")
        hook = pre_stop(container.spec)
        if hook and grace and not run.triggered:
            yield env.any_of([env.timeout(min(hook, grace)), run])
        deadline = max(deadline, cluster.now + LAST_WORDS)
        for until in self._last_words(life, container):
            left = min(until, deadline) - cluster.now
            if left > 0 and not run.triggered:
                yield env.any_of([env.timeout(left), run])
        if not run.triggered:
            self.runtime.stop(life, container, KILLED if cluster.now >= deadline else 0)

    def _last_words(self, life: Life, container: Container) -> Iterator[int]:
        """Until when the program goes on after SIGTERM. It is asked again when that time has come."""
        server = life.server if container is life.main else None
        if server is None or server.ended is not None:
            return
        if server.serving.stop == "ignore":
            yield FOREVER
        if server.serving.stop == "drain":
            self.cluster.forwarding.drain(server)
            yield self.cluster.now + ON_THE_WAY
            yield server.idle_at(self.cluster.now) + 1  # the last answer is out

    # probes -------------------------------------------------------------------------------------------

    def _probe(self, life: Life, container: Container, kind: str, probe: Probe) -> None:
        """Begin to probe a running container."""
        recent = self.cluster.now - self.began < probe.period and container.began < self.began  # type: ignore[operator]
        chance = self.cluster.draws.stream("probe", f"{life.name}/{container.name}/{kind}/{self.cluster.now}")
        delay = int(uniform(chance.next()) * probe.period) if recent else 0

        def look() -> Answer | None:
            if probe.handler == "exec" and self.runtime.broken:
                return None
            failing = {"readiness": life.readiness_fails, "liveness": life.liveness_fails}.get(kind, False)
            server = life.server if container is life.main else None
            answer = ask(probe, server, chance.next(), broken=failing)
            if not answer.success:
                self._say(life, "Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {answer.said}")
            return answer

        def tell(well: bool) -> None:
            self._told(life, container, kind, probe, well)

        steps = work(self.cluster, container, probe, look, tell, ready=KINDS[kind], delay=delay)
        container.workers[kind] = self.run(steps)

    def _told(self, life: Life, container: Container, kind: str, probe: Probe, well: bool) -> None:
        """A probe's verdict has changed."""
        if kind == "readiness":
            container.ready = well
            self.report(life, self.cluster.timings.write)
        elif not well:
            grace = pod_grace(life.pod) if probe.grace is None else probe.grace
            self.cluster.after(0, self._stop_probing, container, "startup", "liveness")
            why = f"Container {container.name} failed {kind} probe, will be restarted"
            self.run(self._kill(life, container, grace, why))
        elif kind == "startup":
            self.cluster.after(0, self._started, life, container)

    def _started(self, life: Life, container: Container) -> None:
        """The startup probe has succeeded: the others begin."""
        self._stop_probing(container, "startup")
        if container.running and not life.leaving:
            container.started = True
            self._noticed_running(life, container)

    def _say(self, life: Life, kind: str, reason: str, text: str) -> None:
        """Record a Kubernetes Event about a pod."""
        self.cluster.event(life.pod, kind, reason, text, "kubelet", self.node)

    @staticmethod
    def _stop_probing(container: Container, *kinds: str) -> None:
        for kind in kinds or KINDS:
            _interrupt(container.workers.pop(kind, None))


def _interrupt(process: Any) -> None:
    if process is not None and process.is_alive:
        process.interrupt()


def _minutes(wait: int) -> str:
    """A back-off as Go prints it.

    >>> _minutes(40 * S), _minutes(160 * S), _minutes(300 * S)
    ('40s', '2m40s', '5m0s')
    """
    minutes, seconds = divmod(wait // S, 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
