"""Certificates made at the prompt: whose name is in them, who has signed them, and whom `curl` believes."""

from __future__ import annotations

import json

import pytest

from netsim.console.session import Lab

CA = 'openssl req -x509 -nodes -days 3650 -newkey rsa:2048 -keyout ca.key -out ca.crt -subj "/CN=Shop CA/O=Shop"'
SIGNED = (
    "openssl req -x509 -nodes -days 90 -CA ca.crt -CAkey ca.key -keyout nginx.key -out nginx.crt "
    '-subj "/CN=my-nginx/O=Shop" -addext "subjectAltName = DNS:my-nginx, IP:203.0.113.2"'
)
OTHER = "openssl req -x509 -nodes -newkey rsa:2048 -keyout other.key -out other.crt -subj /CN=Other"


def secured(lab: Lab) -> str:
    """The node port of an nginx that shows `nginx.crt`."""
    lab("kubectl create secret tls shop --key nginx.key --cert nginx.crt")
    mounts = {"name": "web", "image": "nginx", "ports": [{"containerPort": 443}]}
    mounts |= {"volumeMounts": [{"name": "shop", "mountPath": "/etc/nginx/ssl"}]}
    spec = {"containers": [mounts], "volumes": [{"name": "shop", "secret": {"secretName": "shop"}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"run": "web"}}, "spec": spec}
    (lab.folder / "web.json").write_text(json.dumps(pod))
    lab("kubectl apply -f web.json; kubectl expose pod web --type=NodePort --port=443")
    return lab("kubectl get svc web -o jsonpath='{.spec.ports[0].nodePort}'")


def test_a_client_that_knows_another_authority_is_not_convinced(lab: Lab) -> None:
    for line in (CA, SIGNED, OTHER):
        assert lab(line) == ""
    port = secured(lab)
    node = lab("kubectl get node lab-worker-1 -o jsonpath='{.status.addresses[0].address}'")
    asked = f"--resolve my-nginx:{port}:{node} https://my-nginx:{port}"
    assert "Welcome to nginx!" in lab(f"ssh lab-worker-2 curl -sk {asked}")
    assert "Welcome to nginx!" in lab(f"curl -s --cacert ca.crt {asked}")
    for trusted in ("", "--cacert other.crt"):
        assert lab(f"curl -sS {trusted} {asked}").startswith(
            "curl: (60) SSL certificate problem: unable to get local issuer certificate\nMore details here: "
        )
        assert lab.last.code == 60


def test_a_certificate_is_shown_as_it_was_asked_for(lab: Lab) -> None:
    lab(CA)
    lab(SIGNED)
    began = lab("openssl x509 -in nginx.crt -noout -startdate")
    assert began.startswith("notBefore=Jan  1 00:0")
    assert lab("openssl x509 -in nginx.crt -noout -subject -issuer -ext subjectAltName") == (
        "subject=CN=my-nginx, O=Shop\n"
        "issuer=CN=Shop CA, O=Shop\n"
        "X509v3 Subject Alternative Name: \n"
        "    DNS:my-nginx, IP Address:203.0.113.2\n"
    )
    assert lab("openssl x509 -in nginx.crt -noout -dates").splitlines()[1].startswith("notAfter=Apr  1 00:0")
    assert lab("openssl x509 -in nginx.crt") == lab("cat nginx.crt")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("req -x509 -keyout a -out b -subj CN=x", "req: subject name is expected to be in the format /type0=value0/"),
        ("req -x509 -keyout a -out b -subj /CN=x/C=DEU", "Error making certificate request: "),
        ("req -x509 -keyout a -out b -subj /CN=x -days 0", 'req: Can\'t parse "0" as a number of days\n'),
        (
            "req -x509 -keyout a -out b -CA no.crt",
            "Could not open file or uri for loading CA certificate from no.crt\n",
        ),
        (
            "req -x509 -keyout a -out b -CA ca.crt -CAkey no.key",
            "Could not open file or uri for loading CA private key from no.key\n",
        ),
        (
            "req -x509 -keyout a -out b -CA ca.crt -CAkey other.key",
            "CA certificate and CA private key do not match\n",
        ),
        ("x509 -in no.crt", "Could not open file or uri for loading certificate from no.crt\n"),
        ("x509 -in my-nginx.yaml", "Could not find certificate from my-nginx.yaml\n"),
        ("genrsa", "usage: openssl req -x509 "),
    ],
)
def test_what_cannot_be_made_or_shown_is_refused(lab: Lab, line: str, says: str) -> None:
    lab(CA)
    lab(OTHER)
    assert lab(f"openssl {line}").startswith(says)
    assert lab.last.code == 1
    assert "b" not in lab.files


def test_attributes_that_are_not_known_are_skipped(lab: Lab) -> None:
    assert lab("openssl req -x509 -keyout a -out b -subj /CN=x/Q=y/O=") == (
        'req: Skipping unknown subject name attribute "Q"\n'
        'req: No value provided for subject name attribute "O", skipped\n'
    )
    assert lab("openssl x509 -in b -noout -subject") == "subject=CN=x\n"
