"""`sallyport check` finds at once, each with its place, what a start would stumble over."""
import os
import re
import socket

import pytest

from harness import free_port, http_service, toml


def edge(stage, name="edge", names=("it.example",), **more):
    chain, key = stage.authority.issue(name, list(names), **more)
    return {"name": name, "chain": chain, "key": key}


def findings(stage, config):
    """(exit status, errors, warnings) of check on this, with the line of the file that each points to."""
    gateway = stage.gateway(config, start=False)
    status, found = gateway.check()
    lines = gateway.file.read_text().splitlines()
    for one in found["errors"] + found["warnings"]:
        assert one["file"] == str(gateway.file) and 1 <= one["line"] <= len(lines) and one["column"] >= 1, one
        one["points_to"] = lines[one["line"] - 1][one["column"] - 1:]
    return status, found["errors"], found["warnings"]


def test_a_good_configuration_has_nothing_to_say(stage):
    assert findings(stage, {"certificate": [edge(stage)], "service": [http_service("it.example", 80)]}) == (0, [], [])


def test_all_errors_are_told_at_once_with_their_places(stage):
    gateway = stage.gateway({"service": []}, start=False)
    gateway.write_text("""\
[node]
nmae = "x"

[listen]
http = "127.0.0.1:70000"
htps = "127.0.0.1:443"

[[service]]
name = "it.example"
protocol = "htpp"
target = "127.0.0.1"
plain_port = "80"

[[service]]
name = "other.example"
protocol = "http"
target = "127.0.0.1"
""")
    done = gateway.verb("check")
    assert (done.returncode, done.stdout) == (3, "")
    places = re.findall(rf"^{re.escape(str(gateway.file))}:(\d+):(\d+): error", done.stderr, re.MULTILINE)
    assert [int(line) for line, _ in places] == [2, 5, 6, 10, 12, 14]
    assert all(int(column) >= 1 for _, column in places)
    for hint in ("name", "https", "http"):
        assert f'did you mean "{hint}"?' in done.stderr
    assert 'nmae = "x"' in done.stderr  # the line itself is shown
    status, found = gateway.check()
    assert status == 3 and [error["line"] for error in found["errors"]] == [2, 5, 6, 10, 12, 14]


def test_a_syntax_error_is_told_alone(stage):
    gateway = stage.gateway({"service": []}, start=False)
    gateway.write_text('[node]\nnmae = "x"\n[listen\n')
    _, found = gateway.check()
    assert [error["line"] for error in found["errors"]] == [3]


def test_a_port_that_another_holds_is_found(stage):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        status, errors, _ = findings(stage, {"listen": {"http": [f"127.0.0.1:{free_port()}", taken]},
                                             "service": [http_service("it.example", 80)]})
    assert status == 3
    error, = errors
    assert taken in error["message"] and error["points_to"].startswith(f'"{taken}"')


def test_the_ports_of_the_running_gateway_are_its_own(stage):
    config = {"certificate": [edge(stage)], "service": [http_service("it.example", 80)],
              "admin": {"listen": f"127.0.0.1:{free_port()}"}}
    gateway = stage.gateway(config)
    assert gateway.check() == (0, {"errors": [], "warnings": []})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask for another user")
@pytest.mark.parametrize("what", ["key", "secret"])
def test_files_are_read_as_the_user_that_the_gateway_runs_as(stage, what):
    """Which has none of root's groups: mode 0640 of root and its group is closed to it."""
    certificate = edge(stage)
    secret = stage.directory / "secret"
    secret.write_text("secret\n")
    file = {"key": certificate["key"], "secret": secret}[what]
    for one in (certificate["key"], certificate["chain"], secret):
        os.chmod(one, 0o644)
    gateway = stage.gateway({
        "node": {"user": "nobody"}, "certificate": [certificate], "service": [http_service("it.example", 80)],
        "turn": {"udp": f"127.0.0.1:{free_port()}", "realm": "it.example", "shared_secret_file": secret}}, start=False)
    as_root = ["setpriv", "--groups=0"]
    assert gateway.verb("check", wrapper=as_root).returncode == 0
    os.chown(file, 0, 0)
    os.chmod(file, 0o640)
    done = gateway.verb("check", wrapper=as_root)
    assert done.returncode == 3 and f"the user nobody can't read {file}" in done.stderr


@pytest.mark.parametrize("fault, word", [
    ("the key of another", "is not the key of"),
    ("expired", "expired"),
    ("garbage", "certificate"),
    ("not there", "No such file"),
])
def test_a_bad_certificate_is_found(stage, fault, word):
    certificate = edge(stage, days=-1 if fault == "expired" else 30)
    if fault == "the key of another":
        certificate["key"] = edge(stage, "other")["key"]
    elif fault == "garbage":
        certificate["chain"].write_text("garbage")
    elif fault == "not there":
        os.remove(certificate["chain"])
    status, errors, _ = findings(stage, {"certificate": [certificate], "service": [http_service("it.example", 80)]})
    assert status == 3
    error, = errors
    assert word in error["message"] and str(stage.directory) in error["message"], error
    assert "edge" in error["points_to"]


def test_a_target_ca_that_is_not_there_is_found(stage):
    status, errors, _ = findings(stage, {"certificate": [edge(stage)], "service": [
        http_service("it.example", tls=443, target_ca=stage.directory / "absent.pem")]})
    assert status == 3
    assert len(errors) == 1 and "absent.pem" in errors[0]["message"] and "absent.pem" in errors[0]["points_to"]


def test_the_admin_port_is_no_service_port(stage):
    port = free_port()
    status, errors, _ = findings(stage, {"listen": {"http": f":{port}"}, "admin": {"listen": f"127.0.0.1:{port}"},
                                         "service": [http_service("it.example", 80)]})
    assert status == 3
    assert any("[admin] listen" in error["message"] and str(port) in error["message"] for error in errors)


def test_one_port_serves_one_kind(stage):
    port = f"127.0.0.1:{free_port()}"
    status, errors, _ = findings(stage, {"listen": {"http": port, "https": port}, "certificate": [edge(stage)],
                                         "service": [http_service("it.example", 80)]})
    assert status == 3 and "taken" in errors[0]["message"]


def test_a_name_that_no_certificate_covers_is_a_warning(stage):
    certificate = edge(stage, names=["it.example", "*.wild.example"])
    status, errors, warnings = findings(stage, {"certificate": [certificate], "service": [
        http_service(["it.example", "bare.example"], 80), http_service("one.wild.example", 80),
        http_service("two.one.wild.example", 80)]})
    assert (status, errors) == (0, [])
    named = [re.search(r'"(.*?)"', warning["points_to"])[1] for warning in warnings]
    assert named == ["bare.example", "two.one.wild.example"]


def test_a_target_name_without_address_is_a_warning(stage):
    service = http_service("it.example", 80) | {"target": "no-such-host.invalid"}
    status, errors, warnings = findings(stage, {"certificate": [edge(stage)], "service": [service]})
    assert (status, errors) == (0, [])
    warning, = warnings
    assert "no-such-host.invalid" in warning["message"]


def test_a_rule_that_nginx_reads_otherwise_is_pointed_out(stage):
    _, _, warnings = findings(stage, {"certificate": [edge(stage)],
                                      "service": [http_service("it.example", 80, allow_url=["/a/"])]})
    warning, = warnings
    assert "nginx" in warning["message"] and warning["points_to"].startswith('"/a/"')


def test_files_of_conf_d_are_named_themselves(stage):
    gateway = stage.gateway({"service": [http_service("it.example", 80)], "certificate": [edge(stage)]}, start=False)
    folder = gateway.directory / "conf.d"
    folder.mkdir()
    (folder / "20-bad.toml").write_text(toml({"service": [http_service("it.example", 1)]}))
    status, found = gateway.check()
    error, = found["errors"]
    assert status == 3 and error["file"] == str(folder / "20-bad.toml") and error["line"] == 2
    assert "twice" in error["message"] and "sallyport.toml" in error["hint"]


# ---- Client certificates, redirects, challenges.

def trust(stage):
    return {"ca": [stage.authority.ca]}


@pytest.mark.parametrize("wanted", ["required", "optional"])
def test_client_certificates_need_trust(stage, wanted):
    service = http_service("it.example", 80, client_certificate=wanted)
    status, errors, _ = findings(stage, {"certificate": [edge(stage)], "service": [service]})
    assert status == 3
    error, = errors
    assert "client_certificate" in error["message"] and "[trust]" in error["hint"], error
    assert error["points_to"].startswith("[[service]]") or "client_certificate" in error["points_to"]
    assert findings(stage, {"certificate": [edge(stage)], "service": [service], "trust": trust(stage)}) == (0, [], [])
    status, errors, _ = findings(stage, {"certificate": [edge(stage)], "service": [service], "trust": {"ca": []}})
    assert status == 3 and len(errors) == 1


def test_a_client_certificate_of_no_known_kind_is_found(stage):
    status, errors, _ = findings(stage, {"certificate": [edge(stage)], "trust": trust(stage), "service": [
        http_service("it.example", 80, client_certificate="require")]})
    assert status == 3
    error, = errors
    assert 'did you mean "required"?' in error["hint"] and error["points_to"].startswith('"require"')


@pytest.mark.parametrize("fault, word", [
    ("absent", "No such file"), ("garbage", "certificate"), ("empty", "certificate")])
def test_a_trusted_authority_that_can_not_be_read_is_found(stage, fault, word):
    place = stage.directory / "trusted.pem"
    if fault != "absent":
        place.write_text("garbage" if fault == "garbage" else "")
    status, errors, _ = findings(stage, {"certificate": [edge(stage)], "trust": {"ca": [place]},
                                         "service": [http_service("it.example", 80, client_certificate="required")]})
    assert status == 3
    error, = errors
    assert word in error["message"] and str(place) in error["message"]
    assert "trusted.pem" in error["points_to"] or "[trust]" in error["points_to"], error


def test_a_client_certificate_that_nobody_can_show_is_a_warning(stage):
    status, errors, warnings = findings(stage, {
        "listen": {"http": f"127.0.0.1:{free_port()}"}, "trust": trust(stage),
        "service": [http_service("it.example", 80, client_certificate="required")]})
    assert (status, errors) == (0, [])
    warning, = warnings
    assert "client_certificate" in warning["message"] and "https" in warning["message"]


def test_a_target_certificate_that_is_not_there_is_found(stage):
    status, errors, _ = findings(stage, {"certificate": [edge(stage)], "service": [
        http_service("it.example", tls=443, target_certificate="egde")]})
    assert status == 3
    error, = errors
    assert "target_certificate" in error["message"] and "egde" in error["message"]
    assert error["points_to"].startswith('"egde"')
    good = http_service("it.example", tls=443, target_certificate="edge", target_verify=False)
    assert findings(stage, {"certificate": [edge(stage)], "service": [good]}) == (0, [], [])


def test_a_target_certificate_that_is_nearly_there_is_hinted_at(stage):
    _, errors, _ = findings(stage, {"certificate": [edge(stage)], "service": [
        http_service("it.example", tls=443, target_certificate="egde")]})
    assert "edge" in errors[0]["hint"]


@pytest.mark.parametrize("kind, other", [("http", "https"), ("https", "http")])
def test_a_redirect_needs_both_ports(stage, kind, other):
    status, errors, warnings = findings(stage, {
        "listen": {kind: f"127.0.0.1:{free_port()}"}, "certificate": [edge(stage)],
        "service": [http_service("it.example", 80, redirect_to_https=True)]})
    assert (status, errors) == (0, [])
    warning, = warnings
    assert "redirect_to_https" in warning["message"] and other in warning["message"] and warning["hint"]
    assert warning["points_to"].startswith("[[service]]") or "redirect_to_https" in warning["points_to"]


@pytest.mark.parametrize("subject, missing", [("dns:hq.example.com", "[dns] has no listen"), ("turn:alice", "[turn] has no listener"),
                                              ("fw:tcp:192.0.2.1->192.0.2.2:80", "there is no [firewall]"),
                                              ("fw:tcp:192.0.2.1-", "in quotes"),  # as a shell leaves it without
                                              ("ftp:hq.example.com", "a subject looks like")])
@pytest.mark.parametrize("running", [True, False], ids=["live", "from the file"])
def test_what_is_not_served_at_all_is_not_explained_but_said(stage, subject, missing, running):
    gateway = stage.gateway({"service": [http_service("it.example", 80)]}, start=running)
    told = gateway.verb("explain", subject)
    assert told.returncode in (2, 3) and missing in told.stderr
