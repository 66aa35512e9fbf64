#include "wire/sip/transactions.hpp"

#include "wire/sip/credentials.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace sallyport::sip {

namespace {

// FNV-1a over hashes, so that no text runs into the next.
class Hash {
public:
    void add(std::string_view text) { add(std::uint64_t{std::hash<std::string_view>{}(text)}); }
    void add(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001B3; }
    std::uint64_t value() const { return hash_; }

private:
    std::uint64_t hash_ = 0xCBF29CE484222325;
};

std::optional<std::uint64_t> key_of(const Message& message) {
    const Field* field = find(message.fields, FieldKind::cseq);
    const auto cseq = field == nullptr ? std::nullopt : parse_cseq(field->value);
    if (!cseq) return std::nullopt;
    const Field* call_id = find(message.fields, FieldKind::call_id);
    Hash hash;
    hash.add(top_branch(message));
    hash.add(call_id == nullptr ? std::string_view() : call_id->value);
    hash.add(cseq->method);
    hash.add(std::uint64_t{cseq->number});
    return hash.value();
}

}  // namespace

void TransactionTable::sent(const Message& request) {
    const auto key = key_of(request);
    if (!key || request.method == "ACK") return;
    Asked asked{.credentials = presented(request), .registers = request.method == "REGISTER"};
    const auto at = std::ranges::find(entries_, *key, &Entry::key);
    if (at != entries_.end()) {
        at->asked = std::move(asked);
        return;
    }
    if (entries_.size() == capacity) entries_.erase(entries_.begin());
    entries_.push_back({.key = *key, .asked = std::move(asked)});
}

std::optional<TransactionTable::Asked> TransactionTable::answered(const Message& response) {
    const auto key = key_of(response);
    if (!key) return std::nullopt;
    const auto at = std::ranges::find(entries_, *key, &Entry::key);
    if (at == entries_.end()) return std::nullopt;
    if (response.status < 200) return at->asked;
    Asked asked = std::move(at->asked);
    entries_.erase(at);
    return asked;
}

}  // namespace sallyport::sip
