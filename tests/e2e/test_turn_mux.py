"""TURN on the port of HTTPS: told by its first bytes, in TLS and without, and by ALPN where a client names it."""
import asyncio
import concurrent.futures
import contextlib
import json
import select
import socket
import struct

import aioice.turn
import pytest

from harness import curl, free_port, http_service, seen, turn, unverified_context, wait_until

HQ = "hq.example.com"
WAYS = {"plain": [], "tls": ["-S"]}


class World:
    def __init__(self, stage):
        self.ca = stage.authority.ca
        chain, key = stage.authority.issue("edge", ["127.0.0.1", HQ])
        self.port = free_port()
        tables = turn.turn_tables(tls=f"127.0.0.1:{free_port()}")
        self.gateway = stage.gateway({
            **tables, "listen": {"mux": f"127.0.0.1:{self.port}", "proxy_from": ["127.0.0.2/32"]},
            "certificate": [{"name": "edge", "chain": chain, "key": key}],
            "service": [http_service(HQ, stage.nginx("web"))]})
        self.tls_port = int(tables["turn"]["tls"].rsplit(":", 1)[1])

    def browse(self):
        return seen(curl(f"https://{HQ}:{self.port}/some/path", connect_to=self.port, ca=self.ca))["name"]


@pytest.fixture(scope="module")
def world(module_stage):
    return World(module_stage)


@pytest.fixture(scope="module")
def relayed(world):
    """coturn's clients both ways at once, and what a browser sees meanwhile."""
    with concurrent.futures.ThreadPoolExecutor(len(WAYS)) as pool:
        runs = {way: pool.submit(turn.uclient, world.port, "-t", *options, "-c", "-y", "-n", "20", "-m", "4", "-l", "171",
                                 "-z", "20") for way, options in WAYS.items()}
        pages = [world.browse()]
        while not all(run.done() for run in runs.values()):
            pages.append(world.browse())
    return runs, pages


@pytest.mark.parametrize("way", WAYS)
def test_coturns_client_relays_while_https_is_served(world, relayed, way):
    runs, pages = relayed
    assert set(pages) == {"web"}
    turn.assert_all_came(runs[way], 80)
    record = world.gateway.wait_record(
        lambda one: one["protocol"] == "turn" and one["tls_client"] == (way == "tls"))
    assert (record["listener"], record["verdict"], record["reason"]) == (f"127.0.0.1:{world.port}", "forwarded", "ok")


@pytest.mark.parametrize("way", WAYS)
def test_an_endpoint_of_aioice_hears_a_datagram(world, way):
    async def run():
        heard = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.DatagramProtocol):
            def datagram_received(self, data, addr):
                heard.set_result((data, addr))

        transport, _protocol = await aioice.turn.create_turn_endpoint(
            Protocol, server_addr=("127.0.0.1", world.port), username=turn.USER, password=turn.PASSWORD,
            transport="tcp", ssl=unverified_context() if way == "tls" else False)
        relay = transport.get_extra_info("sockname")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.setblocking(False)
            transport.sendto(b"out", peer.getsockname())
            assert await asyncio.get_running_loop().sock_recv(peer, 100) == b"out"
            peer.sendto(b"in", relay)
            assert await heard == (b"in", peer.getsockname())
        transport.close()

    asyncio.run(asyncio.wait_for(run(), 30))


def agreed(port, offered):
    context = unverified_context()
    context.set_alpn_protocols(offered)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10)) as sock:
        if sock.selected_alpn_protocol() in ("stun.turn", "stun.nat-discovery"):
            assert turn.binding_by_stream(sock) == sock.getsockname()
        return sock.selected_alpn_protocol()


def test_alpn_names_turn_on_the_port_of_https_and_on_its_own(world):
    assert agreed(world.port, ["stun.turn"]) == "stun.turn"
    assert agreed(world.port, ["stun.nat-discovery"]) == "stun.nat-discovery"
    assert agreed(world.port, ["h2", "http/1.1"]) == "http/1.1"
    assert agreed(world.port, ["http/1.1", "stun.turn"]) == "stun.turn"
    assert agreed(world.port, ["something"]) is None
    assert agreed(world.tls_port, ["stun.turn"]) == "stun.turn"
    assert agreed(world.tls_port, ["http/1.1"]) is None


def test_a_client_behind_a_balancer_is_told_its_own_address(world):
    with socket.create_connection(("127.0.0.1", world.port), timeout=10, source_address=("127.0.0.2", 0)) as sock:
        sock.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n")
        assert turn.binding_by_stream(sock) == ("192.0.2.7", 4711)


def test_what_only_resembles_stun_is_refused_as_unknown(world):
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as sock:
        sock.sendall(struct.pack("!HHI", 1, 0, 0x2112A443) + b"twelve bytes")
        with pytest.raises(ConnectionResetError):
            sock.recv(100)
    record = world.gateway.wait_record(lambda one: one["reason"] == "protocol.mismatch")
    assert record["protocol"] == "mux" and record["detail"] == "first bytes: 00 01 00 00 21 12 a4 43"


def test_connections_by_every_listener_share_the_places_there_are(stage):
    """By the port of HTTPS and by TURN's own: each counts once. Who does not fit waits, and is served when others leave."""
    places, by_mux = 8, 5
    descriptors = 128 + 2 * places  # reserved ones, and a client's and a target's each
    mux, own = free_port(), free_port()
    silent = stage.keep(socket.create_server(("127.0.0.1", 0)))
    gateway = stage.gateway({"node": {"threads": 1, "drain_timeout": "0s"},
                             "listen": {"mux": f"127.0.0.1:{mux}", "max_connections_per_client": 100},
                             "service": [{"name": HQ, "protocol": "http", "target": "127.0.0.1",
                                          "plain_port": silent.getsockname()[1]}],
                             **turn.turn_tables(tcp=f"127.0.0.1:{own}")},
                            wrapper=["prlimit", f"--nofile={descriptors}:{descriptors}"])
    waiting, served = [], []

    def serve_more():
        answers = select.poll()
        for sock in waiting:
            answers.register(sock, select.POLLIN)
        ready = {number for number, _ in answers.poll(0)}
        for sock in [one for one in waiting if one.fileno() in ready]:
            assert turn.mapped_address(sock.recv(32)) == sock.getsockname()
            waiting.remove(sock)
            served.append(sock)
        return len(served)

    with contextlib.ExitStack() as kept:
        def connect(port):
            return kept.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))

        first = [connect(mux) for _ in range(by_mux)]
        for sock in first[:2]:
            assert turn.binding_by_stream(sock) == sock.getsockname()
        for sock in first[2:]:  # these wait for the target's answer
            sock.sendall(f"GET / HTTP/1.1\r\nHost: {HQ}\r\n\r\n".encode())
        wait_until(lambda: json.loads(gateway.admin("GET", "/api/v1/connections")[1])["total"] == by_mux, "all of these")
        for _ in range(places):
            waiting.append(connect(own))
            waiting[-1].sendall(struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes")
        wait_until(lambda: serve_more() >= places - by_mux, lambda: f"more than {len(served)} to be served")
        for _ in range(5):  # who may come in now has come: the loop takes connections in before it answers
            turn.binding_by_stream(first[0])
        assert serve_more() == places - by_mux
        for left, sock in enumerate((first[0], served[0], first[1]), 1):
            sock.close()
            wait_until(lambda: serve_more() >= places - by_mux + left, "another one to be served")
            assert len(served) == places - by_mux + left
