#include "generator/stage.hpp"

#include <poll.h>
#include <unistd.h>

#include <cstdio>

namespace sallyport::bench {

namespace {

// Text of a peer may be anything: what is not plain ASCII becomes a question mark.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\r' || c == '\n') {
            out += c == '\n' ? " | " : "";
        } else if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else {
            out += c >= ' ' && c <= '~' ? c : '?';
        }
    }
    return out + '"';
}

std::string decimal(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9f", value);
    return text;
}

}  // namespace

void phase(const Ground& ground, std::string_view name) {
    if (!ground.options.step) return;
    std::printf("{\"phase\":%s}\n", quoted(name).c_str());
    std::fflush(stdout);
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    while (::poll(&input, 1, 0) == 0) ground.loop.turn(std::chrono::milliseconds{5});
    for (char c = 0; ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) {}
}

Extra member(std::string_view name, std::uint64_t value) { return "," + quoted(name) + ":" + std::to_string(value); }

Extra member(std::string_view name, std::string_view value) { return "," + quoted(name) + ":" + quoted(value); }

std::string report(const Tally& tally, const Cost& cost, const Extra& extra) {
    std::string faults;
    for (std::size_t i = 0; i < tally.faults.size(); ++i) {
        if (tally.faults[i] > 0) faults += member(fault_names[i], tally.faults[i]);
    }
    if (!faults.empty()) faults.erase(0, 1);
    const double utilization = cost.seconds > 0 ? cost.own_cpu / cost.seconds : 0;
    return "{\"ops\":" + std::to_string(tally.ops) + member("bytes", tally.received) +
           ",\"seconds\":" + decimal(cost.seconds) + ",\"relay_cpu\":" + decimal(cost.relay_cpu) +
           ",\"utilization\":" + decimal(utilization) + member("reconnects", tally.reconnects) + extra +
           ",\"faults\":{" + faults + "}" +
           (tally.first_fault.empty() ? "" : member("first_fault", tally.first_fault)) +
           ",\"valid\":" + (tally.faulty() ? "false" : "true") + "}";
}

}  // namespace sallyport::bench
