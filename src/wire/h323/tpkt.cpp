#include "wire/h323/tpkt.hpp"

#include <array>

namespace sallyport::h323 {

namespace {

constexpr std::byte version{3};
constexpr std::array short_keep_alive{std::byte{0}, std::byte{3}, std::byte{0}, std::byte{4}};

bool begins_like_keep_alive(Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size() && i < short_keep_alive.size(); ++i) {
        if (bytes[i] != short_keep_alive[i]) return false;
    }
    return true;
}

}  // namespace

std::string_view text(TpktError error) {
    return error == TpktError::not_tpkt ? "no TPKT, as all of H.323 begins with"
                                        : "a TPKT that is shorter than its own header";
}

Result<std::optional<Tpkt>, TpktError> read_tpkt(Bytes bytes) {
    if (bytes.empty()) return std::nullopt;
    if (bytes[0] != version && !begins_like_keep_alive(bytes)) return fail(TpktError::not_tpkt);
    if (bytes.size() < tpkt_header) return std::nullopt;
    const std::size_t length = std::to_integer<std::size_t>(bytes[2]) << 8 | std::to_integer<std::size_t>(bytes[3]);
    if (length < tpkt_header) return fail(TpktError::bad_length);
    return Tpkt{length};
}

}  // namespace sallyport::h323
