"""Many small whole numbers as a short text: a number below 64 takes one byte, one below 8192 two, and so on.

Seven bits a byte, the lowest first; the eighth says that the number goes on. The sign is the lowest bit of all
(zigzag), so that small negative numbers are short, too. The bytes are written in base 64: the text is the same
wherever it is made, which no library of compression promises.

Source of the form: the variable-length integers of Protocol Buffers.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import numpy as np
from numpy.typing import NDArray


def packed(values: NDArray[np.int64]) -> str:
    """These numbers, each less than 2**62 from zero, as text.

    >>> packed(np.array([1, -1, 63, 64]))
    'AgF+gAE='
    """
    zigzag = (values << 1) ^ (values >> 63)
    bits = int(zigzag.max(initial=1)).bit_length()
    rest = zigzag[:, None] >> np.arange(0, bits, 7)
    written = rest > 0
    written[:, 0] = True
    return b64encode((rest & 127 | (rest > 127) << 7)[written].astype(np.uint8).tobytes()).decode()


def unpacked(text: str) -> NDArray[np.int64]:
    """The numbers in a text that `packed` has made.

    >>> unpacked("AgF+gAE=").tolist()
    [1, -1, 63, 64]
    """
    data = np.frombuffer(b64decode(text), np.uint8).astype(np.int64)
    last = np.flatnonzero(data < 128)
    first = np.concatenate([[0], last + 1])[:-1]
    place = np.arange(len(data)) - np.repeat(first, last - first + 1)
    zigzag = np.add.reduceat((data & 127) << 7 * place, first)
    return (zigzag >> 1) ^ -(zigzag & 1)
