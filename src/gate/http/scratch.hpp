// What one loop needs once, however many connections it has: parsed heads, and room to put outgoing bytes together.
// What stands in it is gone at the next await.
#pragma once

#include "io/loop.hpp"
#include "wire/http/head.hpp"

#include <array>
#include <cstddef>
#include <memory>

namespace sallyport::gate {

struct HttpScratch {
    // A head that grew by our fields, and one loop's buffer of body in chunks of its own.
    static constexpr std::size_t room = io::Loop::buffer_size + std::size_t{64} * 1024;

    sallyport::http::RequestHead request;
    const void* request_of = nullptr;  // whose head it is, whole; set only after a parse, cleared before the next
    sallyport::http::ResponseHead response;
    std::unique_ptr<std::byte[]> bytes{new std::byte[room]};

    MutableBytes out() { return {bytes.get(), room}; }
};

}  // namespace sallyport::gate
