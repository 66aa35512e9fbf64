#include "wire/ldap/message.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace sallyport::ldap {

namespace {

using What = MessageError::What;

constexpr std::uint8_t controls_tag = ber::context_constructed(0);

constexpr Operation operations[] = {
    {op::bind_request, op::bind_response, Sender::client, "BindRequest"},
    {op::unbind_request, 0, Sender::client, "UnbindRequest"},
    {op::search_request, op::search_done, Sender::client, "SearchRequest"},
    {op::modify_request, op::modify_response, Sender::client, "ModifyRequest"},
    {op::add_request, op::add_response, Sender::client, "AddRequest"},
    {op::delete_request, op::delete_response, Sender::client, "DelRequest"},
    {op::modify_dn_request, op::modify_dn_response, Sender::client, "ModifyDNRequest"},
    {op::compare_request, op::compare_response, Sender::client, "CompareRequest"},
    {op::abandon_request, 0, Sender::client, "AbandonRequest"},
    {op::extended_request, op::extended_response, Sender::client, "ExtendedRequest"},
    {op::bind_response, 0, Sender::server, "BindResponse"},
    {op::search_entry, 0, Sender::server, "SearchResultEntry"},
    {op::search_done, 0, Sender::server, "SearchResultDone"},
    {op::search_reference, 0, Sender::server, "SearchResultReference"},
    {op::modify_response, 0, Sender::server, "ModifyResponse"},
    {op::add_response, 0, Sender::server, "AddResponse"},
    {op::delete_response, 0, Sender::server, "DelResponse"},
    {op::modify_dn_response, 0, Sender::server, "ModifyDNResponse"},
    {op::compare_response, 0, Sender::server, "CompareResponse"},
    {op::extended_response, 0, Sender::server, "ExtendedResponse"},
    {op::intermediate_response, 0, Sender::server, "IntermediateResponse"},
};

constexpr std::array<std::string_view, 5> texts = {
    "not an LDAP message",
    "an LDAP message that is not well encoded",
    "an LDAP message that is too large",
    "a message id outside 1 to 2147483647",
    "an operation that LDAP does not know",
};
static_assert(std::to_underlying(What::unknown_operation) + 1 == texts.size());

MessageError bad(What what) { return {.what = what}; }
MessageError bad(ber::Error error) { return {.what = What::encoding, .ber = error}; }
MessageResult refused(MessageError error) { return {MessageResult::State::refused, error}; }

bool may_send(Sender sender, const MessageStart& start) {
    const Operation* operation = find_operation(start.op);
    return operation != nullptr && operation->sender == sender;
}

bool may_number(Sender sender, const MessageStart& start) {
    return start.id != 0 || (sender == Sender::server && start.op == op::extended_response);
}

// The message is whole: id, operation, controls, and what later versions may add.
Result<void, ber::Error> read_whole(Bytes message, MessageHead& head) {
    ber::Reader outside(message);
    if (const auto sound = outside.check(); !sound) return sound;
    auto inside = outside.enter(ber::sequence_tag);
    if (!inside) return fail(inside.error());
    ber::Reader& reader = *inside;
    if (const auto id = reader.integer(); !id) return fail(id.error());
    const auto operation = reader.next();
    if (!operation) return fail(operation.error());
    head.operation = operation->contents;
    if (reader.next_is(controls_tag)) {
        const auto controls = reader.take(controls_tag);
        if (!controls) return fail(controls.error());
        head.controls = *controls;
    }
    return reader.finish({controls_tag});
}

// False: the contents end before the operation's tag.
Result<bool, MessageError> read_id_and_op(Bytes contents, MessageStart& start) {
    if (!contents.empty() && std::to_integer<std::uint8_t>(contents[0]) != ber::integer_tag) {
        return fail(bad(ber::Error::wrong_tag));
    }
    const auto header = ber::read_header(contents);
    if (!header) return fail(bad(header.error()));
    if (!*header) return false;
    if ((*header)->length == 0 || (*header)->length > sizeof(start.id)) return fail(bad(What::bad_id));
    const std::size_t id_size = (*header)->size + (*header)->length;
    if (contents.size() <= id_size) return false;
    const auto id = ber::read_number(contents.subspan((*header)->size, (*header)->length));
    if (!id || *id < 0) return fail(bad(What::bad_id));
    start.id = *id;
    start.op = std::to_integer<std::uint8_t>(contents[id_size]);
    if ((start.op & ber::class_bits) != ber::application_class) return fail(bad(What::unknown_operation));
    // More octets of tag might say to others what one octet says to us.
    if (ber::is_high_tag(start.op)) return fail(bad(ber::Error::high_tag));
    return true;
}

}  // namespace

const Operation* find_operation(std::uint8_t tag) {
    const auto* at = std::ranges::find(operations, tag, &Operation::tag);
    return at == std::end(operations) ? nullptr : at;
}

std::string_view text(MessageError error) {
    return error.what == What::encoding ? ber::text(error.ber) : texts[std::to_underlying(error.what)];
}

Result<std::optional<MessageStart>, MessageError> read_message_start(Bytes bytes, std::uint64_t limit) {
    if (!bytes.empty() && std::to_integer<std::uint8_t>(bytes[0]) != ber::sequence_tag)
        return fail(bad(What::not_ldap));
    const auto outer = ber::read_header(bytes);
    if (!outer) return fail(bad(outer.error()));
    if (!*outer) return std::nullopt;
    MessageStart start{.length = std::uint64_t{(*outer)->size} + (*outer)->length};
    if (start.length > limit) return fail(bad(What::too_large));

    const Bytes come = bytes.subspan((*outer)->size);
    const Bytes contents = come.first(std::min<std::size_t>(come.size(), (*outer)->length));
    const auto whole = read_id_and_op(contents, start);
    if (!whole) return fail(whole.error());
    if (*whole) return start;
    // What is missing has not come yet, or never will because the message ends before it.
    if (contents.size() == (*outer)->length) return fail(bad(ber::Error::beyond_parent));
    return std::nullopt;
}

MessageResult read_message_head(Bytes bytes, Sender sender, MessageHead& head) {
    const auto start = read_message_start(bytes, max_message);
    if (!start) return refused(start.error());
    if (!*start) return {};
    if (!may_send(sender, **start)) return refused(bad(What::unknown_operation));
    if (!may_number(sender, **start)) return refused(bad(What::bad_id));
    const std::size_t length = (*start)->length;
    if (bytes.size() < length) return {};

    head = {.length = length, .id = (*start)->id, .op = (*start)->op};
    if (const auto sound = read_whole(bytes.first(length), head); !sound) return refused(bad(sound.error()));
    return {MessageResult::State::complete, {}};
}

}  // namespace sallyport::ldap
