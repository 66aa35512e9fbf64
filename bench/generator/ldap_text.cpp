#include "generator/ldap_text.hpp"

#include "generator/numbered.hpp"

namespace sallyport::bench {

namespace {

using namespace std::string_literals;

// Tags of RFC 4511, in the order of its sections.
constexpr char sequence = '\x30', set = '\x31', integer = '\x02', octets = '\x04', boolean = '\x01',
               enumerated = '\x0a';
constexpr char bind_op = '\x60', bind_response_op = '\x61', simple_password = '\x80';
constexpr char search_op = '\x63', entry_op = '\x64', done_op = '\x65';
constexpr char filter_or = '\xa1', filter_equality = '\xa3', filter_substrings = '\xa4', initial_part = '\x80';

std::string element(char tag, std::string_view contents) {
    std::string out(1, tag);
    const std::size_t size = contents.size();
    if (size < 0x80) {
        out += static_cast<char>(size);
    } else {
        out += '\x84';  // four octets of length, as some servers always write them
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    }
    return out.append(contents);
}

std::string message(std::string_view id, char op, std::string_view contents) {
    return element(sequence, element(integer, id) + element(op, contents));
}

// "bench.example" as "dc=bench,dc=example".
std::string base_of(std::string_view domain) {
    std::string out = "dc=";
    for (const char c : domain) out += c == '.' ? ",dc=" : std::string(1, c);
    return out;
}

std::string result(char op, std::string_view id) {
    return message(id, op, element(enumerated, "\0"s) + element(octets, "") + element(octets, ""));
}

std::string equals(std::string_view type, std::string_view value) {
    return element(filter_equality, element(octets, type) + element(octets, value));
}

std::string begins(std::string_view type, std::string_view value) {
    return element(filter_substrings, element(octets, type) + element(sequence, element(initial_part, value)));
}

std::string attribute(std::string_view type, std::string_view value) {
    return element(sequence, element(octets, type) + element(set, element(octets, value)));
}

}  // namespace

std::string bind_request(std::string_view domain) {
    const std::string name = "cn=phone-17,ou=devices," + base_of(domain);
    return message("\x01", bind_op,
                   element(integer, "\x03") + element(octets, name) + element(simple_password, "not a secret"));
}

std::string bind_response() { return result(bind_response_op, "\x01"); }

std::string search_request(std::string_view domain) {
    const std::string whole_subtree = element(enumerated, "\x02"), never_deref = element(enumerated, "\0"s);
    const std::string at_most_32 = element(integer, "\x20"), no_time_limit = element(integer, "\0"s);
    const std::string with_values = element(boolean, "\0"s);
    const std::string filter =
        element(filter_or, equals("telephoneNumber", "+4970317300917") + begins("cn", "mei") + begins("sn", "mei"));
    std::string attributes;
    for (const char* const type : {"cn", "sn", "givenName", "telephoneNumber", "mobile", "description"}) {
        attributes += element(octets, type);
    }
    return message(Numbered::place, search_op,
                   element(octets, base_of(domain)) + whole_subtree + never_deref + at_most_32 + no_time_limit +
                       with_values + filter + element(sequence, attributes));
}

std::string search_answer(std::string_view domain, unsigned entries, std::uint64_t size) {
    const std::string attributes = attribute("cn", "Meier Anna") + attribute("sn", "Meier") +
                                   attribute("givenName", "Anna") + attribute("telephoneNumber", "+4970317300917") +
                                   attribute("mobile", "+491700000017") +
                                   attribute("description", std::string(size, 'd'));
    const std::string entry =
        message(Numbered::place, entry_op,
                element(octets, "cn=Meier Anna,ou=people," + base_of(domain)) + element(sequence, attributes));
    std::string out;
    for (unsigned i = 0; i < entries; ++i) out += entry;
    return out + result(done_op, Numbered::place);
}

}  // namespace sallyport::bench
