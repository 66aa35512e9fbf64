"""Several targets of one service: the same port on addresses of their own, each of which can go and come back."""
import threading
import time

from harness.client import Client
from harness.target import ScriptedTarget, answer_each, plain_answer
from harness.waiting import free_port, wait_until


class Movable:
    """A target at a fixed address that is up from the start. `requests` counts over all its lives."""

    def __init__(self, address, port, script=None, tls=None):
        self.address, self.port = address, port
        self._script, self._tls = script or answer_each(lambda _: plain_answer(address)), tls
        self._lives = []
        self.up()

    @property
    def requests(self):
        return [request for life in self._lives for request in life.requests]

    @property
    def accepted(self):
        return sum(len(life.connections) for life in self._lives)

    def up(self, script=None):
        self._lives.append(ScriptedTarget(script or self._script, self._tls, self.address, port=self.port))

    def down(self):
        """As a killed process goes: connections break, new ones are refused."""
        self._lives[-1].stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()


def several(stage, count=2, script=None, **options):
    """Movables at 127.0.1.1, 127.0.1.2 and so on; each answers with its address. `script`: makes one of an address."""
    port = free_port()
    addresses = [f"127.0.1.{at}" for at in range(1, count + 1)]
    return [stage.keep(Movable(address, port, script(address) if script else None, **options)) for address in addresses]


def of_all(name, targets, **more):
    """A [[service]] of these targets, plain."""
    return {"name": name, "protocol": "http", "target": [target.address for target in targets],
            "plain_port": targets[0].port, **more}


class Load:
    """Client threads that ask until they are told to stop. `bad` is what was no 200; `answers` counts by body.

    `each_anew`: every request on a connection of its own.
    """

    def __init__(self, port, host, threads=4, each_anew=False, pause=0.002):
        self.answers, self.bad, self._asked = {}, [], [0] * threads
        self._port, self._host, self._each_anew, self._pause = port, host, each_anew, pause
        self._over, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(at,), daemon=True) for at in range(threads)]

    @property
    def count(self):
        with self._lock:
            return sum(self.answers.values())

    def of(self, target):
        with self._lock:
            return self.answers.get(target.address, 0)

    def _ask(self, client):
        response = client.request(self._host)
        with self._lock:
            if response.status == 200:
                body = response.body.decode()
                self.answers[body] = self.answers.get(body, 0) + 1
            else:
                self.bad.append(f"{response.status} {response.body[-300:]!r}")

    def _run(self, at):
        client = None
        while not self._over.is_set():
            try:
                if client is None or self._each_anew:
                    if client:
                        client.close()
                    client = Client(self._port)
                self._ask(client)
            except (OSError, EOFError) as error:
                with self._lock:
                    self.bad.append(repr(error))
                client = None
            self._asked[at] += 1
            time.sleep(self._pause)
        if client:
            client.close()

    def wait_for(self, target, count=20):
        """Until this target has answered so many more."""
        before = self.of(target)
        wait_until(lambda: self.bad or self.of(target) >= before + count, f"answers of {target.address}")

    def wait_for_requests_under_way(self):
        """Until each that was under way when this was called is over, good or bad."""
        before = list(self._asked)
        wait_until(lambda: all(now > then for now, then in zip(self._asked, before)), "the requests under way")

    def wait_without(self, target, count=50):
        """Until the others have answered so many in a row, without one of this target's."""
        def quiet():
            before, own = self.count, self.of(target)
            wait_until(lambda: self.bad or self.count >= before + count, "answers")
            return self.bad or self.of(target) == own
        wait_until(quiet, f"{target.address} to be left out")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()
