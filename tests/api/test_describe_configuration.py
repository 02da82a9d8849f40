"""describe of ConfigMaps and Secrets: texts as they are, secrets by their length."""

from __future__ import annotations

from netsim.api.describe import describe


def nothing(kind, namespace):
    return []


def test_a_configmap_shows_its_texts_and_counts_its_bytes():
    configmap = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "nginxconfigmap", "namespace": "default"},
        "data": {"default.conf": "server {\n}\n"},
        "binaryData": {"logo": "AAEC"},
    }
    assert describe(configmap, nothing, 0) == (
        "Name:         nginxconfigmap\nNamespace:    default\nLabels:       <none>\nAnnotations:  <none>\n"
        "\nData\n====\ndefault.conf:\n----\nserver {\n}\n\n\n\nBinaryData\n====\nlogo: 3 bytes\n\nEvents:  <none>\n"
    )


def test_a_secret_shows_only_how_long_its_values_are():
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "nginxsecret", "namespace": "default", "labels": {"app": "nginx"}},
        "type": "kubernetes.io/tls",
        "data": {"tls.key": "aGlkZGVu", "tls.crt": "aGk="},
    }
    text = describe(secret, nothing, 0)
    assert text == (
        "Name:         nginxsecret\nNamespace:    default\nLabels:       app=nginx\nAnnotations:  <none>\n"
        "\nType:  kubernetes.io/tls\n\nData\n====\ntls.crt:  2 bytes\ntls.key:  6 bytes\n"
    )
