"""The relays that are measured side by side, and how one is started and stopped."""

import dataclasses
import os
import pathlib
import shutil
import socket
import ssl
import subprocess

from . import dns, machine

TEMPLATES = pathlib.Path(__file__).resolve().parent.parent / "peers"


@dataclasses.dataclass(frozen=True)
class Setup:
    """How a relay is set up for a row."""
    # The folder of templates: http, with TLS ended; sni, with TLS passed unopened; blind; push, which takes the port
    # that its target has; dns, the name servers; or turn.
    front: str = "http"
    protocol: str = ""          # of front blind: what sallyport reads, and its peers do not
    workers: int = 1            # beyond one, relay and generator share the cores
    certificate: str = "ecdsa"  # or rsa
    names: int = 0              # of front dns: how many it knows of its own


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    template: str             # in bench/peers/FRONT, where it can take part; "" for no relay at all
    program: str
    command: tuple            # after the program; @CONFIG@ and @DIR@ are filled in
    version: tuple = ("-v",)
    cannot: dict = dataclasses.field(default_factory=dict)  # row: why not


DIRECT = "direct"
REFERENCE = "haproxy"

PEERS = (
    Peer(DIRECT, "", "", ()),
    Peer("haproxy", "haproxy.cfg", "haproxy", ("-db", "-f", "@CONFIG@")),
    Peer("haproxy-tuned", "haproxy-tuned.cfg", "haproxy", ("-db", "-f", "@CONFIG@")),
    Peer("nginx", "nginx.conf", "nginx", ("-e", "stderr", "-p", "@DIR@", "-c", "@CONFIG@")),
    Peer("nginx-tuned", "nginx-tuned.conf", "nginx", ("-e", "stderr", "-p", "@DIR@", "-c", "@CONFIG@")),
    Peer("sslh", "sslh.cfg", "sslh-select", ("-F@CONFIG@",), ("-V",),
         cannot={"sni-idle": "waits by select(), which ends at 1024 descriptors"}),
    Peer("dnsmasq", "dnsmasq.conf", "dnsmasq", ("-C", "@CONFIG@"), ("-v",),
         cannot={"dns-tcp": "closes each connection after some 100 questions, and those under way are lost"}),
    Peer("unbound", "unbound.conf", "unbound", ("-d", "-c", "@CONFIG@"), ("-V",)),
    Peer("dnsdist", "dnsdist.lua", "dnsdist", ("--supervised", "-C", "@CONFIG@"), ("--version",),
         cannot={"dns-names": "tries its rules one by one"}),
    Peer("sallyport", "sallyport.toml", "sallyport", ("run", "-c", "@CONFIG@"), ("version",)),
)


def is_concerned(peer, row):
    """Whether it is a program of the kind that the row is about."""
    if peer.name == DIRECT:
        return row.setup.front != "dns"
    return (TEMPLATES / row.setup.front / peer.template).exists()


def why_not(peer, row):
    """Why this peer, which is concerned, can't take part in a row; empty if it can."""
    if row.key in peer.cannot:
        return peer.cannot[row.key]
    if peer.name == DIRECT:
        if "tls" in row.arguments and row.kind != "idle":
            return "the backend speaks no TLS"
        return "there is no relay" if row.kind in ("calls", "peak", "wakes") or row.setup.workers > 1 else ""
    return ""


def program_of(peer, binary):
    """The path of its program, or None when this machine has none."""
    if peer.name == "sallyport":
        return str(binary) if os.access(binary, os.X_OK) else None
    return shutil.which(peer.program) or shutil.which(peer.program, path="/usr/sbin:/usr/local/sbin")


def version_of(peer, program):
    if not peer.program:
        return ""
    told = subprocess.run([program, *peer.version], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=10, text=True, check=False).stdout
    return (told.splitlines() or [""])[0]


_KEYS = {"ecdsa": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}


def make_certificates(folder):
    """For each kind of key a folder with chain.pem, key.pem and both.pem, for some days."""
    for kind, words in _KEYS.items():
        (folder / kind).mkdir()
        _make_certificate(folder / kind, words)


def _make_certificate(folder, kind_of_key):
    """For everybody to read: nobody trusts it."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", *kind_of_key, "-nodes",
                    "-keyout", key, "-out", chain, "-days", "3", "-subj", "/CN=bench.example",
                    "-addext", "subjectAltName=DNS:bench.example"],
                   stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=20)
    both = folder / "both.pem"
    both.write_text(chain.read_text() + key.read_text())
    key.chmod(0o644)


def _hello_to_nobody():
    """A ClientHello for a name that no peer serves."""
    context = ssl.create_default_context()
    sent = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="nobody.example").do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise RuntimeError("a handshake with nobody succeeded")


_BINDING = bytes.fromhex("00010000 2112a442") + b"bench_bench_"  # a request of STUN


class Relay:
    """A peer that runs. Leave it by `with` or stop(): nothing of it stays."""

    def __init__(self, peer, setup, program, folder, ports, backend, realtime=False):
        self.peer = peer
        self.setup = setup
        self.backend = backend
        self.port = self.tls_port = backend
        self.address = "127.0.0.2" if setup.front == "push" and peer.template else "127.0.0.1"
        self.pids = []
        self._process = None
        if peer.template:
            self._start(program, pathlib.Path(folder), ports, realtime)

    def _start(self, program, folder, ports, realtime):
        if self.setup.front != "push":
            self.port, self.tls_port = ports.take(), ports.take()
        folder.mkdir(parents=True)
        state = folder / "state"
        state.mkdir()
        state.chmod(0o777)  # a peer that drops its privileges writes here as another user
        folder.chmod(0o777)
        config = folder / self.peer.template
        text = (TEMPLATES / self.setup.front / self.peer.template).read_text()
        values = {"@PORT@": self.port, "@TLS_PORT@": self.tls_port, "@ADMIN@": ports.take(), "@DIR@": folder,
                  "@BACKEND@": self.backend, "@CERTIFICATES@": folder.parent / self.setup.certificate,
                  "@WORKERS@": self.setup.workers, "@PROTOCOL@": self.setup.protocol,
                  "@RECORDS@": dns.records(self.peer.name, self.setup.names) if self.setup.names else ""}
        for name, value in values.items():
            text = text.replace(name, str(value))
        config.write_text(text)
        words = [word.replace("@CONFIG@", str(config)).replace("@DIR@", str(folder)) for word in self.peer.command]
        self._log = folder / "output"
        with open(self._log, "wb") as output:
            self._process = subprocess.Popen(
                [program, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=machine.child_setup(machine.RELAY_CORE if self.setup.workers == 1 else None, realtime))
        try:
            machine.wait_until(self._answers, 10, f"{self.peer.name} does not answer")
        except TimeoutError as late:
            self.stop()
            raise RuntimeError(f"{late}: {self._last_words()}") from None
        self.pids = machine.family(self._process.pid)

    def _answers(self):
        """Whether a request is refused: a port that listens says nothing yet of the process that will serve it."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.peer.name} ended at once: {self._last_words()}")
        if self.setup.front == "dns":
            return dns.answers(self.port)
        with socket.socket() as trial:
            trial.settimeout(1)
            try:
                trial.connect((self.address, self.port))
                if self.setup.front == "turn":
                    trial.sendall(_BINDING)
                    return trial.recv(2) == b"\x01\x01"
                if self.setup.front in ("sni", "push"):
                    trial.sendall(_hello_to_nobody())
                    trial.recv(9)  # an end or an alert
                    return True
                trial.sendall(b"GET /closed HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n")
                return trial.recv(9).startswith(b"HTTP/1.") or self.setup.front == "blind"
            except ConnectionResetError:
                return self.setup.front != "http"
            except OSError:
                return False

    def _last_words(self):
        return self._log.read_text(errors="replace").strip()[-800:]

    def alive(self):
        return self._process is None or self._process.poll() is None

    def stop(self):
        if self._process is not None:
            machine.stop(self._process, self.pids)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
