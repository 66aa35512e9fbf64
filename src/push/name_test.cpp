#include "push/name.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::push;

namespace {

std::string say(std::string_view name) {
    const auto courier = courier_of(name);
    return courier ? courier->host() : "-";
}

}  // namespace

TEST(Courier, IsToldByItsWholeNameAlone) {
    const std::pair<const char*, const char*> cases[] = {
        {"7-courier.push.apple.com", "7-courier.push.apple.com"},
        {"7-courier.push.apple.com.", "7-courier.push.apple.com"},
        {"50-COURIER.Push.Apple.COM", "50-courier.push.apple.com"},
        {"0-courier.push.apple.com", "0-courier.push.apple.com"},
        {"255-courier.push.apple.com", "255-courier.push.apple.com"},
        {"256-courier.push.apple.com", "256-courier.push.apple.com"},
        {"18-courier2.push.apple.com", "18-courier2.push.apple.com"},
        {"1-courier.sandbox.push.apple.com", "1-courier.sandbox.push.apple.com"},
        {"1000-courier.push.apple.com", "-"},
        {"07-courier.push.apple.com", "-"},
        {"-courier.push.apple.com", "-"},
        {"+7-courier.push.apple.com", "-"},
        {"x-courier.push.apple.com", "-"},
        {"courier.push.apple.com", "-"},
        {"windows.courier.push.apple.com", "-"},
        {"7-courier3.push.apple.com", "-"},
        {"7-xcourier.push.apple.com", "-"},
        {"7-courier.push.apple.com.evil", "-"},
        {"xcourier.push.apple.com.evil", "-"},
        {"7-courierpush.apple.com", "-"},
        {"a.7-courier.push.apple.com", "-"},
        {"push.apple.com", "-"},
        {"api.push.apple.com", "-"},
        {"", "-"},
        {".", "-"},
    };
    for (const auto& [name, answer] : cases) EXPECT_EQ(say(name), answer) << name;
}

TEST(Family, IsWhatAClientHelloNames) {
    EXPECT_EQ(family_of("courier.push.apple.com"), PushFamily::courier);
    EXPECT_EQ(family_of("courier2.push.apple.com"), PushFamily::courier2);
    EXPECT_EQ(family_of("courier.sandbox.push.apple.com"), PushFamily::courier_sandbox);
    EXPECT_EQ(family_of("7-courier2.push.apple.com"), PushFamily::courier2);
    for (const char* none : {"push.apple.com", "api.push.apple.com", "courier.push.apple.com.evil", "apple.com", ""})
        EXPECT_FALSE(family_of(none)) << none;
}

TEST(Provider, IsOneOfAListAlone) {
    EXPECT_EQ(provider_of("API.push.apple.com."), Provider::api);
    EXPECT_EQ(provider_of("feedback.sandbox.push.apple.com"), Provider::feedback_sandbox);
    EXPECT_EQ(host_of(Provider::api_development), "api.development.push.apple.com");
    for (const char* none :
         {"init.push.apple.com", "push.apple.com", "x.api.push.apple.com", "7-courier.push.apple.com"})
        EXPECT_FALSE(provider_of(none)) << none;
}

TEST(UnknownCourier, IsOneThatLooksLikeAnother) {
    EXPECT_TRUE(is_unknown_courier("7-courier3.push.apple.com"));
    EXPECT_TRUE(is_unknown_courier("windows.courier.push.apple.com"));
    for (const char* known :
         {"7-courier.push.apple.com", "courier.push.apple.com", "api.push.apple.com", "courier.example"})
        EXPECT_FALSE(is_unknown_courier(known)) << known;
}
