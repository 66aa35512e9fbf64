// What the target's answers to binds say of the client: did it guess, or probe?
#pragma once

#include "guard/lookout.hpp"
#include "wire/ldap/bind.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace sallyport::gate::ldap {

/// The binds of one connection that wait for their answer.
class BindJudge {
public:
    struct Judged {
        guard::Sign sign;
        std::uint64_t credential;  // as for guard::Suspicion
    };

    void asked(std::int32_t id, const sallyport::ldap::BindRequest& bind);
    /// @param operation  contents of the BindResponse
    /// @return what it gives the client away as; nothing for most, and for what can't be read
    std::optional<Judged> answered(std::int32_t id, Bytes operation);

private:
    // RFC 4511 section 4.2.1 has one bind at a time; the answer to one that was forgotten counts all the same.
    static constexpr std::size_t most = 8;

    struct Asked {
        std::int32_t id;
        std::uint64_t credential;  // and not what it is made of
    };
    std::vector<Asked> asked_;  // the oldest first
};

}  // namespace sallyport::gate::ldap
