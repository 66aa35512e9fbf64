#include "listeners/listeners.hpp"

#include "io/testing.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace sallyport::listeners;
using config::ListenAddress;
using io::testing::LeakCheck;
using io::testing::open_descriptors;

namespace {

// A data loop on its own thread, whose answer to each connection is "<loop> <owner> tls kind", and then the end.
class DataLoop {
public:
    explicit DataLoop(int number) : number_(number) {}
    ~DataLoop() {
        loop->post([this] { scope_.spawn(end()); });
        thread_.join();
    }
    DataLoop(const DataLoop&) = delete;
    DataLoop& operator=(const DataLoop&) = delete;

    LoopPort port() { return {*loop, listeners}; }

    /// Waits until all that was posted before has taken its effect.
    void settle() {
        for (int i = 0; i < 2; ++i) {  // what was woken by posts of one turn runs before the posts of the next
            std::promise<void> turn;
            loop->post([&turn] { turn.set_value(); });
            turn.get_future().wait();
        }
    }

private:
    void answer(const Listener& listener, const Accepted& accepted) const {
        const std::string text = std::to_string(number_) + ' ' + listener.owner + (listener.tls ? " tls " : " plain ") +
                                 std::to_string(listener.kind);
        ::send(accepted.fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
    Task<void> end() {
        co_await listeners.close_all();
        loop->stop();
    }

    int number_;
    std::unique_ptr<Loop> loop = *Loop::create();
    LoopListeners listeners{
        *loop, {.accepted = [this](const ListenerHandle& on, Accepted&& accepted) { answer(*on, accepted); }}};
    Scope scope_{*loop};
    std::thread thread_{[this] { loop->run(); }};
};

ListenAddress at(const char* ip, std::uint16_t port = 0) { return {{*IpAddress::parse(ip), port}, false}; }
ListenAddress dual_stack(std::uint16_t port = 0) { return {{IpAddress(), port}, true}; }

// A client's socket, blocking; when it can't connect, errno says why.
Fd client_of(const char* ip, std::uint16_t port) {
    const SocketAddress to{*IpAddress::parse(ip), port};
    sockaddr_storage storage;
    const unsigned size = to.to_sockaddr(storage);
    Fd fd(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0 ? std::move(fd) : Fd();
}

// What the gateway says to a client, or why it can't be reached.
std::string call(const char* ip, std::uint16_t port) {
    const Fd client = client_of(ip, port);
    if (!client) return std::strerror(errno);
    char room[100];
    std::string out;
    ssize_t got = 0;
    while ((got = ::recv(client.get(), room, sizeof room, 0)) > 0) out.append(room, static_cast<std::size_t>(got));
    return out;
}

std::string addresses(const Listeners& listeners) {
    std::string out;
    for (const Bound& bound : listeners.bound()) out += bound.owner + ' ' + bound.address + ';';
    return out;
}

std::uint16_t free_port() { return local_address(listen_tcp({*IpAddress::parse("127.0.0.1"), 0}, {})->get()).port; }

const bool has_v6 = listen_tcp({*IpAddress::parse("::1"), 0}, {}).has_value();

}  // namespace

TEST(Listeners, AreAddedRetaggedAndRemovedByDifference) {
    const LeakCheck leaks;
    DataLoop loop(0);
    Listeners listeners({loop.port()});
    const Claim a{at("127.0.0.1"), "a"};
    const Claim b{at("127.0.0.2"), "b", true, 7};
    ASSERT_TRUE(listeners.apply({a, b}));
    const std::uint16_t port_a = listeners.bound().at(0).port;
    const std::uint16_t port_b = listeners.bound().at(1).port;
    EXPECT_EQ(call("127.0.0.1", port_a), "0 a plain 0");
    EXPECT_EQ(call("127.0.0.2", port_b), "0 b tls 7");

    const Claim renamed{b.address, "b2", false, 8};
    const Claim c{at("127.0.0.3"), "c"};
    ASSERT_TRUE(listeners.apply({c, renamed}));
    loop.settle();
    EXPECT_EQ(call("127.0.0.1", port_a), "Connection refused");
    EXPECT_EQ(call("127.0.0.2", port_b), "0 b2 plain 8") << "the same socket, for port 0 would have got another port";
    EXPECT_EQ(call("127.0.0.3", listeners.bound().at(1).port), "0 c plain 0");
    EXPECT_EQ(addresses(listeners), "b2 127.0.0.2:" + std::to_string(port_b) +
                                        ";c 127.0.0.3:" + std::to_string(listeners.bound().at(1).port) + ';');

    ASSERT_TRUE(listeners.apply({}));
    EXPECT_TRUE(listeners.bound().empty());
}

TEST(Listeners, ABadAddressChangesNothingAndEachIsNamed) {
    DataLoop loop(0);
    Listeners listeners({loop.port()});
    const Claim good{at("127.0.0.1"), "good"};
    ASSERT_TRUE(listeners.apply({good}));
    const std::string before = addresses(listeners);
    const std::size_t descriptors = open_descriptors();

    const Fd other = *listen_tcp({*IpAddress::parse("127.0.0.1"), 0}, {.reuse_port = true});
    const std::uint16_t taken = local_address(other.get()).port;
    bool handed_over = false;
    const auto applied = listeners.apply({Claim{at("127.0.0.4"), "new"}, Claim{at("127.0.0.1", taken), "taken"},
                                          Claim{at("192.0.2.1"), "foreign"}, Claim{at("127.0.0.4"), "twice"}},
                                         [&] { handed_over = true; });
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().message, "taken: can't listen on 127.0.0.1:" + std::to_string(taken) +
                                           ": another program holds it (ss -ltnp shows which)\n"
                                           "foreign: can't listen on 192.0.2.1:0: this machine has no such address\n"
                                           "twice: 127.0.0.4:0 is claimed by new already");
    EXPECT_FALSE(handed_over);
    EXPECT_EQ(addresses(listeners), before);
    EXPECT_EQ(open_descriptors(), descriptors + 1);
    EXPECT_EQ(call("127.0.0.1", listeners.bound().at(0).port), "0 good plain 0");
}

TEST(Listeners, WhatIsPostedBeforeTheHandOverArrivesBeforeTheFirstConnection) {
    auto loop = *Loop::create();
    std::string story;
    LoopListeners ends(*loop, {.accepted = [&](const ListenerHandle&, Accepted&&) {
        story += "connection;";
        loop->stop();
    }});
    Listeners listeners({{*loop, ends}});
    ASSERT_TRUE(
        listeners.apply({Claim{at("127.0.0.1"), "a"}}, [&] { loop->post([&] { story += "configuration;"; }); }));
    const Fd client = client_of("127.0.0.1", listeners.bound().at(0).port);  // waits in the queue before the loop turns
    loop->run();
    EXPECT_EQ(story, "configuration;connection;");
    Scope scope(*loop);
    scope.spawn([](LoopListeners& on, Loop& in) -> Task<void> {
        co_await on.close_all();
        in.stop();
    }(ends, *loop));
    loop->run();
}

TEST(Listeners, SeveralLoopsShareOnePort) {
    const LeakCheck leaks;
    DataLoop first(0);
    DataLoop second(1);
    Listeners listeners({first.port(), second.port()});
    ASSERT_TRUE(listeners.apply({Claim{at("127.0.0.1", free_port()), "a"}}));
    std::set<std::string> answers;
    // The kernel deals out by a hash of both ends: that one of two loops gets none of 64 would be a wonder.
    for (int i = 0; i < 64; ++i) answers.insert(call("127.0.0.1", listeners.bound().at(0).port));
    EXPECT_EQ(answers, (std::set<std::string>{"0 a plain 0", "1 a plain 0"}));
}

TEST(Listeners, ConnectionsThatWaitAtTheRemovalAreServed) {
    auto loop = *Loop::create();
    bool room = false;
    unsigned served = 0;
    LoopListeners ends(
        *loop, {.accepted = [&](const ListenerHandle&, Accepted&&) { ++served; }, .capacity = [&] { return room; }});
    Listeners listeners({{*loop, ends}});
    ASSERT_TRUE(listeners.apply({Claim{at("127.0.0.1"), "a"}}));
    const SocketAddress to{*IpAddress::parse("127.0.0.1"), listeners.bound().at(0).port};
    Scope scope(*loop);
    scope.spawn([](Loop& on, SocketAddress target, Listeners& from, LoopListeners& closing, bool& open) -> Task<void> {
        Cancellation never;
        std::vector<Stream> clients;
        for (int i = 0; i < 20; ++i) {
            auto client = co_await connect_tcp(on, never, target, {}, Deadline::none);
            if (client) clients.push_back(std::move(*client));
        }
        EXPECT_EQ(clients.size(), 20U);
        EXPECT_TRUE(from.apply({}));
        on.post([&open] { open = true; });  // after the removal
        on.post([] {});
        std::byte room_for_one[1];
        for (Stream& client : clients) {
            const Got got = co_await client.read_some(room_for_one, Deadline::none);
            EXPECT_EQ(got.io, Io::eof) << "served and closed in order, not reset";
        }
        co_await closing.close_all();
        on.stop();
    }(*loop, to, listeners, ends, room));
    loop->run();
    EXPECT_EQ(served, 20U);
    EXPECT_EQ(call("127.0.0.1", to.port), "Connection refused");
}

TEST(Listeners, AreDualStackOrOfOneFamilyAsConfigured) {
    if (!has_v6) GTEST_SKIP() << "no IPv6 here";
    const LeakCheck leaks;
    DataLoop loop(0);
    Listeners listeners({loop.port()});
    ASSERT_TRUE(listeners.apply({Claim{dual_stack(), "both"}, Claim{at("::"), "six"}, Claim{at("0.0.0.0"), "four"}}));
    const auto bound = listeners.bound();
    EXPECT_EQ(bound[0].address, ":" + std::to_string(bound[0].port));
    EXPECT_EQ(call("127.0.0.1", bound[0].port), "0 both plain 0");
    EXPECT_EQ(call("::1", bound[0].port), "0 both plain 0");
    EXPECT_EQ(call("127.0.0.1", bound[1].port), "Connection refused");
    EXPECT_EQ(call("::1", bound[1].port), "0 six plain 0");
    EXPECT_EQ(call("127.0.0.1", bound[2].port), "0 four plain 0");
    EXPECT_EQ(call("::1", bound[2].port), "Connection refused");
}

TEST(Listeners, AnAddressMayTakeOverAPortFromAWiderOneAndBack) {
    if (!has_v6) GTEST_SKIP() << "no IPv6 here";
    DataLoop loop(0);
    Listeners listeners({loop.port()});
    ASSERT_TRUE(listeners.apply({Claim{dual_stack(), "wide"}}));
    const std::uint16_t port = listeners.bound().at(0).port;
    for (int i = 0; i < 3; ++i) {
        const auto narrow = listeners.apply({Claim{at("127.0.0.1", port), "narrow"}});
        ASSERT_TRUE(narrow) << narrow.error().message;
        EXPECT_EQ(call("127.0.0.1", port), "0 narrow plain 0");
        loop.settle();
        EXPECT_EQ(call("::1", port), "Connection refused");
        const auto wide = listeners.apply({Claim{dual_stack(port), "wide"}});
        ASSERT_TRUE(wide) << wide.error().message;
        EXPECT_EQ(call("::1", port), "0 wide plain 0");
    }
    // Removed and wanted again while it may still be closing.
    ASSERT_TRUE(listeners.apply({}));
    EXPECT_TRUE(listeners.apply({Claim{dual_stack(port), "wide"}}));
}

TEST(Listeners, WhatIsPostedToALoopWhoseListenersAreGoneIsDropped) {
    const LeakCheck leaks;
    auto loop = *Loop::create();
    auto ends = std::make_unique<LoopListeners>(*loop, Hooks{.accepted = [](const ListenerHandle&, Accepted&&) {}});
    Listeners listeners({{*loop, *ends}});
    ASSERT_TRUE(listeners.apply({Claim{at("127.0.0.1"), "a"}}));
    ends.reset();
    loop.reset();  // runs what was posted
}

TEST(Probe, SaysWhetherAnAddressIsFree) {
    EXPECT_TRUE(probe(at("127.0.0.1", free_port())));
    const Fd other = *listen_tcp({*IpAddress::parse("127.0.0.1"), 0}, {.reuse_port = true});
    const auto held = probe(at("127.0.0.1", local_address(other.get()).port));
    ASSERT_FALSE(held);
    EXPECT_NE(held.error().message.find("another program holds it"), std::string::npos);
    EXPECT_FALSE(probe(at("192.0.2.1")));
}
