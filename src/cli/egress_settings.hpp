// [egress] as the book of source addresses takes it.
#pragma once

#include "config/config.hpp"
#include "egress/book.hpp"

namespace sallyport::cli {

egress::Book::Policy egress_policy(const config::Config& config);

}  // namespace sallyport::cli
