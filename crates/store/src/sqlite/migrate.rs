//! The layout of the database and its stepwise upgrades.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::fault::Fault;

/// Version of the layout this program writes: the number of its upgrade steps.
pub const SCHEMA_VERSION: u32 = 1;

/// Marks a SQLite file as ours: "ORCH".
const APPLICATION_ID: i32 = 0x4f52_4348;

/// Step `i` leads from version `i` to `i + 1`. A released step is never edited.
const STEPS: [&str; SCHEMA_VERSION as usize] = ["
    CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    -- id = stream id * 2^32 + seq: one b-tree, one insert a record, each stream contiguous.
    CREATE TABLE records (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    -- For people with a sqlite3 shell.
    CREATE VIEW log AS SELECT s.name AS stream, r.id & 0xffffffff AS seq, r.bytes AS bytes
        FROM records r JOIN streams s ON s.id = r.id >> 32;

    CREATE TABLE claims (
        id INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,
        stream TEXT NOT NULL, last_seq INTEGER NOT NULL, expires_at_us INTEGER NOT NULL,
        UNIQUE (scope, key));
    CREATE INDEX claims_by_expiry ON claims (expires_at_us);

    CREATE TABLE views (view TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (view, key))
        WITHOUT ROWID;
    CREATE TABLE blobs (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);

    CREATE TABLE search_docs (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (name, key));
    CREATE TABLE search_tags (doc INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (doc, tag)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE search USING fts5 (
        title, body, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3');
"];

/// Refuses a file that is a SQLite database of someone else, before anything in it is changed.
pub(super) fn recognise(connection: &Connection) -> Result<(), Fault> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if objects > 0 && application != APPLICATION_ID {
        return Err(Fault::Damaged("it is a SQLite database of another program".to_owned()));
    }
    Ok(())
}

/// Whether there is a layout to read: none where a process is about to make the database.
pub(super) fn is_made(connection: &Connection) -> Result<bool, Fault> {
    recognise(connection)?;
    match version(connection)? {
        newer if newer > SCHEMA_VERSION => Err(Fault::NewerSchema(newer)),
        version => Ok(version > 0),
    }
}

/// Brings the database to [`SCHEMA_VERSION`], each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    run_steps(connection, &STEPS)
}

fn run_steps(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = version(&transaction)?;
        let step = match steps.get(version as usize) {
            Some(step) => *step,
            None if version as usize == steps.len() => return Ok(()),
            None => return Err(Fault::NewerSchema(version)),
        };
        if version == 0 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.execute_batch(
                "CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
                 INSERT INTO schema_version VALUES (1, 0)",
            )?;
        }
        transaction.execute_batch(step)?;
        transaction.execute("UPDATE schema_version SET version = ?1", [version + 1])?;
        transaction.commit()?;
    }
}

fn version(connection: &Connection) -> Result<u32, Fault> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    let row = connection.query_row("SELECT version FROM schema_version", [], |row| row.get(0)).optional()?;
    row.ok_or_else(|| Fault::Damaged("its schema_version table is empty".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "CREATE TABLE a (x INTEGER)";
    const B: &str = "INSERT INTO a VALUES (7); ALTER TABLE a ADD COLUMN y TEXT";

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn an_old_store_takes_only_the_steps_it_lacks() {
        let mut connection = memory();
        run_steps(&mut connection, &[A]).unwrap();
        run_steps(&mut connection, &[A, B]).unwrap();
        run_steps(&mut connection, &[A, B]).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
        let rows: i64 = connection.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut connection = memory();
        run_steps(&mut connection, &[A, "INSERT INTO a VALUES (1); nonsense"]).unwrap_err();
        assert_eq!(version(&connection).unwrap(), 1);
        let rows: i64 = connection.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0);
        run_steps(&mut connection, &[A, B]).unwrap();
    }

    #[test]
    fn a_newer_store_is_refused_untouched() {
        let mut connection = memory();
        run_steps(&mut connection, &[A, B]).unwrap();
        assert!(matches!(run_steps(&mut connection, &[A]), Err(Fault::NewerSchema(2))));
    }
}
