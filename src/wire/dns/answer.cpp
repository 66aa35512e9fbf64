#include "wire/dns/answer.hpp"

#include <algorithm>
#include <array>

namespace sallyport::dns {

namespace {

constexpr std::uint16_t the_question = 0xC000 | header_size;  // a pointer to the name asked for
constexpr std::size_t extended_error_size = 6;
constexpr std::string_view mailbox = "\12hostmaster";  // a label (RFC 2142 section 7)
constexpr std::size_t soa_rdata = 2 + 2 + 5 * 4;      // two names but for that label, five numbers
constexpr std::uint16_t given_back = flag::recursion_desired | flag::checking_disabled;

}  // namespace

void write_opt(ByteWriter& out, std::uint16_t payload, std::uint8_t extended_rcode, bool dnssec_ok, Bytes options) {
    out.u8(0);
    out.u16(type::opt);
    out.u16(payload);
    out.u32(std::uint32_t{extended_rcode} << 24 | (dnssec_ok ? 0x8000U : 0U));
    out.u16(static_cast<std::uint16_t>(options.size()));
    out.bytes(options);
}

AnswerWriter::AnswerWriter(MutableBytes room, const Asked& asked, std::uint16_t rcode, std::uint16_t flags)
    : room_(room),
      asked_(asked),
      rcode_(rcode),
      flags_(static_cast<std::uint16_t>(flag::response | flag::recursion_available | flags |
                                        (asked.flags & given_back) | (rcode & flag::rcode))),
      records_(room.subspan(std::min(room.size(), header_size + asked.question.size()))) {}

void AnswerWriter::answer(std::uint16_t type, std::uint32_t ttl, Bytes rdata) {
    records_.u16(the_question);
    records_.u16(type);
    records_.u16(class_in);
    records_.u32(ttl);
    records_.u16(static_cast<std::uint16_t>(rdata.size()));
    records_.bytes(rdata);
    ++answers_;
}

void AnswerWriter::answers(Bytes records, std::uint16_t count) {
    records_.bytes(records);
    answers_ = static_cast<std::uint16_t>(answers_ + count);
}

void AnswerWriter::start_of_authority(std::uint32_t ttl) {
    records_.u16(the_question);
    records_.u16(type::soa);
    records_.u16(class_in);
    records_.u32(ttl);
    // A name that has no room for one more label has its mailbox without it (RFC 1035 section 2.3.4).
    const bool has_room = asked_.question.size() + mailbox.size() <= max_name + 4;
    const std::string_view label = has_room ? mailbox : std::string_view();
    records_.u16(static_cast<std::uint16_t>(soa_rdata + label.size()));
    records_.u16(the_question);  // the server
    records_.text(label);
    records_.u16(the_question);
    for (const std::uint32_t number : {1U, 3600U, 1200U, 604800U, ttl}) records_.u32(number);
    ++authorities_;
}

Bytes AnswerWriter::finish(ExtendedError why) {
    const std::size_t head_size = header_size + asked_.question.size();
    if (room_.size() < head_size) return {};
    std::array<std::byte, extended_error_size> error;
    ByteWriter option(error);
    if (why != ExtendedError::none) {
        option.u16(option::extended_error);
        option.u16(2);
        option.u16(static_cast<std::uint16_t>(why));
    }
    const std::size_t due = asked_.edns ? opt_size + option.size() : 0;
    if (!records_.ok() || head_size + records_.size() + due > room_.size()) {
        records_ = ByteWriter(room_.subspan(head_size));
        answers_ = authorities_ = 0;
        flags_ |= flag::truncated;
    }
    const bool opt = asked_.edns && head_size + records_.size() + due <= room_.size();
    if (opt)
        write_opt(records_, udp_payload, static_cast<std::uint8_t>(rcode_ >> 4), asked_.dnssec_ok, option.written());

    ByteWriter head(room_);
    head.u16(asked_.id);
    head.u16(flags_);
    head.u16(asked_.question.empty() ? 0 : 1);
    head.u16(answers_);
    head.u16(authorities_);
    head.u16(opt ? 1 : 0);
    head.bytes(asked_.question);
    return room_.first(head_size + records_.size());
}

}  // namespace sallyport::dns
