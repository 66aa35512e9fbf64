"""A TLS session that is resumed brings its client certificate along: only where the same question was asked under the
same name, and only as long as the same authorities are trusted."""
import pytest

from harness import Client, http_service, wait_until
from harness.client_certificates import DeviceAuthority, in_rfc_9440, services_that_want
from harness.echo import echo_heads, field, saw
from harness.tls_clients import VERSIONS, context_for, s_client


def opened(gateway, context, name, host=None, session=None):
    """(response, was it resumed, the session to resume) of one request on a new connection."""
    with Client(gateway.https_port, context, name, session=session) as client:
        response = client.request(host or name)
        return response, client.sock.session_reused, client.sock.session


@pytest.fixture
def own(stage):
    """A gateway whose configuration a test may change. `shown`: a good certificate."""
    trusted = DeviceAuthority(stage.directory / "devices")
    gateway = stage.gateway({"trust": {"ca": [trusted.ca]},
                             "service": services_that_want(stage.target(echo_heads).port)})
    gateway.trusted, gateway.shown = trusted, trusted.issue()
    return gateway


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_resumes_with_the_certificate_that_was_shown(own, version):
    context = context_for(own.shown, version)
    _, _, session = opened(own, context, "need.example")
    for _ in range(5):  # over both loops
        response, resumed, _ = opened(own, context, "need.example", session=session)
        assert resumed
        assert field(saw(response), "Client-Cert") == [in_rfc_9440(own.shown)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("before, after", [("open.example", "need.example"), ("may.example", "need.example"),
                                           ("need.example", "open.example"), ("need.example", "alias.example")])
def test_a_ticket_of_one_name_is_none_for_another(own, before, after, version):
    context = context_for(own.shown, version)
    _, _, session = opened(own, context, before)
    assert session.has_ticket
    response, resumed, _ = opened(own, context, after, session=session)
    assert not resumed
    assert field(saw(response), "X-SSL-Client-Verify") == ([] if after == "open.example" else ["SUCCESS"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reload_without_a_change_keeps_tickets(own, version):
    context = context_for(own.shown, version)
    _, _, session = opened(own, context, "need.example")
    own.reload()
    response, resumed, _ = opened(own, context, "need.example", session=session)
    assert resumed and field(saw(response), "X-SSL-Client-Verify") == ["SUCCESS"]
    own.config["service"].append(http_service("more.example", 80))
    own.write()
    own.reload()
    assert opened(own, context, "need.example", session=session)[1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["another file", "the file replaced"])
def test_a_change_of_trust_makes_old_tickets_worthless(stage, own, how, version):
    context = context_for(own.shown, version)
    _, _, session = opened(own, context, "need.example")
    other = DeviceAuthority(stage.directory / "other", "Other CA")
    if how == "another file":
        own.config["trust"]["ca"] = [other.ca]
        own.write()
        own.reload()
    else:
        other.ca.rename(own.trusted.ca)
        wait_until(lambda: "CN = Other CA" in s_client(own.https_port, "-servername", "need.example"), "the new trust")
    response, resumed, _ = opened(own, context, "need.example", session=session)
    assert not resumed
    assert response.status == 403 and b"cert.untrusted" in response.body


@pytest.mark.parametrize("version", VERSIONS)
def test_a_service_that_begins_to_ask_asks_old_clients_too(own, version):
    context = context_for(own.shown, version)
    _, _, session = opened(own, context, "open.example")
    with Client(own.https_port, context_for(), "open.example") as kept:
        saw(kept.request("open.example"))
        service, = (one for one in own.config["service"] if one["name"] == "open.example")
        service["client_certificate"] = "required"
        own.write()
        own.reload()
        assert b"cert.missing" in kept.request("open.example").body
    response, resumed, _ = opened(own, context, "open.example", session=session)
    assert not resumed and field(saw(response), "X-SSL-Client-Verify") == ["SUCCESS"]
