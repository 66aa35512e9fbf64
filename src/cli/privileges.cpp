#include "cli/privileges.hpp"

#include <cap-ng.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace sallyport::cli {

namespace {

struct Account {
    uid_t uid;
    gid_t gid;
};

std::optional<Account> find_account(const std::string& user) {
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) return std::nullopt;
    return Account{entry->pw_uid, entry->pw_gid};
}

bool is_root() { return geteuid() == 0; }

constexpr auto ours = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);

void choose_capabilities(NetAdmin net_admin) {
    capng_clear(CAPNG_SELECT_BOTH);
    capng_update(CAPNG_ADD, ours, CAP_NET_BIND_SERVICE);
    if (net_admin == NetAdmin::kept) capng_update(CAPNG_ADD, ours, CAP_NET_ADMIN);
    if (net_admin == NetAdmin::kept_for_programs)
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(ours | CAPNG_INHERITABLE), CAP_NET_ADMIN);
}

bool holds(unsigned capability) {
    capng_get_caps_process();
    return capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

// An ordinary user's programs get what is ambient, and nothing else (capabilities(7)). Where it can't be, they say
// themselves what they lack.
void leave_to_programs(unsigned capability) {
    capng_get_caps_process();
    capng_update(CAPNG_ADD, CAPNG_INHERITABLE, capability);
    capng_apply(CAPNG_SELECT_CAPS);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

}  // namespace

bool may_bind_low_ports() { return holds(CAP_NET_BIND_SERVICE); }

bool may_rule_kernel() { return holds(CAP_NET_ADMIN); }

bool may_change_firewall() { return is_root() && may_rule_kernel(); }

Result<void> prepare_directories(const std::vector<std::filesystem::path>& directories, const std::string& user) {
    const auto account = is_root() ? find_account(user) : std::nullopt;
    for (const auto& directory : directories) {
        std::error_code error;
        const bool made = std::filesystem::create_directories(directory, error);
        if (error) return fail("can't make the directory " + directory.string() + ": " + error.message());
        if (made) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
        if (account && made && ::chown(directory.c_str(), account->uid, account->gid) != 0) {
            return fail("can't give the directory " + directory.string() + " to " + user + ": " + std::strerror(errno));
        }
    }
    return {};
}

Result<Identity> drop_privileges(const std::string& user, NetAdmin net_admin) {
    const bool leaves_it = net_admin == NetAdmin::kept_for_programs;
    if (!is_root()) {
        if (leaves_it) leave_to_programs(CAP_NET_ADMIN);
        const passwd* self = getpwuid(geteuid());
        return Identity{.user = self == nullptr ? std::to_string(geteuid()) : self->pw_name};
    }
    const auto account = find_account(user);
    choose_capabilities(net_admin);
    if (!account || account->uid == 0) {
        if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail("can't give up the capabilities of root");
        std::string note = account ? "runs as root, because node.user says so"
                                   : "runs as root: there is no account '" + user + "' (node.user)";
        return Identity{.user = "root", .note = std::move(note)};
    }
    const auto flags = static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
    const int result = capng_change_id(static_cast<int>(account->uid), static_cast<int>(account->gid), flags);
    if (result != 0) return fail("can't become the user " + user + ": libcap-ng error " + std::to_string(result));
    if (leaves_it) leave_to_programs(CAP_NET_ADMIN);
    return Identity{.user = user, .dropped = true};
}

}  // namespace sallyport::cli
