#include "wire/sip/scanner.hpp"

#include "wire/end_of_text.hpp"

namespace sallyport::sip {

namespace {

// Whether the last of the backslashes in front of a character belongs to it, and not to one of their own.
bool is_escaped(std::string_view before) {
    const std::size_t other = before.find_last_not_of('\\');
    const std::size_t backslashes = other == std::string_view::npos ? before.size() : before.size() - other - 1;
    return backslashes % 2 != 0;
}

}  // namespace

bool Scanner::refuse(MessageError error) {
    result_ = {.state = MessageResult::State::refused, .error = error};
    return false;
}

// Names what is wrong with the byte at hand; a carriage return at the end of the input may still become a line end.
bool Scanner::unexpected(MessageError otherwise) {
    switch (*at_) {
        case '\0': return refuse(MessageError::nul_byte);
        case '\n': return refuse(MessageError::bare_lf);
        case '\r':
            if (end_ - at_ < 2) return false;
            return refuse(at_[1] == '\n' ? otherwise : MessageError::bare_cr);
        default: return refuse(otherwise);
    }
}

bool Scanner::run(CharacterSet set, MessageError if_empty, std::string_view& out) {
    out = rest().substr(0, run_of(set, rest()));
    at_ += out.size();
    if (at_ == end_) return false;
    return !out.empty() || unexpected(if_empty);
}

bool Scanner::text(std::string_view& out) {
    const char* start = at_;
    at_ = wire::end_of_text(at_, end_);
    out = {start, at_};
    return at_ != end_;
}

bool Scanner::one(char c, MessageError otherwise) {
    if (at_ == end_) return false;
    if (*at_ != c) return unexpected(otherwise);
    ++at_;
    return true;
}

bool Scanner::skip(std::string_view expected) {
    if (!rest().starts_with(expected)) return false;
    at_ += expected.size();
    return true;
}

bool Scanner::digits(MessageError otherwise, std::string_view& out) {
    const char* start = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    out = {start, at_};
    if (at_ == end_) return false;
    return at_ != start || unexpected(otherwise);
}

bool Scanner::line_end(MessageError otherwise) {
    if (at_ == end_) return false;
    if (*at_ != '\r') return unexpected(otherwise);
    if (end_ - at_ < 2) return false;
    if (at_[1] != '\n') return refuse(MessageError::bare_cr);
    at_ += 2;
    return true;
}

bool Scanner::fields(FieldList& out) {
    if (at_ != end_ && is_blank(*at_)) return refuse(MessageError::stray_fold);
    while (at_ != end_) {
        if (*at_ == '\r') return line_end(MessageError::bare_cr);
        if (!field_line(out)) return false;
    }
    return false;
}

bool Scanner::field_line(FieldList& out) {
    Field field;
    std::string_view content;
    if (!known_name(field) && !other_name(field)) return false;
    if (!value(content)) return false;
    field.value = trim_white(content);
    return out.add(field) || refuse(MessageError::too_many_fields);
}

// Most names are known, are followed by their colon, and need no look at each byte. False: nothing was read.
bool Scanner::known_name(Field& field) {
    const std::size_t colon = rest().substr(0, longest_known_name + 1).find(':');
    if (colon == std::string_view::npos) return false;  // field.name stays empty: nothing is known of it
    field.name = rest().substr(0, colon);
    field.kind = kind_at_front(rest(), colon);
    if (field.kind == FieldKind::other) return false;
    at_ += colon + 1;
    return true;
}

bool Scanner::other_name(Field& field) {
    const std::string_view looked_up = field.name;
    if (!run(token_set, MessageError::bad_name, field.name)) return false;
    while (at_ != end_ && is_blank(*at_)) ++at_;  // HCOLON of RFC 3261 section 25.1
    if (field.name != looked_up) field.kind = kind_of(field.name);
    return one(':', MessageError::bad_name);
}

// Up to a line end that no fold follows. The view may hold folds.
bool Scanner::value(std::string_view& out) {
    const char* start = at_;
    for (;;) {
        if (!value_line() || !line_end(MessageError::control_character)) return false;
        out = {start, at_ - 2};
        if (at_ == end_) return false;  // the next line may be a fold
        if (!is_blank(*at_)) return true;
        if (!fold()) return false;
    }
}

// Up to the byte that ends the line. Behind a backslash stands any character but a line end (quoted-pair of RFC 3261
// section 25.1); whether it stands in a quoted string is for those to see who read the value.
bool Scanner::value_line() {
    for (const char* start = at_;; ++at_) {
        at_ = wire::end_of_text(at_, end_);
        if (at_ == end_) return false;
        const bool line_end = *at_ == '\r' || *at_ == '\n';
        if (line_end || !is_escaped({start, at_})) return true;
    }
}

// The blanks that make a line belong to the one before. Something must stand behind them.
bool Scanner::fold() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
    if (at_ == end_) return false;
    return *at_ != '\r' || unexpected(MessageError::blank_fold);
}

}  // namespace sallyport::sip
