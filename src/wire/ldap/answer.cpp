#include "wire/ldap/answer.hpp"

#include "wire/ber/writer.hpp"
#include "wire/ldap/extended.hpp"
#include "wire/ldap/message.hpp"
#include "wire/ldap/tags.hpp"

#include <string_view>

namespace sallyport::ldap {

namespace {

// @param oid  responseName; empty: none.
Bytes write(AnswerRoom& room, std::uint8_t op, std::int32_t id, const LdapResult& result, std::string_view oid) {
    ber::Writer out(room);
    out.begin(ber::sequence_tag);
    out.integer(id);
    out.begin(op);
    out.integer(result.code, ber::enumerated_tag);
    out.octets(clip(result.matched_dn));
    out.octets(clip(result.diagnostic));
    if (!oid.empty()) out.octets(oid, response_name_tag);
    out.end();
    out.end();
    return out.written();
}

}  // namespace

Bytes write_answer(AnswerRoom& room, std::uint8_t request_op, std::int32_t id, const LdapResult& result) {
    const Operation* operation = find_operation(request_op);
    if (operation == nullptr || operation->response == 0) return {};
    return write(room, operation->response, id, result, {});
}

Bytes write_start_tls_answer(AnswerRoom& room, std::int32_t id, const LdapResult& result) {
    return write(room, op::extended_response, id, result, start_tls_oid);
}

Bytes write_notice_of_disconnection(AnswerRoom& room, const LdapResult& result) {
    return write(room, op::extended_response, 0, result, notice_of_disconnection_oid);
}

}  // namespace sallyport::ldap
