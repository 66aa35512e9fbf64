#include "certs/judge.hpp"

#include "certs/certificate.hpp"

#include <new>

namespace sallyport::certs {

namespace {

using Store = std::unique_ptr<X509_STORE, crypto::Release<X509_STORE_free>>;

struct FreeStack {
    void operator()(STACK_OF(X509) * certificates) const { sk_X509_free(certificates); }  // not what is in it
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;

}  // namespace

Result<Judged> judge_client(std::string_view chain_pem, const std::vector<std::string>& ca_pems, WallTime now) {
    const auto chain = parse_certificates(chain_pem, "the file");
    if (!chain) return fail(chain.error());
    const Store store(X509_STORE_new());
    const Stack issuers(sk_X509_new_null());
    if (!store || !issuers) throw std::bad_alloc();
    if (const auto added = crypto::add_trusted(*store, ca_pems); !added) return fail(added.error());
    for (std::size_t at = 1; at < chain->size(); ++at) sk_X509_push(issuers.get(), (*chain)[at].get());
    X509& leaf = *chain->front();
    const int code = crypto::judge_client(*store, leaf, issuers.get(), now);
    return Judged{crypto::verdict_of(code), crypto::distinguished_name(leaf), crypto::holder_names(leaf),
                  crypto::detail_of(code)};
}

}  // namespace sallyport::certs
