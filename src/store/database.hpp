// The gateway's own database: one SQLite file in state_dir, on the control loop alone. What is committed survives kill
// -9.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace SQLite {
class Database;
}

namespace sallyport::store {

class Database {
public:
    struct Opened;

    /// Opens or makes `folder`/sallyport.db and brings its schema up to date. A file that is damaged, no database, or
    /// of a newer version than this is set aside, and a new one takes its place: a gateway without its memory is better
    /// than none. The error is of a folder that can't be written to.
    /// @param now  for the name of what is set aside
    static Result<Opened> open(const std::filesystem::path& folder, WallTime now);

    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    ~Database();

    /// For the stores of this room.
    SQLite::Database& handle() { return *handle_; }

private:
    explicit Database(std::unique_ptr<SQLite::Database> handle);

    std::unique_ptr<SQLite::Database> handle_;
};

struct Database::Opened {
    Database database;
    std::string set_aside;  // what became of the file that was there, for people; empty: it was good, or there was none
};

}  // namespace sallyport::store
