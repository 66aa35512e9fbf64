// The types of H.225.0 (version 7, 12/2009) that lie on the way to what a gateway routes by and looks at.
#pragma once

#include "wire/h323/layout.hpp"

namespace sallyport::h323::h225 {

extern const Type alias_address;
extern const Type alias_list;
extern const Type alt_gk_info;
extern const Type alternate_gk;
extern const Type content;
extern const Type endpoint_type;
extern const Type enumerated_parameter;
extern const Type gatekeeper_identifier;
extern const Type gatekeeper_reject_reason;
extern const Type generic_data;
extern const Type generic_data_list;
extern const Type generic_identifier;
extern const Type h323_message_body;
extern const Type h323_user_information;
extern const Type h323_uu_pdu;
extern const Type non_standard_parameter;
extern const Type party_number;
extern const Type public_party_number;
extern const Type qseries_options;
extern const Type ras_message;
extern const Type registration_reject_reason;
extern const Type release_complete_reason;
extern const Type transport_address;
extern const Type transport_address_list;

}  // namespace sallyport::h323::h225
