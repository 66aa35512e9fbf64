// Clients that ask in any order, and two name servers that answer as they like, late or not at all, while time passes
// and the configuration changes. Whoever asks is told exactly once, in time, an answer to what he asked; at the end
// nothing is left. Ports and IDs are drawn anew in each run, so what is found here may take some runs to be seen again.
#include "base/fuzzing.hpp"
#include "dns/decide.hpp"
#include "dns/forwarder.hpp"
#include "dns/name_server_testing.hpp"
#include "io/frame_pool.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace sallyport;
using namespace sallyport::dns;
using namespace std::chrono_literals;
using fuzzing::require;

constexpr std::uint64_t seed = 7;
constexpr Duration in_time = Forwarder::whole_patience + 10ms;  // with what the timer wheel rounds up

using Manner = std::vector<std::string> (*)(const std::string& query);
constexpr std::array<Manner, 12> manners{
    [](const std::string& query) { return testing::address_for(query); },
    testing::silence,
    [](const std::string& query) { return testing::code_for(query, 2); },
    [](const std::string& query) { return testing::code_for(query, 3); },
    [](const std::string& query) { return testing::code_for(query, 5); },
    [](const std::string& query) { return testing::flags_for(query, 0x8380); },  // cut
    [](const std::string& query) { return testing::address_for(query, "0A000001"); },
    [](const std::string& query) {  // of another ID, again and again; it may be that of another question
        std::vector<std::string> out(40, testing::address_for(query).front());
        for (std::string& answer : out) answer[1] ^= 1;
        return out;
    },
    [](const std::string& query) {  // about another name, and then as it should
        std::vector<std::string> out{testing::address_for(query, "06060606").front(),
                                     testing::address_for(query).front()};
        out[0][header_size + 1] ^= 2;
        return out;
    },
    [](const std::string& query) {  // in small letters
        auto out = testing::address_for(query);
        const std::size_t end = header_size + testing::question_of(query).size() - 4;
        for (std::size_t at = header_size; at < end; ++at) {
            if (out[0][at] >= 'A') out[0][at] |= 0x20;
        }
        return out;
    },
    [](const std::string& query) { return std::vector(2, testing::address_for(query).front()); },
    [](const std::string& query) { return std::vector{testing::address_for(query).front().substr(0, 20)}; },
};

class Story {
public:
    explicit Story(io::Loop& loop) : scope_(loop), forwarder_(loop, [this] { batch_ended(); }) {
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            const auto say = [this, i](const std::string& query) { return manner_[i](query); };
            servers_[i] = std::make_unique<testing::NameServer>(scope_, say, say);
        }
        adopt(7);
    }

    io::Task<void> play(ByteReader input);

private:
    struct Client;

    io::Task<void> step(std::uint8_t what, std::uint8_t which);
    io::Task<void> pass(Duration time) {
        co_await io::Sleep(scope_.loop(), scope_.cancellation(), scope_.loop().in(time));
    }
    void adopt(std::uint8_t which);
    void ask(std::uint8_t which);
    void batch_ended() {
        if (asked_at_once_) ask(*std::exchange(asked_at_once_, {}));
    }
    static void check(Bytes answer, const Query& query);

    io::Scope scope_;
    std::array<Manner, 2> manner_{manners[0], manners[0]};
    std::array<std::unique_ptr<testing::NameServer>, 2> servers_;
    std::unique_ptr<Zones> zones_;
    std::optional<std::uint8_t> asked_at_once_;  // when the next batch of answers ends
    std::size_t waiting_ = 0;
    Forwarder forwarder_;
};

struct Story::Client final : Waiting {
    Client(Story& of, std::string query) : story(of), message(std::move(query)), began(of.scope_.loop().now()) {
        require(read_query(as_bytes(message), read) == Received::query);
        ++story.waiting_;
    }
    ~Client() override { require(told); }

    void answered(const Reply& reply) override {
        require(!std::exchange(told, true));
        require(story.scope_.loop().now() <= began + in_time);
        std::array<std::byte, udp_payload> room;
        check(reply.write(room, Asked::of(read)), read);
        --story.waiting_;
    }

    Story& story;
    std::string message;
    SteadyTime began;
    Query read;
    bool told = false;
};

void Story::check(Bytes answer, const Query& query) {
    const auto response = read_response(answer);
    require(response && response->header.id == query.header.id);
    require(std::ranges::equal(response->question, query.question));
    RecordReader records(answer, response->header, response->records_at());
    while (const auto record = records.next()) {
        if (record->type == type::a) require(*ByteReader(answer.subspan(record->rdata, 4)).u32() == 0xC0000207);
    }
}

// @param which  bits: the first name server, the second, a cache; none of the two: one that is not there
void Story::adopt(std::uint8_t which) {
    config::Config config;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        if ((which >> i & 1) == 0) continue;
        config.dns.upstream.push_back({config::parse_dns_upstream(servers_[i]->address()).value(), {}});
    }
    if (config.dns.upstream.empty()) config.dns.upstream.push_back({{*SocketAddress::parse("127.0.0.1:1")}, {}});
    config.dns.cache = (which & 4) != 0 ? 3 : 0;
    zones_ = std::make_unique<Zones>(config, seed);
    forwarder_.adopt(*zones_, nullptr);
}

// @param which  bits: two of the name, its type, EDNS, a client subnet, which is never shared
void Story::ask(std::uint8_t which) {
    constexpr std::array<std::string_view, 4> names{"a.example", "b.example", "an.alias.example", "A.EXAMPLE"};
    const bool subnet = (which & 16) != 0;
    const std::string message = testing::query({.name = names[which & 3],
                                                .type = (which & 4) != 0 ? type::aaaa : type::a,
                                                .id = which,
                                                .edns = subnet || (which & 8) != 0,
                                                .options = subnet ? testing::octets("0008 0004 0001 0000") : ""});
    Query query;
    require(read_query(as_bytes(message), query) == Received::query);
    const NameKey key(query.name(), seed);
    const IpAddress client = *IpAddress::parse("127.0.0.1");
    const Decision decision = decide(*zones_, {query.name(), query.type, class_in, client}, key, nullptr, nullptr);
    require(decision.outcome == Outcome::forward);
    std::array<std::byte, udp_payload> room;
    const Bytes now = forwarder_.answer_now(query, key, decision, room);
    if (!now.empty()) return check(now, query);
    forwarder_.ask(query, key, decision, std::make_unique<Client>(*this, message));
    forwarder_.flush();
}

io::Task<void> Story::step(std::uint8_t what, std::uint8_t which) {
    const std::size_t server = which & 1;
    switch (what % 8) {
        case 0:
        case 1: ask(which); break;
        case 2: asked_at_once_ = which; break;
        case 3: manner_[server] = manners[(which >> 1) % manners.size()]; break;
        case 4: servers_[server]->delay = (which >> 1) * 20ms; break;
        case 5: servers_[server]->hangs_up = (which & 2) != 0; break;
        case 6: adopt(which); break;
        default: co_await pass(1ms * (1LL << (which % 18)));
    }
}

// Steps of a kind and what it is about; ends while answers are awaited where there is a half step at the end.
io::Task<void> Story::play(ByteReader input) {
    std::optional<std::uint8_t> what = input.u8(), which = input.u8();
    for (; what && which; what = input.u8(), which = input.u8()) co_await step(*what, *which);
    asked_at_once_.reset();
    if (!what) {
        co_await pass(in_time);
        require(waiting_ == 0);
    }
    co_await forwarder_.close();
    require(waiting_ == 0);
    scope_.cancel();
    co_await scope_.join();
}

void tell(ByteReader input) {
    const auto loop = *io::Loop::create({.virtual_time = true});
    Story story(*loop);
    io::Scope scope(*loop);
    scope.spawn(story.play(input));
    loop->run();
    require(scope.running() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::size_t frames = io::FramePool::live();
    tell(ByteReader(as_bytes(std::span(data, std::min<std::size_t>(size, 128)))));
    require(io::FramePool::live() == frames);
    return 0;
}
