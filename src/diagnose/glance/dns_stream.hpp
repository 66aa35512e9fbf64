// DNS over TCP (RFC 7766 section 8): messages behind their length, cut into segments as it pleases the sender. Of each
// message the beginning is kept, which has the question and the first addresses.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace sallyport::diagnose {

inline constexpr std::size_t kept_message = 2048;  // bytes

class DnsStream {
public:
    /// The next bytes of this direction; `use` is called with the beginning of each message that ends in them.
    template <class Use>
    void feed(Bytes bytes, const Use& use) {
        while (!bytes.empty()) {
            if (head_ < 2) {
                left_ = left_ << 8 | std::to_integer<std::uint32_t>(bytes[0]);
                bytes = bytes.subspan(1);
                ++head_;
                continue;
            }
            const std::size_t part = bytes.size() < left_ ? bytes.size() : left_;
            const std::size_t room = kept_message - message_.size();
            message_ += as_text(bytes.first(part < room ? part : room));
            bytes = bytes.subspan(part);
            left_ -= static_cast<std::uint32_t>(part);
            if (left_ > 0) continue;
            use(as_bytes(message_));
            message_.clear();
            head_ = 0;
        }
    }

private:
    std::string message_;
    std::uint32_t left_ = 0;  // bytes of the message still to come; while its length is being read, that
    std::uint8_t head_ = 0;  // bytes of the length that are there
};

}  // namespace sallyport::diagnose
