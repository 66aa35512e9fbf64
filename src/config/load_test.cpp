#include "config/load.hpp"

#include "config/test_support.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace sallyport;
using namespace sallyport::config;

namespace {

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-config-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    void write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
    }
    std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST(Load, ReadsEveryKindOfValueWithItsPlace) {
    const auto loaded = load_text("/etc/sallyport/sallyport.toml", R"([node]
name          = "edge-1"
state_dir     = "../state"
threads       = 2
nat_map       = ["203.0.113.10=172.16.0.5", "2001:db8::1 = fd00::1"]
drain_timeout = "1m"
user          = "nobody"

[log]
destination = "gateway.log"
format      = "json"
level       = "debug"
forwarded   = false

[admin]
listen       = "[::1]:9443"
socket       = "/run/x.sock"
metrics_from = ["10.0.0.0/8", "::1"]

[[certificate]]
name  = "edge"
chain = "tls/edge.pem"
key   = "/keys/edge.key"

[trust]
ca = "device-ca.pem"

[listen]
http            = ":80"
https           = ["0.0.0.0:443", "[::]:443"]
trusted_proxies = "192.0.2.0/24"

[[service]]
name            = ["HQ.example.com", "*.Example.org"]
protocol        = "http"
target          = ["172.16.0.10", "[2001:db8::10]", "PBX.example.com"]
plain_port      = 80
tls_port        = 443
allow_from      = ["10.0.0.0/8",
                   "::1"]
allow_url       = ["/PBX0/MY"]
preset          = "mypbx"
target_ca       = "inside.pem"
target_verify   = false
connect_timeout = "2s"
idle_timeout    = "0s"
default         = true
source          = "172.16.0.5"
)",
                                  presets);
    for (const auto& problem : loaded.errors) ADD_FAILURE() << to_text(problem, "error");
    ASSERT_TRUE(loaded.config);
    EXPECT_TRUE(loaded.warnings.empty());
    const Config& config = *loaded.config;

    EXPECT_EQ(config.node.name, "edge-1");
    EXPECT_EQ(config.node.state_dir.value, "/etc/state");
    EXPECT_EQ(config.node.threads, 2U);
    ASSERT_EQ(config.node.nat_map.size(), 2U);
    EXPECT_EQ(config.node.nat_map[1].value.outside.to_string(), "2001:db8::1");
    EXPECT_EQ(config.node.nat_map[1].value.own.to_string(), "fd00::1");
    EXPECT_EQ(config.node.drain_timeout, std::chrono::minutes(1));
    EXPECT_EQ(config.node.user.value, "nobody");
    EXPECT_EQ(config.log.destination.value.kind, LogDestination::Kind::file);
    EXPECT_EQ(config.log.destination.value.file, "/etc/sallyport/gateway.log");
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_FALSE(config.log.forwarded);
    EXPECT_TRUE(config.log.refused);
    EXPECT_EQ(config.admin.listen.at(0).value.to_string(), "[::1]:9443");
    EXPECT_EQ(config.admin.socket.value, "/run/x.sock");
    EXPECT_EQ(config.admin.metrics_from.size(), 2U);
    EXPECT_EQ(config.certificates.at(0).chain.value, "/etc/sallyport/tls/edge.pem");
    EXPECT_EQ(config.certificates.at(0).key.value, "/keys/edge.key");
    EXPECT_EQ(config.trust.ca.at(0).value, "/etc/sallyport/device-ca.pem");
    EXPECT_EQ(config.listen.http.at(0).value.to_string(), ":80");
    EXPECT_TRUE(config.listen.http.at(0).value.dual_stack);
    EXPECT_EQ(config.listen.https.at(0).value.to_string(), "0.0.0.0:443");
    EXPECT_EQ(config.listen.https.at(1).value.to_string(), "[::]:443");
    EXPECT_FALSE(config.listen.https.at(1).value.dual_stack);

    const Service& service = config.services.at(0);
    EXPECT_EQ(service.place, (Place{"/etc/sallyport/sallyport.toml", 33, 1}));
    EXPECT_EQ(service.names.at(0).value, "hq.example.com");
    EXPECT_EQ(service.names.at(1).value, "*.example.org");
    EXPECT_EQ(service.targets.at(0).value.kind, Target::Kind::address);
    EXPECT_EQ(service.targets.at(1).value.text, "2001:db8::10");
    EXPECT_EQ(service.targets.at(2).value, (Target{.kind = Target::Kind::host, .text = "pbx.example.com"}));
    EXPECT_EQ(service.targets.at(2).place.line, 36U);
    EXPECT_EQ(service.plain_port, 80);
    EXPECT_EQ(service.tls_port, 443);
    EXPECT_EQ(service.allow_from.at(1).value.to_string(), "::1/128");
    EXPECT_EQ(service.allow_from.at(1).place, (Place{"/etc/sallyport/sallyport.toml", 40, 20}));
    EXPECT_EQ(service.allow_url.at(0).place, (Place{"/etc/sallyport/sallyport.toml", 41, 20}));
    EXPECT_EQ(service.presets.at(0).value, "mypbx");
    EXPECT_EQ(service.target_ca.value, "/etc/sallyport/inside.pem");
    EXPECT_FALSE(service.target_verify);
    EXPECT_EQ(service.connect_timeout, std::chrono::seconds(2));
    EXPECT_EQ(service.idle_timeout, Duration::zero());
    EXPECT_TRUE(service.is_default);
    EXPECT_EQ(service.source->value.to_string(), "172.16.0.5");
}

TEST(Load, TakesTheQuickstartExample) {
    const auto loaded =
        load(std::filesystem::path(SALLYPORT_SOURCE_DIR) / "examples/quickstart/sallyport.toml", presets);
    for (const auto& problem : loaded.errors) ADD_FAILURE() << to_text(problem, "error");
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->node.state_dir.value, SALLYPORT_SOURCE_DIR "/build/quickstart");
    EXPECT_EQ(loaded.config->services.at(0).targets.at(0).value,
              (Target{.kind = Target::Kind::builtin, .text = "welcome"}));
}

TEST(Load, ReportsAllErrorsOfAllFilesInTheirOrder) {
    const Folder folder;
    folder.write("sallyport.toml", "[node]\nthreads = \"x\"\n[listen]\nhttp = \":80\"\n");
    folder.write("conf.d/20-b.toml", "[listen]\nhttps = \":443\"\n");
    folder.write("conf.d/10-a.toml", std::string(good_service));
    folder.write("conf.d/.hidden.toml", "broken");
    folder.write("conf.d/notes.txt", "broken");
    const auto loaded = load(folder / "sallyport.toml", presets);
    ASSERT_EQ(loaded.files.size(), 3U);
    EXPECT_TRUE(loaded.files[1].file().ends_with("conf.d/10-a.toml"));
    EXPECT_EQ(listing(loaded.errors),
              "2:11: threads: must be an integer, not a string\n"
              "1:1: [[service]] has neither \"plain_port\" nor \"tls_port\" (both: encryption stays as it came; one: "
              "everything goes to that port)\n"
              "1:1: [listen] stands twice (first at " +
                  (folder / "sallyport.toml").string() + ":3)\n");
    EXPECT_EQ(loaded.errors.front().source_line, "threads = \"x\"");
    EXPECT_EQ(loaded.errors.back().file, (folder / "conf.d/20-b.toml").string());
}

TEST(Load, ReadsTheFolderInTheOrderOfNames) {
    const Folder folder;
    folder.write("sallyport.toml", "");
    for (const char digit : std::string_view("73915284")) folder.write(std::string("conf.d/") + digit + ".toml", "");
    const auto loaded = load(folder / "sallyport.toml", presets);
    std::string order;
    for (const SourceFile& file : loaded.files) order += Path(file.file()).stem().string() + ' ';
    EXPECT_EQ(order, "sallyport 1 2 3 4 5 7 8 9 ");
}

TEST(Load, ResolvesPathsAgainstTheFileThatNamesThem) {
    const Folder folder;
    folder.write("sallyport.toml", "[node]\nstate_dir = \"state\"\n");
    folder.write("conf.d/trust.toml", "[trust]\nca = \"ca.pem\"\n");
    const auto loaded = load(folder / "sallyport.toml", presets);
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->node.state_dir.value, folder / "state");
    EXPECT_EQ(loaded.config->trust.ca.at(0).value, folder / "conf.d/ca.pem");
}

TEST(Load, TellsASyntaxErrorAlone) {
    const Folder folder;
    folder.write("sallyport.toml", "[node]\nthreads = \"x\"\n");
    folder.write("conf.d/a.toml", "[log]\nlevel = debug\n");
    folder.write("conf.d/b.toml", "[log]\nlevel = 3\n");
    const auto loaded = load(folder / "sallyport.toml", presets);
    EXPECT_EQ(listing(loaded.errors),
              "2:9: this is not TOML: value: could not determine value type (text, durations, addresses and paths "
              "stand in double quotes)\n");
    EXPECT_EQ(loaded.errors.front().source_line, "level = debug");
}

TEST(Load, SaysWhichFileItCouldNotRead) {
    const Folder folder;
    folder.write("conf.d/a.toml", "[node]\n");
    const auto missing = load(folder / "sallyport.toml", presets);
    ASSERT_EQ(missing.errors.size(), 1U);
    EXPECT_EQ(to_text(missing.errors.front(), "error"),
              (folder / "sallyport.toml").string() +
                  ": error: can't be read: No such file or directory\n"
                  "  hint: name the file with --config; examples/ has some to begin with\n");

    const auto is_folder = load(folder / "conf.d", presets);
    ASSERT_EQ(is_folder.errors.size(), 1U);
    EXPECT_EQ(is_folder.errors.front().message, "can't be read: Is a directory");

    folder.write("large.toml", std::string(9U << 20, '#'));
    EXPECT_EQ(load(folder / "large.toml", presets).errors.front().message, "is larger than 8 MiB");
}

TEST(Load, StopsCountingErrorsAtAThousand) {
    std::string text = "[node]\n";
    for (int i = 0; i < 2000; ++i) text += 'x' + std::to_string(i) + " = 1\n";
    const auto loaded = load_here(text);
    ASSERT_EQ(loaded.errors.size(), 1001U);
    EXPECT_EQ(loaded.errors.back().message, "there are more, of which nothing is said here");
}

TEST(Load, SurvivesKeysNestedWithoutEnd) {
    std::string deep = "a";
    for (int i = 0; i < 1'000'000; ++i) deep += ".a";
    EXPECT_EQ(listing(load_here("\n" + deep + " = 1\n").errors),
              "2:1: this line is too long to be read (break it: a list may span several lines)\n");
    EXPECT_EQ(load_here("a = " + std::string(100'000, '[')).errors.size(), 1U);

    std::string worst = "a";
    for (int i = 1; i < 1000; ++i) worst += ".a";
    std::string nested = "x = [\n";
    for (int i = 0; i < 3; ++i) nested += '{' + worst + " = [\n";
    for (int i = 0; i < 3; ++i) nested += "]}";
    EXPECT_EQ(load_here('[' + worst + "]\n" + nested + "]\n").errors.size(), 1U);
}
