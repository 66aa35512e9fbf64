#include "relays/load.hpp"

#include "wire/stun/message.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace sallyport::bench {

using namespace std::chrono_literals;

namespace {

constexpr auto quiet_for = 300ms;  // then what has not come is lost

double own_cpu() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

Result<void> Load::prepare() {
    epoll_ = io::Fd(epoll_create1(EPOLL_CLOEXEC));
    if (const auto opened = open_peer(); !opened) return opened;
    if (const auto seated = seat_all(); !seated) return seated;
    for (std::size_t place = 0; place < seats_.size(); ++place) {
        Guest& guest = seats_[place].guest;
        if (options_.work != Work::binding) {
            const SocketAddress target =
                options_.work == Work::echo ? local_address_of(peer_.get()) : seats_[place ^ 1].guest.relay();
            if (const auto opened = guest.open_to(target, options_.work != Work::indication); !opened) return opened;
        }
        if (const auto stopped = guest.stop_waiting(); !stopped) return stopped;
        epoll_event event{.events = EPOLLIN, .data = {.u64 = place}};
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, guest.fd(), &event) != 0) return fail("epoll takes no more");
    }
    return {};
}

Result<void> Load::seat_all() {
    seats_.reserve(options_.guests);
    while (seats_.size() < options_.guests) {
        Guest& guest = seats_.emplace_back(Guest(options_.server, options_.by_tcp, options_.credential)).guest;
        if (const auto connected = guest.connect(); !connected) return connected;
        if (options_.work == Work::binding) continue;
        if (const auto allocated = guest.allocate(); !allocated) return allocated;
    }
    return {};
}

Result<void> Load::open_peer() {
    peer_ = io::Fd(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_storage storage;
    const unsigned size = SocketAddress{IpAddress::v4(0x7F000001), 0}.to_sockaddr(storage);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = options_.guests}};
    if (::bind(peer_.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 ||
        epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, peer_.get(), &event) != 0)
        return fail("no socket for the peer");
    return {};
}

void Load::echo() {
    std::array<std::byte, 2048> room;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = recvfrom(peer_.get(), room.data(), room.size(), MSG_DONTWAIT, address, &size);
    if (got > 0) sendto(peer_.get(), room.data(), static_cast<std::size_t>(got), MSG_DONTWAIT, address, size);
}

Result<Report> Load::run() {
    report_ = {};
    const double cpu_before = own_cpu();
    const auto begin = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    working_ = true;
    for (std::size_t place = 0; options_.rate == 0 && place < seats_.size(); ++place) send_from(place, options_.window);
    while (elapsed() < options_.seconds) {
        send_due(elapsed());
        if (const auto served = serve(options_.rate > 0 ? 100us : 20ms); !served) return fail(served.error());
    }
    working_ = false;
    report_.seconds = elapsed();
    for (auto last = Clock::now(); report_.came < report_.sent && Clock::now() - last < quiet_for;) {
        const std::uint64_t before = report_.came;
        if (const auto served = serve(20ms); !served) return fail(served.error());
        if (report_.came != before) last = Clock::now();
    }
    report_.own_cpu = own_cpu() - cpu_before;
    return report_;
}

void Load::leave() {
    for (Seat& seat : seats_) {
        if (options_.work != Work::binding) seat.guest.leave();
    }
}

void Load::send_from(std::size_t place, std::uint64_t count) {
    if (options_.work == Work::binding) {
        report_.sent += seats_[place].guest.send_bindings(count);
        return;
    }
    Seat& seat = seats_[place];
    for (; count != 0 && seat.guest.send(static_cast<std::uint32_t>(place), seat.sent, options_.size); --count) {
        ++seat.sent;
        ++report_.sent;
    }
}

void Load::send_due(double elapsed) {
    const auto due = static_cast<std::uint64_t>(elapsed * options_.rate);
    while (report_.sent + options_.burst <= due) { send_from(turn_++ % seats_.size(), options_.burst); }
}

Result<void> Load::serve(std::chrono::microseconds at_most) {
    std::array<epoll_event, 64> events;
    const timespec patience{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(at_most).count()};
    const int count = epoll_pwait2(epoll_.get(), events.data(), events.size(), &patience, nullptr);
    for (int i = 0; i < count; ++i) {
        const std::size_t place = events[static_cast<std::size_t>(i)].data.u64;
        if (place == seats_.size()) {
            echo();
            continue;
        }
        const std::uint64_t before = report_.came;
        const bool went_on = seats_[place].guest.receive([&](Bytes data) { return take(place, data); });
        if (!went_on) return fail("guest " + std::to_string(place) + " was sent what nobody sent, or was left");
        if (options_.work == Work::binding && working_ && options_.rate == 0) send_from(place, report_.came - before);
    }
    return {};
}

bool Load::take(std::size_t place, Bytes data) {
    return options_.work == Work::binding ? take_answer(place, data) : take_message(place, data);
}

// Of what is lost the next one tells: whoever sent it sends as many again.
bool Load::take_message(std::size_t place, Bytes data) {
    ByteReader reader(data);
    const auto name = reader.u32();
    const auto number = reader.u64();
    Seat& seat = seats_[place];
    if (!number || *name != sender_to(place) || data.size() != options_.size || *number < seat.next) return false;
    const std::uint64_t passed = *number + 1 - std::exchange(seat.next, *number + 1);
    ++report_.came;
    if (working_ && options_.rate == 0) send_from(sender_to(place), passed);
    return true;
}

bool Load::take_answer(std::size_t place, Bytes answer) {
    const auto message = stun::read_message(answer);
    const auto mapped = message ? message->address(stun::Attribute::xor_mapped_address) : std::nullopt;
    if (!mapped || *mapped != seats_[place].guest.own()) return false;
    ++report_.came;
    return true;
}

}  // namespace sallyport::bench
