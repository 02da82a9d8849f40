r"""kubectl's JSONPath templates, on two pods."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.api.jsonpath import JsonPathError, evaluate, find, parse

PODS: dict[str, Any] = {
    "kind": "List",
    "items": [
        {
            "metadata": {"name": "web-1", "labels": {"run": "web", "kubernetes.io/zone": "a"}},
            "spec": {"nodeName": "node-1", "ports": [80, 443, 8080]},
            "status": {"restarts": 0, "conditions": [{"type": "Ready", "status": "True"}]},
        },
        {
            "metadata": {"name": "web-2", "labels": {"run": "web"}},
            "spec": {"nodeName": "node-2", "ports": []},
            "status": {
                "restarts": 3,
                "conditions": [{"type": "Ready", "status": "False"}],
                "message": "x > y",
            },
        },
    ],
}

TEMPLATES = [
    # template, what it prints
    ("", ""),
    ("plain text", "plain text"),
    ("{.kind}", "List"),
    ("{$.kind}", "List"),
    ("{@.kind}", "List"),
    ("{ .kind }", "List"),
    ("{['kind']}", "List"),
    ("{.items[*].metadata.name}", "web-1 web-2"),
    ("{.items[*]['metadata.name']}", "web-1 web-2"),
    ("{.items.*.metadata.name}", "web-1 web-2"),
    ("{.items[0].metadata.name}", "web-1"),
    ("{.items[-1].metadata.name}", "web-2"),
    ("{.items[0].spec.ports[0:2]}", "80 443"),
    ("{.items[0].spec.ports[1:]}", "443 8080"),
    ("{.items[0].spec.ports[:-1]}", "80 443"),
    ("{.items[0].spec.ports[0,2]}", "80 8080"),
    ("{.items[*]['metadata.name', 'spec.nodeName']}", "web-1 web-2 node-1 node-2"),
    ("{..nodeName}", "node-1 node-2"),
    ("{.items[*]..type}", "Ready Ready"),
    ("{.nothing}", ""),
    ("{.items[*].nothing.more}", ""),
    ("name={.items[0].metadata.name}!", "name=web-1!"),
    (r"{.items[0].metadata.labels.kubernetes\.io/zone}", "a"),
    (r"{.items[0].metadata.labels['kubernetes\.io/zone']}", "a"),
    ("{.items[0].metadata.labels}", '{"kubernetes.io/zone":"a","run":"web"}'),
    ("{.items[0].spec.ports}", "[80,443,8080]"),
    ('{"a\\tb\\n"}', "a\tb\n"),
    ("{'it'}", "it"),
    (
        '{range .items[*]}{.metadata.name}{"\\t"}{.spec.nodeName}{"\\n"}{end}',
        "web-1\tnode-1\nweb-2\tnode-2\n",
    ),
    ("{range .items[*]}[{range .spec.ports[*]}<{@}>{end}]{end}.", "[<80><443><8080>][]."),
    ("{range .items[*]}{.metadata.name},{end}", "web-1,web-2,"),
    ('{.items[?(@.spec.nodeName=="node-2")].metadata.name}', "web-2"),
    ("{.items[?(@.spec.nodeName=='node-2')].metadata.name}", "web-2"),
    ('{.items[?(@.spec.nodeName != "node-2")].metadata.name}', "web-1"),
    ("{.items[?(@.status.restarts>0)].metadata.name}", "web-2"),
    ("{.items[?(@.status.restarts<=0)].metadata.name}", "web-1"),
    ("{.items[?(@.status.message)].metadata.name}", "web-2"),
    ('{.items[?(@.status.message=="x > y")].metadata.name}', "web-2"),
    ('{.items[*].status.conditions[?(@.type=="Ready")].status}', "True False"),
    (r'{.items[?(@.metadata.labels.kubernetes\.io/zone=="a")].metadata.name}', "web-1"),
    ('{.items[?(@.metadata.name=="a)]b")].metadata.name}', ""),
]


@pytest.mark.parametrize(("template", "text"), TEMPLATES)
def test_a_template_prints_what_it_selects(template: str, text: str) -> None:
    assert evaluate(parse(template), PODS) == text


MISTAKES = [
    ("{.items", "unclosed action"),
    ("{.items[0}", "unrecognized character"),
    ('{"abc}', "unclosed action"),
    ("{.items[x]}", "invalid array index x"),
    ("{.items[::2]}", "invalid array index ::2"),
    ("{end}", "not in range, nothing to end"),
    ("{nonsense}", "unrecognized identifier nonsense"),
    ('{.items[?(@.a=="b")}', "unterminated filter"),
    ('{.items[?(@.a=~"b")]}', "unrecognized filter operator =~"),
    ('{.items[?(@.a=="b" && @.c=="d")]}', "one comparison"),
    (r'{"\q"}', "invalid syntax"),
    ("{.a b}", "unrecognized identifier b"),
]


@pytest.mark.parametrize(("template", "message"), MISTAKES)
def test_a_malformed_template_is_refused_with_what_is_wrong(template: str, message: str) -> None:
    with pytest.raises(JsonPathError) as caught:
        parse(template)
    assert message in str(caught.value)


MISFITS = [
    ("{.items[5].metadata.name}", "array index out of bounds: index 5, length 2"),
    ("{.items[-3].metadata.name}", "array index out of bounds: index -1, length 2"),
    ("{.kind[0]}", "List is not array or slice"),
    ('{.items[?(@.status.restarts=="3")]}', "incompatible types for comparison"),
    ("{.items[?(@.spec.ports[*]>1)]}", "can only compare one element at a time"),
]


@pytest.mark.parametrize(("template", "message"), MISFITS)
def test_objects_of_another_shape_are_an_error_not_an_empty_text(template: str, message: str) -> None:
    with pytest.raises(JsonPathError) as caught:
        evaluate(parse(template), PODS)
    assert message in str(caught.value)


def test_a_parsed_template_can_be_used_again() -> None:
    template = parse("{.items[-1].metadata.name}")
    assert evaluate(template, PODS) == "web-2"
    assert evaluate(template, {"items": [{"metadata": {"name": "only"}}]}) == "only"


def test_the_values_of_a_path_keep_their_types() -> None:
    assert find("{.items[*].status.restarts}", PODS) == [0, 3]
