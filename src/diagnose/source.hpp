// Where captured bytes come from: a file or standard input, plain or gzip.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sallyport::diagnose {

class Source {
public:
    /// @param name  a file's, or "-" for standard input.
    static Result<std::unique_ptr<Source>> open(const std::string& name);
    virtual ~Source() = default;

    /// Fills the front of `room`. 0: the end.
    virtual Result<std::size_t> read(MutableBytes room) = 0;
    /// Bytes of the file that have been taken, and its size; 0 where it has none.
    virtual std::uint64_t taken() const = 0;
    virtual std::uint64_t size() const = 0;
    /// Was its end none: was what it is packed in cut, or is it damaged?
    virtual bool damaged() const { return false; }
};

}  // namespace sallyport::diagnose
