#include "gate/h323/judge.hpp"

#include "wire/h323/call.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::gate::h323 {
namespace {

using namespace sallyport::h323;
using guard::Sign;

std::string name(std::optional<Sign> sign) { return sign ? std::string(guard::name(*sign)) : "-"; }

std::string of_reject(std::uint8_t kind, std::uint8_t reason, bool redirects = false) {
    RasMessage ras;
    ras.kind = kind;
    ras.reject_reason = reason;
    if (redirects) ras.alternates.emplace_back();
    return name(sign_of_reject(ras));
}

TEST(H323Judge, KnowsTheRejectsThatOnlyAStrangerGets) {
    const char* const registrations[] = {
        "-",  // discoveryRequired
        "-",
        "-",
        "-",  // invalidRevision, invalidCallSignalAddress, invalidRASAddress
        "doubtful",  // duplicateAlias
        "-",  // invalidTerminalType
        "probing",  // undefinedReason
        "-",
        "-",
        "-",  // transportNotSupported, transportQOSNotSupported, resourceUnavailable
        "probing",  // invalidAlias
        "wrong_credentials",  // securityDenial
        "-",
        "-",  // fullRegistrationRequired, additiveRegistrationNotSupported
        "probing",
        "probing",  // invalidTerminalAliases, genericDataReason
        "-",  // neededFeatureNotSupported
        "wrong_credentials",  // securityError
        "-",
        "-", // registerWithAssignedGK, what comes after it
    };
    const char* const gatekeepers[] = {
        "-",  // resourceUnavailable
        "probing",  // terminalExcluded
        "-",  // invalidRevision
        "probing",  // undefinedReason
        "wrong_credentials",  // securityDenial
        "-",
        "-",  // genericDataReason, neededFeatureNotSupported
        "wrong_credentials",  // securityError
        "-",
    };
    std::uint8_t reason = 0;
    for (const char* expected : registrations) {
        EXPECT_EQ(of_reject(ras::registration_reject, reason), expected) << int{reason};
        EXPECT_EQ(of_reject(ras::registration_reject, reason++, true), "-") << "a redirect";
    }
    reason = 0;
    for (const char* expected : gatekeepers) {
        EXPECT_EQ(of_reject(ras::gatekeeper_reject, reason), expected) << int{reason};
        EXPECT_EQ(of_reject(ras::gatekeeper_reject, reason++, true), "-") << "a redirect";
    }
}

TEST(H323Judge, KnowsTheReleasesThatDialScannersGet) {
    for (int cause = 0; cause < 128; ++cause) {
        const bool suspicious = cause == 1 || cause == 3 || cause == 20 || cause == 21;
        EXPECT_EQ(sign_of_release(static_cast<std::uint8_t>(cause), {}).has_value(), suspicious) << cause;
    }
    for (int reason = 0; reason < 30; ++reason) {
        const bool suspicious = reason == 5 || (reason >= 13 && reason <= 15) || reason == 23;
        EXPECT_EQ(sign_of_release({}, static_cast<std::uint8_t>(reason)).has_value(), suspicious) << reason;
    }
    EXPECT_FALSE(sign_of_release({}, {}));
}

TEST(H323Judge, CountsSilenceOnlyWhileTheTargetTalksToOthers) {
    using namespace std::chrono_literals;
    constexpr SteadyTime asked{1000s};
    struct Case {
        std::string name;
        std::optional<SteadyTime> spoke;  // to whomever
        SteadyTime now;
        bool closed;
        std::string sign;
    };
    const Case cases[] = {
        {"it has answered another since", asked + 1s, asked + 10s, false, "doubtful"},
        {"the client did not wait", asked + 1s, asked + 9s, false, "-"},
        {"it has been silent to all", asked - 1s, asked + 10s, false, "-"},
        {"it has never answered", {}, asked + 10s, false, "-"},
        {"it closes, and spoke a minute ago", asked - 60s, asked, true, "doubtful"},
        {"it closes, and has not spoken for long", asked - 61s, asked, true, "-"},
        {"it closes on everybody", {}, asked, true, "-"},
    };
    for (const Case& c : cases) {
        TargetState target;
        if (c.spoke) target.spoke(*c.spoke);
        EXPECT_EQ(name(sign_of_silence(target, asked, c.now, c.closed)), c.sign) << c.name;
        target.not_connected(telemetry::Reason::target_refused, {});
        EXPECT_EQ(name(sign_of_silence(target, asked, c.now, c.closed)), "-") << c.name << ", in an outage";
    }
}

class Story {
public:
    Story& request(std::uint16_t number) {
        judge_.asked(ras(ras::registration_request, number));
        return *this;
    }
    Story& setup(std::string_view reference) {
        judge_.asked(call(q931::setup, reference));
        return *this;
    }
    std::string confirm(std::uint16_t number) { return name(judge_.answered(ras(ras::registration_confirm, number))); }
    std::string reject(std::uint16_t number) {
        Heard heard = ras(ras::registration_reject, number);
        heard.ras[0].reject_reason = registration_reject_reason::security_denial;
        return name(judge_.answered(heard));
    }
    std::string tells(std::uint8_t type, std::string_view reference, std::uint8_t cause = 20) {
        Heard heard = call(type, reference);
        heard.q931.cause = cause;
        return name(judge_.answered(heard));
    }
    std::string undefined(std::string_view reference) {
        Heard heard = call(q931::release_complete, reference);
        heard.information = UserInformation{};
        heard.information->release_reason = release_complete_reason::undefined_reason;
        return name(judge_.answered(heard));
    }

private:
    static Heard ras(std::uint8_t kind, std::uint16_t number) {
        Heard heard;
        heard.ras.emplace_back();
        heard.ras[0].kind = kind;
        heard.ras[0].request_seq_num = number;
        return heard;
    }
    static Heard call(std::uint8_t type, std::string_view reference) {
        Heard heard;
        heard.q931.type = type;
        heard.q931.call_reference = as_bytes(reference);
        return heard;
    }

    Judge judge_;
};

TEST(H323Judge, CountsARejectOnceForEachRequest) {
    Story story;
    EXPECT_EQ(story.reject(1), "-") << "nobody asked";
    EXPECT_EQ(story.request(1).request(1).reject(1), "wrong_credentials");
    EXPECT_EQ(story.reject(1), "-") << "the answer to the same request sent twice";
    EXPECT_EQ(story.request(2).confirm(2), "-");
    EXPECT_EQ(story.reject(2), "-") << "it was answered";
    for (std::uint16_t number = 10; number < 30; ++number) story.request(number);
    EXPECT_EQ(story.reject(10), "-") << "too long ago";
    EXPECT_EQ(story.reject(29), "wrong_credentials");
}

TEST(H323Judge, CountsTheFirstAnswerToACall) {
    const std::string asked("\x12\x67", 2);
    const std::string answer("\x92\x67", 2);
    EXPECT_EQ(Story().setup(asked).tells(q931::release_complete, answer), "probing");
    EXPECT_EQ(Story().setup(asked).tells(q931::release_complete, asked), "-") << "the target's own call";
    EXPECT_EQ(Story().tells(q931::release_complete, answer), "-") << "no call of the client's";
    for (const std::uint8_t type : {q931::alerting, q931::connect}) {
        Story story;
        EXPECT_EQ(story.setup(asked).tells(type, answer), "-");
        EXPECT_EQ(story.tells(q931::release_complete, answer), "-") << "it rang";
    }
    Story proceeding;
    EXPECT_EQ(proceeding.setup(asked).tells(q931::call_proceeding, answer), "-");
    EXPECT_EQ(proceeding.tells(q931::release_complete, answer), "probing");
    EXPECT_EQ(Story().setup(asked).tells(q931::release_complete, answer, 16), "-") << "normal clearing";
}

TEST(H323Judge, CountsWhatTheTargetCouldNotRead) {
    EXPECT_EQ(Story().undefined(std::string(2, '\0')), "probing");
    EXPECT_EQ(Story().undefined(std::string("\x92\x67", 2)), "-");
}

}  // namespace
}  // namespace sallyport::gate::h323
