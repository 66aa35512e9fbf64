"""Connections that are slow, silent, cut off, or speak something else than their port does."""
import contextlib
import ssl
import subprocess

import pytest

from harness import Client, curl, wait_until
from harness.rude_client import from_client, read_ending, send_by_bytes
from harness.rude_process import returns_descriptors
from harness.wire import Wire

UNCHECKED = ssl.create_default_context()
UNCHECKED.check_hostname, UNCHECKED.verify_mode = False, ssl.CERT_NONE
GET = b"GET / HTTP/1.1\r\nHost: open.test\r\n\r\n"
LONG = 25  # seconds of patience with a gateway whose own is 10


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target()


@pytest.fixture(scope="module")
def gateway(module_stage, target):
    gateway = module_stage.gateway({"service": [
        {"name": "open.test", "protocol": "http", "target": "127.0.0.1", "plain_port": target.port,
         "idle_timeout": "2s"}]})
    for port, tls in [(gateway.http_port, None), (gateway.https_port, UNCHECKED)]:
        with Client(port, tls, "open.test") as client:
            assert client.request("open.test").status == 200
    with returns_descriptors(gateway):
        yield gateway


def client_hello():
    """The first flight of a TLS client, as bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        UNCHECKED.wrap_bio(incoming, outgoing, server_hostname="open.test").do_handshake()
    return outgoing.read()


def drip(client, data):
    """A byte each second, until the other side has spoken or ended it."""
    for at in range(len(data)):
        client.send(data[at:at + 1])
        if not client.is_silent_for(1):
            return
    raise AssertionError("the gateway listened to the end")


def test_slow_and_silent_clients_are_told_and_let_go(gateway, target):
    """All at once, for each takes the gateway's whole patience: 10 s to the first byte, and again for the head."""
    before = target.received
    hello = client_hello()
    told = {  # what each sends: in plain, or once TLS stands
        "silence": (gateway.http_port, None, b""), "half a head": (gateway.http_port, None, GET[:-2]),
        "half a method": (gateway.http_port, None, b"GE"), "an empty line": (gateway.http_port, None, b"\r\n"),
        "drops": (gateway.http_port, None, b""), "silence in TLS": (gateway.https_port, UNCHECKED, b""),
        "half a head in TLS": (gateway.https_port, UNCHECKED, GET[:-2])}
    left = {  # without TLS nothing can be said to them
        "a TLS port's silence": b"", "half a hello": hello[:len(hello) // 2], "a byte of a hello": hello[:1]}
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(Client(port, tls, "open.test", timeout=LONG))
                   for name, (port, tls, _) in told.items()}
        clients |= {name: stack.enter_context(Client(gateway.https_port, timeout=LONG)) for name in left}
        stories = {name: from_client(client) for name, client in clients.items()}
        for name, client in clients.items():
            client.send(told[name][2] if name in told else left[name])
        drip(clients["drops"], GET[:-2] + b"X: %s\r\n" % (b"a" * 100))
        for name in told:
            response = clients[name].read_response()
            assert (name, response.status, response.get("Connection")) == (name, 408, "close")
            assert read_ending(clients[name])[0] == b""
        for name in left:
            assert b"HTTP" not in read_ending(clients[name])[0]
    for name, story in stories.items():
        expected = "peek.timeout" if name in told else "tls.timeout"
        assert (name, gateway.only_record(story)["reason"]) == (name, expected)
    assert target.received == before


def test_a_client_that_stops_in_its_body_is_told_and_let_go(gateway):
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        client.send(b"POST / HTTP/1.1\r\nHost: open.test\r\nContent-Length: 100\r\n\r\nhalf")
        response = client.read_response()
        assert (response.status, response.get("Connection")) == (408, "close")
    assert gateway.only_record(from_this)["reason"] == "client.stalled"


# The right words at the wrong port.

def test_plain_http_on_the_tls_port_is_answered_in_plain(gateway, target):
    before = target.received
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        response = client.request("open.test")
        assert (response.status, response.get("Connection")) == (400, "close")
        assert b"tls.plain_on_tls_port" in response.body
        assert read_ending(client) == (b"", "closed")
    record = gateway.only_record(from_this)
    assert (record["reason"], record["verdict"]) == ("tls.plain_on_tls_port", "refused")
    assert target.received == before


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH"])
def test_any_method_in_plain_on_the_tls_port_ends_in_one_record(gateway, method):
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        client.send(method + GET[3:])
        read_ending(client)
    assert gateway.only_record(from_this)["reason"] in ("tls.plain_on_tls_port", "tls.handshake")


def test_tls_on_the_plain_port_gets_an_alert(gateway, target):
    before = target.received
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.http_port}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG)
    assert "alert protocol version" in done.stderr, done.stderr
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        client.send(client_hello())
        assert read_ending(client) == (b"\x15\x03\x01\x00\x02\x02\x46", "closed")
    record = gateway.only_record(from_this)
    assert (record["reason"], record["verdict"]) == ("tls.on_plain_port", "refused")
    assert target.received == before


def test_curl_with_the_wrong_scheme_fails_at_once(gateway):
    failed = subprocess.run(["curl", "--silent", "--max-time", "8", "--noproxy", "*", "--insecure",
                             f"https://127.0.0.1:{gateway.http_port}/"], capture_output=True, check=False)
    assert failed.returncode == 35  # 28 would be a timeout
    assert "400" in curl(f"http://127.0.0.1:{gateway.https_port}/", "--max-time", 8)


GARBAGE = {
    "zeros": b"\0" * 100, "all bytes": bytes(range(256)), "high bytes": b"\xff" * 100, "line feeds": b"\n" * 100,
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n", "smtp": b"EHLO example.com\r\n",
    "rdp": b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0",
    "ldap": b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
    "proxy v1": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET,
    "proxy v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\x7f\0\0\1" * 3,
    "sslv2": b"\x80\x2e\x01\0\x02\0\x15\0\0\0\x10" + b"\0" * 40,
    "long line": b"A" * 100_000,
}


@pytest.mark.parametrize("send", [Wire.send, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("port", ["http_port", "https_port"])
def test_garbage_is_refused_and_recorded_once(gateway, target, port, garbage, send):
    if len(garbage) > 10_000 and send is send_by_bytes:
        garbage = garbage[:20_000]
    before = target.received
    with Client(getattr(gateway, port)) as client:
        from_this = from_client(client)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send(client, garbage)
            client.half_close()
        said, _ = read_ending(client)
        if port == "http_port":
            assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ")), said[:100]
    reason = gateway.only_record(from_this)["reason"]
    expected = {"peek.malformed", "peek.too_large"} if port == "http_port" else {"tls.handshake"}
    assert reason in ({"proxy.untrusted"} if b"PROXY" in garbage or b"QUIT" in garbage else expected)
    assert target.received == before


def test_garbage_inside_tls_is_refused_as_in_plain(gateway, target):
    before = target.received
    with Client(gateway.https_port, UNCHECKED, "open.test") as client:
        from_this = from_client(client)
        client.send(GARBAGE["all bytes"])
        assert client.read_response().status == 400
    assert gateway.only_record(from_this)["reason"] == "peek.malformed"
    assert target.received == before


@pytest.mark.filterwarnings("ignore:.*TLSv1:DeprecationWarning")
def test_a_tls_version_of_the_past_is_refused_by_an_alert(gateway):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="(?i)alert protocol version"):
        Client(gateway.https_port, old, "open.test")
    gateway.wait_record(lambda record: record["reason"] == "tls.handshake" and record["tls_client"])


# Clients that go away.

def ends(end):
    return pytest.mark.parametrize("end", end)


@ends(["close", "reset"])
@pytest.mark.parametrize("port", ["http_port", "https_port"])
def test_a_connection_without_a_byte_leaves_no_record(gateway, port, end):
    """Balancers and monitors look in this way."""
    before = gateway.counted()
    with Client(getattr(gateway, port)) as client:
        from_this = from_client(client)
        getattr(client, end)()
    with Client(gateway.http_port) as client:  # a later record proves that an earlier one would be there
        later = from_client(client)
        client.request("unknown.test")
    gateway.only_record(later)
    wait_until(lambda: gateway.counted() == before + 1, "one record")
    assert gateway.records(from_this) == []


@ends(["half_close", "close", "reset"])
def test_an_end_in_the_head_is_recorded_once(gateway, target, end):
    before = target.received
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        client.send(GET[:-2])
        getattr(client, end)()
        if end == "half_close":
            read_ending(client)
    # A reset may overtake the bytes before it; then there was nothing.
    record = gateway.only_record(from_this)
    assert record["reason"] == ("client.reset" if end == "reset" else "client.closed")
    assert target.received == before


@ends(["close", "reset"])
@pytest.mark.parametrize("part", ["first byte", "half hello", "whole hello"])
def test_an_end_in_the_handshake_is_recorded_once(gateway, part, end):
    hello = client_hello()
    with Client(gateway.https_port) as client:
        from_this = from_client(client)
        client.send({"first byte": hello[:1], "half hello": hello[:len(hello) // 2], "whole hello": hello}[part])
        if part == "whole hello":
            client.read_some()
        getattr(client, end)()
    assert gateway.only_record(from_this)["reason"] == "tls.handshake"


@pytest.mark.parametrize("request_bytes", [
    b"GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000,
    b"POST / HTTP/1.1\r\nHost: slow.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
    ids=["GET", "length", "chunked"])
def test_a_client_that_resets_while_the_target_thinks_is_noticed(stage, request_bytes):
    """The target's connection ends too: nobody waits for that answer any more. A mere FIN may be a half-close."""
    def script(connection):
        connection.read_request()
        connection.read_to_end()
    target = stage.target(script)
    gateway = stage.gateway({"service": [{"name": "slow.test", "protocol": "http", "target": "127.0.0.1",
                                          "plain_port": target.port, "idle_timeout": "10m"}]})
    with Client(gateway.http_port) as client:
        client.send(request_bytes)
        wait_until(lambda: target.requests, "the request at the target")
        client.reset()
    assert gateway.only_record(lambda record: True)["reason"] == "client.reset"


@ends(["close", "reset"])
def test_a_client_that_leaves_in_the_answer_is_noticed(stage, end):
    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
    target = stage.target(script)
    gateway = stage.gateway({"service": [{"name": "big.test", "protocol": "http", "target": "127.0.0.1",
                                          "plain_port": target.port}]})
    with Client(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: big.test\r\n\r\n")
        client.read_exactly(100_000)
        getattr(client, end)()
    record = gateway.only_record(lambda record: True)
    assert record["reason"] in ("client.closed", "client.reset")
    assert record["status"] == 200


def test_a_half_closed_client_still_gets_its_answer(gateway):
    with Client(gateway.http_port) as client:
        client.send(GET)
        client.half_close()
        assert client.read_response().status == 200
        assert read_ending(client) == (b"", "closed")


def test_a_client_that_never_reads_its_refusals_is_let_go(gateway):
    """It pipelines thousands of refused requests and takes no answer: the gateway stops reading, then gives up."""
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        client.sock.settimeout(1)
        with contextlib.suppress(OSError):
            while True:
                client.send(b"GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\n" * 1000)
        gateway.wait_record(lambda record: from_this(record) and record["reason"] == "service.unknown")
