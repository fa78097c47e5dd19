//! A store in memory. It has nothing to wait for and so no threads of its own: whoever appends while nobody
//! else does works on the connection, and takes on what others want to append meanwhile. Threads of an
//! executor are not blocked by one another's appends.

use std::path::Path;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::{Shared, write};
use crate::{Append, Appended, Error, MAX_GROUP_APPENDS};

/// An append that found the connection taken, and where its answer goes.
type Waiting = (Append, oneshot::Sender<Result<Appended, Error>>);

pub(super) struct Memory {
    connection: Mutex<Connection>,
    waiting: Mutex<Vec<Waiting>>,
}

impl Memory {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection: Mutex::new(connection), waiting: Mutex::default() }
    }

    pub(super) async fn append(
        &self,
        append: Append,
        shared: &Shared,
        path: &Path,
    ) -> Result<Appended, Error> {
        if let Some(mut connection) = self.connection.try_lock() {
            let done = write::commit_one(&mut connection, &append, shared);
            drop(connection);
            self.take_on(shared, path);
            return done.unwrap_or_else(|fault| Err(fault.at(path)));
        }
        let (reply, answer) = oneshot::channel();
        self.waiting.lock().push((append, reply));
        self.take_on(shared, path);
        answer.await.map_err(|_| Error::Closed)?
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault>,
        shared: &Shared,
        path: &Path,
    ) -> Result<T, Error> {
        let result = read(&self.connection.lock());
        self.take_on(shared, path);
        result.map_err(|fault| fault.at(path))
    }

    /// Commits what waits, unless somebody has the connection.
    // INVARIANT: everybody who had the connection comes here after, and everybody who found it taken comes
    // here after adding to the queue: one of the two sees what was added, so nothing waits for ever.
    fn take_on(&self, shared: &Shared, path: &Path) {
        while !self.waiting.lock().is_empty() {
            let Some(mut connection) = self.connection.try_lock() else { return };
            let mut group = std::mem::take(&mut *self.waiting.lock());
            if group.len() > MAX_GROUP_APPENDS {
                self.waiting.lock().splice(..0, group.split_off(MAX_GROUP_APPENDS));
            }
            let appends: Vec<&Append> = group.iter().map(|(append, _)| append).collect();
            let answers = match write::commit_group(&mut connection, &appends, shared) {
                Ok(answers) => answers,
                Err(fault) => {
                    let error = fault.at(path);
                    appends.iter().map(|_| Err(error.clone())).collect()
                }
            };
            drop(connection);
            for ((_, reply), answer) in group.into_iter().zip(answers) {
                // A caller that gave up does not take its append back.
                let _ = reply.send(answer);
            }
        }
    }
}
