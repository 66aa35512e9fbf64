#include "diagnose/ring_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace sallyport::diagnose {

Result<RingFile> RingFile::create(std::string name, std::uint64_t size, std::uint16_t link_type) {
    RingFile ring(std::move(name), size, link_type);
    if (auto begun = ring.begin(); !begun) return std::unexpected(begun.error());
    return ring;
}

Result<void> RingFile::begin() {
    file_.reset(std::fopen(name_.c_str(), "we"));
    if (!file_) return fail("can't write " + name_ + ": " + std::strerror(errno));
    written_ = 0;
    std::array<std::byte, pcap::file_head_size> room{};
    ByteWriter out(room);
    pcap::write_file_head(out, link_type_);
    return put(out.written());
}

Result<void> RingFile::put(Bytes bytes) {
    written_ += bytes.size();
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
    return fail("can't write " + name_ + ": " + std::strerror(errno));
}

Result<void> RingFile::finish() {
    if (std::fflush(file_.get()) == 0) return {};
    return fail("can't write " + name_ + ": " + std::strerror(errno));
}

Result<void> RingFile::write(const pcap::Frame& frame) {
    if (written_ + pcap::record_head_size + frame.bytes.size() > half_ && written_ > pcap::file_head_size) {
        if (auto whole = finish(); !whole) return whole;
        file_.reset();
        if (std::rename(name_.c_str(), (name_ + ".1").c_str()) != 0) {
            return fail("can't rename " + name_ + ": " + std::strerror(errno));
        }
        if (auto begun = begin(); !begun) return begun;
    }
    std::array<std::byte, pcap::record_head_size> room{};
    ByteWriter out(room);
    pcap::write_record_head(out, frame);
    if (auto head = put(out.written()); !head) return head;
    return put(frame.bytes);
}

}  // namespace sallyport::diagnose
