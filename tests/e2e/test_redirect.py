"""A service can send plain requests on to https: the same URL, nothing forwarded, and no byte of the request becomes
more than a part of that URL."""
import urllib.parse

import pytest

from harness import Client, curl, http_service
from harness.client_certificates import DeviceAuthority
from harness.rude_client import read_ending
from harness.tls_clients import context_for


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target()


@pytest.fixture(scope="module")
def gateway(module_stage, target):
    trusted = DeviceAuthority(module_stage.directory / "devices")
    names = ["go.example", "alias.example", "any.wild.example", "both.example", "need.example"]
    chain, key = module_stage.authority.issue("edge", names)
    gateway = module_stage.gateway({
        "certificate": [{"name": "edge", "chain": chain, "key": key}], "trust": {"ca": [trusted.ca]},
        "service": [
            http_service(["go.example", "alias.example", "[2001:db8::1]"], target, redirect_to_https=True),
            http_service("*.wild.example", target, redirect_to_https=True),
            http_service("rules.example", target, redirect_to_https=True, allow_url=["/in"]),
            http_service("few.example", target, redirect_to_https=True, allow_from=["192.0.2.1"]),
            http_service("both.example", target, redirect_to_https=True, client_certificate="required"),
            http_service("need.example", target, client_certificate="required"),
            http_service("may.example", target, client_certificate="optional"),
            http_service("rest.example", target, default=True, redirect_to_https=True)]})
    gateway.trusted = trusted
    return gateway


def redirected(gateway, response, status, url):
    """Held to this redirect; `url` without scheme and port."""
    host, slash, rest = url.partition("/")
    assert response.status == status, response.head
    assert response.get("Location") == f"https://{host}:{gateway.https_port}{slash}{rest}"
    assert response.get("Cache-Control") == "no-store"


@pytest.mark.parametrize("method, status", [
    ("GET", 301), ("HEAD", 301), ("POST", 308), ("PUT", 308), ("DELETE", 308), ("PATCH", 308), ("OPTIONS", 308),
    ("PROPFIND", 308), ("get", 308)])
def test_the_method_decides_how(gateway, target, method, status):
    with Client(gateway.http_port) as client:
        redirected(gateway, client.request("go.example", f"/how-{method}?q=1", method), status,
                   f"go.example/how-{method}?q=1")
        assert client.request("go.example").status == 301
    record = gateway.only_record(lambda record: record.get("url") == f"/how-{method}?q=1")
    assert (record["reason"], record["verdict"], record["status"]) == ("service.redirected", "refused", status)
    assert record["service"] == "go.example" and not target.received


@pytest.mark.parametrize("asked, name", [
    ("go.example", "go.example"), ("GO.Example.", "go.example"), ("go.example:80", "go.example"),
    ("go.example:8080", "go.example"), ("alias.example", "alias.example"), ("one.wild.example", "one.wild.example"),
    ("[2001:DB8::1]:80", "[2001:db8::1]"), ("unknown.example", "unknown.example")])
def test_the_name_stays_what_was_asked_for(gateway, asked, name):
    with Client(gateway.http_port) as client:
        redirected(gateway, client.request(asked, "/a"), 301, f"{name}/a")


@pytest.mark.parametrize("path", [
    "/", "/?", "/??", "/a//b", "//evil.example/x", "/\\evil.example", "/..//..", "/%0d%0aSet-Cookie:%20a=b", "/%00",
    "/a?b=http://evil.example/&c=%0d%0aX:1", "/" + "x" * 8000, "/a?" + "y" * 8000, "/;p=1",
    "/'\"<script>alert(1)</script>",     "/@evil.example", "/a:b@c", "/%E4%BD%A0", "/{a}|^`"])
def test_odd_paths_stay_paths(gateway, path):
    with Client(gateway.http_port) as client:
        response = client.request("go.example", path)
    redirected(gateway, response, 301, f"go.example{path}")
    parts = urllib.parse.urlsplit(response.get("Location"))
    assert (parts.hostname, parts.port) == ("go.example", gateway.https_port)
    assert b"<script>" not in response.body
    assert not response.all("Set-Cookie") and not response.all("X")


@pytest.mark.parametrize("path", [b"/a\rLocation: x", b"/a\x00", b"/a\x0bb", b"/\xff\xfe", b"/a#b", b"/a\tb"])
def test_what_is_no_url_is_refused_before(gateway, path):
    with Client(gateway.http_port) as client:
        client.send(b"GET " + path + b" HTTP/1.1\r\nHost: go.example\r\n\r\n")
        response = client.read_response()
    assert response.status == 400 and not response.all("Location")


@pytest.mark.parametrize("host", [
    "go.example/evil", "evil@go.example", "go.example\\@evil", "go.example evil", "go.example#"])
def test_what_is_no_host_is_refused_before(gateway, host):
    with Client(gateway.http_port) as client:
        response = client.request(host)
    assert response.status == 400 and not response.all("Location")


def test_an_absolute_url_is_redirected_by_its_own_name(gateway):
    with Client(gateway.http_port) as client:
        redirected(gateway, client.request("alias.example", "http://go.example:81/a?b"), 301, "go.example/a?b")
        redirected(gateway, client.request("alias.example", "http://go.example?b"), 301, "go.example/?b")


def test_options_of_the_server_itself_is_redirected_to_the_server_itself(gateway):
    """A URL without a path is what "*" becomes (RFC 9112 section 3.2.4)."""
    with Client(gateway.http_port) as client:
        response = client.request("go.example", "*", "OPTIONS")
        assert (response.status, response.get("Location")) == (308, f"https://go.example:{gateway.https_port}")


def test_http_1_0_is_redirected_too(gateway):
    with Client(gateway.http_port) as client:
        redirected(gateway, client.request("go.example", "/old", version="HTTP/1.0"), 301, "go.example/old")
        assert client.read_to_end() == b""


def test_http_1_0_without_host_is_sent_to_the_name_of_the_default_service(gateway):
    with Client(gateway.http_port) as client:
        client.send(b"GET /old HTTP/1.0\r\n\r\n")
        redirected(gateway, client.read_response(), 301, "rest.example/old")


def test_http_1_0_without_host_can_not_be_sent_to_a_wildcard(stage):
    gateway = stage.gateway({"service": [http_service("*.wild.example", stage.target(), default=True,
                                                      redirect_to_https=True)]})
    with Client(gateway.http_port) as client:
        client.send(b"GET /old HTTP/1.0\r\n\r\n")
        response = client.read_response()
    assert response.status == 400 and not response.all("Location") and b"service.no_name" in response.body


def test_without_a_default_service_a_request_without_host_is_refused(stage):
    gateway = stage.gateway({"service": [http_service("go.example", stage.target(), redirect_to_https=True)]})
    with Client(gateway.http_port) as client:
        client.send(b"GET /old HTTP/1.0\r\n\r\n")
        assert b"service.no_name" in client.read_response().body


def test_a_body_is_not_read_and_never_forwarded(gateway, target):
    with Client(gateway.http_port) as client:
        body = b"GET /smuggled HTTP/1.1\r\nHost: may.example\r\n\r\n"
        response = client.request("go.example", "/up", "POST", body=body)
        redirected(gateway, response, 308, "go.example/up")
        assert response.get("Connection") == "close" and read_ending(client) == (b"", "closed")
    assert not target.received


def test_an_upload_that_waits_is_told_before_it_sends(gateway):
    with Client(gateway.http_port) as client:
        response = client.request("go.example", "/up", "PUT", fields="Content-Length: 5\r\nExpect: 100-continue\r\n")
        redirected(gateway, response, 308, "go.example/up")


def test_a_websocket_is_redirected_as_well(gateway, target):
    with Client(gateway.http_port) as client:
        response = client.request("go.example", "/ws", fields="Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
        redirected(gateway, response, 301, "go.example/ws")
    assert not target.received


def test_urls_are_not_told_apart_before_https_and_clients_are(gateway):
    with Client(gateway.http_port) as client:
        redirected(gateway, client.request("rules.example", "/out"), 301, "rules.example/out")
        assert b"acl.denied" in client.request("few.example").body
    with Client(gateway.https_port, context_for(), "rules.example") as client:
        assert client.request("rules.example", "/out").status == 403
        assert client.request("rules.example", "/in").status == 200


def test_curl_follows_to_https(gateway, module_stage):
    for options, method in (([], "GET"), (["--data", "a=b"], "POST")):
        said = curl("http://go.example/follow", "--location", "--include", *options, "--connect-to",
                    f"go.example:80:127.0.0.1:{gateway.http_port}", "--connect-to",
                    f"go.example:{gateway.https_port}:127.0.0.1:{gateway.https_port}", ca=module_stage.authority.ca)
        assert said.endswith("fine"), (method, said)


@pytest.mark.parametrize("name", ["need.example"])
def test_a_certificate_can_not_be_shown_in_plain(gateway, name):
    with Client(gateway.http_port) as client:
        response = client.request(name, "/plain", fields="Client-Cert: :AAAA:\r\nX-SSL-Client-Verify: SUCCESS\r\n")
        assert response.status == 403 and b"cert.missing" in response.body and not response.all("Location")
    assert gateway.only_record(lambda record: record.get("url") == "/plain")["reason"] == "cert.missing"


def test_a_service_with_both_redirects_first_and_asks_there(gateway):
    with Client(gateway.http_port) as client:
        redirected(gateway, client.request("both.example", "/a"), 301, "both.example/a")
    with Client(gateway.https_port, context_for(), "both.example") as client:
        assert b"cert.missing" in client.request("both.example").body
    with Client(gateway.https_port, context_for(gateway.trusted.issue()), "both.example") as client:
        assert client.request("both.example").status == 200


def test_on_https_nothing_is_redirected(gateway):
    with Client(gateway.https_port, context_for(), "go.example") as client:
        assert client.request("go.example").status == 200


def test_explain_agrees(gateway):
    assert "service.redirected" in str(gateway.explain("http://go.example/")), gateway.explain("http://go.example/")
    assert "service.redirected" not in str(gateway.explain("https://go.example/"))
