// What many guests of one server do at once, and what became of their messages.
#pragma once

#include "relays/guest.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::bench {

enum class Work : std::uint8_t {
    binding,     // each asks for its own address
    channel,     // each sends to its partner's relay by a channel, so that a message passes the server twice
    indication,  // the same by Send and Data indications
    echo,        // each sends by a channel to one peer outside, which sends everything back
    hold,        // each has an allocation with a channel, and is silent
};

struct Options {
    Work work = Work::channel;
    SocketAddress server;
    bool by_tcp = false;
    Credential credential;
    unsigned guests = 100;  // an even number
    unsigned window = 1;    // messages of each that are under way, where the rate is not given
    double rate = 0;        // messages a second of all guests together
    unsigned burst = 1;     // of these so many at once, from one guest
    std::size_t size = 160;
    double seconds = 1;
};

struct Report {
    std::uint64_t sent = 0;
    std::uint64_t came = 0;
    double seconds = 0;
    double own_cpu = 0;
};

class Load {
public:
    explicit Load(const Options& options) : options_(options) {}

    /// Every guest connects, and has what its work needs.
    Result<void> prepare();
    /// Works for so long, then waits for what is still under way. An error when anything came that nobody sent.
    Result<Report> run();
    /// Leaves nothing at the server.
    void leave();

private:
    using Clock = std::chrono::steady_clock;
    struct Seat {
        Guest guest;
        std::uint64_t sent = 0;
        std::uint64_t next = 0;  // number that is due from the partner
    };

    Result<void> seat_all();
    Result<void> open_peer();
    void echo();
    /// Who sends what this one receives.
    std::size_t sender_to(std::size_t place) const { return options_.work == Work::echo ? place : place ^ 1; }
    void send_from(std::size_t place, std::uint64_t count);
    void send_due(double elapsed);
    Result<void> serve(std::chrono::microseconds at_most);
    bool take(std::size_t place, Bytes data);
    bool take_message(std::size_t place, Bytes data);
    bool take_answer(std::size_t place, Bytes answer);

    Options options_;
    std::vector<Seat> seats_;
    io::Fd epoll_;
    io::Fd peer_;
    bool working_ = false;
    std::size_t turn_ = 0;
    Report report_;
};

}  // namespace sallyport::bench
