#include "dns/pass_back.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sallyport::dns {

bool same_question(Bytes a, Bytes b) {
    if (a.size() != b.size() || a.size() < 5) return false;
    const std::size_t name = a.size() - 4;
    return std::memcmp(a.data() + name, b.data() + name, 4) == 0 && same_name(a.first(name), b.first(name));
}

Bytes pass_back(Bytes message, Bytes options, MutableBytes room, const Asked& asked, ExtendedError why) {
    const std::size_t head = header_size + asked.question.size();
    std::array<std::byte, 6> error;
    ByteWriter extended(error);
    if (why != ExtendedError::none) {
        extended.u16(option::extended_error);
        extended.u16(2);
        extended.u16(static_cast<std::uint16_t>(why));
    }
    const std::size_t opt = asked.edns ? opt_size + options.size() + extended.size() : 0;
    const auto header = *read_header(message);
    constexpr std::uint16_t given_back = flag::recursion_desired | flag::checking_disabled;
    auto flags = static_cast<std::uint16_t>((header.flags & ~given_back) | flag::recursion_available |
                                            (asked.flags & given_back));
    const bool fits = message.size() + opt <= room.size();
    if (!fits) {
        if (head + opt_size > room.size()) return {};
        flags |= flag::truncated;
    }
    const Bytes kept = fits ? message : message.first(head);
    std::memcpy(room.data(), kept.data(), kept.size());
    std::memcpy(room.data() + header_size, asked.question.data(), asked.question.size());
    ByteWriter start(room);
    start.u16(asked.id);
    start.u16(flags);
    if (!fits) {
        start.u16(1);
        start.u32(0);
        start.u16(0);
    }
    if (!asked.edns) return room.first(kept.size());
    ByteWriter(room.subspan(10)).u16(static_cast<std::uint16_t>((fits ? header.additionals : 0) + 1));
    ByteWriter out(room.subspan(kept.size()));
    out.u8(0);
    out.u16(type::opt);
    out.u16(udp_payload);
    out.u32(asked.dnssec_ok ? 0x8000U : 0U);
    out.u16(static_cast<std::uint16_t>(fits ? options.size() + extended.size() : 0));
    if (fits) {
        out.bytes(options);
        out.bytes(extended.written());
    }
    return room.first(kept.size() + out.size());
}

}  // namespace sallyport::dns
