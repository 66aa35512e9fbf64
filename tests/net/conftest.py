"""What several of these tests begin with: a network, and in it a gateway for one machine or for a site."""
import pytest

from firewall_scene import ADMINS, INSIDE_4, INSIDE_6, OUTSIDE_4, OUTSIDE_6, SERVER, Scene
from harness.namespaces import open_network


@pytest.fixture
def network():
    network = open_network()
    yield network
    network.close()


@pytest.fixture
def one_box(network, tmp_path):
    """A gateway with one interface that serves three ports, two of them as the gateway would."""
    scene = Scene(network, tmp_path, {"listen": {"http": ":80", "https": ":443"}, "firewall": {**ADMINS},
                                      "firewall.open": [{"name": "player", "port": 8083}]})
    scene.gateway.serve(SERVER, 80, 443, 8083, 22, 1935)
    return scene


@pytest.fixture
def router(network, tmp_path):
    scene = Scene(network, tmp_path, {
        "firewall": {"inside": "eth1", "outside": "eth0", "presets": ["apns", "dns"]},
        "firewall.forward": [{"port": 88, "to": f"{INSIDE_4}.2:8088"}, {"port": 749, "to": f"[{INSIDE_6}2]:8749"}]}, router=True)
    scene.client.address("lo", "17.1.2.3/32", "203.0.113.1/32", *(f"17.9.0.{i}/32" for i in range(1, 13)))
    scene.client.route(f"{INSIDE_4}.0/24", f"{OUTSIDE_4}.1")
    scene.client.ip("-6", "route", "add", f"{INSIDE_6}/64", "via", f"{OUTSIDE_6}1")
    scene.gateway.route("default", f"{OUTSIDE_4}.7")
    scene.client.serve(SERVER, 443, 5223, 25, 53)
    scene.inside.serve(SERVER, 8088, 8749, 88)
    return scene
