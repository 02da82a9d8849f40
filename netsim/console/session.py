"""A prompt on a simulated cluster: a line comes in, its text comes out, and the clock has gone on.

    lab = netsim.shell("scenarios/tutorial.yaml")
    print(lab("kubectl get svc my-nginx"))

What a line means is said in `language.py`, what there is to say in `table.py`. Whoever is in a pod or on a node
(`kubectl run -it`, `ssh`) stays there until `exit`; lines are then commands of that place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from netsim.api.store import Change, Store
from netsim.console import language
from netsim.console.api import Api
from netsim.console.clock import Clock
from netsim.console.containers import Containers
from netsim.console.output import Exit, Failure, Output
from netsim.console.table import COMMANDS, Place
from netsim.lab.names import names_of

if TYPE_CHECKING:
    from netsim.lab.docker import Docker
    from netsim.scenario.scenario import Scenario

PROMPT = "$ "


class Watches:
    """Who follows which changes just now. (A store has no way to stop listening, so one ear listens for all.)"""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._store = clock.simulation.store
        self._followers: list[Callable[[Change], None]] = []
        self._kinds: dict[str, None] = {}

    def follow(self, kind: str, handler: Callable[[Change], None]) -> Callable[[], None]:
        """Tell `handler` of each change of a kind, until what is returned is called."""
        if kind not in self._kinds:
            self._kinds[kind] = None
            self._store.watch(kind, self._tell)

        def of_kind(change: Change) -> None:
            if change.object["kind"] == kind:
                handler(change)

        self._followers.append(of_kind)
        return lambda: self._followers.remove(of_kind)

    def _tell(self, change: Change) -> None:
        for follower in list(self._followers):
            follower(change)


class Lab:
    """A cluster under the fingers: call it with a line, and get the text.

    `simulation` is what runs, `now` its time in nanoseconds, `last` the whole output of the latest line.
    """

    def __init__(self, scenario: Scenario, seed: int | None = None) -> None:
        from netsim.simulation import Simulation

        self.simulation = Simulation(scenario, seed)
        self.simulation.forwarding.track = True  # conntrack -L is to show connections
        self.folder = scenario.path.parent if scenario.path else Path()
        self.clock = Clock(self.simulation)
        self.api = Api(self.simulation)
        self.watches = Watches(self.clock)
        self.containers = Containers(self.simulation)
        self.namespace = "default"
        self.variables: dict[str, str] = {}
        self.files: dict[str, bytes] = {}  # what was made at this prompt (`openssl`)
        self.history: list[str] = []
        self.places: list[Place] = []  # where the person has gone, one inside the other
        self.limit: int | None = None  # how long a command may take that would go on for ever (`timeout`)
        self.last = Output()
        self._code = 0
        names_of(self.simulation)  # DNS hears of everything from the start
        self.clock.settle()

    @property
    def now(self) -> int:
        """Simulated nanoseconds since the start."""
        return self.simulation.now

    @property
    def prompt(self) -> str:
        """What stands before the next line."""
        return self.places[-1].prompt if self.places else PROMPT

    @property
    def store(self) -> Store:
        """All objects of the cluster."""
        return self.simulation.store

    def __call__(self, line: str) -> str:
        """Do what a line says; the text that a terminal would show."""
        return self.run(line).text

    def __repr__(self) -> str:
        from netsim.units import MS, format_duration

        return f"<Lab {self.simulation.document.metadata.name} at {format_duration(self.now // MS * MS)}>"

    def run(self, line: str) -> Output:
        """Do what a line says; everything it has said, and its exit code. Leaving the prompt raises Exit."""
        output = Output()
        if line.strip():
            self.history.append(line.rstrip("\n"))
        try:
            for statement in language.parse(line):
                self._statement(statement, output)
        except Failure as failure:
            output.fail(failure)
        self.last = output
        self._code = output.code
        return output

    @cached_property
    def docker(self) -> Docker:
        """The Docker hosts beside the cluster."""
        from netsim.console.crafts import DOCKER_HOSTS
        from netsim.lab.docker import Docker

        return Docker(DOCKER_HOSTS)

    def read(self, name: str) -> bytes | None:
        """What a file holds: one that was made at this prompt, or one on disk; None if there is none."""
        if name in self.files:
            return self.files[name]
        path = self.file(name)
        return path.read_bytes() if path.is_file() else None

    def file(self, name: str) -> Path:
        """A file on disk by its name: in the scenario's folder, else where the process runs."""
        given = Path(name).expanduser()
        inside = self.folder / given
        return inside if inside.exists() else given

    # what a line is made of ------------------------------------------------------------------------------

    def _statement(self, statement: language.Statement, output: Output) -> None:
        if statement.condition and (output.code == 0) != (statement.condition == "&&"):
            return
        given = ""
        for number, words in enumerate(statement.commands):
            last = number == len(statement.commands) - 1
            done = self._command(words, given, number > 0)
            given = done.stdout
            output.parts += done.parts if last else [part for part in done.parts if part[0] == "err"]
            output.code = done.code
        self._code = output.code
        if statement.waits:
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
        return output

    def execute(self, words: list[str], output: Output, given: str = "", piped: bool = False) -> None:
        """Do one command, where the person is."""
        if self.places and not piped:
            self.places[-1].execute(self, words, output)
            return
        command = COMMANDS.get(words[0])
        if command is None:
            raise Failure(f"sh: {words[0]}: command not found{_near(words[0])}", 127)
        if command.filters and not piped and len(words) == 1:
            raise Failure(f"{words[0]}: there is nothing to read; put it behind a |")
        command.run(self, words[1:], output, given)

    def _expanded(self, word: language.Word) -> list[str]:
        return language.expanded(word, self._variable, self._substituted)

    def _variable(self, name: str) -> str:
        return str(self._code) if name == "?" else self.variables.get(name, "")

    def _substituted(self, line: str) -> str:
        """What stands for `$(line)`: its stdout. What it says on stderr is lost only if all goes well."""
        inner = Output()
        for statement in language.parse(line):
            self._statement(statement, inner)
        if inner.code and inner.stderr:
            raise Failure(inner.stderr, inner.code)
        return inner.stdout

    # for those who type ----------------------------------------------------------------------------------

    def leave(self) -> None:
        """Out of where one is; out of the prompt itself raises Exit."""
        if not self.places:
            raise Exit
        self.places.pop()

    def complete(self, line: str) -> list[str]:
        """What the last word of an unfinished line may become."""
        from netsim.console.completion import candidates

        return candidates(self, line)


def _near(word: str) -> str:
    from difflib import get_close_matches

    found = get_close_matches(word, COMMANDS, n=1)
    return f"; did you mean {found[0]}?" if found else "; `help` lists what there is"
