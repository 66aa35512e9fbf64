// A client that asks and checks answers: HTTP requests, a dialogue, or messages that must come back as they went.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "generator/client.hpp"

namespace sallyport::bench {

/// What all askers of a run say.
struct Script {
    std::string opening;     // empty: none
    std::string request;     // the same each time; empty: that of the dialogue, or an echoed message
    std::string body;        // of the expected answer
    std::string answer;      // the expected answer as it is, where it is no HTTP
    bool reconnect = false;  // a connection per operation
};

/// All clients of a run that ask. Each has one operation under way at a time.
class Askers {
public:
    Askers(Ground& ground, Script script);
    ~Askers();

    /// Connects all; true when all stand within `limit`. With `reconnect` there is nothing to open beforehand.
    bool open(std::chrono::milliseconds limit);
    void resume();
    void pause() { running_ = false; }
    void turn() const { ground_.loop.turn(a_turn); }
    /// One operation that is due at this moment, on a connection that is free, now or as soon as one is.
    void ask_for(std::chrono::steady_clock::time_point due);
    bool quiet() const { return asking_ == 0 && waiting_.empty(); }
    /// One operation on each, and wait for the last.
    bool once_each(std::chrono::milliseconds limit);

private:
    class Asker;

    bool wants_more() const;

    Ground& ground_;
    Script script_;
    std::vector<std::unique_ptr<Asker>> askers_;
    std::deque<std::chrono::steady_clock::time_point> waiting_;  // due, and no connection is free
    std::size_t next_ = 0;                                       // whom ask_for() tries first
    bool running_ = false;
    unsigned open_ = 0;
    unsigned asking_ = 0;
};

Script script_for(const Ground& ground);

}  // namespace sallyport::bench
