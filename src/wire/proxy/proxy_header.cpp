#include "wire/proxy/proxy_header.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace sallyport::proxy {

namespace {

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t distinct = 5;  // bytes of the signature that nothing else begins with: a NUL behind blank lines

constexpr HeaderResult need_more{};
constexpr HeaderResult refused(HeaderError error) { return {.state = HeaderResult::State::refused, .error = error}; }
constexpr HeaderResult complete(std::size_t length) {
    return {.state = HeaderResult::State::complete, .length = length};
}

// Is one of the two the beginning of the other?
bool agree(std::string_view a, std::string_view b) {
    const std::size_t common = std::min(a.size(), b.size());
    return a.substr(0, common) == b.substr(0, common);
}

// ---------------------------------------------------------------- version 1

constexpr std::string_view decimal_digits = "0123456789";
constexpr std::size_t longest_port = 5;

enum class Family : std::uint8_t { none, v4, v6 };

// What may stand behind "PROXY ", and how the addresses behind it are written.
struct Protocol {
    Family family;
    std::string_view name;
    std::string_view characters;
    std::size_t longest;  // bytes of an address
};

constexpr Protocol protocols[] = {
    {Family::v4, "TCP4 ", "0123456789.", 15},
    // Mapped addresses come with their last 32 bits in dotted form, from HAProxy too.
    {Family::v6, "TCP6 ", "0123456789abcdefABCDEF:.", 39},
    {Family::none, "UNKNOWN", "", 0},
};

// Walks over the line. Every step answers true and moves on, or false: then result() says whether more bytes are needed
// or what is wrong. A step never decides on a byte that has not come.
class LineReader {
public:
    explicit LineReader(std::string_view bytes) : all_(bytes.substr(0, max_line)), rest_(all_) {}

    bool literal(std::string_view expected, HeaderError otherwise);
    bool protocol(const Protocol*& out);
    bool address(const Protocol& protocol, IpAddress& out);
    bool port(char end, std::uint16_t& out);
    // The line's end, perhaps behind a space and whatever else.
    bool remainder();

    HeaderResult result() const { return result_; }
    HeaderResult complete() const { return proxy::complete(all_.size() - rest_.size()); }

private:
    bool word(std::string_view characters, std::size_t longest, char end, std::string_view& out);
    bool refuse(HeaderError error) {
        result_ = refused(error);
        return false;
    }
    bool ask_for_more() { return all_.size() == max_line ? refuse(HeaderError::too_large) : false; }

    std::string_view all_;
    std::string_view rest_;
    HeaderResult result_;
};

bool LineReader::literal(std::string_view expected, HeaderError otherwise) {
    if (!agree(rest_, expected)) return refuse(otherwise);
    if (rest_.size() < expected.size()) return ask_for_more();
    rest_.remove_prefix(expected.size());
    return true;
}

bool LineReader::protocol(const Protocol*& out) {
    out = std::ranges::find_if(protocols, [this](const Protocol& p) { return agree(rest_, p.name); });
    return out != std::ranges::end(protocols) ? literal(out->name, HeaderError::malformed)
                                              : refuse(HeaderError::malformed);
}

// At most `longest` of these characters, and the one byte behind them.
bool LineReader::word(std::string_view characters, std::size_t longest, char end, std::string_view& out) {
    const std::size_t length = std::min(rest_.find_first_not_of(characters), rest_.size());
    if (length > longest) return refuse(HeaderError::malformed);
    if (length == rest_.size()) return ask_for_more();
    if (rest_[length] != end) return refuse(HeaderError::malformed);
    out = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return true;
}

bool LineReader::address(const Protocol& protocol, IpAddress& out) {
    std::string_view digits;
    if (!word(protocol.characters, protocol.longest, ' ', digits)) return false;
    const auto parsed = IpAddress::parse(digits);
    // A mapped address counts as IPv4 once it is parsed, so the text must tell its family.
    if (!parsed || digits.contains(':') != (protocol.family == Family::v6)) return refuse(HeaderError::malformed);
    out = *parsed;
    return true;
}

bool LineReader::port(char end, std::uint16_t& out) {
    std::string_view digits;
    if (!word(decimal_digits, longest_port, end, digits)) return false;
    const auto parsed = parse_number<std::uint16_t>(digits);
    if (!parsed || (digits.size() > 1 && digits.front() == '0')) return refuse(HeaderError::malformed);
    out = *parsed;
    return true;
}

bool LineReader::remainder() {
    if (rest_.starts_with(' ')) rest_.remove_prefix(std::min(rest_.find_first_of(line_end), rest_.size()));
    return literal(line_end, HeaderError::malformed);
}

HeaderResult read_line(std::string_view bytes, Header& header) {
    LineReader line(bytes);
    const Protocol* protocol = nullptr;
    if (!line.literal(line_start, HeaderError::not_proxy) || !line.protocol(protocol)) return line.result();
    Header found{.local = protocol->family == Family::none};
    const bool whole = found.local
                           ? line.remainder()
                           : line.address(*protocol, found.source.ip) &&
                                 line.address(*protocol, found.destination.ip) && line.port(' ', found.source.port) &&
                                 line.port('\r', found.destination.port) && line.literal("\n", HeaderError::malformed);
    if (!whole) return line.result();
    header = found;
    return line.complete();
}

// ---------------------------------------------------------------- version 2

constexpr std::uint8_t version_2 = 2;
constexpr std::uint8_t local_command = 0;
constexpr std::uint8_t proxy_command = 1;

constexpr std::uint8_t unspecified = 0x00;
constexpr std::uint8_t tcp_over_v4 = 0x11;
constexpr std::uint8_t tcp_over_v6 = 0x21;
constexpr std::uint8_t unix_stream = 0x31;

struct AddressBlock {
    std::uint8_t family;  // with the transport, as on the wire
    std::uint16_t size;  // bytes
};

// Datagrams (0x12, 0x22, 0x32) are known but can't have come over TCP; others must be rejected.
constexpr AddressBlock address_blocks[] = {{unspecified, 0}, {tcp_over_v4, 12}, {tcp_over_v6, 36}, {unix_stream, 216}};

constexpr std::uint8_t checksum_type = 0x03;  // PP2_TYPE_CRC32C
constexpr std::uint8_t ssl_type = 0x20;  // PP2_TYPE_SSL
constexpr std::size_t ssl_head = 5;  // what the client did and how it was verified, before the TLVs within

// CRC-32C (RFC 9260 appendix A), of reflected bits.
constexpr auto checksum_table = [] {
    constexpr std::uint32_t polynomial = 0x82F63B78;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? polynomial : 0);
        table[i] = value;
    }
    return table;
}();

std::uint32_t sum_up(std::uint32_t sum, Bytes bytes) {
    for (const std::byte b : bytes) sum = sum >> 8 ^ checksum_table[(sum ^ std::to_integer<std::uint32_t>(b)) & 0xFF];
    return sum;
}

// Section 2.2.3: over the whole header, with zeros where the checksum itself stands.
bool checksum_holds(Bytes whole, Bytes field) {
    const auto told = ByteReader(field).u32();
    if (!told || field.size() != sizeof *told) return false;
    constexpr std::array<std::byte, sizeof *told> zeros{};
    const auto at = static_cast<std::size_t>(field.data() - whole.data());
    std::uint32_t sum = sum_up(~std::uint32_t{0}, whole.first(at));
    sum = sum_up(sum, zeros);
    sum = sum_up(sum, whole.subspan(at + zeros.size()));
    return ~sum == *told;
}

struct Tlv {
    std::uint8_t type;
    Bytes value;
};

std::optional<Tlv> next_tlv(ByteReader& tlvs) {
    const auto type = tlvs.u8();
    const auto size = tlvs.u16();
    const auto value = type && size ? tlvs.take(*size) : std::nullopt;
    if (!value) return std::nullopt;
    return Tlv{*type, *value};
}

// Section 2.2.6.
bool is_whole_ssl(Bytes value) {
    ByteReader tlvs(value);
    if (!tlvs.take(ssl_head)) return false;
    while (!tlvs.empty())
        if (!next_tlv(tlvs)) return false;
    return true;
}

bool tlvs_hold(ByteReader tlvs, Bytes whole) {
    bool summed = false;
    while (!tlvs.empty()) {
        const auto tlv = next_tlv(tlvs);
        if (!tlv) return false;
        if (tlv->type == ssl_type && !is_whole_ssl(tlv->value)) return false;
        if (tlv->type != checksum_type) continue;
        // One at most: which of two counts as zeros while the other is verified, the specification doesn't say.
        if (summed || !checksum_holds(whole, tlv->value)) return false;
        summed = true;
    }
    return true;
}

std::optional<IpAddress> read_ip(ByteReader& block, std::uint8_t family) {
    if (family == tcp_over_v4) return block.u32().transform(IpAddress::v4);
    const auto bytes = block.take(16);
    if (!bytes) return std::nullopt;
    std::array<std::uint8_t, 16> network_order{};
    std::ranges::transform(*bytes, network_order.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return IpAddress::v6(network_order);
}

// False: the block ends before its addresses do.
bool read_addresses(ByteReader& block, const AddressBlock& shape, Header& header) {
    header.local = shape.family == unix_stream;
    if (header.local) return block.take(shape.size).has_value();
    const auto source = read_ip(block, shape.family);
    const auto destination = read_ip(block, shape.family);
    const auto source_port = block.u16();
    const auto destination_port = block.u16();
    if (!source || !destination || !source_port || !destination_port) return false;
    header.source = {*source, *source_port};
    header.destination = {*destination, *destination_port};
    return true;
}

HeaderResult read_binary(Bytes bytes, Header& header) {
    ByteReader reader(bytes);
    if (!reader.take(signature.size())) return need_more;
    const auto version_and_command = reader.u8();
    if (!version_and_command) return need_more;
    const int command = *version_and_command & 0x0F;
    if (*version_and_command >> 4 != version_2 || command > proxy_command) return refused(HeaderError::unsupported);
    const auto told = reader.u8();
    if (!told) return need_more;
    const std::uint8_t family = command == local_command ? unspecified : *told;  // LOCAL has its family ignored
    const auto* const shape = std::ranges::find(address_blocks, family, &AddressBlock::family);
    if (shape == std::ranges::end(address_blocks)) return refused(HeaderError::unsupported);
    const auto size = reader.u16();
    if (!size) return need_more;
    if (*size > max_block) return refused(HeaderError::too_large);
    if (*size < shape->size) return refused(HeaderError::malformed);
    auto block = reader.sub(*size);
    if (!block) return need_more;

    const Bytes whole = bytes.first(bytes.size() - reader.remaining());
    Header found{.local = true};
    // Without a family nobody says where addresses end and TLVs begin: the block is passed over unread.
    const bool known = family != unspecified;
    if (known && !(read_addresses(*block, *shape, found) && tlvs_hold(*block, whole)))
        return refused(HeaderError::malformed);
    header = found;
    return complete(whole.size());
}

// ---------------------------------------------------------------- writing

std::string v6_text(const IpAddress& ip) { return (ip.is_v4() ? "::ffff:" : "") + ip.to_string(); }

void write_line(ByteWriter& out, bool v4, const SocketAddress& source, const SocketAddress& destination) {
    out.text(line_start);
    out.text(v4 ? "TCP4" : "TCP6");
    for (const IpAddress& ip : {source.ip, destination.ip}) {
        out.text(" ");
        out.text(v4 ? ip.to_string() : v6_text(ip));
    }
    for (const std::uint16_t port : {source.port, destination.port}) {
        out.text(" ");
        out.text(std::to_string(port));
    }
    out.text(line_end);
}

void write_binary(ByteWriter& out, bool v4, const SocketAddress& source, const SocketAddress& destination) {
    const AddressBlock& shape =
        *std::ranges::find(address_blocks, v4 ? tcp_over_v4 : tcp_over_v6, &AddressBlock::family);
    out.text(signature);
    out.u8(version_2 << 4 | proxy_command);
    out.u8(shape.family);
    out.u16(shape.size);
    for (const IpAddress& ip : {source.ip, destination.ip}) {
        if (v4)
            out.u32(ip.v4_host_order());
        else
            out.bytes(std::as_bytes(std::span(ip.bytes())));
    }
    out.u16(source.port);
    out.u16(destination.port);
}

}  // namespace

std::string_view text(HeaderError error) {
    switch (error) {
        case HeaderError::not_proxy: return "not a PROXY header";
        case HeaderError::malformed: return "a malformed PROXY header";
        case HeaderError::unsupported: return "a PROXY header of an unknown version, command or transport";
        case HeaderError::too_large: return "a PROXY header that is too long";
    }
    return "unknown";
}

HeaderResult read_header(Bytes bytes, Header& header) {
    const std::string_view begin = as_text(bytes);
    if (begin.empty()) return need_more;
    if (begin.front() == line_start.front()) return read_line(begin, header);
    if (agree(begin, signature)) return read_binary(bytes, header);
    return refused(HeaderError::not_proxy);
}

bool begins_like_header(Bytes bytes) {
    const std::string_view begin = as_text(bytes);
    return begin.starts_with(line_start) || begin.starts_with(signature.substr(0, distinct));
}

void write_header(ByteWriter& out, Version version, const SocketAddress& source, const SocketAddress& destination) {
    const bool v4 = source.ip.is_v4() && destination.ip.is_v4();
    (version == Version::v1 ? write_line : write_binary)(out, v4, source, destination);
}

void write_local_header(ByteWriter& out, Version version) {
    if (version == Version::v1) {
        out.text("PROXY UNKNOWN");
        out.text(line_end);
        return;
    }
    out.text(signature);
    out.u8(version_2 << 4 | local_command);
    out.u8(unspecified);
    out.u16(0);
}

}  // namespace sallyport::proxy
