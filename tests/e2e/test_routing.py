"""The right one of several nginx is reached by name, however the name is written, over every combination of TLS."""
import pytest

from harness import Client, curl, http_service, seen, unverified_context

NAMES = ["alpha.example", "second.example", "*.wild.example", "beta.example", "deep.wild.example"]
LEGS = {  # of the service: which of the target's ports it gives
    "both.example": ("plain", "tls"),
    "plain-only.example": ("plain",),
    "tls-only.example": ("tls",),
}


@pytest.fixture(scope="module")
def world(module_stage):
    alpha = module_stage.nginx("alpha", [*NAMES, *LEGS])
    beta = module_stage.nginx("beta")
    deep = module_stage.nginx("deep")
    chain, key = module_stage.authority.issue("edge", [*NAMES, *LEGS])
    legs = [http_service(name, target=alpha if "plain" in ports else None, tls=alpha if "tls" in ports else None,
                         target_ca=module_stage.authority.ca) for name, ports in LEGS.items()]
    gateway = module_stage.gateway({
        "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [http_service(["alpha.example", "second.example"], alpha), http_service("beta.example", beta),
                    http_service("*.wild.example", beta), http_service("deep.wild.example", deep), *legs]})
    gateway.ca = module_stage.authority.ca
    gateway.client_context = module_stage.authority.client_context()
    return gateway


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name, server", [
    ("alpha.example", "alpha"),
    ("second.example", "alpha"),
    ("beta.example", "beta"),
    ("any.wild.example", "beta"),
    ("deep.wild.example", "deep"),
    ("ALPHA.Example", "alpha"),
    ("beta.example.", "beta"),
    ("ANY.wild.example.", "beta"),
])
def test_curl_reaches_the_server_of_the_name(world, name, server, scheme):
    port = world.https_port if scheme == "https" else world.http_port
    answer = seen(curl(f"{scheme}://{name}/where?q=1", connect_to=port, ca=world.ca))
    assert answer["name"] == server
    assert answer["url"] == "/where?q=1"


@pytest.mark.parametrize("host, server", [
    ("alpha.example:8080", "alpha"),
    ("BETA.EXAMPLE.:80", "beta"),
    ("beta.example:", "beta"),
])
def test_a_port_in_host_does_not_matter(world, host, server):
    with Client(world.http_port) as client:
        assert seen(client.request(host).body)["name"] == server


def test_an_absolute_url_names_the_service_whatever_host_says(world):  # RFC 9112 section 3.2.2
    with Client(world.http_port) as client:
        answer = seen(client.request("beta.example", "http://alpha.example/path?x").body)
    assert (answer["name"], answer["url"], answer["host"]) == ("alpha", "/path?x", "alpha.example")


@pytest.mark.parametrize("option, version", [("--http1.0", "HTTP/1.0"), ("--http1.1", "HTTP/1.1")])
def test_both_versions_of_http_are_served_and_forwarded_as_1_1(world, option, version):
    answer = seen(curl("http://alpha.example/", option, connect_to=world.http_port))
    assert (answer["name"], answer["protocol"]) == ("alpha", "HTTP/1.1")
    assert answer["via"] == f"{version[5:]} test-node"


def test_http_1_0_closes_unless_it_asks_to_keep(world):
    with Client(world.http_port) as client:
        assert client.request("alpha.example", version="HTTP/1.0").status == 200
        assert client.read_to_end() == b""
    with Client(world.http_port) as client:
        for _ in range(2):
            kept = client.request("alpha.example", version="HTTP/1.0", fields="Connection: keep-alive\r\n")
            assert kept.get("Connection") == "keep-alive"


@pytest.mark.parametrize("name, scheme, leg", [
    ("both.example", "http", "http"),
    ("both.example", "https", "https"),
    ("plain-only.example", "http", "http"),
    ("plain-only.example", "https", "http"),
    ("tls-only.example", "http", "https"),
    ("tls-only.example", "https", "https"),
])
def test_encryption_stays_as_it_came_with_both_ports_and_is_that_of_the_only_one(world, name, scheme, leg):
    port = world.https_port if scheme == "https" else world.http_port
    path = f"/{scheme}-{name}"
    answer = seen(curl(f"{scheme}://{name}{path}", connect_to=port, ca=world.ca))
    assert answer["scheme"] == leg
    assert answer["xfp"] == scheme
    assert answer["sni"] == (name if leg == "https" else "")
    record = world.only_record(lambda record: record.get("url") == path)
    assert (record["tls_client"], record["tls_target"]) == (scheme == "https", leg == "https")
    assert (record["service"], record["verdict"], record["reason"]) == (name, "forwarded", "ok")


def test_services_take_turns_on_one_kept_connection(world):
    with Client(world.http_port) as client:
        for turn in range(6):
            name, server = (("alpha.example", "alpha"), ("beta.example", "beta"))[turn % 2]
            assert seen(client.request(name, f"/turn-{turn}").body)["name"] == server
        refused = client.request("nobody.example", "/turn-6")
        assert refused.status == 404
        assert seen(client.request("alpha.example", "/turn-7").body)["name"] == "alpha"
    records = [world.only_record(lambda record: record.get("url") == f"/turn-{turn}") for turn in range(8)]
    assert [record["verdict"] for record in records] == ["forwarded"] * 6 + ["refused", "forwarded"]
    assert len({record["client"] for record in records}) == 1


def test_a_tls_connection_is_for_the_service_that_its_handshake_named(world):
    with Client(world.https_port, world.client_context, "alpha.example") as client:
        assert seen(client.request("alpha.example").body)["name"] == "alpha"
        refused = client.request("beta.example", "/elsewhere")
        assert refused.status == 421 and b"tls.misdirected" in refused.body
        assert seen(client.request("alpha.example").body)["name"] == "alpha"
    record = world.only_record(lambda record: record.get("url") == "/elsewhere")
    assert (record["verdict"], record["reason"]) == ("refused", "tls.misdirected")


def test_a_tls_client_that_names_nobody_is_served_each_name_that_it_asks_for(world):
    with Client(world.https_port, unverified_context()) as client:
        assert seen(client.request("alpha.example").body)["name"] == "alpha"
        assert seen(client.request("beta.example").body)["name"] == "beta"


def test_a_target_whose_certificate_does_not_fit_is_not_used(stage):
    target = stage.target(tls_names=["other.example"])
    gateway = stage.gateway({"service": [http_service("strict.example", tls=target, target_ca=stage.authority.ca),
                                         http_service("lax.example", tls=target, target_verify=False)]})
    with Client(gateway.http_port) as client:
        assert client.request("strict.example").status == 502
    assert gateway.only_record(lambda record: True)["reason"] == "target.tls"
    assert target.requests == []
    with Client(gateway.http_port) as client:
        assert client.request("lax.example").body == b"fine"


def test_the_next_target_takes_over_when_the_first_refuses(stage):
    up = stage.nginx("up")
    gateway = stage.gateway({"service": [{"name": "two.example", "protocol": "http", "plain_port": up.port,
                                          "target": ["127.0.0.9", "127.0.0.1"]}]})
    assert seen(curl("http://two.example/", connect_to=gateway.http_port))["name"] == "up"
    assert gateway.only_record(lambda record: True)["target"] == f"127.0.0.1:{up.port}"


def test_a_target_is_found_by_its_host_name(stage):
    up = stage.nginx("up")
    gateway = stage.gateway({"service": [http_service("named.example", up) | {"target": "localhost"}]})
    assert seen(curl("http://named.example/", connect_to=gateway.http_port))["name"] == "up"
