//! Damaged, foreign, newer, locked, unwritable and full stores: one coded error each, nothing half-written.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use store::{Append, DATABASE_FILE, Error, LOCK_FILE, Log, Memory, Options, Server, Sqlite, StreamName};
use tempfile::TempDir;

fn open(dir: &Path) -> Result<Sqlite, Error> {
    Sqlite::open(&Options::new(dir))
}

fn run() -> StreamName {
    StreamName::new("runs/a").unwrap()
}

async fn filled(dir: &Path, records: usize) {
    let log = open(dir).unwrap();
    for _ in 0..records {
        log.append(Append::to(run()).record(vec![7; 3_000])).await.unwrap();
    }
}

#[tokio::test]
async fn a_second_opener_is_told_who_owns_the_store() {
    let dir = TempDir::new().unwrap();
    let first = open(dir.path()).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert_eq!(error.code(), "E1001");
    assert!(error.to_string().contains(&std::process::id().to_string()));
    drop(first);
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_second_opener_is_told_where_the_owner_answers() {
    let dir = TempDir::new().unwrap();
    let server = Some(Server { address: "127.0.0.1:7410".to_owned(), instance: "one".to_owned() });
    let serving = Options { server: server.clone(), ..Options::new(dir.path()) };
    let first = Sqlite::open(&serving).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(&error, Error::Locked { server: told, .. } if *told == server), "{error}");
    assert!(error.to_string().ends_with(", which serves it at 127.0.0.1:7410"), "{error}");
    // It owns the store for some time after it has stopped to answer.
    let is_owned_by_no_server = || {
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(&error, Error::Locked { pid: Some(_), server: None, .. }), "{error}");
    };
    first.is_no_server();
    is_owned_by_no_server();
    drop(first);
    drop(Sqlite::open(&serving).unwrap());
    // The next owner says for itself.
    let _second = open(dir.path()).unwrap();
    is_owned_by_no_server();
}

#[tokio::test]
async fn a_lock_file_left_by_a_dead_process_is_no_obstacle() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(LOCK_FILE), "999999999999\n").unwrap();
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join(DATABASE_FILE);
    let text = "not a database ".repeat(1_000);
    fs::write(&file, &text).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert_eq!(error.code(), "E1002", "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join(DATABASE_FILE);
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&file).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert_eq!(error.code(), "E1002", "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_newer_store_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    filled(dir.path(), 1).await;
    let file = dir.path().join(DATABASE_FILE);
    let newer = rusqlite::Connection::open(&file).unwrap();
    newer.execute("UPDATE schema_version SET version = 99", []).unwrap();
    drop(newer);
    let error = open(dir.path()).unwrap_err();
    assert!(
        matches!(error, Error::NewerSchema { found: 99, supported: store::SCHEMA_VERSION, .. }),
        "{error}"
    );
    assert_eq!(error.code(), "E1003");
}

#[tokio::test]
async fn damaged_pages_are_an_error_wherever_they_are_met() {
    let dir = TempDir::new().unwrap();
    filled(dir.path(), 200).await;
    let file = dir.path().join(DATABASE_FILE);
    let mut bytes = fs::read(&file).unwrap();
    // Everything behind the first pages (header, layout) becomes noise.
    for (i, byte) in bytes.iter_mut().enumerate().skip(20 * 4_096) {
        *byte = (i % 251) as u8;
    }
    fs::write(&file, bytes).unwrap();
    match open(dir.path()) {
        Err(error) => assert_eq!(error.code(), "E1002", "{error}"),
        Ok(log) => {
            assert_eq!(log.verify().await.unwrap_err().code(), "E1002");
            let error = log.read(&run(), 1, 1_000).await.unwrap_err();
            assert_eq!(error.code(), "E1002", "{error}");
        }
    }
}

#[tokio::test]
async fn a_truncated_file_is_an_error() {
    let dir = TempDir::new().unwrap();
    filled(dir.path(), 50).await;
    let file = dir.path().join(DATABASE_FILE);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, bytes.get(..bytes.len() / 2).unwrap()).unwrap();
    let error = match open(dir.path()) {
        Err(error) => error,
        Ok(log) => log.verify().await.unwrap_err(),
    };
    assert_eq!(error.code(), "E1002", "{error}");
}

#[tokio::test]
async fn a_changed_body_is_noticed() {
    let dir = TempDir::new().unwrap();
    let hash = open(dir.path()).unwrap().put_blob("body".into()).await.unwrap();
    let file = dir.path().join(DATABASE_FILE);
    rusqlite::Connection::open(file).unwrap().execute("UPDATE blobs SET bytes = x'00'", []).unwrap();
    let error = open(dir.path()).unwrap().get_blob(&hash).await.unwrap_err();
    assert_eq!(error.code(), "E1002", "{error}");
}

#[test]
fn a_path_that_cannot_be_a_directory_is_not_writable() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = open(&dir.path().join("file/store")).unwrap_err();
    assert_eq!(error.code(), "E1004", "{error}");
}

/// Permission bits do not bind root, but nobody can create files in sysfs.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_directory_is_not_writable() {
    let dir = Path::new("/sys/kernel");
    if dir.is_dir() {
        let error = open(dir).unwrap_err();
        assert_eq!(error.code(), "E1004", "{error}");
    }
}

#[tokio::test]
async fn a_full_store_refuses_keeps_what_it_has_and_recovers() {
    let dir = TempDir::new().unwrap();
    let limit = 512 * 1024;
    let mut kept = 0;
    {
        let log = Sqlite::open(&Options { max_bytes: Some(limit), ..Options::new(dir.path()) }).unwrap();
        let big = || Append::to(run()).record(vec![1; 60_000]).record(vec![2; 60_000]).view("v", "k", "v");
        let error = loop {
            match log.append(big()).await {
                Ok(done) => kept = done.last_seq,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Full { .. }), "{error}");
        assert_eq!(error.code(), "E1005");
        assert!(kept >= 2 && kept % 2 == 0);
        assert_eq!(log.last_seq(&run()).await.unwrap(), kept);
        // What still fits is still taken, alone and in a group with what does not fit.
        log.append(Append::to(run()).record("small")).await.unwrap();
        let small = || Append::to(run()).record("small");
        let (a, b, c) = tokio::join!(log.append(small()), log.append(big()), log.append(small()));
        assert_eq!(b.unwrap_err().code(), "E1005");
        assert_eq!((a.unwrap().last_seq, c.unwrap().last_seq), (kept + 2, kept + 3));
        kept += 3;
    }
    let log = open(dir.path()).unwrap();
    assert_eq!(log.last_seq(&run()).await.unwrap(), kept);
    log.verify().await.unwrap();
    log.append(Append::to(run()).record(vec![1; 60_000])).await.unwrap();
}

#[test]
fn a_store_that_does_not_fit_at_all_is_full() {
    let dir = TempDir::new().unwrap();
    let error = Sqlite::open(&Options { max_bytes: Some(8_192), ..Options::new(dir.path()) }).unwrap_err();
    assert_eq!(error.code(), "E1005", "{error}");
    open(dir.path()).unwrap();
}

/// A file system of 1 MiB, until it is dropped. Only root can have one.
#[cfg(target_os = "linux")]
struct SmallDisk(TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(dir.path());
        let mounted = mount.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then_some(Self(dir))
    }

    /// Fills all but `spare` bytes.
    fn fill(&self, spare: usize) {
        let ballast = self.0.path().join("ballast");
        fs::write(&ballast, vec![1; 2 << 20]).unwrap_err();
        let length = fs::metadata(&ballast).unwrap().len();
        fs::File::options().write(true).open(&ballast).unwrap().set_len(length - spare as u64).unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.0.path().join("ballast")).unwrap();
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn opening_a_store_on_a_full_disk_says_so_and_works_once_there_is_space() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: mounting a small file system needs root");
        return;
    };
    // A new store, at every point where the space may end, and one that is there already.
    let dir = disk.0.path().join("store");
    let mut opened = 0;
    for spare in (0..=256 << 10).step_by(16 << 10) {
        disk.fill(spare);
        match open(&dir) {
            Err(error) => assert_eq!(error.code(), "E1005", "{spare} bytes: {error:?}"),
            Ok(_) => opened += 1,
        }
        disk.empty();
        if spare < 128 << 10 {
            let _ = fs::remove_dir_all(&dir);
        }
    }
    assert!(opened > 0);
    filled(&dir, 3).await;
    disk.fill(0);
    let error = open(&dir).unwrap_err();
    assert_eq!(error.code(), "E1005", "{error:?}");
    disk.empty();
    assert_eq!(open(&dir).unwrap().last_seq(&run()).await.unwrap(), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_of_a_store_are_private_also_in_a_folder_that_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let modes = || -> Vec<(String, u32)> {
        let mut modes: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    entry.metadata().unwrap().permissions().mode() & 0o777,
                )
            })
            .collect();
        modes.sort();
        modes
    };
    let private = ["orchestra.db", "orchestra.db-shm", "orchestra.db-wal", "store.lock"]
        .map(|name| (name.to_owned(), 0o600))
        .to_vec();
    set(dir.path(), 0o755);
    let log = open(dir.path()).unwrap();
    log.append(Append::to(run()).record("x")).await.unwrap();
    assert_eq!(modes(), private);
    drop(log);
    // Files of a store that was made otherwise, with what a killed process leaves beside the database.
    for name in [DATABASE_FILE, LOCK_FILE] {
        set(&dir.path().join(name), 0o644);
    }
    for name in ["orchestra.db-wal", "orchestra.db-shm"] {
        fs::write(dir.path().join(name), "").unwrap();
        set(&dir.path().join(name), 0o664);
    }
    let log = open(dir.path()).unwrap();
    log.append(Append::to(run()).record("x")).await.unwrap();
    assert_eq!(modes(), private);
    assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o755);
}

#[tokio::test]
async fn an_append_above_a_limit_is_refused_before_it_is_queued() {
    let log = Memory::new();
    let append = Append::to(run()).record(vec![0; store::MAX_APPEND_BYTES + 1]);
    assert_eq!(log.append(append).await.unwrap_err().code(), "E1009");
    assert_eq!(log.append(Append::to(run()).view("", "k", "v")).await.unwrap_err().code(), "E1010");
    assert_eq!(log.stats().commits, 0);
}
