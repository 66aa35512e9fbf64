"""coturn's turnserver: the other server, for our client's side. One account, relays on loopback, TLS and DTLS on a port."""
import pathlib
import subprocess

from harness import turn
from harness.peer import Peer
from harness.waiting import wait_until


class Turnserver(Peer):
    def __init__(self, directory, certificate):
        """`certificate`: (chain file, key file)."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True)
        self.port, self.secure_port = turn.free_udp_port(), turn.free_udp_port()
        self._log = directory / "log"
        chain, key = certificate
        command = ["turnserver", "-c", "/dev/null", "--no-cli", "--log-file", "stdout", "--simple-log",
                   "--pidfile", directory / "pid", "--db", directory / "db",
                   "--listening-ip", "127.0.0.1", "--listening-port", self.port, "--tls-listening-port", self.secure_port,
                   "--cert", chain, "--pkey", key, "--relay-ip", "127.0.0.1", "--allow-loopback-peers",
                   "--min-port", 40000, "--max-port", 49000, "--lt-cred-mech", "--realm", turn.REALM,
                   "--user", f"{turn.USER}:{turn.PASSWORD}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT)
        wait_until(self._is_ready, lambda: f"turnserver: {self.log}")

    def _is_ready(self):
        assert self._process.poll() is None, self.log
        try:
            return turn.ask(self.port, patience=0.5)
        except OSError:
            return False

    def stop(self):
        self._process.kill()  # at SIGTERM it takes its time
        self._process.wait()
