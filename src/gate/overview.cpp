#include "gate/overview.hpp"

#include "gate/tunnel.hpp"

#include <algorithm>

namespace sallyport::gate {

namespace {

std::string id_text(const Session& session) {
    return std::to_string(session.id >> Gate::id_bits) + "-" +
           std::to_string(session.id & ((std::uint64_t{1} << Gate::id_bits) - 1));
}

SessionView view_of(const Session& session, SteadyTime now) {
    SessionView view{.id = id_text(session),
                     .client = session.client.to_string(),
                     .listener = session.listener->address,
                     .protocol = session.counted_as(),
                     .tls = session.tls,
                     .state = session.tunnel != nullptr ? "tunnel"
                              : session.idle            ? "idle"
                                                        : "busy",
                     .service = std::string(session.service),
                     .target = std::string(session.target),
                     .age = now - session.since};
    if (session.tunnel != nullptr) {
        view.bytes_in = session.tunnel->relayed.to_target;
        view.bytes_out = session.tunnel->relayed.to_client;
    }
    return view;
}

}  // namespace

std::vector<SessionView> look_at_sessions(Gate& gate, std::string_view service, std::size_t most) {
    std::vector<SessionView> views;
    gate.for_each_session([&](const Session& session) {
        if (views.size() < most && (service.empty() || session.service == service))
            views.push_back(view_of(session, gate.loop().now()));
    });
    return views;
}

namespace {

template <class Which>
std::size_t end_those(Gate& gate, Which which) {
    std::size_t ended = 0;
    gate.for_each_session([&](Session& session) {
        if (!which(session)) return;
        session.end(telemetry::Reason::killed);
        ++ended;
    });
    return ended;
}

}  // namespace

std::size_t end_session(Gate& gate, std::string_view id) {
    return end_those(gate, [id](const Session& session) { return id_text(session) == id; });
}

std::size_t end_sessions_of(Gate& gate, std::string_view service) {
    return end_those(gate, [service](const Session& session) { return session.service == service; });
}

std::vector<TargetView> look_at_targets(const Snapshot& snapshot) {
    std::vector<TargetView> views;
    for (const Service& service : snapshot.services()) {
        for (std::size_t i = 0; i < service.targets.size(); ++i) {
            const config::Target& target = service.settings->targets[i].value;
            const TargetState& state = *service.targets[i];
            TargetView view{
                .service = service.name,
                .protocol = service.settings->protocol,
                .target = target.kind == config::Target::Kind::builtin ? "builtin:" + target.text : target.text,
                .condition = state.condition(),
                .wish = state.wish(),
                .why = {},
                .since = {},
                .latency = {},
                .connections = state.active()};
            if (view.condition != Condition::up) view.why = state.why();
            if (state.since() != WallTime{}) view.since = state.since();
            if (state.latency() > Duration{0}) view.latency = state.latency();
            views.push_back(std::move(view));
        }
    }
    return views;
}

std::size_t set_wish(const Snapshot& snapshot, std::string_view service, std::optional<config::Protocol> protocol,
                     std::string_view target, Wish wish) {
    std::size_t set = 0;
    for (const Service& one : snapshot.services()) {
        if (protocol && one.settings->protocol != *protocol) continue;
        const auto& names = one.settings->names;
        if (std::ranges::none_of(names, [&](const auto& name) { return name.value == service; })) continue;
        for (std::size_t i = 0; i < one.targets.size(); ++i) {
            if (!target.empty() && one.settings->targets[i].value.text != target) continue;
            one.targets[i]->wish(wish);
            ++set;
        }
    }
    return set;
}

}  // namespace sallyport::gate
