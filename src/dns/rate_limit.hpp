// How many answers a client network gets a second by UDP. Who forges the sender of a question turns us against whoever
// has that address: past the limit every second answer is cut (TC), so that a real client comes by TCP, and the others
// are not sent. A fixed table; networks that meet in a place share it.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sallyport::dns {

class RateLimit {
public:
    enum class Verdict : std::uint8_t { send, cut, drop };

    /// @param seed  of the places in the table, or somebody could choose whom to share with
    explicit RateLimit(std::uint64_t seed) : seed_(seed) {}

    /// One answer more to this client.
    /// @param a_second  that its network (IPv4: /24, IPv6: /56) may have; 0: any number
    Verdict take(const IpAddress& client, std::uint32_t a_second, SteadyTime now) {
        if (a_second == 0) return Verdict::send;
        Place& place = places_[index_of(client)];
        const Duration passed = now - place.since;
        if (passed >= std::chrono::seconds(1) || passed < Duration{}) place = {.since = now};
        if (place.taken < a_second) {
            ++place.taken;
            return Verdict::send;
        }
        return ++place.beyond % 2 == 0 ? Verdict::drop : Verdict::cut;
    }

private:
    static constexpr std::size_t places = 4096;
    struct Place {
        SteadyTime since{};
        std::uint32_t taken = 0;
        std::uint32_t beyond = 0;
    };

    std::size_t index_of(const IpAddress& client) const {
        const Network network(client, client.is_v4() ? 24 : 56);
        std::uint64_t halves[2];
        std::memcpy(halves, network.address().bytes().data(), sizeof halves);
        std::uint64_t mixed = (halves[0] ^ std::rotl(halves[1], 32) ^ seed_) * 0x9E3779B97F4A7C15ULL;
        mixed = (mixed ^ (mixed >> 29) ^ std::rotl(seed_, 17)) * 0xBF58476D1CE4E5B9ULL;
        return (mixed >> 32) % places;
    }

    std::uint64_t seed_;
    std::array<Place, places> places_{};
};

}  // namespace sallyport::dns
