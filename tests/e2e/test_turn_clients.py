"""WebRTC as people have it relays through the gateway: Chromium, libnice, libdatachannel with libjuice."""
import shutil
import struct

import pytest

from harness import curl, free_port, turn, webrtc

HQ = "hq.example.com"

CHROMIUM = [pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed: ./dev deps test"),
            pytest.mark.skipif(bool(webrtc.missing("playwright-core")), reason=webrtc.missing("playwright-core"))]


@pytest.fixture(scope="module")
def gateway(module_stage):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    gateway = module_stage.gateway({
        **turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", tls=f"127.0.0.1:{turn.free_udp_port()}"),
        "listen": {"mux": f"127.0.0.1:{free_port()}"},
        "service": [{"name": HQ, "protocol": "http", "target": "builtin:welcome"}],
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})
    gateway.chain = chain
    return gateway


def address(gateway, transport):
    return gateway.config["listen"]["mux"] if transport == "mux" else gateway.config["turn"][transport]


def port(gateway, transport):
    return int(address(gateway, transport).rsplit(":", 1)[1])


@pytest.mark.parametrize("transport", [pytest.param(name, marks=CHROMIUM) for name in ("udp", "tcp", "tls", "mux")])
def test_chromium_holds_a_data_channel_by_relays_alone(gateway, transport):
    scheme, way = ("turns", "tcp") if transport in ("tls", "mux") else ("turn", transport)
    url = f"{scheme}:127.0.0.1:{port(gateway, transport)}?transport={way}"
    seen = webrtc.browser(url, turn.USER, turn.PASSWORD, gateway.chain)
    assert seen["heard"] == "hello, echoed"
    assert seen["protocols"] == ["relay tls" if transport == "mux" else f"relay {transport}"]
    record = gateway.wait_record(lambda one: one["listener"] == address(gateway, transport))
    assert record["protocol"] == "turn" and record["bytes_in"] > 0 and record["bytes_out"] > 0


def test_https_is_served_where_chromium_relayed(gateway):
    page = curl(f"https://{HQ}:{gateway.mux_port}/", "-k", "-o", "/dev/null", "-w", "%{http_code}",
                connect_to=gateway.mux_port)
    assert page == "200"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_libnice_relays(gateway, transport):
    pytest.importorskip("gi", reason="python3-gi is not installed: ./dev deps test")
    seen = webrtc.nice(port(gateway, transport), transport, turn.USER, turn.PASSWORD)
    assert seen == {"heard": "hello", "candidates": ["relayed", "relayed"]}


def attributes(message):
    """The numbers of a STUN message's attributes."""
    at, found = 20, set()
    while at + 4 <= len(message):
        code, size = struct.unpack_from("!HH", message, at)
        found.add(code)
        at += 4 + size + -size % 4
    return found


@pytest.mark.skipif(bool(webrtc.missing("node-datachannel")), reason=webrtc.missing("node-datachannel"))
def test_libdatachannel_relays_and_hides_its_users_name(gateway):
    with webrtc.Tap(port(gateway, "udp")) as tap:
        seen = webrtc.datachannel(tap.port, turn.USER, turn.PASSWORD)
    assert seen["heard"] == "hello, echoed"
    assert all("typ relay" in one for one in seen["candidates"])
    allocates = [attributes(one) for one in tap.sent if one[:2] == b"\0\x03"]
    signed = [found for found in allocates if 0x0008 in found or 0x001C in found]
    assert signed and all(0x001E in found and 0x0006 not in found for found in signed)  # USERHASH, no USERNAME
