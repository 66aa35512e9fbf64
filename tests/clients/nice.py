"""libnice: two ICE agents in one process meet by their relays alone, and one hears the other.

The agents are reliable ones (a stream over ICE), since others hand their bytes to C alone.

The argument is JSON: {"port", "transport", "username", "password"}; what came of it is printed as JSON.
"""
import json
import sys

import gi

gi.require_version("Nice", "0.1")
from gi.repository import GLib, Nice  # noqa: E402  (its version is chosen first)

COMPONENT = 1


def make_agent(loop, options, controls):
    agent = Nice.Agent.new_reliable(loop.get_context(), Nice.Compatibility.RFC5245)
    agent.set_property("controlling-mode", controls)
    agent.set_property("force-relay", True)
    agent.set_property("upnp", False)
    local = Nice.Address.new()
    assert local.set_from_string("127.0.0.1")
    agent.add_local_address(local)
    stream = agent.add_stream(1)
    kind = {"udp": Nice.RelayType.UDP, "tcp": Nice.RelayType.TCP}[options["transport"]]
    assert agent.set_relay_info(stream, COMPONENT, "127.0.0.1", options["port"], options["username"], options["password"],
                                kind)
    return agent, stream


def main(options):
    loop = GLib.MainLoop()
    agents = [make_agent(loop, options, controls) for controls in (True, False)]
    gathered, seen = set(), {"heard": None, "candidates": []}

    def on_gathered(_agent, _stream, number):
        gathered.add(number)
        if len(gathered) < 2:
            return
        for (agent, stream), (other, far) in (agents, reversed(agents)):
            _, name, word = other.get_local_credentials(far)
            agent.set_remote_credentials(stream, name, word)
        for (agent, stream), (other, far) in (agents, reversed(agents)):
            candidates = other.get_local_candidates(far, COMPONENT)
            seen["candidates"] += [one.type.value_nick for one in candidates]
            agent.set_remote_candidates(stream, COMPONENT, candidates)

    def on_heard(source, result):
        seen["heard"] = source.read_bytes_finish(result).get_data().decode()
        loop.quit()

    def on_state(agent, stream, _component, state):
        if agent == agents[0][0] and state == int(Nice.ComponentState.READY):
            out = agent.get_io_stream(stream, COMPONENT).get_output_stream()
            out.write_bytes_async(GLib.Bytes.new(b"hello"), GLib.PRIORITY_DEFAULT, None, None)

    for number, (agent, stream) in enumerate(agents):
        agent.connect("candidate-gathering-done", on_gathered, number)
        agent.connect("component-state-changed", on_state)
        # Whoever waits for bytes drives the agent, from the first message to its servers on.
        inward = agent.get_io_stream(stream, COMPONENT).get_input_stream()
        inward.read_bytes_async(100, GLib.PRIORITY_DEFAULT, None, on_heard)
    for agent, stream in agents:
        assert agent.gather_candidates(stream)
    GLib.timeout_add_seconds(30, loop.quit)
    loop.run()
    print(json.dumps(seen))


main(json.loads(sys.argv[1]))
