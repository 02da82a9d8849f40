"""Private keys that come out the same each time: derived from what they are for.

A run repeats byte for byte, and a key's bytes are seen: in a Secret's YAML, in the sizes that `describe secret`
prints. So a key is not drawn but derived, by SHAKE-256, from a text that says whose it is: a number below the
curve's order for ECDSA, two primes for RSA. Such keys protect nothing; whoever knows the text knows the key.

Sources: FIPS 202 (SHAKE); FIPS 186-5, appendices A.1 and B.3 (primality by Miller and Rabin).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import shake_256
from math import gcd
from typing import TYPE_CHECKING

from netsim.dataplane.handshake import KeyKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RSA_BITS, EXPONENT = 2048, 65537
ROUNDS = 24  # of the primality test, for each prime that is kept


def derived(kind: KeyKind, text: str) -> RSAPrivateKey | EllipticCurvePrivateKey:
    """The key of that kind that belongs to a text."""
    return derived_rsa(text) if kind == "rsa" else derived_ecdsa(text)


def derived_ecdsa(text: str) -> EllipticCurvePrivateKey:
    """A key on P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(1 + _number(text, "P-256", 40) % (P256_ORDER - 1), ec.SECP256R1())


@lru_cache(maxsize=64)
def derived_rsa(text: str) -> RSAPrivateKey:
    """A key of 2048 bits; it takes some tenths of a second to find its primes."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    p, q = sorted((_prime(text, "p"), _prime(text, "q")), reverse=True)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1) // gcd(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def _number(text: str, purpose: str, size: int) -> int:
    return int.from_bytes(shake_256(f"{purpose}\n{text}".encode()).digest(size))


def _prime(text: str, purpose: str) -> int:
    """The first prime at or above a number that belongs to the text; its two highest bits are set."""
    size = RSA_BITS // 2
    start = _number(text, purpose, size // 8) | 0b11 << size - 2 | 1
    return next(n for n in range(start, 1 << size, 2) if gcd(n - 1, EXPONENT) == 1 and is_prime(n))


@lru_cache(maxsize=1)
def small_primes(below: int = 4000) -> tuple[int, ...]:
    """The primes that nearly all composite numbers are told by."""
    return tuple(n for n in range(3, below) if all(n % d for d in range(2, int(n**0.5) + 1)))


def is_prime(number: int) -> bool:
    """Whether an odd number above 4000 is a prime, as far as Miller and Rabin can tell.

    >>> [n for n in range(4001, 4030, 2) if is_prime(n)]
    [4001, 4003, 4007, 4013, 4019, 4021, 4027]
    """
    if any(number % prime == 0 for prime in small_primes()):
        return False
    return _passes(number, 2) and all(_passes(number, base) for base in small_primes()[:ROUNDS])


def _passes(number: int, base: int) -> bool:
    """One round: whether `base` fails to show that the number is composite."""
    twos = (number - 1 & 1 - number).bit_length() - 1
    power = pow(base, number - 1 >> twos, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
