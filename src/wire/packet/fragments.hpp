// Puts datagrams together again that came in fragments (RFC 791 section 3.2, RFC 8200 section 4.5), in bounded memory.
//
// Hosts disagree on fragments that overlap, and attackers live on that: such a datagram is given up and counted, as
// RFC 5722 wants it. The same fragment twice is no overlap.
#pragma once

#include "wire/packet/packet.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace sallyport::packet {

inline constexpr std::size_t max_waiting = 256;  // datagrams that are not whole yet
inline constexpr std::size_t max_pieces = 64;  // fragments of one: more than Ethernet needs for the largest
inline constexpr std::size_t max_datagram = 65'535;  // bytes
inline constexpr std::int64_t fragment_patience = 30'000'000'000;  // nanoseconds from its first fragment

class Fragments {
public:
    /// A packet, when and as which it was captured.
    struct Given {
        Packet packet;  // views into memory that holds until the next call
        std::int64_t time = 0;  // nanoseconds
        std::uint64_t number = 0;
    };

    /// Takes a fragment that was captured whole. Answers the datagram that it completes, with the time and number of
    /// this last fragment.
    std::optional<Given> add(const Packet& fragment, std::int64_t time, std::uint64_t number);

    /// One that was given up by now: the first fragment of it alone, as it came. To be asked until there is none.
    /// @param now  INT64_MAX at the end: nothing more will come.
    std::optional<Given> give_up(std::int64_t now);

    std::uint64_t overlapping() const { return overlapping_; }  // datagrams with fragments that contradict each other
    std::uint64_t incomplete() const { return incomplete_; }  // datagrams that were given up for another reason
    std::uint64_t completed() const { return completed_; }

private:
    struct Piece {
        std::uint32_t begin = 0, end = 0;  // bytes of the datagram
    };
    struct Datagram {
        Packet head{};  // of the first fragment, where it is here; else of any
        bool has_first = false;
        bool refused = false;  // what comes of it is swallowed
        std::int64_t first_time = 0, begun = 0;  // of the first fragment; of the one that came first
        std::uint64_t first_number = 0;
        std::uint32_t length = 0;  // of the whole; 0: the last fragment is not here
        std::vector<Piece> pieces{};
        std::vector<std::byte> bytes{};
    };
    enum class Fit : std::uint8_t { adds, repeats, contradicts };

    static bool same_datagram(const Packet& a, const Packet& b);
    static Fit fit(const Datagram& datagram, const Piece& piece, const Fragment& part);
    static void put(Datagram& datagram, const Piece& piece, const Packet& fragment);
    static bool is_whole(const Datagram& datagram);
    std::optional<Given> complete(std::deque<Datagram>::iterator at, std::int64_t time, std::uint64_t number);

    std::deque<Datagram> waiting_;  // the oldest first
    std::vector<std::byte> given_;  // what the last answer views
    std::uint64_t overlapping_ = 0, incomplete_ = 0, completed_ = 0;
};

}  // namespace sallyport::packet
