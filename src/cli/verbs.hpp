// The verbs of the command line. Each answers the exit status of INTERFACE section 2.
#pragma once

#include <filesystem>
#include <string>

namespace sallyport::cli {

enum class Exit : int {
    done = 0,
    failed = 1,
    usage = 2,
    invalid = 3,
    unreachable = 4,
    not_permitted = 5,
    answer_is_no = 10
};

struct Common {
    std::filesystem::path config_file = "/etc/sallyport/sallyport.toml";
    bool json = false;
};

struct ExplainOptions {
    std::string subject;
    std::string client = "127.0.0.1";
    bool tls = false;  // where the subject does not say
    std::filesystem::path certificate;  // PEM, that the client would show; empty: none
    bool ask = false;  // of a name that others know: whether they are asked
};

struct ConnectionsOptions {
    std::string id;  // to be ended
    std::string service;
};

struct StateOptions {
    std::string service;
    std::string protocol;
    std::string target;
};

struct BanOptions {
    std::string address;
    std::string lasts;  // "1h", "ever"; empty: as configured
    std::string reason;
};

Exit check(const Common& common);
Exit explain(const Common& common, const ExplainOptions& options);
Exit reload(const Common& common);
Exit status(const Common& common);
Exit drain(const Common& common);
Exit connections(const Common& common, const ConnectionsOptions& options);
Exit kill_connections(const Common& common, const ConnectionsOptions& options);
Exit services(const Common& common);
/// @param state  "up", "drain" or "maintenance"
Exit set_state(const Common& common, const StateOptions& options, const std::string& state);
Exit bans(const Common& common);
Exit suspects(const Common& common);
/// @param verdict  "ban" or "allow"
Exit set_ban(const Common& common, const BanOptions& options, const std::string& verdict);
Exit remove_ban(const Common& common, const BanOptions& options);
/// docs/configuration.md, docs/reasons.md, or the JSON Schema that editors complete sallyport.toml by.
Exit reference(const std::string& what);

}  // namespace sallyport::cli
