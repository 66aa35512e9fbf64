// A capture file that does not grow without end: past half of its size it becomes FILE.1, and FILE begins anew.
#pragma once

#include "base/result.hpp"
#include "wire/pcap/capture.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace sallyport::diagnose {

class RingFile {
public:
    /// @param size  bytes of both files together.
    static Result<RingFile> create(std::string name, std::uint64_t size, std::uint16_t link_type);

    Result<void> write(const pcap::Frame& frame);
    /// To be called at the end: what was written is in the file from here on, or it is said why not.
    Result<void> finish();

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    RingFile(std::string name, std::uint64_t size, std::uint16_t link_type)
        : name_(std::move(name)), half_(size / 2), link_type_(link_type) {}
    Result<void> begin();
    Result<void> put(Bytes bytes);

    std::string name_;
    std::uint64_t half_ = 0;
    std::uint16_t link_type_ = 0;
    std::uint64_t written_ = 0;
    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace sallyport::diagnose
