// Writing BER with the shortest lengths, as DER has them (X.690 section 10.1): what every reader takes.
#pragma once

#include "base/bytes.hpp"
#include "wire/ber/reader.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::ber {

/// Writes front to back into memory of a fixed size. What does not fit, or has no begin() to its end(), is dropped
/// and remembered: ask ok() once at the end.
class Writer {
public:
    explicit Writer(MutableBytes room) : room_(room) {}

    /// Opens a constructed element; all up to its end() is inside. At most max_depth in one another.
    void begin(std::uint8_t tag);
    void end();
    void integer(std::int32_t value, std::uint8_t tag = integer_tag);
    void octets(std::string_view value, std::uint8_t tag = octet_string_tag);

    /// Everything fitted, and every begin() has its end().
    bool ok() const { return ok_ && depth_ == 0; }
    /// Empty unless ok().
    Bytes written() const { return ok() ? Bytes(room_.first(used_)) : Bytes(); }

private:
    bool fits(std::size_t count) { return ok_ = ok_ && room_.size() - used_ >= count; }
    void put(std::uint8_t octet);

    MutableBytes room_;
    std::size_t used_ = 0;
    std::array<std::size_t, max_depth> begun_{};  // where the contents of each open element begin
    std::size_t depth_ = 0;
    bool ok_ = true;
};

}  // namespace sallyport::ber
