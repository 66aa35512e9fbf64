// One configuration made ready for use: everything that is built from it before any of it takes effect. Built on the
// worker's thread; when something is wrong with it, the present generation goes on untouched.
#pragma once

#include "base/time.hpp"
#include "config/load.hpp"
#include "dns/server.hpp"
#include "gate/gate.hpp"
#include "gate/targets/state.hpp"
#include "io/dtls.hpp"
#include "io/tls.hpp"
#include "push/decide.hpp"
#include "turn/settings.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::cli {

struct Generation {
    std::shared_ptr<const gate::Snapshot> routing;
    std::vector<gate::SnapshotHandle> loops;  // one for each data loop
    gate::SnapshotHandle control;             // the control loop's, for health checks
    std::vector<dns::LoopZones> zones;        // one for each data loop
    std::shared_ptr<const io::TlsServer> admin_tls;
    turn::SettingsHandle turn;
    std::vector<std::shared_ptr<io::DtlsServer>> turn_dtls;     // likewise; null: no DTLS
    std::vector<std::shared_ptr<const io::TlsServer>> turn_tls;  // one for each data loop; they ask for no certificate
    std::vector<std::filesystem::path> watched_files;  // certificates, keys, trust lists
    std::vector<std::string> hosts;  // target names to be resolved
    std::vector<crypto::Credential> credentials;
    std::vector<std::string> trusted_pems;  // [trust]
    std::string radius_secret;  // of [egress]; empty: none
    std::shared_ptr<const push::Policy> push;  // null: there is none
    config::Loaded source;  // to build from again when a certificate file changes
};

struct BuildOptions {
    std::size_t loops = 1;
    std::shared_ptr<const io::TicketKeys> ticket_keys;
    gate::StateBook* states = nullptr;  // of the targets, over all generations; null: of this one alone
    std::function<void(gate::SnapshotHandle)>
        release;  // takes a snapshot that a data loop let go, to free it elsewhere
    std::uint64_t dns_seed = 0;  // of the names' hashes
    WallTime now;
    bool dry = false;  // makes no file: for `check`
};

struct Built {
    std::shared_ptr<const Generation> generation;  // null when there are errors
    std::vector<config::Problem> errors;
    std::vector<config::Problem> warnings;
};

/// The names of the URL lists that `preset` may hold.
std::vector<std::string_view> preset_names();

/// Loads `file` with what it refers to.
Built build_generation(const std::filesystem::path& file, const BuildOptions& options);

/// The second half of it, for a configuration that is loaded already.
Built build_generation(const config::Loaded& loaded, const BuildOptions& options);

}  // namespace sallyport::cli
