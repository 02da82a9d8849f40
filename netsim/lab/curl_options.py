"""curl's command line, as far as it is simulated. Data (`-d`) is taken as it stands: no file is read for `@NAME`.

Source: curl(1), `src/tool_getparam.c` (8.x).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from netsim.units import S

PORTS = {"http": 80, "https": 443}


class Wrong(Exception):
    """curl does not even begin: what it says, and its exit code."""

    def __init__(self, text: str, code: int) -> None:
        self.text, self.code = text, code
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Url:
    """What is wanted, and from where."""

    text: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header's value."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass
class Options:
    """What was asked for."""

    urls: list[str] = field(default_factory=list)
    silent: bool = False
    show_error: bool = False
    insecure: bool = False
    verbose: bool = False
    head: bool = False
    include: bool = False
    fail: bool = False
    max_time: int = 0
    connect_timeout: int = 0
    cacert: str = ""
    output: list[str] = field(default_factory=list)
    write_out: str = ""
    resolve: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    tls: str = "1.3"  # the newest version that is allowed
    family: str = ""  # A or AAAA: -4, -6
    headers: list[str] = field(default_factory=list)
    request: str = ""  # -X
    data: list[str] = field(default_factory=list)  # -d: sent, and not looked at

    @property
    def method(self) -> str:
        """The request's first word."""
        return self.request or ("HEAD" if self.head else "POST" if self.data else "GET")

    @property
    def closes(self) -> bool:
        """Whether each connection ends with its answer."""
        return any(header.lower().replace(" ", "") == "connection:close" for header in self.headers)


FLAGS = {
    "s": "silent", "silent": "silent", "S": "show_error", "show-error": "show_error", "k": "insecure",
    "insecure": "insecure", "v": "verbose", "verbose": "verbose", "I": "head", "head": "head", "i": "include",
    "include": "include", "show-headers": "include", "f": "fail", "fail": "fail",
}  # fmt: skip
IGNORED = (
    "L", "location", "g", "globoff", "http1.1", "compressed", "no-keepalive", "N", "no-buffer", "tlsv1.2", "tlsv1.3",
)  # fmt: skip
VALUES = {
    "m": "max-time", "o": "output", "w": "write-out", "max-time": "", "connect-timeout": "", "cacert": "",
    "output": "", "write-out": "", "resolve": "", "tls-max": "", "url": "", "H": "header", "header": "",
    "X": "request", "request": "", "d": "data", "data": "", "data-raw": "data", "data-ascii": "data",
    "data-binary": "data", "A": "user-agent", "user-agent": "", "noproxy": "",
}  # fmt: skip


def parse(argv: Sequence[str]) -> Options:
    """Read a command line, without the command's own name.

    >>> options = parse(["-sk", "-m", "2", "-w", "%{http_code}", "https://my-nginx"])
    >>> options.silent, options.insecure, options.max_time, options.urls
    (True, True, 2000000000, ['https://my-nginx'])
    """
    options = Options()
    words = iter(argv)
    for word in words:
        if word.startswith("--") and len(word) > 2:
            _take(options, word, word[2:], words)
        elif word.startswith("-") and len(word) > 1:
            _short(options, word, words)
        else:
            options.urls.append(word)
    if not options.urls:
        raise Wrong("curl: (2) no URL specified\n" + TRY, 2)
    return options


TRY = "curl: try 'curl --help' or 'curl --manual' for more information\n"


def _short(options: Options, word: str, words: Iterator[str]) -> None:
    """Letters that stand together; one that wants a value takes what is left, or the next word."""
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in "46":
            options.family = "A" if letter == "4" else "AAAA"
        elif letter in VALUES and letters:
            _take(options, f"-{letter}", letter, iter([letters]))
            return
        else:
            _take(options, f"-{letter}", letter, words)


def _take(options: Options, shown: str, name: str, words: Iterator[str]) -> None:
    if name in FLAGS:
        setattr(options, FLAGS[name], True)
    elif name in ("ipv4", "ipv6"):
        options.family = "A" if name == "ipv4" else "AAAA"
    elif name in VALUES:
        value = next(words, None)
        if value is None:
            raise Wrong(f"curl: option {shown}: requires parameter\n{TRY}", 2)
        _value(options, shown, VALUES[name] or name, value)
    elif name not in IGNORED:
        raise Wrong(f"curl: option {shown}: is unknown\n{TRY}", 2)


def _value(options: Options, shown: str, name: str, value: str) -> None:
    if name in ("max-time", "connect-timeout"):
        setattr(options, name.replace("-", "_"), _seconds(shown, value))
    elif name == "resolve":
        host, port, addresses = _resolve(value)
        options.resolve[host, port] = addresses
    elif name == "tls-max":
        options.tls = value if value in ("1.2", "1.3") else "1.3"
    elif name == "url":
        options.urls.append(value)
    elif name == "output":
        options.output.append(value)
    elif name == "header":
        options.headers.append(value)
    elif name == "data":
        options.data.append(value)
    elif name in ("cacert", "write-out", "request"):
        setattr(options, name.replace("-", "_"), value)


def _seconds(shown: str, value: str) -> int:
    try:
        time = float(value)
    except ValueError:
        time = -1
    if not 0 <= time < 1e9:
        raise Wrong(f"curl: option {shown}: expected a proper numerical parameter\n{TRY}", 2)
    return round(time * S)


def _resolve(value: str) -> tuple[str, int, list[str]]:
    host, _, rest = value.partition(":")
    port, _, addresses = rest.partition(":")
    if not port.isdigit() or not addresses:
        raise Wrong(f"curl: (49) Couldn't parse CURLOPT_RESOLVE entry '{value}'\n", 49)
    return host.lower(), int(port), [address.strip("[]") for address in addresses.split(",")]


def url(text: str) -> Url:
    """Take a URL apart; without a scheme it is http.

    >>> url("my-nginx:8080/a?b"), url("https://[fd00::1]").port
    (Url(text='http://my-nginx:8080/a?b', scheme='http', host='my-nginx', port=8080, path='/a?b'), 443)
    """
    full = text if "://" in text else f"http://{text}"
    scheme = full.partition("://")[0].lower()
    if scheme not in PORTS:
        raise Wrong(f'curl: (1) Protocol "{scheme}" not supported\n', 1)
    try:
        parts = urlsplit(full)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Wrong("curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n", 3) from None
    if not host or any(c.isspace() for c in full):
        why = "Malformed input to a URL function" if host else "No host part in the URL"
        raise Wrong(f"curl: (3) URL rejected: {why}\n", 3)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(full, scheme, host, PORTS[scheme] if port is None else port, path)
