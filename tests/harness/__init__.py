"""What the tests that drive the real program share: the gateway itself, targets, clients, certificates.

Everything listens on loopback, on ports chosen at run time, writes into one temporary folder and stops by itself.
"""
from harness.certificates import Authority, shown_certificate, unverified_context
from harness.client import Client, curl
from harness.gateway import (Gateway, GatewayFailed, h323_listen, h323_service, http_service, ldap_listen, ldap_service,
                             program, sip_listen, sip_service, toml)
from harness.haproxy import BALANCER, Haproxy
from harness.nginx import Nginx, seen
from harness.stage import Stage
from harness.target import ScriptedTarget, answer_each, plain_answer
from harness.waiting import free_port, has_ipv6, wait_until
from harness.wire import Wire, websocket_accept

__all__ = ["Authority", "BALANCER", "Client", "Gateway", "GatewayFailed", "Haproxy", "Nginx", "ScriptedTarget", "Stage",
           "Wire", "answer_each", "curl", "free_port", "h323_listen", "h323_service", "has_ipv6", "http_service",
           "ldap_listen", "ldap_service", "plain_answer", "program", "seen", "shown_certificate", "sip_listen",
           "sip_service", "toml",
           "unverified_context", "wait_until", "websocket_accept"]
