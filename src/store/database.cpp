#include "store/database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <array>
#include <chrono>
#include <system_error>

namespace sallyport::store {

namespace {

namespace fs = std::filesystem;

// What brings a file of version n to n + 1. Rows are only ever added: gateways in the field have run the others.
constexpr std::array migrations{
    "CREATE TABLE guard_entry ("
    "  who TEXT PRIMARY KEY, verdict TEXT NOT NULL, origin TEXT NOT NULL, since_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER, reason TEXT NOT NULL, protocol TEXT, count INTEGER NOT NULL, node TEXT NOT NULL"
    ") WITHOUT ROWID",
    "CREATE TABLE egress_line ("
    "  who TEXT NOT NULL, pin INTEGER NOT NULL, v6 INTEGER NOT NULL, source TEXT NOT NULL, since_ms INTEGER NOT NULL,"
    "  seen_ms INTEGER NOT NULL, PRIMARY KEY (who, pin, v6)"
    ") WITHOUT ROWID;"
    "CREATE TABLE egress_stay ("
    "  address TEXT PRIMARY KEY, user TEXT NOT NULL, mac TEXT NOT NULL, session TEXT NOT NULL, server TEXT NOT NULL,"
    "  heard_ms INTEGER NOT NULL"
    ") WITHOUT ROWID",
};
constexpr int version = static_cast<int>(migrations.size());

// Waited for another program that has the file open, an admin's sqlite3 for one. The control loop stands meanwhile.
constexpr int busy_milliseconds = 200;

struct Unusable {
    std::string why;
};

bool is_damage(const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

void migrate(SQLite::Database& database) {
    const int present = database.execAndGet("PRAGMA user_version").getInt();
    if (present > version)
        throw Unusable{"is of a newer version of this program (schema " + std::to_string(present) +
                       ", this one knows " + std::to_string(version) + ")"};
    for (int from = present; from < version; ++from) {
        SQLite::Transaction transaction(database);
        database.exec(migrations[static_cast<std::size_t>(from)]);
        database.exec("PRAGMA user_version = " + std::to_string(from + 1));
        transaction.commit();
    }
}

std::unique_ptr<SQLite::Database> open_good(const fs::path& file) {
    try {
        auto database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                                           busy_milliseconds);
        const std::string checked = database->execAndGet("PRAGMA quick_check(1)").getString();
        if (checked != "ok") throw Unusable{"is damaged: " + checked};
        database->exec("PRAGMA journal_mode = WAL");
        database->exec("PRAGMA synchronous = NORMAL");
        migrate(*database);
        return database;
    } catch (const SQLite::Exception& error) {
        if (is_damage(error)) throw Unusable{std::string("is damaged: ") + error.what()};
        throw;
    }
}

// With its log and its index, which belong to it.
fs::path set_aside(const fs::path& file, WallTime now) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    const fs::path aside = file.string() + ".unusable-" + std::to_string(seconds);
    fs::rename(file, aside);
    for (const char* companion : {"-wal", "-shm"}) {
        std::error_code none;
        fs::rename(file.string() + companion, aside.string() + companion, none);
    }
    return aside;
}

}  // namespace

Database::Database(std::unique_ptr<SQLite::Database> handle) : handle_(std::move(handle)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database::Opened> Database::open(const fs::path& folder, WallTime now) {
    const fs::path file = folder / "sallyport.db";
    try {
        try {
            return Opened{Database(open_good(file)), ""};
        } catch (const Unusable& unusable) {
            const fs::path aside = set_aside(file, now);
            return Opened{Database(open_good(file)),
                          file.string() + " " + unusable.why + "; it is kept as " + aside.string()};
        }
    } catch (const Unusable& unusable) {
        return fail(file.string() + " " + unusable.why);
    } catch (const std::exception& error) {
        return fail("can't use the database " + file.string() + ": " + error.what());
    }
}

}  // namespace sallyport::store
