// The server behind the relay: accepts, reads the request if there is one, and then behaves in one manner.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/ground.hpp"

namespace sallyport::bench {

constexpr std::string_view pouring_path = "-pour";
constexpr std::size_t piece_size = 128 * 1024;

enum class Manner {
    answer,  // every request gets the same small answer
    echo,    // what comes goes back
    mixed,   // a tunnel whose path ends in pouring_path pours, piece by piece; the others echo
    pour,    // streams the pattern as fast as it is taken
    listen,  // reads and checks the pattern until the far end finishes, then streams `answer_size` bytes and closes
};

class Backend {
public:
    Backend(Ground& ground, Manner manner, std::uint64_t answer_size = 0);
    ~Backend();

    bool start();  // false: errno says why

    /// Pouring stops and goes on; the other manners are driven by the client.
    void pause() { pouring_ = false; }
    void resume();

    /// Manner mixed: one guest that can take it gets a piece of its stream, another each time.
    void pour_piece();

    /// Resets every connection that is open.
    void reset_all();

    std::uint64_t heard() const { return heard_; }      // bytes that came in manner `listen`
    std::uint64_t finished() const { return finished_; }  // connections whose far end finished in due form
    std::uint64_t broken() const { return broken_; }      // connections that ended by an error, a reset say

private:
    class Door;
    class Guest;

    void accept_all();
    Guest& free_guest();

    Ground& ground_;
    Manner manner_;
    std::uint64_t answer_size_;
    std::string answer_;   // of manner answer: head and body; of pour: the head
    std::string upgrade_;
    bool pouring_ = true;
    int listener_ = -1;
    std::unique_ptr<Door> door_;
    std::vector<std::unique_ptr<Guest>> guests_;  // reused, so that a stale event meets a live object
    std::vector<Guest*> free_;
    std::size_t next_ = 0;  // guest that pour_piece() tries first
    std::uint64_t heard_ = 0;
    std::uint64_t finished_ = 0;
    std::uint64_t broken_ = 0;
};

}  // namespace sallyport::bench
