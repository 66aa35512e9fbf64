// One client connection: connects, shakes hands if it is TLS, opens its tunnel or stream by a head, and then belongs to
// what its kind does: Asker asks and checks answers, Taker takes a stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generator/ground.hpp"

namespace sallyport::bench {

class Client : public Watcher {
public:
    /// @param number tells clients apart: the source address is 127.0.0.2 and up, so that ports never run out.
    Client(Ground& ground, unsigned number) : ground_(ground), number_(number) {}

    void connect();
    void on_ready(std::uint32_t events) override;

    bool is_open() const { return state_ == State::open; }

protected:
    /// Whether an event told of the far end's finish or of an error: then there is something to read after a short
    /// read.
    bool ending() const { return ending_; }

    /// What is sent first and answered by a head: 101 for a tunnel, 200 for a streamed answer. Empty: nothing.
    virtual std::string_view opening() const = 0;
    virtual void opened() = 0;
    virtual void readable() = 0;
    virtual void writable() {}
    virtual void died() {}  // after fail(); the stream is closed

    void send(std::string_view bytes);  // `bytes` lives until it has left
    void fail(Fault fault, std::string detail);
    void hang_up();
    /// Sends the opening once more on the same connection: the next request, where the opening is one.
    void open_again() { send_opening(); }

    Ground& ground_;
    Stream stream_;
    std::string partial_;  // what came and is not a whole answer yet

private:
    enum class State { closed, connecting, handshake, opening, open };

    void connected();
    void handshake();
    void send_opening();
    void read_opening();
    // Bytes of the opening's answer at the start of partial_; 0 when it is not whole, or wrong and this has failed.
    std::size_t head_size();
    std::size_t welcome_size();
    void flush();

    unsigned number_;
    State state_ = State::closed;
    bool ending_ = false;
    std::string_view unsent_;
};

}  // namespace sallyport::bench
