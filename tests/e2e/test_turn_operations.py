"""What whoever runs TURN sees of it and does with it: sessions, counters, credentials, self-tests, reloads under load."""
import asyncio
import concurrent.futures
import contextlib
import random
import socket
import ssl
import struct

import aioice
import aioice.turn
import pytest

from harness import turn
from harness.proxy_header import v1
from harness.rude_process import is_instrumented, resident_kib

REQUEST = struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes"


@pytest.fixture(scope="module")
def gateway(module_stage):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    return module_stage.gateway({
        "node": {"threads": 2},
        **turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", tls=f"127.0.0.1:{turn.free_udp_port()}",
                           challenges_per_second_per_client=0),
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})


class Guest:
    """A relay over UDP by aioice, and what it hears."""

    def __init__(self, gateway, user=turn.USER, password=turn.PASSWORD):
        self._gateway, self._credentials = gateway, (user, password)
        self.heard, self.gone = asyncio.Queue(), asyncio.Event()

    async def __aenter__(self):
        guest = self

        class Protocol(asyncio.DatagramProtocol):
            def datagram_received(self, data, addr):
                guest.heard.put_nowait(data)

            def connection_lost(self, exc):
                guest.gone.set()

        self.transport, _ = await aioice.turn.create_turn_endpoint(
            Protocol, server_addr=("127.0.0.1", turn.port_of(self._gateway)), username=self._credentials[0],
            password=self._credentials[1])
        return self

    async def __aexit__(self, *_):
        self.transport.close()  # by a task of aioice's own, which ends the allocation
        await asyncio.wait_for(self.gone.wait(), 60)

    @property
    def relay(self):
        return self.transport.get_extra_info("sockname")

    def send(self, to, data):
        self.transport.sendto(data, to.relay)


async def open_ways(*pairs):
    """Both of each pair have a channel to the other, and have been heard there."""
    for one, other in pairs:
        for near, far in ((one, other), (other, one)):
            while True:
                near.send(far, b"open")
                far.send(near, b"open")
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(far.heard.get(), 0.2)
                    break
    await asyncio.sleep(0.3)
    for pair in pairs:
        for guest in pair:
            while not guest.heard.empty():
                guest.heard.get_nowait()


def run(task):
    return asyncio.run(asyncio.wait_for(task, 100))


def test_sessions_show_who_relays_to_whom_and_how_much(gateway):
    async def main():
        async with Guest(gateway) as one, Guest(gateway) as other:
            await open_ways((one, other))
            one.send(other, b"x" * 500)
            await other.heard.get()
            listed = (await asyncio.to_thread(gateway.json_verb, "turn", "sessions"))[1]
            return one.relay, other.relay, listed, await asyncio.to_thread(gateway.verb, "turn", "sessions")

    relay, peer, listed, text = run(main())
    assert listed["total"] == 2
    session = next(one for one in listed["sessions"] if one["relay"] == ["{}:{}".format(*relay)])
    assert session["user"] == turn.USER and session["transport"] == "udp" and session["bytes_in"] >= 500
    assert session["idle_s"] <= session["duration_s"] and 0 < session["expires_in_s"] <= 3600 and session["hint"] == ""
    assert session["peers"][0]["address"] == "{}:{}".format(*peer) and session["peers"][0]["expires_in_s"] > 500
    assert turn.USER in text.stdout and "{}:{}".format(*peer) in text.stdout


def test_metrics_count_what_no_record_tells(gateway):
    def numbers():
        return {name: value for name, value in gateway.metrics().items() if name.startswith("sallyport_turn_")}

    before = numbers()
    turn.ask(turn.port_of(gateway))                  # a Binding
    turn.ask(turn.port_of(gateway), method=3)        # an Allocate without credentials
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", turn.port_of(gateway)))
        sock.send(b"\xff")                           # nothing of ours
        sock.send(b"\x40\x00\x00\x01x")              # channel data of nobody
        sock.send(REQUEST)
        sock.settimeout(10)
        sock.recv(100)                               # what came before has been counted
    after = numbers()
    grown = {name.removeprefix("sallyport_turn_").removesuffix("_total"): after[name] - before[name] for name in after}
    assert grown == {"bindings": 2, "challenges": 1, "malformed": 1, "muted": 0, "relayed_packets": 0, "dropped_packets": 1}


def test_a_credential_by_hand_opens(gateway):
    _, made = gateway.json_verb("turn", "credential", "bob", "--ttl", "1h", "--host", "turn.example.com")
    assert made["ttl"] == 3600 and made["username"].endswith(":bob")
    ports = [int(gateway.config["turn"][way].rsplit(":", 1)[1]) for way in ("udp", "tcp", "tls")]
    assert made["uris"] == [f"turn:turn.example.com:{ports[0]}?transport=udp", f"turn:turn.example.com:{ports[1]}?transport=tcp",
                            f"turns:turn.example.com:{ports[2]}?transport=tcp"]

    async def main():
        async with Guest(gateway, made["username"], made["password"]) as guest:
            return guest.relay

    assert run(main())[0] == "127.0.0.1"
    text = gateway.verb("turn", "credential", "bob").stdout
    assert "username" in text and f"uri       turn:127.0.0.1:{ports[0]}?transport=udp" in text


def test_a_server_is_tested_over_each_transport(gateway):
    for way, uri, options in (("udp", "turn:127.0.0.1:{}?transport=udp", []), ("tcp", "turn:127.0.0.1:{}?transport=tcp", []),
                              ("tls", "turns:127.0.0.1:{}", ["--insecure"])):
        port = int(gateway.config["turn"][way].rsplit(":", 1)[1])
        status, done = gateway.json_verb("turn", "test", uri.format(port), *options)
        (seen,) = done["transports"]
        assert status == 0 and done["works"] and seen["transport"] == way and seen["problem"] is None, done
        assert seen["mapped"].startswith("127.0.0.1:") and seen["relay"].startswith("127.0.0.1:")
        assert seen["round_trip_ms"] > 0
    _, stun = gateway.json_verb("turn", "test", f"stun:127.0.0.1:{turn.port_of(gateway)}?transport=udp")
    assert stun["works"] and stun["transports"][0]["relay"] is None


def test_a_self_test_says_what_is_wrong(gateway):
    port = turn.port_of(gateway)
    tls = gateway.config["turn"]["tls"].rsplit(":", 1)[1]
    cases = (((f"turn:127.0.0.1:{port}?transport=udp", "--user", turn.USER, "--password", "wrong"), "refused with 401"),
             ((f"turn:127.0.0.1:{turn.free_udp_port()}?transport=tcp",), "no connection: refused"),
             ((f"turns:127.0.0.1:{tls}",), "TLS: "))
    for words, problem in cases:
        status, done = gateway.json_verb("turn", "test", *words)
        assert status == 10 and problem in done["transports"][0]["problem"], done
    assert gateway.verb("turn", "test", "https://example.com").returncode == 2


@pytest.mark.parametrize("runs", [True, False], ids=["live", "file"])
def test_explain_says_by_what_a_user_may_relay(stage, runs):
    gateway = stage.gateway(turn.turn_tables())
    if not runs:
        gateway.stop()

    def explained(subject):
        return gateway.json_verb("explain", subject)

    status, alice = explained(f"turn:{turn.USER}")
    assert status == 0 and alice["verdict"] == "forwarded" and alice["service"] == f"turn.user {turn.USER}"
    assert alice["source"] == ("live" if runs else "file") and alice["trail"][0]["line"] > 1
    assert explained("turn:4000000000:bob")[1]["service"] == "shared_secret"
    status, nobody = explained("turn:nobody")
    assert status == 10 and nobody["reason"] == "turn.credentials"
    assert explained("turn:1000000000:bob")[1]["reason"] == "turn.credentials"
    status, denied = explained(f"turn:{turn.USER}?peer=169.254.169.254")
    assert status == 10 and denied["reason"] == "turn.peer_denied" and "169.254.0.0/16" in denied["detail"]
    assert explained(f"turn:{turn.USER}?peer=8.8.8.8")[0] == 0
    assert gateway.verb("explain", "turn:").returncode == 2
    assert f"may relay, {turn.RELAYS[0]}-{turn.RELAYS[1]}" in gateway.verb("explain", f"turn:{turn.USER}").stdout


def knock(gateway, first, count):
    """An Allocate without credentials from each of so many addresses; every fiftieth waits for its answer."""
    attributes = struct.pack("!HHI", 0x0019, 4, 17 << 24)
    server = ("127.0.0.1", turn.port_of(gateway))
    for number in range(first, first + count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((f"127.{1 + number // 25000}.0.1", 30000 + number % 25000))
            sock.sendto(struct.pack("!HHI", 3, len(attributes), 0x2112A442) + struct.pack("!IQ", 7, number) + attributes, server)
            if number % 50 == 0:
                sock.settimeout(10)
                assert sock.recv(2048)[:2] == b"\x01\x13"


def test_a_hundred_thousand_strangers_take_no_memory(gateway):
    knock(gateway, 0, 5_000)  # what is allocated once is there
    before = resident_kib(gateway.pid)
    knock(gateway, 5_000, 95_000)
    assert is_instrumented() or resident_kib(gateway.pid) - before < 1024
    assert gateway.json_verb("turn", "sessions")[1]["total"] == 0


def test_a_reload_under_load_loses_nothing(gateway):
    messages, window, reloads = 3000, 20, 5

    async def main():
        async with Guest(gateway) as one, Guest(gateway) as other:
            await open_ways((one, other))
            with concurrent.futures.ThreadPoolExecutor() as pool:
                loop = asyncio.get_running_loop()

                def reload_often():
                    for number in range(reloads):
                        gateway.config["turn.user"] = [{"name": turn.USER, "password": turn.PASSWORD},
                                                       {"name": f"user {number}", "password": "other"}]
                        gateway.write()
                        assert gateway.verb("reload").returncode == 0

                reloading = loop.run_in_executor(pool, reload_often)
                heard, sent = [], 0
                while len(heard) < messages or not reloading.done():
                    while sent - len(heard) < window:
                        one.send(other, str(sent).encode())
                        sent += 1
                    heard.append(int(await asyncio.wait_for(other.heard.get(), 20)))
                await reloading
            while len(heard) < sent:
                heard.append(int(await asyncio.wait_for(other.heard.get(), 20)))
            return heard, sent

    heard, sent = run(main())
    assert heard == list(range(sent))


def test_loops_relay_to_one_another(gateway):
    """The kernel deals clients out to both loops: each of six is heard by each other one."""
    async def main():
        async with contextlib.AsyncExitStack() as stack:
            guests = [await stack.enter_async_context(Guest(gateway)) for _ in range(6)]
            for number, one in enumerate(guests):
                await open_ways(*((one, other) for other in guests[number + 1:]))

    run(main())


@pytest.mark.parametrize("size", [1, 2049, 9000, 60_000])
def test_datagrams_of_any_size_pass(gateway, size):
    async def main():
        async with Guest(gateway) as one, Guest(gateway) as other:
            await open_ways((one, other))
            data = random.randbytes(size)
            one.send(other, data)
            return data, await asyncio.wait_for(other.heard.get(), 20)

    data, heard = run(main())
    assert data == heard


@pytest.mark.parametrize("way", ["tcp", "tls"])
def test_a_client_holds_its_share_of_connections_and_a_balancer_names_its_clients(stage, way):
    port = turn.free_udp_port()
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    gateway = stage.gateway({"listen": {"max_connections_per_client": 2, "proxy_from": ["127.0.0.2/32"]},
                             "certificate": [{"name": "edge", "chain": chain, "key": key}],
                             **turn.turn_tables(**{way: f"127.0.0.1:{port}"})})
    opened = []

    def connect(source, first=b""):
        """Its Binding is sent, in TLS where that is spoken."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))
        opened.append(sock)
        sock.sendall(first)
        if way == "tls":
            sock = opened[-1] = stage.authority.client_context().wrap_socket(sock, server_hostname="127.0.0.1")
        sock.sendall(REQUEST)
        return sock

    def refused(reason, source, first=b""):
        with pytest.raises((ConnectionResetError, ssl.SSLError, BrokenPipeError)):
            assert connect(source, first).recv(1), "an end in order"
        assert gateway.wait_record(lambda one: one["reason"] == reason)["protocol"] == "turn"

    held = [connect("127.0.0.1") for _ in range(2)]
    assert all(turn.mapped_address(sock.recv(32)) == sock.getsockname() for sock in held)
    refused("limit.client", "127.0.0.1")
    named = connect("127.0.0.2", v1(("198.51.100.7", 40000), ("203.0.113.10", 3478)))
    assert turn.mapped_address(named.recv(32)) == ("198.51.100.7", 40000)
    refused("proxy.malformed", "127.0.0.2")
    for sock in opened:
        sock.close()
