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
};

Exit check(const Common& common);
Exit explain(const Common& common, const ExplainOptions& options);
Exit reload(const Common& common);
Exit status(const Common& common);
Exit drain(const Common& common);
/// docs/configuration.md, docs/reasons.md, or the JSON Schema that editors complete sallyport.toml by.
Exit reference(const std::string& what);

}  // namespace sallyport::cli
