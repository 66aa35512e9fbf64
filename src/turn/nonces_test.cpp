#include "turn/nonces.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::turn {
namespace {

const SocketAddress client = *SocketAddress::parse("192.0.2.1:5000");
const WallTime now{std::chrono::seconds(1'800'000'000)};

std::string made_by(const Nonces& nonces) {
    const auto text = nonces.make(client, now);
    return {text.data(), text.size()};
}

TEST(Nonces, AreValidForAnHourAndForTheirClientAlone) {
    const Nonces nonces;
    const std::string nonce = made_by(nonces);
    EXPECT_TRUE(nonces.is_valid(nonce, client, now));
    EXPECT_TRUE(nonces.is_valid(nonce, client, now + Nonces::lifetime));
    EXPECT_FALSE(nonces.is_valid(nonce, client, now + Nonces::lifetime + std::chrono::seconds(1)));
    EXPECT_FALSE(nonces.is_valid(nonce, client, now - std::chrono::seconds(1)));  // from the future
    EXPECT_FALSE(nonces.is_valid(nonce, *SocketAddress::parse("192.0.2.1:5001"), now));
    EXPECT_FALSE(nonces.is_valid(nonce, *SocketAddress::parse("192.0.2.2:5000"), now));
    EXPECT_FALSE(Nonces().is_valid(nonce, client, now));  // of another run
}

TEST(Nonces, AreSpoiltByEveryChangedCharacter) {
    const Nonces nonces;
    const std::string nonce = made_by(nonces);
    for (std::size_t i = 0; i < nonce.size(); ++i) {
        std::string changed = nonce;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_FALSE(nonces.is_valid(changed, client, now)) << i;
        EXPECT_FALSE(nonces.is_valid(nonce.substr(0, i), client, now)) << i;
    }
    EXPECT_FALSE(nonces.is_valid(nonce + "0", client, now));
}

TEST(Nonces, SayThatPasswordAlgorithmsAndUserHashesAreUnderstood) {
    const std::string nonce = made_by(Nonces());
    EXPECT_TRUE(nonce.starts_with("obMatJos2AAAD"));
    EXPECT_LT(nonce.size(), 128U);
    EXPECT_TRUE(Nonces::offers_algorithms(nonce));
    EXPECT_FALSE(Nonces::offers_algorithms("f//499k954d6OL34oL9FSTvy64sA"));
    EXPECT_FALSE(Nonces::offers_algorithms("obMatJos2AAA"));
}

}  // namespace
}  // namespace sallyport::turn
