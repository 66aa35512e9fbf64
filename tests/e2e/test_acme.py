"""Challenges of an ACME authority are answered from a directory, under every name and before any rule; what is not
there goes on to the services. certbot, lego and uacme get real certificates through the gateway."""
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

from harness import Client, answer_each, curl, http_service, plain_answer, shown_certificate, wait_until
from harness.acme_authority import Pebble, installed
from harness.client_certificates import DeviceAuthority
from harness.manual import replaced, shell_block
from harness.tls_clients import context_for

WELL_KNOWN = "/.well-known/acme-challenge/"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
UNPRIVILEGED = "nobody"

HOSTS = ["inner.example", "go.example", "need.example", "few.example", "rules.example", "unknown.example", "127.0.0.1",
         "[::1]", "inner.example:8080", "INNER.example."]


def challenges_in(folder):
    folder.mkdir(parents=True)
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    (folder / TOKEN).write_text("the answer")
    return folder


@pytest.fixture(scope="module")
def world(module_stage):
    stage = module_stage
    target = stage.target(answer_each(lambda request: plain_answer(b"inner " + request.url.encode())))
    trusted = DeviceAuthority(stage.directory / "devices")
    folder = challenges_in(stage.directory / "challenges")
    gateway = stage.gateway({"trust": {"ca": [trusted.ca]}, "service": [
        http_service("inner.example", target), http_service("go.example", target, redirect_to_https=True),
        http_service("need.example", target, client_certificate="required"),
        http_service("few.example", target, allow_from=["192.0.2.1"]),
        http_service("rules.example", target, allow_url=["/in"])]}, start=False)
    gateway.config["listen"]["acme_challenges"] = folder
    gateway.write()
    gateway.folder, gateway.target = folder, target
    return gateway.start()


def asked(gateway, token, host="inner.example", method="GET", **options):
    with Client(gateway.http_port) as client:
        return client.request(host, WELL_KNOWN + token, method, **options)


def is_answered(response, content=b"the answer"):
    assert (response.status, response.body) == (200, content), response.head
    assert response.get("Content-Type") == "application/octet-stream" and response.get("Cache-Control") == "no-store"
    return True


# ---- Who gets the answer.

@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("host", HOSTS)
def test_every_name_is_answered_before_any_rule(world, host, tls):
    port, context = (world.https_port, context_for()) if tls else (world.http_port, None)
    before = world.target.received
    with Client(port, context, host if host.endswith("example") and tls else None) as client:
        for _ in range(2):
            assert is_answered(client.request(host, WELL_KNOWN + TOKEN))
        head = client.request(host, WELL_KNOWN + TOKEN, "HEAD")
        assert (head.status, head.get("Content-Length"), head.body) == (200, "10", b"")
        assert client.request("unknown.example").status in (404, 421)
    assert world.target.received == before


def test_the_oldest_clients_are_answered(world):
    with Client(world.http_port) as client:
        client.send(f"GET {WELL_KNOWN}{TOKEN} HTTP/1.0\r\n\r\n")
        assert is_answered(client.read_response())
        assert client.read_to_end() == b""


def test_an_absolute_url_is_answered(world):
    with Client(world.http_port) as client:
        assert is_answered(client.request("inner.example", f"http://unknown.example{WELL_KNOWN}{TOKEN}"))


def test_a_record_tells_who_answered(world):
    with Client(world.http_port) as client:
        client.request("unknown.example", f"{WELL_KNOWN}{TOKEN}?mine")
    record = world.only_record(lambda record: record.get("url", "").endswith("?mine"))
    assert (record["verdict"], record["reason"], record["status"]) == ("forwarded", "ok", 200)
    assert record["target"] == "builtin:acme-challenge"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "get"])
def test_other_methods_go_on_to_the_services(world, method):
    assert asked(world, TOKEN, method=method).body == f"inner {WELL_KNOWN}{TOKEN}".encode()
    assert asked(world, TOKEN, "unknown.example", method).status == 404


# ---- What is there and what is not.

LETTERS_128, LETTERS_129 = "x" * 128, "x" * 129


def goes_on(gateway, token):
    response = asked(gateway, token)
    assert (response.status, response.body) == (200, f"inner {WELL_KNOWN}{token}".encode())
    assert asked(gateway, token, "unknown.example").status == 404
    assert asked(gateway, token, "go.example").status == 301


@pytest.mark.parametrize("token", [
    "", ".", "..", "../secret", "..%2fsecret", "%2e%2e/secret", "%2e", "a/b", "a.b", "/" + TOKEN, TOKEN + "/",
    "./" + TOKEN, LETTERS_129, "y" * 5000, TOKEN.replace("e", "%65", 1), TOKEN[:-1], TOKEN.lower(), "a~b", "a+b", "a=b",
    "\\", "..\\secret", TOKEN + "%00", "*", ";" + TOKEN])
def test_what_is_no_token_goes_on_to_the_services(world, token):
    (world.folder.parent / "secret").write_text("secret")
    (world.folder / "a").mkdir(exist_ok=True)
    for name in ("a/b", "a.b", "a~b", "a+b", "a=b", "\\", "..\\secret", LETTERS_129):
        (world.folder / name).write_text("not to be read")
    goes_on(world, token)


def test_a_token_may_have_128_letters(world):
    (world.folder / LETTERS_128).write_text("long")
    assert is_answered(asked(world, LETTERS_128), b"long")


@pytest.mark.parametrize("kind", ["symlink", "dangling", "directory", "fifo", "socket", "absent"])
def test_what_is_no_file_goes_on_to_the_services(world, kind):
    place = world.folder / f"odd-{kind}"
    if kind == "symlink":
        place.symlink_to(world.folder / TOKEN)
    elif kind == "dangling":
        place.symlink_to(world.folder / "nowhere")
    elif kind == "directory":
        place.mkdir()
    elif kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as holder:
            holder.bind(str(place))
    goes_on(world, place.name)


def test_a_file_that_may_not_be_read_goes_on_to_the_services(stage):
    if os.geteuid() != 0:
        pytest.skip("only root can start the gateway with privileges to drop")
    folder = challenges_in(stage.directory / "challenges")
    (folder / "closed").write_text("closed")
    (folder / "closed").chmod(0)
    target = stage.target(answer_each(lambda request: plain_answer(b"inner " + request.url.encode())))
    gateway = stage.gateway({
        "node": {"user": UNPRIVILEGED}, "admin": {"socket": stage.directory / "run" / "admin.sock"},
        "service": [http_service("inner.example", target), http_service("go.example", target, redirect_to_https=True)]},
        start=False, environment={"ASAN_OPTIONS": "detect_leaks=0"})  # it may not trace itself then
    gateway.config["listen"]["acme_challenges"] = folder
    gateway.write()
    gateway.start()
    assert is_answered(asked(gateway, TOKEN))
    goes_on(gateway, "closed")
    folder.chmod(0)
    goes_on(gateway, TOKEN)
    folder.chmod(0o755)
    assert is_answered(asked(gateway, TOKEN))


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 5 * 1024, 1 << 20])
def test_no_more_than_4_kib_are_given(world, size):
    (world.folder / "large").write_bytes(b"z" * size)
    assert is_answered(asked(world, "large"), b"z" * min(size, 4096))


def test_any_bytes_pass_as_they_are(world):
    content = bytes(range(256)) + b"\r\n\r\nHTTP/1.1 200 OK\r\n"
    (world.folder / "bytes").write_bytes(content)
    assert is_answered(asked(world, "bytes"), content)


def test_files_appear_and_vanish_while_it_runs(world):
    place = world.folder / "passing"
    with Client(world.http_port) as client:
        for turn in range(5):
            assert client.request("inner.example", WELL_KNOWN + "passing").body.startswith(b"inner")
            place.write_text(f"turn {turn}")
            assert is_answered(client.request("inner.example", WELL_KNOWN + "passing"), f"turn {turn}".encode())
            place.unlink()


def test_without_the_key_services_are_asked_and_a_reload_brings_it(stage):
    target = stage.target(answer_each(lambda request: plain_answer(b"inner")))
    gateway = stage.gateway({"service": [http_service("inner.example", target)]})
    folder = challenges_in(stage.directory / "challenges")
    assert asked(gateway, TOKEN).body == b"inner"
    gateway.config["listen"]["acme_challenges"] = folder
    gateway.write()
    gateway.reload()
    assert is_answered(asked(gateway, TOKEN))
    shutil.rmtree(folder)
    assert asked(gateway, TOKEN).body == b"inner"
    del gateway.config["listen"]["acme_challenges"]
    gateway.write()
    gateway.reload()
    challenges_in(folder)
    assert asked(gateway, TOKEN).body == b"inner"


# ---- Many at once, and off the loops.

def test_many_at_once_are_all_answered(world):
    clients = [Client(world.http_port) for _ in range(400)]
    try:
        for _ in range(3):
            for client in clients:
                client.send(f"GET {WELL_KNOWN}{TOKEN} HTTP/1.1\r\nHost: unknown.example\r\n\r\n")
            for client in clients:
                assert is_answered(client.read_response())
    finally:
        for client in clients:
            client.close()


def test_clients_that_leave_meanwhile_do_no_harm(world):
    for _ in range(200):
        client = Client(world.http_port)
        client.send(f"GET {WELL_KNOWN}{TOKEN} HTTP/1.1\r\nHost: unknown.example\r\n\r\n")
        client.reset()
    assert is_answered(asked(world, TOKEN))


@pytest.mark.skipif(not installed("strace"), reason="there is no strace")
def test_data_loops_do_not_touch_the_disk(world):
    trace = world.directory / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-e", "trace=open,openat,openat2,stat,newfstatat", "-o", trace, "-p",
                               str(world.pid)], stderr=subprocess.PIPE, text=True)
    try:
        if "attached" not in tracer.stderr.readline():
            pytest.skip("strace may not attach here")
        for _ in range(20):  # over both loops
            assert is_answered(asked(world, TOKEN))
        goes_on(world, "absent")
    finally:
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()
    opened = [line for line in trace.read_text().splitlines() if str(world.folder) in line]
    assert len(opened) >= 20
    threads = {line.split()[0] for line in opened}
    names = {pathlib.Path(f"/proc/{world.pid}/task/{thread}/comm").read_text().strip() for thread in threads}
    assert len(threads) == 1 and names == {"worker"}


# ---- Real clients, a real authority. The commands are those of docs/certificates.md.

NAME = "hq.example.com"


def needs(*programs):
    missing = [program for program in (*programs, "pebble", "pebble-challtestsrv") if not installed(program)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


class Issuing:
    """A gateway that redirects, asks for certificates and shows a certificate of its own; pebble; the scripts of the
    manual in a folder of their own."""

    def __init__(self, stage):
        self.stage = stage
        self.etc, self.webroot = stage.directory / "etc", stage.directory / "webroot"
        self.paths = {"/etc/sallyport": self.etc, "/var/www/acme": self.webroot}
        subprocess.run(["sh", "-ec", self.manual("mkdir -p", "/etc/sallyport", "/var/www/acme")], check=True)
        self.script("take-certificate", self.manual("# take-certificate", "/etc/sallyport").replace(
            "-g sallyport", f"-g {os.getegid()}"))
        first = stage.authority.issue("first", [NAME])
        for file, new in zip(first, (self.chain, self.etc / "tls/hq.key")):
            shutil.copy(file, new)
        trusted = DeviceAuthority(stage.directory / "devices")
        self.gateway = stage.gateway({
            "certificate": [{"name": "hq", "chain": self.chain, "key": self.etc / "tls/hq.key"}],
            "trust": {"ca": [trusted.ca]},
            "service": [http_service(NAME, stage.target(), redirect_to_https=True, client_certificate="required",
                                     allow_from=["127.0.0.1"])]}, start=False)
        self.gateway.config["listen"]["acme_challenges"] = self.webroot / ".well-known/acme-challenge"
        self.gateway.write()
        self.gateway.start()
        self.pebble = stage.keep(Pebble(stage.folder("pebble"), stage.authority, self.gateway.http_port))
        self.device = trusted.issue()

    @property
    def chain(self):
        return self.etc / "tls/hq.pem"

    def manual(self, mark, *paths):
        return replaced(shell_block("certificates.md", mark), {path: self.paths[path] for path in paths})

    def script(self, name, text):
        file = self.etc / name
        file.write_text(text)
        file.chmod(0o755)

    def run(self, text, **environment):
        done = subprocess.run(["sh", "-ec", text], capture_output=True, text=True, timeout=120,
                              cwd=self.stage.directory, env={**os.environ, **environment})
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}\n{self.pebble.log}"

    def shown(self):
        return shown_certificate(self.gateway.https_port, NAME)

    def takes_up_what_is_issued(self, issue):
        """Runs `issue()`, and holds the gateway to what it brought: shown without a restart, in use, believed."""
        before, pid = self.shown(), self.gateway.pid
        issue()
        wait_until(lambda: self.shown() != before, "the new certificate")
        assert self.chain.read_text().startswith(self.shown())
        assert curl(f"https://{NAME}/", "--cert", self.device.chain, "--key", self.device.key,
                    connect_to=self.gateway.https_port, ca=self.pebble.root) == "fine"
        assert self.gateway.pid == pid and self.gateway.process.poll() is None
        # The authority may remember for a renewal that the name is ours; for the first it has asked.
        self.gateway.wait_record(lambda record: record.get("target") == "builtin:acme-challenge")


@pytest.fixture
def issuing(stage):
    return Issuing(stage)


@needs("certbot")
def test_certbot_gets_certificates_and_renews_them(issuing):
    own = "".join(f" --{kind}-dir {issuing.stage.directory / 'certbot' / kind}" for kind in ("config", "work", "logs"))
    how = f"{own} --server {issuing.pebble.url} --agree-tos --email admin@example.com --non-interactive"
    issuing.script("from-certbot", issuing.manual("$RENEWED_LINEAGE", "/etc/sallyport"))
    command = issuing.manual("certbot certonly", "/etc/sallyport", "/var/www/acme")
    trust = {"REQUESTS_CA_BUNDLE": str(issuing.pebble.ca)}
    first = command.replace("certbot certonly", "certbot certonly" + how)
    issuing.takes_up_what_is_issued(lambda: issuing.run(first, **trust))
    renew = f"certbot renew --force-renewal --no-random-sleep-on-renew{own}"
    issuing.takes_up_what_is_issued(lambda: issuing.run(renew, **trust))


@needs("lego")
def test_lego_gets_certificates_and_renews_them(issuing):
    issuing.script("from-lego", issuing.manual("$LEGO_CERT_PATH", "/etc/sallyport"))
    command = replaced(issuing.manual("lego --accept-tos", "/etc/sallyport", "/var/www/acme"), {
        "/var/lib/lego": issuing.stage.directory / "lego",
        "lego --accept-tos": f"lego --accept-tos --server {issuing.pebble.url}"})
    trust = {"LEGO_CA_CERTIFICATES": str(issuing.pebble.ca)}
    issuing.takes_up_what_is_issued(lambda: issuing.run(command, **trust))
    renew = replaced(command, {"run --run-hook": "renew --days 99999 --no-random-sleep --renew-hook"})
    issuing.takes_up_what_is_issued(lambda: issuing.run(renew, **trust))


def may_mount():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@needs("uacme")
@pytest.mark.skipif(not may_mount(), reason="uacme trusts the system's authorities alone; here nothing can be mounted")
def test_uacme_gets_certificates_by_its_hook_script(issuing):
    confdir = {"/etc/ssl/uacme": issuing.stage.directory / "uacme"}
    us = f"uacme --acme-url {issuing.pebble.url}"

    def run(command):
        script = issuing.stage.directory / "uacme.sh"
        script.write_text(f"mount --bind {issuing.pebble.ca} /etc/ssl/certs/ca-certificates.crt\n{command}")
        issuing.run(f"unshare --mount sh -e {script}")

    run(replaced(issuing.manual("uacme --yes"), {**confdir, "uacme --yes": f"{us} --yes"}))
    command = replaced(issuing.manual("UACME_CHALLENGE_PATH", "/etc/sallyport", "/var/www/acme"), {
        **confdir, "uacme --confdir": f"{us} --confdir"})
    issuing.takes_up_what_is_issued(lambda: run(command))
    again = replaced(command, {"issue hq": "--force issue hq"})
    issuing.takes_up_what_is_issued(lambda: run(again))


def test_uacmes_own_script_is_the_one_of_the_manual(stage):
    """It is given the method, the type, the name, the token and what to answer."""
    if not pathlib.Path("/usr/share/uacme/uacme.sh").exists():
        pytest.skip("not installed: uacme")
    folder = challenges_in(stage.directory / "challenges")
    gateway = stage.gateway({"service": [http_service("inner.example", 80)]}, start=False)
    gateway.config["listen"]["acme_challenges"] = folder
    gateway.write()
    gateway.start()
    for method, status in (("begin", 200), ("done", 404)):
        subprocess.run(["/usr/share/uacme/uacme.sh", method, "http-01", NAME, "the-token", "the-token.thumb"],
                       check=True, env={**os.environ, "UACME_CHALLENGE_PATH": str(folder)})
        assert asked(gateway, "the-token", NAME).status == status
