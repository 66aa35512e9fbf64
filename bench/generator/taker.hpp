// A client that takes a stream: throws it away for speed, or checks every byte; and may send one of its own first.
// Over HTTP the stream is one body after another, each of options.size bytes, asked for when the last has come whole.
#pragma once

#include <string>

#include "generator/client.hpp"

namespace sallyport::bench {

class Taker : public Client {
public:
    enum class Care { discard, verify, piece };  // piece: discards, and only when told to
    enum class End { none, finished, broken };

    /// @param upload bytes of the pattern that are sent, then this side finishes; 0: sends nothing and stays open
    Taker(Ground& ground, unsigned number, Care care, std::uint64_t upload = 0);

    /// Over HTTP: asks for the next body now, and for another whenever one has come whole, until pause().
    void resume();
    void pause() { running_ = false; }
    bool resting() const { return left_of_body_ == 0; }

    /// Care::piece: takes one piece if there may be one; whether there was.
    bool take_piece();

    void stop_reading() { reading_ = false; }
    void read_on();
    void reset() { stream_.reset(); }

    std::uint64_t received() const { return received_; }
    std::uint64_t sent() const { return sent_; }
    End end() const { return end_; }

protected:
    std::string_view opening() const override { return opening_; }
    void opened() override;
    void readable() override;
    void writable() override;
    void died() override { end_ = End::broken; }

private:
    void take(std::string_view bytes);
    void count(std::uint64_t bytes);

    std::string opening_;
    Care care_;
    std::uint64_t upload_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t left_of_body_ = 0;
    bool running_ = false;
    bool reading_ = true;
    bool waiting_ = false;  // Care::piece: something may be there
    End end_ = End::none;
};

}  // namespace sallyport::bench
