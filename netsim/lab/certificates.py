"""Certificates that are real X.509: made for scenarios, put into Secrets, read from them.

Dates are simulated instants; a run starts on 2026-01-01. The same names, dates and issuer give the same bytes
each time: keys are derived (`keys.py`), signatures are deterministic.

Needs the `cryptography` library (the extra `tls`); it is imported when the first certificate is.

Left out: revocation, name constraints, key usage, certificate transparency.
Sources: RFC 5280; kubectl `pkg/cmd/create/create_secret_tls.go`; nginx `src/event/ngx_event_openssl.c`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from netsim.api.names import ip_address
from netsim.api.objects import Object
from netsim.api.times import EPOCH
from netsim.dataplane.handshake import KeyKind
from netsim.errors import Problem, ScenarioError
from netsim.lab.keys import derived
from netsim.units import DAY, US

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

TLS_SECRET = "kubernetes.io/tls"

ATTRIBUTES = {
    "C": "COUNTRY_NAME", "ST": "STATE_OR_PROVINCE_NAME", "L": "LOCALITY_NAME", "O": "ORGANIZATION_NAME",
    "OU": "ORGANIZATIONAL_UNIT_NAME", "CN": "COMMON_NAME", "emailAddress": "EMAIL_ADDRESS",
}  # fmt: skip
"""What a subject may be made of, by its short names."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate (with what lies between it and its root) and its key, as PEM."""

    certificate: bytes
    key: bytes

    def secret(self, name: str, namespace: str = "default") -> Object:
        """The Secret that `kubectl create secret tls` makes of them."""
        data = {"tls.crt": self.certificate, "tls.key": self.key}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "type": TLS_SECRET,
            "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
        }


def make_certificate(
    names: Sequence[str], ca: Pair | None = None, *, begins: int = -DAY, ends: int = 365 * DAY,
    subject: str | Mapping[str, str] | None = None, authority: bool = False, key: KeyKind = "ecdsa",
    alternative: bool = True,
) -> Pair:  # fmt: skip
    """A certificate for `names` (host names and addresses), signed by `ca` or by itself.

    `begins` and `ends` are simulated instants; `subject` is a CN, or several of `ATTRIBUTES`. `alternative=False`
    leaves the names out of subjectAltName, as `openssl req -x509 -subj /CN=my-nginx` does: only the CN counts then.
    """
    x509 = _library()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

    whose = f"{subject} {' '.join(names)} {begins} {ends} {alternative} {_fingerprint(ca)}"
    private = derived(key, whose)
    name = _name(subject or names[0])
    signer = _load_key(ca.key) if ca else private
    issuer = chain_of(ca.certificate)[0].subject if ca else name
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(private.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(whose.encode()).digest()[:19]))
        .not_valid_before(instant(begins))
        .not_valid_after(instant(ends))
        .add_extension(x509.BasicConstraints(ca=authority or ca is None, path_length=None), critical=True)
    )
    if alternative and names and not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
    repeats = None if isinstance(signer, RSAPrivateKey) else True
    made = builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=repeats).public_bytes(Encoding.PEM)
    between = ca.certificate if ca and not self_signed(chain_of(ca.certificate)[0]) else b""
    return Pair(made + between, _pem_of(private))


def make_ca(name: str = "test CA", ca: Pair | None = None, *, begins: int = -DAY, ends: int = 3650 * DAY) -> Pair:
    """A certificate authority: a root, or with `ca` one below it."""
    return make_certificate((), ca, begins=begins, ends=ends, subject=name, authority=True)


def secret_data(secret: Object) -> dict[str, bytes]:
    """What a Secret holds, as files would; raises ValueError where it is not base64."""
    data = {name: base64.b64decode(value, validate=True) for name, value in (secret.get("data") or {}).items()}
    return data | {name: value.encode() for name, value in (secret.get("stringData") or {}).items()}


def read_pair(secret: Object) -> Pair | None:
    """Certificate and key of a Secret (`tls.crt` and `tls.key`, or any other `X.crt` with `X.key`)."""
    data = secret_data(secret)
    names = [name.removesuffix(".crt") for name in data if name.endswith(".crt")]
    name = next((name for name in names if f"{name}.key" in data), None)
    return None if name is None else Pair(data[f"{name}.crt"], data[f"{name}.key"])


def problem_of(pair: Pair) -> str | None:
    """Why a server cannot use a pair, in the words of nginx's log; None if it can."""
    try:
        chain = chain_of(pair.certificate)
    except ValueError:
        return "cannot load certificate: PEM_read_bio_X509_AUX() failed"
    try:
        key = _load_key(pair.key)
    except (ValueError, TypeError):
        return "cannot load certificate key: PEM_read_bio_PrivateKey() failed"
    if key.public_key() != chain[0].public_key():
        return "SSL_CTX_use_PrivateKey() failed (SSL: error:05800074:x509 certificate routines::key values mismatch)"
    return None


def chain_of(pem: bytes) -> tuple[Certificate, ...]:
    """The certificates in a PEM text, in order; raises ValueError where there is none."""
    x509 = _library()
    return tuple(x509.load_pem_x509_certificates(pem))


def key_kind(certificate: Certificate) -> KeyKind:
    """What kind of key a certificate is for."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    return "rsa" if isinstance(certificate.public_key(), RSAPublicKey) else "ecdsa"


def alternative_names(certificate: Certificate) -> tuple[str, ...]:
    """The host names and addresses in a certificate's subjectAltName."""
    x509 = _library()
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    kinds = (x509.DNSName, x509.IPAddress)
    return tuple(str(value) for kind in kinds for value in found.get_values_for_type(kind))


def common_name(certificate: Certificate) -> str:
    """The subject's CN, or an empty text."""
    x509 = _library()
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


# the library ---------------------------------------------------------------------------------------------------


def instant(time: int) -> datetime:
    """A simulated instant by the calendar."""
    return EPOCH + timedelta(microseconds=time // US)


def self_signed(certificate: Certificate) -> bool:
    """Whether a certificate is its own issuer."""
    return signed_by(certificate, certificate)


def signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer` has signed a certificate."""
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def may_sign(certificate: Certificate) -> bool:
    """Whether a certificate is one of an authority."""
    x509 = _library()
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _library() -> Any:
    try:
        from cryptography import x509
    except ImportError:
        hint = "pip install 'netsim-k8s[tls]'"
        raise ScenarioError(Problem("certificates need the cryptography library", hint=hint)) from None
    return x509


def _name(subject: str | Mapping[str, str]) -> Any:
    x509 = _library()
    parts = {"CN": subject} if isinstance(subject, str) else subject
    return x509.Name([x509.NameAttribute(getattr(x509.NameOID, ATTRIBUTES[key]), parts[key]) for key in parts])


def _general_names(names: Sequence[str]) -> list[Any]:
    x509 = _library()
    return [x509.IPAddress(a) if (a := ip_address(name)) else x509.DNSName(name) for name in names]


def _fingerprint(pair: Pair | None) -> str:
    return hashlib.sha256(pair.certificate).hexdigest() if pair else ""


def _load_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(pem, password=None)


def _pem_of(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem
