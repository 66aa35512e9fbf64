#include "wire/http/scanner.hpp"

#include "wire/end_of_text.hpp"

namespace sallyport::http {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool Scanner::refuse(HeadError error) {
    result_ = {.state = HeadResult::State::refused, .error = error};
    return false;
}

// Names what is wrong with the byte at hand; a carriage return at the end of the input may still become a line end.
bool Scanner::unexpected(HeadError otherwise) {
    switch (*at_) {
        case '\0': return refuse(HeadError::nul_byte);
        case '\n': return refuse(HeadError::bare_lf);
        case '\r':
            if (end_ - at_ < 2) return false;
            return refuse(at_[1] == '\n' ? otherwise : HeadError::bare_cr);
        default: return refuse(otherwise);
    }
}

bool Scanner::blank_lines(int most) {
    for (; next_is('\r') || next_is('\n'); --most) {
        if (most == 0) return unexpected(HeadError::blank_lines);
        if (!line_end(HeadError::blank_lines)) return false;
    }
    return true;
}

bool Scanner::run(CharacterSet set, HeadError if_empty, std::string_view& out) {
    const char* start = at_;
    while (at_ != end_ && is_in(set, *at_)) ++at_;
    if (at_ == end_) return false;
    if (at_ == start) return unexpected(if_empty);
    out = {start, at_};
    return true;
}

bool Scanner::text(std::string_view& out) {
    const char* start = at_;
    at_ = wire::end_of_text(at_, end_);
    out = {start, at_};
    return at_ != end_;
}

bool Scanner::one(char c, HeadError otherwise) {
    if (at_ == end_) return false;
    if (*at_ != c) return unexpected(otherwise);
    ++at_;
    return true;
}

bool Scanner::digit(unsigned& out) {
    if (at_ == end_) return false;
    if (*at_ < '0' || *at_ > '9') return unexpected(HeadError::bad_version);
    out = static_cast<unsigned>(*at_++ - '0');
    return true;
}

bool Scanner::version(unsigned& major, unsigned& minor) {
    for (const char c : std::string_view("HTTP/")) {
        if (!one(c, HeadError::bad_version)) return false;
    }
    return digit(major) && one('.', HeadError::bad_version) && digit(minor);
}

bool Scanner::line_end(HeadError otherwise) {
    if (at_ == end_) return false;
    if (*at_ != '\r') return unexpected(otherwise);
    if (end_ - at_ < 2) return false;
    if (at_[1] != '\n') return refuse(HeadError::bare_cr);
    at_ += 2;
    return true;
}

bool Scanner::fields(FieldList& out) {
    while (at_ != end_) {
        if (*at_ == '\r') return line_end(HeadError::bare_cr);
        if (!field_line(out)) return false;
    }
    return false;
}

// Stopped at a byte that is neither of a name nor the colon behind it.
bool Scanner::no_colon(bool at_line_start) {
    if (!is_blank(*at_)) return unexpected(HeadError::bad_name);
    return refuse(at_line_start ? HeadError::obs_fold : HeadError::space_before_colon);
}

bool Scanner::field_line(FieldList& out) {
    const char* start = at_;
    while (at_ != end_ && is_in(token_set, *at_)) ++at_;
    if (at_ == end_) return false;
    if (*at_ != ':') return no_colon(at_ == start);
    if (at_ == start) return refuse(HeadError::empty_name);
    const std::string_view name(start, at_++);

    while (at_ != end_ && is_blank(*at_)) ++at_;
    std::string_view value;
    if (!text(value) || !line_end(HeadError::control_character)) return false;
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    return out.add({name, value, kind_of(name)}) || refuse(HeadError::too_many_fields);
}

}  // namespace sallyport::http
