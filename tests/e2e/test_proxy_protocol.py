"""PROXY headers: a balancer in front says who the client is, and the gateway says it to targets that ask."""
import contextlib
import ssl

import pytest

from harness import (BALANCER, Client, free_port, has_ipv6, http_service, plain_answer, seen, unverified_context,
                     wait_until)
from harness.haproxy import answers, balances
from harness.proxy_header import LOCAL, UNKNOWN, header
from harness.rude_client import read_ending, send_by_bytes

VERSIONS = ["v1", "v2"]
SCHEMES = ["http", "https"]
ADDRESSES = ["127.0.0.1", "::1"][:1 + has_ipv6()]
GET = b"GET /%s HTTP/1.1\r\nHost: web.example\r\n\r\n"


def tls_service(name, port, **more):
    return {"name": name, "protocol": "tls", "target": "127.0.0.1", "tls_port": port, **more}


def end_of(client):
    """This end of the connection, as records write it."""
    host, port = client.sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def context_for(scheme):
    return unverified_context() if scheme == "https" else None


# ---------------------------------------------------------------- a balancer in front


class Front:
    """haproxy in front of a gateway, by a port for each version, listener and family."""

    def __init__(self, stage):
        self.target = stage.nginx("target", ["sealed.example"])
        self.gateway = stage.gateway({"listen": {"proxy_from": BALANCER}, "service": [
            http_service("web.example", self.target),
            http_service("inside.example", self.target, allow_from=["127.0.0.7", "::1"]),
            tls_service("sealed.example", self.target.tls_port),
            tls_service("sealed-inside.example", self.target.tls_port, allow_from="127.0.0.7")]})
        self.ports = {"http": self.gateway.http_port, "https": self.gateway.https_port}
        self.haproxy = stage.haproxy({
            f"{version}-{scheme}-{address}": {**balances(self.ports[scheme], version), "bind": address}
            for version in VERSIONS for scheme in SCHEMES for address in ADDRESSES})

    def client(self, version, scheme, name="web.example", address="127.0.0.1", source=None):
        return Client(self.haproxy.ports[f"{version}-{scheme}-{address}"], context_for(scheme), name, source, address)

    def balancer(self, scheme="http"):
        """A connection of the balancer's own, for a test to write the header."""
        return Client(self.ports[scheme], source=BALANCER)


@pytest.fixture(scope="module")
def front(module_stage):
    return Front(module_stage)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_client_is_the_one_that_the_balancer_names(front, version, scheme, address):
    source = "127.0.0.7" if address == "127.0.0.1" else None
    path = f"/named-{version}-{scheme}-{address}"
    with front.client(version, scheme, address=address, source=source) as client:
        answer = seen(client.request("web.example", path).body)
        end = end_of(client)
    assert answer["xff"] == (source or address)
    assert answer["xfp"] == scheme
    assert answer["told"] == "", "the target did not ask to be told"
    assert front.gateway.only_record(lambda record: record.get("url") == path)["client"] == end


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("version", VERSIONS)
def test_allow_from_goes_by_the_client_that_the_balancer_names(front, version, scheme):
    for source, status in (("127.0.0.7", 200), ("127.0.0.8", 403)):
        with front.client(version, scheme, "inside.example", source=source) as client:
            assert client.request("inside.example").status == status
            end = end_of(client)
        reason = "ok" if status == 200 else "acl.denied"
        assert front.gateway.only_record(lambda record: record["client"] == end)["reason"] == reason


@pytest.mark.parametrize("version", VERSIONS)
def test_tls_that_passes_unopened_goes_by_it_too(front, version):
    with front.client(version, "https", "sealed.example", source="127.0.0.7") as client:
        assert seen(client.request("sealed.example").body)["name"] == "target"
        end = end_of(client)
    record = front.gateway.only_record(lambda record: record["client"] == end)
    assert (record["protocol"], record["service"], record["reason"]) == ("tls", "sealed.example", "ok")
    with front.client(version, "https", "sealed-inside.example", source="127.0.0.7") as client:
        assert client.request("sealed-inside.example").status == 200
    with pytest.raises(ssl.SSLError, match="ALERT_ACCESS_DENIED"):
        front.client(version, "https", "sealed-inside.example", source="127.0.0.8")
    front.gateway.wait_record(lambda record: record["reason"] == "acl.denied" and record["protocol"] == "tls")


def first_flight(name):
    """A ClientHello, and the halves of the TLS engine that go on with it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    engine = unverified_context().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        engine.do_handshake()
    return engine, incoming, outgoing


def shake_hands(client, engine, incoming, outgoing):
    while True:
        with contextlib.suppress(ssl.SSLWantReadError):
            engine.do_handshake()
            client.send(outgoing.read())
            return
        client.send(outgoing.read())
        incoming.write(client.sock.recv(65536))


@pytest.mark.parametrize("send", [Client.send, send_by_bytes], ids=["one segment", "single bytes"])
@pytest.mark.parametrize("version", VERSIONS)
def test_header_and_request_come_in_whatever_segments(front, version, send):
    path = f"pieces-{version}-{send.__name__}"
    with front.balancer() as client:
        send(client, header(version, ("198.51.100.9", 4711)) + GET % path.encode())
        assert seen(client.read_response().body)["xff"] == "198.51.100.9"
        assert seen(client.request("web.example", f"/{path}-2").body)["xff"] == "198.51.100.9", "of the whole connection"
    for url in (f"/{path}", f"/{path}-2"):
        record = front.gateway.only_record(lambda record: record.get("url") == url)  # noqa: B023
        assert record["client"] == "198.51.100.9:4711"


@pytest.mark.parametrize("name, port", [("web.example", 4712), ("sealed.example", 4713)])
@pytest.mark.parametrize("send", [Client.send, send_by_bytes], ids=["one segment", "single bytes"])
@pytest.mark.parametrize("version", VERSIONS)
def test_header_and_client_hello_come_in_whatever_segments(front, version, send, name, port):
    address = f"2001:db8::{version[1]}:{len(send.__name__)}"
    with front.balancer("https") as client:
        engine, incoming, outgoing = first_flight(name)
        send(client, header(version, (address, port)) + outgoing.read())
        shake_hands(client, engine, incoming, outgoing)
        engine.write(b"GET /hello HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % name.encode())
        client.send(outgoing.read())
        assert read_ending(client)[0] != b""
    assert front.gateway.only_record(lambda record: record["client"] == f"[{address}]:{port}")["service"] == name


@pytest.mark.parametrize("own", [UNKNOWN, b"PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n", LOCAL],
                         ids=["UNKNOWN", "UNKNOWN and more", "LOCAL"])
def test_a_header_that_names_nobody_leaves_the_connection_its_own_client(front, own):
    path = f"own-{len(own)}"
    with front.balancer() as client:
        client.send(own + GET % path.encode())
        assert seen(client.read_response().body)["xff"] == BALANCER
        end = end_of(client)
    assert front.gateway.only_record(lambda record: record.get("url") == f"/{path}")["client"] == end


def test_probes_leave_no_record(front):
    with front.balancer() as last:
        before = front.gateway.counted()
        for scheme in SCHEMES:
            for probe in (b"", UNKNOWN, LOCAL):
                with front.balancer(scheme) as client:
                    client.send(probe)
                    client.half_close()
                    assert read_ending(client)[0] == b""
                with front.balancer(scheme) as client:
                    client.send(probe)
                    client.reset()
        last.send(header("v1", ("198.51.100.10", 1)) + GET % b"after-probes")
        assert last.read_response().status == 200
    front.gateway.wait_record(lambda record: record.get("url") == "/after-probes")
    assert front.gateway.counted() == before + 1


def test_the_balancers_own_checks_are_asked_in_its_own_name(stage):
    target = stage.target()
    gateway = stage.gateway({"listen": {"proxy_from": BALANCER}, "service": [http_service("web.example", target)]})
    stage.haproxy({version: balances(gateway.http_port, version, check=True) for version in VERSIONS})
    wait_until(lambda: len(target.requests) >= 6, "some checks")
    records = gateway.records()
    assert {record["client"].split(":")[0] for record in records} == {BALANCER}
    assert {record["reason"] for record in records} == {"ok"}


def test_each_client_behind_the_balancer_has_a_cap_of_its_own(stage):
    gateway = stage.gateway({"listen": {"proxy_from": BALANCER, "max_connections_per_client": 2},
                             "service": [http_service("web.example", stage.target())]})
    haproxy = stage.haproxy({"front": balances(gateway.http_port, "v2")})
    with contextlib.ExitStack() as stack:
        enter = lambda source: stack.enter_context(Client(haproxy.ports["front"], source=source))  # noqa: E731
        for source in ["127.0.0.7", "127.0.0.8", "127.0.0.7", "127.0.0.8"]:
            assert enter(source).request("web.example").status == 200
        third = enter("127.0.0.7")
        third.send(GET % b"")
        assert read_ending(third)[0] == b""
        end = end_of(third)
        assert enter("127.0.0.9").request("web.example").status == 200
    assert gateway.only_record(lambda record: record["reason"] == "limit.client")["client"] == end


# ---------------------------------------------------------------- targets that are told


class Told:
    """Services that tell nginx, haproxy and a target that keeps the headers who asks: over a plain leg, over one of the
    gateway's TLS and by TLS that passes unopened."""

    def __init__(self, stage):
        listen = {key: [f"{address}:{port}" for address in ("127.0.0.1", "[::1]")[:len(ADDRESSES)]]
                  for key, port in (("http", free_port()), ("https", free_port()))}
        self.scripted = {scheme: stage.target(tell_header, ["t.example"] if scheme == "https" else None,
                                              proxy_protocol=True) for scheme in SCHEMES}
        self.nginx = stage.nginx("nginx", ["t.example"], proxy_protocol=True)
        certificate = stage.authority.issue("haproxy", ["t.example"])
        self.haproxy = stage.haproxy({"http": answers(), "https": answers(certificate)})
        ports = {"scripted": [target.port for target in self.scripted.values()],
                 "nginx": [self.nginx.port, self.nginx.tls_port], "haproxy": [*self.haproxy.ports.values()]}
        services = []
        for version in VERSIONS:
            for kind, (plain, tls) in ports.items():
                services += [http_service(f"plain.{version}.{kind}", plain, proxy_protocol=version),
                             http_service(f"tls.{version}.{kind}", tls=tls, proxy_protocol=version, target_verify=False),
                             tls_service(f"sealed.{version}.{kind}", tls, proxy_protocol=version)]
        self.gateway = stage.gateway({"listen": listen, "service": services})
        self.ports = {"http": self.gateway.http_port, "https": self.gateway.https_port}

    def client(self, name, scheme="http", address="127.0.0.1", source=None):
        scheme = "https" if name.startswith("sealed") else scheme
        return Client(self.ports[scheme], context_for(scheme), name, source, address)


def tell_header(connection):
    while connection.read_request():
        header = connection.header
        connection.send(plain_answer(f"told={header.source}\nversion={header.version}\nown={header.own}\n"
                                     f"connection={id(connection)}\n"))


@pytest.fixture(scope="module")
def told(module_stage):
    return Told(module_stage)


LEGS = ["plain", "tls", "sealed"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_target_reads_in_front_of_everything_else_who_asks(told, version, leg, address):
    source = "127.0.0.7" if address == "127.0.0.1" else None
    name = f"{leg}.{version}.scripted"
    with told.client(name, address=address, source=source) as client:
        answer = seen(client.request(name).body)
        assert (answer["told"], answer["version"]) == (end_of(client), version)
        host, port = client.sock.getpeername()[:2]
        assert answer["own"] == (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_real_servers_know_the_client(told, kind, version, leg, address):
    source = "127.0.0.7" if address == "127.0.0.1" else None
    name = f"{leg}.{version}.{kind}"
    with told.client(name, address=address, source=source) as client:
        answer = seen(client.request(name, f"/{name}-{address}").body)
        host, port = client.sock.getsockname()[:2]
    known = ("told", "told_port") if kind == "nginx" else ("peer", "peer_port")
    assert (answer["name"], *(answer[key] for key in known)) == (kind, host, str(port))
    if kind == "nginx":
        wait_until(lambda: f"{host}:{port} /{name}-{address}" in told.nginx.log_lines(), "its log to say so")


@pytest.mark.parametrize("leg", ["plain", "tls"])
@pytest.mark.parametrize("version", VERSIONS)
def test_no_two_clients_share_a_target_connection(told, version, leg):
    name = f"{leg}.{version}.scripted"
    used = {}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(told.client(name, source=f"127.0.0.{7 + at}")) for at in range(3)]
        for _ in range(4):
            for client in clients:
                answer = seen(client.request(name).body)
                assert answer["told"] == end_of(client)
                used.setdefault(answer["connection"], set()).add(answer["told"])
    with told.client(name, source="127.0.0.7") as late:
        answer = seen(late.request(name).body)
        assert answer["told"] == end_of(late)
        used.setdefault(answer["connection"], set()).add(answer["told"])
    assert all(len(clients) == 1 for clients in used.values()), used


@pytest.mark.parametrize("version", VERSIONS)
def test_the_target_of_a_websocket_is_told_too(stage, version):
    def script(connection):
        connection.accept_websocket()
        connection.send_frame(connection.header.source.encode())
        connection.read_frame()
    target = stage.target(script, proxy_protocol=True)
    gateway = stage.gateway({"service": [http_service("ws.example", target, proxy_protocol=version)]})
    with Client(gateway.http_port, source="127.0.0.7") as client:
        client.open_websocket("ws.example")
        assert client.read_frame()[1].decode() == end_of(client)
        client.send_frame(b"bye", masked=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_health_checks_speak_for_the_gateway_itself(stage, version):
    target = stage.target(tell_header, proxy_protocol=True)
    nginx = stage.nginx("nginx", proxy_protocol=True)
    gateway = stage.gateway({"service": [
        http_service(f"{name}.example", port, proxy_protocol=version, health="http /health", health_interval="1s")
        for name, port in (("scripted", target), ("nginx", nginx))]})
    wait_until(lambda: len(target.requests) >= 2 and len(nginx.log_lines()) >= 2, "two checks of each")
    assert {(connection.header.version, connection.header.source) for connection in target.connections} == {(version, "")}
    assert not gateway.messages("left out") and not nginx.log_lines("error.log")
    with Client(gateway.http_port, source="127.0.0.7") as client:
        assert seen(client.request("nginx.example").body)["told"] == "127.0.0.7"


def test_who_was_named_by_a_balancer_is_named_to_the_target(stage):
    target = stage.target(tell_header, proxy_protocol=True)
    gateway = stage.gateway({"listen": {"proxy_from": BALANCER},
                             "service": [http_service("web.example", target, proxy_protocol="v1")]})
    with Client(gateway.http_port, source=BALANCER) as client:
        client.send(header("v2", ("2001:db8::7", 4711)) + GET % b"")
        answer = seen(client.read_response().body)
    assert (answer["told"], answer["own"]) == ("[2001:db8::7]:4711", "[2001:db8::80]:80")
