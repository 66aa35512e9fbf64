#include "share/share.hpp"

#include "io/wait_any.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

namespace sallyport::share {

namespace {

using namespace std::chrono_literals;
using resp::Value;

constexpr std::string_view gateways_key = "sallyport:gateways";
constexpr std::string_view channel_suffix = ":told";
constexpr std::string_view scan_step = "500";  // rows an answer, about

constexpr Duration answers_within = 5s;
constexpr Duration asks_after = 10s;  // of silence: is it still there?
constexpr Duration scans_every = 5min;  // heals what was missed, and clears away what is over
constexpr Duration tries_again_after = 500ms;

std::string channel_of(std::string_view key) { return std::string(key).append(channel_suffix); }

// Those that don't know the greeting repeat it behind a comma, and the password with it.
std::string refusal_of_greeting(std::string_view error) {
    const std::string told = without_controls(std::string(error.substr(0, error.find(','))));
    return told.starts_with("ERR unknown command") ? told + " (Redis 6 or later does, and Valkey)" : told;
}

}  // namespace

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
    for (auto& list : scanned_) list.clear();
    greet(stream);
    std::string unread;
    for (;;) {
        if (in_step_ && loop_.now() >= next_scan_) send_scan(stream, 0, "0");
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
            send(stream, {"PING"});
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
        send(stream, {"HELLO", "3"}, {Asked::What::greeting});
    else
        send(stream,
             {"HELLO", "3", "AUTH", options_.user.empty() ? "default" : std::string_view(options_.user),
              options_.password},
             {Asked::What::greeting});
    send(stream, {"SELECT", std::to_string(options_.database)});
    subscribe(stream);
    send_scan(stream, 0, "0");
}

// Answered by pushes.
void Share::subscribe(io::Stream& stream) {
    stream.write(as_bytes(resp::write_command({{"SUBSCRIBE", channel_of(gateways_key)}})));
    for (const List& list : options_.lists)
        stream.write(as_bytes(resp::write_command({{"SUBSCRIBE", channel_of(list.key)}})));
}

void Share::send_scan(io::Stream& stream, std::size_t list, std::string_view cursor) {
    next_scan_ = loop_.now() + scans_every;
    send(stream, {"HSCAN", options_.lists[list].key, cursor, "COUNT", scan_step}, {Asked::What::scan, list});
}

bool Share::is_over(const Line& line) const {
    return line.expires_ms && WallTime{std::chrono::milliseconds(*line.expires_ms)} < loop_.wall();
}

void Share::send(io::Stream& stream, std::initializer_list<std::string_view> words, Asked asked) {
    stream.write(as_bytes(resp::write_command({words.begin(), words.size()})));
    asked_.push_back(asked);
}

void Share::send_line(io::Stream& stream, std::size_t list, const Line& line) {
    const std::string& key = options_.lists[list].key;
    send(stream, {"HSET", key, line.who, line.text});
    send(stream, {"PUBLISH", channel_of(key), line.text});
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
    if (value.kind == Value::Kind::error)
        return "it refuses: " + (asked.what == Asked::What::greeting ? refusal_of_greeting(value.text)
                                                                     : without_controls(std::string(value.text)));
    switch (asked.what) {
        case Asked::What::scan: return take_scan(stream, asked.list, value);
        case Asked::What::gateways: return take_gateways(stream, value);
        case Asked::What::greeting:
        case Asked::What::any: break;
    }
    return {};
}

std::string Share::take_scan(io::Stream& stream, std::size_t at, const Value& value) {
    constexpr std::string_view broken = "its answer to HSCAN is none";
    if (value.items.size() != 2 || value.items[0].kind != Value::Kind::text) return std::string(broken);
    const List& list = options_.lists[at];
    const auto& rows = value.items[1].items;
    if (scanned_[at].size() + rows.size() / 2 > most_scanned) return "it holds more than any gateway does";
    for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
        list.hear(rows[i + 1].text, [&](const Line& line) {
            if (line.who != rows[i].text) return false;
            const bool over = is_over(line);
            if (over)
                send(stream, {"HDEL", list.key, line.who});
            else
                scanned_[at][line.who] = line.rank;
            return !over;
        });
    }
    const std::string cursor(value.items[0].text);
    if (cursor != "0")
        send_scan(stream, at, cursor);
    else if (at + 1 < options_.lists.size())
        send_scan(stream, at + 1, "0");
    else
        complete(stream);
    return {};
}

void Share::take_message(const Value& push) {
    if (push.items.size() != 3 || push.items[0].text != "message") return;
    const std::string_view channel = push.items[1].text;
    const std::string_view text = push.items[2].text;
    if (channel == channel_of(gateways_key)) {
        if (const auto words = fields_of(text, 2)) meet(parse_announcement((*words)[0], (*words)[1]));
        return;
    }
    for (const List& list : options_.lists) {
        if (channel == channel_of(list.key)) list.hear(text, [](const Line&) { return true; });
    }
}

// The first page is enough: it holds more than are believed.
std::string Share::take_gateways(io::Stream& stream, const Value& value) {
    if (value.items.size() != 2) return "its answer to HSCAN is none";
    const auto& rows = value.items[1].items;
    for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
        const auto announcement = parse_announcement(rows[i].text, rows[i + 1].text);
        if (announcement && announcement->until <= loop_.wall())
            send(stream, {"HDEL", gateways_key, announcement->node});
        meet(announcement);
    }
    return {};
}

void Share::meet(const std::optional<Announcement>& announcement) {
    if (announcement && gateways_.hear(*announcement, loop_.wall())) options_.met();
}

void Share::announce(io::Stream& stream) {
    const auto until = loop_.wall() + std::chrono::duration_cast<WallTime::duration>(Gateways::believed_for);
    const std::string line = announcement_line({.node = {}, .until = until, .addresses = options_.own()});
    send(stream, {"HSET", gateways_key, options_.node, line});
    send(stream, {"PUBLISH", channel_of(gateways_key), options_.node + '\t' + line});
    send(stream, {"HSCAN", gateways_key, "0", "COUNT", scan_step}, {Asked::What::gateways});
    if (gateways_.expire(loop_.wall())) options_.met();
}

// All that was there has been heard. What it lacks, or knows less of, is told; what waited and is older than what was
// found there is not.
void Share::complete(io::Stream& stream) {
    const auto rank_there = [this](std::size_t list, const Line& line) {
        const auto known = scanned_[list].find(line.who);
        return known == scanned_[list].end() ? std::nullopt : std::optional(known->second);
    };
    std::erase_if(waiting_, [&](const auto& one) { return rank_there(one.first.first, one.second) > one.second.rank; });
    for (std::size_t at = 0; at < options_.lists.size(); ++at) {
        for (Line& line : options_.lists[at].mine()) {
            if (rank_there(at, line) >= line.rank) continue;
            std::string who = line.who;
            waiting_.try_emplace({at, std::move(who)}, std::move(line));
        }
        scanned_[at].clear();
    }
    stream_ = &stream;
    if (!std::exchange(in_step_, true)) options_.changed({});
    announce(stream);
    send_waiting(stream);
}

void Share::send_waiting(io::Stream& stream) {
    while (!waiting_.empty() && !stream.blocked()) {
        const auto& [key, line] = *waiting_.begin();
        send_line(stream, key.first, line);
        waiting_.erase(waiting_.begin());
    }
}

void Share::tell(std::size_t list, Line line) {
    std::pair key{list, line.who};
    // Of the last list: what keeps attackers out comes first. The next scan makes up for it.
    if (waiting_.size() >= most_waiting && !waiting_.contains(key)) waiting_.erase(std::prev(waiting_.end()));
    waiting_.insert_or_assign(std::move(key), std::move(line));
    if (stream_ != nullptr) send_waiting(*stream_);
}

}  // namespace sallyport::share
