"""A service can ask its clients for a certificate: only its names ask, what is shown is judged once and for all clients
alike, and the target is told by the gateway alone."""
import itertools
import subprocess
import time

import pytest

from harness import Client, http_service, wait_until
from harness.client_certificates import (DeviceAuthority, every_kind, in_rfc_9440, seconds_from_now,
                                         services_that_want, subject)
from harness.echo import echo_heads, field, saw
from harness.manual import replaced, shell_block
from harness.tls_clients import CLIENTS, VERSIONS, context_for, is_asked, s_client

PROXY = "127.0.0.7"  # the trusted one
NAMES = ["need.example", "alias.example", "may.example", "open.example", "other.example", "*.wild.example"]
WANT = ["need.example", "alias.example", "may.example", "any.wild.example"]

CASES = {  # what is shown: the reason of a refusal, how X-SSL-Client-Verify begins
    "nothing": ("cert.missing", "NONE"),
    "valid": ("ok", "SUCCESS"),
    "by an intermediate that is sent along": ("ok", "SUCCESS"),
    "by an intermediate that is not sent along": ("cert.untrusted", "FAILED:"),
    "for any purpose": ("ok", "SUCCESS"),
    "for servers and clients": ("ok", "SUCCESS"),
    "for servers only": ("cert.untrusted", "FAILED:"),
    "expired": ("cert.expired", "FAILED:"),
    "not valid yet": ("cert.expired", "FAILED:"),
    "self-signed": ("cert.untrusted", "FAILED:"),
    "of another authority": ("cert.untrusted", "FAILED:"),
    "of another authority, expired": ("cert.untrusted", "FAILED:"),
    "of another authority of the same name": ("cert.untrusted", "FAILED:"),
    "of another authority that is sent along": ("cert.untrusted", "FAILED:"),
    "by a client of ours": ("cert.untrusted", "FAILED:"),
}


@pytest.fixture(scope="module")
def world(module_stage):
    stage = module_stage
    trusted = DeviceAuthority(stage.directory / "devices")
    target = stage.target(echo_heads)
    chain, key = stage.authority.issue("edge", NAMES)
    gateway = stage.gateway({"certificate": [{"name": "edge", "chain": chain, "key": key}],
                             "trust": {"ca": [trusted.ca]}, "service": services_that_want(target.port)}, start=False)
    gateway.config["listen"]["trusted_proxies"] = PROXY
    gateway.write()
    gateway.target, gateway.trusted = target, trusted
    gateway.shown = every_kind(stage.directory, trusted)
    gateway.count = itertools.count()
    return gateway.start()


def fresh_path(gateway):
    return f"/{next(gateway.count)}"


def reached(gateway, path):
    return [request for request in list(gateway.target.requests) if request.url == path]


# ---- What is believed.

@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("case", CASES)
def test_required_admits_whom_trust_vouches_for(world, case, client, version):
    reason, verify = CASES[case]
    path = fresh_path(world)
    response = CLIENTS[client](world.https_port, "need.example", path, world.shown[case], version)
    record = world.only_record(lambda record: record.get("url") == path)
    assert (record["reason"], record["service"]) == (reason, "need.example")
    if reason == "ok":
        assert field(saw(response), "X-SSL-Client-Verify") == [verify]
    else:
        assert response.status == record["status"] == 403 and reason.encode() in response.body
        assert record["verdict"] == "refused" and not reached(world, path)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_optional_admits_everyone_and_tells_the_target(world, case, version):
    head = saw(CLIENTS["python"](world.https_port, "may.example", fresh_path(world), world.shown[case], version))
    verify, = field(head, "X-SSL-Client-Verify")
    assert verify.startswith(CASES[case][1]) and (verify != "FAILED:"), verify
    shown = world.shown[case]
    if verify == "SUCCESS":
        assert field(head, "Client-Cert") == [in_rfc_9440(shown)]
        assert field(head, "X-SSL-Client-DN") == ["CN=phone"]
    else:
        assert not field(head, "Client-Cert") and not field(head, "X-SSL-Client-DN")


def test_none_says_nothing_of_certificates(world):
    for shown in ("nothing", "valid"):
        head = saw(CLIENTS["python"](world.https_port, "open.example", "/", world.shown[shown], "1.3")).lower()
        assert "ssl" not in head and "cert" not in head


@pytest.mark.parametrize("case", ["nothing", "expired", "self-signed"])
def test_a_refused_connection_goes_on_with_the_next_request(world, case):
    paths = [fresh_path(world) for _ in range(3)]
    with Client(world.https_port, context_for(world.shown[case]), "need.example") as client:
        for path in paths:
            response = client.request("need.example", path)
            assert (response.status, response.get("Connection")) == (403, "keep-alive")
        assert client.request("unknown.example").status == 404
    for path in paths:
        assert world.only_record(lambda record: record.get("url") == path)["reason"] == CASES[case][0]


def test_head_is_refused_without_a_body_and_a_body_ends_the_connection(world):
    with Client(world.https_port, context_for(), "need.example") as client:
        assert client.request("need.example", method="HEAD").status == 403
        assert client.request("need.example", method="POST", body=b"x" * 100_000).get("Connection") == "close"
        assert client.read_to_end() == b""


def test_a_certificate_that_expires_meanwhile_is_worth_no_more(world):
    """On the connection that it opened, and on one that resumes its session."""
    until = time.time() + 4
    shown = world.trusted.issue(end=seconds_from_now(4))
    context = context_for(shown)
    with Client(world.https_port, context, "need.example") as client:
        assert client.request("need.example").status == 200
        session = client.sock.session
        wait_until(lambda: time.time() > until + 1.5, "the end of its time")
        assert b"cert.expired" in client.request("need.example").body
    with Client(world.https_port, context, "need.example", session=session) as client:
        assert b"cert.expired" in client.request("need.example").body


# ---- Who is asked.

@pytest.mark.parametrize("name, asked", [
    *[(name, True) for name in WANT], ("open.example", False), ("other.example", False), ("unknown.example", False),
    ("NEED.example", True), ("need.example.", True), ("deep.any.wild.example", True), (None, True),
])
def test_only_names_that_want_one_ask(world, name, asked):
    assert is_asked(world.https_port, name) == asked


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_the_question_names_the_trusted_authorities(world, version):
    said = s_client(world.https_port, "-servername", "need.example", version)
    assert "Acceptable client certificate CA names\nCN = Device CA\n" in said


def test_without_such_a_service_nobody_is_asked(stage):
    gateway = stage.gateway({"trust": {"ca": [DeviceAuthority(stage.directory / "devices").ca]},
                             "service": [http_service("open.example", 80)]})
    assert not is_asked(gateway.https_port) and not is_asked(gateway.https_port, "open.example")


def test_the_default_service_asks_for_every_name_that_no_other_has(stage):
    trusted, target = DeviceAuthority(stage.directory / "devices"), stage.target()
    gateway = stage.gateway({"trust": {"ca": [trusted.ca]}, "service": [
        http_service("open.example", target),
        http_service("rest.example", target, default=True, client_certificate="required")]})
    assert is_asked(gateway.https_port, "unknown.example") and not is_asked(gateway.https_port, "open.example")
    with Client(gateway.https_port, context_for(), "unknown.example") as client:
        assert b"cert.missing" in client.request("unknown.example").body
    with Client(gateway.https_port, context_for(trusted.issue()), "unknown.example") as client:
        assert client.request("unknown.example").status == 200
        assert client.request("open.example").status == 421


# ---- What the target is told.

FORGED = ["Client-Cert", "Client-Cert-Chain", "X-SSL-Client-Verify", "X-SSL-Client-DN", "X-SSL-Client-S-DN",
          "X-SSL-CERT", "SSL-Client-Cert", "SSL-Client-Verify", "SSL-Client-S-DN", "X-Forwarded-Client-Cert",
          "X-Client-Cert"]


def spellings(name):
    underscored = name.replace("-", "_")
    return {name, name.lower(), name.upper(), underscored, underscored.upper(), name.replace("-", "_", 1)}


@pytest.mark.parametrize("connection", ["", "Connection: {names}\r\n"], ids=["", "named in Connection"])
@pytest.mark.parametrize("source", ["127.0.0.2", PROXY], ids=["a client", "a trusted proxy"])
@pytest.mark.parametrize("host, tls", [("need.example", True), ("may.example", True), ("may.example", False),
                                       ("open.example", True), ("open.example", False)])
def test_a_clients_own_word_on_certificates_never_passes(world, host, tls, source, connection):
    shown = world.shown["valid"]
    for at in range(0, len(FORGED), 4):
        names = [spelling for name in FORGED[at:at + 4] for spelling in sorted(spellings(name))]
        fields = "".join(f"{name}: forged\r\n" for name in names) + connection.format(names=", ".join(names))
        with Client(world.https_port if tls else world.http_port, context_for(shown) if tls else None,
                    host if tls else None, source) as client:
            head = saw(client.request(host, fields=fields))
        assert "forged" not in head
        ours = {"need.example": ["SUCCESS"], "may.example": ["SUCCESS" if tls else "NONE"], "open.example": []}[host]
        assert field(head, "X-SSL-Client-Verify") == ours
        certificates = [in_rfc_9440(shown)] if "SUCCESS" in ours else []
        assert field(head, "Client-Cert") == certificates


def test_a_trailer_says_nothing_of_certificates_either(world):
    with Client(world.https_port, context_for(), "may.example") as client:
        client.send("POST /trailer HTTP/1.1\r\nHost: may.example\r\nTransfer-Encoding: chunked\r\n"
                    "Trailer: Client-Cert\r\n\r\n0\r\nClient-Cert: forged\r\nX_SSL_Client_Verify: forged\r\n\r\n")
        assert client.read_response().status == 200
    request, = reached(world, "/trailer")
    assert not any("forged" in value for _, value in request.trailers)


SUBJECTS = {
    "commas and quotes": subject(O='Widgets, "Gears" & Co; <a+b=c>\\', CN="#1 "),
    "UTF-8": subject(CN="Jörg Łukasz 電話"),
    "CR and LF": subject(CN="a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1"),
    "controls": subject(CN="a\0b\tc\x7f\x1b[2J"),
    "many": subject(*[("OU", f"unit {number}, level") for number in range(40)], CN="deep"),
    "twice": subject(("CN", "one"), ("CN", "CN=two")),
    "long": subject(CN="x" * 8000),
    "nobody": subject(),
}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_odd_names_are_told_in_one_harmless_line(world, kind):
    shown = world.trusted.issue(subject_name=SUBJECTS[kind])
    head = saw(CLIENTS["python"](world.https_port, "need.example", "/", shown, "1.3"))
    told, = field(head, "X-SSL-Client-DN")
    openssl = subprocess.run(["openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", shown.chain],
                             capture_output=True, text=True, check=True).stdout.rstrip("\n").removeprefix("subject=")
    assert told == (openssl if len(openssl) <= 1024 else openssl[:1021] + "...")
    assert told.isascii() and told.isprintable() and "\n" not in told
    assert field(head, "Client-Cert") == [in_rfc_9440(shown)]
    assert not field(head, "X-Evil")


@pytest.mark.parametrize("names, reason", [
    (100, "ok"), (300, "ok"), (400, "peek.too_large"), (460, "peek.too_large")])
def test_a_certificate_too_large_for_the_head_is_refused_and_nothing_breaks(world, names, reason):
    shown = world.trusted.issue(alternatives=[f"{'a' * 60}.{'b' * 60}.{number:03}.test" for number in range(names)])
    path = fresh_path(world)
    with Client(world.https_port, context_for(shown), "need.example") as client:
        response = client.request("need.example", path)
    assert world.only_record(lambda record: record.get("url") == path)["reason"] == reason
    assert response.status == (200 if reason == "ok" else 431)
    if reason == "ok":
        assert field(saw(response), "Client-Cert") == [in_rfc_9440(shown)]


# ---- One connection, one service.

def refused_as_misdirected(world, client, host):
    path = fresh_path(world)
    response = client.request(host, path)
    assert response.status == 421 and b"tls.misdirected" in response.body
    assert world.only_record(lambda record: record.get("url") == path)["reason"] == "tls.misdirected"
    assert not reached(world, path)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("server_name, host", [
    ("open.example", "need.example"), ("open.example", "alias.example"), ("open.example", "may.example"),
    ("open.example", "other.example"), ("need.example", "open.example"), ("may.example", "need.example"),
    ("unknown.example", "need.example"), ("any.wild.example", "need.example"), ("need.example", "any.wild.example"),
])
@pytest.mark.parametrize("shown", ["nothing", "valid"])
def test_a_handshake_for_one_service_is_none_for_another(world, server_name, host, shown, version):
    with Client(world.https_port, context_for(world.shown[shown], version), server_name) as client:
        refused_as_misdirected(world, client, host)
        refused_as_misdirected(world, client, host.upper() + ".:443")


def test_the_url_of_the_request_line_is_what_counts(world):
    with Client(world.https_port, context_for(), "open.example") as client:
        response = client.request("open.example", "https://need.example/absolute")
        assert response.status == 421
    assert not reached(world, "/absolute")


@pytest.mark.parametrize("server_name, host", [
    ("need.example", "alias.example"), ("alias.example", "need.example"), ("any.wild.example", "some.wild.example"),
    ("need.example", "NEED.example.:8443"), ("NEED.Example", "need.example")])
def test_the_names_of_one_service_share_a_connection(world, server_name, host):
    with Client(world.https_port, context_for(world.shown["valid"]), server_name) as client:
        for name in (host, server_name, host):
            saw(client.request(name))


def test_a_client_that_names_nobody_may_ask_for_everyone(world):
    with Client(world.https_port, context_for()) as client:
        saw(client.request("open.example"))
        assert b"cert.missing" in client.request("need.example").body
        saw(client.request("other.example"))
    with Client(world.https_port, context_for(world.shown["valid"])) as client:
        for host in ("need.example", "open.example", "may.example"):
            saw(client.request(host))


def test_a_trusted_proxy_brings_many_names_and_no_way_round_certificates(world):
    with Client(world.https_port, context_for(world.shown["valid"]), "open.example", PROXY) as client:
        saw(client.request("other.example"))
        path = fresh_path(world)
        response = client.request("need.example", path)
        assert response.status == 403 and b"cert.missing" in response.body and not reached(world, path)
        assert field(saw(client.request("may.example")), "X-SSL-Client-Verify") == ["NONE"]
    with Client(world.https_port, context_for(world.shown["valid"]), "need.example", PROXY) as client:
        for host in ("alias.example", "open.example", "may.example"):
            saw(client.request(host))


def test_explain_names_the_rule(world):
    told = world.explain("https://need.example/")
    assert "client_certificate" in str(told), told


# ---- The commands of docs/certificates.md.

def test_the_manuals_own_authority_lets_its_device_in(stage):
    folder, host = stage.folder("manual"), "hq.example.com"
    folder.mkdir()

    def run(text):
        return subprocess.run(["sh", "-ec", text], cwd=folder, capture_output=True, text=True, check=True).stdout

    run(shell_block("certificates.md", "-keyout device-ca.key"))
    chain, key = stage.authority.issue("edge", [host])
    gateway = stage.gateway({
        "certificate": [{"name": "edge", "chain": chain, "key": key}], "trust": {"ca": [folder / "device-ca.pem"]},
        "service": [http_service(host, stage.target(), client_certificate="required")]})
    to_us = f"curl --silent --cacert {stage.authority.ca} --connect-to ::127.0.0.1:{gateway.https_port}"
    assert run(replaced(shell_block("certificates.md", "curl --cert"), {"curl": to_us})) == "fine"
    asked = shell_block("certificates.md", "openssl s_client")
    said = run(replaced(asked, {f"-connect {host}:443": f"-connect 127.0.0.1:{gateway.https_port}"}))
    assert "Acceptable client certificate CA names\nCN = Device CA\n" in said
    assert run(shell_block("certificates.md", "openssl verify")) == "phone-17.pem: OK\n"
