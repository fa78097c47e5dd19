//! The full-text index of a store in memory.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use super::{migrate, read, tune, write};
use crate::{Error, IndexWrite, Search, SearchHit};

/// Documents by index and key, and the search over them.
#[derive(Debug)]
pub(crate) struct MemoryIndex(Connection);

impl MemoryIndex {
    /// An empty index.
    pub(crate) fn new() -> Result<Self, Error> {
        let open = || -> Result<Connection, Fault> {
            let mut connection = Connection::open_in_memory()?;
            tune(&connection)?;
            migrate::migrate(&mut connection)?;
            Ok(connection)
        };
        open().map(Self).map_err(of_memory)
    }

    /// All of `writes`, or none.
    pub(crate) fn write(&mut self, writes: &[IndexWrite]) -> Result<(), Error> {
        let put = |connection: &mut Connection| -> Result<(), Fault> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            writes.iter().try_for_each(|write| write::put_index(&transaction, write))?;
            Ok(transaction.commit()?)
        };
        put(&mut self.0).map_err(of_memory)
    }

    pub(crate) fn search(&self, search: &Search) -> Result<Vec<SearchHit>, Error> {
        read::search(&self.0, search).map_err(of_memory)
    }
}

fn of_memory(fault: Fault) -> Error {
    fault.at(Path::new(":memory:"))
}
