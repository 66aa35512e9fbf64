// Capture files, sans-io: pcap (both byte orders, micro- and nanoseconds) and pcapng (several interfaces, each with a
// link type and a clock of its own). Bytes in, frames out, as views into the bytes; nothing is allocated by a length
// that was read.
//
// The layouts are those of draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::pcap {

inline constexpr std::size_t max_frame = std::size_t{256} * 1024;  // bytes; what libpcap and Wireshark take at most
inline constexpr std::size_t max_block = max_frame + 64 * 1024;  // bytes of a block that must be seen whole
inline constexpr std::int64_t max_time = std::int64_t{1} << 62;  // nanoseconds
inline constexpr std::size_t max_interfaces = 4096;  // in a section of pcapng
inline constexpr std::size_t max_secrets = std::size_t{4} << 20;  // bytes kept of a file's TLS secrets

/// One captured frame.
struct Frame {
    std::int64_t time = 0;  // nanoseconds since 1970, 0 to max_time; files may go backwards
    std::uint32_t interface = 0;  // index into Reader::interfaces()
    std::uint16_t link_type = 0;  // LINKTYPE_..., see wire/packet
    std::uint32_t original_length = 0;  // bytes on the wire; more than bytes.size() where the capture cut it
    Bytes bytes;  // a view into what next() was given
};

/// One place of capture. A pcap file has one without a name.
struct Interface {
    std::uint16_t link_type = 0;
    std::string name;  // as the file says; text from outside
    std::uint64_t missed = 0;  // frames that the capturing system says it could not keep
    std::uint64_t ticks_per_second = 1'000'000;
    std::int64_t offset_seconds = 0;
};

enum class FileError : std::uint8_t {
    not_a_capture,  // neither magic
    unsupported_version,
    frame_too_large,  // a length that no capture has: the file is damaged from here on
    bad_block,  // a pcapng block whose lengths contradict each other
    unknown_interface,  // a packet of an interface that no block has described
    too_many_interfaces,
};

/// A phrase for people, in lower case, without a period.
std::string_view text(FileError error);

struct Step {
    enum class What : std::uint8_t {
        need_more,  // `wanted` bytes in all, counted from the front that is left after `consumed`
        frame,
        passed,  // something was read that is no frame
        broken,  // `error`; what came before stands
    };

    What what = What::need_more;
    std::size_t consumed = 0;  // bytes to take off the front, in any case
    std::size_t wanted = 0;
    FileError error = FileError::not_a_capture;
};

/// Reads one file from the front to the end.
class Reader {
public:
    /// @param input  the bytes that have not been consumed yet.
    /// @param frame  filled where the answer is `frame`; its view ends with `input`.
    Step next(Bytes input, Frame& frame);

    const std::vector<Interface>& interfaces() const { return interfaces_; }
    /// The TLS secrets that pcapng holds for tools that decrypt, as a key log (NSS), up to max_secrets; text from
    /// outside.
    const std::string& tls_secrets() const { return tls_secrets_; }
    bool lacks_secrets() const { return lacks_secrets_; }  // there were more than are kept
    /// May the file end here, when all that was given has been consumed?
    bool may_end() const { return format_ != Format::unknown && skip_ == 0; }

private:
    enum class Format : std::uint8_t { unknown, pcap, pcapng };

    Step begin(Bytes input);
    Step begin_pcap(Bytes input);
    Step next_record(Bytes input, Frame& frame);
    Step next_block(Bytes input, Frame& frame);
    Step section(Bytes input);
    Step block(std::uint32_t type, Bytes body, Frame& frame);
    Step description(Bytes body);
    Step enhanced_packet(Bytes body, Frame& frame);
    Step simple_packet(Bytes body, Frame& frame);
    Step obsolete_packet(Bytes body, Frame& frame);
    void statistics(Bytes body);
    void secrets(Bytes body);
    static bool begins_section(Bytes input);
    template <class Use>
    void each_option(Bytes options, const Use& use) const;
    Step packet(std::uint32_t interface, std::uint64_t ticks, std::uint32_t captured, std::uint32_t original,
                Bytes data, Frame& frame) const;
    std::uint16_t u16(Bytes bytes, std::size_t at) const;
    std::uint32_t u32(Bytes bytes, std::size_t at) const;
    std::uint64_t u64(Bytes bytes, std::size_t at) const;

    Format format_ = Format::unknown;
    bool swapped_ = false;  // the file's byte order is not little-endian
    std::size_t skip_ = 0;  // bytes of a large block of no interest that are still to come
    std::uint32_t snap_length_ = 0;
    std::size_t section_start_ = 0;  // the first interface of this section
    std::vector<Interface> interfaces_;
    std::string tls_secrets_;
    bool lacks_secrets_ = false;
};

/// Writes pcap files: nanoseconds, little-endian, one link type.
inline constexpr std::size_t file_head_size = 24;  // bytes
inline constexpr std::size_t record_head_size = 16;  // bytes
void write_file_head(ByteWriter& out, std::uint16_t link_type);
/// The frame's bytes follow it.
void write_record_head(ByteWriter& out, const Frame& frame);

}  // namespace sallyport::pcap
