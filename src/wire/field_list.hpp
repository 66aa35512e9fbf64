// The header fields of one message, whatever its protocol: HTTP's and SIP's differ in what a field is to a gateway.
#pragma once

#include <array>
#include <cstddef>

namespace sallyport::wire {

/// Fields in their order. Holds views: valid as long as the bytes that were parsed.
/// Large (some 5 KiB): keep one and parse into it again.
template <class Field>
class FieldList {
public:
    static constexpr std::size_t capacity = 128;

    void clear() { count_ = 0; }
    /// False when the list is full.
    bool add(const Field& field) {
        if (count_ == capacity) return false;
        fields_[count_++] = field;
        return true;
    }

    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }
    const Field& operator[](std::size_t i) const { return fields_[i]; }
    const Field* begin() const { return fields_.data(); }
    const Field* end() const { return fields_.data() + count_; }

private:
    std::array<Field, capacity> fields_;
    std::size_t count_ = 0;
};

}  // namespace sallyport::wire
