//! What the look-up of a key adds to a call: the same request to the same loopback server without a key, with that of a
//! vault of one and with that of a vault of 1,000, rounds interleaved; and the look-up alone. The vaults' files are gone
//! before the first call.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use keys::{DEFAULT_TENANT, Place, Unlock, Value, Vault};
use schema::operation::Auth;
use secrecy::SecretString;
use subnet::secrets::SecretStore;

use support::{bearer, call, client, operation, prepare, serve};

const KEY: &str = "key-of-a-benchmark-0123456789";
const KEYS: u16 = 1_000;
/// The subnet that is called.
const NETUID: u16 = 500;
const ROUNDS: usize = 20;
const CALLS: usize = 200;
const LOOK_UPS: u32 = 100_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // In a task, as a server's requests are, rather than on a thread that no worker shares.
    runtime.block_on(async { tokio::spawn(run()).await.unwrap() });
}

async fn run() {
    let origin = serve(KEY);
    let client = client();
    let keyed = prepare(&client, &operation(NETUID, &origin, &bearer()));
    let open = prepare(&client, &operation(NETUID, &origin, &Auth::None));
    let begun = Instant::now();
    let large = secrets(&origin, 1..=KEYS);
    println!("a vault of {KEYS} keys, written, opened and closed  {:>9.1?}", begun.elapsed());
    let small = secrets(&origin, NETUID..=NETUID);
    let cases = [
        ("without a key", &open, &small),
        ("a key of one", &keyed, &small),
        ("a key of 1,000", &keyed, &large),
    ];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((_, operation, secrets), times) in cases.iter().zip(&mut times) {
            for _ in 0..CALLS {
                let begun = Instant::now();
                call(&client, operation, secrets).await.result.unwrap();
                times.push(begun.elapsed());
            }
        }
    }
    println!("\na call at a time, p50 of {}", ROUNDS * CALLS);
    for ((name, ..), times) in cases.iter().zip(&mut times) {
        times.sort_unstable();
        println!("{name:<16}  {:>9.1?}", times[times.len() / 2]);
    }
    println!("\na look-up");
    for (name, secrets) in [("of one", &small), ("of 1,000", &large)] {
        let begun = Instant::now();
        for _ in 0..LOOK_UPS {
            keyed.check_secret(black_box(secrets)).unwrap();
        }
        let each: Duration = begun.elapsed() / LOOK_UPS;
        println!("{name:<16}  {each:>9.1?}");
    }
}

/// The keys of a vault for these subnets, of which no file is left.
fn secrets(origin: &str, subnets: std::ops::RangeInclusive<u16>) -> SecretStore {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::beside(folder.path().join("keys.age"));
    let unlock = Unlock::with_identity(&place.identity, true).unwrap();
    let fill = |vault: &mut Vault| {
        subnets.into_iter().try_for_each(|netuid| {
            let value = Value::new(SecretString::from(KEY), None)?;
            vault.add(DEFAULT_TENANT, &format!("sn{netuid}"), origin, None, value)
        })
    };
    Vault::change(&place, &unlock, fill).unwrap();
    let mut secrets = SecretStore::new();
    Vault::open(&place, &unlock).unwrap().fill(DEFAULT_TENANT, &mut secrets).unwrap();
    folder.close().unwrap();
    secrets
}
