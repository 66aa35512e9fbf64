#include "store/egress_lines.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace sallyport::store {

namespace {

void apply_lines(SQLite::Database& database, std::span<const LineEdit<EgressLine>> edits) {
    SQLite::Statement put(database, "REPLACE INTO egress_line VALUES (?, ?, ?, ?, ?, ?)");
    SQLite::Statement erase(database, "DELETE FROM egress_line WHERE who = ? AND pin = ? AND v6 = ?");
    for (const auto& [line, gone] : edits) {
        SQLite::Statement& statement = gone ? erase : put;
        statement.reset();
        statement.bindNoCopy(1, line.who);
        statement.bind(2, line.pin ? 1 : 0);
        statement.bind(3, line.v6 ? 1 : 0);
        if (!gone) {
            statement.bindNoCopy(4, line.source);
            statement.bind(5, line.since_ms);
            statement.bind(6, line.seen_ms);
        }
        statement.exec();
    }
}

void apply_stays(SQLite::Database& database, std::span<const LineEdit<StayLine>> edits) {
    SQLite::Statement put(database, "REPLACE INTO egress_stay VALUES (?, ?, ?, ?, ?, ?)");
    SQLite::Statement erase(database, "DELETE FROM egress_stay WHERE address = ?");
    for (const auto& [stay, gone] : edits) {
        SQLite::Statement& statement = gone ? erase : put;
        statement.reset();
        statement.bindNoCopy(1, stay.address);
        if (!gone) {
            statement.bindNoCopy(2, stay.user);
            statement.bindNoCopy(3, stay.mac);
            statement.bindNoCopy(4, stay.session);
            statement.bindNoCopy(5, stay.server);
            statement.bind(6, stay.heard_ms);
        }
        statement.exec();
    }
}

}  // namespace

Result<std::vector<EgressLine>> EgressLines::lines() {
    try {
        SQLite::Statement query(database_.handle(), "SELECT who, pin, v6, source, since_ms, seen_ms FROM egress_line");
        std::vector<EgressLine> out;
        while (query.executeStep())
            out.push_back({.who = query.getColumn(0).getString(),
                           .pin = query.getColumn(1).getInt() != 0,
                           .v6 = query.getColumn(2).getInt() != 0,
                           .source = query.getColumn(3).getString(),
                           .since_ms = query.getColumn(4).getInt64(),
                           .seen_ms = query.getColumn(5).getInt64()});
        return out;
    } catch (const SQLite::Exception& error) {
        return fail(std::string("can't read source addresses from the database: ") + error.what());
    }
}

Result<std::vector<StayLine>> EgressLines::stays() {
    try {
        SQLite::Statement query(database_.handle(),
                                "SELECT address, user, mac, session, server, heard_ms FROM egress_stay");
        std::vector<StayLine> out;
        while (query.executeStep())
            out.push_back({.address = query.getColumn(0).getString(),
                           .user = query.getColumn(1).getString(),
                           .mac = query.getColumn(2).getString(),
                           .session = query.getColumn(3).getString(),
                           .server = query.getColumn(4).getString(),
                           .heard_ms = query.getColumn(5).getInt64()});
        return out;
    } catch (const SQLite::Exception& error) {
        return fail(std::string("can't read who is behind which address from the database: ") + error.what());
    }
}

Result<void> EgressLines::apply(std::span<const LineEdit<EgressLine>> lines,
                                std::span<const LineEdit<StayLine>> stays) {
    try {
        SQLite::Transaction transaction(database_.handle());
        apply_lines(database_.handle(), lines);
        apply_stays(database_.handle(), stays);
        transaction.commit();
        return {};
    } catch (const SQLite::Exception& error) {
        return fail(std::string("can't write source addresses to the database: ") + error.what());
    }
}

}  // namespace sallyport::store
