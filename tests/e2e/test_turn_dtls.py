"""TURN over DTLS: coturn's client and OpenSSL's."""
import struct
import subprocess

import pytest

from harness import turn


@pytest.fixture(scope="module")
def gateway(module_stage):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    return module_stage.gateway({
        **turn.turn_tables(dtls=f"127.0.0.1:{turn.free_udp_port()}"),
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})


def port(gateway):
    return int(gateway.config["turn"]["dtls"].rsplit(":", 1)[1])


@pytest.mark.parametrize("options", [["-c"], ["-c", "-s"]], ids=["channels", "indications"])
def test_coturns_client_relays_over_dtls(gateway, options):
    printed = turn.uclient(port(gateway), "-S", "-y", "-n", "20", "-m", "4", "-l", "171", "-z", "20", *options).stdout
    sent, gone = turn.lost(printed)
    assert sent >= 80 and gone == 0, printed[-2000:]
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
