// Any bytes at all: an answer, never a read outside; and no prefix of a whole ClientHello is whole with another name.
#include "wire/tls/client_hello.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport;
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    tls::ClientHello whole;
    const auto result = tls::read_client_hello(bytes, whole);
    if (result.state != tls::HelloResult::State::complete) return 0;
    for (const std::size_t shorter : {size / 2, size - 1}) {
        tls::ClientHello part;
        const auto before = tls::read_client_hello(bytes.first(shorter), part);
        if (before.state == tls::HelloResult::State::refused) std::abort();
        if (before.state == tls::HelloResult::State::complete && part.server_name != whole.server_name) std::abort();
    }
    return 0;
}
