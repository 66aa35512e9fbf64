// Source addresses within the running gateway: how loops ask for them, and what administrators see and set.
#include "cli/daemon.hpp"

#include "cli/egress_settings.hpp"
#include "cli/egress_shapes.hpp"
#include "io/sockets.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::cli {

using nlohmann::json;
using telemetry::Level;

namespace {

constexpr std::size_t most_listed = 32'768;      // of each list: together they must fit into one answer
constexpr std::size_t most_translated = 65'536;  // what a firewall is told, whole

std::optional<egress::Pin> pin_of(const admin::PinQuery& query) {
    const auto* const kind = std::ranges::find(egress::pin_kind_names, query.kind);
    if (kind == egress::pin_kind_names.end()) return std::nullopt;
    return egress::Pin::make(static_cast<egress::PinKind>(kind - egress::pin_kind_names.begin()), query.who,
                             query.source);
}

}  // namespace

// After the guard, who opens the database.
void Daemon::post_egress() {
    egress_.emplace(*loop_,
                    egress::Registry::Options{.files = &*files_,
                                              .outdated =
                                                  [this](const std::vector<IpAddress>& clients) {
                                                      for (auto& data : data_loops_)
                                                          data->sources_changed(clients, egress_->enabled());
                                                  },
                                              .trouble = [this](const std::string& what) { event(Level::warn, what); },
                                              .tell = [this](const store::EgressLine& line) { tell_source(line); }});
    for (auto& data : data_loops_) {
        data->dial_from([this, &loop = data->loop()](const IpAddress& client, auto answered) {
            loop_->post([this, &loop, client, answered = std::move(answered)]() mutable {
                loop.post([answered = std::move(answered), choice = egress_->choose(client)] { answered(choice); });
            });
        });
    }
    for (auto& data : data_loops_) {
        data->open_push(*logger_, [this, &loop = data->loop()](std::string host, io::Cancellation& cancellation) {
            return net::resolve_on(*worker_, loop, cancellation, std::move(host));
        });
        data->adopt(generation_->push);
    }
    egress_->apply(egress_settings());
    if (!database_) return;
    egress_lines_.emplace(*database_);
    egress_->remember(*egress_lines_);
}

egress::Settings Daemon::egress_settings() {
    const config::Egress& egress = config().egress;
    for (const auto& network : egress.pool) {
        if (!io::is_local(network.value.address()))
            event(Level::warn, "the pool of source addresses is not this node's: answers will not arrive",
                  {{"network", network.value.to_string()},
                   {"remedy", "ip route add local " + network.value.to_string() + " dev lo"}});
    }
    egress::Settings out{.policy = egress_policy(config()), .radius_secret = generation_->radius_secret};
    for (const auto& network : egress.clients) out.clients.push_back(network.value);
    for (const auto& file : egress.leases) out.leases.push_back(file.value);
    if (egress.radius) out.radius = egress.radius->value;
    return out;
}

json Daemon::egress() {
    const egress::Book& book = egress_->book();
    return {{"enabled", egress_->enabled()},
            {"mode", to_string(config().egress.mode)},
            {"sources", sources_json(book, most_listed)},
            {"pins", pins_json(book, most_listed)},
            {"pool", pool_json(book)},
            {"total", book.leases().size()},
            {"nat", nat_json(egress_->nat_map(), most_translated)},
            {"forged", egress_->forged()}};
}

Result<json, admin::Problem> Daemon::whois(const IpAddress& address) {
    const egress::Choice choice = egress_->look(address);
    const egress::Person person = egress_->behind(address);
    const auto or_null = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
    return json{{"address", address.to_string()},
                {"identity", person.identity()},
                {"user", or_null(person.user)},
                {"mac", or_null(person.mac)},
                {"v4", choice_json(choice, egress::Family::v4)},
                {"v6", choice_json(choice, egress::Family::v6)},
                {"users", users_json(egress_->book(), address, most_listed)}};
}

Result<json, admin::Problem> Daemon::set_pin(const admin::PinQuery& query) {
    const auto pin = pin_of(query);
    if (!pin)
        return std::unexpected(
            admin::Problem{.status = 400, .detail = query.kind + " is \"" + query.who + "\", which is none"});
    if (const auto made = egress_->pin(*pin); !made)
        return std::unexpected(admin::Problem{.status = 409, .detail = made.error().message});
    event(Level::info, "a source address was pinned by an administrator",
          {{"who", pin->subject()}, {"source", pin->source.to_string()}});
    return json{{"who", pin->subject()},
                {"source", pin->source.to_string()},
                {"origin", "manual"},
                {"since", to_rfc3339(loop_->wall())}};
}

Result<json, admin::Problem> Daemon::remove_pin(const admin::PinQuery& query) {
    const auto pin = pin_of(query);
    if (pin && egress_->unpin(pin->subject(), egress::family_of(query.source))) return json{{"removed", 1}};
    return std::unexpected(admin::Problem{
        .status = 404,
        .detail = "no pin by hand is there for " + query.kind + " " + query.who + "; see: sallyport egress list"});
}

}  // namespace sallyport::cli
