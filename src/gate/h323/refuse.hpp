// How a refusal is told in H.323.
#pragma once

#include "gate/h323/asked.hpp"
#include "telemetry/reason.hpp"
#include "wire/h323/answer.hpp"

namespace sallyport::gate::h323 {

/// A GRJ or RRJ to a registration, else a ReleaseComplete: with the code of the reason for whoever reads a trace, and
/// never with the name of a target or another service.
/// @return a view into `room`; empty where too little was heard to be answered
Bytes write_refusal(sallyport::h323::AnswerRoom& room, const Heard& heard, telemetry::Reason reason);

}  // namespace sallyport::gate::h323
