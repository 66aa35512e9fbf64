"""What a target is told about the client is written by the gateway; nothing of one connection passes to the other."""
import pytest

from harness import Client, http_service, seen

FORGED = ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Proto: gopher\r\n"
          "X-Forwarded-Host: evil.example\r\nForwarded: for=6.6.6.6;host=evil.example\r\nX-Real-IP: 6.6.6.6\r\n")
PROXY = "127.0.0.7"  # the trusted one


@pytest.fixture(scope="module")
def world(module_stage):
    nginx = module_stage.nginx("seer", ["it.example"])
    chain, key = module_stage.authority.issue("edge", ["it.example"])
    gateway = module_stage.gateway({
        "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [http_service("it.example", nginx)]}, start=False)
    gateway.config["listen"]["trusted_proxies"] = [f"{PROXY}/32"]
    gateway.write()
    gateway.context = module_stage.authority.client_context()
    return gateway.start()


def told(gateway, host="it.example", fields="", source=None, tls=False):
    """What the target saw of this request."""
    port, context = (gateway.https_port, gateway.context) if tls else (gateway.http_port, None)
    with Client(port, context, "it.example" if tls else None, source) as client:
        return seen(client.request(host, fields=fields).body)


@pytest.mark.parametrize("fields", ["", FORGED], ids=["nothing claimed", "forged"])
@pytest.mark.parametrize("tls, scheme", [(False, "http"), (True, "https")])
def test_a_client_is_described_by_the_gateway_alone(world, tls, scheme, fields):
    answer = told(world, "it.example:8443", fields, "127.0.0.2", tls)
    assert answer["xff"] == "127.0.0.2"
    assert answer["xfp"] == scheme
    assert answer["xfh"] == "it.example:8443"
    assert answer["forwarded"] == f'for=127.0.0.2;host="it.example:8443";proto={scheme}'
    assert answer["real_ip"] == ""
    assert answer["host"] == "it.example:8443"


def test_the_word_of_a_trusted_proxy_is_kept_and_ours_added(world):
    fields = ("X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer.example\r\n"
              "Forwarded: for=198.51.100.7;proto=https\r\n")
    answer = told(world, fields=fields, source=PROXY)
    assert answer["xff"] == f"198.51.100.7, {PROXY}"
    assert answer["xfp"] == "https"
    assert answer["xfh"] == "outer.example"
    assert answer["forwarded"] == f'for=198.51.100.7;proto=https, for={PROXY};host="it.example";proto=http'


def test_a_trusted_proxy_that_says_nothing_is_described_like_a_client(world):
    answer = told(world, source=PROXY)
    assert (answer["xff"], answer["xfp"], answer["xfh"]) == (PROXY, "http", "it.example")


@pytest.mark.parametrize("source", [None, PROXY], ids=["client", "trusted proxy"])
def test_connection_has_no_say_over_what_the_gateway_writes(world, source):
    fields = "Connection: X-Forwarded-For, Forwarded, X-Forwarded-Proto, Host, Via\r\n"
    answer = told(world, fields=fields, source=source)
    assert answer["xff"] == (source or "127.0.0.1")
    assert answer["host"] == "it.example" and answer["via"] and answer["forwarded"] and answer["xfp"] == "http"


def test_via_names_every_hop_in_turn(world):
    assert told(world)["via"] == "1.1 test-node"
    assert told(world, fields="Via: 1.0 first, 1.1 second\r\n")["via"] == "1.0 first, 1.1 second, 1.1 test-node"


def test_fields_of_one_connection_do_not_pass_to_the_other(world):
    answer = told(world, fields="Connection: keep-alive, X-Hop\r\nX-Hop: secret\r\nKeep-Alive: timeout=5\r\n"
                                "Proxy-Connection: keep-alive\r\nTE: gzip\r\nX-Kept: kept\r\n")
    assert [answer[key] for key in ("connection", "x_hop", "keep_alive", "proxy_connection", "te")] == [""] * 5
    assert answer["x_kept"] == "kept"


def test_what_is_the_users_own_passes(world):
    answer = told(world, fields="Cookie: a=1; b=2\r\nAuthorization: Basic eDp5\r\n")
    assert (answer["cookie"], answer["authorization"]) == ("a=1; b=2", "Basic eDp5")


def test_the_answers_fields_of_one_connection_stay_there_too(stage):
    def script(connection):
        while connection.read_request():
            connection.send("HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=9\r\n"
                            "X-Hop: secret\r\nX-Kept: kept\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
    gateway = stage.gateway({"service": [http_service("it.example", stage.target(script))]})
    with Client(gateway.http_port) as client:
        response = client.request("it.example")
    assert response.get("X-Kept") == "kept" and response.get("Via") == "1.1 test-node"
    assert [response.get(name) for name in ("X-Hop", "Keep-Alive")] == [None, None]
