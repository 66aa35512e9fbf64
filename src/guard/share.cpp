#include "guard/share.hpp"

#include "io/wait_any.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace sallyport::guard {

namespace {

using namespace std::chrono_literals;
using resp::Value;
using store::GuardRow;

constexpr std::string_view key = "sallyport:guard";           // the hash
constexpr std::string_view channel = "sallyport:guard:told";
constexpr std::string_view gateways_key = "sallyport:gateways";  // the other hash
constexpr std::string_view announces = "gateway\t";  // begins a message of the channel that is no line of the guard
constexpr std::string_view scan_step = "500";                 // rows an answer, about
constexpr std::size_t fields_of_line = 9;
constexpr std::size_t most_of_line = 2048;  // octets

constexpr Duration answers_within = 5s;
constexpr Duration asks_after = 10s;  // of silence: is it still there?
constexpr Duration scans_every = 5min;  // heals what was missed, and clears away what is over
constexpr Duration tries_again_after = 500ms;

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string without_controls(std::string text) {
    for (char& one : text) {
        if (static_cast<unsigned char>(one) < 0x20 || one == 0x7F) one = ' ';
    }
    return text;
}

}  // namespace

std::string to_line(const GuardRow& row) {
    std::string out = row.who + '\t' + row.verdict + '\t' + row.origin + '\t' + std::to_string(row.since_ms) + '\t';
    out += row.expires_ms ? std::to_string(*row.expires_ms) : "-";
    out += '\t' + row.protocol + '\t' + std::to_string(row.count) + '\t';
    return out + without_controls(row.node) + '\t' + without_controls(row.reason);
}

std::optional<GuardRow> parse_line(std::string_view line) {
    if (line.size() > most_of_line) return std::nullopt;
    std::array<std::string_view, fields_of_line> fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t end = i + 1 < fields.size() ? line.find('\t') : line.size();
        if (end == std::string_view::npos) return std::nullopt;
        fields[i] = line.substr(0, end);
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    const auto since = integer(fields[3]);
    const auto expires = integer(fields[4]);
    const auto count = integer(fields[6]);
    if (!since || !count || (!expires && fields[4] != "-")) return std::nullopt;
    // Beyond it nanoseconds don't reach.
    constexpr std::int64_t most_ms = std::int64_t{200} * 365 * 86'400'000;
    if (*since < 0 || *since > most_ms || expires.value_or(0) < 0 || expires.value_or(0) > most_ms) return std::nullopt;
    return GuardRow{.who = std::string(fields[0]),
                    .verdict = std::string(fields[1]),
                    .origin = std::string(fields[2]),
                    .since_ms = *since,
                    .expires_ms = expires,
                    .reason = without_controls(std::string(fields[8])),
                    .protocol = std::string(fields[5]),
                    .count = *count,
                    .node = without_controls(std::string(fields[7]))};
}

io::Task<void> Share::run(io::Cancellation& cancellation) {
    bool told_of_loss = false;
    while (!cancellation.requested()) {
        std::string why;
        auto stream = co_await options_.connect(cancellation);
        if (stream) {
            why = co_await converse(*stream);
            stream_ = nullptr;
            if (std::exchange(in_step_, false)) {
                ++lost_;
                told_of_loss = false;
            }
        } else {
            why = stream.error().message;
        }
        if (cancellation.requested()) co_return;
        if (!std::exchange(told_of_loss, true)) options_.changed(why);
        co_await io::Sleep(loop_, cancellation, loop_.in(tries_again_after));
    }
}

// From the greeting to the end of the connection; answers why it ended.
io::Task<std::string> Share::converse(io::Stream& stream) {
    asked_.clear();
    scanned_.clear();
    greet(stream);
    std::string unread;
    for (;;) {
        if (in_step_ && loop_.now() >= next_scan_) send_scan(stream, "0");
        if (in_step_ && !stream.blocked()) send_waiting(stream);
        const io::Deadline patience = loop_.in(asked_.empty() ? asks_after : answers_within);
        io::Watched& watched = stream.watched();
        io::Wait waited = io::Wait::ready;
        if (stream.blocked())
            waited =
                co_await io::WaitAny<2>(patience, {{{&watched, io::Interest::read}, {&watched, io::Interest::write}}});
        else
            waited = co_await stream.readable(patience);
        if (waited == io::Wait::timeout && asked_.empty()) {
            send(stream, {"PING"}, Asked::any);
            continue;
        }
        if (waited != io::Wait::ready) co_return "it does not answer";
        if (stream.blocked()) stream.flush();
        std::array<std::byte, 16384> room;
        const io::Got got = stream.read(room);
        if (got.io == io::Io::again) continue;
        if (got.io != io::Io::ok) co_return "the connection ended";
        unread += as_text(Bytes(room).first(got.bytes));
        std::size_t at = 0;
        for (;;) {
            const resp::Parsed parsed = resp::parse(as_bytes(std::string_view(unread).substr(at)));
            if (parsed.state == resp::Parsed::State::malformed) co_return "it sends what is no RESP3";
            if (parsed.state == resp::Parsed::State::need_more) break;
            std::string refused = take(stream, parsed.value);
            if (!refused.empty()) co_return refused;
            at += parsed.length;
        }
        unread.erase(0, at);
        if (unread.size() > most_unread) co_return "it sends an answer without an end";
    }
}

void Share::greet(io::Stream& stream) {
    if (options_.password.empty())
        send(stream, {"HELLO", "3"}, Asked::any);
    else
        send(stream,
             {"HELLO", "3", "AUTH", options_.user.empty() ? "default" : std::string_view(options_.user),
              options_.password},
             Asked::any);
    send(stream, {"SELECT", std::to_string(options_.database)}, Asked::any);
    send(stream, {"SUBSCRIBE", channel}, Asked::any);
    asked_.pop_back();  // is answered by a push
    send_scan(stream, "0");
}

void Share::send_scan(io::Stream& stream, std::string_view cursor) {
    next_scan_ = loop_.now() + scans_every;
    send(stream, {"HSCAN", key, cursor, "COUNT", scan_step}, Asked::scan);
}

bool Share::is_over(const GuardRow& row) const {
    return row.expires_ms && WallTime{std::chrono::milliseconds(*row.expires_ms)} < loop_.wall();
}

void Share::send(io::Stream& stream, std::initializer_list<std::string_view> words, Asked asked) {
    stream.write(as_bytes(resp::write_command({words.begin(), words.size()})));
    asked_.push_back(asked);
}

void Share::send_line(io::Stream& stream, const GuardRow& row) {
    const std::string line = to_line(row);
    send(stream, {"HSET", key, row.who, line}, Asked::any);
    send(stream, {"PUBLISH", channel, line}, Asked::any);
}

// Answers what speaks against going on; empty: nothing.
std::string Share::take(io::Stream& stream, const Value& value) {
    if (value.kind == Value::Kind::push) {
        take_message(value);
        return {};
    }
    if (asked_.empty()) return "it answers what was not asked";
    const Asked asked = asked_.front();
    asked_.pop_front();
    if (value.kind == Value::Kind::error) return "it refuses: " + without_controls(std::string(value.text));
    switch (asked) {
        case Asked::scan: return take_scan(stream, value);
        case Asked::gateways: return take_gateways(stream, value);
        case Asked::any: break;
    }
    return {};
}

std::string Share::take_scan(io::Stream& stream, const Value& value) {
    constexpr std::string_view broken = "its answer to HSCAN is none";
    if (value.items.size() != 2 || value.items[0].kind != Value::Kind::text) return std::string(broken);
    const auto& rows = value.items[1].items;
    if (scanned_.size() + rows.size() / 2 > most_scanned) return "it holds more than any guard does";
    for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
        const auto row = parse_line(rows[i + 1].text);
        if (!row || row->who != rows[i].text) continue;
        if (is_over(*row)) {
            send(stream, {"HDEL", key, row->who}, Asked::any);
            continue;
        }
        scanned_[row->who] = row->since_ms;
        options_.heard(*row);
    }
    const std::string cursor(value.items[0].text);
    if (cursor == "0")
        complete(stream);
    else
        send_scan(stream, cursor);
    return {};
}

void Share::take_message(const Value& push) {
    if (push.items.size() != 3 || push.items[0].text != "message" || push.items[1].text != channel) return;
    std::string_view text = push.items[2].text;
    if (!text.starts_with(announces)) {
        if (const auto row = parse_line(text)) options_.heard(*row);
        return;
    }
    text.remove_prefix(announces.size());
    const std::size_t end = std::min(text.find('\t'), text.size());
    const std::string_view line = text.substr(std::min(end + 1, text.size()));
    if (const auto announcement = parse_announcement(text.substr(0, end), line)) meet(*announcement);
}

// The first page is enough: it holds more than are believed.
std::string Share::take_gateways(io::Stream& stream, const Value& value) {
    if (value.items.size() != 2) return "its answer to HSCAN is none";
    const auto& rows = value.items[1].items;
    for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
        const auto announcement = parse_announcement(rows[i].text, rows[i + 1].text);
        if (!announcement) continue;
        if (announcement->until <= loop_.wall()) send(stream, {"HDEL", gateways_key, announcement->node}, Asked::any);
        meet(*announcement);
    }
    return {};
}

void Share::meet(const Announcement& announcement) {
    if (gateways_.hear(announcement, loop_.wall())) options_.met();
}

void Share::announce(io::Stream& stream) {
    const auto until = loop_.wall() + std::chrono::duration_cast<WallTime::duration>(Gateways::believed_for);
    const std::string line = announcement_line({.node = {}, .until = until, .addresses = options_.own()});
    send(stream, {"HSET", gateways_key, options_.node, line}, Asked::any);
    send(stream, {"PUBLISH", channel, std::string(announces) + options_.node + '\t' + line}, Asked::any);
    send(stream, {"HSCAN", gateways_key, "0", "COUNT", scan_step}, Asked::gateways);
    if (gateways_.expire(loop_.wall())) options_.met();
}

// All that was there has been heard. What it lacks, or knows less of, is told.
void Share::complete(io::Stream& stream) {
    for (GuardRow& row : options_.mine()) {
        const auto known = scanned_.find(row.who);
        if (known == scanned_.end() || known->second < row.since_ms) waiting_.try_emplace(row.who, std::move(row));
    }
    scanned_.clear();
    stream_ = &stream;
    if (!std::exchange(in_step_, true)) options_.changed({});
    announce(stream);
    send_waiting(stream);
}

void Share::send_waiting(io::Stream& stream) {
    while (!waiting_.empty() && !stream.blocked()) {
        send_line(stream, waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
    }
}

void Share::tell(GuardRow row) {
    std::string who = row.who;
    if (waiting_.size() >= most_waiting && !waiting_.contains(who)) waiting_.erase(waiting_.begin());
    waiting_.insert_or_assign(std::move(who), std::move(row));
    if (stream_ != nullptr) send_waiting(*stream_);
}

}  // namespace sallyport::guard
