"""A gateway with two targets that clients are rude to, for any protocol: what has to be untouched is held against what was."""
import pytest

from harness.rude_process import returns_descriptors


def fixtures(script, config_of, connect, use, mark):
    """The fixtures target, other, gateway and nothing_strange_arrives, for a test module to import under these names.

    script     what both targets do with a connection
    config_of  the gateway's configuration, of (stage, target, other)
    connect    a client, of (gateway, tls)
    use        has a client served once
    mark       bytes that may never reach the target
    """
    @pytest.fixture(scope="module")
    def target(module_stage):
        return module_stage.target(script)

    @pytest.fixture(scope="module")
    def other(module_stage):
        return module_stage.target(script)

    @pytest.fixture(scope="module")
    def gateway(module_stage, target, other):
        """At its end it holds no more than at its start."""
        gateway = module_stage.gateway(config_of(module_stage, target, other))
        for tls in (False, True):
            with connect(gateway, tls) as client:
                use(client)
        with returns_descriptors(gateway):
            yield gateway

    @pytest.fixture(autouse=True)
    def nothing_strange_arrives(gateway, target, other):
        """Nothing reaches `other`, and no mark the target."""
        before = other.received, target.received.count(mark)
        yield
        assert (other.received, target.received.count(mark)) == before
        assert not target.mistakes and not other.mistakes

    return target, other, gateway, nothing_strange_arrives
