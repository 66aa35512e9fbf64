#include "config/config.hpp"

namespace sallyport::config {

std::string ListenAddress::to_string() const {
    return dual_stack ? ':' + std::to_string(address.port) : address.to_string();
}

}  // namespace sallyport::config
