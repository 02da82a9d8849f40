"""Whatever is typed, the prompt answers: with text and a code, never with a mistake of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netsim
from netsim.console.output import Exit
from netsim.console.session import Lab

TUTORIAL = Path(__file__).parent.parent.parent / "scenarios" / "tutorial"
SLOW = ("sleep", "make", "openssl")

MORE = """\
kubectl rollout undo deploy/my-nginx --to-revision=1
kubectl rollout history deployment my-nginx --revision=2
kubectl rollout status ds/node-local-dns -n kube-system
kubectl rollout restart deploy
kubectl get sts,ds,pdb,controllerrevisions -A
kubectl describe rs my-nginx
kubectl config get-contexts
kubectl config view --minify
kubectl auth can-i get pods
kubectl top pods -l run=my-nginx
"""

LINES = [
    line.split(" ")
    for script in (*(path.read_text("utf-8") for path in sorted(TUTORIAL.glob("*.netsim"))), MORE)
    for line in script.splitlines()
    if line and not line.startswith("#") and not line.startswith(SLOW)
]
WORDS = st.sampled_from(sorted({word for words in LINES for word in words})) | st.sampled_from(
    [
        "-o", "json", "yaml", "wide", "-A", "--all", "-l", "a=b", "-n", "nope", "-w", "--", "-", "..", "/", "a/b/c",
        "''", "$(", "|", "0", "-1", "99999999999999999999", "²", "--timeout=1s", "--timeout=x", "--type=json", "{}",
        "--dry-run=client",
        "[]", '\'{"spec": null}\'', '\'{"metadata": 7}\'', '\'{"spec": {"ports": 7}}\'',
        '\'[{"op": "remove", "path": "/spec"}]\'',
    ]
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of the tutorial, or one more, with a few words changed, taken away or put in."""
    words = list(draw(st.sampled_from(LINES)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(words) - 1))
        what = draw(st.sampled_from(["change", "insert", "cut", "drop"]))
        if what == "change":
            words[place] = draw(WORDS)
        elif what == "insert":
            words.insert(place, draw(WORDS))
        elif what == "cut":
            words[place] = words[place][: len(words[place]) // 2]
        elif len(words) > 1:
            del words[place]
    return " ".join(words)


@pytest.fixture(scope="module")
def patient() -> Lab:
    """One prompt that all lines are typed at, one after the other."""
    return netsim.shell(TUTORIAL / "cluster.yaml")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(line=lines())
def test_any_line_is_answered(patient: Lab, line: str) -> None:
    patient.places.clear()
    try:
        output = patient.run(line)
    except Exit:
        return
    assert 0 <= output.code <= 255
    assert patient.last is output
    assert patient.history[-1] == line or not line.strip()
