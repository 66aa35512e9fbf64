// The messages of H.225.0 in tables: names, order and bounds are the notation's. Where a table breaks off, nobody
// here asks for what comes behind; only whether a field is OPTIONAL is told to the end of each root, for that makes the
// first bits of an encoding.
#include "wire/h323/notation.hpp"

namespace sallyport::h323::h225 {

namespace {

// ---- Call signalling.

constexpr Field facility_reasons[] = {
    {"routeCallToGatekeeper", &null}, {"callForwarded", &null}, {"routeCallToMC", &null}, {"undefinedReason", &null}};
constexpr Type facility_reason = open(Kind::choice, facility_reasons);
constexpr Field facility_fields[] = {
    {"protocolIdentifier", &object_identifier},
    {"alternativeAddress", &transport_address, optional},
    {"alternativeAliasAddress", &alias_list, optional},
    {"conferenceID", &guid, optional},
    {"reason", &facility_reason},
};
constexpr Type facility = open(Kind::sequence, facility_fields);

constexpr Field release_complete_reasons[] = {
    {"noBandwidth", &null},
    {"gatekeeperResources", &null},
    {"unreachableDestination", &null},
    {"destinationRejection", &null},
    {"invalidRevision", &null},
    {"noPermission", &null},
    {"unreachableGatekeeper", &null},
    {"gatewayResources", &null},
    {"badFormatAddress", &null},
    {"adaptiveBusy", &null},
    {"inConf", &null},
    {"undefinedReason", &null},
};
constexpr Field further_release_complete_reasons[] = {
    {"facilityCallDeflection", &null},
    {"securityDenied", &null},
    {"calledPartyNotRegistered", &null},
    {"callerNotRegistered", &null},
    {"newConnectionNeeded", &null},
    {"nonStandardReason", not_read},
    {"replaceWithConferenceInvite", not_read},
    {"genericDataReason", &null},
    {"neededFeatureNotSupported", &null},
    {"tunnelledSignallingRejected", &null},
    {"invalidCID", &null},
    {"securityError", not_read},
    {"hopCountExceeded", &null},
};
constexpr Field release_complete_fields[] = {
    {"protocolIdentifier", &object_identifier},
    {"reason", &release_complete_reason, optional, Mark::reason},
};
constexpr Type release_complete = open(Kind::sequence, release_complete_fields);

constexpr Field setup_fields[] = {
    {"protocolIdentifier", &object_identifier},
    {"h245Address", &transport_address, optional},
    {"sourceAddress", &alias_list, optional},
    {"sourceInfo", &endpoint_type},
    {"destinationAddress", &alias_list, optional, Mark::destination},
    {"destCallSignalAddress", not_read, optional},
    {"destExtraCallInfo", not_read, optional},
    {"destExtraCRV", not_read, optional},
    {"activeMC", not_read},
    {"conferenceID", not_read},
    {"conferenceGoal", not_read},
    {"callServices", not_read, optional},
    {"callType", not_read},
};
constexpr Type setup = open(Kind::sequence, setup_fields);

constexpr Field message_bodies[] = {
    {"setup", &setup},         {"callProceeding", not_read},           {"connect", not_read},   {"alerting", not_read},
    {"information", not_read}, {"releaseComplete", &release_complete}, {"facility", &facility},
};
constexpr Field further_message_bodies[] = {{"progress", not_read}, {"empty", &null}};

constexpr Field uu_pdu_fields[] = {
    {"h323-message-body", &h323_message_body, mandatory, Mark::body},
    {"nonStandardData", &non_standard_parameter, optional},
};
constexpr Field uu_pdu_additions[] = {
    {"h4501SupplementaryService", not_read},
    {"h245Tunnelling", not_read},
    {"h245Control", not_read},
    {"nonStandardControl", not_read},
    {"callLinkage", not_read},
    {"tunnelledSignallingMessage", not_read},
    {"provisionalRespToH245Tunnelling", not_read},
    {"stimulusControl", not_read},
    {"genericData", &generic_data_list, optional, Mark::generic_data},
};
constexpr Field user_information_fields[] = {{"h323-uu-pdu", not_read, mandatory, Mark::uu_pdu},
                                             {"user-data", not_read, optional}};

// ---- Registration, admission and status.

constexpr Field gatekeeper_reject_reasons[] = {{"resourceUnavailable", &null},
                                               {"terminalExcluded", &null},
                                               {"invalidRevision", &null},
                                               {"undefinedReason", &null}};
constexpr Field further_gatekeeper_reject_reasons[] = {{"securityDenial", &null},
                                                       {"genericDataReason", &null},
                                                       {"neededFeatureNotSupported", &null},
                                                       {"securityError", not_read}};

constexpr Field registration_reject_reasons[] = {
    {"discoveryRequired", &null}, {"invalidRevision", &null},       {"invalidCallSignalAddress", &null},
    {"invalidRASAddress", &null}, {"duplicateAlias", &alias_list},  {"invalidTerminalType", &null},
    {"undefinedReason", &null},   {"transportNotSupported", &null},
};
constexpr Field further_registration_reject_reasons[] = {
    {"transportQOSNotSupported", &null},
    {"resourceUnavailable", &null},
    {"invalidAlias", &null},
    {"securityDenial", &null},
    {"fullRegistrationRequired", &null},
    {"additiveRegistrationNotSupported", &null},
    {"invalidTerminalAliases", not_read},
    {"genericDataReason", &null},
    {"neededFeatureNotSupported", &null},
    {"securityError", not_read},
    {"registerWithAssignedGK", &null},
};

constexpr Type request_seq_num = integer(1, 65535);
constexpr Field sequence_number{"requestSeqNum", &request_seq_num, mandatory, Mark::request_seq_num};
constexpr Field protocol_identifier{"protocolIdentifier", &object_identifier};
constexpr Field non_standard_data{"nonStandardData", &non_standard_parameter, optional};

constexpr Field gatekeeper_request_fields[] = {
    sequence_number,
    protocol_identifier,
    non_standard_data,
    {"rasAddress", &transport_address},
    {"endpointType", &endpoint_type},
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
    {"callServices", &qseries_options, optional},
    {"endpointAlias", &alias_list, optional, Mark::aliases},
};
constexpr Type gatekeeper_request = open(Kind::sequence, gatekeeper_request_fields);

constexpr Field gatekeeper_confirm_fields[] = {
    sequence_number,
    protocol_identifier,
    non_standard_data,
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
    {"rasAddress", &transport_address},
};
constexpr Type gatekeeper_confirm = open(Kind::sequence, gatekeeper_confirm_fields);

constexpr Field gatekeeper_reject_fields[] = {
    sequence_number,
    protocol_identifier,
    non_standard_data,
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
    {"rejectReason", &gatekeeper_reject_reason, mandatory, Mark::reject_reason},
};
constexpr Field gatekeeper_reject_additions[] = {{"altGKInfo", &alt_gk_info, optional, Mark::alternates}};
constexpr Type gatekeeper_reject = open(Kind::sequence, gatekeeper_reject_fields, gatekeeper_reject_additions);

// Some phones are odd in their endpointVendor: it is not looked at.
constexpr Field registration_request_fields[] = {
    sequence_number,
    protocol_identifier,
    non_standard_data,
    {"discoveryComplete", &boolean},
    {"callSignalAddress", &transport_address_list},
    {"rasAddress", &transport_address_list},
    {"terminalType", &endpoint_type},
    {"terminalAlias", &alias_list, optional, Mark::aliases},
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
    {"endpointVendor", not_read},
};
constexpr Type registration_request = open(Kind::sequence, registration_request_fields);

constexpr Field registration_confirm_fields[] = {
    sequence_number,
    protocol_identifier,
    non_standard_data,
    {"callSignalAddress", &transport_address_list},
    {"terminalAlias", &alias_list, optional, Mark::aliases},
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
    {"endpointIdentifier", not_read},
};
constexpr Type registration_confirm = open(Kind::sequence, registration_confirm_fields);

constexpr Field registration_reject_fields[] = {
    sequence_number,
    protocol_identifier,
    non_standard_data,
    {"rejectReason", &registration_reject_reason, mandatory, Mark::reject_reason},
    {"gatekeeperIdentifier", &gatekeeper_identifier, optional, Mark::gatekeeper_identifier},
};
constexpr Field registration_reject_additions[] = {
    {"altGKInfo", &alt_gk_info, optional, Mark::alternates},
    {"tokens", not_read},
    {"cryptoTokens", not_read},
    {"integrityCheckValue", not_read},
    {"featureSet", not_read},
    {"genericData", not_read},
    {"assignedGatekeeper", &alternate_gk, optional, Mark::assigned_gatekeeper},
};
constexpr Type registration_reject = open(Kind::sequence, registration_reject_fields, registration_reject_additions);

// Of the others only the number is read. What counts behind it is how many fields of the root are OPTIONAL.
constexpr Field unread{"", not_read, optional};
constexpr Field numbered_fields[] = {sequence_number, unread, unread, unread, unread, unread, unread, unread};
constexpr Type numbered(std::size_t optionals) {
    return open(Kind::sequence, Fields(numbered_fields).first(1 + optionals));
}
constexpr Type numbered_0 = numbered(0);
constexpr Type numbered_1 = numbered(1);
constexpr Type numbered_2 = numbered(2);
constexpr Type numbered_3 = numbered(3);
constexpr Type numbered_7 = numbered(7);
constexpr Field info_request_response_fields[] = {non_standard_data, sequence_number, unread, unread};
constexpr Type info_request_response = open(Kind::sequence, info_request_response_fields);

constexpr Field ras_messages[] = {
    {"gatekeeperRequest", &gatekeeper_request},
    {"gatekeeperConfirm", &gatekeeper_confirm},
    {"gatekeeperReject", &gatekeeper_reject},
    {"registrationRequest", &registration_request},
    {"registrationConfirm", &registration_confirm},
    {"registrationReject", &registration_reject},
    {"unregistrationRequest", &numbered_3},
    {"unregistrationConfirm", &numbered_1},
    {"unregistrationReject", &numbered_1},
    {"admissionRequest", &numbered_7},
    {"admissionConfirm", &numbered_2},
    {"admissionReject", &numbered_1},
    {"bandwidthRequest", &numbered_2},
    {"bandwidthConfirm", &numbered_1},
    {"bandwidthReject", &numbered_1},
    {"disengageRequest", &numbered_1},
    {"disengageConfirm", &numbered_1},
    {"disengageReject", &numbered_1},
    {"locationRequest", &numbered_2},
    {"locationConfirm", &numbered_1},
    {"locationReject", &numbered_1},
    {"infoRequest", &numbered_2},
    {"infoRequestResponse", &info_request_response},
    {"nonStandardMessage", &numbered_0},
    {"unknownMessageResponse", &numbered_0},
};
constexpr Field further_ras_messages[] = {
    {"requestInProgress", not_read},
    {"resourcesAvailableIndicate", not_read},
    {"resourcesAvailableConfirm", not_read},
    {"infoRequestAck", not_read},
    {"infoRequestNak", not_read},
    {"serviceControlIndication", not_read},
    {"serviceControlResponse", not_read},
    {"admissionConfirmSequence", not_read},
};

}  // namespace

constexpr Type gatekeeper_reject_reason =
    open(Kind::choice, gatekeeper_reject_reasons, further_gatekeeper_reject_reasons);
constexpr Type h323_message_body = open(Kind::choice, message_bodies, further_message_bodies);
constexpr Type h323_user_information = open(Kind::sequence, user_information_fields);
constexpr Type h323_uu_pdu = open(Kind::sequence, uu_pdu_fields, uu_pdu_additions);
constexpr Type ras_message = open(Kind::choice, ras_messages, further_ras_messages);
constexpr Type registration_reject_reason =
    open(Kind::choice, registration_reject_reasons, further_registration_reject_reasons);
constexpr Type release_complete_reason = open(Kind::choice, release_complete_reasons, further_release_complete_reasons);

}  // namespace sallyport::h323::h225
