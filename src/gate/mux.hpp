// One port for all protocols ([listen] mux): TLS or not, then which dialect, told by the first bytes.
#pragma once

#include "gate/dialect.hpp"
#include "gate/session.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

namespace sallyport::gate::mux {

/// Whose first bytes are these?
struct Told {
    const Dialect* dialect = nullptr;
    bool is_turn = false;
    bool undecided = false;  // where it is neither: more bytes may tell

    bool is_known() const { return dialect != nullptr || is_turn; }
};
/// @param with_turn  TURN is one of the protocols of the port
Told tell(Bytes first, bool with_turn);

/// Does the client begin with TLS? Sets it in the session. False: the connection has ended, with its record.
io::Task<bool> look_for_tls(Session& session, io::Stream& client);

/// What the client speaks, in TLS once that is there. Takes nothing of what it is told by. Nothing known: the
/// connection has ended, with its record.
io::Task<Told> find_protocol(Session& session, io::Stream& client);

}  // namespace sallyport::gate::mux
