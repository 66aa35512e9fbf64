"""The gateway under test: its configuration, its process, its records, its admin socket and its verbs."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess

from harness.waiting import PATIENCE, free_port, wait_until

SANITIZER_MARKS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


def program():
    """The binary under test: what SALLYPORT names, else the release build."""
    root = pathlib.Path(__file__).resolve().parents[2]
    return os.environ.get("SALLYPORT") or str(root / "build/release/bin/sallyport")


def toml(config):
    """A configuration from {"node": {...}, "service": [{...}, ...]}: a list of tables is [[service]]."""
    text = ""
    for name, tables in config.items():
        for table in tables if isinstance(tables, list) else [tables]:
            text += f"[[{name}]]\n" if isinstance(tables, list) else f"[{name}]\n"
            text += "".join(f"{key} = {json.dumps(_plain(value))}\n" for key, value in table.items()) + "\n"
    return text


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, pathlib.Path) else value


def http_service(name, target=None, tls=None, **more):
    """A [[service]] on loopback. `target` and `tls`: the target, or its port, for plain_port and tls_port."""
    tls_port = getattr(tls, "tls_port", getattr(tls, "port", tls))
    ports = {"plain_port": getattr(target, "port", target), "tls_port": tls_port}
    return {"name": name, "protocol": "http", "target": "127.0.0.1",
            **{key: port for key, port in ports.items() if port}, **more}


def ldap_service(name, target=None, tls=None, **more):
    """As http_service(), for the domain of a bind."""
    return {**http_service(name, target, tls, **more), "protocol": "ldap"}


def ldap_listen():
    """A [listen] table for LDAP on free ports of loopback."""
    return {"ldap": f"127.0.0.1:{free_port()}", "ldaps": f"127.0.0.1:{free_port()}"}


def sip_service(name, target=None, tls=None, **more):
    """As http_service(), for the domain of a From."""
    return {**http_service(name, target, tls, **more), "protocol": "sip"}


def sip_listen():
    """A [listen] table for SIP on free ports of loopback."""
    return {"sip": f"127.0.0.1:{free_port()}", "sips": f"127.0.0.1:{free_port()}"}


def h323_service(name, target=None, tls=None, **more):
    """As http_service(), for a gatekeeper id."""
    return {**http_service(name, target, tls, **more), "protocol": "h323"}


def h323_listen():
    """A [listen] table for H.323 on free ports of loopback."""
    return {"h323": f"127.0.0.1:{free_port()}", "h323s": f"127.0.0.1:{free_port()}"}


class GatewayFailed(AssertionError):
    """The program ended instead of getting ready. `status` and `stderr` say how."""

    def __init__(self, status, stderr):
        super().__init__(f"the gateway ended with exit status {status}:\n{stderr}")
        self.status, self.stderr = status, stderr


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("admin.socket", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


LISTEN_KINDS = {"http", "https", "sip", "sips", "ldap", "ldaps", "h323", "h323s", "mux"}


class Gateway:
    """`config` is a dict of tables (see toml()); what it leaves out of node, log, admin and listen is filled in: state,
    socket and JSON log in `directory`, free ports of loopback for http and https. `config` may be changed and written
    again by write(); write_text() writes any text.

    `wrapper`: what to run the program by (["setpriv", ...]); `environment`: variables added to the program's.
    """

    def __init__(self, directory, config, wrapper=(), environment=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.file = self.directory / "sallyport.toml"
        self.config = {table: dict(config.get(table, {})) for table in ("node", "log", "admin", "listen")}
        self.config.update({table: value for table, value in config.items() if table not in self.config})
        self._fill_in(any(key in LISTEN_KINDS for key in config.get("listen", {})))
        self.socket = pathlib.Path(self.config["admin"]["socket"])
        self.wrapper, self.environment = list(wrapper), dict(environment or {})
        self.process = None
        self._log_read = {}
        self.write()

    def _fill_in(self, listens):
        defaults = {"node": {"name": "test-node", "state_dir": self.directory / "state", "threads": 2,
                             "drain_timeout": "5s"},
                    "log": {"format": "json", "level": "debug"}, "admin": {"socket": self.directory / "admin.sock"}}
        if not listens:  # one that names its ports wants no others
            defaults["listen"] = {"http": f"127.0.0.1:{free_port()}", "https": f"127.0.0.1:{free_port()}"}
        for table, values in defaults.items():
            self.config[table] = {**values, **self.config[table]}

    def _port(self, key):
        value = self.config["listen"][key]
        return int((value[0] if isinstance(value, list) else value).rsplit(":", 1)[1])

    @property
    def http_port(self):
        return self._port("http")

    @property
    def https_port(self):
        return self._port("https")

    @property
    def ldap_port(self):
        return self._port("ldap")

    @property
    def ldaps_port(self):
        return self._port("ldaps")

    @property
    def sip_port(self):
        return self._port("sip")

    @property
    def sips_port(self):
        return self._port("sips")

    @property
    def mux_port(self):
        return self._port("mux")

    @property
    def h323_port(self):
        return self._port("h323")

    @property
    def h323s_port(self):
        return self._port("h323s")

    # ------------------------------------------------------------ the file

    def write(self):
        self.write_text(toml(self.config))

    def write_text(self, text):
        """By rename, so that nobody reads half a file."""
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.rename(self.file)

    # ------------------------------------------------------------ the process

    @property
    def pid(self):
        return self.process.pid

    @property
    def stdout(self):
        return (self.directory / "stdout").read_text(errors="replace")

    @property
    def stderr(self):
        return (self.directory / "stderr").read_text(errors="replace")

    def start(self, wait=True):
        """Starts it and waits until it is ready; GatewayFailed when it ends instead."""
        environment = {**os.environ, **self.environment}
        with open(self.directory / "stdout", "ab") as out, open(self.directory / "stderr", "wb") as err:
            self.process = subprocess.Popen([*self.wrapper, program(), "run", "-c", self.file], env=environment,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        if wait:
            wait_until(self.is_ready, lambda: f"readiness; stderr: {self.stderr}\nstdout: {self.stdout}")
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise GatewayFailed(self.wait(), self.stderr)
        try:
            return self.admin("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """The exit status, once it has ended; no sanitizer may have had a word on it."""
        status = self.process.wait(timeout)
        self.process = None
        assert not any(mark in self.stderr for mark in SANITIZER_MARKS), self.stderr
        return status

    def stop(self, timeout=PATIENCE):
        """SIGTERM where it still runs, and holds it to exit status 0. Nothing when its end was seen already."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the gateway was still there {timeout:g} s after SIGTERM") from None
        assert status == 0, f"exit status {status}: {self.stderr}"

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        try:
            self.stop()
        finally:
            self.kill()

    # ------------------------------------------------------------ what it tells

    def log_lines(self):
        """Every line of the log so far, as dicts: records and messages."""
        place = self.config["log"].get("destination", "stdout")
        path = self.directory / "stdout" if place == "stdout" else pathlib.Path(place)
        if not path.exists():
            return []
        with path.open("rb") as log:  # what was read before is not read again: tests ask often
            inode = os.fstat(log.fileno()).st_ino
            if self._log_read.get("inode") != inode:
                self._log_read = {"inode": inode, "size": 0, "lines": []}
            log.seek(self._log_read["size"])
            whole, end, _unfinished = log.read().rpartition(b"\n")
        self._log_read["size"] += len(whole + end)
        self._log_read["lines"] += [json.loads(line) for line in whole.decode(errors="replace").splitlines()]
        return list(self._log_read["lines"])

    def records(self, predicate=lambda record: True):
        return [line for line in self.log_lines() if line["event"] == "record" and predicate(line)]

    def messages(self, text=""):
        """The log's messages that contain `text`."""
        return [line for line in self.log_lines() if line["event"] == "message" and text in line["message"]]

    def wait_record(self, predicate=lambda record: True, timeout=PATIENCE):
        """The first record that fits."""
        what = lambda: f"a record; the last ones: {self.records()[-5:]}"  # noqa: E731
        return wait_until(lambda: self.records(predicate), what, timeout)[0]

    def wait_message(self, text, timeout=PATIENCE):
        what = lambda: f"{text!r}; the last messages: {self.messages()[-10:]}"  # noqa: E731
        return wait_until(lambda: self.messages(text), what, timeout)[-1]

    def only_record(self, predicate, timeout=PATIENCE):
        """The one record that fits, when the log holds all that was counted; another one is an error."""
        self.wait_record(predicate, timeout)
        wait_until(lambda: len(self.records()) >= self.counted(), "the log to catch up", timeout)
        found = self.records(predicate)
        assert len(found) == 1, found
        return found[0]

    def settled(self):
        """How many records there are once nothing goes on any more: those of the tests before this one among them."""
        def at_rest():
            open_now = json.loads(self.admin("GET", "/api/v1/connections")[1])["total"]
            return open_now == 0 and len(self.records()) == self.counted()
        wait_until(at_rest, "the gateway to be at rest")
        return self.counted()

    def latest_record(self, before):
        """The only one since there were `before`."""
        wait_until(lambda: len(self.records()) > before, "a record")
        assert self.counted() == before + 1, self.records()[before:]
        return self.records()[-1]

    def counted(self):
        """How many records the metrics have counted."""
        return int(sum(value for name, value in self.metrics().items() if name.startswith("sallyport_ended_total")))

    def metrics(self):
        """{"name{labels}": value}"""
        text = self.admin("GET", "/metrics")[1].decode()
        rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in rows}

    def admin(self, method, path, body=None):
        """(status, body) over the admin socket."""
        connection = _UnixConnection(self.socket)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    # ------------------------------------------------------------ verbs

    def verb(self, *arguments, wrapper=()):
        """A finished run of `sallyport ARGUMENTS -c FILE`: returncode, stdout, stderr."""
        done = subprocess.run([*wrapper, program(), *map(str, arguments), "-c", self.file], capture_output=True,
                              text=True, timeout=60, env={**os.environ, **self.environment})
        assert not any(mark in done.stderr for mark in SANITIZER_MARKS), done.stderr
        return done

    def json_verb(self, *arguments):
        """(exit status, what it printed as JSON)"""
        done = self.verb(*arguments, "--json")
        assert done.stdout, f"exit status {done.returncode}: {done.stderr}"
        return done.returncode, json.loads(done.stdout)

    def explain(self, url, client="127.0.0.1"):
        return self.json_verb("explain", url, "--client", client)[1]

    def status(self):
        return self.json_verb("status")[1]

    def check(self):
        return self.json_verb("check")

    def reload(self):
        """Expects it to succeed."""
        done = self.verb("reload", "--json")
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)
