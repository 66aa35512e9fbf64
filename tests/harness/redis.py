"""A redis-server on a free port of loopback, that can be killed and started again."""
import socket
import subprocess

from harness.waiting import free_port, wait_until


class Redis:
    """`password`: asked of every client. Its data are kept over a restart only with `keeps`."""

    def __init__(self, directory, password=None, keeps=False):
        self.directory = directory
        directory.mkdir(parents=True)
        self.port = free_port()
        self.password = password
        self._options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", "",
                         "--appendonly", "yes" if keeps else "no", "--appendfsync", "always",
                         *(["--requirepass", password] if password else [])]
        self._process = None
        self.start()

    @property
    def url(self):
        return f"redis://{':' + self.password + '@' if self.password else ''}127.0.0.1:{self.port}/0"

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(["redis-server", *self._options], stdout=log, stderr=log)
        wait_until(self._listens, "redis-server")

    def _listens(self):
        assert self._process.poll() is None, (self.directory / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def command(self, *words):
        """What redis-cli prints."""
        login = ["-a", self.password, "--no-auth-warning"] if self.password else []
        done = subprocess.run(["redis-cli", "-p", str(self.port), *login, *words], capture_output=True, text=True,
                              timeout=30, check=True)
        return done.stdout.strip()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self._process.poll() is None:
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
