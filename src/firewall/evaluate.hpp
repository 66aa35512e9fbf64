// "Would this packet pass, and why?": the policy asked without a kernel. What other tables of the kernel would do is
// not known here.
#pragma once

#include "firewall/policy.hpp"

#include <string>
#include <vector>

namespace sallyport::firewall {

/// The first packet of a connection.
struct Packet {
    Hook hook = Hook::input;
    Zone zone = Zone::outside;  // the side that it comes from; Zone::any: the machine itself
    Zone to_zone = Zone::any;   // the side that it leaves to, when it passes through
    Transport transport = Transport::tcp;
    IpAddress from;
    IpAddress to;
    std::uint16_t port = 0;
};

struct Step {
    std::string rule;
    config::Place place;
    std::string result;  // "match", "no match: another port"
};

struct Verdict {
    const Rule* rule = nullptr;  // that decided; null: none has a say, and it passes
    const Forward* forward = nullptr;  // sent it elsewhere before
    bool admitted = false;
    std::string answer;  // what the client notices: "connected", "refused at once by TCP reset", "silence"
    std::vector<Step> trail;  // the rules that were asked, those that fit no such packet at all left out
};

Verdict evaluate(const Policy& policy, Packet packet);

}  // namespace sallyport::firewall
