// Asks the guard about strangers, as each accepted connection does, among so many bans: for bench/accept_path, which
// counts the instructions of ask().
#include "guard/lookout.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

using namespace sallyport;
using namespace sallyport::guard;

namespace {

constexpr int questions = 10'000;

IpAddress random_address(std::mt19937& random) { return IpAddress::v4(static_cast<std::uint32_t>(random())); }

}  // namespace

extern "C" [[gnu::noinline]] bool ask(const Lookout& lookout, const IpAddress& address) {
    return lookout.banned(address);
}

int main(int count, char** words) {
    if (count != 2) return std::fputs("usage: bench_accept_path BANS\n", stderr), 2;
    std::mt19937 random(1);
    const auto index = std::make_shared<BanIndex>(1'000'000, 42);
    for (int i = std::atoi(words[1]); i > 0; --i) index->insert(ClientKey(random_address(random)));
    Lists lists;
    lists.allowed.add(*Network::parse("10.0.0.0/8"));
    lists.allowed.add(*Network::parse("127.0.0.1"));
    Lookout lookout;
    lookout.adopt(std::make_shared<const Bans>(Bans{.index = index, .lists = std::move(lists)}));
    random.seed(2);
    int banned = 0;
    for (int i = 0; i < questions; ++i) banned += ask(lookout, random_address(random)) ? 1 : 0;
    std::printf("%d of %d are banned\n", banned, questions);
}
