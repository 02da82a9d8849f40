"""Lines at the prompt: pipes, variables, conditions, exit codes, the clock, completion, history."""

from __future__ import annotations

import pytest

import netsim
from netsim.console.output import Exit
from netsim.console.session import Lab
from netsim.units import S


def test_output_goes_through_pipes_and_errors_do_not(lab: Lab) -> None:
    assert lab("kubectl get nodes | grep worker | wc -l") == "2\n"
    assert lab("kubectl get foo | wc -l") == "error: the server doesn't have a resource type \"foo\"\n0\n"
    assert (lab.last.stdout, lab.last.code) == ("0\n", 0)


def test_variables_and_what_commands_say_are_put_into_lines(lab: Lab) -> None:
    lab("NODE=$(kubectl get nodes -o jsonpath='{.items[1].metadata.name}')")
    assert lab('echo "$NODE" ${NODE} \'$NODE\' $NOTHING.') == "lab-worker-1 lab-worker-1 $NODE .\n"
    assert lab("X=$(kubectl get pod nope)") == 'Error from server (NotFound): pods "nope" not found\n'


def test_what_follows_may_depend_on_how_the_one_before_ended(lab: Lab) -> None:
    assert lab("kubectl get pod nope || echo none && echo then") == (
        'Error from server (NotFound): pods "nope" not found\nnone\nthen\n'
    )
    assert lab("echo a && kubectl get pod nope && echo b").startswith("a\nError")
    assert lab("echo $?") == "1\n"
    assert lab("echo $?") == "0\n"


@pytest.mark.parametrize(
    ("line", "text", "code"),
    [
        ("foo", "bash: foo: command not found; `help` lists what there is\n", 127),
        ("kubectll get", "bash: kubectll: command not found; did you mean kubectl?\n", 127),
        ("grep x", "grep: there is nothing to read; put it behind a |\n", 1),
        ("echo 'a", "bash: syntax error: unterminated quoted string, ' is missing\n", 2),
        ("sleep soon", "sleep: invalid time interval 'soon'\n", 1),
        ("timeout 5s", "usage: timeout DURATION COMMAND...\n", 125),
        ("cat nope", "cat: nope: No such file or directory\n", 1),
        ("", "", 0),
        ("# a comment", "", 0),
    ],
)
def test_a_line_that_fails_says_why_by_text_and_code(lab: Lab, line: str, text: str, code: int) -> None:
    assert lab(line) == text
    assert lab.last.code == code


def test_what_is_nested_too_deeply_is_refused(lab: Lab) -> None:
    assert lab(f"echo {'$(echo ' * 2000}a{')' * 2000}") == "bash: commands are nested too deeply\n"
    assert lab("echo $(echo $(echo a))") == "a\n"


def test_help_names_every_command(lab: Lab) -> None:
    from netsim.console.table import COMMANDS

    text = lab("help")
    assert all(f"  {command.usage or name}" in text for name, command in COMMANDS.items())
    assert lab("help sleep") == "sleep 40s\n  Let simulated time pass.\n"


def test_leaving_the_prompt_is_told_to_whoever_runs_it(lab: Lab) -> None:
    with pytest.raises(Exit):
        lab("exit")


def test_lines_are_remembered(lab: Lab) -> None:
    lab("echo a")
    assert lab("history") == "    1  echo a\n    2  history\n"


# the clock ------------------------------------------------------------------------------------------------


def test_the_clock_goes_on_until_the_cluster_rests(lab: Lab) -> None:
    lab("kubectl create deployment web --image=nginx --replicas=5")
    assert lab("kubectl get deploy web").splitlines()[1].split()[1] == "5/5"
    at = lab.now
    lab("kubectl get pods")
    assert lab.now == at


def test_with_an_ampersand_it_does_not_wait(lab: Lab) -> None:
    at = lab.now
    lab("kubectl create deployment web --image=nginx &")
    assert lab.now == at
    assert lab("kubectl get deploy web").splitlines()[1].split()[1] == "0/1"


def test_sleep_moves_it_by_exactly_as_much(lab: Lab) -> None:
    at = lab.now
    lab("sleep 40s 500ms")
    assert lab.now == at + 40 * S + S // 2
    lab("sleep 2")
    assert lab.now == at + 42 * S + S // 2
    assert lab("date").startswith("Thu, 01 Jan 2026 00:00:4")


def test_sleep_does_not_wait_for_rest_so_that_one_can_look_in_between(lab: Lab) -> None:
    lab("kubectl run web --image=nginx &")
    seen = []
    for _ in range(40):
        lab("sleep 100ms")
        seen.append(lab("kubectl get pod web &").splitlines()[1].split()[2])
    assert list(dict.fromkeys(seen)) == ["ContainerCreating", "Running"]


def test_it_does_not_wait_for_what_will_not_come(lab: Lab) -> None:
    at = lab.now
    lab("kubectl cordon lab-worker-1; kubectl cordon lab-worker-2; kubectl run stuck --image=nginx")
    assert lab("kubectl get pod stuck").splitlines()[1].split()[2] == "Pending"
    assert lab.now - at < 10 * S


def test_two_labs_of_a_scenario_say_the_same(opened) -> None:
    verbs = ("apply -f my-nginx.yaml", "expose deploy/my-nginx", "get all -o wide", "events")
    lines = [f"kubectl {verb}" for verb in verbs]
    first, second = (opened(), opened())
    assert [first(line) for line in lines] == [second(line) for line in lines]
    other = netsim.shell(first.folder / "lab.yaml", seed=2)
    assert [other(line) for line in lines] != [second(line) for line in lines]


def test_several_lines_are_played_as_a_terminal_shows_them(lab: Lab) -> None:
    text = lab.play("# a name\nNAME=lab-worker-1\nssh $NAME\nhostname\nexit\necho \\\n  done\n")
    assert text == (
        "# a name\n$ NAME=lab-worker-1\n$ ssh $NAME\n[root@lab-worker-1 ~]# hostname\nlab-worker-1\n"
        "[root@lab-worker-1 ~]# exit\nlogout\n$ echo \\\n  done\ndone\n"
    )


def test_a_lab_says_where_it_stands(lab: Lab) -> None:
    lab("sleep 10s")
    assert repr(lab).startswith("<Lab lab at 1")


# completion -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("kub", ["kubectl"]),
        ("kubectl ro", ["rollout"]),
        ("kubectl rollout s", ["status"]),
        ("kubectl get no", ["nodes"]),
        ("kubectl get nodes lab-w", ["lab-worker-1", "lab-worker-2"]),
        ("kubectl get nodes/lab-c", ["nodes/lab-control-plane"]),
        ("kubectl get svc k", ["kubernetes"]),
        ("kubectl -n kube-p", ["kube-public"]),
        ("kubectl get pods -n kube-p", ["kube-public"]),
        ("kubectl get pods --sh", ["--show-kind", "--show-labels"]),
        ("kubectl apply -f my", ["my-nginx.yaml"]),
        ("kubectl drain lab-worker-2", ["lab-worker-2"]),
        ("ssh lab-c", ["lab-control-plane"]),
        ("ssh lab-worker-1 ipt", ["iptables-save"]),
        ("power o", ["off", "on"]),
        ("echo a; his", ["history"]),
        ("cat lab", ["lab.yaml"]),
    ],
)
def test_an_unfinished_line_can_go_on_with(lab: Lab, line: str, offers: list[str]) -> None:
    assert lab.complete(line) == offers


def test_in_a_place_its_own_programs_are_offered(lab: Lab) -> None:
    lab("ssh lab-worker-1")
    assert lab.complete("con") == ["conntrack"]
    assert "kubectl" not in lab.complete("")
    assert lab.complete("conntrack ") == []


@pytest.mark.parametrize("line", [5, None, ["kubectl", "get", "pods"]])
def test_only_a_text_is_a_line(lab: Lab, line: object) -> None:
    with pytest.raises(TypeError, match="a prompt reads lines of text such as 'kubectl get pods', not "):
        lab(line)  # type: ignore[arg-type]
    assert lab.history == []
