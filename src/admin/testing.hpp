// For tests of this room and of those above: a gateway that is only pretended, and a conversation with its control
// plane.
#pragma once

#include "admin/http_server.hpp"
#include "admin/routes.hpp"
#include "io/testing.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <utility>

namespace sallyport::admin::testing {

/// Answers what the test told it to, and counts what it was asked to do.
class FakeControl final : public Control {
public:
    Readiness state{Readiness::State::ready, ""};
    Result<nlohmann::json, Problem> reloaded = nlohmann::json{{"generation", 2}};
    int reloads = 0;
    int drains = 0;
    ExplainQuery explained;
    ConnectionsQuery looked_at;
    KillQuery killed;
    StateQuery wished;
    BanQuery banned{.who = {}};

    Readiness readiness() const override { return state; }
    std::string metrics() override { return "sallyport_connections 1\n"; }
    nlohmann::json status() override { return {{"node", "edge-1"}}; }
    io::Task<Result<nlohmann::json, Problem>> reload() override {
        ++reloads;
        co_return reloaded;
    }
    void drain() override { ++drains; }
    io::Task<Result<nlohmann::json, Problem>> explain(ExplainQuery query) override {
        explained = query;
        co_return nlohmann::json{{"source", "live"}, {"subject", query.subject}};
    }
    io::Task<nlohmann::json> connections(ConnectionsQuery query) override {
        looked_at = query;
        co_return nlohmann::json{{"connections", nlohmann::json::array()}, {"total", 0}};
    }
    io::Task<Result<nlohmann::json, Problem>> kill(KillQuery query) override {
        killed = query;
        co_return nlohmann::json{{"killed", 1}};
    }
    nlohmann::json services() override { return {{"targets", nlohmann::json::array()}}; }
    Result<nlohmann::json, Problem> set_state(const StateQuery& query) override {
        wished = query;
        return nlohmann::json{{"changed", 1}};
    }
    nlohmann::json egress() override { return {{"sources", nlohmann::json::array()}}; }
    Result<nlohmann::json, Problem> whois(const IpAddress& address) override {
        return nlohmann::json{{"address", address.to_string()}};
    }
    PinQuery pinned;
    Result<nlohmann::json, Problem> set_pin(const PinQuery& query) override {
        pinned = query;
        return nlohmann::json{{"who", query.kind + " " + query.who}, {"source", query.source.to_string()}};
    }
    Result<nlohmann::json, Problem> remove_pin(const PinQuery&) override {
        return std::unexpected(Problem{.status = 404, .detail = "no such pin"});
    }
    io::Task<nlohmann::json> push_devices() override { co_return nlohmann::json{{"devices", nlohmann::json::array()}}; }
    std::size_t sessions_limit = 0;
    io::Task<nlohmann::json> turn_sessions(std::size_t limit) override {
        sessions_limit = limit;
        co_return nlohmann::json{{"sessions", nlohmann::json::array()}, {"total", 0}};
    }
    nlohmann::json bans() override { return {{"bans", nlohmann::json::array()}}; }
    nlohmann::json suspects() override { return {{"suspects", nlohmann::json::array()}}; }
    Result<nlohmann::json, Problem> set_ban(const BanQuery& query) override {
        banned = query;
        return nlohmann::json{{"address", query.who.to_string()}};
    }
    Result<nlohmann::json, Problem> remove_ban(const BanQuery& query) override {
        banned = query;
        return nlohmann::json{{"removed", 1}};
    }
};

inline const Peer root = UnixPeer{.uid = 0, .pid = 1};
inline Peer from(std::string_view address) {
    return TcpPeer{.address = {*IpAddress::parse(address), 50000}, .tls = true};
}

inline io::Task<void> say_and_listen(io::Loop& loop, const Site& site, Peer peer, const std::string& sent,
                                     std::string& got) {
    io::Scope scope(loop);
    io::testing::StreamPair pair(loop, scope.cancellation());
    scope.spawn(serve(std::move(pair.near), site, peer));
    scope.spawn([](io::Stream& stream, const std::string& text) -> io::Task<void> {
        co_await stream.write_all(text, io::Deadline::none);
    }(pair.far, sent));
    got = co_await io::testing::read_to_end(pair.far);
    co_await scope.join();
}

/// Everything that a peer is told which sends `sent` at once and then waits for the server to end it.
inline std::string told(const Site& site, Peer peer, const std::string& sent) {
    io::testing::VirtualLoop loop;
    std::string got;
    loop.run(say_and_listen(*loop, site, peer, sent, got));
    return got;
}

inline std::string ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    std::string head = method + " " + target + " HTTP/1.1\r\nHost: sallyport\r\nConnection: close\r\n";
    if (!body.empty()) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return head + "\r\n" + body;
}

/// The status of the first answer; 0 when there is none.
inline int status_of(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::atoi(answer.substr(9, 3).c_str()) : 0;
}
inline std::string body_of(const std::string& answer) {
    const auto end = answer.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

/// A folder that goes with the test, for sockets: their paths must be short.
class ShortFolder {
public:
    ShortFolder() : path_(::mkdtemp(name_.data())) {}
    ~ShortFolder() { std::filesystem::remove_all(path_); }
    ShortFolder(const ShortFolder&) = delete;
    ShortFolder& operator=(const ShortFolder&) = delete;
    std::string operator/(std::string_view file) const { return (path_ / file).string(); }

private:
    std::string name_ = (std::filesystem::temp_directory_path() / "sallyport-XXXXXX").string();
    std::filesystem::path path_;
};

/// A control plane on a real Unix socket, on a thread and loop of its own, for clients that block.
class RunningServer {
public:
    explicit RunningServer(const Site& site) {
        std::promise<io::Loop*> started;
        auto loop = started.get_future();
        thread_ = std::thread([this, &site, &started] { run(site, started); });
        loop_ = loop.get();
    }
    ~RunningServer() {
        loop_->post([this] { cancellation_.request(); });
        posted_.set_value();
        thread_.join();
    }
    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;
    const std::string& path() const { return path_; }

private:
    void run(const Site& site, std::promise<io::Loop*>& started) {
        auto loop = *io::Loop::create();
        io::Scope scope(*loop);
        scope.spawn(listen(*loop, site));
        started.set_value(loop.get());
        loop->run();
        posted_.get_future().wait();  // the loop may not go while the other thread is still about to wake it
    }
    io::Task<void> listen(io::Loop& loop, const Site& site) {
        auto acceptor = io::Acceptor::adopt(loop, *io::listen_unix(path_, 0600), cancellation_);
        co_await accept_and_serve(loop, cancellation_, std::move(*acceptor), site, {});
        loop.stop();
    }

    ShortFolder folder_;
    std::string path_ = folder_ / "admin.sock";
    io::Cancellation cancellation_;
    io::Loop* loop_ = nullptr;
    std::promise<void> posted_;
    std::thread thread_;
};

}  // namespace sallyport::admin::testing
