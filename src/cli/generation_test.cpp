#include "cli/generation.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::cli;

// Whatever connects by TLS, traffic or a check, finds what to do so by.
TEST(Generation, HasATlsClientForEachServiceThatNeedsOne) {
    struct Case {
        const char* settings;
        bool tls;
    };
    const Case cases[] = {
        {"protocol = \"http\"\nplain_port = 80", false},
        {"protocol = \"http\"\nplain_port = 80\nhealth = \"http /\"", false},
        {"protocol = \"http\"\ntls_port = 443", true},
        {"protocol = \"http\"\nplain_port = 80\ntls_port = 443\nhealth = \"tcp\"", true},
        {"protocol = \"tls\"\ntls_port = 443", false},
        {"protocol = \"tls\"\ntls_port = 443\nhealth = \"tcp\"", false},
        {"protocol = \"tls\"\ntls_port = 443\nhealth = \"tls\"", true},
        {"protocol = \"tls\"\ntls_port = 443\nhealth = \"http /\"", true},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.settings);
        const std::string text =
            "[[service]]\nname = \"a.example.com\"\ntarget = [\"10.0.0.1\"]\n" + std::string(c.settings) + "\n";
        const auto loaded = config::load_text("test.toml", text, preset_names());
        for (const auto& error : loaded.errors) ADD_FAILURE() << to_text(error, "error");
        const Built built =
            build_generation(loaded, {.loops = 1, .ticket_keys = nullptr, .release = nullptr, .now = {}, .dry = true});
        ASSERT_NE(built.generation, nullptr);
        EXPECT_EQ(built.generation->control->tls_clients.at(0) != nullptr, c.tls);
        EXPECT_EQ(built.generation->loops.at(0)->tls_clients.at(0) != nullptr, c.tls);
    }
}
