"""The random ends of generated names, and the hash in a ReplicaSet's name.

Kubernetes leaves out vowels and look-alikes, so that no word is spelled by chance.
Source: kubernetes `apimachinery/pkg/util/rand/rand.go`.
"""

from __future__ import annotations

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
LONGEST_BASE = 58


def suffix(bits: int, length: int = 5) -> str:
    """Five characters from 64 random bits.

    >>> suffix(0), suffix(2**64 - 1)
    ('bbbbb', '99999')
    """
    text = ""
    for _ in range(length):
        bits *= len(ALPHABET)
        text += ALPHABET[bits >> 64]
        bits &= (1 << 64) - 1
    return text


def generated(base: str, bits: int) -> str:
    """A name from a `generateName`, which is shortened if need be.

    >>> generated("web-", 0), len(generated("w" * 100, 0))
    ('web-bbbbb', 63)
    """
    return base[:LONGEST_BASE] + suffix(bits)


def safe_encoded(number: int) -> str:
    """A number in decimal, each digit (by its ASCII code) replaced by a safe character, as pod-template-hash is.

    >>> safe_encoded(1234567890)
    '56789bcdf4'
    """
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(number))
