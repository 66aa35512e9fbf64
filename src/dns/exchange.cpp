#include "dns/exchange.hpp"

#include "dns/pass_back.hpp"

#include <span>

namespace sallyport::dns {

Bytes Reply::write(MutableBytes room, const Asked& asked) const {
    if (cache_ != nullptr) return cache_->write(found_, room, asked, now_);
    if (!message_.empty()) return pass_back(message_, options_, room, asked, why_);
    return AnswerWriter(room, asked, static_cast<std::uint16_t>(Rcode::serv_fail)).finish(why_);
}

Exchange::~Exchange() {
    for (Try& one : std::span(tries).first(tried)) {
        if (one.in != nullptr) one.in->remove(one);
    }
}

}  // namespace sallyport::dns
