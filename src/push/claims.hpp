// What DNS clients are told of Apple's couriers: an address of ours for each that exists, and for no other name.
#pragma once

#include "dns/claim.hpp"
#include "push/decide.hpp"
#include "push/devices.hpp"
#include "push/hosts.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::push {

/// What the policy says where Apple's names exist, for explanations: no name server is asked.
class AssumedClaims final : public dns::Claims {
public:
    /// @param policy  outlives this; null: nothing is claimed
    explicit AssumedClaims(const Policy* policy) : policy_(policy) {}

    std::optional<dns::Claim> claim(const dns::ClaimQuestion& question) override;
    io::Task<dns::Claim> settle(dns::Name, IpAddress) override { co_return dns::Claim{}; }

private:
    const Policy* policy_;
};

/// Whether a courier exists is asked upstream before it is answered for the first time, and again in the background
/// when the answer has had its time: a count that is written down somewhere is wrong in a few years. While the name
/// servers fail, what was known last holds. Goes by the policy of the moment.
class CourierClaims final : public dns::Claims {
public:
    /// All of them outlive this.
    /// @param unknown  told once, of a courier of a family that this program does not know; may be empty
    CourierClaims(io::Loop& loop, const std::shared_ptr<const Policy>& policy, Hosts& hosts, Devices& devices,
                  std::function<void(const std::string& name)> unknown = {});

    std::optional<dns::Claim> claim(const dns::ClaimQuestion& question) override;
    io::Task<dns::Claim> settle(dns::Name name, IpAddress client) override;
    /// Ends the asking. Awaited before destruction.
    io::Task<void> close();

private:
    enum class Exists : std::uint8_t { unknown, yes, no };
    struct Known {
        Exists exists = Exists::unknown;
        bool asking = false;
        SteadyTime until{};
    };

    dns::Claim answer(const Policy& policy, Courier courier, const Known& known) const;
    Known& of(Courier courier);
    io::Task<void> look(Courier courier);

    io::Loop& loop_;
    const std::shared_ptr<const Policy>& policy_;
    Hosts& hosts_;
    Devices& devices_;
    std::function<void(const std::string&)> unknown_;
    bool told_ = false;
    std::vector<Known> known_;  // by family and number
    io::Scope scope_;
};

}  // namespace sallyport::push
