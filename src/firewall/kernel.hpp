// The kernel's side of the firewall, by the nft program and its text: what is loaded, and loading. Text, because the
// JSON of nft 1.0.6 does not survive being read back.
#pragma once

#include "base/result.hpp"
#include "firewall/render.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::firewall {

struct KernelError {
    std::string message;
    bool not_permitted = false;
};
template <class T>
using KernelResult = Result<T, KernelError>;

/// Our table as `nft list table` prints it, counters and remembered ports included; nothing where there is none.
KernelResult<std::optional<std::string>> list_table();

/// The same without what changes by itself: counters, and the elements of sets that packets fill.
KernelResult<std::optional<std::string>> list_table_still();

/// Every table of the kernel, without counters.
KernelResult<std::string> list_ruleset();

/// Loads the text in one transaction: all of it, or nothing is changed.
KernelResult<void> load(const std::string& text);

/// Loads the text in a network namespace of its own, where it can do no harm, and gives back what list_table_still()
/// would then say. A dry run proves less: the kernel refuses rules that `nft -c` has let through.
KernelResult<std::string> rehearse(const std::string& text);

/// What takes our table away and puts `table`, a listing, in its place; nothing in its place where there is none.
std::string restoring(const std::optional<std::string>& table);

/// The named counters of a listing.
Counts counts_of(std::string_view listing);

/// Without the elements of the sets that packets fill, and those of the maps of clients that come and go: they say
/// nothing about the policy.
std::string without_learned(std::string_view listing);

}  // namespace sallyport::firewall
