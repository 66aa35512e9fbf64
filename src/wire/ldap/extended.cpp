#include "wire/ldap/extended.hpp"

#include "wire/ldap/message.hpp"
#include "wire/ldap/tags.hpp"

namespace sallyport::ldap {

Result<ExtendedRequest, ber::Error> read_extended_request(Bytes operation) {
    ber::Reader reader(operation, operation_depth);
    const auto oid = reader.octets(request_name_tag);
    if (!oid) return fail(oid.error());
    ExtendedRequest request{.oid = *oid, .has_value = reader.next_is(request_value_tag)};
    if (request.has_value && !reader.take(request_value_tag)) return fail(ber::Error::beyond_parent);
    const auto sound = reader.finish({request_name_tag, request_value_tag});
    if (!sound) return fail(sound.error());
    return request;
}

Result<ExtendedResponse, ber::Error> read_extended_response(Bytes operation) {
    const auto result = read_result(operation);
    if (!result) return fail(result.error());
    ExtendedResponse response{.result = *result};
    ber::Reader reader(operation, operation_depth);
    while (!reader.empty()) {
        const auto element = reader.next();
        if (!element) return fail(element.error());
        if (element->tag == response_name_tag) response.oid = as_text(element->contents);
    }
    return response;
}

}  // namespace sallyport::ldap
