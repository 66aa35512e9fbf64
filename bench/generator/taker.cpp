#include "generator/taker.hpp"

#include "generator/backend.hpp"
#include "generator/http_text.hpp"

namespace sallyport::bench {

namespace {

std::string opening_for(const Ground& ground) {
    const Options& options = ground.options;
    if (options.mode == Mode::fair) return upgrade_request(options.host, options.path + std::string(pouring_path));
    switch (options.carrier) {
        case Carrier::http: return plain_request(options.host, options.path, false);
        case Carrier::tunnel: return upgrade_request(options.host, options.path);
        case Carrier::sni: return ground.dialogue.opening;
        case Carrier::ldap:
        case Carrier::sip:
        case Carrier::raw: break;
    }
    return {};
}

}  // namespace

Taker::Taker(Ground& ground, unsigned number, Care care, std::uint64_t upload)
    : Client(ground, number), opening_(opening_for(ground)), care_(care), upload_(upload) {}

// Over HTTP the head was of an answer, whose body follows.
void Taker::opened() {
    if (ground_.options.carrier == Carrier::http) left_of_body_ = ground_.options.size;
    const std::string surplus = std::move(partial_);  // stream bytes that came with the opening's head
    partial_.clear();
    take(surplus);
    if (is_open()) writable();
}

void Taker::resume() {
    running_ = true;
    if (is_open() && resting()) open_again();
}

void Taker::read_on() {
    reading_ = true;
    if (is_open()) readable();
}

bool Taker::take_piece() {
    if (!waiting_ || !is_open()) return false;
    const Io io = stream_.discard(ground_.buffer, piece_size);
    waiting_ = io.kind == Io::Kind::done;
    if (waiting_) count(io.bytes);
    if (!waiting_ && io.kind != Io::Kind::again) {
        end_ = io.kind == Io::Kind::end ? End::finished : End::broken;
        hang_up();
    }
    return waiting_;
}

void Taker::readable() {
    waiting_ = true;
    if (care_ == Care::piece) return;
    while (reading_ && is_open()) {
        std::vector<char>& buffer = ground_.buffer;
        const bool verify = care_ == Care::verify;
        const Io io = verify ? stream_.read(buffer) : stream_.discard(buffer);
        if (io.kind == Io::Kind::again) return;
        if (io.kind == Io::Kind::done) {
            take({buffer.data(), verify ? io.bytes : 0});
            if (!verify) count(io.bytes);
            continue;
        }
        end_ = io.kind == Io::Kind::end ? End::finished : End::broken;
        return hang_up();
    }
}

void Taker::writable() {
    while (sent_ < upload_) {
        const std::uint64_t left = upload_ - sent_;
        const Io io = stream_.write(ground_.pattern.from(sent_, left < Pattern::longest ? left : Pattern::longest));
        if (io.kind != Io::Kind::done) return;  // a failure shows when reading
        sent_ += io.bytes;
        if (sent_ == upload_) stream_.finish();
    }
}

void Taker::take(std::string_view bytes) {
    if (care_ == Care::verify && !ground_.pattern.matches(received_, bytes)) {
        ground_.tally.fault(Fault::lost_bytes, "client: bytes differ from what the backend sent");
    }
    count(bytes.size());
}

void Taker::count(std::uint64_t bytes) {
    received_ += bytes;
    ground_.tally.received += bytes;
    if (left_of_body_ == 0 || bytes == 0) return;
    if (bytes > left_of_body_) return fail(Fault::wrong_answer, "more bytes than the body has");
    left_of_body_ -= bytes;
    if (resting() && running_) open_again();
}

}  // namespace sallyport::bench
