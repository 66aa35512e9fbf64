"""`protocol = "tls"`: client and target shake hands with one another, and the gateway only reads the name."""
import socket
import ssl

import pytest

from harness import (Client, ScriptedTarget, answer_each, free_port, http_service, plain_answer, sip_service,
                     unverified_context)
from harness import sip_message as sip
from harness.certificates import server_context


class World:
    """A target that wants a client's certificate, beside a service whose TLS ends at the gateway."""

    def __init__(self, stage):
        self.authority = stage.authority
        context = server_context(*self.authority.issue("update.example"))
        context.load_verify_locations(self.authority.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self.target = stage.keep(ScriptedTarget(answer_each(plain_answer(b"by mutual TLS")), tls=context))
        self.plain = stage.target()
        self.gateway = stage.gateway({"service": [
            tls_service("update.example", self.target),
            tls_service("inside.example", self.target, allow_from=["127.0.0.2"]),
            tls_service("*.wild.example", self.target),
            {**tls_service("nobody.example", self.target), "tls_port": self.plain.port},
            http_service("web.example", self.plain)]})
        self.port = self.gateway.https_port

    def client_context(self, with_certificate=True):
        context = self.authority.client_context()
        if with_certificate:
            context.load_cert_chain(*self.authority.issue("device"))
        return context


def tls_service(name, target, **more):
    return {"name": name, "protocol": "tls", "target": "127.0.0.1", "tls_port": target.port, **more}


@pytest.fixture(scope="module")
def world(module_stage):
    return World(module_stage)


def record_of(world, client):
    address = f"127.0.0.1:{client.sock.getsockname()[1]}"
    client.close()
    return world.gateway.wait_record(lambda record: record["client"] == address)


def test_a_client_certificate_reaches_the_server_that_wants_it(world):
    client = Client(world.port, world.client_context(), "update.example")
    assert client.sock.getpeercert()["subject"] == ((("commonName", "update.example"),),), "the target's own certificate"
    assert client.request("update.example").body == b"by mutual TLS"
    record = record_of(world, client)
    assert (record["protocol"], record["verdict"], record["reason"]) == ("tls", "forwarded", "ok")
    assert (record["service"], record["looked_for"]) == ("update.example", "update.example")
    assert record["target"] == f"127.0.0.1:{world.target.port}" and record["bytes_in"] > 0 and record["bytes_out"] > 0


def test_without_one_it_is_the_server_that_refuses(world):
    with Client(world.port, world.client_context(with_certificate=False), "update.example") as client:
        with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
            client.request("update.example")


def test_services_whose_tls_ends_here_live_on_the_same_port(world):
    with Client(world.port, unverified_context(), "web.example") as client:
        assert client.request("web.example").status == 200


def test_on_the_port_of_another_protocol_its_own_services_come_first(stage):
    """A telephone of example.com that sends its registrar's name wants the registrar, not the update server beside it."""
    registrar, authority = stage.target(sip.registrar), stage.authority
    update = stage.keep(ScriptedTarget(answer_each(), tls=server_context(*authority.issue("update.example"))))
    gateway = stage.gateway({"listen": {"sips": f"127.0.0.1:{free_port()}"},
                             "service": [sip_service("hq.example.com", registrar), tls_service("hq.example.com", update),
                                         tls_service("update.example", update)]})
    with Client(gateway.sips_port, unverified_context(), "hq.example.com") as phone:
        phone.send(sip.request())
        assert sip.read_message(phone).status == 200
    assert len(registrar.requests) == 1
    with Client(gateway.sips_port, authority.client_context(), "update.example") as client:
        assert client.request("update.example").status == 200


def test_a_wildcard_names_a_service_too(world):
    context = world.client_context()
    context.check_hostname = False
    with Client(world.port, context, "Any.Wild.Example") as client:
        assert client.request("any.wild.example").body == b"by mutual TLS"


def test_a_hello_in_pieces_is_waited_for(world):
    client = Client(world.port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = world.client_context().wrap_bio(incoming, outgoing, server_hostname="update.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(hello)):
        client.send(hello[i:i + 1])
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            client.send(outgoing.read())
            incoming.write(client.sock.recv(65536))
    assert tls.getpeercert()["subject"] == ((("commonName", "update.example"),),)
    client.close()


def test_who_may_not_gets_an_alert_and_a_record(world):
    client = Client(world.port)
    address = f"127.0.0.1:{client.sock.getsockname()[1]}"
    with pytest.raises(ssl.SSLError, match="ALERT_ACCESS_DENIED"):
        unverified_context().wrap_socket(client.sock, server_hostname="inside.example")
    record = world.gateway.wait_record(lambda record: record["client"] == address)
    assert (record["protocol"], record["verdict"], record["reason"]) == ("tls", "refused", "acl.denied")
    assert world.gateway.explain("tls:inside.example")["reason"] == "acl.denied"
    assert world.gateway.explain("tls:inside.example", "127.0.0.2")["leg"] == "unopened"


def test_a_target_that_is_not_there_is_an_alert_and_a_record(stage):
    gone = stage.target()
    gateway = stage.gateway({"service": [tls_service("gone.example", gone)]})
    gone.stop()
    client = Client(gateway.https_port)
    with pytest.raises(ssl.SSLError, match="ALERT_INTERNAL_ERROR"):
        unverified_context().wrap_socket(client.sock, server_hostname="gone.example")
    assert gateway.wait_record()["reason"] == "target.refused"


def test_a_reload_cuts_nothing_but_what_lost_its_service(stage):
    authority = stage.authority
    target = stage.keep(ScriptedTarget(answer_each(), tls=server_context(*authority.issue("stays.example", ["stays.example", "goes.example"]))))
    gateway = stage.gateway({"node": {"drain_timeout": "500ms"},
                             "service": [tls_service("stays.example", target), tls_service("goes.example", target)]})
    stays, goes = (Client(gateway.https_port, authority.client_context(), name) for name in ("stays.example", "goes.example"))
    del gateway.config["service"][1]
    gateway.write()
    gateway.reload()
    address = f"127.0.0.1:{goes.sock.getsockname()[1]}"
    assert gateway.wait_record(lambda record: record["client"] == address)["reason"] == "service.removed"
    assert stays.request("stays.example").status == 200
    stays.close()
