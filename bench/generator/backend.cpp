#include "generator/backend.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "generator/http_text.hpp"

namespace sallyport::bench {

class Backend::Door : public Watcher {
public:
    explicit Door(Backend& backend) : backend_(backend) {}
    void on_ready(std::uint32_t) override { backend_.accept_all(); }

private:
    Backend& backend_;
};

// One connection from the relay.
class Backend::Guest : public Watcher {
public:
    explicit Guest(Backend& backend) : backend_(backend) {}

    void welcome(int fd) {
        stream_.adopt(fd);
        const unsigned most = backend_.ground_.options.send_buffer;
        if (most > 0) stream_.limit_send_buffer(most);
        manner_ = backend_.manner_;
        in_pieces_ = manner_ == Manner::mixed;
        const Dialogue& dialogue = backend_.ground_.dialogue;
        streaming_ =
            backend_.ground_.options.carrier == Carrier::raw || (dialogue.opening.empty() && !dialogue.request.empty());
        finished_ = closes_ = false;
        offset_ = heard_ = 0;
        partial_.clear();
        unsent_.clear();
        if (!stream_.watch(backend_.ground_.loop, *this)) leave(false);
    }

    void on_ready(std::uint32_t events) override {
        if (!stream_.is_open()) return;
        if ((events & EPOLLOUT) != 0) {
            full_ = false;
            flush();
        }
        if (stream_.is_open() && (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) read_all();
        if (stream_.is_open()) pour();
    }

    /// One piece of a stream that is poured so; whether any of it was taken.
    bool pour_piece() {
        const bool pours = stream_.is_open() && streaming_ && in_pieces_ && manner_ == Manner::pour;
        if (!pours || full_ || !unsent_.empty()) return false;
        const Io io = stream_.write(backend_.ground_.pattern.from(offset_, piece_size));
        if (io.kind == Io::Kind::failed) leave(false);
        full_ = io.kind != Io::Kind::done;
        if (full_) return false;
        offset_ += io.bytes;
        backend_.ground_.tally.poured += io.bytes;
        return true;
    }

    void pour() {
        if (!streaming_ || in_pieces_) return;
        if (manner_ == Manner::pour) pour_stream_or_body();
        if (manner_ == Manner::listen && finished_) {
            pour_until(backend_.answer_size_);
            if (offset_ >= backend_.answer_size_) leave(true);
        }
    }

    void reset() {
        if (!stream_.is_open()) return;
        stream_.reset();
        backend_.free_.push_back(this);
    }

private:
    // A tunnel's stream has no end; the body of an answer has, and then comes the next request.
    void pour_stream_or_body() {
        const Options& options = backend_.ground_.options;
        if (options.carrier != Carrier::http) return pour_until(UINT64_MAX);
        pour_until(options.size);
        if (offset_ < options.size) return;
        streaming_ = false;
        offset_ = 0;
        leave_if_served();
    }

    // An HTTP/1.0 request, or one that says close, ends its connection once it is answered.
    void leave_if_served() {
        if (closes_ && !streaming_ && unsent_.empty()) leave(true);
    }

    void read_all() {
        std::vector<char>& buffer = backend_.ground_.buffer;
        while (stream_.is_open() && !finished_) {
            const Io io = stream_.read(buffer);
            if (io.kind == Io::Kind::again) return;
            if (io.kind == Io::Kind::failed) return leave(false);
            if (io.kind == Io::Kind::end) return far_end_finished();
            take({buffer.data(), io.bytes});
        }
    }

    void far_end_finished() {
        ++backend_.finished_;
        finished_ = true;
        if (!partial_.empty())
            backend_.ground_.tally.fault(Fault::bad_request, "backend: half a request, then the end");
        if (manner_ != Manner::listen) leave(true);
    }

    void take(std::string_view bytes) {
        const Dialogue& dialogue = backend_.ground_.dialogue;
        if (!streaming_) return dialogue.opening.empty() ? take_heads(bytes) : take_opening(bytes);
        if (!dialogue.request.empty()) return take_requests(bytes);
        if (manner_ == Manner::echo) return send(bytes);
        if (manner_ == Manner::listen && !backend_.ground_.pattern.matches(heard_, bytes)) {
            backend_.ground_.tally.fault(Fault::lost_bytes, "backend: bytes differ from what was sent");
        }
        heard_ += bytes.size();
        backend_.heard_ += bytes.size();
    }

    void take_opening(std::string_view bytes) {
        const std::string_view expected = backend_.ground_.dialogue.opening;
        partial_ += bytes;
        const std::string_view so_far = std::string_view(partial_).substr(0, expected.size());
        if (!expected.starts_with(so_far)) {
            backend_.ground_.tally.fault(Fault::bad_request, "backend: the opening is not what was sent");
        }
        if (so_far.size() < expected.size()) return;
        const std::string rest = partial_.substr(expected.size());
        partial_.clear();
        streaming_ = true;
        send(backend_.ground_.dialogue.welcome);
        if (stream_.is_open() && !rest.empty()) take(rest);
    }

    void take_requests(std::string_view bytes) {
        Dialogue& dialogue = backend_.ground_.dialogue;
        partial_ += bytes;
        while (stream_.is_open() && partial_.size() >= dialogue.request.size()) {
            const std::string_view request = std::string_view(partial_).substr(0, dialogue.request.size());
            const std::uint32_t number = dialogue.request.number_in(request);
            if (request != dialogue.request.with(number)) {
                return backend_.ground_.tally.fault(Fault::bad_request, "backend: a request is not what was sent");
            }
            partial_.erase(0, request.size());
            send(dialogue.answer.with(number));
        }
    }

    void take_heads(std::string_view bytes) {
        if (!partial_.empty()) {
            partial_ += bytes;
            bytes = partial_;
        }
        while (stream_.is_open() && !streaming_) {
            const auto head = read_head(bytes);
            if (!head) break;
            answer(*head, bytes.substr(0, head->size));
            bytes.remove_prefix(head->size);
        }
        std::string rest(bytes);  // `bytes` may be a view into partial_
        partial_.clear();
        if (!stream_.is_open() || rest.empty()) return;
        if (streaming_) return take(rest);
        partial_ = std::move(rest);
    }

    void answer(const Head& head, std::string_view text) {
        const Options& options = backend_.ground_.options;
        const bool right = field(text, "host").has_value() && text.substr(0, 4) == "GET " &&
                           text.substr(4, options.path.size()) == options.path &&
                           (!options.forwarded_for || field(text, "x-forwarded-for").has_value());
        if (!right)
            backend_.ground_.tally.fault(Fault::bad_request, "backend: unexpected request: " + std::string(text));
        if (options.carrier == Carrier::tunnel) {
            if (!field(text, "upgrade"))
                backend_.ground_.tally.fault(Fault::bad_request, "backend: no Upgrade arrived");
            if (in_pieces_) manner_ = asks_to_pour(head.start_line) ? Manner::pour : Manner::echo;
            streaming_ = true;
            return send(backend_.upgrade_);
        }
        streaming_ = manner_ == Manner::pour;
        closes_ = head.closes;
        send(backend_.answer_);
        leave_if_served();
    }

    static bool asks_to_pour(std::string_view start_line) {
        const std::size_t version = start_line.rfind(' ');
        return version != std::string_view::npos && start_line.substr(0, version).ends_with(pouring_path);
    }

    void send(std::string_view bytes) {
        if (!unsent_.empty()) {
            unsent_ += bytes;
            return;
        }
        const Io io = stream_.write(bytes);
        if (io.kind == Io::Kind::failed) return leave(false);
        unsent_ = bytes.substr(io.bytes);
    }

    void flush() {
        if (unsent_.empty()) return;
        const Io io = stream_.write(unsent_);
        if (io.kind == Io::Kind::failed) return leave(false);
        unsent_.erase(0, io.bytes);
        leave_if_served();
    }

    void pour_until(std::uint64_t end) {
        while (backend_.pouring_ && unsent_.empty() && offset_ < end) {
            const std::uint64_t left = end - offset_;
            const auto piece =
                backend_.ground_.pattern.from(offset_, left < Pattern::longest ? left : Pattern::longest);
            const Io io = stream_.write(piece);
            if (io.kind == Io::Kind::failed) return leave(false);
            if (io.kind == Io::Kind::again) return;
            offset_ += io.bytes;
            backend_.ground_.tally.poured += io.bytes;
        }
    }

    void leave(bool in_due_form) {
        if (!stream_.is_open()) return;
        if (!in_due_form) ++backend_.broken_;
        stream_.close();
        backend_.free_.push_back(this);
    }

    Backend& backend_;
    Stream stream_;
    Manner manner_ = Manner::echo;
    bool in_pieces_ = false;  // pours when pour_piece() says so
    bool full_ = false;       // the socket took no more
    bool streaming_ = false;  // past the heads
    bool finished_ = false;  // the far end has
    bool closes_ = false;     // the connection ends with the answer under way
    std::uint64_t offset_ = 0;  // of what was poured
    std::uint64_t heard_ = 0;
    std::string partial_;  // a head that has not come whole
    std::string unsent_;
};

Backend::Backend(Ground& ground, Manner manner, std::uint64_t answer_size)
    : ground_(ground),
      manner_(manner),
      answer_size_(answer_size),
      upgrade_(upgrade_answer()),
      door_(std::make_unique<Door>(*this)) {
    answer_ =
        manner == Manner::pour ? ok_head(ground.options.size) : ok_answer(ground.pattern.from(0, ground.options.size));
}

Backend::~Backend() {
    if (listener_ >= 0) ::close(listener_);
}

bool Backend::start() {
    listener_ = listen_on(ground_.options.backend);
    return listener_ >= 0 && ground_.loop.add(listener_, *door_);
}

void Backend::accept_all() {
    while (true) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        free_guest().welcome(fd);
    }
}

Backend::Guest& Backend::free_guest() {
    if (free_.empty()) return *guests_.emplace_back(std::make_unique<Guest>(*this));
    Guest& guest = *free_.back();
    free_.pop_back();
    return guest;
}

void Backend::pour_piece() {
    for (std::size_t i = 0; pouring_ && i < guests_.size(); ++i) {
        Guest& guest = *guests_[next_];
        next_ = (next_ + 1) % guests_.size();
        if (guest.pour_piece()) return;
    }
}

void Backend::resume() {
    pouring_ = true;
    for (const auto& guest : guests_) guest->on_ready(0);
}

void Backend::reset_all() {
    for (const auto& guest : guests_) guest->reset();
}

}  // namespace sallyport::bench
