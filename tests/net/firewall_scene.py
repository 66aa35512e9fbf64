"""What the tests of the firewall share: a gateway, clients outside and inside, what they try and what they notice."""
import fcntl
import json
import os
import pathlib
import signal

from harness.gateway import Gateway
from harness.waiting import wait_until

OUTSIDE_4, OUTSIDE_6 = "198.51.100", "2001:db8:1::"
INSIDE_4, INSIDE_6 = "10.1.0", "fd00:1::"
ADMINS = {"admin_from": f"{OUTSIDE_4}.0/24"}

# Tries all ports at once and prints for each what came of it, and how many SYNs had to be sent again.
CONNECT = """
import errno, json, select, socket, sys
server, patience, ports = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
family = socket.AF_INET6 if ":" in server else socket.AF_INET
poll, tries, came = select.poll(), {}, {}
for index, port in enumerate(ports):
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setblocking(False)
    code = one.connect_ex((server, port))
    tries[one.fileno()] = (index, one)
    if code in (0, errno.EINPROGRESS):
        poll.register(one, select.POLLOUT)
    else:
        came[index] = code
while len(came) < len(ports):
    ready = poll.poll(patience * 1000)
    if not ready:
        break
    for number, _ in ready:
        index, one = tries[number]
        poll.unregister(number)
        came[index] = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
names = {0: "connected", errno.ECONNREFUSED: "refused"}
print(json.dumps([(names.get(came[i]) or errno.errorcode[came[i]]) if i in came else "silence" for i in range(len(ports))]))
"""
# Serves TCP on every address and the given ports: tells each client which address it has.
SERVER = """
import select, socket, sys
listeners = [socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256) for port in sys.argv[1:]]
print("up", flush=True)
while True:
    for listener in select.select(listeners, [], [])[0]:
        peer, address = listener.accept()
        try:
            peer.sendall(address[0].removeprefix("::ffff:").encode())
        except OSError:
            pass
        peer.close()
"""
ASK = """
import json, socket, sys
seen = []
for server in json.loads(sys.argv[2]):
    bind = (sys.argv[3], 0) if len(sys.argv) > 3 else None
    one = socket.create_connection((server, int(sys.argv[1])), 10, bind)
    seen.append(one.recv(100).decode())
    one.close()
print(json.dumps(seen))
"""


def try_ports(client, server, ports, patience=5):
    return json.loads(client.python(CONNECT, server, str(patience), json.dumps(list(ports))))


def seen_as(client, port, servers, source=None):
    """The address that each server saw the client by."""
    return json.loads(client.python(ASK, str(port), json.dumps(servers), *([source] if source else [])))


def sent_again(host):
    """SYNs that this host has had to repeat: a refusal that comes within a round trip leaves none."""
    text = host.run("cat", "/proc/net/netstat").splitlines()
    rows = [line.split() for line in text if line.startswith("TcpExt:")]
    return int(dict(zip(rows[0], rows[1]))["TCPSynRetrans"])


def kill_keeper(scene):
    for keeper in scene.keepers():
        os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: is_free(scene.state / "keeper"), "the end of the keeper")


def is_free(file):
    """Does nobody hold this lock? A process that is killed has no descriptors any more before its locks are gone."""
    with open(file) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


class Scene:
    """client - gateway [- inside]; the gateway's firewall is looked after by the program's own verbs."""

    def __init__(self, network, tmp_path, config, router=False):
        self.gateway, self.client = network.host("gate"), network.host("client")
        network.wire(self.gateway, "eth0", self.client, "eth0")
        self.gateway.address("eth0", f"{OUTSIDE_4}.1/24", f"{OUTSIDE_6}1/64")
        self.client.address("eth0", f"{OUTSIDE_4}.7/24", f"{OUTSIDE_6}7/64")
        if router:
            self.inside = network.host("inside")
            network.wire(self.gateway, "eth1", self.inside, "eth0")
            self.gateway.address("eth1", f"{INSIDE_4}.1/24", f"{INSIDE_6}1/64")
            self.inside.address("eth0", f"{INSIDE_4}.2/24", f"{INSIDE_6}2/64")
            self.inside.route("default", f"{INSIDE_4}.1")
            self.inside.ip("-6", "route", "add", "default", "via", f"{INSIDE_6}1")
            self.gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        firewall = {"state_dir": tmp_path / "firewall", **config.get("firewall", {})}
        self.program = Gateway(tmp_path, {"listen": {"http": ":80"}, **config, "firewall": firewall}, wrapper=self.gateway.enter)
        self.state = tmp_path / "firewall"

    def firewall(self, *words, environment=None):
        """A finished run of `sallyport firewall WORDS` on the gateway."""
        set_variables = ["env", *[f"{key}={value}" for key, value in (environment or {}).items()]]
        return self.program.verb("firewall", *words, wrapper=[*self.gateway.enter, *set_variables])

    def want_open(self, port):
        """Another rule in the configuration: what is loaded is then no longer what is wanted."""
        self.program.config["firewall.open"] = [{"name": "other", "port": port}]
        self.program.write()

    def apply(self, *words, **more):
        done = self.firewall("apply", *(words or ["--now"]), **more)
        assert done.returncode == 0, done.stderr
        return done

    def table(self):
        """The listing of our table, without counters; None where there is none."""
        done = self.gateway.try_run("nft", "-s", "list", "table", "inet", "sallyport")
        return done.stdout if done.returncode == 0 else None

    def counter(self, name):
        words = self.gateway.run("nft", "list", "counter", "inet", "sallyport", name).split()
        return int(words[words.index("packets") + 1])

    def keepers(self):
        """The processes that wait to undo a change: they hold the file `keeper`."""
        def holds(process):
            try:
                return any(os.path.realpath(fd) == str(self.state / "keeper") for fd in process.glob("fd/*"))
            except OSError:
                return False
        return [int(process.name) for process in pathlib.Path("/proc").iterdir() if process.name.isdigit() and holds(process)]

    def wait_until_gone(self):
        wait_until(lambda: self.table() is None, "the table to be gone")
