// Which requests of a connection still wait for their answer, and what a watcher must know of each when it comes.
#pragma once

#include "wire/sip/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::sip {

/// The latest requests that were passed on. Answers find theirs by the branch of the topmost Via and the method of CSeq
/// (RFC 3261 section 17.1.3), with Call-ID and the number of CSeq for those that send no unique branch.
///
/// Bounded: beyond its capacity the oldest is forgotten, and its answer then counts as one to nothing known. Holds a
/// hash of what names each, not its text: a peer that seeks collisions deceives itself about its own requests only.
class TransactionTable {
public:
    static constexpr std::size_t capacity = 64;

    struct Asked {
        std::string credentials = {};  // presented(): where there are some, a 401 or 407 refuses them
        bool registers = false;  // a REGISTER
    };

    /// Remembers a request that is passed on. An ACK is not: nothing answers it.
    void sent(const Message& request);

    /// What was asked, for a response. A final one (status 200 and above) ends its transaction.
    std::optional<Asked> answered(const Message& response);

    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::uint64_t key = 0;
        Asked asked;
    };

    std::vector<Entry> entries_;  // the oldest first
};

}  // namespace sallyport::sip
