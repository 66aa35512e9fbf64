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
    bool undecided = false;  // where there is none: more bytes may tell
};
Told tell(Bytes first);

/// Does the client begin with TLS? Sets it in the session. False: the connection has ended, with its record.
io::Task<bool> look_for_tls(Session& session, io::Stream& client);

/// The dialect that the client speaks, in TLS once that is there. Takes nothing of what it is told by. Null: the
/// connection has ended, with its record.
io::Task<const Dialect*> find_dialect(Session& session, io::Stream& client);

}  // namespace sallyport::gate::mux
