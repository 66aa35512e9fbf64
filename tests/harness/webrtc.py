"""WebRTC clients from elsewhere, each a program in tests/clients that prints JSON; and a wire tap between them and TURN."""
import base64
import hashlib
import json
import pathlib
import socket
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENTS = pathlib.Path(__file__).resolve().parents[1] / "clients"
WITHIN = 90  # seconds; each gives up before and says why


def missing(package):
    """Why a client of npm can't run here; empty if it can."""
    return "" if (CLIENTS / "node_modules" / package).is_dir() else f"npm's {package} is not installed: ./dev deps test"


def run(command, program, options):
    done = subprocess.run([command, str(CLIENTS / program), json.dumps(options)], capture_output=True, text=True,
                          timeout=WITHIN, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def browser(url, user, password, chain):
    """Two ends in Chromium, which trusts the key of this certificate."""
    key = x509.load_pem_x509_certificate(pathlib.Path(chain).read_bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return run("node", "browser.mjs", {"urls": [url], "username": user, "credential": password,
                                       "key_hash": base64.b64encode(digest).decode()})


def datachannel(port, user, password):
    return run("node", "datachannel.mjs", {"host": "127.0.0.1", "port": port, "username": user, "password": password})


def nice(port, transport, user, password):
    return run("/usr/bin/python3", "nice.py", {"port": port, "transport": transport, "username": user, "password": password})


class Tap:
    """Passes datagrams on to a server and back, and keeps what clients sent. Use it in a `with`."""

    def __init__(self, port):
        self._server = ("127.0.0.1", port)
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self.port = self._front.getsockname()[1]
        self.sent = []
        self._behind = {}  # a socket for each client, so that the server tells them apart

    def __enter__(self):
        threading.Thread(target=self._forward, daemon=True).start()
        return self

    def __exit__(self, *_):
        for sock in self._behind.values():
            sock.shutdown(socket.SHUT_RDWR)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))

    def _forward(self):
        while True:
            data, client = self._front.recvfrom(65536)
            if not data:
                return
            self.sent.append(data)
            if client not in self._behind:
                self._behind[client] = sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sock.connect(self._server)
                threading.Thread(target=self._back, args=(sock, client), daemon=True).start()
            self._behind[client].send(data)

    def _back(self, sock, client):
        while data := sock.recv(65536):
            self._front.sendto(data, client)
