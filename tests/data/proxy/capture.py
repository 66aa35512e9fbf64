#!/usr/bin/python3
"""Writes the vectors of this folder anew: the headers that HAProxy sends, each from one connection over loopback.

HAProxy is told its clients' addresses by a PROXY header of its own, so that what it sends on is the same in every run
(but for the session's unique id and what OpenSSL negotiates). Needs haproxy and openssl.
"""
import pathlib
import socket
import ssl
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MARK = b"here the client speaks"
FOUR = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
SIX = b"PROXY TCP6 2001:db8::1 2001:db8:0:1::2 56324 443\r\n"
LONGEST = b"PROXY TCP6 " + b"ffff:" * 7 + b"fff1 " + b"ffff:" * 7 + b"fff2 65535 65534\r\n"
MIXED = "tcp-request session set-src str(192.0.2.1)"
ALL_OPTIONS = "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id"
UNIQUE_ID = "unique-id-format %{+X}o%ci:%cp-%rt"

# name: what the client says first ("unix": it comes over a Unix socket), the server's options, more of the listener
CASES = {
    "v1-tcp4": (FOUR, "send-proxy", ""),
    "v1-tcp6": (SIX, "send-proxy", ""),
    "v1-tcp6-longest": (LONGEST, "send-proxy", ""),
    "v1-tcp6-mapped": (SIX, "send-proxy", MIXED),
    "v1-unknown": ("unix", "send-proxy", ""),
    "v2-tcp4": (FOUR, "send-proxy-v2", ""),
    "v2-tcp6": (SIX, "send-proxy-v2", ""),
    "v2-tcp6-mapped": (SIX, "send-proxy-v2", MIXED),
    "v2-unix": ("unix", "send-proxy-v2", ""),
    "v2-tcp4-crc32c": (FOUR, "send-proxy-v2 proxy-v2-options crc32c", ""),
    "v2-tcp6-crc32c-unique-id": (SIX, "send-proxy-v2 proxy-v2-options crc32c,unique-id", UNIQUE_ID),
    "v2-unix-crc32c": ("unix", "send-proxy-v2 proxy-v2-options crc32c", ""),
    "v2-tcp4-ssl": (FOUR, "send-proxy-v2-ssl", ""),
    "v2-tcp4-ssl-all": (FOUR, f"send-proxy-v2-ssl-cn proxy-v2-options {ALL_OPTIONS}", UNIQUE_ID),
    "v2-local": (None, "send-proxy-v2 check check-send-proxy inter 200", ""),
    "v2-local-crc32c": (None, "send-proxy-v2 proxy-v2-options crc32c check check-send-proxy inter 200", ""),
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "1", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
                    "-out", folder / f"{name}.crt"], check=True, capture_output=True)
    (folder / name).write_bytes((folder / f"{name}.crt").read_bytes() + (folder / f"{name}.key").read_bytes())
    return folder / name


def connect(folder, opening, port):
    for _ in range(100):
        try:
            if opening != "unix":
                return socket.create_connection(("127.0.0.1", port), timeout=5)
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(folder / "client.sock"))
            return client
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("haproxy does not listen")


def send(folder, opening, options, port):
    client = connect(folder, opening, port)
    client.settimeout(5)
    if opening != "unix":
        client.sendall(opening)
    if "ssl" in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(folder / "client.example")
        client = context.wrap_socket(client, server_hostname="name.example")
    client.sendall(MARK)
    return client


def receive(peer, opening):
    peer.settimeout(5)
    got = b""
    while opening is not None and MARK not in got:
        got += peer.recv(4096)
    if opening is None:
        return peer.recv(4096)  # a health check: its header is all that comes
    return got.partition(MARK)[0]


def capture(folder, opening, options, more):
    with socket.create_server(("127.0.0.1", 0)) as target:
        port = free_port()
        bind = f"unix@{folder}/client.sock" if opening == "unix" else f"127.0.0.1:{port} accept-proxy"
        if "ssl" in options:
            bind += f" ssl crt {folder}/server.example verify optional ca-file {folder}/client.example.crt"
        config = folder / "haproxy.cfg"
        config.write_text(f"""
defaults
    mode tcp
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen one
    bind {bind}
    {more}
    server one 127.0.0.1:{target.getsockname()[1]} {options}
""")
        proxy = subprocess.Popen(["haproxy", "-db", "-q", "-f", config])
        client = None
        try:
            if opening is not None:
                client = send(folder, opening, options, port)
            target.settimeout(5)
            peer, _ = target.accept()
            with peer:
                return receive(peer, opening)
        finally:
            if client is not None:
                client.close()
            proxy.terminate()
            proxy.wait()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificate(folder, "server.example")
        make_certificate(folder, "client.example")
        for case, (opening, options, more) in CASES.items():
            header = capture(folder, opening, options, more)
            (HERE / f"{case}.bin").write_bytes(header)
            print(f"{case}: {len(header)} bytes")


main()
