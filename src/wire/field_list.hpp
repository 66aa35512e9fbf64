// The header fields of one message, whatever its protocol: HTTP's and SIP's differ in what a field is to a gateway.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace sallyport::wire {

/// Fields in their order. Holds views: valid as long as the bytes that were parsed.
/// Large (some 5 KiB), and nothing of it is touched before a field is added: one on the stack costs no time.
template <class Field>
class FieldList {
public:
    static constexpr std::size_t capacity = 128;

    FieldList() {}  // NOLINT(modernize-use-equals-default): that would want the fields made
    FieldList(const FieldList& other) : FieldList() { *this = other; }
    FieldList& operator=(const FieldList& other) {
        clear();
        for (const Field& field : other) add(field);
        return *this;
    }

    void clear() { count_ = 0; }
    /// False when the list is full.
    bool add(const Field& field) {
        if (count_ == capacity) return false;
        std::construct_at(&fields_[count_++], field);
        return true;
    }

    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }
    const Field& operator[](std::size_t i) const { return fields_[i]; }
    const Field* begin() const { return fields_.data(); }
    const Field* end() const { return fields_.data() + count_; }

private:
    static_assert(std::is_trivially_destructible_v<Field>);
    union {
        std::array<Field, capacity> fields_;
    };
    std::size_t count_ = 0;
};

}  // namespace sallyport::wire
