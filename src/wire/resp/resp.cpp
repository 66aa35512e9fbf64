#include "wire/resp/resp.hpp"

#include "base/text.hpp"

#include <optional>

namespace sallyport::resp {

namespace {

using State = Parsed::State;
using Kind = Value::Kind;

constexpr std::size_t max_line = 512;  // octets: types, lengths, numbers, simple strings and errors

class Reader {
public:
    explicit Reader(Bytes bytes) : text_(as_text(bytes)) {}

    State read(Value& out, unsigned depth) {
        if (++values_ > max_items || depth > max_depth) return State::malformed;
        std::string_view line;
        const State got = read_line(line);
        if (got != State::complete) return got;
        if (line.empty()) return State::malformed;
        const char type = line.front();
        line.remove_prefix(1);
        switch (type) {
            case '+': return simple(out, Kind::text, line);
            case '-': return simple(out, Kind::error, line);
            case ':': return number(out, line);
            case '#': return boolean(out, line);
            case '_': return line.empty() ? State::complete : State::malformed;
            case '$': return bulk(out, Kind::text, line);
            case '!': return bulk(out, Kind::error, line);
            case '*':
            case '~': return list(out, Kind::list, line, 1, depth);
            case '>': return list(out, Kind::push, line, 1, depth);
            case '%': return list(out, Kind::list, line, 2, depth);
            default: return State::malformed;
        }
    }
    std::size_t taken() const { return at_; }

private:
    State read_line(std::string_view& line) {
        const std::string_view rest = text_.substr(at_, max_line + 2);
        const std::size_t end = rest.find("\r\n");
        if (end == std::string_view::npos) return rest.size() < max_line + 2 ? State::need_more : State::malformed;
        line = rest.substr(0, end);
        at_ += end + 2;
        return State::complete;
    }
    static State simple(Value& out, Kind kind, std::string_view line) {
        out.kind = kind;
        out.text = line;
        return State::complete;
    }
    static State number(Value& out, std::string_view line) {
        const bool negative = line.starts_with('-');
        const auto value = parse_number<std::uint32_t>(line.substr(negative ? 1 : 0));
        // Larger ones are nothing that we ask for; they are held to the most.
        const std::int64_t held = value ? std::int64_t{*value} : std::int64_t{1} << 32;
        if (!value && line.find_first_not_of("0123456789", negative ? 1 : 0) != std::string_view::npos)
            return State::malformed;
        out.kind = Kind::number;
        out.number = negative ? -held : held;
        return State::complete;
    }
    static State boolean(Value& out, std::string_view line) {
        if (line != "t" && line != "f") return State::malformed;
        out.kind = Kind::number;
        out.number = line == "t" ? 1 : 0;
        return State::complete;
    }
    State bulk(Value& out, Kind kind, std::string_view line) {
        if (line == "-1") return State::complete;  // RESP2's null
        const auto length = parse_number<std::uint32_t>(line);
        if (!length || *length > max_text) return State::malformed;
        if (text_.size() - at_ < *length + 2) return State::need_more;
        if (text_.substr(at_ + *length, 2) != "\r\n") return State::malformed;
        out.kind = kind;
        out.text = text_.substr(at_, *length);
        at_ += *length + 2;
        return State::complete;
    }
    State list(Value& out, Kind kind, std::string_view line, std::size_t each, unsigned depth) {
        if (line == "-1") return State::complete;
        const auto count = parse_number<std::uint32_t>(line);
        if (!count || *count > max_items) return State::malformed;
        out.kind = kind;
        for (std::size_t i = 0; i < *count * each; ++i) {
            Value item;
            const State got = read(item, depth + 1);
            if (got != State::complete) return got;
            out.items.push_back(std::move(item));
        }
        return State::complete;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t values_ = 0;
};

}  // namespace

Parsed parse(Bytes bytes) {
    Reader reader(bytes);
    Parsed out;
    out.state = reader.read(out.value, 0);
    out.length = reader.taken();
    return out;
}

std::string write_command(std::span<const std::string_view> words) {
    std::string out = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string_view word : words) {
        out += "$" + std::to_string(word.size()) + "\r\n";
        out.append(word).append("\r\n");
    }
    return out;
}

}  // namespace sallyport::resp
