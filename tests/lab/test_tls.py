"""Certificates and what clients make of them: the same as OpenSSL says, and the same bytes each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netsim.api.times import EPOCH
from netsim.dataplane.handshake import ROUND_TRIPS, handshake
from netsim.errors import ScenarioError
from netsim.lab.certificates import Pair, chain_of, make_ca, make_certificate, problem_of, read_pair
from netsim.lab.keys import derived_rsa, is_prime
from netsim.lab.tls import match_host, verify
from netsim.units import DAY, MS, US, S

CA = make_ca("test CA")
MIDDLE = make_ca("middle CA", CA)
OTHER = make_ca("another CA")
NGINX = make_certificate(["my-nginx", "*.shop.svc", "10.0.162.149"], CA)
SELF = make_certificate(["my-nginx"])
BARE = make_certificate(["my-nginx"], alternative=False)
OLD = make_certificate(["my-nginx"], CA, begins=-30 * DAY, ends=-DAY)
EARLY = make_certificate(["my-nginx"], CA, begins=DAY, ends=30 * DAY)
DEEP = make_certificate(["my-nginx"], MIDDLE)
ALONE = Pair(DEEP.certificate.split(b"-----END")[0] + b"-----END CERTIFICATE-----\n", DEEP.key)  # the middle is missing
FORGED = make_certificate(["my-nginx"], make_certificate(["not-a-ca"], CA))

TABLE = [
    # what the server shows       whom the client trusts   what it says                              OpenSSL's code
    pytest.param(NGINX, CA, "", 0, id="signed by an authority that is trusted"),
    pytest.param(SELF, SELF, "", 0, id="trusted itself"),
    pytest.param(DEEP, CA, "", 0, id="signed by a middle one that the server shows"),
    pytest.param(SELF, None, "self-signed certificate", 18, id="self-signed, trusted by nobody"),
    pytest.param(SELF, CA, "self-signed certificate", 18, id="self-signed, another one trusted"),
    pytest.param(NGINX, None, "unable to get local issuer certificate", 20, id="unknown issuer"),
    pytest.param(NGINX, OTHER, "unable to get local issuer certificate", 20, id="another issuer"),
    pytest.param(ALONE, CA, "unable to get local issuer certificate", 20, id="the middle one is missing"),
    pytest.param(OLD, CA, "certificate has expired", 10, id="expired"),
    pytest.param(EARLY, CA, "certificate is not yet valid", 9, id="not yet valid"),
    pytest.param(FORGED, CA, "invalid CA certificate", 79, id="signed by somebody who may not"),
]


@pytest.mark.parametrize(("shown", "trusted", "problem", "code"), TABLE)
def test_what_a_client_makes_of_a_chain(shown: Pair, trusted: Pair | None, problem: str, code: int) -> None:
    anchors = chain_of(trusted.certificate) if trusted else ()
    verdict = verify(chain_of(shown.certificate), "my-nginx", anchors, 0)
    assert (verdict.trusted, verdict.problem, verdict.code) == (not problem, problem, code)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(("shown", "trusted", "problem", "code"), TABLE)
def test_openssl_says_the_same(
    shown: Pair, trusted: Pair | None, problem: str, code: int, tmp_path: Path
) -> None:
    leaf, middle = tmp_path / "leaf", tmp_path / "middle"
    leaf.write_bytes(shown.certificate)
    middle.write_bytes(shown.certificate)
    words = ["openssl", "verify", "-attime", str(int(EPOCH.timestamp())), "-no-CApath", "-no-CAstore"]
    words += ["-verify_hostname", "my-nginx", "-untrusted", str(middle)]
    if trusted:
        (tmp_path / "ca").write_bytes(trusted.certificate)
    words += ["-CAfile", str(tmp_path / "ca")] if trusted else ["-no-CAfile"]
    ran = subprocess.run([*words, str(leaf)], capture_output=True, text=True)
    said = ran.stdout + ran.stderr
    assert (ran.returncode == 0) == (not problem), said
    assert f"error {code} at" in said if code else f"{leaf}: OK" in said


NAMES = [
    (NGINX, "my-nginx", ""),
    (NGINX, "MY-NGINX.", ""),
    (NGINX, "web.shop.svc", ""),
    (NGINX, "a.web.shop.svc", "no alternative certificate subject name matches target host name 'a.web.shop.svc'"),
    (NGINX, "10.0.162.149", ""),
    (NGINX, "10.244.1.5", "no alternative certificate subject name matches target ipv4 address '10.244.1.5'"),
    (NGINX, "fd00::5", "no alternative certificate subject name matches target ipv6 address 'fd00::5'"),
    (BARE, "my-nginx", ""),
    (BARE, "other", "certificate subject name 'my-nginx' does not match target host name 'other'"),
]


@pytest.mark.parametrize(("pair", "host", "problem"), NAMES)
def test_a_certificate_is_for_its_names_alone(pair: Pair, host: str, problem: str) -> None:
    assert match_host(chain_of(pair.certificate)[0], host).problem == problem


def test_a_certificate_expires_at_its_simulated_instant() -> None:
    chain = chain_of(make_certificate(["my-nginx"], CA, ends=60 * S).certificate)
    trusted = chain_of(CA.certificate)
    assert verify(chain, "my-nginx", trusted, 60 * S).trusted
    assert verify(chain, "my-nginx", trusted, 61 * S).problem == "certificate has expired"


# bytes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["ecdsa", "rsa"])
def test_the_same_certificate_has_the_same_bytes(key: str) -> None:
    made = [make_certificate(["my-nginx"], CA, key=key) for _ in range(2)]  # type: ignore[arg-type]
    assert made[0] == made[1]
    assert made[0] != make_certificate(["my-nginx"], CA, key=key, ends=DAY)  # type: ignore[arg-type]


def test_keys_are_the_same_in_every_process() -> None:
    code = "from netsim.lab.certificates import make_certificate as m; print(hash(m(['a'], key='rsa').certificate))"
    ran = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": "0"})
        for _ in range(2)
    ]
    assert ran[0].stdout
    assert ran[0].stdout == ran[1].stdout


def test_rsa_keys_are_made_of_two_primes() -> None:
    key = derived_rsa("somebody").private_numbers()
    assert is_prime(key.p)
    assert is_prime(key.q)
    assert (key.p * key.q).bit_length() == 2048


def test_what_is_composite_is_told_from_primes() -> None:
    carmichael = (4003 * 4 + 1) * 3  # divisible by a small prime
    strong = 3215031751  # passes the test for the bases 2, 3, 5 and 7
    assert not is_prime(carmichael)
    assert not is_prime(strong)
    assert not is_prime(((1 << 61) - 1) * ((1 << 89) - 1))
    assert is_prime((1 << 521) - 1)


# Secrets --------------------------------------------------------------------------------------------------------


def test_a_secret_gives_back_what_was_put_into_it() -> None:
    secret = NGINX.secret("nginxsecret")
    assert secret["type"] == "kubernetes.io/tls"
    assert read_pair(secret) == NGINX


def test_the_tutorials_secret_with_file_names_of_its_own_is_read_too() -> None:
    secret = NGINX.secret("nginxsecret")
    data = secret["data"]
    assert read_pair({**secret, "data": {"nginx.crt": data["tls.crt"], "nginx.key": data["tls.key"]}}) == NGINX
    assert read_pair({**secret, "data": {"nginx.crt": data["tls.crt"]}}) is None


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        (NGINX, None),
        (Pair(NGINX.certificate, SELF.key), "key values mismatch"),
        (Pair(b"nonsense", NGINX.key), "PEM_read_bio_X509_AUX() failed"),
        (Pair(NGINX.certificate, b"nonsense"), "PEM_read_bio_PrivateKey() failed"),
    ],
)
def test_a_server_says_why_it_cannot_use_a_pair(pair: Pair, problem: str | None) -> None:
    found = problem_of(pair)
    assert found is None if problem is None else problem in (found or "")


def test_without_the_library_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ScenarioError, match="certificates need the cryptography library") as caught:
        make_certificate(["my-nginx"])
    assert "pip install 'netsim-k8s[tls]'" in str(caught.value)


# handshakes -----------------------------------------------------------------------------------------------------


def test_round_trips_are_those_of_the_standards() -> None:
    assert ROUND_TRIPS == {("1.2", False): 2, ("1.2", True): 1, ("1.3", False): 1, ("1.3", True): 1}
    assert handshake("1.3", resumed=True, early=True).round_trips == 0
    assert handshake("1.2", resumed=True, early=True).round_trips == 1  # TLS 1.2 has no 0-RTT


def test_on_a_long_road_round_trips_count_and_on_a_short_one_the_work_does() -> None:
    old, new = handshake("1.2", "rsa"), handshake("1.3", "rsa")
    assert old.time(100 * MS) - new.time(100 * MS) == 100 * MS
    assert new.time(100 * US) - handshake("1.3", "ecdsa").time(100 * US) > 100 * US


def test_resumption_spares_the_signature() -> None:
    for version in ("1.2", "1.3"):
        full, again = handshake(version, "rsa"), handshake(version, "rsa", resumed=True)  # type: ignore[arg-type]
        assert again.server < full.server / 10
