// What every connection of a run shares: the loop, the counts, the settings and one read buffer.
#pragma once

#include <string>
#include <vector>

#include "generator/hello.hpp"
#include "generator/loop.hpp"
#include "generator/options.hpp"
#include "generator/pattern.hpp"
#include "generator/stream.hpp"
#include "generator/tally.hpp"

namespace sallyport::bench {

struct Ground {
    explicit Ground(const Options& asked) : options(asked) {
        if (asked.carrier == Carrier::sni) hello = client_hello(asked.host);
    }

    const Options& options;
    Loop loop;
    Tally tally;
    Pattern pattern;
    std::string hello;  // of carrier sni: what each client says first
    const TlsClient* tls = nullptr;
    std::vector<char> buffer = std::vector<char>(256 * 1024);
};

}  // namespace sallyport::bench
