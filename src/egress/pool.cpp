#include "egress/pool.hpp"

#include "base/bytes.hpp"
#include "base/nth_address.hpp"
#include "crypto/hash.hpp"

#include <algorithm>

namespace sallyport::egress {

namespace {

std::size_t size_of_one(const Network& network) {
    const unsigned host_bits = 128 - network.mapped_bits();
    constexpr unsigned enough = 16;
    return std::size_t{1} << std::min(host_bits, enough);
}

}  // namespace

Pool::Pool(std::span<const Network> networks, std::string_view seed) : seed_(seed) {
    for (const Network& network : networks) {
        const std::size_t size = size_of_one(network);
        for (std::size_t i = 0; i < size && addresses_.size() < most_members; ++i) {
            const IpAddress address = nth_after(network.address(), i);
            if (!addresses_.insert(address).second) continue;
            members_[static_cast<std::size_t>(family_of(address))].push_back({address, hash_of(address.to_string())});
        }
    }
}

std::size_t Pool::size_of(std::span<const Network> networks) {
    std::size_t sum = 0;
    for (const Network& network : networks) sum = std::min(sum + size_of_one(network), most_members + 1);
    return sum;
}

// Keyed, so that nobody outside can reckon who shares an address with whom.
std::uint64_t Pool::hash_of(std::string_view text) const {
    const crypto::Sha256 hash = crypto::hmac_sha256(as_bytes(seed_), as_bytes(text));
    return *ByteReader(hash).u64();
}

// The finalizer of SplitMix64: each bit of the sum depends on each of the input.
std::uint64_t Pool::mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31);
}

}  // namespace sallyport::egress
