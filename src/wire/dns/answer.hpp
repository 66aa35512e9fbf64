// Our own answers: a header, the question exactly as it was asked, records about it, an OPT.
//
// Every record here is about the name that was asked for, so its owner is a pointer to the question (RFC 1035 section
// 4.1.4), and so are the names in an SOA: the question is the only thing that they share.
#pragma once

#include "base/bytes.hpp"
#include "wire/dns/message.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::dns {

/// Why an answer is what it is, for those who look (RFC 8914); none: nothing to say.
enum class ExtendedError : std::uint16_t {
    none = 0xFFFF,
    stale_answer = 3,
    prohibited = 18,
    filtered = 17,
    network_error = 23,
    no_reachable_authority = 22,
};

/// What the client asked with, as far as the answer shows it.
struct Asked {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;  // its own: RD and CD are given back (RFC 1035 section 4.1.1, RFC 4035 section 3.2.2)
    Bytes question;
    bool edns = false;  // an OPT is due (RFC 6891 section 6.1.1)
    bool dnssec_ok = false;

    static Asked of(const Query& query) {
        return {query.header.id, query.header.flags, query.question, query.edns.has_value(),
                query.edns && query.edns->dnssec_ok};
    }
};

class AnswerWriter {
public:
    /// @param room  as much as may be sent. Where the records don't fit, none of them is sent, and TC is set: part of
    ///     a set would pass for all of it (RFC 2181 section 9).
    AnswerWriter(MutableBytes room, const Asked& asked, std::uint16_t rcode, std::uint16_t flags = 0);

    /// Adds a record about the name asked for.
    void answer(std::uint16_t type, std::uint32_t ttl, Bytes rdata);
    /// Adds `count` records that were written before with an owner of 0xC00C, in one piece.
    void answers(Bytes records, std::uint16_t count);
    /// Adds to the authority section an SOA that the name itself is the zone of: how long its absence may be kept (RFC
    /// 2308 section 5).
    void start_of_authority(std::uint32_t ttl);

    /// Adds the OPT where the client sent one, fills the counts in. Empty when not even header and question fit.
    Bytes finish(ExtendedError why = ExtendedError::none);

private:
    MutableBytes room_;
    Asked asked_;
    std::uint16_t rcode_;
    std::uint16_t flags_;
    ByteWriter records_;  // what comes behind the question
    std::uint16_t answers_ = 0;
    std::uint16_t authorities_ = 0;
};

/// Writes an OPT record.
void write_opt(ByteWriter& out, std::uint16_t payload, std::uint8_t extended_rcode, bool dnssec_ok, Bytes options);
/// Its size without options.
inline constexpr std::size_t opt_size = 11;

}  // namespace sallyport::dns
