"""coturn's own clients and aioice relay through the gateway over UDP; what it refuses, it says so."""
import asyncio
import json
import re
import socket
import struct
import subprocess
from functools import partial

import aioice
import aioice.stun
import aioice.turn
import pytest

from harness import turn, wait_until
from harness.turn_client import ALLOCATE, LIFETIME, REFRESH, TRANSPORT, UDP, TurnClient


@pytest.fixture(scope="module")
def gateway(module_stage):
    return module_stage.gateway(turn.turn_tables())


def test_a_binding_is_answered_in_32_bytes(gateway):
    answer, own = turn.ask(turn.port_of(gateway))
    assert len(answer) == 32
    assert turn.mapped_address(answer) == own


def test_coturns_stun_client_learns_its_address(gateway):
    done = subprocess.run(["turnutils_stunclient", "-p", str(turn.port_of(gateway)), "127.0.0.1"], capture_output=True,
                          text=True, timeout=30)
    assert "UDP reflexive addr: 127.0.0.1:" in done.stdout + done.stderr


BETWEEN_CLIENTS = {"channels": ["-c"], "channels and rtcp": [], "indications": ["-s"], "indications alone": ["-c", "-s"],
                   "dont fragment": ["-g"]}


@pytest.fixture(scope="module")
def runs(gateway):
    """All of coturn's clients that relay here, at once."""
    port, echo = turn.port_of(gateway), turn.free_udp_port()
    peer = subprocess.Popen(["turnutils_peer", "-L", "127.0.0.1", "-p", str(echo)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    try:
        return turn.side_by_side({
            **{name: partial(turn.uclient, port, "-y", "-n", "20", "-m", "4", "-l", "171", "-z", "20", *options)
               for name, options in BETWEEN_CLIENTS.items()},
            "peer": partial(turn.uclient, port, "-c", "-n", "20", "-m", "2", "-z", "20", "-e", "127.0.0.1", "-r", str(echo)),
            "secret": partial(turn.uclient, port, "-y", "-c", "-n", "5", "-m", "2", "-z", "20", user="bob",
                              secret=turn.SECRET)})
    finally:
        peer.kill()
        peer.wait()


@pytest.mark.parametrize("way", BETWEEN_CLIENTS)
def test_coturns_client_relays_from_client_to_client(runs, way):
    turn.assert_all_came(runs[way], 80)


def test_coturns_client_reaches_a_peer_and_hears_its_echo(runs):
    turn.assert_all_came(runs["peer"], 40)


def test_time_limited_credentials_of_the_shared_secret_open(gateway, runs):
    turn.assert_all_came(runs["secret"], 10)
    record = gateway.wait_record(lambda one: one["looked_for"].endswith(":bob"))
    assert re.fullmatch(r"\d+:bob", record["looked_for"])


async def endpoint(gateway, password=turn.PASSWORD):
    """A UDP relay by aioice: (transport, what it receives)."""
    received = asyncio.Queue()

    class Protocol(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            received.put_nowait((data, addr))

    transport, _protocol = await aioice.turn.create_turn_endpoint(
        Protocol, server_addr=("127.0.0.1", turn.port_of(gateway)), username=turn.USER, password=password)
    return transport, received


async def exchange(one, other):
    """A datagram each way; the first ones may go before the other side has opened."""
    (near, near_inbox), (far, far_inbox) = one, other
    to_far, to_near = far.get_extra_info("sockname"), near.get_extra_info("sockname")
    heard = set()
    for _ in range(100):
        near.sendto(b"there", to_far)
        far.sendto(b"back", to_near)
        await asyncio.sleep(0.05)
        while not far_inbox.empty():
            heard.add(far_inbox.get_nowait())
        while not near_inbox.empty():
            heard.add(near_inbox.get_nowait())
        if heard >= {(b"there", to_near), (b"back", to_far)}:
            return
    raise AssertionError(heard)


def test_an_allocation_ends_in_one_record(gateway):
    before = gateway.counted()

    async def run():
        one, other = await endpoint(gateway), await endpoint(gateway)
        relay = "{}:{}".format(*one[0].get_extra_info("sockname"))
        await exchange(one, other)
        one[0].close()
        other[0].close()
        await asyncio.to_thread(wait_until, lambda: gateway.counted() == before + 2, "two records")
        return relay

    relay = asyncio.run(run())
    record = gateway.only_record(lambda one: one["target"] == relay)
    assert record["protocol"] == "turn" and record["verdict"] == "forwarded" and record["reason"] == "ok"
    assert record["looked_for"] == turn.USER and record["bytes_in"] >= 5 and record["bytes_out"] >= 4


def test_two_ice_agents_meet_by_their_relays(gateway):
    async def run():
        agents = [aioice.Connection(ice_controlling=controls, turn_server=("127.0.0.1", turn.port_of(gateway)),
                                    turn_username=turn.USER, turn_password=turn.PASSWORD) for controls in (True, False)]
        for agent in agents:
            await agent.gather_candidates()
            agent._local_candidates = [one for one in agent.local_candidates if one.type == "relay"]
        for agent, other in (agents, reversed(agents)):
            for candidate in other.local_candidates:
                await agent.add_remote_candidate(candidate)
            await agent.add_remote_candidate(None)
            agent.remote_username, agent.remote_password = other.local_username, other.local_password
        await asyncio.gather(*(agent.connect() for agent in agents))
        await agents[0].send(b"hello")
        heard = await agents[1].recv()
        for agent in agents:
            await agent.close()
        return heard

    assert asyncio.run(asyncio.wait_for(run(), 60)) == b"hello"


NAME = 'al%s%n"\'; DROP TABLE users; -- \n{"event":"record"}\x1b[31m'


def test_a_name_is_bytes_and_nothing_else_to_the_log(gateway):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", turn.port_of(gateway)))
        assert TurnClient(sock, NAME).ask(ALLOCATE, (TRANSPORT, bytes([UDP, 0, 0, 0]))).error == 401
    record = gateway.wait_record(lambda one: one["looked_for"].startswith("al%s"))
    assert record["looked_for"] == NAME and record["reason"] == "turn.credentials"


def test_no_secret_is_in_the_log(gateway):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", turn.port_of(gateway)))
        client = TurnClient(sock)
        relay = client.allocate()
        assert client.ask(REFRESH, (LIFETIME, bytes(4))).error == 0
    gateway.wait_record(lambda one: one["target"] == "{}:{}".format(*relay))
    logged = json.dumps(gateway.log_lines())
    for secret in (turn.PASSWORD, turn.SECRET, client.nonce.decode()):
        assert secret not in logged


def test_wrong_credentials_are_refused_and_told(gateway):
    with pytest.raises(aioice.stun.TransactionFailed) as failed:
        asyncio.run(endpoint(gateway, password="wrong"))
    assert failed.value.response.attributes["ERROR-CODE"][0] == 401
    record = gateway.wait_record(lambda one: one["reason"] == "turn.credentials" and one["looked_for"] == turn.USER)
    assert record["verdict"] == "refused"


def test_a_denied_peer_is_refused_and_the_record_names_the_rule(gateway):
    printed = turn.uclient(turn.port_of(gateway), "-c", "-n", "1", "-m", "1", "-e", "169.254.169.254", "-r", "80")
    assert "403" in printed.stdout
    record = gateway.wait_record(lambda one: one["reason"] == "turn.peer_denied")
    assert record["detail"] == "169.254.169.254: built-in 169.254.0.0/16 (link-local, and the metadata of clouds)"


def test_a_reload_takes_users_away_and_no_calls(stage):
    gateway = stage.gateway(turn.turn_tables())

    async def run():
        one, other = await endpoint(gateway), await endpoint(gateway)
        await exchange(one, other)
        gateway.config["turn.user"] = [{"name": "carol", "password": "other"}]
        gateway.write()
        assert gateway.verb("reload").returncode == 0
        with pytest.raises(aioice.stun.TransactionFailed):
            await endpoint(gateway)
        await exchange(one, other)
        one[0].close()
        other[0].close()
        await asyncio.sleep(0.5)

    asyncio.run(run())


def test_stopping_tells_of_the_calls_that_it_cut(stage):
    gateway = stage.gateway({**turn.turn_tables(), "node": {"drain_timeout": "1s"}})

    async def run():
        await endpoint(gateway)
        gateway.stop()

    asyncio.run(run())
    record = gateway.records()[-1]
    assert record["protocol"] == "turn" and record["reason"] == "draining" and record["verdict"] == "forwarded"


def test_stun_alone_answers_bindings_and_nothing_else(stage):
    port = turn.free_udp_port()
    gateway = stage.gateway({"stun": {"listen": f"127.0.0.1:{port}"}})
    answer, own = turn.ask(port)
    assert turn.mapped_address(answer) == own
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.connect(("127.0.0.1", port))
        for method in (ALLOCATE, 1):
            sock.send(struct.pack("!HHI", method, 0, 0x2112A442) + b"the method %d" % method)
        assert sock.recv(2048)[8:20] == b"the method 1"  # and nothing before
    assert gateway.records() == []


def test_the_metrics_count_allocations_and_bytes(gateway):
    numbers = gateway.metrics()
    assert numbers['sallyport_ended_total{protocol="turn",verdict="forwarded",reason="ok"}'] > 0
