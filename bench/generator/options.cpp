#include "generator/options.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string_view>

#include "base/text.hpp"

namespace sallyport::bench {

namespace {

template <class T>
struct Word {
    std::string_view name;
    T value;
};

constexpr std::array<Word<Mode>, 10> modes{{{"http", Mode::http},
                                            {"short", Mode::brief},
                                            {"ping", Mode::ping},
                                            {"paced", Mode::paced},
                                            {"fair", Mode::fair},
                                            {"bulk", Mode::bulk},
                                            {"idle", Mode::idle},
                                            {"half_close", Mode::half_close},
                                            {"slow_reader", Mode::slow_reader},
                                            {"reset", Mode::reset}}};
constexpr std::array<Word<Carrier>, 6> carriers{{{"http", Carrier::http},
                                                 {"tunnel", Carrier::tunnel},
                                                 {"raw", Carrier::raw},
                                                 {"sni", Carrier::sni},
                                                 {"ldap", Carrier::ldap},
                                                 {"sip", Carrier::sip}}};
constexpr std::array<Word<bool>, 2> switches{{{"yes", true}, {"no", false}}};

template <class T, std::size_t n>
bool set_word(const std::array<Word<T>, n>& words, std::string_view text, T& into) {
    for (const auto& word : words) {
        if (word.name == text) {
            into = word.value;
            return true;
        }
    }
    return false;
}

template <class T>
bool set_value(const std::optional<T>& value, T& into) {
    if (value) into = *value;
    return value.has_value();
}

// A number that is negative makes no sense for any option, so a sign is refused with the rest.
bool set_decimal(std::string_view text, double& into) {
    const auto value = text.starts_with('-') ? std::nullopt : [&]() -> std::optional<double> {
        double parsed = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
        if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
        return parsed;
    }();
    return set_value(value, into);
}

bool add_pids(std::string_view text, std::vector<pid_t>& into) {
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        const auto pid = parse_number<pid_t>(one);
        if (!pid) return false;
        into.push_back(*pid);
        text.remove_prefix(one.size() < text.size() ? one.size() + 1 : one.size());
    }
    return true;
}

struct Option {
    std::string_view name;
    std::string_view help;
    bool (*set)(Options&, std::string_view);
};

constexpr std::array<Option, 23> table{{
    {"mode", "http | short | ping | paced | fair | bulk | idle | half_close | slow_reader | reset",
     [](Options& o, std::string_view v) { return set_word(modes, v, o.mode); }},
    {"carrier", "http | tunnel (raw bytes after a 101) | raw | sni (after a ClientHello) | ldap | sip",
     [](Options& o, std::string_view v) { return set_word(carriers, v, o.carrier); }},
    {"target", "address:port of the relay",
     [](Options& o, std::string_view v) { return set_value(SocketAddress::parse(v), o.target); }},
    {"backend", "address:port where the relay finds the backend",
     [](Options& o, std::string_view v) { return set_value(SocketAddress::parse(v), o.backend); }},
    {"host", "the Host that is asked for", [](Options& o, std::string_view v) { return !(o.host = v).empty(); }},
    {"path", "the path that is asked for", [](Options& o, std::string_view v) { return !(o.path = v).empty(); }},
    {"connections", "how many at a time",
     [](Options& o, std::string_view v) { return set_value(parse_number<unsigned>(v), o.connections); }},
    {"size", "bytes of a message or body",
     [](Options& o, std::string_view v) { return set_value(parse_number<std::uint64_t>(v), o.size); }},
    {"entries", "ldap: how many an answer has, each with a value of `size` bytes",
     [](Options& o, std::string_view v) { return set_value(parse_number<unsigned>(v), o.entries); }},
    {"streams", "how many pour in mode fair",
     [](Options& o, std::string_view v) { return set_value(parse_number<unsigned>(v), o.streams); }},
    {"rate", "operations a second in modes paced and fair",
     [](Options& o, std::string_view v) { return set_decimal(v, o.rate); }},
    {"ops", "end the window after so many operations",
     [](Options& o, std::string_view v) { return set_value(parse_number<std::uint64_t>(v), o.ops); }},
    {"seconds", "end the window after so long",
     [](Options& o, std::string_view v) { return set_decimal(v, o.seconds); }},
    {"warmup", "seconds of uncounted work before it",
     [](Options& o, std::string_view v) { return set_decimal(v, o.warmup); }},
    {"send_buffer", "bytes that each connection of the backend may have under way",
     [](Options& o, std::string_view v) { return set_value(parse_number<unsigned>(v), o.send_buffer); }},
    {"patience", "seconds until what does not come counts as lost",
     [](Options& o, std::string_view v) { return set_decimal(v, o.patience); }},
    {"close", "yes: a connection a request",
     [](Options& o, std::string_view v) { return set_word(switches, v, o.close); }},
    {"forwarded_for", "yes: requests must reach the backend with X-Forwarded-For",
     [](Options& o, std::string_view v) { return set_word(switches, v, o.forwarded_for); }},
    {"tls", "yes: the client speaks TLS", [](Options& o, std::string_view v) { return set_word(switches, v, o.tls); }},
    {"resume", "yes: TLS sessions are resumed",
     [](Options& o, std::string_view v) { return set_word(switches, v, o.resume); }},
    {"step", "yes: say each phase, go on at a line on stdin",
     [](Options& o, std::string_view v) { return set_word(switches, v, o.step); }},
    {"cpu", "pin to this core", [](Options& o, std::string_view v) { return set_value(parse_number<int>(v), o.cpu); }},
    {"watch", "process ids of the relay, with commas",
     [](Options& o, std::string_view v) { return add_pids(v, o.watch); }},
}};

Result<void> set_option(Options& options, std::string_view word) {
    const std::size_t equals = word.find('=');
    for (const Option& option : table) {
        if (equals == std::string_view::npos || option.name != word.substr(0, equals)) continue;
        if (option.set(options, word.substr(equals + 1))) return {};
        return fail("'" + std::string(word) + "': expected " + std::string(option.help));
    }
    return fail("'" + std::string(word) + "' is no option");
}

// Which carriers make sense for a mode. The checks need bytes both ways, so they need a tunnel or a raw connection.
Result<void> check(const Options& options) {
    const bool requests = options.carrier == Carrier::http;
    if (options.mode == Mode::http && !requests) return fail("mode=http needs carrier=http");
    if (requests && options.mode > Mode::brief && options.mode != Mode::bulk) {
        return fail("this mode needs carrier=tunnel, raw or sni");
    }
    const bool paced = options.mode == Mode::paced || options.mode == Mode::fair;
    if (paced != (options.rate > 0)) return fail("rate= belongs to mode=paced and mode=fair, and they need one");
    if (options.mode == Mode::fair && options.carrier != Carrier::tunnel) return fail("mode=fair needs carrier=tunnel");
    if (options.carrier > Carrier::sni && options.mode >= Mode::fair && options.mode != Mode::idle) {
        return fail("carrier=ldap and sip are for mode=short, ping, paced and idle");
    }
    if (options.tls && options.carrier == Carrier::sni) return fail("carrier=sni brings its own ClientHello");
    if (options.carrier == Carrier::tunnel && options.mode == Mode::brief) return fail("mode=short has no tunnel");
    if (options.tls && options.mode > Mode::idle) return fail("the checks are for plain connections");
    if (options.target.port == 0 || options.backend.port == 0) return fail("target= and backend= are needed");
    if (options.connections == 0 || options.size == 0 || options.entries == 0) {
        return fail("connections, size and entries are at least 1");
    }
    constexpr std::uint64_t largest = 16 * 1024;  // a message fits into one read
    if (options.mode < Mode::bulk && options.size > largest) return fail("size is at most 16384 here");
    return {};
}

}  // namespace

Result<Options> parse_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        if (const auto set = set_option(options, words[i]); !set) return fail(set.error());
    }
    if (const auto good = check(options); !good) return fail(good.error());
    return options;
}

std::string usage() {
    std::string out = "bench_load name=value ...\n";
    for (const Option& option : table) out += "  " + std::string(option.name) + "=  " + std::string(option.help) + "\n";
    return out;
}

}  // namespace sallyport::bench
