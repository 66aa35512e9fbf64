#pragma once

#include "io/sockets.hpp"
#include "io/task.hpp"
#include "listeners/loop_listeners.hpp"

namespace sallyport::gate {

class Gate;

/// Serves one accepted connection to its end.
io::Task<void> serve(Gate& gate, listeners::ListenerHandle listener, io::Accepted accepted);

}  // namespace sallyport::gate
