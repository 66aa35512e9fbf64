// Answers on their way out of one UDP socket, gathered so that many leave in one system call.
#pragma once

#include "io/udp.hpp"
#include "wire/dns/message.hpp"

#include <array>
#include <cstddef>

namespace sallyport::dns {

class Replies {
public:
    explicit Replies(io::UdpSocket& socket) : socket_(socket) {}

    /// Room for one answer. What is written there goes out by add(). A flush() in between leaves it alone.
    MutableBytes room() { return rooms_[next_]; }
    /// @param question  whose peer it is for; its octets are not read
    /// @param answer    octets of room(); empty: nothing is sent
    void add(const io::Datagram& question, Bytes answer) {
        if (answer.empty()) return;
        datagrams_[count_++] = {.peer = question.peer, .local = question.local, .bytes = answer, .link = question.link};
        next_ = (next_ + 1) % rooms_.size();
        if (count_ == datagrams_.size()) flush();
    }
    /// What a full socket does not take is lost, as datagrams are: the client asks again.
    void flush() {
        if (count_ == 0) return;
        socket_.send(std::span(datagrams_).first(count_));
        count_ = 0;
    }

private:
    io::UdpSocket& socket_;
    std::array<std::array<std::byte, udp_payload>, io::DatagramBatch::capacity> rooms_;
    std::array<io::Datagram, io::DatagramBatch::capacity> datagrams_;
    std::size_t count_ = 0;
    std::size_t next_ = 0;  // room, each in its turn: those before it wait to be sent
};

}  // namespace sallyport::dns
