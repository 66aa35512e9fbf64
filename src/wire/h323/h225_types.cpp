// The types of H.225.0 that its messages have in common, in tables: names, order and bounds are the notation's. Where a
// table breaks off, nobody here asks for what comes behind; only whether a field is OPTIONAL is told to the end of each
// root, for that makes the first bits of an encoding.
#include "wire/h323/notation.hpp"

namespace sallyport::h323::h225 {

namespace {

constexpr Type octets{.kind = Kind::octet_string};
constexpr Type any_ia5_string{.kind = Kind::ia5_string};
constexpr Type any_bmp_string{.kind = Kind::bmp_string};

// ---- Numbers, strings and what is made of them.

constexpr Type up_to_255 = integer(0, 255);
constexpr Type up_to_65535 = integer(0, 65535);
constexpr Type up_to_all = integer(0, 0xFFFFFFFF);
constexpr Type number_digits = sized(Kind::digits, 1, 128);
constexpr Type address_4 = sized(Kind::octet_string, 4, 4);
constexpr Type address_16 = sized(Kind::octet_string, 16, 16);
constexpr Type per_vendor = sized(Kind::octet_string, 1, 256);
constexpr Type bmp_256 = sized(Kind::bmp_string, 1, 256);
constexpr Type ia5_512 = sized(Kind::ia5_string, 1, 512);

constexpr Field h221_fields[] = {
    {"t35CountryCode", &up_to_255}, {"t35Extension", &up_to_255}, {"manufacturerCode", &up_to_65535}};
constexpr Type h221_non_standard = open(Kind::sequence, h221_fields);

constexpr Field non_standard_identifiers[] = {{"object", &object_identifier}, {"h221NonStandard", &h221_non_standard}};
constexpr Type non_standard_identifier = open(Kind::choice, non_standard_identifiers);
constexpr Field non_standard_fields[] = {{"nonStandardIdentifier", &non_standard_identifier}, {"data", &octets}};

// ---- Addresses.

constexpr Field ip_address_fields[] = {{"ip", &address_4}, {"port", &up_to_65535}};
constexpr Type ip_address = closed(Kind::sequence, ip_address_fields);
constexpr Field routing_alternatives[] = {{"strict", &null}, {"loose", &null}};
constexpr Type routing = open(Kind::choice, routing_alternatives);
constexpr Type source_route = list_of(address_4);
constexpr Field ip_source_route_fields[] = {
    {"ip", &address_4}, {"port", &up_to_65535}, {"route", &source_route}, {"routing", &routing}};
constexpr Type ip_source_route = open(Kind::sequence, ip_source_route_fields);
constexpr Type ipx_node = sized(Kind::octet_string, 6, 6);
constexpr Type ipx_port = sized(Kind::octet_string, 2, 2);
constexpr Field ipx_fields[] = {{"node", &ipx_node}, {"netnum", &address_4}, {"port", &ipx_port}};
constexpr Type ipx_address = closed(Kind::sequence, ipx_fields);
constexpr Field ip6_address_fields[] = {{"ip", &address_16}, {"port", &up_to_65535}};
constexpr Type ip6_address = open(Kind::sequence, ip6_address_fields);
constexpr Type nsap = sized(Kind::octet_string, 1, 20);
constexpr Field transport_addresses[] = {
    {"ipAddress", &ip_address},
    {"ipSourceRoute", &ip_source_route},
    {"ipxAddress", &ipx_address},
    {"ip6Address", &ip6_address},
    {"netBios", &address_16},
    {"nsap", &nsap},
    {"nonStandardAddress", &non_standard_parameter},
};

constexpr Field types_of_public_number[] = {
    {"unknown", &null},          {"internationalNumber", &null},
    {"nationalNumber", &null},   {"networkSpecificNumber", &null},
    {"subscriberNumber", &null}, {"abbreviatedNumber", &null},
};
constexpr Type public_type_of_number = open(Kind::choice, types_of_public_number);
constexpr Field public_number_fields[] = {
    {"publicTypeOfNumber", &public_type_of_number},
    {"publicNumberDigits", &number_digits, mandatory, Mark::content},
};
constexpr Field types_of_private_number[] = {
    {"unknown", &null},
    {"level2RegionalNumber", &null},
    {"level1RegionalNumber", &null},
    {"pISNSpecificNumber", &null},
    {"localNumber", &null},
    {"abbreviatedNumber", &null},
};
constexpr Type private_type_of_number = open(Kind::choice, types_of_private_number);
constexpr Field private_number_fields[] = {
    {"privateTypeOfNumber", &private_type_of_number},
    {"privateNumberDigits", &number_digits},
};
constexpr Type private_party_number = closed(Kind::sequence, private_number_fields);
constexpr Field party_numbers[] = {
    {"e164Number", &public_party_number},
    {"dataPartyNumber", &number_digits},
    {"telexPartyNumber", &number_digits},
    {"privateNumber", &private_party_number},
    {"nationalStandardPartyNumber", &number_digits},
};

constexpr Field aliases[] = {{"dialledDigits", &number_digits}, {"h323-ID", &bmp_256}};
constexpr Field further_aliases[] = {
    {"url-ID", &ia5_512},    {"transportID", &transport_address},
    {"email-ID", &ia5_512},  {"partyNumber", &party_number},
    {"mobileUIM", not_read}, {"isupNumber", not_read},
};

// ---- Endpoints.

constexpr Field vendor_fields[] = {
    {"vendor", &h221_non_standard}, {"productId", &per_vendor, optional}, {"versionId", &per_vendor, optional}};
constexpr Type vendor_identifier = open(Kind::sequence, vendor_fields);

// TerminalInfo, GatekeeperInfo and McuInfo begin alike; so do H310Caps to T120OnlyCaps.
constexpr Field only_non_standard_data[] = {{"nonStandardData", &non_standard_parameter, optional}};
constexpr Type only_non_standard = open(Kind::sequence, only_non_standard_data);
constexpr Field supported_protocol_alternatives[] = {
    {"nonStandardData", &non_standard_parameter},
    {"h310", &only_non_standard},
    {"h320", &only_non_standard},
    {"h321", &only_non_standard},
    {"h322", &only_non_standard},
    {"h323", &only_non_standard},
    {"h324", &only_non_standard},
    {"voice", &only_non_standard},
    {"t120-only", &only_non_standard},
};
constexpr Type supported_protocols = open(Kind::choice, supported_protocol_alternatives);
constexpr Type supported_protocol_list = list_of(supported_protocols);
constexpr Field gateway_fields[] = {{"protocol", &supported_protocol_list, optional},
                                    {"nonStandardData", &non_standard_parameter, optional}};
constexpr Type gateway_info = open(Kind::sequence, gateway_fields);
constexpr Field endpoint_type_fields[] = {
    {"nonStandardData", &non_standard_parameter, optional},
    {"vendor", &vendor_identifier, optional},
    {"gatekeeper", &only_non_standard, optional},
    {"gateway", &gateway_info, optional},
    {"mcu", &only_non_standard, optional},
    {"terminal", &only_non_standard, optional},
    {"mc", &boolean},
    {"undefinedNode", &boolean},
};

constexpr Field q954_fields[] = {{"conferenceCalling", &boolean}, {"threePartyService", &boolean}};
constexpr Type q954_details = open(Kind::sequence, q954_fields);
constexpr Field qseries_fields[] = {
    {"q932Full", &boolean}, {"q951Full", &boolean}, {"q952Full", &boolean}, {"q953Full", &boolean},
    {"q955Full", &boolean}, {"q956Full", &boolean}, {"q957Full", &boolean}, {"q954Info", &q954_details},
};

constexpr Type priority = integer(0, 127);
constexpr Field alternate_gk_fields[] = {
    {"rasAddress", &transport_address, mandatory, Mark::ras_address},
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
    {"needToRegister", &boolean, mandatory, Mark::need_to_register},
    {"priority", &priority},
};
constexpr Type alternate_gk_list = list_of(alternate_gk);
constexpr Field alt_gk_info_fields[] = {{"alternateGatekeeper", &alternate_gk_list, mandatory, Mark::alternates},
                                        {"altGKisPermanent", &boolean}};

// ---- Generic data, in which H.460.17 puts RAS messages.

constexpr Type standard_identifier{.kind = Kind::integer, .extensible = true, .low = 0, .high = 16383};
constexpr Field generic_identifiers[] = {
    {"standard", &standard_identifier}, {"oid", &object_identifier}, {"nonStandard", &guid}};
constexpr Type parameter_list = list_of(enumerated_parameter, 1, 512);
constexpr Type nested_list = list_of(generic_data, 1, 16);
constexpr Field generic_data_fields[] = {
    {"id", &generic_identifier, mandatory, Mark::id},
    {"parameters", &parameter_list, optional, Mark::parameters},
};
constexpr Field enumerated_parameter_fields[] = {
    {"id", &generic_identifier, mandatory, Mark::id},
    {"content", &content, optional, Mark::content},
};
constexpr Field contents[] = {
    {"raw", &octets},
    {"text", &any_ia5_string},
    {"unicode", &any_bmp_string},
    {"bool", &boolean},
    {"number8", &up_to_255},
    {"number16", &up_to_65535},
    {"number32", &up_to_all},
    {"id", &generic_identifier},
    {"alias", &alias_address},
    {"transport", &transport_address},
    {"compound", &parameter_list},
    {"nested", &nested_list},
};

}  // namespace

constexpr Type alias_address = open(Kind::choice, aliases, further_aliases);
constexpr Type alias_list = list_of(alias_address);
constexpr Type alt_gk_info = open(Kind::sequence, alt_gk_info_fields);
constexpr Type alternate_gk = open(Kind::sequence, alternate_gk_fields);
constexpr Type content = open(Kind::choice, contents);
constexpr Type endpoint_type = open(Kind::sequence, endpoint_type_fields);
constexpr Type enumerated_parameter = open(Kind::sequence, enumerated_parameter_fields);
constexpr Type gatekeeper_identifier = sized(Kind::bmp_string, 1, 128);
constexpr Type generic_data = open(Kind::sequence, generic_data_fields);
constexpr Type generic_data_list = list_of(generic_data);
constexpr Type generic_identifier = open(Kind::choice, generic_identifiers);
constexpr Type non_standard_parameter = closed(Kind::sequence, non_standard_fields);
constexpr Type party_number = open(Kind::choice, party_numbers);
constexpr Type public_party_number = closed(Kind::sequence, public_number_fields);
constexpr Type qseries_options = open(Kind::sequence, qseries_fields);
constexpr Type transport_address = open(Kind::choice, transport_addresses);
constexpr Type transport_address_list = list_of(transport_address);

}  // namespace sallyport::h323::h225
