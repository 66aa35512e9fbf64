// The parts of a head: runs of characters, line ends, field lines with their folds. Internal to wire/sip.
//
// Every step answers true and moves on, or false: then result() says whether more bytes are needed or what is wrong. A
// step never decides on a byte that has not come, so a prefix of a valid head is never refused.
#pragma once

#include "wire/sip/message.hpp"
#include "wire/sip/text.hpp"

#include <string_view>

namespace sallyport::sip {

class Scanner {
public:
    explicit Scanner(Bytes bytes) : Scanner(as_text(bytes)) {}

    /// Is the next byte this one? False as well where it has not come: then what follows will ask for it.
    bool next_is(char c) const { return at_ != end_ && *at_ == c; }
    std::string_view rest() const { return {at_, end_}; }
    /// Bytes of this set, at least one, up to one outside, which stays unread.
    bool run(CharacterSet set, MessageError if_empty, std::string_view& out);
    /// Visible ASCII, blanks and bytes above 127, perhaps none.
    bool text(std::string_view& out);
    /// Takes exactly this away. False where it does not stand there, or not yet: nothing is wrong with that.
    bool skip(std::string_view expected);
    /// This one byte.
    bool one(char c, MessageError otherwise);
    /// Digits, at least one.
    bool digits(MessageError otherwise, std::string_view& out);
    bool line_end(MessageError otherwise);
    /// Field lines up to and with the empty line.
    bool fields(FieldList& out);

    bool refuse(MessageError error);
    MessageResult result() const { return result_; }
    std::size_t consumed() const { return static_cast<std::size_t>(at_ - begin_); }

private:
    explicit Scanner(std::string_view all) : begin_(all.data()), at_(begin_), end_(begin_ + all.size()) {}

    bool field_line(FieldList& out);
    bool known_name(Field& field);
    bool other_name(Field& field);
    bool value(std::string_view& out);
    bool value_line();
    bool fold();
    bool unexpected(MessageError otherwise);

    const char* begin_;
    const char* at_;
    const char* end_;
    MessageResult result_;
};

}  // namespace sallyport::sip
