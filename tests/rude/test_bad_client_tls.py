"""TLS clients that are too old, too large, in pieces, or never done: each is refused or served, and others go on."""
import ssl
import subprocess
import threading

import pytest

from harness import Client, http_service
from harness.client_certificates import DeviceAuthority, der, subject
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import is_instrumented, resident_kib, returns_descriptors
from harness.rude_tls import (ALERT, HANDSHAKE, InPieces, OpensslClient, cut, first_flight, in_plain, padded_hello,
                              record, records)
from harness.tls_clients import VERSIONS, context_for

GET = b"GET / HTTP/1.1\r\nHost: open.example\r\n\r\n"
OLD = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1}
PROTOCOL_VERSION = 70  # of the alerts (RFC 8446 section 6)


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target()


@pytest.fixture(scope="module", params=["all TLS ends here", "some TLS passes unopened"])
def gateway(request, module_stage, target):
    """With a service of TLS that is passed on, every ClientHello is looked at before it is taken."""
    trusted = DeviceAuthority(module_stage.folder("devices"))
    services = [http_service("open.example", target),
                http_service("need.example", target, client_certificate="required"),
                http_service("may.example", target, client_certificate="optional")]
    if request.param == "some TLS passes unopened":
        services.append({"name": "passed.example", "protocol": "tls", "target": "127.0.0.1", "tls_port": target.port})
    gateway = module_stage.gateway({"trust": {"ca": [trusted.ca]}, "service": services})
    gateway.trusted = trusted
    served(gateway)
    with Client(gateway.https_port, context_for(trusted.issue()), "need.example") as client:
        assert client.request("need.example").status == 200
    with returns_descriptors(gateway):
        yield gateway


def served(gateway):
    """Everybody else."""
    with Client(gateway.https_port, context_for(), "open.example") as client:
        assert client.request("open.example").status == 200


# ---- Versions.

@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", OLD)
def test_versions_before_1_2_are_refused(gateway, version):
    context = context_for()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = OLD[version]
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        client.send(first_flight("open.example", context))
        (kind, alert), = records(read_ending(client)[0])
        assert (kind, alert[1]) == (ALERT, PROTOCOL_VERSION)
    told = gateway.only_record(from_this)
    assert told["reason"] == "tls.handshake" and "protocol" in told["detail"], told
    served(gateway)


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_from_1_2_on_are_served(gateway, version):
    with Client(gateway.https_port, context_for(version=version), "open.example") as client:
        assert client.request("open.example").status == 200
        assert client.sock.version() == f"TLSv{version}"


@pytest.mark.parametrize("ciphers", [
    "NULL-SHA256:@SECLEVEL=0", "AES128-SHA:@SECLEVEL=0", "ADH-AES128-GCM-SHA256:@SECLEVEL=0"])
def test_weak_ciphers_do_no_harm(gateway, ciphers):
    """Without encryption or without a certificate there is no service; an old cipher may be served."""
    context = context_for(version="1.2")
    context.set_ciphers(ciphers)
    served_it = True
    try:
        with Client(gateway.https_port, context, "open.example") as client:
            client.request("open.example")
    except ssl.SSLError:
        served_it = False
    assert not served_it or ciphers.startswith("AES128-SHA")


# ---- What comes after the handshake.

def test_renegotiation_is_refused(gateway):
    with OpensslClient(gateway.https_port, "open.example", 0x0303) as client:
        assert client.send(GET) and b"200 OK" in client.read_some()
        assert not client.renegotiate()
    served(gateway)


def test_s_client_does_not_renegotiate_either(gateway):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.https_port}", "-tls1_2"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT) as program:
        said = b""
        while b"Verify return code" not in said:
            said += program.stdout.readline()
        program.stdin.write(b"R\n")
        program.stdin.flush()
        said += program.stdout.read()  # to its end: it takes the refusal for one
        program.wait(15)
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said, said
    served(gateway)


def test_renegotiations_without_end_end(gateway):
    """The client here goes on after each refusal. It is served in between or cut off, and costs nobody else."""
    with OpensslClient(gateway.https_port, "open.example", 0x0303) as client:
        for _ in range(1000):
            client.renegotiate()
    served(gateway)


def answers_or_ends(client):
    """What the gateway says to a request after all this; b"" when it has ended the connection."""
    return client.read_some() if client.send(GET) else b""


@pytest.mark.parametrize("kind", [OpensslClient.KEY_UPDATE_NOT_REQUESTED, OpensslClient.KEY_UPDATE_REQUESTED])
def test_a_few_key_updates_are_followed(gateway, kind):
    with OpensslClient(gateway.https_port, "open.example", 0x0304) as client:
        for _ in range(5):
            assert client.update_keys(kind)
            assert b"200 OK" in answers_or_ends(client)


@pytest.mark.parametrize("kind", [OpensslClient.KEY_UPDATE_NOT_REQUESTED, OpensslClient.KEY_UPDATE_REQUESTED])
def test_key_updates_without_end_end_the_connection(gateway, kind):
    """Sent by a client that never reads, while others are served."""
    with OpensslClient(gateway.https_port, "open.example", 0x0304) as client:
        from_this = from_client(client.wire)
        sent = threading.Thread(target=lambda: any(not client.update_keys(kind) for _ in range(200_000)))
        sent.start()
        for _ in range(5):
            served(gateway)
        sent.join(60)
        assert not sent.is_alive() and answers_or_ends(client) == b""
    assert len(gateway.records(from_this)) <= 1


# ---- ClientHellos.

@pytest.mark.parametrize("size", [1, 2, 5, 100, 200])
def test_a_hello_in_small_records_is_understood(gateway, size):
    for name, context in (("open.example", context_for()), ("open.example", context_for(version="1.2"))):
        with InPieces(gateway.https_port, name, lambda flight: cut(flight, size), context) as client:
            assert b"200 OK" in client.ask(GET)


def test_a_hello_by_single_bytes_is_understood(gateway):
    with Client(gateway.https_port) as client:
        send_by_bytes(client, first_flight("open.example"))
        assert records(client.read_exactly(100) + client.read_some())[0][0] == HANDSHAKE


@pytest.mark.parametrize("padding", [500, 10_000, 16_000, 20_000, 40_000, 65_000])
@pytest.mark.parametrize("size", [1_000, 16_384])
def test_a_large_hello_is_answered_one_way_or_the_other(gateway, padding, size):
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        send_whole(client, cut_message(padded_hello("open.example", padding), size))
        kind = client.read_exactly(1)[0]
        assert kind == HANDSHAKE if padding <= 10_000 else kind in (HANDSHAKE, ALERT)
    assert gateway.only_record(from_this)["reason"] == "tls.handshake"
    served(gateway)


def cut_message(message, size):
    return b"".join(record(HANDSHAKE, message[at:at + size]) for at in range(0, len(message), size))


@pytest.mark.parametrize("announced", [200_000, 0xFFFFFF])
def test_a_hello_that_announces_too_much_is_not_waited_for(gateway, announced):
    before = resident_kib(gateway.pid)
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        message = b"\x01" + announced.to_bytes(3, "big") + b"\x03\x03" + bytes(190_000)
        send_whole(client, cut_message(message, 16_384))
        data, _ = read_ending(client)
        assert not data or records(data)[0][0] == ALERT
    assert gateway.only_record(from_this)["reason"] == "tls.handshake"
    assert is_instrumented() or resident_kib(gateway.pid) < before + 4096
    served(gateway)


@pytest.mark.parametrize("data", [
    record(HANDSHAKE, b""), record(HANDSHAKE, b"") * 2000, record(ALERT, b"\x01\x00") * 2000,
    record(ALERT, b"\x02\x28"), record(23, b"early"), record(20, b"\x01"), record(HANDSHAKE, b"\x02\x00\x00\x00"),
    record(HANDSHAKE, b"\x01\x00\x00\x00"),
    b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b"\x16\x09\x09\x00\x05hello", b"\x80\x2e\x01\x00\x02" + b"x" * 44],
    ids=["an empty record", "empty records", "warnings", "a fatal alert", "data", "change of ciphers", "a ServerHello",
         "an empty hello", "too long a record", "an unknown version", "SSL 2"])
def test_nonsense_instead_of_a_hello_ends_in_one_record(gateway, data):
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        send_whole(client, data)
        client.half_close()
        said, _ = read_ending(client)
        assert b"HTTP" not in said
    assert gateway.only_record(from_this)["reason"] == "tls.handshake"
    served(gateway)


# ---- Certificates.

def line_of_authorities(gateway, folder, length):
    """So many, each signed by the one before, the first by the trusted one."""
    line, parent = [], gateway.trusted
    for number in range(length):
        parent = DeviceAuthority(folder, f"CA {number}", parent=parent)
        line.insert(0, parent)
    return line


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("length, reason", [(5, "ok"), (50, "ok"), (150, "cert.untrusted")])
def test_a_long_chain_is_judged(gateway, module_stage, length, reason, version):
    line = line_of_authorities(gateway, module_stage.folder("line"), length)
    shown = line[0].issue(issuers=line)
    path = f"/line-{length}-{version}"
    with Client(gateway.https_port, context_for(shown, version), "need.example") as client:
        response = client.request("need.example", path)
    assert response.status == (200 if reason == "ok" else 403)
    assert gateway.only_record(lambda record: record.get("url") == path)["reason"] == reason


def stuffed(gateway, folder, kib):
    """A good certificate, sent with other people's until there are so many KiB."""
    padding = DeviceAuthority(folder, "Padding")
    extra = padding.issue(alternatives=[f"{number:03}.{'p' * 50}.test" for number in range(160)])
    padding.certificate = extra.leaf
    return gateway.trusted.issue(issuers=[padding] * (kib * 1024 // len(der(extra.leaf))))


@pytest.mark.parametrize("version", VERSIONS)
def test_90_kib_of_certificates_are_taken(gateway, module_stage, version):
    shown = stuffed(gateway, module_stage.folder("padding"), 90)
    with Client(gateway.https_port, context_for(shown, version), "need.example") as client:
        assert client.request("need.example").status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["need.example", "may.example"])
def test_more_than_100_kib_of_certificates_are_refused(gateway, module_stage, name, version):
    shown = stuffed(gateway, module_stage.folder("padding"), 130)
    before = resident_kib(gateway.pid)
    with pytest.raises((ssl.SSLError, EOFError, ConnectionError)):
        with Client(gateway.https_port, context_for(shown, version), name) as client:
            from_this = from_client(client)
            client.request(name)
    if version == "1.3":  # else the client has not got so far as to be known here
        assert gateway.only_record(from_this)["reason"] == "tls.handshake"
    assert is_instrumented() or resident_kib(gateway.pid) < before + 4096
    served(gateway)


@pytest.mark.parametrize("version", VERSIONS)
def test_16_kib_of_subject_are_told_in_1_kib(gateway, target, version):
    shown = gateway.trusted.issue(subject_name=subject(*[("OU", f"{number:03}{'u' * 60}") for number in range(250)]))
    assert len(der(shown.leaf)) > 16_000
    with Client(gateway.https_port, context_for(shown, version), "need.example") as client:
        assert client.request("need.example", f"/subject-{version}").status == 200
    request = [one for one in target.requests if one.url == f"/subject-{version}"][-1]
    assert len(request.get("X-SSL-Client-DN")) == 1024 and request.get("X-SSL-Client-DN").endswith("...")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_answer_to_the_question_is_no_certificate(gateway, version):
    """A Certificate message without certificates (RFC 8446 section 4.4.2.4): the handshake goes on."""
    with Client(gateway.https_port, context_for(None, version), "need.example") as client:
        assert b"cert.missing" in client.request("need.example").body
    with Client(gateway.https_port, context_for(None, version), "may.example") as client:
        assert client.request("may.example").status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 100])
def test_a_certificate_in_small_records_is_understood(gateway, size, version):
    """In TLS 1.2; in 1.3 the client's certificate is encrypted, and only its hello can be cut from outside."""
    context = context_for(gateway.trusted.issue(), version)
    with InPieces(gateway.https_port, "need.example", lambda flight: cut(flight, size), context) as client:
        assert b"200 OK" in client.ask(GET.replace(b"open.example", b"need.example"))


def test_a_certificate_without_its_key_is_refused(gateway, target):
    """Somebody else's, with a signature that does not hold: CertificateVerify with one bit turned, in TLS 1.2."""
    turned = []

    def turn(content):
        if content[0] != 15:  # CertificateVerify
            return [content]
        turned.append(content)
        return [content[:-1] + bytes([content[-1] ^ 1])]

    before = target.received
    for name in ("need.example", "may.example"):
        with InPieces(gateway.https_port, name, lambda flight: in_plain(flight, turn),
                      context_for(gateway.trusted.issue(), "1.2")) as client:
            from_this = from_client(client.wire)
            with pytest.raises((ssl.SSLError, EOFError, ConnectionError)):
                client.ask(GET)
        assert gateway.only_record(from_this)["reason"] == "tls.handshake"
    assert len(turned) == 2 and target.received == before
