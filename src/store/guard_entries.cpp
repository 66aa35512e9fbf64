#include "store/guard_entries.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace sallyport::store {

Result<std::vector<GuardRow>> GuardEntries::load() {
    try {
        SQLite::Statement query(database_.handle(),
                                "SELECT who, verdict, origin, since_ms, expires_ms, reason, protocol, count, node "
                                "FROM guard_entry");
        std::vector<GuardRow> rows;
        while (query.executeStep()) {
            GuardRow row{.who = query.getColumn(0).getString(),
                         .verdict = query.getColumn(1).getString(),
                         .origin = query.getColumn(2).getString(),
                         .since_ms = query.getColumn(3).getInt64(),
                         .reason = query.getColumn(5).getString(),
                         .protocol = query.getColumn(6).getString(),
                         .count = query.getColumn(7).getInt64(),
                         .node = query.getColumn(8).getString()};
            if (!query.getColumn(4).isNull()) row.expires_ms = query.getColumn(4).getInt64();
            rows.push_back(std::move(row));
        }
        return rows;
    } catch (const SQLite::Exception& error) {
        return fail(std::string("can't read bans from the database: ") + error.what());
    }
}

Result<void> GuardEntries::apply(std::span<const GuardEdit> edits) {
    try {
        SQLite::Transaction transaction(database_.handle());
        SQLite::Statement put(database_.handle(), "REPLACE INTO guard_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        SQLite::Statement erase(database_.handle(), "DELETE FROM guard_entry WHERE who = ?");
        for (const auto& [row, gone] : edits) {
            SQLite::Statement& statement = gone ? erase : put;
            statement.reset();
            statement.clearBindings();
            statement.bindNoCopy(1, row.who);
            if (!gone) {
                statement.bindNoCopy(2, row.verdict);
                statement.bindNoCopy(3, row.origin);
                statement.bind(4, row.since_ms);
                if (row.expires_ms) statement.bind(5, *row.expires_ms);
                statement.bindNoCopy(6, row.reason);
                if (!row.protocol.empty()) statement.bindNoCopy(7, row.protocol);
                statement.bind(8, row.count);
                statement.bindNoCopy(9, row.node);
            }
            statement.exec();
        }
        transaction.commit();
        return {};
    } catch (const SQLite::Exception& error) {
        return fail(std::string("can't write bans to the database: ") + error.what());
    }
}

}  // namespace sallyport::store
