// A client that asks and checks answers: HTTP requests, or messages that must come back as they went.
#pragma once

#include <memory>
#include <vector>

#include "generator/client.hpp"

namespace sallyport::bench {

/// What all askers of a run say.
struct Script {
    std::string opening;     // empty: none
    std::string request;     // HTTP; empty: an echoed message of options.size bytes
    std::string body;        // of the expected answer
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
    bool quiet() const { return asking_ == 0; }
    /// One operation on each, and wait for the last.
    bool once_each(std::chrono::milliseconds limit);

private:
    class Asker;

    bool wants_more() const;

    Ground& ground_;
    Script script_;
    std::vector<std::unique_ptr<Asker>> askers_;
    bool running_ = false;
    unsigned open_ = 0;
    unsigned asking_ = 0;
};

Script script_for(const Options& options, const Pattern& pattern);

}  // namespace sallyport::bench
