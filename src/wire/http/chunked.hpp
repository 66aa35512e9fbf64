// The chunked transfer coding (RFC 9112 section 7.1): reading it as it streams by, and writing it anew.
//
// A relay never passes chunk lines through: it takes the data out and frames it again, so that sender and receiver
// can't be made to disagree on where a body ends.
#pragma once

#include "base/bytes.hpp"
#include "wire/http/fields.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::http {

enum class ChunkError : std::uint8_t {
    bad_size,  // not a hexadecimal number, or no CRLF behind it
    size_overflow,  // beyond 2^60 bytes, or more digits than that needs
    bad_extension,  // a control character in it
    extension_too_long,  // more than max_chunk_extension bytes
    bad_chunk_end,  // data not followed by CRLF
    bad_trailer,  // not a valid field section, or too many fields
    trailers_too_large,  // more than max_trailers bytes
};

/// A phrase for people, in lower case, without a period.
std::string_view text(ChunkError error);

inline constexpr std::size_t max_chunk_extension = 256;  // bytes a chunk
inline constexpr std::size_t max_trailers = 8192;  // bytes of the whole section with its empty line

/// Reads one chunked body, in whatever pieces it comes.
class ChunkedReader {
public:
    struct Step {
        enum class What : std::uint8_t { need_more, data, end, refused };

        What what = What::need_more;
        std::size_t consumed = 0;  // bytes of the input that are done with; take them off before the next call
        Bytes data = {};  // where data: some of the body, a view into the input
        Bytes trailers = {};  // where end: the trailer section, a view into the input; empty when none
        ChunkError error = ChunkError::bad_size;  // where refused
    };

    /// The next thing in the input: some data, the end of the body, a refusal, or the wish for more.
    ///
    /// Everything is consumed as it comes but an unfinished trailer section (at most max_trailers bytes): what was not
    /// consumed is given again with more behind it. After end and refused the reader is done.
    Step next(Bytes input);

    bool ended() const { return state_ == State::ended; }

private:
    enum class State : std::uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailers_or_end,
        end_lf,
        trailers,
        ended,
        refused
    };

    Step refuse(std::size_t consumed, ChunkError error);
    Step read_data(Bytes input, std::size_t consumed);
    Step read_trailers(Bytes input, std::size_t consumed);
    std::optional<ChunkError> take(char c);
    std::optional<ChunkError> take_size(char c);
    std::optional<ChunkError> take_extension(char c);

    State state_ = State::size;
    std::uint8_t digits_ = 0;  // of the size that is being read
    std::uint16_t extension_size_ = 0;  // bytes
    std::uint64_t left_ = 0;  // of the chunk; while its size is read, the size so far
};

/// Reads the fields of a trailer section and keeps those that may be passed on (allowed_in_trailer).
/// @param section  as Step::trailers gave it; the fields are views into it.
void read_trailers(Bytes section, FieldList& out);

inline constexpr std::string_view chunk_end = "\r\n";  // behind the data of each chunk
inline constexpr std::string_view last_chunk = "0\r\n";  // then trailers, then an empty line
inline constexpr std::string_view chunked_body_end = "0\r\n\r\n";  // without trailers
inline constexpr std::size_t max_chunk_header = 18;  // bytes that write_chunk_header can need

/// The line before the data of a chunk. Size 0 would end the body: write last_chunk for that.
void write_chunk_header(ByteWriter& out, std::uint64_t size);

/// Bytes that write_body_end can need: a blank may be added to each field.
inline constexpr std::size_t max_body_end = last_chunk.size() + max_trailers + FieldList::capacity;

/// The end of a body with its trailers: last chunk, the fields that may be passed on, the empty line.
/// @param section  as Step::trailers gave it; empty when there were none.
void write_body_end(ByteWriter& out, Bytes section);

}  // namespace sallyport::http
