"""A refused request is answered clearly, never reaches a target, and ends in one record; `explain` agrees with both."""
import collections

import pytest

from harness import Client, answer_each, free_port, has_ipv6, http_service, plain_answer, unverified_context

Case = collections.namedtuple("Case", "host path reason status source nearest", defaults=(None, None))

FORWARDED = [
    Case("open.example.com", "/anything", "ok", 200),
    Case("OPEN.Example.com.", "/", "ok", 200),
    Case("any.wild.example.com", "/", "ok", 200),
    Case("hq.example.com", "/PBX0/MY/client.htm", "ok", 200),
    Case("hq.example.com", "/apps/one", "ok", 200),
    Case("hq.example.com", "/apps/a%20b", "ok", 200),
    Case("preset.example.com", "/PBX0/WEBSOCKET/x", "ok", 200),
    Case("preset.example.com", "/classes/deep/er", "ok", 200),
    Case("inside.example.com", "/", "ok", 200, "127.0.0.2"),
    Case("inside.example.com", "/", "ok", 200, "127.0.5.1"),
]

REFUSED = [
    Case("hq.exmaple.com", "/", "service.unknown", 404, None, "hq.example.com"),
    Case("open.example.co", "/", "service.unknown", 404, None, "open.example.com"),
    Case("www.nothing-like-it.test", "/", "service.unknown", 404),
    Case("wild.example.com", "/", "service.unknown", 404),
    Case("127.0.0.1", "/", "service.unknown", 404),
    Case("[::1]", "/", "service.unknown", 404),
    Case("inside.example.com", "/", "acl.denied", 403),
    Case("inside.example.com", "/", "acl.denied", 403, "127.0.0.3"),
    Case("inside.example.com", "/PBX0", "acl.denied", 403, "127.0.6.1"),
    Case("hq.example.com", "/", "url.not_allowed", 403),
    Case("hq.example.com", "/PBX0/ADMIN", "url.not_allowed", 403),
    Case("hq.example.com", "/pbx0/my", "url.not_allowed", 403),
    Case("hq.example.com", "/apps/one/two", "url.not_allowed", 403),
    Case("preset.example.com", "/PBX0/ADMIN/x", "url.not_allowed", 403),
    Case("preset.example.com", "/ap/cdr.fcgi", "url.not_allowed", 403),
    Case("hq.example.com", "/PBX0/MY/../ADMIN", "url.ambiguous", 400),
    Case("hq.example.com", "/PBX0/MY/%2e%2e/ADMIN", "url.ambiguous", 400),
    Case("hq.example.com", "/PBX0/MY%2fADMIN", "url.ambiguous", 400),
    Case("hq.example.com", "/PBX0//MY", "url.ambiguous", 400),
    Case("hq.example.com", "/PBX0/MY%5cADMIN", "url.ambiguous", 400),
    Case("hq.example.com", "/PBX0/MY/%252e%252e/ADMIN", "url.ambiguous", 400),
]

if has_ipv6():
    FORWARDED.append(Case("inside.example.com", "/", "ok", 200, "::1"))
    REFUSED.append(Case("v4-only.example.com", "/", "acl.denied", 403, "::1"))


@pytest.fixture(scope="module")
def world(module_stage):
    target = module_stage.target(answer_each(lambda request: plain_answer("through")))
    plain, secure = free_port(), free_port()
    hosts = ["127.0.0.1", "[::1]"][:1 + has_ipv6()]
    config = {
        "listen": {"http": [f"{host}:{plain}" for host in hosts], "https": [f"{host}:{secure}" for host in hosts]},
        "service": [
            http_service("open.example.com", target),
            http_service("*.wild.example.com", target),
            http_service("hq.example.com", target, allow_url=["/PBX0/MY", "/apps/"]),
            http_service("preset.example.com", target, preset=["mypbx", "reporting"]),
            http_service("inside.example.com", target, allow_from=["127.0.0.2", "127.0.5.0/24", "::1"]),
            http_service("v4-only.example.com", target, allow_from=["0.0.0.0/0"])]}
    running = module_stage.gateway(config)
    running.resting = module_stage.gateway(config, start=False)  # the same file, and no gateway to ask
    running.target, running.sent = target, 0
    return running


def ask(gateway, case, url, tls):
    """The live answer."""
    address = "::1" if case.source == "::1" else "127.0.0.1"
    with Client(gateway.https_port if tls else gateway.http_port, address=address, source=case.source,
                tls=unverified_context() if tls else None) as client:
        return client.request(case.host, url)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("case", FORWARDED + REFUSED,
                         ids=lambda case: f"{case.reason} {case.host}{case.path} {case.source or ''}")
def test_the_live_verdict_its_record_and_both_explanations_agree(world, case, scheme):
    world.sent += 1
    url = f"{case.path}?request={world.sent}"
    seen_before = len(world.target.requests)
    response = ask(world, case, url, scheme == "https")
    record = world.only_record(lambda record: record.get("url") == url)

    assert response.status == case.status
    assert record["reason"] == case.reason
    assert record["verdict"] == ("forwarded" if case.reason == "ok" else "refused")
    assert record["looked_for"] == (case.host.lower().rstrip(".") or None)
    assert record.get("nearest") == case.nearest
    assert record["status"] == case.status
    assert record["client"].rsplit(":", 1)[0].strip("[]") == (case.source or "127.0.0.1")
    if case.reason == "ok":
        assert response.body == b"through"
    else:
        assert len(world.target.requests) == seen_before
        assert case.reason.encode() in response.body
        assert str(world.target.port).encode() not in response.head + response.body

    for gateway, source in ((world, "live"), (world.resting, "file")):
        status, explanation = gateway.json_verb(
            "explain", f"{scheme}://{case.host}{url}", "--client", case.source or "127.0.0.1")
        assert explanation["source"] == source
        assert status == (0 if case.reason == "ok" else 10)
        for key in ("verdict", "reason", "looked_for", "service"):
            assert explanation[key] == record[key], (key, explanation)
        assert explanation.get("nearest") == case.nearest
        assert explanation["target"] == record["target"]
        assert bool(explanation.get("remedy")) == (case.reason != "ok")


@pytest.mark.parametrize("request_line, host, reason", [  # RFC 9112 section 3.2
    ("GET /no-host HTTP/1.1", None, "peek.malformed"),
    ("GET /no-host HTTP/1.0", None, "service.no_name"),
    ("GET /no-host HTTP/1.1", "", "peek.malformed"),
    ("GET /no-host HTTP/1.1", "two words", "peek.malformed"),
])
def test_a_request_that_names_no_host_is_refused(world, request_line, host, reason):
    world.sent += 1
    with Client(world.http_port) as client:
        port = client.sock.getsockname()[1]
        client.send(f"{request_line}\r\n" + ("" if host is None else f"Host: {host}\r\n") + "\r\n")
        response = client.read_response()
    assert response.status == 400 and reason.encode() in response.body
    record = world.only_record(lambda record: record["client"] == f"127.0.0.1:{port}")
    assert (record["verdict"], record["reason"], record["looked_for"]) == ("refused", reason, None)
    if host is not None:
        explanation = world.explain(f"http://{host}/no-host")
        assert (explanation["verdict"], explanation["reason"]) == ("refused", reason)


def test_a_connection_that_never_says_anything_leaves_no_record_when_it_closes(world):
    with Client(world.http_port):
        pass
    with Client(world.http_port) as client:
        world.sent += 1
        client.request("open.example.com", "/after-silence")
    world.only_record(lambda record: record.get("url") == "/after-silence")


def test_the_log_holds_one_record_for_each_request_and_no_other(world):
    world.stop()
    assert len(world.records()) == world.sent
    assert b"exmaple" not in world.target.received and b"ADMIN" not in world.target.received


def test_a_default_service_takes_what_no_name_fits(stage):
    target = stage.target()
    gateway = stage.gateway({"service": [http_service("known.example", target, default=True)]})
    with Client(gateway.http_port) as client:
        assert client.request("unknown.example").body == b"fine"
    explanation = gateway.explain("http://unknown.example/")
    assert (explanation["verdict"], explanation["service"]) == ("forwarded", "known.example")
    with Client(gateway.http_port) as client:
        client.send("GET / HTTP/1.0\r\n\r\n")
        assert client.read_response().body == b"fine"


def test_an_explanation_names_each_rule_with_its_place(world):
    explanation = world.resting.explain("https://hq.example.com/PBX0/ADMIN")
    lines = world.resting.file.read_text().splitlines()
    places = {step["rule"]: step for step in explanation["trail"] if "line" in step}
    assert places and all(step["file"] == "sallyport.toml" for step in places.values())
    tried = [step for rule, step in places.items() if "allow_url" in rule]
    assert len(tried) == 2
    for step in tried:
        assert "allow_url" in lines[step["line"] - 1]
        assert step["result"] == "no match"


@pytest.mark.parametrize("arguments, status", [
    (("explain", "http://open.example.com/"), 0),
    (("explain", "http://nobody.example.com/"), 10),
    (("explain", "gopher://open.example.com/"), 2),
    (("explain", "http://open.example.com/", "--client", "me"), 2),
    (("explain",), 2),
])
def test_explain_ends_with_the_status_of_its_answer(world, arguments, status):
    done = world.resting.verb(*arguments)
    assert done.returncode == status
    assert bool(done.stdout) == (status in (0, 10))
    assert bool(done.stderr) == (status == 2)
