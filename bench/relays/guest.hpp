// One client of a TURN server, or of a STUN server: its socket, its allocation, and messages that are numbered.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "turn/requester.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sallyport::bench {

struct Credential {
    std::string user;
    std::string password;
};

/// What a socket is found at: nothing when the kernel does not say.
SocketAddress local_address_of(int fd);

class Guest {
public:
    Guest(SocketAddress server, bool by_tcp, const Credential& credential)
        : server_(server), by_tcp_(by_tcp), requester_(credential.user, credential.password) {}

    /// All three wait for the server's answer.
    Result<void> connect();
    Result<void> allocate();
    /// Opens the way to a peer, by a channel or by a permission alone.
    Result<void> open_to(const SocketAddress& peer, bool by_channel);

    /// From here on nothing waits.
    Result<void> stop_waiting();
    /// One message to the peer: `size` bytes that begin with this guest's name and a number. False: the socket is full.
    bool send(std::uint32_t name, std::uint64_t number, std::size_t size);
    /// Asks for its own address so many times at once, without waiting.
    /// @return how many requests went; fewer: the socket is full
    std::uint64_t send_bindings(std::uint64_t count);
    /// Ends the allocation; another guest may get this port.
    void leave();

    /// Reads what has come, and calls `take` with the data of each message, and with each answer to a Binding as it is.
    /// False: the connection is over, or what came is no TURN.
    bool receive(const std::function<bool(Bytes)>& take);

    int fd() const { return fd_.get(); }
    const SocketAddress& own() const { return own_; }
    const SocketAddress& relay() const { return relay_; }

private:
    Result<turn::Requester::Answer> exchange(const std::function<Bytes()>& request);
    Result<std::vector<std::byte>> read_one();
    bool receive_datagrams(const std::function<bool(Bytes)>& take);
    bool take_one(Bytes bytes, const std::function<bool(Bytes)>& take) const;

    SocketAddress server_;
    bool by_tcp_;
    turn::Requester requester_;
    io::Fd fd_;
    SocketAddress own_;  // as connect() found it
    SocketAddress relay_;
    SocketAddress peer_;
    bool by_channel_ = false;
    std::vector<std::byte> message_;  // that goes out, made once
    std::vector<std::byte> rest_;  // of a stream: the beginning of a frame
};

}  // namespace sallyport::bench
