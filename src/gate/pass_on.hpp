// What a watch lets pass of one read, gathered so that neighbors leave in one write.
#pragma once

#include "base/bytes.hpp"
#include "io/stream.hpp"

namespace sallyport::gate {

/// Lives while one read is looked at. What was added has left when it ends.
class PassOn {
public:
    /// @param input  what was read; stays as it is meanwhile
    PassOn(io::Stream& to, Bytes input) : to_(to), input_(input) {}
    ~PassOn() { flush(); }
    PassOn(const PassOn&) = delete;
    PassOn& operator=(const PassOn&) = delete;

    /// @param bytes  of the input, or anything else: that leaves at once
    void add(Bytes bytes) {
        if (bytes.empty()) return;
        if (!run_.empty() && run_.data() + run_.size() == bytes.data()) {
            run_ = {run_.data(), run_.size() + bytes.size()};
            return;
        }
        flush();
        if (is_input(bytes))
            run_ = bytes;
        else
            to_.write(bytes);
    }
    void flush() {
        if (!run_.empty()) to_.write(run_);
        run_ = {};
    }

private:
    bool is_input(Bytes bytes) const {
        return bytes.data() >= input_.data() && bytes.data() < input_.data() + input_.size();
    }

    io::Stream& to_;
    Bytes input_;
    Bytes run_;
};

}  // namespace sallyport::gate
