#include "diagnose/source.hpp"

#include "io/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace sallyport::diagnose {

namespace {

class PlainFile : public Source {
public:
    PlainFile(std::string name, io::Fd fd) : name_(std::move(name)), fd_(std::move(fd)) {
        struct stat status{};
        if (fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode))
            size_ = static_cast<std::uint64_t>(status.st_size);
    }
    ~PlainFile() override {
        if (fd_.get() == STDIN_FILENO) fd_.release();  // not ours to close
    }
    PlainFile(const PlainFile&) = delete;
    PlainFile& operator=(const PlainFile&) = delete;

    Result<std::size_t> read(MutableBytes room) override {
        for (;;) {
            const ssize_t got = ::read(fd_.get(), room.data(), room.size());
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return fail("can't read " + name_ + ": " + std::strerror(errno));
            taken_ += static_cast<std::uint64_t>(got);
            return static_cast<std::size_t>(got);
        }
    }
    std::uint64_t taken() const override { return taken_; }
    std::uint64_t size() const override { return size_; }

private:
    std::string name_;
    io::Fd fd_;
    std::uint64_t taken_ = 0, size_ = 0;
};

// Gives back first what was read to see what kind of file it is.
class Begun : public Source {
public:
    Begun(std::unique_ptr<Source> rest, Bytes begin) : rest_(std::move(rest)), begin_(begin.begin(), begin.end()) {}

    Result<std::size_t> read(MutableBytes room) override {
        if (given_ == begin_.size()) return rest_->read(room);
        const std::size_t part = std::min(room.size(), begin_.size() - given_);
        std::memcpy(room.data(), begin_.data() + given_, part);
        given_ += part;
        return part;
    }
    std::uint64_t taken() const override { return rest_->taken(); }
    std::uint64_t size() const override { return rest_->size(); }

private:
    std::unique_ptr<Source> rest_;
    std::vector<std::byte> begin_;
    std::size_t given_ = 0;
};

// RFC 1952, several members in a row too. What a cut or damaged file holds is given before the error.
class Gzip : public Source {
public:
    explicit Gzip(std::unique_ptr<Source> packed) : packed_(std::move(packed)) {
        inflateInit2(&stream_, 15 + 16);  // 32 KiB of window, gzip's head and tail
    }
    ~Gzip() override { inflateEnd(&stream_); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    Result<std::size_t> read(MutableBytes room) override {
        stream_.next_out = reinterpret_cast<Bytef*>(room.data());
        stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(room.size(), 1U << 30));
        const uInt wanted = stream_.avail_out;
        while (stream_.avail_out == wanted && !ended_) {
            if (stream_.avail_in == 0 && !refill()) return fail(std::move(*error_));
            if (!ended_) step();
        }
        return wanted - stream_.avail_out;
    }
    std::uint64_t taken() const override { return packed_->taken(); }
    std::uint64_t size() const override { return packed_->size(); }
    bool damaged() const override { return damaged_; }

private:
    bool refill() {
        const auto got = packed_->read(buffer_);
        if (!got) return error_ = got.error().message, false;
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(*got);
        if (*got == 0) end();
        return true;
    }
    void step() {
        const int status = inflate(&stream_, Z_NO_FLUSH);
        if (status == Z_STREAM_END) {
            inflateReset(&stream_);
            ++members_;
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            end();
        }
    }
    // Behind whole members may stand anything, as gzip(1) has it.
    void end() {
        ended_ = true;
        damaged_ = members_ == 0 || stream_.total_out > 0;
    }

    std::unique_ptr<Source> packed_;
    z_stream stream_{};
    std::array<std::byte, 65536> buffer_{};
    std::optional<std::string> error_;
    std::size_t members_ = 0;  // that were whole
    bool ended_ = false, damaged_ = false;
};

bool is_gzip(Bytes begin) {
    return begin.size() >= 2 && std::to_integer<unsigned>(begin[0]) == 0x1F &&
           std::to_integer<unsigned>(begin[1]) == 0x8B;
}

}  // namespace

Result<std::unique_ptr<Source>> Source::open(const std::string& name) {
    io::Fd fd(name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail("can't open " + name + ": " + std::strerror(errno));
    auto file = std::make_unique<PlainFile>(name == "-" ? "standard input" : name, std::move(fd));
    std::array<std::byte, 2> begin{};
    std::size_t filled = 0;
    while (filled < begin.size()) {
        const auto got = file->read(MutableBytes(begin).subspan(filled));
        if (!got) return std::unexpected(got.error());
        if (*got == 0) break;
        filled += *got;
    }
    auto whole = std::make_unique<Begun>(std::move(file), Bytes(begin).first(filled));
    if (!is_gzip(Bytes(begin).first(filled))) return whole;
    return std::make_unique<Gzip>(std::move(whole));
}

}  // namespace sallyport::diagnose
