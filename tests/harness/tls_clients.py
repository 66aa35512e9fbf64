"""The TLS clients that admins and devices have, each asking one URL with one certificate: python, curl, openssl."""
import ssl
import subprocess

from harness import http_message
from harness.certificates import unverified_context
from harness.client import Client, curl
from harness.waiting import PATIENCE


VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_for(shown=None, version=None):
    """For a client that shows this certificate (a Shown, or None) and takes any from the server."""
    context = unverified_context()
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    if shown:
        context.load_cert_chain(shown.chain, shown.key)
    return context


def request_bytes(host, path="/"):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


class _Bytes:
    """A Wire's reading half over what a program has printed."""

    def __init__(self, data):
        self._data = data

    def read_until(self, mark):
        head, found, self._data = self._data.partition(mark)
        if not found:
            raise EOFError(f"no {mark!r} in {head[-400:]!r}")
        return head + found

    def read_exactly(self, length):
        taken, self._data = self._data[:length], self._data[length:]
        return taken

    def read_to_end(self):
        return self.read_exactly(len(self._data))


def by_python(port, host, path, shown, version):
    with Client(port, context_for(shown, version), host) as client:
        return client.request(host, path)


def by_curl(port, host, path, shown, version):
    options = ["--include", "--insecure", "--http1.1", f"--tlsv{version}", "--tls-max", version]
    if shown:
        options += ["--cert", shown.chain, "--key", shown.key]
    said = curl(f"https://{host}{path}", *options, connect_to=port, text=False)
    return http_message.read_response(_Bytes(said))


def by_openssl(port, host, path, shown, version):
    options = ["-servername", host, "-" + {"1.2": "tls1_2", "1.3": "tls1_3"}[version], "-quiet"]
    if shown:
        options += ["-cert", shown.chain, "-key", shown.key, "-cert_chain", shown.chain]
    said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options],
                          input=request_bytes(host, path), capture_output=True, timeout=PATIENCE)
    return http_message.read_response(_Bytes(said.stdout))


CLIENTS = {"python": by_python, "curl": by_curl, "openssl": by_openssl}


def s_client(port, *options, send=b"", timeout=PATIENCE):
    """What `openssl s_client` says of a connection, both of its outputs."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *map(str, options)], input=send,
                          capture_output=True, timeout=timeout)
    return (done.stdout + done.stderr).decode("latin-1")


def is_asked(port, name=None):
    """Whether a client that names this server (None: nobody) meets a CertificateRequest."""
    said = s_client(port, *(["-servername", name] if name else ["-noservername"]))
    asked = "Acceptable client certificate CA names" in said
    assert asked != ("No client certificate CA names sent" in said), said
    return asked
