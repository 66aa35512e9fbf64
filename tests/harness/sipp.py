"""sipp with the scenarios of tests/data/sipp, over TCP. It knows no TLS: Stunnel does that for it."""
import pathlib
import subprocess

from harness.waiting import free_port, wait_until

SCENARIOS = pathlib.Path(__file__).resolve().parents[1] / "data/sipp"


class Sipp:
    """One run of `scenario`, by `user` of `domain`, through the proxy at `port`. `callee`: whom call.xml calls; `talk`:
    for how long, in ms. `answers`: the scenario for calls that arrive. `calls`: so many at a time, each over its own
    connection. `source`: the loopback address that they come from."""

    def __init__(self, directory, scenario, port, domain, user="alice", password="secret", callee="bob", talk=100,
                 answers=None, calls=1, source="127.0.0.1"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.port = free_port()
        command = ["sipp", f"127.0.0.1:{port}", "-sf", SCENARIOS / f"{scenario}.xml", "-m", calls, "-l", calls,
                   "-r", calls, "-nd", "-nostdin", "-t", "t1" if calls == 1 else "tn", "-max_socket", 500,
                   "-max_reconnect", 0, "-i", source, "-p", self.port, "-key", "domain", domain,
                   "-key", "user", user, "-key", "callee", callee, "-au", user, "-ap", password, "-d", talk,
                   "-recv_timeout", 15000, "-timeout", 60, "-timeout_error",
                   "-trace_msg", "-message_file", self.directory / "messages",
                   "-trace_err", "-error_file", self.directory / "errors"]
        if answers:
            command += ["-oocsf", SCENARIOS / f"{answers}.xml"]
        with open(self.directory / "screen", "wb") as screen:
            self._process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=screen,
                                             stderr=screen)

    def _read(self, name):
        file = self.directory / name
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def messages(self):
        """All that was sent and received, as sipp traces it."""
        return self._read("messages")

    @property
    def errors(self):
        return self._read("errors")

    def receives(self, text):
        """Waits until it has."""
        wait_until(lambda: text in self.messages, lambda: f"sipp to see {text!r}: {self.messages}{self.errors}")

    def succeeds(self):
        """Waits for the end; every step must have gone as its scenario says."""
        status = self._process.wait(60)
        assert status == 0, f"exit status {status}: {self.errors}{self.messages}{self._read('screen')[-2000:]}"

    def stop(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
