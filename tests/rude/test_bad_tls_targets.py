"""TLS towards the target: who can't prove to be it gets nothing of the request, and what was cut is not whole."""
import pytest

from harness import Authority, Client, ScriptedTarget, plain_answer
from harness.certificates import server_context
from harness.rude_client import TRUNCATED

HEAD = b"HTTP/1.1 200 OK\r\n"


def service(name, **leg):
    return {"name": name, "protocol": "http", "target": "127.0.0.1", "idle_timeout": "1s", **leg}


def by_tls(name, target, authority, **more):
    return service(name, tls_port=target.port, target_ca=authority.ca, **more)


@pytest.fixture
def tls_target(stage):
    """Makes a TLS target whose certificate is what these arguments of Authority.issue say, of this authority."""
    def make(authority, *arguments, script=None, **options):
        return stage.keep(ScriptedTarget(script, server_context(*authority.issue(*arguments, **options))))
    return make


def says(answer):
    def script(connection):
        connection.read_request()
        connection.send(answer)
    return script


def speaks_plain(connection):
    """Takes a TLS hello for a bad request, as servers do."""
    connection.read_some()
    connection.send(plain_answer(b"plain", "400 Bad Request"))


def test_a_target_whose_certificate_does_not_hold_is_refused(stage, tls_target):
    stranger = Authority(stage.directory / "stranger", "Stranger CA")
    targets = {"untrusted.test": tls_target(stranger, "untrusted.test"),
               "wrong.test": tls_target(stage.authority, "right.test"),
               "expired.test": tls_target(stage.authority, "expired.test", days=-1),
               "plain.test": stage.target(speaks_plain)}
    gateway = stage.gateway({"service": [by_tls(name, target, stage.authority) for name, target in targets.items()]})
    for name, target in targets.items():
        with Client(gateway.http_port) as client:
            response = client.request(name, "/secret", fields="Cookie: secret\r\n")
            assert (name, response.status) == (name, 502)
            assert b"target.tls" in response.body
        record = gateway.only_record(lambda record, name=name: record["looked_for"] == name)
        assert (record["reason"], record["verdict"], record["tls_target"]) == ("target.tls", "refused", True)
        assert record["detail"]
        assert b"secret" not in target.received


def test_a_tls_target_on_the_plain_port_is_named_malformed_or_closed(stage, tls_target):
    target = tls_target(stage.authority, "tls.test")
    gateway = stage.gateway({"service": [service("tls.test", plain_port=target.port)]})
    with Client(gateway.http_port) as client:
        assert client.request("tls.test").status == 502
    assert gateway.only_record(lambda record: True)["reason"] in ("target.malformed", "target.closed")


def test_a_tls_target_that_never_shakes_hands_times_out(stage):
    target = stage.target(lambda connection: connection.stall())
    gateway = stage.gateway({"service": [by_tls("deaf.test", target, stage.authority, connect_timeout="500ms")]})
    with Client(gateway.http_port) as client:
        assert client.request("deaf.test").status == 504
    assert gateway.only_record(lambda record: True)["reason"] == "target.timeout"


@pytest.mark.parametrize("answer", [HEAD + b"\r\nfine", HEAD + b"Content-Length: 100\r\n\r\nfine",
                                    HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n"],
                         ids=["until close", "length", "chunked"])
def test_an_end_without_close_notify_is_a_cut(stage, tls_target, answer):
    """Anyone can forge a FIN: it ends nothing that only the connection's end delimits (RFC 9112 section 9.8)."""
    target = tls_target(stage.authority, "tls.test", script=says(answer))
    gateway = stage.gateway({"service": [by_tls("tls.test", target, stage.authority)]})
    with Client(gateway.http_port) as client:
        with pytest.raises(TRUNCATED):
            response = client.request("tls.test")
            pytest.fail(f"looks whole: {response.head + response.body!r}")
    assert gateway.only_record(lambda record: True)["reason"] == "target.closed"
