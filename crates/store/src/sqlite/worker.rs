//! The threads that own the connections of a store on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;
use super::{Shared, tune, write};
use crate::{Append, Appended, Error, MAX_GROUP_APPENDS, MAX_QUEUED_APPENDS};

/// Connections that read. Reads are short and the machine's cores are for the runs.
const READERS: usize = 2;
/// Reads that wait before a reader's caller waits itself.
const MAX_QUEUED_READS: usize = 1_024;

/// An append and where its answer goes.
struct Job {
    append: Append,
    reply: oneshot::Sender<Result<Appended, Error>>,
}

type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

/// One writer and some readers. Dropping it lets them finish what they hold and waits for them.
pub(super) struct Workers {
    path: PathBuf,
    writer: Option<mpsc::Sender<Job>>,
    readers: Option<mpsc::Sender<ReadJob>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the threads for the database at `path`, which `writer` has open.
    pub(super) fn start(path: &Path, writer: Connection, shared: &Arc<Shared>) -> Result<Self, Error> {
        let (write_jobs, write_queue) = mpsc::channel(MAX_QUEUED_APPENDS);
        let (read_jobs, read_queue) = mpsc::channel(MAX_QUEUED_READS);
        let mut workers = Self {
            path: path.to_owned(),
            writer: Some(write_jobs),
            readers: Some(read_jobs),
            threads: Vec::with_capacity(READERS + 1),
        };
        let read_queue = Arc::new(Mutex::new(read_queue));
        for _ in 0..READERS {
            let connection = open_reader(path).map_err(|fault| fault.at_open(path))?;
            let queue = Arc::clone(&read_queue);
            workers.spawn("store-read", move || serve_reads(&connection, &queue))?;
        }
        let (shared, path) = (Arc::clone(shared), path.to_owned());
        workers.spawn("store-write", move || {
            Writer { connection: writer, path, shared, stopped: None }.serve(write_queue)
        })?;
        Ok(workers)
    }

    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
        let path = &self.path;
        self.threads
            .push(thread.map_err(|source| Error::Io { path: path.clone(), source: Arc::new(source) })?);
        Ok(())
    }

    pub(super) async fn append(&self, append: Append) -> Result<Appended, Error> {
        let (reply, answer) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or(Error::Closed)?;
        writer.send(Job { append, reply }).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move |connection| {
            // The caller may be gone; then nobody wants the answer.
            let _ = reply.send(read(connection));
        });
        let readers = self.readers.as_ref().ok_or(Error::Closed)?;
        readers.send(job).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?.map_err(|fault| fault.at(&self.path))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.writer = None;
        self.readers = None;
        for thread in self.threads.drain(..) {
            // A worker that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

pub(super) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    tune(&connection)?;
    Ok(connection)
}

fn serve_reads(connection: &Connection, queue: &Mutex<mpsc::Receiver<ReadJob>>) {
    loop {
        // The guard is gone before the job runs, so the other readers can take the next one.
        let job = queue.lock().blocking_recv();
        match job {
            Some(job) => job(connection),
            None => return,
        }
    }
}

/// The thread that writes.
struct Writer {
    connection: Connection,
    path: PathBuf,
    shared: Arc<Shared>,
    /// Why no more appends are taken.
    stopped: Option<Error>,
}

impl Writer {
    fn serve(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut group = Vec::new();
        // Takes everything queued at this moment; what arrives during the commit forms the next group.
        while queue.blocking_recv_many(&mut group, MAX_GROUP_APPENDS) > 0 {
            self.commit(&mut group);
        }
        // Leaves a small file for the next start. If it fails, the next start does the work.
        let _ = self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
    }

    fn commit(&mut self, group: &mut Vec<Job>) {
        let appends: Vec<&Append> = group.iter().map(|job| &job.append).collect();
        let answers = match self.try_commit(&appends) {
            Ok(answers) => answers,
            // One append may be the cause (too large for what is left of the disk): each gets its own chance.
            Err(_) if appends.len() > 1 => appends
                .iter()
                .map(|append| {
                    self.try_commit(&[*append])
                        .and_then(|one| one.into_iter().next().unwrap_or(Err(Error::Closed)))
                })
                .collect(),
            Err(error) => vec![Err(error)],
        };
        for (job, answer) in group.drain(..).zip(answers) {
            // A caller that gave up does not take its append back.
            let _ = job.reply.send(answer);
        }
    }

    /// One transaction. An error means that nothing of it was kept - or, once `stopped`, that nobody can tell.
    fn try_commit(&mut self, appends: &[&Append]) -> Result<Vec<Result<Appended, Error>>, Error> {
        if let Some(error) = &self.stopped {
            return Err(error.clone());
        }
        write::commit_group(&mut self.connection, appends, &self.shared).map_err(|fault| {
            // After a failed flush the kernel may drop the dirty pages and report success the next time, so going
            // on could acknowledge an append on top of a hole. Opening the store again reads what the disk has.
            let doubt = fault.leaves_doubt();
            let error = fault.at(&self.path);
            if doubt {
                self.stopped = Some(Error::Stopped { path: self.path.clone(), reason: chain(&error) });
            }
            error
        })
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
