"""TURN over DTLS: coturn's client and OpenSSL's at our server, and our client at coturn's and at our own."""
import struct
import subprocess
from functools import partial

import pytest

from harness import turn
from harness.turnserver import Turnserver


@pytest.fixture(scope="module")
def certificate(module_stage):
    return module_stage.authority.issue("edge", ["127.0.0.1"])


@pytest.fixture(scope="module")
def gateway(module_stage, certificate):
    chain, key = certificate
    gateway = module_stage.gateway({
        **turn.turn_tables(dtls=f"127.0.0.1:{turn.free_udp_port()}"),
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})
    gateway.environment["SSL_CERT_FILE"] = str(module_stage.authority.ca)  # whom its verbs believe
    return gateway


def port(gateway):
    return int(gateway.config["turn"]["dtls"].rsplit(":", 1)[1])


WAYS = {"channels": ["-c"], "indications": ["-c", "-s"]}


@pytest.fixture(scope="module")
def runs(gateway):
    """coturn's clients, both ways at once."""
    return turn.side_by_side({way: partial(turn.uclient, port(gateway), "-S", "-y", "-n", "20", "-m", "4", "-l", "171", "-z",
                                           "20", *WAYS[way]) for way in WAYS})


@pytest.mark.parametrize("way", WAYS)
def test_coturns_client_relays_over_dtls(gateway, runs, way):
    turn.assert_all_came(runs[way], 80)
    record = gateway.wait_record(lambda one: one["listener"] == gateway.config["turn"]["dtls"])
    assert record["protocol"] == "turn" and record["tls_client"] and record["reason"] == "ok"


def test_a_binding_in_dtls_is_answered_and_alpn_agreed(gateway):
    request = struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes"
    command = ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port(gateway)}", "-alpn", "stun.turn"]
    asking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        asking.stdin.write(request)
        asking.stdin.flush()
        seen = b""
        while struct.pack("!HHI", 0x0101, 12, 0x2112A442) + b"twelve bytes" not in seen:
            part = asking.stdout.read1()
            assert part, seen
            seen += part
        assert b"ALPN protocol: stun.turn" in seen
    finally:
        asking.kill()
        asking.communicate()


def outcome(gateway, scheme, host, number, *options):
    return gateway.json_verb("turn", "test", f"{scheme}:{host}:{number}?transport=udp", *options)


@pytest.mark.parametrize("server", ["ours", "coturn"])
def test_a_server_is_tested_over_dtls(gateway, module_stage, certificate, server):
    if server == "coturn":
        number = module_stage.keep(Turnserver(module_stage.folder("turnserver"), certificate)).secure_port
    else:
        number = port(gateway)
    status, done = outcome(gateway, "turns", "127.0.0.1", number, "--user", turn.USER, "--password", turn.PASSWORD)
    (seen,) = done["transports"]
    assert status == 0 and done["works"] and seen["transport"] == "dtls" and seen["problem"] is None, done
    assert seen["mapped"].startswith("127.0.0.1:") and seen["relay"].startswith("127.0.0.1:")
    assert seen["round_trip_ms"] > 0
    _, stun = outcome(gateway, "stuns", "127.0.0.1", number)
    assert stun["works"] and stun["transports"][0]["relay"] is None, stun


def test_a_tested_server_is_left_without_a_session(gateway):
    before = gateway.json_verb("turn", "sessions")[1]["total"]
    assert outcome(gateway, "turns", "127.0.0.1", port(gateway))[0] == 0
    assert gateway.json_verb("turn", "sessions")[1]["total"] == before


def test_a_self_test_says_what_is_wrong_with_dtls(gateway):
    for host, number, options, problem in (
            ("localhost", port(gateway), (), "DTLS: hostname mismatch"),
            ("127.0.0.1", turn.free_udp_port(), (), "no connection: refused"),
            ("127.0.0.1", port(gateway), ("--user", turn.USER, "--password", "wrong"), "refused with 401")):
        status, done = outcome(gateway, "turns", host, number, *options)
        problems = [one["problem"] for one in done["transports"] if one["server"].startswith("127.")]
        assert status == 10 and problem in problems[0], done
    _, anyhow = outcome(gateway, "turns", "localhost", port(gateway), "--insecure")
    assert any(one["works"] for one in anyhow["transports"]), anyhow
