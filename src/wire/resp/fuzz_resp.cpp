// Whatever a Redis sends: no crash, no read past the end, and a whole value is whole at every later length too.
#include "wire/resp/resp.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport;
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    const resp::Parsed parsed = resp::parse(bytes);
    if (parsed.length > size) std::abort();
    if (parsed.state != resp::Parsed::State::complete) return 0;
    if (resp::parse(bytes.first(parsed.length)).length != parsed.length) std::abort();
    if (resp::parse(bytes.first(parsed.length - 1)).state != resp::Parsed::State::need_more) std::abort();
    return 0;
}
