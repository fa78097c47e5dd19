//! The embedded store: one SQLite file, one writer thread, readers on connections of their own.

mod fault;
mod index;
mod migrate;
mod read;
mod worker;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OpenFlags};
use schema::hash::Hash;

use crate::ownership::Ownership;
use crate::private;
use crate::search::Search;
use crate::watch::Watchers;
use crate::{
    Append, Appended, BlobWrite, BoxFuture, Claim, Error, Log, Record, SearchHit, Server, Stats, StreamInfo,
    StreamName, ViewRow, ViewScan, Watch,
};
use fault::Fault;
pub(crate) use index::MemoryIndex;
pub use migrate::SCHEMA_VERSION;
use worker::Workers;
use write::Counters;

/// File name of the database inside the store's directory.
pub const DATABASE_FILE: &str = "orchestra.db";

/// Bytes of one database page.
const PAGE_BYTES: u64 = 4096;

/// Where a store is and how large it may grow.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory of the database and its lock file; created if absent.
    pub dir: PathBuf,
    /// Bytes the database file may grow to; `None` = as the disk allows. Rounded down to whole pages.
    pub max_bytes: Option<u64>,
    /// The process that opens it, where it is a server; who is refused the store is told.
    pub server: Option<Server>,
}

impl Options {
    /// A store in `dir` without a size limit.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_bytes: None, server: None }
    }
}

/// A store in one SQLite file.
///
/// Dropping it waits for the commit in progress and releases the directory.
pub struct Sqlite {
    path: PathBuf,
    /// Threads own the connections; the order of the fields keeps the directory owned until they ended.
    workers: Workers,
    ownership: Ownership,
    shared: Arc<Shared>,
}

/// What the writer tells everyone else.
#[derive(Debug, Default)]
struct Shared {
    watchers: Watchers,
    counters: Counters,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the store in `options.dir`, creating or upgrading it.
    ///
    /// Errors: [`Error::Locked`], [`Error::Corrupt`], [`Error::NewerSchema`], [`Error::NotWritable`],
    /// [`Error::Full`], [`Error::Io`]. A failed open changes nothing that was stored.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let dir = &options.dir;
        private::create_dir(dir).map_err(|source| Error::not_created(dir, source))?;
        let ownership = Ownership::take(dir, options.server.as_ref())?;
        let path = dir.join(DATABASE_FILE);
        let shared = Arc::new(Shared::default());
        let writer = open_writer(&path, options.max_bytes)?;
        let workers = Workers::start(&path, writer, &shared)?;
        Ok(Self { path, workers, ownership, shared })
    }

    /// All records of one stream of the store in `dir`, as they are at this moment. Whoever owns the store goes on with it, and
    /// nothing in it changes.
    ///
    /// Errors: [`Error::Corrupt`], [`Error::NewerSchema`], [`Error::NotWritable`] where there is a write-ahead log and its folder
    /// admits no index of it, [`Error::Io`].
    pub fn records_of(dir: &Path, stream: &StreamName) -> Result<Vec<Record>, Error> {
        read_beside(dir, |connection| read::all_records(connection, stream))
    }

    /// All rows of one view of the store in `dir`, by the order of their keys; else as [`Self::records_of`].
    ///
    /// Errors: those of [`Self::records_of`].
    pub fn rows_of(dir: &Path, view: &str) -> Result<Vec<ViewRow>, Error> {
        read_beside(dir, |connection| read::all_rows(connection, view))
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes back that this process is a server ([`Options::server`]): it answers nobody any more.
    pub fn is_no_server(&self) {
        self.ownership.is_no_server();
    }

    /// Reads the whole database and reports the first damage found. Takes time in proportion to its size.
    pub fn verify(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.reading(read::verify)
    }

    fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, Error>> {
        Box::pin(self.workers.read(read))
    }
}

/// Reads the store in `dir`, whoever owns it.
fn read_beside<T>(dir: &Path, read: impl Fn(&mut Connection) -> Result<T, Fault>) -> Result<T, Error> {
    let path = dir.join(DATABASE_FILE);
    let read = |mut connection| read(&mut connection);
    let found = match worker::open_reader(&path).and_then(read) {
        // Without a log nobody has the store, and the file is all of it.
        Err(fault) if fault.is_refused() && path.is_file() && !beside(&path, "-wal").exists() => {
            open_alone(&path).and_then(read)
        }
        found => found,
    };
    found.map_err(|fault| fault.at(&path))
}

impl Log for Sqlite {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, Error>> {
        if let Err(error) = append.check() {
            return Box::pin(std::future::ready(Err(error)));
        }
        Box::pin(self.workers.append(append))
    }

    fn claimed(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<Appended>, Error>> {
        let claim = claim.clone();
        let found = self.reading(move |connection| write::earlier_use(connection, &claim));
        Box::pin(async move { found.await?.transpose() })
    }

    fn read(
        &self,
        stream: &StreamName,
        from_seq: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        let stream = stream.clone();
        self.reading(move |connection| read::records(connection, &stream, from_seq, limit))
    }

    fn last_seq(&self, stream: &StreamName) -> BoxFuture<'_, Result<u64, Error>> {
        let stream = stream.clone();
        self.reading(move |connection| read::last_seq(connection, &stream))
    }

    fn streams(
        &self,
        prefix: &str,
        after: Option<&StreamName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StreamInfo>, Error>> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        self.reading(move |connection| read::streams(connection, &prefix, after.as_ref(), limit))
    }

    fn view_get(&self, view: &str, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        let (view, key) = (view.to_owned(), key.to_owned());
        self.reading(move |connection| read::view_get(connection, &view, &key))
    }

    fn view_scan(&self, scan: ViewScan) -> BoxFuture<'_, Result<Vec<ViewRow>, Error>> {
        self.reading(move |connection| read::view_scan(connection, &scan))
    }

    fn search(&self, search: Search) -> BoxFuture<'_, Result<Vec<SearchHit>, Error>> {
        if let Err(error) = search.check() {
            return Box::pin(std::future::ready(Err(error)));
        }
        self.reading(move |connection| read::search(connection, &search))
    }

    fn put_blob(&self, bytes: Bytes) -> BoxFuture<'_, Result<Hash, Error>> {
        let blob = BlobWrite::new(bytes);
        let hash = blob.hash();
        // A blob alone is an append without records: the stream named here never begins to exist.
        let append =
            StreamName::new("blobs").map(|stream| Append { blobs: vec![blob], ..Append::to(stream) });
        Box::pin(async move {
            self.append(append?).await?;
            Ok(hash)
        })
    }

    fn get_blob(&self, hash: &Hash) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        let hash = *hash;
        self.reading(move |connection| read::blob(connection, &hash))
    }

    fn watch(&self, stream: &StreamName) -> Watch {
        self.shared.watchers.watch(stream)
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn stats(&self) -> Stats {
        self.shared.counters.stats()
    }
}

/// The one connection that writes. Creates or upgrades the database.
fn open_writer(path: &Path, max_bytes: Option<u64>) -> Result<Connection, Error> {
    create_files(path)?;
    let open = || -> Result<Connection, Fault> {
        let mut connection = Connection::open(path)?;
        tune(&connection)?;
        migrate::recognise(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: a commit returns when its WAL frames were flushed. NORMAL would lose the last commits in a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        if let Some(bytes) = max_bytes {
            let pages = i64::try_from((bytes / PAGE_BYTES).max(1)).unwrap_or(i64::MAX);
            // Answers with the limit in force, so it is a query.
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        migrate::migrate(&mut connection)?;
        Ok(connection)
    };
    open().map_err(|fault| fault.at_open(path))
}

/// Makes the database file private before SQLite opens it, and with it what SQLite puts beside it: those files get
/// the database's mode when they are created.
fn create_files(path: &Path) -> Result<(), Error> {
    // Opening and closing a file that SQLite has open would release SQLite's locks, so this comes first, and only
    // for a file that is not there: one that is may be readable and not writable, which SQLite words better.
    if !path.exists() {
        private::open_file(path).map_err(|source| Error::not_created(path, source))?;
    }
    private::tighten(path);
    for suffix in ["-wal", "-shm"] {
        private::tighten(&beside(path, suffix));
    }
    Ok(())
}

/// A file that SQLite has beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix);
    beside.into()
}

/// A reader of a database in a folder that may not be written to.
fn open_alone(path: &Path) -> Result<Connection, Fault> {
    let escaped = |byte: &u8| match byte {
        b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let path: String = path.as_os_str().as_encoded_bytes().iter().map(escaped).collect();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?)
}

/// Settings every connection shares.
fn tune(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Damage is reported where it is met instead of being followed.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_is_read_where_nothing_can_be_written_beside_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let dir = dir.path().join("a b?#%é");
        let (name, path) = (StreamName::new("ledger").unwrap(), dir.join(DATABASE_FILE));
        let log = Sqlite::open(&Options::new(&dir)).unwrap();
        log.append(Append::to(name.clone()).record("one")).await.unwrap();
        drop(log);
        assert!(!beside(&path, "-wal").exists(), "it was closed in order");
        let mut connection = open_alone(&path).unwrap();
        let records = read::all_records(&mut connection, &name).unwrap();
        assert_eq!(records.iter().map(|record| record.bytes.as_ref()).collect::<Vec<_>>(), [b"one"]);
        assert!(!beside(&path, "-shm").exists(), "nothing was made");
        let absent =
            open_alone(&dir.join("none.db")).and_then(|mut none| read::all_records(&mut none, &name));
        assert!(absent.unwrap_err().is_refused());
    }
}
