"""An ACME authority on loopback, pebble, that finds every name at 127.0.0.1 and asks a port of our choice."""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess

from harness.waiting import free_port, wait_until


def installed(program):
    return shutil.which(program) is not None


class Pebble:
    """`http_port`: where it asks for challenges. `ca`: what its own TLS port is trusted by."""

    def __init__(self, directory, authority, http_port):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.port, self._management, dns, dns_management = (free_port() for _ in range(4))
        self.ca = authority.ca
        chain, key = authority.issue("pebble", ["127.0.0.1", "localhost"])
        (self.directory / "config.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(chain), "privateKey": str(key), "httpPort": http_port, "tlsPort": 1}}))
        self._processes = [
            self._run(["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management",
                       f"127.0.0.1:{dns_management}", "-http01", "", "-https01", "", "-tlsalpn01", "",
                       "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]),
            self._run(["pebble", "-config", self.directory / "config.json", "-dnsserver", f"127.0.0.1:{dns}"])]
        self.root = self.directory / "root.pem"  # of what it issues
        self.root.write_text(wait_until(self._root, lambda: f"pebble: {self.log}"))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def _run(self, command):
        how = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}  # no waiting before it asks, no refused nonces
        with open(self.directory / "log", "ab") as log:
            return subprocess.Popen(command, env={**os.environ, **how}, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log)

    def _root(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self._management, timeout=5,
                                                 context=ssl.create_default_context(cafile=str(self.ca)))
        try:
            connection.request("GET", "/roots/0")
            return connection.getresponse().read().decode()
        except OSError:
            assert all(process.poll() is None for process in self._processes), self.log
            return None
        finally:
            connection.close()

    def stop(self):
        for process in self._processes:
            process.kill()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
