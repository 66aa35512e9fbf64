// DNS messages (RFC 1035 section 4.1, RFC 6891), sans-io: views into what was given, bounded reads, nothing allocated.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/dns/name.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::dns {

inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t max_message = 65535;
inline constexpr std::uint16_t least_payload = 512;  // what any client takes by UDP (RFC 1035 section 4.2.1)
/// The most that we send by UDP and ask others to send: it passes every path unfragmented (DNS flag day 2020, RFC
/// 9715).
inline constexpr std::uint16_t udp_payload = 1232;

namespace flag {
inline constexpr std::uint16_t response = 0x8000;
inline constexpr std::uint16_t opcode = 0x7800;
inline constexpr std::uint16_t authoritative = 0x0400;
inline constexpr std::uint16_t truncated = 0x0200;
inline constexpr std::uint16_t recursion_desired = 0x0100;
inline constexpr std::uint16_t recursion_available = 0x0080;
inline constexpr std::uint16_t authentic_data = 0x0020;
inline constexpr std::uint16_t checking_disabled = 0x0010;
inline constexpr std::uint16_t rcode = 0x000F;
}  // namespace flag

namespace type {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, srv = 33,
                               dname = 39, opt = 41, ds = 43, rrsig = 46, nsec = 47, dnskey = 48, nsec3 = 50, svcb = 64,
                               https = 65, ixfr = 251, axfr = 252, any = 255, caa = 257;
}  // namespace type

inline constexpr std::uint16_t class_in = 1;

enum class Rcode : std::uint8_t { no_error = 0, form_err = 1, serv_fail = 2, nx_domain = 3, not_imp = 4, refused = 5 };
inline constexpr std::uint16_t bad_version = 16;  // BADVERS: the low four bits are 0, the rest is in OPT

/// "AAAA", "TYPE65280" (RFC 3597 section 5).
std::string type_name(std::uint16_t type);
/// The reverse, whatever the case. Nothing for other words.
std::optional<std::uint16_t> type_by_name(std::string_view name);
/// "NXDOMAIN", "RCODE11".
std::string rcode_name(std::uint16_t rcode);

struct Header {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;
    std::uint16_t questions = 0;
    std::uint16_t answers = 0;
    std::uint16_t authorities = 0;
    std::uint16_t additionals = 0;

    bool has(std::uint16_t bits) const { return (flags & bits) != 0; }
};

/// Nothing for less than twelve octets.
std::optional<Header> read_header(Bytes message);

/// What an OPT record says (RFC 6891 section 6.1.3).
struct Edns {
    std::uint16_t payload = least_payload;  // octets that the sender takes by UDP, never less than 512 (section 6.2.3)
    std::uint8_t extended_rcode = 0;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    Bytes options;  // checked to be whole options
};

namespace option {
inline constexpr std::uint16_t cookie = 10, tcp_keepalive = 11, padding = 12, extended_error = 15;
}

/// One option of OPT.
struct Option {
    std::uint16_t code = 0;
    Bytes value;
};
/// Takes the first option off `rest`. Nothing at the end, or where what is left is none.
std::optional<Option> next_option(Bytes& rest);

/// A question as a server needs it.
struct Query {
    Header header;
    Bytes question;  // name, type and class as they were written; empty where they can't be read
    std::uint16_t type = 0;
    std::uint16_t qclass = 0;
    std::optional<Edns> edns;

    Bytes name() const { return question.first(question.size() - 4); }  // in wire form, without compression
};

/// What to do with what a client sent.
enum class Received : std::uint8_t {
    query,  // it is one
    nothing,  // no answer is due: too short, or an answer itself (two servers must not talk to one another for ever)
    malformed,  // FORMERR
    not_implemented,  // NOTIMP: an operation other than QUERY
    bad_version,  // BADVERS: a version of EDNS that nobody has yet
};

/// Reads a message sent by a client: one question, nothing in the other sections but one OPT, nothing behind.
/// @param query  filled as far as it could be read, for the answer.
Received read_query(Bytes message, Query& query);

/// A record in a message: where its parts are. Names within rdata may be compressed.
struct Record {
    enum class Section : std::uint8_t { answer, authority, additional };

    Section section = Section::answer;
    std::size_t owner = 0;  // offset of its name
    std::uint16_t type = 0;
    std::uint16_t rclass = 0;
    std::uint32_t ttl = 0;  // seconds; of OPT: flags
    std::size_t ttl_at = 0;  // offset of the four octets
    std::size_t rdata = 0;  // offset
    std::size_t size = 0;  // octets of rdata
};

/// Steps over the records of a message, in order.
class RecordReader {
public:
    /// @param at  where the first record begins: behind the questions
    RecordReader(Bytes message, const Header& header, std::size_t at);

    /// Nothing when all have been read, or when the message breaks off: ok() tells which.
    std::optional<Record> next();
    bool ok() const { return ok_; }
    std::size_t position() const { return at_; }

private:
    Bytes message_;
    std::array<std::size_t, 3> left_;
    std::size_t at_;
    bool ok_ = true;
};

/// An answer: its header and its question.
struct Response {
    Header header;
    Bytes question;  // as it was written

    std::size_t records_at() const { return header_size + question.size(); }
};

/// Reads the beginning of an answer and sees that its records are whole: QR, one question, counts that hold, nothing
/// behind. Nothing where it is none.
std::optional<Response> read_response(Bytes message);

/// Reads the OPT record. Nothing where a field breaks a rule.
std::optional<Edns> read_edns(Bytes message, const Record& opt);

}  // namespace sallyport::dns
