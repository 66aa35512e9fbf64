// How connections of text protocols begin: a word, a blank, and something that tells one such protocol from another.
#pragma once

#include "gate/dialect.hpp"

#include <string_view>

namespace sallyport::gate {

struct FirstWord {
    Recognized complete = Recognized::maybe;  // yes: the word and the blank are there; no: it is none
    std::string_view word = {};               // where yes
    std::string_view rest = {};               // behind the blank
};

/// Reads the method of a request: letters, digits, '-' and '_', a letter first, 32 at the most.
FirstWord first_word(std::string_view text);

/// Does `text` begin with `prefix`; maybe: as far as it goes.
constexpr Recognized begins_with(std::string_view text, std::string_view prefix) {
    if (text.starts_with(prefix)) return Recognized::yes;
    return prefix.starts_with(text) ? Recognized::maybe : Recognized::no;
}

}  // namespace sallyport::gate
