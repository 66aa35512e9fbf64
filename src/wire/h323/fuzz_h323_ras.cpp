// Any bytes at all as a RasMessage, as an H323-UserInformation, and as a name: each is read or refused, in time, and
// what is read is text that may be printed.
#include "base/fuzzing.hpp"
#include "wire/h323/call.hpp"
#include "wire/h323/gatekeeper_id.hpp"
#include "wire/h323/ras.hpp"

#include <algorithm>

namespace {

using namespace sallyport;
using namespace sallyport::h323;
using fuzzing::require;

void require_printable(std::string_view text) {
    require(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }));
}

void look_at(const std::vector<Alias>& aliases) {
    require(aliases.size() <= max_elements);
    for (const Alias& alias : aliases) {
        require_printable(alias.text);
        require(alias.text.size() <= 3 * 256);
        if (const auto domain = domain_of(alias)) require(!domain->empty() && domain->size() <= 253);
    }
}

void read_name(std::string_view name) {
    const auto id = read_gatekeeper_id(name);
    if (!id) return require(!id.error().empty());
    require(!id->name.empty() && name.size() >= id->name.size());
    require(id->parts.empty() || id->parts.size() == 2);
    for (const auto& part : id->parts) require(part.size() < id->name.size() && read_gatekeeper_id(part)->name == part);
    require(read_gatekeeper_id(id->name)->name == id->name);
}

void read_message(Bytes encoding) {
    RasMessage ras;
    const auto read = read_ras(encoding, ras);
    require(read || !text(read.error()).empty());
    look_at(ras.aliases);
    if (ras.gatekeeper_identifier) {
        require_printable(*ras.gatekeeper_identifier);
        read_name(*ras.gatekeeper_identifier);
    }
    require(ras.alternates.size() <= max_elements + 1);
    require(ras.reject_reason.has_value() <= ras.is_reject());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    read_message(input);
    read_name(as_text(input));
    const Alias alias{AliasKind::url_id, std::string(as_text(input.first(std::min<std::size_t>(size, 512))))};
    if (const auto domain = domain_of(alias)) require(!domain->empty() && domain->size() <= 253);
    if (const auto information = read_user_information(input)) {
        look_at(information->destination);
        for (const Bytes ras : information->ras) {
            require(ras.data() >= input.data() && ras.data() + ras.size() <= input.data() + size);
            read_message(ras);
        }
    }
    return 0;
}
