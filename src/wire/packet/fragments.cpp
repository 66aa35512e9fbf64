#include "wire/packet/fragments.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sallyport::packet {

bool Fragments::same_datagram(const Packet& a, const Packet& b) {
    if (a.identification != b.identification || a.source != b.source || a.destination != b.destination) return false;
    return !a.source.is_v4() || a.part.protocol == b.part.protocol;  // of IPv6 the number alone tells
}

Fragments::Fit Fragments::fit(const Datagram& datagram, const Piece& piece, const Fragment& part) {
    for (const Piece& other : datagram.pieces) {
        if (other.begin >= piece.end || piece.begin >= other.end) continue;
        const bool same = other.begin == piece.begin && other.end == piece.end &&
                          std::memcmp(datagram.bytes.data() + piece.begin, part.bytes.data(), part.bytes.size()) == 0;
        return same ? Fit::repeats : Fit::contradicts;
    }
    const bool beyond = datagram.length != 0 && piece.end > datagram.length;
    const bool another_end =
        !part.more && (datagram.length != 0 ||
                       std::ranges::any_of(datagram.pieces, [&](const Piece& other) { return other.end > piece.end; }));
    return beyond || another_end ? Fit::contradicts : Fit::adds;
}

void Fragments::put(Datagram& datagram, const Piece& piece, const Packet& fragment) {
    datagram.pieces.push_back(piece);
    if (datagram.bytes.size() < piece.end) datagram.bytes.resize(piece.end);
    std::ranges::copy(fragment.part.bytes, datagram.bytes.begin() + piece.begin);
    if (!fragment.part.more) datagram.length = piece.end;
}

// The pieces do not overlap: as many bytes as it has are all of them.
bool Fragments::is_whole(const Datagram& datagram) {
    std::uint32_t sum = 0;
    for (const Piece& piece : datagram.pieces) sum += piece.end - piece.begin;
    return datagram.length != 0 && sum == datagram.length;
}

std::optional<Fragments::Given> Fragments::complete(std::deque<Datagram>::iterator at, std::int64_t time,
                                                    std::uint64_t number) {
    Given out{.packet = at->head, .time = time, .number = number};
    given_ = std::move(at->bytes);
    waiting_.erase(at);
    if (!read_whole(given_, out.packet)) return std::nullopt;
    ++completed_;
    return out;
}

std::optional<Fragments::Given> Fragments::add(const Packet& fragment, std::int64_t time, std::uint64_t number) {
    const Piece piece{.begin = fragment.part.offset, .end = fragment.part.offset + fragment.part.length};
    auto at = std::ranges::find_if(waiting_, [&](const Datagram& one) { return same_datagram(one.head, fragment); });
    if (at == waiting_.end()) {
        waiting_.push_back({.head = fragment, .begun = time});
        at = waiting_.end() - 1;
    }
    if (at->refused) return std::nullopt;
    // Only the last part may have a length that is no multiple of eight, and none is empty.
    const bool sound = piece.end > piece.begin && fragment.part.bytes.size() == fragment.part.length &&
                       piece.end <= max_datagram && (!fragment.part.more || fragment.part.length % 8 == 0) &&
                       at->pieces.size() < max_pieces;
    const Fit how = sound ? fit(*at, piece, fragment.part) : Fit::contradicts;
    if (how == Fit::contradicts) {
        ++(sound ? overlapping_ : incomplete_);
        *at = {.head = fragment, .refused = true, .begun = at->begun};
        at->head.payload = at->head.part.bytes = {};
        return std::nullopt;
    }
    if (how == Fit::repeats) return std::nullopt;
    if (piece.begin == 0) {
        at->head = fragment;
        at->has_first = true;
        at->first_time = time;
        at->first_number = number;
    }
    put(*at, piece, fragment);
    at->head.payload = at->head.part.bytes = {};  // the frame ends with this call
    if (is_whole(*at)) return complete(at, time, number);
    return std::nullopt;
}

std::optional<Fragments::Given> Fragments::give_up(std::int64_t now) {
    while (!waiting_.empty()) {
        Datagram& oldest = waiting_.front();
        const bool ended = now == INT64_MAX || now - oldest.begun > fragment_patience;
        if (!ended && waiting_.size() <= max_waiting) return std::nullopt;
        if (!oldest.refused) ++incomplete_;
        Given out{.packet = oldest.head, .time = oldest.first_time, .number = oldest.first_number};
        const bool has_first = oldest.has_first;
        const std::size_t length = std::min<std::size_t>(oldest.head.part.length, oldest.bytes.size());
        given_ = std::move(oldest.bytes);
        waiting_.pop_front();
        if (has_first && read_whole(Bytes(given_).first(length), out.packet)) return out;
    }
    return std::nullopt;
}

}  // namespace sallyport::packet
