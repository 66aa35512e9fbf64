#include "firewall/ports.hpp"

#include "firewall/testing.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

using namespace sallyport;
using namespace sallyport::firewall;
using namespace sallyport::firewall::testing;

namespace {

Listening on(std::string_view address, Transport transport = Transport::tcp) {
    return {.transport = transport, .address = *SocketAddress::parse(address), .process = "proc"};
}

std::string all(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines) out += line + '\n';
    return out;
}

}  // namespace

TEST(Ports, AListenerIsHeldAgainstThePolicy) {
    const Policy policy = firewall::derive(one_interface());
    const std::pair<Listening, Standing> cases[] = {
        {on("0.0.0.0:443"), Standing::allowed},    {on("[::]:443"), Standing::allowed},
        {on("192.0.2.9:443"), Standing::allowed},  {on("0.0.0.0:443", Transport::udp), Standing::denied},
        {on("127.0.0.1:443"), Standing::internal}, {on("[::1]:6379"), Standing::internal},
        {on("192.0.2.1:389"), Standing::allowed},  {on("192.0.2.2:389"), Standing::denied},
        {on("0.0.0.0:389"), Standing::allowed},    {on("[::]:8083"), Standing::denied},
    };
    for (const auto& [listening, standing] : cases) {
        EXPECT_EQ(join({listening}, &policy).front().standing, standing) << listening.address.to_string();
        EXPECT_EQ(join({listening}, nullptr).front().standing,
                  standing == Standing::internal ? Standing::internal : Standing::unknown);
    }
}

TEST(Ports, WhatAnAdminShouldLookAtIsSaid) {
    config::Config config = one_interface();
    config.firewall.admin_from = {at(network("0.0.0.0/0"))};
    const Policy policy = firewall::derive(config);
    const std::string text = all(remarks(join({on("0.0.0.0:22"), on("0.0.0.0:80"), on("[::]:8083")}, &policy), &policy,
                                         {{*IpAddress::parse("198.51.100.7"), Transport::tcp, 1935, 5}}));
    EXPECT_NE(text.find("tcp 0.0.0.0:22 (proc) is for admins and open to everybody"), std::string::npos) << text;
    EXPECT_NE(text.find("tcp [::]:8083 (proc) listens, and the policy lets nobody in"), std::string::npos) << text;
    EXPECT_NE(text.find("listen.https opens tcp 443, and nobody listens there"), std::string::npos) << text;
    EXPECT_EQ(text.find("listen.http opens"), std::string::npos) << text;
    EXPECT_NE(text.find("198.51.100.7 asked for tcp 1935, which is closed, 5 times"), std::string::npos) << text;
}

TEST(Ports, WantedPortsAreReadFromAListing) {
    const auto wanted = wanted_of(
        "table inet sallyport {\n\tset wanted4 {\n\t\ttype x\n\t\telements = { 10.0.0.1 . tcp . 25 counter packets 1 "
        "bytes 60 "
        "timeout 1h expires 59m,\n\t\t\t     10.0.0.2 . udp . 1935 counter packets 7 bytes 60 expires 1s }\n\t}\n"
        "\tset wanted6 {\n\t\telements = { 2001:db8::7 . tcp . 8080 }\n\t}\n}\n");
    ASSERT_EQ(wanted.size(), 3U);
    EXPECT_EQ(wanted[0].port, 1935);
    EXPECT_EQ(wanted[0].tries, 7U);
    EXPECT_EQ(wanted[0].transport, Transport::udp);
    EXPECT_EQ(wanted[2].client.to_string(), "2001:db8::7");
    for (const char* text : {"", "set wanted4 {", "set wanted4 { elements = { , . . x } \n\t}"})
        EXPECT_TRUE(wanted_of(text).empty());
}

TEST(Ports, TheUnitIsTheInnermostOfTheServiceManagers) {
    const std::pair<const char*, const char*> cases[] = {
        {"0::/system.slice/ssh.service\n", "ssh.service"},
        {"0::/system.slice/docker.service/sub/group\n", "docker.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n", "web.service"},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
        {"12:pids:/x.service\n1:name=systemd:/system.slice/nginx.service\n0::/\n", "nginx.service"},
        {"0::/init\n", ""},
        {"", ""},
        {"0::", ""},
    };
    for (const auto& [cgroups, unit] : cases) EXPECT_EQ(unit_of(cgroups), unit) << cgroups;
}

TEST(Ports, OwnListenersAreFoundWithTheirProcess) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage storage{};
    unsigned length = SocketAddress{*IpAddress::parse("127.0.0.1"), 0}.to_sockaddr(storage);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&storage), length), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length), 0);
    const auto own = SocketAddress::from(reinterpret_cast<sockaddr&>(storage));
    const auto found = listening();
    ::close(fd);
    ASSERT_TRUE(found) << found.error().message;
    const auto one = std::ranges::find(*found, own, &Listening::address);
    ASSERT_NE(one, found->end());
    EXPECT_EQ(one->pid, ::getpid());
    EXPECT_EQ(one->process, "firewall_test");
    EXPECT_EQ(one->uid, ::getuid());
}
