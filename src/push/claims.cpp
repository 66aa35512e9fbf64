#include "push/claims.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::push {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t numbers_of_family = 1000;
constexpr Duration shortest_hold = 1s, longest_hold = 60s;  // of what Apple's name servers say, whose TTLs are 60
constexpr Duration tried_again_after = 5s;                  // where they failed

// A name in wire form as text, in room of the caller's: without an escape a label with a dot in it is not told from
// two, and so it is nobody's. Empty where it does not fit or is none.
std::string_view text_of(Bytes wire, std::array<char, dns::max_name>& room) {
    std::size_t used = 0;
    ByteReader reader(wire);
    while (const auto length = reader.u8()) {
        if (*length == 0) break;
        const auto label = reader.take(*length);
        if (!label || used + label->size() + 1 > room.size()) return {};
        for (const std::byte octet : *label) {
            const char c = static_cast<char>(octet);
            if (c == '.') return {};
            room[used++] = c;
        }
        room[used++] = '.';
    }
    return {room.data(), used};
}

dns::Claim claim_of(const Policy& policy, const Vips::Answer& vips) {
    return {.v4 = vips.v4, .v6 = vips.v6, .ttl = static_cast<std::uint32_t>(policy.ttl / 1s)};
}

std::optional<dns::Claim> provider_claim(const Policy& policy, std::string_view name) {
    const auto provider = provider_of(name);
    if (!provider || !policy.providers) return std::nullopt;
    return claim_of(policy, policy.vips.of(*provider));
}

}  // namespace

std::optional<dns::Claim> AssumedClaims::claim(const dns::ClaimQuestion& question) {
    if (policy_ == nullptr || policy_->vips.empty()) return std::nullopt;
    std::array<char, dns::max_name> room{};
    const std::string_view name = text_of(question.name, room);
    const auto courier = courier_of(name);
    if (!courier) return provider_claim(*policy_, name);
    if (!policy_->families.contains(courier->family)) return std::nullopt;
    return claim_of(*policy_, policy_->vips.of(courier->number));
}

CourierClaims::CourierClaims(io::Loop& loop, const std::shared_ptr<const Policy>& policy, Hosts& hosts,
                             Devices& devices, std::function<void(const std::string&)> unknown)
    : loop_(loop),
      policy_(policy),
      hosts_(hosts),
      devices_(devices),
      unknown_(std::move(unknown)),
      known_(config::words_of<PushFamily>.size() * numbers_of_family),
      scope_(loop) {}

CourierClaims::Known& CourierClaims::of(Courier courier) {
    return known_[static_cast<std::size_t>(courier.family) * numbers_of_family + courier.number];
}

std::optional<dns::Claim> CourierClaims::claim(const dns::ClaimQuestion& question) {
    if (!policy_ || policy_->vips.empty()) return std::nullopt;
    std::array<char, dns::max_name> room{};
    const std::string_view name = text_of(question.name, room);
    if (const auto courier = courier_of(name)) {
        if (!policy_->families.contains(courier->family)) return std::nullopt;
        devices_.asked(question.client, *courier, loop_.wall());
        const Known known = of(*courier);
        // What was known is answered, and asked again for those who come later.
        if (known.until <= loop_.now() && known.exists == Exists::yes && !known.asking) scope_.spawn(look(*courier));
        return answer(*policy_, *courier, known);
    }
    if (const auto provider = provider_claim(*policy_, name)) return provider;
    if (unknown_ && !told_ && is_unknown_courier(name)) {
        told_ = true;
        unknown_(std::string(name));
    }
    return std::nullopt;
}

dns::Claim CourierClaims::answer(const Policy& policy, Courier courier, const Known& known) const {
    using State = dns::Claim::State;
    dns::Claim claim = claim_of(policy, policy.vips.of(courier.number));
    claim.state = State::unsettled;
    if (known.exists == Exists::yes) claim.state = State::exists;
    if (known.exists == Exists::no && known.until > loop_.now()) claim.state = State::absent;
    return claim;
}

io::Task<dns::Claim> CourierClaims::settle(dns::Name name, IpAddress) {
    const std::string text = name.to_string();
    const auto courier = courier_of(text);
    const std::shared_ptr<const Policy> policy = policy_;
    if (!courier || !policy) co_return dns::Claim{.state = dns::Claim::State::unsettled};
    co_await look(*courier);
    co_return answer(*policy, *courier, of(*courier));
}

io::Task<void> CourierClaims::look(Courier courier) {
    of(courier).asking = true;
    const HostAnswer found = co_await hosts_.find(courier.host());
    Known& known = of(courier);
    known.asking = false;
    const bool failed = found.state == HostAnswer::State::failed;
    const Duration holds = std::clamp<Duration>(std::chrono::seconds(found.ttl), shortest_hold, longest_hold);
    known.until = loop_.now() + (failed ? tried_again_after : holds);
    if (failed) co_return;  // what was known last holds
    known.exists = found.state == HostAnswer::State::exists ? Exists::yes : Exists::no;
}

io::Task<void> CourierClaims::close() {
    scope_.cancel();
    co_await scope_.join();
}

}  // namespace sallyport::push
