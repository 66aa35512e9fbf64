// The first bytes of H.323 among those of others: a keep-alive, or a TPKT with a message of Q.931.
#include "gate/h323/h323_dialect.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/tpkt.hpp"

namespace sallyport::gate::h323 {

Recognized recognize(Bytes first) {
    using namespace sallyport::h323;
    const auto tpkt = read_tpkt(first);
    if (!tpkt) return Recognized::no;
    if (!*tpkt) return Recognized::maybe;
    if ((*tpkt)->keep_alive()) return Recognized::yes;
    if (first.size() <= tpkt_header) return Recognized::maybe;
    return std::to_integer<std::uint8_t>(first[tpkt_header]) == q931_discriminator ? Recognized::yes : Recognized::no;
}

}  // namespace sallyport::gate::h323
