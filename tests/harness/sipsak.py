"""sipsak, which registers over TCP or TLS."""
import os
import subprocess

# It takes the ticket that TLS 1.3 sends behind the handshake for the end of the connection.
PRIORITIES = "[overrides]\ndisabled-version = tls1.3\n"


def register(directory, address, port, ca, transport="tcp", password="secret"):
    """A finished run: `address` (user@domain) is registered through the proxy at `port`."""
    directory.mkdir(parents=True)
    priorities = directory / "gnutls.conf"
    priorities.write_text(PRIORITIES)
    user = address.partition("@")[0]
    return subprocess.run(
        ["sipsak", "-vv", "-U", "-i", "-p", f"127.0.0.1:{port}", "-s", f"sip:{address}", "-E", transport,
         "-a", password, "-C", f"sip:{user}@127.0.0.1:9", f"--tls-ca-cert={ca}"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "GNUTLS_SYSTEM_PRIORITY_FILE": str(priorities)})
