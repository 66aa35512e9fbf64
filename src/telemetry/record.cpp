#include "telemetry/record.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <type_traits>

namespace sallyport::telemetry {

namespace {

constexpr std::string_view cut_mark = "...";

// Everything of a record that is not text, and the length of each text that follows it.
struct Head {
    WallTime time;
    Duration duration;
    std::uint64_t bytes_in, bytes_out;
    SocketAddress client;
    std::uint16_t status;
    Protocol protocol;
    Verdict verdict;
    Reason reason;
    bool tls_client, tls_target;
    std::array<std::uint16_t, record_texts.size()> lengths;
};
static_assert(std::is_trivially_copyable_v<Head>);

constexpr std::size_t most_text =
    std::accumulate(record_texts.begin(), record_texts.end(), std::size_t{0},
                    [](std::size_t sum, const RecordText& text) { return sum + text.most; });
static_assert(sizeof(Head) + most_text <= max_encoded_record);

void append_text(std::byte* at, std::string_view text, std::size_t most) {
    if (text.empty()) return;
    if (text.size() <= most) {
        std::memcpy(at, text.data(), text.size());
        return;
    }
    std::memcpy(at, text.data(), most - cut_mark.size());
    std::memcpy(at + most - cut_mark.size(), cut_mark.data(), cut_mark.size());
}

}  // namespace

Bytes encode(const Record& record, std::array<std::byte, max_encoded_record>& room) {
    Head head{.time = record.time,
              .duration = record.duration,
              .bytes_in = record.bytes_in,
              .bytes_out = record.bytes_out,
              .client = record.client,
              .status = record.status,
              .protocol = record.protocol,
              .verdict = record.verdict,
              .reason = record.reason,
              .tls_client = record.tls_client,
              .tls_target = record.tls_target,
              .lengths = {}};
    std::size_t used = sizeof(Head);
    for (std::size_t i = 0; i < record_texts.size(); ++i) {
        const std::string_view text = record.*record_texts[i].member;
        const std::size_t length = std::min<std::size_t>(text.size(), record_texts[i].most);
        append_text(room.data() + used, text, record_texts[i].most);
        head.lengths[i] = static_cast<std::uint16_t>(length);
        used += length;
    }
    std::memcpy(room.data(), &head, sizeof(Head));
    return Bytes(room).first(used);
}

Record decode(Bytes frame) {
    Head head;
    std::memcpy(&head, frame.data(), sizeof(Head));
    Record record{.time = head.time,
                  .protocol = head.protocol,
                  .listener = {},
                  .client = head.client,
                  .service = {},
                  .looked_for = {},
                  .nearest = {},
                  .target = {},
                  .tls_client = head.tls_client,
                  .tls_target = head.tls_target,
                  .verdict = head.verdict,
                  .reason = head.reason,
                  .bytes_in = head.bytes_in,
                  .bytes_out = head.bytes_out,
                  .duration = head.duration,
                  .method = {},
                  .url = {},
                  .status = head.status,
                  .detail = {}};
    std::size_t at = sizeof(Head);
    for (std::size_t i = 0; i < record_texts.size(); ++i) {
        record.*record_texts[i].member = as_text(frame.subspan(at, head.lengths[i]));
        at += head.lengths[i];
    }
    return record;
}

}  // namespace sallyport::telemetry
