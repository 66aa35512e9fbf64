// Reading one value of the file into one member of Config. The member's type says how: schema.hpp pairs each key with a
// member, and the right read() follows from that.
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/document.hpp"
#include "config/problem.hpp"

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sallyport::config {

/// What a row of the schema asks of its values beyond their type.
struct Limits {
    std::int64_t least = 0;  // of a number, or of a duration in nanoseconds
    std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    bool required = false;
    bool may_be_empty = false;  // "" means none
    std::string_view empty_list_hint = {};  // where [] is an error: what to do instead
    unsigned protocols = 0;  // of a service's key: the protocols that know it, as bits; 0: all
    std::optional<Complaint> (*check)(std::string_view text) = nullptr;
};

/// One value on its way into Config.
struct Reading {
    std::string_view key;
    const Limits& limits;
    const Value& value;
    const std::string& file;
    Findings& findings;

    Place place() const { return {file, value.position.line, value.position.column}; }
    Reading element(const Value& inner) const { return {key, limits, inner, file, findings}; }
    void error(Complaint complaint) const;
    void warning(Complaint complaint) const;
    void wrong_type(std::string_view wanted, std::string hint = {}) const;
};

/// What a key in the plural is given: one value, or a list. Nothing where the list is empty and may not be, which was
/// said.
std::optional<std::span<const Value>> elements_of(const Reading& in);

// Each reads the value, or says what is wrong with it and leaves `out` alone.
void read(const Reading& in, bool& out);
void read(const Reading& in, Located<bool>& out);
void read(const Reading& in, std::uint32_t& out);
void read(const Reading& in, std::optional<std::uint16_t>& out);  // a port
void read(const Reading& in, std::vector<Located<std::uint16_t>>& out);  // ports: one of them or a list

// Types that stand in the file as a string.
Result<void, Complaint> from_text(const Reading& in, std::string_view text, std::string& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, Path& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, Duration& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, IpAddress& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, Network& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, ListenAddress& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, NatMapping& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, LogDestination& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, Target& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, HealthCheck& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, DnsUpstream& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, DnsName& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, ProxyUrl& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, BitRate& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, PortRange& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, Interface& out);
Result<void, Complaint> from_text(const Reading& in, std::string_view text, SocketAddress& out);

/// The place of `text` among `words`, or a complaint with the nearest of them.
Result<std::size_t, Complaint> find_word(std::string_view text, std::span<const std::string_view> words);

template <class E>
    requires std::is_enum_v<E>
Result<void, Complaint> from_text(const Reading&, std::string_view text, E& out) {
    const auto index = find_word(text, words_of<E>);
    if (!index) return fail(index.error());
    out = static_cast<E>(*index);
    return {};
}

/// How a type is called in messages and in the manual.
enum class Scale : std::uint8_t { none, count, duration };
struct TypeName {
    std::string_view one;  // "network"
    std::string_view many;  // "networks": one of them or a list
    std::string_view sample;
    Scale scale = Scale::none;
};

template <class T>
inline constexpr TypeName type_name{"word", "words", ""};  // enumerations; their words say the rest
template <>
inline constexpr TypeName type_name<bool>{"boolean", "", "true"};
template <>
inline constexpr TypeName type_name<std::uint32_t>{"integer", "", "10", Scale::count};
template <>
inline constexpr TypeName type_name<std::optional<std::uint16_t>>{"port", "", "443"};
template <>
inline constexpr TypeName type_name<std::uint16_t>{"port", "ports", "443"};
template <>
inline constexpr TypeName type_name<ProxyUrl>{"proxy", "proxies", "\"http://proxy.example:3128\""};
template <>
inline constexpr TypeName type_name<PortRange>{"port range", "", "\"49152-65535\""};
template <>
inline constexpr TypeName type_name<Interface>{"interface", "interfaces", "\"eth0\""};
template <>
inline constexpr TypeName type_name<SocketAddress>{"address and port", "", "\"172.16.0.40:88\""};
template <>
inline constexpr TypeName type_name<std::string>{"string", "strings", "\"text\""};
template <>
inline constexpr TypeName type_name<Path>{"path", "paths", "\"dir/file\""};
template <>
inline constexpr TypeName type_name<Duration>{"duration", "", "\"30s\"", Scale::duration};
template <>
inline constexpr TypeName type_name<IpAddress>{"address", "addresses", "\"192.0.2.1\""};
template <>
inline constexpr TypeName type_name<Network>{"network", "networks", "\"10.0.0.0/8\""};
template <>
inline constexpr TypeName type_name<ListenAddress>{"listen address", "listen addresses", "\":443\""};
template <>
inline constexpr TypeName type_name<NatMapping>{"mapping", "mappings", "\"203.0.113.10=172.16.0.5\""};
template <>
inline constexpr TypeName type_name<LogDestination>{"log destination", "", "\"stdout\""};
template <>
inline constexpr TypeName type_name<HealthCheck>{"health check", "", "\"tcp\""};
template <>
inline constexpr TypeName type_name<DnsUpstream>{"name server", "name servers", "\"9.9.9.9\""};
template <>
inline constexpr TypeName type_name<DnsName>{"domain name", "domain names", "\"hq.example.com\""};
template <>
inline constexpr TypeName type_name<BitRate>{"bit rate", "", "\"20M\""};
template <>
inline constexpr TypeName type_name<Target>{"target", "targets", "\"172.16.0.10\""};

template <class T>
concept Textual = requires(const Reading& in, std::string_view text, T& out) {
    { from_text(in, text, out) } -> std::same_as<Result<void, Complaint>>;
};

template <Textual T>
void read(const Reading& in, T& out) {
    const auto* text = in.value.get_if<std::string>();
    if (!text) return in.wrong_type(type_name<T>.one, "such as " + std::string(type_name<T>.sample));
    if (text->empty() && !in.limits.may_be_empty) return in.error({"must not be empty"});
    if (in.limits.check) {
        if (auto complaint = in.limits.check(*text)) return in.error(std::move(*complaint));
    }
    T value{};
    if (auto done = from_text(in, *text, value); !done) return in.error(std::move(done.error()));
    out = std::move(value);
}

template <Textual T>
void read(const Reading& in, Located<T>& out) {
    read(in, out.value);
    out.place = in.place();
}

template <Textual T>
std::optional<Located<T>> read_alone(const Reading& in) {
    const auto errors = in.findings.errors.size();
    Located<T> out;
    read(in, out);
    if (in.findings.errors.size() != errors) return std::nullopt;
    return out;
}

template <Textual T>
void read(const Reading& in, std::optional<Located<T>>& out) {
    if (auto one = read_alone<T>(in)) out = std::move(*one);
}

/// One value or a list. What is wrong with one element does not hide what is wrong with the next: the readable ones are
/// kept.
template <Textual T>
void read(const Reading& in, std::vector<Located<T>>& out) {
    const auto elements = elements_of(in);
    if (!elements) return;
    std::vector<Located<T>> readable;
    for (const Value& element : *elements) {
        if (auto one = read_alone<T>(in.element(element))) readable.push_back(std::move(*one));
    }
    if (!readable.empty() || elements->empty()) out = std::move(readable);
}

}  // namespace sallyport::config
