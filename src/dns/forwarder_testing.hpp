// For tests of this room: a forwarder with a client that asks it, in virtual time.
#pragma once

#include "dns/forwarder.hpp"
#include "dns/name_server_testing.hpp"
#include "dns/testing.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::dns::testing {

/// A forwarder with some upstreams, and a client that asks it.
class Bench {
public:
    Bench(io::Scope& scope, std::initializer_list<std::string> upstreams, std::uint32_t cache = 100)
        : forwarder(scope.loop(),
                    [this] {
                        if (answers.empty() || !after_batch) return;
                        std::exchange(after_batch, {})();
                    }),
          scope_(scope) {
        for (const std::string& upstream : upstreams)
            config.dns.upstream.push_back({config::parse_dns_upstream(upstream).value(), {}});
        config.dns.cache = cache;
        adopt();
    }
    void adopt() {
        zones_.emplace(config, seed);
        forwarder.adopt(*zones_, nullptr);
    }

    /// Asks as a server does: what can be answered now is, everything else waits.
    void ask(const QueryText& text) {
        const std::string message = query(text);
        Query read;
        ASSERT_EQ(read_query(as_bytes(message), read), Received::query);
        const NameKey key(read.name(), seed);
        const Decision decision =
            decide(*zones_, {read.name(), read.type, class_in, *IpAddress::parse("127.0.0.1")}, key, nullptr, nullptr);
        ASSERT_EQ(decision.outcome, Outcome::forward);
        std::array<std::byte, 1232> room;
        const Bytes now = forwarder.answer_now(read, key, decision, room);
        if (!now.empty())
            answers.emplace_back(as_text(now));
        else
            forwarder.ask(read, key, decision, std::make_unique<Told>(*this, message));
        forwarder.flush();
    }
    io::Task<void> wait(Duration time) {
        co_await io::Sleep(scope_.loop(), scope_.cancellation(), scope_.loop().in(time));
    }

    /// What the answers said, oldest first: codes, and the first record's rdata.
    std::string told() {
        std::string out;
        for (const std::string& answer : std::exchange(answers, {})) {
            const auto response = read_response(as_bytes(answer));
            EXPECT_TRUE(response);
            out += (out.empty() ? "" : " ") + rcode_name(response->header.flags & flag::rcode);
            if (response->header.has(flag::truncated)) out += " cut";
            RecordReader records(as_bytes(answer), response->header, response->records_at());
            const auto record = records.next();
            if (record && record->section == Record::Section::answer && record->type == type::a)
                out += '=' + IpAddress::v4(*ByteReader(as_bytes(answer).subspan(record->rdata, 4)).u32()).to_string();
        }
        return out;
    }

    config::Config config;
    std::function<void()> after_batch;  // called once, when a batch has brought answers
    Forwarder forwarder;
    std::vector<std::string> answers;

private:
    struct Told final : Waiting {
        Told(Bench& of, std::string query) : bench(of), message(std::move(query)) {
            EXPECT_EQ(read_query(as_bytes(message), read), Received::query);
        }
        void answered(const Reply& reply) override {
            std::array<std::byte, 1232> room;
            bench.answers.emplace_back(as_text(reply.write(room, Asked::of(read))));
        }
        Bench& bench;
        std::string message;
        Query read;
    };

    io::Scope& scope_;
    std::optional<Zones> zones_;
};

/// Runs a test's story with servers in a scope of their own, and ends them all.
template <class Story>
void tell_story(Story story) {
    io::testing::VirtualLoop loop;
    loop.run([](io::Loop& on, Story told) -> io::Task<void> {
        io::Scope scope(on);
        co_await told(scope);
        scope.cancel();
        co_await scope.join();
    }(*loop, story));
}

}  // namespace sallyport::dns::testing
