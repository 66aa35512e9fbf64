#include "wire/http/chunked.hpp"

#include "wire/http/scanner.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sallyport::http {

namespace {

constexpr std::uint8_t max_size_digits = 16;  // leading zeros count, so that they end somewhere
constexpr std::uint64_t max_chunk = std::uint64_t{1} << 60;

constexpr std::array<std::string_view, 7> texts = {
    "a chunk size that is not a hexadecimal number", "a chunk size beyond all bounds",
    "a control character in a chunk extension",      "a chunk extension that is too long",
    "a chunk that does not end where its size says", "an invalid trailer section",
    "a trailer section that is too large",
};
static_assert(std::to_underlying(ChunkError::trailers_too_large) + 1 == texts.size());

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

HeadResult scan_trailers(Bytes section, FieldList& fields) {
    Scanner scan(section);
    return scan.fields(fields) ? scan.complete() : scan.result();
}

}  // namespace

std::string_view text(ChunkError error) { return texts[std::to_underlying(error)]; }

ChunkedReader::Step ChunkedReader::refuse(std::size_t consumed, ChunkError error) {
    state_ = State::refused;
    return {.what = Step::What::refused, .consumed = consumed, .error = error};
}

std::optional<ChunkError> ChunkedReader::take_size(char c) {
    if (const auto digit = hex_digit(c)) {
        left_ = left_ << 4 | *digit;
        if (++digits_ > max_size_digits || left_ > max_chunk) return ChunkError::size_overflow;
        return std::nullopt;
    }
    if (digits_ == 0) return ChunkError::bad_size;
    // Blanks are allowed only before the semicolon of an extension (RFC 9112 section 7.1.1); no client sends them.
    if (c == ';')
        state_ = State::extension;
    else if (c == '\r')
        state_ = State::size_lf;
    else
        return ChunkError::bad_size;
    return std::nullopt;
}

std::optional<ChunkError> ChunkedReader::take_extension(char c) {
    if (c == '\r')
        state_ = State::size_lf;
    else if (!is_in(text_set, c))
        return ChunkError::bad_extension;
    else if (++extension_size_ > max_chunk_extension)
        return ChunkError::extension_too_long;
    return std::nullopt;
}

// One byte of what stands between the data.
std::optional<ChunkError> ChunkedReader::take(char c) {
    switch (state_) {
        case State::size: return take_size(c);
        case State::extension: return take_extension(c);
        case State::size_lf:
            if (c != '\n') return ChunkError::bad_size;
            state_ = left_ == 0 ? State::trailers_or_end : State::data;
            digits_ = 0;
            extension_size_ = 0;
            return std::nullopt;
        case State::data_cr:
            if (c != '\r') return ChunkError::bad_chunk_end;
            state_ = State::data_lf;
            return std::nullopt;
        case State::data_lf:
            if (c != '\n') return ChunkError::bad_chunk_end;
            state_ = State::size;
            return std::nullopt;
        case State::trailers_or_end: state_ = State::end_lf; return std::nullopt;
        default:  // end_lf
            if (c != '\n') return ChunkError::bad_trailer;
            state_ = State::ended;
            return std::nullopt;
    }
}

ChunkedReader::Step ChunkedReader::read_data(Bytes input, std::size_t consumed) {
    const Bytes data = input.subspan(consumed, std::min<std::uint64_t>(left_, input.size() - consumed));
    left_ -= data.size();
    if (left_ == 0) state_ = State::data_cr;
    return {.what = Step::What::data, .consumed = consumed + data.size(), .data = data};
}

ChunkedReader::Step ChunkedReader::read_trailers(Bytes input, std::size_t consumed) {
    const Bytes rest = input.subspan(consumed);
    FieldList fields;
    const HeadResult result = scan_trailers(rest.first(std::min(rest.size(), max_trailers)), fields);
    if (result.refused()) return refuse(consumed, ChunkError::bad_trailer);
    if (result.complete()) {
        state_ = State::ended;
        return {.what = Step::What::end, .consumed = consumed + result.length, .trailers = rest.first(result.length)};
    }
    if (rest.size() >= max_trailers) return refuse(consumed, ChunkError::trailers_too_large);
    return {.consumed = consumed};
}

ChunkedReader::Step ChunkedReader::next(Bytes input) {
    for (std::size_t at = 0; at < input.size(); ++at) {
        const char c = static_cast<char>(input[at]);
        if (state_ == State::ended || state_ == State::refused) return {.consumed = at};
        if (state_ == State::data) return read_data(input, at);
        if (state_ == State::trailers_or_end && c != '\r') state_ = State::trailers;
        if (state_ == State::trailers) return read_trailers(input, at);
        if (const auto error = take(c)) return refuse(at, *error);
        if (state_ == State::ended) return {.what = Step::What::end, .consumed = at + 1};
    }
    return {.consumed = input.size()};
}

void read_trailers(Bytes section, FieldList& out) {
    FieldList all;
    scan_trailers(section, all);
    out.clear();
    for (const Field& field : all) {
        if (allowed_in_trailer(field)) out.add(field);
    }
}

void write_chunk_header(ByteWriter& out, std::uint64_t size) {
    std::array<char, max_chunk_header> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
    out.text({digits.data(), end});
    out.text("\r\n");
}

void write_body_end(ByteWriter& out, Bytes section) {
    out.text(last_chunk);
    FieldList fields;
    read_trailers(section, fields);
    for (const Field& field : fields) {
        out.text(field.name);
        out.text(": ");
        out.text(field.value);
        out.text("\r\n");
    }
    out.text("\r\n");
}

}  // namespace sallyport::http
