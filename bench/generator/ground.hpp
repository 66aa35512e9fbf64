// What every connection of a run shares: the loop, the counts, the settings and one read buffer.
#pragma once

#include <string>
#include <vector>

#include "generator/dialogue.hpp"
#include "generator/loop.hpp"
#include "generator/options.hpp"
#include "generator/pattern.hpp"
#include "generator/stream.hpp"
#include "generator/tally.hpp"

namespace sallyport::bench {

struct Ground {
    explicit Ground(const Options& asked) : options(asked), dialogue(dialogue_for(asked)) {}

    /// How long to wait for what must come.
    std::chrono::milliseconds patience() const {
        return std::chrono::milliseconds(static_cast<std::int64_t>(options.patience * 1000));
    }

    const Options& options;
    Loop loop;
    Tally tally;
    Pattern pattern;
    Dialogue dialogue;
    const TlsClient* tls = nullptr;
    std::vector<char> buffer = std::vector<char>(256 * 1024);
};

}  // namespace sallyport::bench
