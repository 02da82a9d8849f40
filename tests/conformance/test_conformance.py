"""Kubernetes' own expectations, case by case.

`NETSIM_CONFORMANCE=folder pytest tests/conformance` judges another folder of the same kinds of file.
"""

from __future__ import annotations

import pytest
from conformance_registry import ADAPTERS, Check, checks, documents, folder

CHECKS = checks()


@pytest.mark.parametrize("check", [check for _, check in CHECKS], ids=[name for name, _ in CHECKS])
def test_it_does_what_kubernetes_expects(check: Check) -> None:
    check()


def test_the_folder_holds_cases() -> None:
    assert CHECKS, f"{folder()} holds no case of a kind known here"


def test_every_file_of_a_known_kind_claims_something() -> None:
    for name, document in documents():
        if document["kind"] in ADAPTERS:
            assert any(case.startswith(f"{name}/") for case, _ in CHECKS), name
