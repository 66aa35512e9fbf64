// Why a connection or request ended as it did. One table for the log, the metrics,
// explain, the page and the manual: a code, what causes it, what to do about it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::telemetry {

enum class Reason : std::uint8_t {
    ok,
    service_redirected,
    service_unknown,
    service_no_name,
    service_removed,
    acl_denied,
    url_not_allowed,
    url_ambiguous,
    cert_missing,
    cert_untrusted,
    cert_expired,
    cert_name_mismatch,
    ban_active,
    peek_timeout,
    peek_malformed,
    peek_too_large,
    proxy_malformed,
    proxy_untrusted,
    protocol_mismatch,
    protocol_unsupported,
    tls_handshake,
    tls_timeout,
    tls_plain_on_tls_port,
    tls_on_plain_port,
    tls_misdirected,
    body_malformed,
    target_refused,
    target_unreachable,
    target_timeout,
    target_down,
    target_unresolved,
    target_tls,
    target_malformed,
    target_closed,
    target_stalled,
    target_rejected,
    limit_connections,
    limit_client,
    limit_service,
    limit_descriptors,
    egress_exhausted,
    egress_unknown,
    client_closed,
    client_reset,
    client_stalled,
    idle_timeout,
    draining,
    killed,
    dns_refused,
    dns_denied,
    dns_rebind,
    dns_stale,
    dns_no_answer,
    dns_busy,
    dns_limited,
    push_not_apple,
    turn_credentials,
    turn_quota,
    turn_ports,
    turn_peer_denied,
    firewall_closed,
};

struct ReasonText {
    Reason reason;
    std::string_view code;  // stable: scripts and dashboards key on it
    std::string_view cause;
    std::string_view remedy;  // empty where nothing needs one
};

/// In the order of the enumeration, so that a reason is its row's index.
inline constexpr std::array reasons{
    ReasonText{Reason::ok, "ok", "passed on", ""},
    ReasonText{Reason::service_redirected, "service.redirected",
               "a plain request was answered with a redirect to https", "nothing: redirect_to_https asks for it"},
    ReasonText{Reason::service_unknown, "service.unknown", "no service has this name",
               "compare the name with the nearest one in the record; add a [[service]] if it should be served"},
    ReasonText{Reason::service_no_name, "service.no_name", "the first message names no service",
               "configure the client with a name, or mark a service with default = true"},
    ReasonText{Reason::service_removed, "service.removed", "a reload removed the service and its drain time passed",
               "put the service back, or let its clients know where it went"},
    ReasonText{Reason::acl_denied, "acl.denied", "the client's address is not in the service's allow_from",
               "add the client's network to allow_from of the service"},
    ReasonText{Reason::url_not_allowed, "url.not_allowed",
               "no allow_url rule or preset of the service admits this path",
               "add the path to allow_url of the service, or the preset that holds it"},
    ReasonText{Reason::url_ambiguous, "url.ambiguous",
               "the path has forms that servers read differently (dot segments, encoded slashes, backslashes)",
               "ask for the path in its plain form; a client that sends such paths to a service with allow_url is "
               "probing or broken"},
    ReasonText{Reason::cert_missing, "cert.missing", "the service asks for a client certificate and none was presented",
               "install a certificate on the client, and see that it knows the issuers in [trust]"},
    ReasonText{Reason::cert_untrusted, "cert.untrusted", "the client's certificate has no chain to the trust list",
               "add its issuer to ca of [trust]; if every client fails with one issuer, a firewall is opening the TLS"},
    ReasonText{Reason::cert_expired, "cert.expired", "the client's certificate is not valid at this time",
               "renew it, and compare the clocks of the client and of this node"},
    ReasonText{Reason::cert_name_mismatch, "cert.name_mismatch",
               "the client's certificate is for another name than the one it registers",
               "issue a certificate with the registering name, or correct the name in the client"},
    ReasonText{Reason::ban_active, "ban.active", "the client's address is banned",
               "wait for its expiry, or: sallyport bans allow ADDRESS"},
    ReasonText{Reason::peek_timeout, "peek.timeout", "the first message did not arrive in time",
               "look for a slow link, a client of another protocol that waits for the server to speak, or a scanner"},
    ReasonText{Reason::peek_malformed, "peek.malformed", "the message is not valid in this protocol",
               "read the record's detail; capture it with: sallyport diagnose --live"},
    ReasonText{Reason::peek_too_large, "peek.too_large",
               "the message, or the head that it begins with, is larger than this gateway reads",
               "read the record's detail, then look in the client: for oversized cookies or header fields (HTTP, SIP), "
               "a list of hundreds of aliases (H.323), a bind that carries more than a name and credentials (LDAP)"},
    ReasonText{Reason::proxy_malformed, "proxy.malformed",
               "a connection from proxy_from does not begin with a valid PROXY header",
               "switch the PROXY protocol on at the balancer, or take its network out of proxy_from"},
    ReasonText{Reason::proxy_untrusted, "proxy.untrusted",
               "the connection begins with a PROXY header, and its sender is not in proxy_from",
               "add the balancer's network to proxy_from; if it is none of yours, somebody poses as another client"},
    ReasonText{Reason::protocol_mismatch, "protocol.mismatch",
               "the first bytes belong to another protocol than this listener's",
               "point the client at the port of its protocol"},
    ReasonText{Reason::protocol_unsupported, "protocol.unsupported",
               "the request is valid but asks for what this gateway does not do",
               "read the record's detail for what was asked"},
    ReasonText{
        Reason::tls_handshake, "tls.handshake", "the TLS handshake with the client failed",
        "read the record's detail; usual: the client does not trust the certificate, or offers no version from 1.2 on"},
    ReasonText{Reason::tls_timeout, "tls.timeout", "the TLS handshake with the client did not finish in time",
               "look for a slow link, a path that loses large packets, or a scanner"},
    ReasonText{Reason::tls_plain_on_tls_port, "tls.plain_on_tls_port", "a plain message arrived on a TLS port",
               "use https (sips, ldaps) in the client, or its plain port"},
    ReasonText{Reason::tls_on_plain_port, "tls.on_plain_port", "a TLS handshake arrived on a plain port",
               "use the TLS port in the client, or its plain protocol"},
    ReasonText{Reason::tls_misdirected, "tls.misdirected",
               "the request is for another name than the TLS connection may be used for",
               "let the client open a connection of its own for this name (RFC 9110 section 15.5.20)"},
    ReasonText{Reason::body_malformed, "body.malformed", "the client's message body breaks its own framing",
               "look for a broken client or an intermediary that changes bodies"},
    ReasonText{Reason::target_refused, "target.refused", "the target did not accept the connection",
               "is it running, and does its firewall let this gateway in?"},
    ReasonText{Reason::target_unreachable, "target.unreachable", "there is no way to the target's address",
               "look at this node's routes and at firewalls on the way"},
    ReasonText{Reason::target_timeout, "target.timeout", "the target did not answer the connection attempt in time",
               "look for a firewall that drops silently, or a target that is switched off"},
    ReasonText{Reason::target_down, "target.down", "no target of the service is healthy",
               "look at the targets and at the health setting of the service"},
    ReasonText{Reason::target_unresolved, "target.unresolved", "the target's name has no address",
               "correct the name in target, or this node's resolver"},
    ReasonText{Reason::target_tls, "target.tls", "TLS towards the target failed, or its certificate did not pass",
               "read the record's detail; set target_ca, or correct tls_port"},
    ReasonText{Reason::target_malformed, "target.malformed", "the target's answer is not valid in this protocol",
               "is it the right port, plain or TLS, of the right server?"},
    ReasonText{Reason::target_closed, "target.closed", "the target closed the connection before its answer was whole",
               "look into the target's own log at the record's time"},
    ReasonText{Reason::target_stalled, "target.stalled", "the target took the message and did not answer in time",
               "look for overload at the target, or raise the timeout of the service"},
    ReasonText{Reason::target_rejected, "target.rejected", "the target refused the client in its own protocol",
               "look into the target's own log; it knows the user and the cause"},
    ReasonText{Reason::limit_connections, "limit.connections", "the gateway holds as many connections as it may",
               "raise the limit, or find out who holds them: sallyport connections list"},
    ReasonText{Reason::limit_client, "limit.client", "this client holds as many connections as one client may",
               "raise the limit if many users share the address; else look for a broken client"},
    ReasonText{Reason::limit_service, "limit.service", "the service holds as many connections as it may",
               "raise max_connections of the service"},
    ReasonText{Reason::limit_descriptors, "limit.descriptors", "the process has no file descriptor left",
               "raise LimitNOFILE in the unit, or ulimit -n"},
    ReasonText{Reason::egress_exhausted, "egress.exhausted",
               "every source address of the pool is somebody else's, and mode is exclusive",
               "add addresses to pool of [egress], or shorten its remember_for; see: sallyport egress list"},
    ReasonText{Reason::egress_unknown, "egress.unknown", "it could not be told which source address the client has",
               "look into the log: the control loop was busy or is stopping"},
    ReasonText{Reason::client_closed, "client.closed",
               "the client went away before its message or its answer was whole",
               "usual for users who leave a page; else look for a timeout in the client or between"},
    ReasonText{Reason::client_reset, "client.reset", "the client's side reset the connection",
               "look for a firewall or NAT on the client's side that forgets connections"},
    ReasonText{Reason::client_stalled, "client.stalled", "the client stopped in the middle of its message",
               "look for a slow or lossy link, or a client that holds connections on purpose"},
    ReasonText{Reason::idle_timeout, "idle.timeout", "nothing passed in either direction for the idle time",
               "let the client send keep-alives, or raise idle_timeout of the service"},
    ReasonText{Reason::draining, "draining", "the gateway is shutting down and takes nothing new",
               "use another gateway, or try again after the restart"},
    ReasonText{Reason::killed, "killed", "an administrator ended the connection",
               "see who: the audit log names the administrator"},
    ReasonText{Reason::dns_refused, "dns.refused", "the asking address is not in clients of [dns]",
               "add the network to clients of [dns]"},
    ReasonText{Reason::dns_denied, "dns.denied", "the name, or one above it, is in deny of [dns]",
               "take it out of deny of [dns], or write a [[dns.record]] for the name itself"},
    ReasonText{Reason::dns_rebind, "dns.rebind",
               "a name server outside answered with an address of a private network, and it was kept out",
               "if the name is yours, add its domain to rebind_allow of [dns], or write a [[dns.forward]] for it"},
    ReasonText{Reason::dns_stale, "dns.stale",
               "no upstream answered in time; what was known before was served past its time",
               "look at the upstreams: sallyport dns query NAME --as CLIENT names them"},
    ReasonText{Reason::dns_no_answer, "dns.no_answer", "no upstream gave an answer that could be used",
               "look at the upstreams and at firewalls on the way to their port 53 or 853"},
    ReasonText{Reason::dns_busy, "dns.busy", "more questions wait for upstreams than the gateway keeps",
               "look for a client that asks without end, or an upstream that is slow"},
    ReasonText{Reason::dns_limited, "dns.limited", "the client's network got as many answers this second as it may",
               "raise answers_per_second of [dns], or look for somebody who forges the client's address"},
    ReasonText{Reason::push_not_apple, "push.not_apple",
               "the connection asks for a name or address outside Apple's push service",
               "look at the client; if Apple moved, add the network to allow_to of [push]"},
    ReasonText{Reason::turn_credentials, "turn.credentials", "the user name or the password of a TURN client is wrong",
               "compare them with [[turn.user]]; of a time-limited credential, compare shared_secret and the clocks"},
    ReasonText{Reason::turn_quota, "turn.quota",
               "the user holds as many allocations as one user may, or all users together do",
               "raise the limit of [turn] that the record's detail names, or look for a client that leaks allocations"},
    ReasonText{Reason::turn_ports, "turn.ports", "no port or descriptor was left for a relay",
               "widen relay_ports of [turn], or raise LimitNOFILE in the unit"},
    ReasonText{Reason::turn_peer_denied, "turn.peer_denied",
               "the peer's address is in a network that must not be relayed to",
               "add the network to peer_allow of [turn] if it should be reached"},
    ReasonText{Reason::firewall_closed, "firewall.closed", "no rule of this machine's firewall lets it in",
               "what [listen] serves is open by itself; for what else this machine serves there is [[firewall.open]]"},
};

constexpr std::size_t index(Reason reason) { return static_cast<std::size_t>(reason); }
constexpr const ReasonText& text_of(Reason reason) { return reasons[index(reason)]; }
constexpr std::string_view code(Reason reason) { return text_of(reason).code; }

/// The reason with this code ("service.unknown"). Nothing when no reason has it.
constexpr std::optional<Reason> find_reason(std::string_view code) {
    for (const ReasonText& text : reasons) {
        if (text.code == code) return text.reason;
    }
    return std::nullopt;
}

/// The table as the manual's page, docs/reasons.md.
std::string reasons_page();

namespace detail {
constexpr bool rows_follow_the_enumeration() {
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        if (index(reasons[i].reason) != i) return false;
    }
    return reasons.size() == index(Reason::firewall_closed) + 1;
}
static_assert(rows_follow_the_enumeration());
}  // namespace detail

}  // namespace sallyport::telemetry
