"""curl's output, exit codes and times: the tutorial's https part, and everything that can go wrong with it."""

from __future__ import annotations

import pytest
from lab_clusters import READY, deployment, mounting, pod, pods_of, service, simulation

from netsim.lab.certificates import Pair, make_ca, make_certificate
from netsim.lab.curl import curl
from netsim.simulation import Simulation
from netsim.units import MS, S

CERT = "/etc/nginx/ssl/tls.crt"
BOTH = [{"port": 443, "name": "https"}, {"port": 80, "name": "http"}]
MORE = """More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the web page mentioned above.
"""
NGINX_PAGE = """<html>
<head><title>{title}</title></head>
<body>
<center><h1>{heading}</h1></center>
{more}<hr><center>nginx/1.27.3</center>
</body>
</html>
"""
PLAIN = "The plain HTTP request was sent to HTTPS port"
TO_TLS = NGINX_PAGE.format(title=f"400 {PLAIN}", heading="400 Bad Request", more=f"<center>{PLAIN}</center>\n")
TUTORIAL = make_certificate(["secure"], key="rsa", alternative=False, ends=60 * S)  # openssl req -x509 -subj /CN=secure


def secured(pair: Pair = TUTORIAL) -> Simulation:
    """nginx with a Secret, on 443 and 80, behind `secure`, and a client pod that has mounted the same Secret."""
    return simulation(
        pair.secret("nginxsecret"),
        mounting(deployment("secure", ports=(443, 80)), "nginxsecret"),
        service("secure", BOTH, "secure"),
        service("alias", BOTH, "secure"),
        mounting(pod("curlpod"), "nginxsecret"),
    )


@pytest.fixture(scope="module")
def made() -> Simulation:
    return secured()


def said(made: Simulation, *argv: str, origin: str = "pod/curlpod") -> tuple[str, int]:
    text, code, _ = curl(made, origin, argv)
    return text, code


def timed(made: Simulation, *argv: str, what: str = "time_total") -> float:
    """Seconds until a moment of the transfer, as `-w` prints them."""
    text, _ = said(made, *argv, "-s", "-o", "/dev/null", "-w", f"%{{{what}}}")
    return float(text)


def address(made: Simulation) -> str:
    return str(pods_of(made, "secure")[0]["status"]["podIP"])


# the tutorial ---------------------------------------------------------------------------------------------------


def test_k_gets_the_page_from_a_pods_address_whatever_the_certificate_says(made: Simulation) -> None:
    text, code = said(made, "-k", f"https://{address(made)}")
    assert "<h1>Welcome to nginx!</h1>" in text
    assert code == 0


def test_with_the_certificate_as_authority_the_services_name_matches(made: Simulation) -> None:
    text, code = said(made, "https://secure", "--cacert", CERT)
    assert "<h1>Welcome to nginx!</h1>" in text
    assert code == 0


def test_the_page_says_which_pod_answered_and_whom_it_saw(made: Simulation) -> None:
    text, _ = said(made, "http://secure")
    name = made.forwarding.servers["default/curlpod"].addresses[0]
    assert any(f"Pod default/{p['metadata']['name']} on" in text for p in pods_of(made, "secure"))
    assert f"it was asked by {name}." in text


# what goes wrong with TLS ---------------------------------------------------------------------------------------


FAILURES = [
    # what is asked                                   what curl says                                        exit code
    (["https://secure"], "curl: (60) SSL certificate problem: self-signed certificate\n" + MORE, 60),
    (
        ["https://alias", "--cacert", CERT],
        "curl: (60) SSL: certificate subject name 'secure' does not match target host name 'alias'\n" + MORE,
        60,
    ),
    (
        ["https://secure:80", "-k"],
        "curl: (35) TLS connect error: error:0A00010B:SSL routines::wrong version number\n",
        35,
    ),
    (
        ["https://secure", "--cacert", "/nobody/has/it"],
        "curl: (77) error setting certificate verify locations:  CAfile: /nobody/has/it CApath: none\n",
        77,
    ),
    (["http://secure:443"], TO_TLS, 0),
    (["http://kubernetes:443"], "Client sent an HTTP request to an HTTPS server.\n", 0),
    (["https://kubernetes"], "curl: (60) SSL certificate problem: unable to get local issuer certificate\n" + MORE, 60),
]


@pytest.mark.parametrize(("argv", "text", "code"), FAILURES)
def test_what_curl_says_when_tls_fails(made: Simulation, argv: list[str], text: str, code: int) -> None:
    assert said(made, *argv) == (text, code)


def test_a_pods_address_is_not_in_the_certificate(made: Simulation) -> None:
    ip = address(made)
    text, code = said(made, f"https://{ip}", "--cacert", CERT)
    assert f"(60) SSL: certificate subject name 'secure' does not match target host name '{ip}'\n" in text
    assert code == 60


def test_a_certificate_from_an_authority_nobody_knows() -> None:
    ca = make_ca("shop CA")
    made = secured(make_certificate(["secure"], ca))
    text, code = said(made, "https://secure")
    assert text.startswith("curl: (60) SSL certificate problem: unable to get local issuer certificate\n")
    assert code == 60
    files = {"ca.crt": ca.certificate}
    assert curl(made, "pod/curlpod", ["-s", "--cacert", "ca.crt", "https://secure"], files)[1] == 0


def test_the_certificate_expires_while_the_cluster_runs() -> None:
    made = secured()
    assert said(made, "https://secure", "--cacert", CERT)[1] == 0
    made.run(61 * S)
    text, code = said(made, "https://secure", "--cacert", CERT)
    assert text == "curl: (60) SSL certificate problem: certificate has expired\n" + MORE
    assert code == 60
    assert said(made, "-k", "https://secure")[1] == 0  # -k does not look at dates either


def test_a_key_that_does_not_belong_to_the_certificate_leaves_the_port_without_tls() -> None:
    made = secured(Pair(TUTORIAL.certificate, make_certificate(["other"]).key))
    assert said(made, "-k", "https://secure")[1] == 35


# pages that there are not, and methods -------------------------------------------------------------------------


ASKED = [
    # what is asked                                       status
    (["http://secure/"], 200),
    (["http://secure/index.html?a=b"], 200),
    (["http://secure/nobody/has/it"], 404),
    (["-k", "https://secure/nobody"], 404),
    (["-I", "http://secure/nobody"], 404),
    (["-d", "a=1", "http://secure"], 405),
    (["-d", "a=1", "http://secure/nobody"], 404),  # nginx looks for the file first
    (["-X", "POST", "http://secure"], 405),
    (["-XDELETE", "http://secure/nobody"], 405),
    (["-X", "GET", "-d", "a=1", "http://secure"], 200),
]


@pytest.mark.parametrize(("argv", "status"), ASKED)
def test_nginx_has_its_own_pages_and_serves_files_only(made: Simulation, argv: list[str], status: int) -> None:
    assert said(made, "-so", "/dev/null", "-w", "%{http_code}", *argv) == (str(status), 0)


def test_the_page_for_what_is_not_there_is_nginxs() -> None:
    made = secured()
    page = NGINX_PAGE.format(title="404 Not Found", heading="404 Not Found", more="")
    assert said(made, "http://secure/nobody") == (page, 0)
    text, _ = said(made, "-I", "http://secure/nobody")
    assert text.startswith("HTTP/1.1 404 Not Found\nServer: nginx/1.27.3\n")
    assert "Content-Length: 153\n" in text  # with the line ends that nginx writes
    assert said(made, "-f", "http://secure/nobody") == ("curl: (22) The requested URL returned error: 404\n", 22)


def test_data_is_posted_with_its_length(made: Simulation) -> None:
    text, _ = said(made, "-v", "-d", "a=1", "-d", "b=é", "http://secure")
    assert "> POST / HTTP/1.1\n" in text
    assert "> Content-Length: 8\n> Content-Type: application/x-www-form-urlencoded\n>" in text
    assert "< HTTP/1.1 405 Not Allowed\n" in text


# what goes wrong before -----------------------------------------------------------------------------------------


def test_names_ports_and_silence(made: Simulation) -> None:
    assert said(made, "http://nobody") == ("curl: (6) Could not resolve host: nobody\n", 6)
    ip = address(made)
    text, code = said(made, f"http://{ip}:8080")
    assert text.startswith(f"curl: (7) Failed to connect to {ip} port 8080 after ")
    assert text.endswith(" ms: Could not connect to server\n")
    assert code == 7
    assert said(made, "-m", "1", "http://10.9.9.9") == ("curl: (28) Connection timed out after 1000 milliseconds\n", 28)


def test_a_service_without_endpoints_refuses_and_a_dead_node_keeps_one_waiting() -> None:
    made = simulation(service("empty", run="nobody"))
    assert said(made, "http://empty", origin="pod/client")[1] == 7
    node = pods_of(made, "my-nginx")[0]["spec"]["nodeName"]
    ip = pods_of(made, "my-nginx")[0]["status"]["podIP"]
    made.levers.power(node, on=False)
    made.run(READY + S)
    here = next(n for n in ("worker-1", "worker-2") if n != node)
    text, code = said(made, f"http://{ip}", origin=f"node/{here}")
    assert text == f"curl: (28) Failed to connect to {ip} port 80 after 131000 ms: Could not connect to server\n"
    assert code == 28


def test_silence_and_S_as_curl_has_them(made: Simulation) -> None:
    assert said(made, "-s", "http://nobody") == ("", 6)
    assert said(made, "-sS", "http://nobody") == ("curl: (6) Could not resolve host: nobody\n", 6)


WRONG = [
    ([], "curl: (2) no URL specified\n", 2),
    (["--nonsense", "http://a"], "curl: option --nonsense: is unknown\n", 2),
    (["-s9", "http://a"], "curl: option -9: is unknown\n", 2),
    (["-d"], "curl: option -d: requires parameter\n", 2),
    (["-m"], "curl: option -m: requires parameter\n", 2),
    (["ftp://a"], 'curl: (1) Protocol "ftp" not supported\n', 1),
    (["http://a:b"], "curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535\n", 3),
]


@pytest.mark.parametrize(("argv", "first", "code"), WRONG)
def test_a_wrong_command_line_is_answered_as_curl_does(
    made: Simulation, argv: list[str], first: str, code: int
) -> None:
    text, got = said(made, *argv)
    assert text.startswith(first)
    assert got == code


# times ----------------------------------------------------------------------------------------------------------


def test_a_handshake_costs_round_trips_and_work(made: Simulation) -> None:
    ip = address(made)
    argv = ("-k", f"https://{ip}")
    connect, one = (timed(made, *argv, what=what) for what in ("time_connect", "time_appconnect"))
    two = timed(made, *argv, "--tls-max", "1.2", what="time_appconnect")
    assert two - one == pytest.approx(connect, abs=2e-6)  # TLS 1.2 needs one more round trip
    assert one > 2 * connect
    assert (one - connect) * S > 600_000  # signing with RSA


def test_moments_come_in_their_order(made: Simulation) -> None:
    text, _ = said(
        made, "-k", "-o", "/dev/null", "https://secure", "-w",
        "%{time_namelookup} %{time_connect} %{time_appconnect} %{time_starttransfer} %{time_total} %{http_code}",
    )  # fmt: skip
    *times, code = text.split()
    assert code == "200"
    assert [float(t) for t in times] == sorted(float(t) for t in times)
    assert float(times[0]) > 0


def test_the_lookup_over_dns_is_in_the_time(made: Simulation) -> None:
    name = timed(made, "http://secure", what="time_namelookup")
    assert 0 < name < 0.01
    assert timed(made, f"http://{address(made)}", what="time_namelookup") == 0


def each(made: Simulation, *argv: str, what: str) -> list[float]:
    """Seconds until a moment of each of the transfers of one command line."""
    text, _ = said(made, *argv, "-s", "-o", "/dev/null", "-o", "/dev/null", "-w", f"%{{{what}}}\\n")
    return [float(line) for line in text.split()]


def test_two_urls_of_one_host_share_a_connection(made: Simulation) -> None:
    text, _ = said(made, "-sv", "http://secure", "http://secure")
    assert text.count("*   Trying") == 1
    assert "* Re-using existing connection with host secure\n" in text
    first, second = each(made, "-k", "https://secure", "https://secure", what="time_appconnect")
    assert first > second == 0
    assert each(made, "http://secure", "http://secure", what="num_connects") == [1, 0]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_is_resumed_with_the_pod_that_knows_it(made: Simulation, version: str) -> None:
    address_of_pod = f"https://{address(made)}"
    argv = ("-k", "-H", "Connection: close", "--tls-max", version, address_of_pod, address_of_pod)
    assert "< Connection: close\n" in said(made, "-v", *argv)[0]
    assert said(made, "-v", *argv)[0].count("* SSL reusing session ID\n") == 1
    connect = timed(made, f"http://{address(made)}", what="time_connect")
    full, resumed = each(made, *argv, what="time_appconnect")
    saved = connect if version == "1.2" else 0  # the older version saves a round trip, too
    assert full - resumed > saved + 500e-6  # and both the signature


# what else is printed -------------------------------------------------------------------------------------------


def test_verbose_shows_names_dates_and_the_verdict(made: Simulation) -> None:
    text, _ = said(made, "-kv", "https://secure")
    assert "*   Trying 10.0." in text
    assert "* SSL connection using TLSv1.3\n" in text
    assert "*  subject: CN=secure\n*  start date: Dec 31 00:00:00 2025 GMT\n" in text
    assert "*  expire date: Jan  1 00:01:00 2026 GMT\n" in text
    assert "*  SSL certificate verify failed: self-signed certificate, continuing anyway.\n" in text
    assert "> GET / HTTP/1.1\n> Host: secure\n" in text
    assert "< HTTP/1.1 200 OK\n" in text


def test_heads_and_codes(made: Simulation) -> None:
    text, _ = said(made, "-I", "http://secure")
    assert text.startswith("HTTP/1.1 200 OK\nServer: nginx/")
    assert "Welcome" not in text
    assert said(made, "-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "http://secure") == ("200\n", 0)


def test_two_urls_one_after_the_other(made: Simulation) -> None:
    text, code, elapsed = curl(made, "pod/curlpod", ["-s", "http://secure", "http://nobody"])
    assert text.count("Welcome to nginx!</h1>") == 1
    assert code == 6
    assert elapsed > 1 * MS


def test_a_node_does_not_know_the_clusters_names_but_reaches_its_addresses(made: Simulation) -> None:
    assert said(made, "http://secure", origin="node/worker-1")[1] == 6
    service_address = made.store.get("Service", "default", "secure")["spec"]["clusterIP"]  # type: ignore[index]
    assert said(made, "-s", f"http://{service_address}", origin="node/worker-1")[1] == 0


def test_the_same_commands_print_the_same_each_time() -> None:
    def session() -> list[tuple[str, int, int]]:
        made = secured()
        return [curl(made, "pod/curlpod", ["-kv", url]) for url in ("https://secure", "http://secure", "http://nobody")]

    assert session() == session()
