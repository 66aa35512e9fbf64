// Any upstream's answers, asked for again in any order and at any time: the cache against a plain table with a list of
// who was used last. What comes out is an answer to who asked, with the records that came in and TTLs that have aged;
// what ldns (NLnet Labs) could read when it came, it can read when it is given.
#include "base/fuzzing.hpp"
#include "dns/cache.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace sallyport;
using namespace sallyport::dns;
using namespace std::chrono_literals;
using fuzzing::require;

constexpr Duration stale_for = 100s;
constexpr std::array<std::string_view, 6> questions{
    std::string_view("\2hq\0\0\1\0\1", 8),  std::string_view("\2HQ\0\0\1\0\1", 8),
    std::string_view("\2hq\0\0\34\0\1", 8), std::string_view("\1a\2hq\0\0\1\0\1", 10),
    std::string_view("\0\0\2\0\1", 5),      std::string_view("\2hr\0\0\1\0\1", 8)};

/// What is known of an answer that was kept, the one used last at the front.
struct Kept {
    std::string_view question;
    std::uint16_t group = 0;
    std::vector<std::uint32_t> ttls;
    std::uint16_t flags = 0;
    SteadyTime stored{}, expires{};
    unsigned hits = 0;
    bool failure = false;
    bool read_by_ldns = false;
};

bool is_read_by_ldns(Bytes message) {
    ldns_pkt* packet = nullptr;
    const auto status = ldns_wire2pkt(&packet, reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
    if (status == LDNS_STATUS_OK) ldns_pkt_free(packet);
    return status == LDNS_STATUS_OK;
}

std::vector<std::uint32_t> ttls_of(Bytes message, const Response& response) {
    std::vector<std::uint32_t> out;
    RecordReader records(message, response.header, response.records_at());
    while (const auto record = records.next()) {
        if (record->type != type::opt) out.push_back(record->ttl);
    }
    return out;
}

class Story {
public:
    explicit Story(std::size_t capacity) : capacity_(capacity), cache_(capacity, stale_for) {}

    void pass(Duration time) { now_ += time; }
    void clear() {
        cache_.clear();
        model_.clear();
    }
    void store(std::string_view question, std::uint16_t group, Bytes rest);
    void find(std::string_view question, std::uint16_t group, std::size_t room, bool edns);

private:
    static CacheKey key_of(std::string_view question, std::uint16_t group) {
        const Bytes octets = as_bytes(question);
        return {octets, NameKey(octets.first(octets.size() - 4), 1).hash(0) & 3, group, 1};  // with many that collide
    }
    std::list<Kept>::iterator known(std::string_view question, std::uint16_t group) {
        return std::ranges::find_if(model_, [&](const Kept& one) {
            const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
            return one.group == group && std::ranges::equal(one.question, question, same);
        });
    }

    std::size_t capacity_;
    Cache cache_;
    std::list<Kept> model_;
    SteadyTime now_{1h};
};

// @param rest  an answer but for its ID and question: flags, counts, records
void Story::store(std::string_view question, std::uint16_t group, Bytes rest) {
    if (rest.size() < 8) return;
    std::vector<std::byte> message{std::byte{0}, std::byte{7}, rest[0] | std::byte{0x80},
                                   rest[1],      std::byte{0}, std::byte{1}};
    message.insert(message.end(), rest.begin() + 2, rest.begin() + 8);
    const Bytes asked = as_bytes(question);
    message.insert(message.end(), asked.begin(), asked.end());
    message.insert(message.end(), rest.begin() + 8, rest.end());
    const auto response = read_response(message);
    if (!response) return;
    const Examined examined = examine(message, *response);
    cache_.store(key_of(question, group), message, examined, now_);
    if (!examined.lifetime || capacity_ == 0) return;
    require(!examined.malformed && *examined.lifetime > 0 && *examined.lifetime <= longest_ttl);
    const bool failure = (response->header.flags & flag::rcode) == 2;
    auto at = known(question, group);
    if (at != model_.end() && failure && !at->failure && now_ < at->expires + stale_for) return;
    if (at == model_.end()) {
        if (model_.size() == capacity_) model_.pop_back();
        at = model_.insert(model_.begin(), Kept{});
    }
    *at = {.question = question,
           .group = group,
           .ttls = ttls_of(message, *response),
           .flags = response->header.flags,
           .stored = now_,
           .expires = now_ + std::chrono::seconds(*examined.lifetime),
           .hits = 0,
           .failure = failure,
           .read_by_ldns = is_read_by_ldns(message)};
}

void Story::find(std::string_view question, std::uint16_t group, std::size_t room, bool edns) {
    const Cache::Found found = cache_.find(key_of(question, group), now_);
    const auto at = known(question, group);
    const bool held = at != model_.end() && now_ < at->expires + (at->failure ? Duration{} : stale_for);
    require(held == (found.age != Cache::Age::none));
    require(cache_.size() == model_.size());
    if (!held) return;
    ++at->hits;
    const bool stale = now_ >= at->expires;
    const bool ripe = !stale && !at->failure && at->hits >= 2 && (at->expires - now_) * 10 < at->expires - at->stored;
    require(found.age == (stale ? Cache::Age::stale : ripe ? Cache::Age::ripe : Cache::Age::fresh));

    std::array<std::byte, 70'000> out;
    const Asked asked{.id = 0xBEEF, .flags = flag::recursion_desired, .question = as_bytes(question), .edns = edns};
    const Bytes written = cache_.write(found, MutableBytes(out).first(room), asked, now_);
    require(written.size() <= room);
    if (!written.empty()) {
        const auto response = read_response(written);
        require(response && response->header.id == 0xBEEF && as_text(response->question) == question);
        require((response->header.flags & flag::rcode) == (at->flags & flag::rcode));
        std::vector<std::uint32_t> aged = at->ttls;
        const auto age = static_cast<std::uint32_t>((now_ - at->stored) / 1s);
        for (std::uint32_t& ttl : aged) ttl = stale ? Cache::stale_ttl : ttl - std::min(ttl, age);
        if (response->header.has(flag::truncated)) aged.clear();
        require(ttls_of(written, *response) == aged);
        require(!at->read_by_ldns || is_read_by_ldns(written));
    }
    model_.splice(model_.begin(), model_, at);
}

}  // namespace

// A capacity; then steps of a kind, a question and, of a store, how many octets of an answer follow.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader input(std::as_bytes(std::span(data, size)));
    Story story(input.u8().value_or(0) % 5);
    while (const auto step = input.u8()) {
        const std::uint8_t which = input.u8().value_or(0);
        const std::string_view question = questions[which % questions.size()];
        const std::uint16_t group = (which & 0x80) != 0 ? 1 : 0;
        if (*step % 8 < 4) {
            const std::uint16_t length = input.u8().value_or(0);
            story.store(question, group,
                        input.take(std::min<std::size_t>(length, input.remaining())).value_or(Bytes{}));
        } else if (*step % 8 < 6) {
            constexpr std::array<std::size_t, 4> rooms{12, 40, 512, 65535};
            story.find(question, group, rooms[*step >> 6], (*step & 0x20) != 0);
        } else if (*step % 8 == 6) {
            story.pass(std::chrono::milliseconds(1) * (1LL << (which % 28)));
        } else if (which == 0) {
            story.clear();
        }
    }
    return 0;
}
