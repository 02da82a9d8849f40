"""A prompt on a simulated cluster: a line comes in, its text comes out, and the clock has gone on.

    lab = netsim.shell("scenarios/tutorial/cluster.yaml")
    print(lab("kubectl get svc my-nginx"))

What a line means is said in `language.py`, what there is to say in `table.py`. Whoever is in a pod or on a node
(`kubectl run -it`, `ssh`) stays there until `exit`; lines are then commands of that place. With several
scenarios there are several clusters, on one clock; `kubectl --context NAME` speaks to one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from netsim.api.store import Store
from netsim.console import language
from netsim.console.api import Api
from netsim.console.clock import Clock
from netsim.console.containers import Containers
from netsim.console.context import Context
from netsim.console.output import Exit, Failure, Output
from netsim.console.script import transcript
from netsim.console.table import COMMANDS, Place
from netsim.console.watches import Watches
from netsim.errors import Problem, ScenarioError
from netsim.simulation import Simulation
from netsim.units import S

if TYPE_CHECKING:
    from netsim.console.clusterset import ClusterSet
    from netsim.lab.docker import Docker
    from netsim.scenario.scenario import Scenario

PROMPT = "$ "


class Lab:
    """A cluster under the fingers, or several: call it with a line, and get the text.

    `simulation` is what runs, `now` its time in nanoseconds, `last` the whole output of the latest line.
    """

    def __init__(self, scenarios: Sequence[Scenario], seed: int | None = None) -> None:
        first = scenarios[0]
        self.folder = (first.path.parent if first.path else Path()).resolve()
        self.contexts = _contexts(scenarios, seed)
        self.context = next(iter(self.contexts.values()))  # the cluster that is spoken to
        self.clusterset = _clusterset(self.contexts) if len(self.contexts) > 1 else None
        run = self.clusterset.run if self.clusterset else self.simulation.run
        self.clock = Clock([one.simulation for one in self.contexts.values()], run)
        self.variables: dict[str, str] = {}
        self.files: dict[str, bytes] = {}  # what was made at this prompt (`openssl`)
        self.history: list[str] = []
        self.places: list[tuple[Place, Context]] = []  # where the person has gone, one inside the other
        self.limit: int | None = None  # how long a command may take that would go on for ever (`timeout`)
        self.last = Output()
        self._code = 0
        self.clock.settle()

    @property
    def simulation(self) -> Simulation:
        """The cluster that is spoken to."""
        return self.context.simulation

    @property
    def api(self) -> Api:
        """Its API server."""
        return self.context.api

    @property
    def watches(self) -> Watches:
        """Who follows its changes."""
        return self.context.watches

    @property
    def containers(self) -> Containers:
        """What its containers see."""
        return self.context.containers

    @property
    def store(self) -> Store:
        """All its objects."""
        return self.simulation.store

    @property
    def now(self) -> int:
        """Simulated nanoseconds since the start."""
        return self.clock.now

    @property
    def prompt(self) -> str:
        """What stands before the next line."""
        return self.places[-1][0].prompt if self.places else PROMPT

    @contextmanager
    def speaking_to(self, context: Context) -> Iterator[None]:
        """Speak to a cluster for a while."""
        before, self.context = self.context, context
        try:
            yield
        finally:
            self.context = before

    def home_of(self, node: str) -> Context | None:
        """The cluster that a node belongs to: that which is spoken to, if it has a node of that name."""
        every = (self.context, *self.contexts.values())
        return next((one for one in every if node in one.simulation.forwarding.node_places), None)

    def __call__(self, line: str) -> str:
        """Do what a line says; the text that a terminal would show. What is not a text raises a TypeError."""
        if not isinstance(line, str):
            raise TypeError(f"a prompt reads lines of text such as 'kubectl get pods', not {line!r}")
        return self.run(line).text

    def play(self, text: str) -> str:
        """Do several lines, each shown with its prompt and what it said, as a terminal would show them."""
        return transcript(self, text)

    def __repr__(self) -> str:
        return f"<Lab {', '.join(self.contexts)} at {self.now / S:.1f} s>"

    def run(self, line: str) -> Output:
        """Do what a line says; everything it has said, and its exit code. Leaving the prompt raises Exit."""
        if not isinstance(line, str):
            raise TypeError(f'a line is text, such as "kubectl get pods", not {type(line).__name__}')
        output = Output()
        if line.strip():
            self.history.append(line.rstrip("\n"))
        try:
            for statement in language.parse(line):
                self._statement(statement, output)
        except Failure as failure:
            output.fail(failure)
        except RecursionError:
            output.fail(Failure("bash: commands are nested too deeply", 2))
        self.last = output
        self._code = output.code
        return output

    @cached_property
    def docker(self) -> Docker:
        """The Docker hosts beside the cluster."""
        from netsim.console.docker_hosts import DOCKER_HOSTS
        from netsim.lab.docker import Docker

        return Docker(DOCKER_HOSTS)

    def read(self, name: str) -> bytes | None:
        """What a file holds: one that was made at this prompt, or one on disk; None if there is none."""
        if name in self.files:
            return self.files[name]
        path = self.file(name)
        try:
            return path.read_bytes() if path.is_file() else None
        except OSError as error:
            raise Failure(f"{name}: {error.strerror}") from None

    def file(self, name: str) -> Path:
        """A file or folder on disk by its name, which must lie in the scenario's folder wherever links lead."""
        try:
            path = (self.folder / name).resolve()
        except (OSError, RuntimeError, ValueError):  # a name that no file can have, links that go in circles
            raise Failure(f"{name}: not the name of a file") from None
        if not path.is_relative_to(self.folder):
            raise Failure(f"{name}: Permission denied (the prompt reads only what is below {self.folder.name}/)")
        return path

    def within(self, place: Place, line: str) -> Output:
        """Do a line in a place, and come back."""
        depth, output = len(self.places), Output()
        self.enter(place)
        try:
            for statement in language.parse(line):
                if len(self.places) > depth:  # nobody has said `exit`
                    self._statement(statement, output)
        finally:
            del self.places[depth:]
        return output

    # what a line is made of ------------------------------------------------------------------------------

    def _statement(self, statement: language.Statement, output: Output) -> None:
        if statement.condition and (output.code == 0) != (statement.condition == "&&"):
            return
        given, timed = "", False
        for number, words in enumerate(statement.commands):
            last = number == len(statement.commands) - 1
            done = self._command(words, given, number > 0)
            given = done.stdout
            output.parts += done.parts if last else [part for part in done.parts if part[0] == "err"]
            output.code, timed = done.code, timed or done.timed
        self._code = output.code
        if statement.waits and not timed:
            self.clock.settle()

    def _command(self, words: list[language.Word], given: str, piped: bool) -> Output:
        output = Output()
        try:
            named = language.assignment(words[0])
            if named is not None and len(words) == 1:
                name, value = named
                self.variables[name] = " ".join(language.expanded(value, self._variable, self._substituted))
                return output
            spelled = [text for word in words for text in self._expanded(word)]
            if spelled:
                self.execute(spelled, output, given, piped)
        except Failure as failure:
            output.fail(failure)
        except ScenarioError as error:
            output.fail(Failure(f"error: {error}"))
        return output

    def execute(self, words: list[str], output: Output, given: str = "", piped: bool = False) -> None:
        """Do one command, where the person is."""
        if self.places and not piped:
            place, context = self.places[-1]
            with self.speaking_to(context):
                place.execute(self, words, output)
            return
        command = COMMANDS.get(words[0])
        if command is None:
            raise Failure(f"bash: {words[0]}: command not found{_near(words[0])}", 127)
        if command.filters and not piped:
            raise Failure(f"{words[0]}: there is nothing to read; put it behind a |")
        command.run(self, words[1:], output, given)

    def _expanded(self, word: language.Word) -> list[str]:
        return language.expanded(word, self._variable, self._substituted)

    def _variable(self, name: str) -> str:
        if name == "?":
            return str(self._code)
        there = self.places[-1][0].variables(self) if self.places else {}
        return there.get(name, self.variables.get(name, ""))

    def _substituted(self, line: str) -> str:
        """What stands for `$(line)`: its stdout. What it says on stderr is lost only if all goes well."""
        inner = Output()
        for statement in language.parse(line):
            self._statement(statement, inner)
        if inner.code and inner.stderr:
            raise Failure(inner.stderr, inner.code)
        return inner.stdout

    # for those who type ----------------------------------------------------------------------------------

    def enter(self, place: Place) -> None:
        """Go into a container or onto a node of the cluster that is spoken to, and stay there until `exit`."""
        self.places.append((place, self.context))

    def leave(self) -> None:
        """Out of where one is; out of the prompt itself raises Exit."""
        if not self.places:
            raise Exit
        self.places.pop()

    def complete(self, line: str) -> list[str]:
        """What the last word of an unfinished line may become."""
        from netsim.console.completion import candidates

        return candidates(self, line)


def _contexts(scenarios: Sequence[Scenario], seed: int | None) -> dict[str, Context]:
    """A context for each scenario, by its name."""
    names = [one.document.metadata.name for one in scenarios]
    if len(set(names)) < len(names):
        called = ", ".join(names)
        raise ScenarioError(Problem(f"clusters at one prompt need different names; these are called {called}"))
    return {name: Context(name, Simulation(one, seed)) for name, one in zip(names, scenarios, strict=True)}


def _clusterset(contexts: dict[str, Context]) -> ClusterSet:
    from netsim.console.clusterset import ClusterSet
    from netsim.lab.multicluster import Fleet

    return ClusterSet(Fleet({name: one.simulation for name, one in contexts.items()}))


def _near(word: str) -> str:
    from difflib import get_close_matches

    found = get_close_matches(word, COMMANDS, n=1)
    return f"; did you mean {found[0]}?" if found else "; `help` lists what there is"
