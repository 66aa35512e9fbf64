// What the target's answers say of the client: did it guess, or probe?
#pragma once

#include "guard/lookout.hpp"
#include "wire/sip/message.hpp"
#include "wire/sip/transactions.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::gate::sip {

/// Looks at the answers of one connection.
///
/// A challenge to a request without credentials is how SIP begins, a stale nonce is no wrong password, and neither is
/// one that was accepted before: registrars that do not say `stale` refuse it when its time is over.
class AnswerJudge {
public:
    /// May an answer to this request say more than its status does? Only these are worth being remembered.
    static bool judges_answers_to(const sallyport::sip::Message& request);
    /// Does this status say something whatever it is an answer to?
    static bool judges_whatever_was_asked(std::uint16_t status);
    /// @return what the answer gives the client away as; nothing for most
    std::optional<guard::Sign> judge(const sallyport::sip::Message& response,
                                     const sallyport::sip::TransactionTable::Asked& asked);

private:
    static constexpr std::size_t most_accepted = 8;

    bool is_known(const std::string& credentials) const;

    std::vector<std::string> accepted_;  // the latest credentials that the target took, the oldest first
};

}  // namespace sallyport::gate::sip
