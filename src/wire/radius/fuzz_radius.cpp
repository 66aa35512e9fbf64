// Whatever arrives on the accounting port: no crash, no read past the end, and what is to be signed has the size that
// the packet announced.
#include "wire/radius/radius.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport;
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto request = radius::read_accounting(bytes);
    if (!request) return 0;
    const std::size_t length = radius::request_to_sign(*request).size();
    if (length > size || length > radius::most_of_packet) std::abort();
    if (radius::read_accounting(bytes.first(length - 1))) std::abort();
    if (request->user.size() + request->calling.size() + request->session.size() > length) std::abort();
    return 0;
}
