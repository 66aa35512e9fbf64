#include "gate/targets/state.hpp"

#include <utility>

namespace sallyport::gate {

namespace {

std::string key_of(const config::Service& service) {
    return std::string(config::to_string(service.protocol)) + ' ' + service.names.front().value;
}

std::string port_text(const std::optional<std::uint16_t>& port) { return port ? std::to_string(*port) : "-"; }

template <class States>
auto find_or_make(States& states, std::string key) {
    using T = typename States::mapped_type::element_type;
    auto& known = states[std::move(key)];
    auto state = known.lock();
    if (!state) known = state = std::make_shared<T>();
    return state;
}

}  // namespace

std::optional<Lease> Lease::take(std::shared_ptr<TargetState> target, std::shared_ptr<ServiceState> service,
                                 std::uint32_t most) {
    Lease lease;
    if (most != 0) {
        if (service->active.fetch_add(1, std::memory_order_relaxed) >= most) {
            service->active.fetch_sub(1, std::memory_order_relaxed);
            return std::nullopt;
        }
        lease.service_ = std::move(service);
    }
    target->active_.fetch_add(1, std::memory_order_relaxed);
    lease.target_ = std::move(target);
    return lease;
}

Lease& Lease::operator=(Lease&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    target_ = std::move(other.target_);
    service_ = std::move(other.service_);
    return *this;
}

void Lease::give_back() {
    if (target_) target_->active_.fetch_sub(1, std::memory_order_relaxed);
    if (service_) service_->active.fetch_sub(1, std::memory_order_relaxed);
    target_.reset();
    service_.reset();
}

std::shared_ptr<ServiceState> StateBook::service(const config::Service& service) {
    return find_or_make(services_, key_of(service));
}

void StateBook::forget_gone() {
    const auto gone = [](const auto& known) { return known.second.expired(); };
    std::erase_if(services_, gone);
    std::erase_if(targets_, gone);
}

std::shared_ptr<TargetState> StateBook::target(const config::Service& service, const config::Target& target) {
    return find_or_make(targets_, key_of(service) + ' ' + target.text + ' ' + port_text(service.plain_port) + ' ' +
                                      port_text(service.tls_port));
}

}  // namespace sallyport::gate
