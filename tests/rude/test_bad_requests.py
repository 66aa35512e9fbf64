"""Requests that no target may ever see: each is refused with a clear answer and one record, however it is cut into
segments. RFC 9112 sections 2.2, 3.2, 5 and 6; what a lenient proxy and its target read in two ways smuggles.
"""
import ssl
from dataclasses import dataclass

import pytest

from harness import Client
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import returns_descriptors

HOST = b"Host: open.test\r\n"
SECOND = b"GET /smuggled HTTP/1.1\r\nHost: open.test\r\n\r\n"


@dataclass
class Bad:
    name: str
    sent: bytes
    status: int = 400
    reason: str = "peek.malformed"


def get(lines=b"", host=HOST, target=b"/", version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + host + lines + b"\r\n"


def post(lines, body=b"", version=b"HTTP/1.1"):
    """Each could carry a second request past whoever reads the lengths in another way."""
    return b"POST /first " + version + b"\r\n" + HOST + lines + b"\r\n" + body + SECOND


CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLING = [
    Bad("length and encoding", post(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n")),
    Bad("encoding and length", post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n")),
    Bad("two different lengths", post(b"Content-Length: 0\r\nContent-Length: 44\r\n")),
    Bad("the same length twice", post(b"Content-Length: 1\r\nContent-Length: 1\r\n", b"x")),
    Bad("a list of lengths", post(b"Content-Length: 1, 1\r\n", b"x")),
    Bad("a positive sign", post(b"Content-Length: +1\r\n", b"x")),
    Bad("a negative length", post(b"Content-Length: -1\r\n")),
    Bad("an empty length", post(b"Content-Length:\r\n")),
    Bad("a blank length", post(b"Content-Length:  \t \r\n")),
    Bad("a length in two words", post(b"Content-Length: 1 0\r\n")),
    Bad("a hexadecimal length", post(b"Content-Length: 0x10\r\n")),
    Bad("a quoted length", post(b'Content-Length: "1"\r\n', b"x")),
    Bad("a fraction of a byte", post(b"Content-Length: 1.0\r\n", b"x")),
    Bad("a length of 2^63", post(b"Content-Length: 9223372036854775808\r\n")),
    Bad("a length of 2^64", post(b"Content-Length: 18446744073709551616\r\n")),
    Bad("a length of 100 digits", post(b"Content-Length: " + b"9" * 100 + b"\r\n")),
    Bad("gzip", post(b"Transfer-Encoding: gzip\r\n")),
    Bad("identity", post(b"Transfer-Encoding: identity\r\n")),
    Bad("gzip, chunked", post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    Bad("chunked, identity", post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n")),
    Bad("chunked twice in one line", post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")),
    Bad("chunked in two lines", post(CHUNKED + CHUNKED, b"0\r\n\r\n")),
    Bad("chunked with a parameter", post(b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n")),
    Bad("chunked behind a vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),
    Bad("an empty encoding", post(b"Transfer-Encoding:\r\n")),
    Bad("xchunked", post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n")),
    Bad("encoding on HTTP/1.0", post(CHUNKED, b"0\r\n\r\n", b"HTTP/1.0")),
    Bad("encoding with a space before the colon", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")),
    Bad("encoding on a folded line", post(b"X: y\r\n Transfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    Bad("encoding behind a bare CR", post(b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    Bad("encoding behind a bare LF", post(b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
]
HEADS = [
    Bad("no Host", get(host=b"")),
    Bad("two Hosts", get(host=HOST + b"Host: other.test\r\n")),
    Bad("the same Host twice", get(host=HOST + HOST)),
    Bad("an empty Host", get(host=b"Host:\r\n")),
    Bad("two names in one Host", get(host=b"Host: open.test, other.test\r\n")),
    Bad("a user in Host", get(host=b"Host: user@open.test\r\n")),
    Bad("a path in Host", get(host=b"Host: open.test/x\r\n")),
    Bad("a port beyond 65535", get(host=b"Host: open.test:65536\r\n")),
    Bad("a port that is a name", get(host=b"Host: open.test:http\r\n")),
    Bad("a NUL in Host", get(host=b"Host: open.test\0.other.test\r\n")),
    Bad("a bare CR in a value", get(b"X: a\rb\r\n")),
    Bad("a bare LF at the end of a line", get(b"X: a\n")),
    Bad("a bare LF for the empty line", get()[:-2] + b"\n"),
    Bad("bare LFs alone", get().replace(b"\r\n", b"\n")),
    Bad("CR CR LF", get(b"X: a\r\r\n")),
    Bad("a NUL in a value", get(b"X: a\0b\r\n")),
    Bad("a NUL in a name", get(b"X\0Y: a\r\n")),
    Bad("a NUL in the path", get(target=b"/\0")),
    Bad("another control character", get(b"X: a\x08b\r\n")),
    Bad("a folded line", get(b"X: a\r\n b\r\n")),
    Bad("a folded line by a tab", get(b"X: a\r\n\tb\r\n")),
    Bad("a fold as the first line", get(host=b" " + HOST)),
    Bad("a space before the colon", get(b"X : a\r\n")),
    Bad("a tab before the colon", get(b"X\t: a\r\n")),
    Bad("an empty field name", get(b": a\r\n")),
    Bad("a line without a colon", get(b"nothing\r\n")),
    Bad("a blank in a field name", get(b"X Y: a\r\n")),
    Bad("an umlaut in a field name", get("Grüße: a\r\n".encode())),
    Bad("two blanks before the target", get(target=b" /")),
    Bad("two blanks behind the target", get(target=b"/ ")),
    Bad("a tab in the request line", get().replace(b"GET /", b"GET\t/")),
    Bad("a blank at the end of the request line", get(version=b"HTTP/1.1 ")),
    Bad("a blank before the method", b" " + get()),
    Bad("a method with a colon", get().replace(b"GET", b"G:T")),
    Bad("an overlong method", get().replace(b"GET", b"G" * 40)),
    Bad("a target without a slash", get(target=b"index.html")),
    Bad("a fragment", get(target=b"/#x")),
    Bad("raw UTF-8 in the target", get(target="/ü".encode())),
    Bad("another scheme", get(target=b"ftp://open.test/")),
    Bad("a user in the absolute form", get(target=b"http://user@open.test/")),
    Bad("an absolute form without a host", get(target=b"http:///")),
    Bad("GET of *", get(target=b"*")),
    Bad("many empty lines first", b"\r\n" * 20 + get()),
    Bad("HTTP/0.9", b"GET /\r\n\r\n"),
    Bad("a version in lower case", get(version=b"http/1.1")),
    Bad("a version of two digits", get(version=b"HTTP/1.10")),
    Bad("SIP", b"REGISTER sip:open.test SIP/2.0\r\n" + HOST + b"\r\n"),
]
UNSUPPORTED = [
    Bad("HTTP/2.0", get(version=b"HTTP/2.0"), 505, "protocol.unsupported"),
    Bad("HTTP/3.0", get(version=b"HTTP/3.0"), 505, "protocol.unsupported"),
    Bad("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505, "protocol.unsupported"),
    Bad("CONNECT", b"CONNECT open.test:443 HTTP/1.1\r\n" + HOST + b"\r\n", reason="protocol.unsupported"),
    Bad("CONNECT of a path", b"CONNECT / HTTP/1.1\r\n" + HOST + b"\r\n", reason="protocol.unsupported"),
]
TOO_LARGE = [
    Bad("a field of 20 KiB", get(b"X: " + b"a" * 20480 + b"\r\n"), 431, "peek.too_large"),
    Bad("a field name of 20 KiB", get(b"X" * 20480 + b": a\r\n"), 431, "peek.too_large"),
    Bad("a target of 20 KiB", get(target=b"/" + b"a" * 20480), 431, "peek.too_large"),
    Bad("a head of 20 KiB in many fields", get(b"".join(b"X-%d: %s\r\n" % (i, b"a" * 200) for i in range(100))), 431,
        "peek.too_large"),
    Bad("200 fields", get(b"".join(b"X-%d: a\r\n" % i for i in range(200))), 431, "peek.too_large"),
]
# The service fenced.test admits /PBX0/MY and, below /apps/, one segment.
FENCED = b"Host: fenced.test\r\n"
AMBIGUOUS = [b"/PBX0/MY/../ADMIN", b"/PBX0/MY/..", b"/PBX0/MY/./x", b"/PBX0/MY/%2e%2e/ADMIN", b"/PBX0/MY/%2E%2e/ADMIN",
             b"/PBX0/MY/.%2e/ADMIN", b"/PBX0/MY/..%2fADMIN", b"/PBX0/MY/..%2FADMIN", b"/PBX0/MY%2f%2e%2e%2fADMIN",
             b"/PBX0/MYX%2fADMIN", b"//PBX0/MY", b"/PBX0//MY", b"/PBX0/MY//x", b"/PBX0/MY\\..\\ADMIN",
             b"/PBX0/MY%5c..%5cADMIN", b"/PBX0/MY/..;/ADMIN", b"/PBX0/MY/..;x=y/ADMIN", b"/PBX0/MY/;/x",
             b"/PBX0/MY/%252e%252e/ADMIN", b"/PBX0/MY/%25%32%65/ADMIN", b"/PBX0/MY/%c0%ae%c0%ae/ADMIN",
             b"/PBX0/MY/%c0%af..%c0%afADMIN", b"/PBX0/MY%00", b"/PBX0/MY%0d%0aX", b"/PBX0/MY%zz", b"/PBX0/MY%2",
             b"/PBX0/MY/...", b"/PBX0/MY/..%20/ADMIN", b"/apps/..", b"/apps/a%2fb"]
NOT_ALLOWED = [b"/", b"/PBX0/ADMIN", b"/pbx0/my", b"/PBX0/M", b"/apps", b"/apps/a/b", b"/x?/PBX0/MY",
               b"http://fenced.test/PBX0/ADMIN", b"http://fenced.test"]
PATHS = ([Bad(f"ambiguous {path.decode()}", get(host=FENCED, target=path), 400, "url.ambiguous")
          for path in AMBIGUOUS] +
         [Bad(f"outside {path.decode()}", get(host=FENCED, target=path), 403, "url.not_allowed")
          for path in NOT_ALLOWED] +
         [Bad("outside behind another Host", get(target=b"http://fenced.test/PBX0/ADMIN"), 403, "url.not_allowed"),
          Bad("outside in HTTP/1.0", get(host=FENCED, target=b"/PBX0/ADMIN", version=b"HTTP/1.0"), 403,
              "url.not_allowed"),
          Bad("OPTIONS of the server", b"OPTIONS * HTTP/1.1\r\n" + FENCED + b"\r\n", 403, "url.not_allowed")])
ROWS = SMUGGLING + HEADS + UNSUPPORTED + TOO_LARGE + PATHS


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target()


@pytest.fixture(scope="module")
def gateway(module_stage, target):
    service = {"protocol": "http", "target": "127.0.0.1", "plain_port": target.port}
    gateway = module_stage.gateway({"service": [
        {**service, "name": ["open.test", "other.test"]},
        {**service, "name": "fenced.test", "allow_url": ["/PBX0/MY", "/apps/"]}]})
    with Client(gateway.http_port) as client:
        assert client.request("open.test").status == 200
    with returns_descriptors(gateway):
        yield gateway


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_is_refused_and_the_target_sees_nothing(gateway, target, row, send):
    before = target.received
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        send(client, row.sent)
        response = client.read_response()
        assert response.status == row.status, response.head
        if row.reason.startswith("peek.") or response.get("Connection") == "close":
            assert response.get("Connection") == "close"
            assert read_ending(client) == (b"", "closed")
    record = gateway.only_record(from_this)
    assert (record["reason"], record["verdict"], record["status"]) == (row.reason, "refused", row.status)
    assert target.received == before


def test_refuses_over_tls_as_it_does_in_plain(gateway, target, module_stage):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before = target.received
    with Client(gateway.https_port, tls=context, server_name="open.test") as client:
        from_this = from_client(client)
        send_by_bytes(client, SMUGGLING[0].sent)
        assert client.read_response().status == 400
    assert gateway.only_record(from_this)["reason"] == "peek.malformed"
    assert target.received == before


def test_refuses_a_bad_request_behind_a_good_one(gateway, target):
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        client.send(get(target=b"/good") + SMUGGLING[0].sent)
        assert client.read_response().status == 200
        assert client.read_response().status == 400
        assert read_ending(client) == (b"", "closed")
    gateway.wait_record(lambda record: from_this(record) and record["verdict"] == "refused")
    assert [record["reason"] for record in gateway.records(from_this)] == ["ok", "peek.malformed"]
    assert b"/smuggled" not in target.received


@pytest.mark.parametrize("path", ["/PBX0/MY", "/PBX0/MYX/y", "/apps/a", "/PBX0/MY?next=/../%2e%2e//",
                                  "/PBX0/MY/a.b/..c/d..", "/PBX0/MY/%20%41"])
def test_passes_what_only_looks_like_a_trick(gateway, target, path):
    with Client(gateway.http_port) as client:
        assert client.request("fenced.test", path).status == 200
    assert target.requests[-1].url == path


def test_an_offer_of_h2c_is_ignored_and_ends_here(gateway, target):
    """Java's HttpClient makes it with every plain request; a gateway that passed it on could be tunneled through."""
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    with Client(gateway.http_port) as client:
        assert client.request("open.test", "/offered", "POST", offer, b"body").status == 200
        assert client.request("open.test", "/next").status == 200
    offered = target.requests[-2]
    assert (offered.url, offered.body) == ("/offered", b"body")
    assert not any(offered.all(name) for name in ("Upgrade", "Connection", "HTTP2-Settings"))


CLAIMS = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"]


@pytest.mark.parametrize("listed", [*CLAIMS, "Host", "Content-Length", "Via", "x-forwarded-for", "Transfer-Encoding"])
def test_writes_its_own_fields_though_connection_lists_them(gateway, target, listed):
    forged = "".join(f"{name}: 203.0.113.66\r\n" for name in CLAIMS)
    with Client(gateway.http_port) as client:
        listing = f"Connection: {listed}\r\nConnection: close, {listed}\r\n"
        response = client.request("open.test", "/hop", "POST", listing + forged, b"body")
        assert response.status == 200
    seen = target.requests[-1]
    assert seen.get("X-Forwarded-For") == "127.0.0.1"
    assert seen.get("X-Forwarded-Host") == seen.get("Host") == "open.test"
    assert seen.get("X-Forwarded-Proto") == "http"
    assert "203.0.113.66" not in seen.head.decode()
    assert seen.body == b"body"
    assert seen.get("Via")


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "X-Real-IP", "X-Original-URL", "Content_Length",
                                  "Proxy-Authorization", "Keep-Alive", "HTTP2-Settings"])
def test_drops_what_only_a_trusted_proxy_or_the_last_hop_may_say(gateway, target, name):
    with Client(gateway.http_port) as client:
        assert client.request("open.test", "/claim", fields=f"{name}: 1\r\n").status == 200
    assert target.requests[-1].get(name) is None
