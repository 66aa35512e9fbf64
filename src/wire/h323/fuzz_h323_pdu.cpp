// Valid messages, altered where it hurts: the mutator knows where lengths, counts, choices and maps stand in them, and
// keeps the lengths around what it changes true, so that the change is reached. What comes out is read as the gate
// reads a first message, and answered as it answers.
#include "base/fuzzing.hpp"
#include "wire/h323/answer.hpp"
#include "wire/h323/call.hpp"
#include "wire/h323/gatekeeper_id.hpp"
#include "wire/h323/tpkt.hpp"

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace sallyport;
using namespace sallyport::h323;
using fuzzing::require;

using Octets = std::vector<std::uint8_t>;

Octets from_hex(std::string_view text) {
    Octets out;
    const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    return out;
}

// The nest of a message: Facility, generic data and a RasMessage; or Setup, ReleaseComplete and their like.
struct Message {
    std::uint8_t type = q931::facility;
    bool tunnel = true;
    Octets core;  // the RasMessage, or all of the H323-UserInformation
};

const Message seeds[] = {
    // GRQ, RRQ, RRJ with a redirect, GRJ; a Setup, and a ReleaseComplete; each for example.com
    {q931::facility, true,
     from_hex("02a03039060008914a000700000000000000020280006500780061006d0070006c0065002e0063006f006d014005007000"
              "68006f006e006500311400400100")},
    {q931::facility, true,
     from_hex("0ec01216060008914a00078000002200090000000003400500700068006f006e0065003101807a44801200107031406578"
              "616d706c652e636f6d2e6e6514006500780061006d0070006c0065002e0063006f006d400900003d0470726f62652e0b00"
              "020100010001800100")},
    {q931::facility, true,
     from_hex("1680303a060008914a000781010014006500780061006d0070006c0065002e0063006f006d01340001400a17000406b714"
              "006500780061006d0070006c0065002e0063006f006df800")},
    {q931::facility, true,
     from_hex("088040eb060008914a000726006500780061006d0070006c0065002e0063006f006d002f006200720061006e0063006800"
              "2d0061800100")},
    {q931::setup, false,
     from_hex("20b0060008914a00070140040061006c0069006300650200018011000e626f62406578616d706c652e636f6d00773f42c2"
              "3d5c9e29b381391d2ff1ebd500590d801100773f42c23d5c9e29b381391d2ff1ebd5010001000100010002800180")},
    {q931::release_complete, false, from_hex("2580060008914a00020111003ca3524495861edfe4dbba8314a8f98902800100")},
};

void append(Octets& out, const Octets& more) { out.insert(out.end(), more.begin(), more.end()); }
void append(Octets& out, std::initializer_list<unsigned> more) {
    for (const unsigned octet : more) out.push_back(static_cast<std::uint8_t>(octet));
}
void append_length(Octets& out, std::size_t length) {
    if (length < 0x80) return append(out, {static_cast<unsigned>(length)});
    append(out, {static_cast<unsigned>(0x80 | (length >> 8 & 0x3F)), static_cast<unsigned>(length & 0xFF)});
}

// All the lengths around the core are true.
Octets wrap(const Message& message) {
    Octets h225;
    if (message.tunnel) {
        Octets generic{1};
        append(generic, {0x40, 0x00, 0x11, 0x00, 0x00, 0x40, 0x00, 0x01, 0x00});
        append_length(generic, message.core.size());
        append(generic, message.core);
        append(h225, {0x28, 0x10, 0x01, 0x00, 0x10, 0x81, 0x01, 0x80});
        append_length(h225, generic.size());
        append(h225, generic);
    } else {
        append(h225, message.core);
    }
    Octets out{3, 0, 0, 0, 8, 2, 0x12, 0x67, message.type, 0x7E};
    append(out, {static_cast<unsigned>((h225.size() + 1) >> 8), static_cast<unsigned>((h225.size() + 1) & 0xFF), 5});
    append(out, h225);
    out[2] = static_cast<std::uint8_t>(out.size() >> 8);
    out[3] = static_cast<std::uint8_t>(out.size());
    return out;
}

// What a wire format is wrong in: a number at its bounds, a bit that makes another choice, an end too early, a part
// twice.
void alter(Octets& core, std::mt19937& random) {
    if (core.empty()) return;
    constexpr std::array<std::uint8_t, 10> bounds{0x00, 0x01, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xFF};
    const std::size_t at = random() % core.size();
    switch (random() % 5) {
        case 0: core[at] = bounds[random() % bounds.size()]; return;
        case 1: core[at] ^= static_cast<std::uint8_t>(1U << (random() % 8)); return;
        case 2: core.resize(at); return;
        case 3: core[at] = static_cast<std::uint8_t>(core[at] + (random() % 2 == 0 ? 1 : -1)); return;
        case 4: {
            const std::size_t size = std::min<std::size_t>(random() % 40, core.size() - at);
            const Octets part(core.begin() + static_cast<std::ptrdiff_t>(at),
                              core.begin() + static_cast<std::ptrdiff_t>(at + size));
            core.insert(core.begin() + static_cast<std::ptrdiff_t>(random() % core.size()), part.begin(), part.end());
            return;
        }
    }
}

// The core of what an earlier round has made, where it still has one; else one of the seeds.
Message message_in(Bytes input, std::mt19937& random) {
    Q931Message message;
    if (random() % 4 != 0 && input.size() > tpkt_header && read_q931(input.subspan(tpkt_header), message) &&
        message.h225) {
        const auto octets = [](Bytes bytes) {
            const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
            return Octets(begin, begin + bytes.size());
        };
        const auto information = read_user_information(*message.h225);
        const bool tunnel = information && !information->ras.empty();
        return {message.type, tunnel, octets(tunnel ? information->ras[0] : *message.h225)};
    }
    return seeds[random() % std::size(seeds)];
}

void answer(const Q931Message& message, const RasMessage& ras) {
    AnswerRoom room;
    if (ras.is_request() && ras.request_seq_num != 0)
        require(!write_ras_reject(room, message, ras, gatekeeper_reject_reason::undefined_reason, "x").empty());
    const Bytes release =
        write_release_complete(room, message, release_complete_reason::undefined_reason, 31, std::string(100, 'x'));
    Q931Message back;
    require(read_q931(release.subspan(tpkt_header), back).has_value());
    require(back.cause == 31 && back.call_reference.size() == message.call_reference.size());
    require(read_user_information(*back.h225)->release_reason == release_complete_reason::undefined_reason);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    std::mt19937 random(seed);
    if (random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
    Message message = message_in(std::as_bytes(std::span(data, size)), random);
    for (unsigned times = 1 + random() % 4; times > 0; --times) alter(message.core, random);
    Octets out = wrap(message);
    if (random() % 4 == 0) alter(out, random);
    const std::size_t length = std::min(out.size(), max_size);
    if (length != 0) std::memcpy(data, out.data(), length);
    return length;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    const auto tpkt = read_tpkt(input);
    if (!tpkt || !*tpkt || (*tpkt)->length > size) return 0;
    Q931Message message;
    if (!read_q931(input.first((*tpkt)->length).subspan(tpkt_header), message) || !message.h225) return 0;
    RasMessage ras;
    if (const auto information = read_user_information(*message.h225)) {
        for (const Bytes encoding : information->ras) {
            if (!read_ras(encoding, ras) || !ras.gatekeeper_identifier) continue;
            if (const auto id = read_gatekeeper_id(*ras.gatekeeper_identifier)) require(!id->name.empty());
        }
    }
    answer(message, ras);
    return 0;
}
