#include "generator/asker.hpp"

#include <cstring>
#include <optional>

#include "generator/http_text.hpp"

namespace sallyport::bench {

class Askers::Asker : public Client {
public:
    Asker(Askers& all, unsigned number) : Client(all.ground_, number), all_(all) {}

    /// Begins one operation, on a new connection if there is none.
    void ask() {
        asking_ = true;
        ++all_.asking_;
        ask_now();
    }

    /// The same, and its latency counts from `due`.
    void ask_since(std::chrono::steady_clock::time_point due) {
        due_ = due;
        ask();
    }

    bool asking() const { return asking_; }

protected:
    std::string_view opening() const override { return all_.script_.opening; }

    void opened() override {
        ++all_.open_;
        if (asking_) ask_now();
    }

    void readable() override {
        std::vector<char>& buffer = ground_.buffer;
        while (is_open()) {
            const Io io = stream_.read(buffer);
            if (io.kind == Io::Kind::again) return;
            if (io.kind != Io::Kind::done) return closed_by_relay(io.kind);
            take({buffer.data(), io.bytes});
            if (io.bytes < buffer.size() && ground_.tls == nullptr && !ending()) return;  // drained
        }
    }

    void died() override { settle(); }

private:
    void ask_now() {
        if (!is_open()) return connect();
        if (!all_.script_.request.empty()) return send(all_.script_.request);
        // Each message differs from the one before, so that a stale echo is no answer.
        ++sequence_;
        if (!ground_.dialogue.request.empty()) {
            message_ = ground_.dialogue.request.with(sequence_);
        } else {
            if (message_.empty()) message_ = ground_.pattern.from(0, ground_.options.size);
            std::memcpy(message_.data(), &sequence_, std::min(sizeof sequence_, message_.size()));
        }
        send(message_);
    }

    void take(std::string_view bytes) {
        if (!asking_) return fail(Fault::wrong_answer, "bytes that nobody asked for");
        if (!partial_.empty()) {
            partial_ += bytes;
            bytes = partial_;
        }
        const std::string_view whole = is_http() ? answered(bytes) : same(bytes, expected());
        if (!is_open()) return;
        if (whole.empty()) {
            if (partial_.empty()) partial_ = bytes;
            return;
        }
        if (whole.size() < bytes.size()) return fail(Fault::wrong_answer, "more bytes than the answer has");
        partial_.clear();
        done();
    }

    bool is_http() const { return !all_.script_.request.empty() && all_.script_.answer.empty(); }

    std::string_view expected() {
        if (!all_.script_.answer.empty()) return all_.script_.answer;
        return ground_.dialogue.answer.empty() ? message_ : ground_.dialogue.answer.with(sequence_);
    }

    /// What was expected if it has come whole; nothing while it has not, or after it was found wrong.
    std::string_view same(std::string_view bytes, std::string_view expected) {
        if (bytes.size() < expected.size()) return {};
        if (bytes.starts_with(expected)) return bytes.substr(0, expected.size());
        fail(Fault::wrong_answer, "the message came back changed");
        return {};
    }

    std::string_view answered(std::string_view bytes) {
        const auto head = read_head(bytes);
        if (!head) return {};
        const std::string& body = all_.script_.body;
        if (head->status != 200 || head->body_size != body.size()) {
            fail(Fault::wrong_answer, "answer: " + std::string(bytes.substr(0, head->size)));
            return {};
        }
        if (bytes.size() < head->size + body.size()) return {};
        if (bytes.substr(head->size, body.size()) != body) {
            fail(Fault::wrong_answer, "the body differs from what the backend sent");
            return {};
        }
        closes_ = head->closes;
        return bytes.substr(0, head->size + body.size());
    }

    void done() {
        ++ground_.tally.ops;
        if (due_) note_latency(*due_);
        settle();
        if (all_.script_.reconnect || closes_) {
            if (!all_.script_.reconnect) ++ground_.tally.reconnects;
            closes_ = false;
            hang_up();
            --all_.open_;
        }
        if (all_.running_ && all_.wants_more()) ask();
        if (!all_.waiting_.empty() && !asking_) {
            const auto due = all_.waiting_.front();
            all_.waiting_.pop_front();
            ask_since(due);
        }
    }

    void note_latency(std::chrono::steady_clock::time_point due) {
        const auto taken = std::chrono::steady_clock::now() - due;
        ground_.tally.latencies.push_back(static_cast<std::uint64_t>(std::chrono::nanoseconds(taken).count()));
    }

    // A kept connection that nobody uses may be closed at any time; in the middle of an answer it may not.
    void closed_by_relay(Io::Kind kind) {
        --all_.open_;
        const std::string how = kind == Io::Kind::end ? "closed" : "reset";
        if (asking_) return fail(Fault::early_close, how + " while an answer was due");
        if (all_.script_.request.empty()) return fail(Fault::early_close, how + " while idle");
        ++ground_.tally.reconnects;
        hang_up();
    }

    void settle() {
        if (!asking_) return;
        asking_ = false;
        --all_.asking_;
    }

    Askers& all_;
    bool asking_ = false;
    bool closes_ = false;  // the answer said that the connection ends with it
    std::optional<std::chrono::steady_clock::time_point> due_;  // of the operation under way, if it is paced
    std::uint32_t sequence_ = 1 << 24;  // four octets are the shortest way to write it, as LDAP wants
    std::string message_;
};

Askers::Askers(Ground& ground, Script script) : ground_(ground), script_(std::move(script)) {
    for (unsigned i = 0; i < ground.options.connections; ++i) askers_.push_back(std::make_unique<Asker>(*this, i));
}

Askers::~Askers() = default;

bool Askers::open(std::chrono::milliseconds limit) {
    if (script_.reconnect) return true;
    // A listener's backlog is smaller than the thousands that some runs open.
    constexpr unsigned at_a_time = 128;
    unsigned begun = 0;
    const auto all_open = [&] {
        while (begun < askers_.size() && begun - open_ < at_a_time) askers_[begun++]->connect();
        return open_ == askers_.size() || ground_.tally.faulty();
    };
    return ground_.loop.until(all_open, limit) && !ground_.tally.faulty();
}

void Askers::resume() {
    running_ = true;
    for (const auto& asker : askers_) {
        if (!asker->asking()) asker->ask();
    }
}

void Askers::ask_for(std::chrono::steady_clock::time_point due) {
    for (std::size_t i = 0; i < askers_.size(); ++i) {
        Asker& asker = *askers_[next_];
        next_ = (next_ + 1) % askers_.size();
        if (!asker.asking()) return asker.ask_since(due);
    }
    waiting_.push_back(due);
}

bool Askers::once_each(std::chrono::milliseconds limit) {
    running_ = false;
    for (const auto& asker : askers_) asker->ask();
    return ground_.loop.until([&] { return quiet() || ground_.tally.faulty(); }, limit) && !ground_.tally.faulty();
}

bool Askers::wants_more() const {
    const std::uint64_t most = ground_.options.ops;
    return most == 0 || ground_.tally.ops + asking_ < most;
}

Script script_for(const Ground& ground) {
    const Options& options = ground.options;
    Script script;
    script.body = ground.pattern.from(0, options.size);
    script.reconnect = options.close || options.mode == Mode::brief;
    if (options.carrier == Carrier::tunnel) script.opening = upgrade_request(options.host, options.path);
    if (options.carrier == Carrier::http) script.request = plain_request(options.host, options.path, script.reconnect);
    const Dialogue& dialogue = ground.dialogue;
    // A connection that ends at once needs no more than the first exchange, where messages are but echoed.
    const bool opening_alone = script.reconnect && dialogue.request.empty();
    if (!dialogue.opening.empty()) (opening_alone ? script.request : script.opening) = dialogue.opening;
    if (opening_alone) script.answer = dialogue.welcome;
    return script;
}

}  // namespace sallyport::bench
