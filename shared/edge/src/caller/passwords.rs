//! Password hashing with Argon2id (rule D2).
//!
//! Invariant: each sign-in costs one run of Argon2, whether or not the user exists, so its duration reveals nothing.
//! A run occupies a core for tens of milliseconds and takes [`MEMORY_KIB`]. In a process that answers many requests
//! at once, runs therefore happen on blocking threads, at most one for each core. The request's meter counts each
//! run.

use std::hint::black_box;
use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use purser_domain::people::{GivenPassword, Password, PasswordHash};
use purser_store::engine::secrets;
use purser_store::engine::table::meter;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::http::problem::Problem;

/// The memory that one run takes, in KiB: 19 MiB.
pub const MEMORY_KIB: u32 = 19_456;
pub const PASSES: u32 = 2;
pub const LANES: u32 = 1;
const SALT: usize = 16;
const OUTPUT: usize = 32;

static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Arc::new(Semaphore::new(cores))
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Right,
    /// The password is right, but its hash was made with other parameters than today's and should be replaced.
    RightOutdated,
    /// The password is wrong, or the user has no password.
    Wrong,
}

/// A run that failed: out of memory, no randomness, or an unreadable hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't hash a password: {0}")]
pub struct HashingFailed(String);

impl From<HashingFailed> for Problem {
    fn from(error: HashingFailed) -> Self {
        tracing::error!(%error, "a request failed");
        Self::internal()
    }
}

pub async fn hash(password: &Password) -> Result<PasswordHash, HashingFailed> {
    hashed(password.clone().into()).await
}

/// The hash, with today's parameters, of a password that was just checked against an outdated hash. The password need
/// not comply with today's policy.
pub async fn rehash(right: &GivenPassword) -> Result<PasswordHash, HashingFailed> {
    hashed(right.clone()).await
}

async fn hashed(password: GivenPassword) -> Result<PasswordHash, HashingFailed> {
    run(move || {
        let salt: [u8; SALT] = secrets::random().map_err(failed)?;
        let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
        PasswordHash::try_from(hash.map_err(failed)?.to_string()).map_err(failed)
    })
    .await
}

/// Whether `given` is the password of `hash`. Without a hash the same work is done, and the result is `Wrong`.
pub async fn check(hash: Option<&PasswordHash>, given: &GivenPassword) -> Result<Checked, HashingFailed> {
    let (hash, given) = (hash.cloned(), given.clone());
    run(move || match hash {
        Some(hash) => compare(&hash, &given),
        None => waste(&given),
    })
    .await
}

/// Does the same work as [`compare`], for a user who has no password or does not exist.
fn waste(given: &GivenPassword) -> Result<Checked, HashingFailed> {
    let mut output = [0; OUTPUT];
    let work = argon2()?.hash_password_into(given.as_bytes(), &[0; SALT], &mut output);
    work.map_err(failed)?;
    black_box(output);
    Ok(Checked::Wrong)
}

fn compare(hash: &PasswordHash, given: &GivenPassword) -> Result<Checked, HashingFailed> {
    let hash = Phc::new(hash.as_str()).map_err(failed)?;
    let argon2 = argon2()?;
    match argon2.verify_password(given.as_bytes(), &hash) {
        Ok(()) if is_present(&hash)? => Ok(Checked::Right),
        Ok(()) => Ok(Checked::RightOutdated),
        Err(Error::PasswordInvalid) => Ok(Checked::Wrong),
        Err(error) => Err(failed(error)),
    }
}

/// Whether a hash was made with today's parameters, those of [`hash`].
fn is_present(hash: &Phc) -> Result<bool, HashingFailed> {
    let params = Params::try_from(hash).map_err(failed)?;
    Ok(hash.algorithm == ARGON2ID_IDENT
        && hash.version == Some(Version::V0x13.into())
        && (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        && params.output_len() == Some(OUTPUT))
}

fn argon2() -> Result<Argon2<'static>, HashingFailed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT)).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Runs `work` as soon as a core is free. The run is counted here, in the caller's task, because the meter belongs to
/// that task. On a single-threaded runtime, as in Lambda, `work` runs immediately on this thread: no other request
/// could use the time, and a simulation stays deterministic.
async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashingFailed> + Send + 'static,
) -> Result<T, HashingFailed> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        meter::count_hash();
        return work();
    }
    let place = PLACES.clone().acquire_owned().await.map_err(failed)?;
    meter::count_hash();
    let work = move || {
        // The permit is held until the run has ended, even if the caller no longer waits for it.
        let _place = place;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn failed(error: impl std::fmt::Display) -> HashingFailed {
    HashingFailed(error.to_string())
}

#[cfg(test)]
mod tests {
    use purser_domain::basic::EmailAddress;
    use purser_domain::people::PasswordPolicy;

    use super::*;

    fn given(text: &str) -> GivenPassword {
        GivenPassword::try_from(text.to_owned()).unwrap()
    }

    fn password(text: &str) -> Password {
        let email = EmailAddress::try_from("a@b.example".to_owned()).unwrap();
        let policy = PasswordPolicy::default();
        policy.accept(given(text), &email, None, "").unwrap()
    }

    /// The output of `work`, and how many Argon2 runs it took.
    async fn runs<T>(work: impl Future<Output = T>) -> (T, u32) {
        let (done, cost) = meter::measured(work).await;
        assert_eq!((cost.calls, cost.rcu, cost.wcu), (0, 0.0, 0.0));
        (done, cost.hashes)
    }

    const RIGHT: &str = "a quiet harbour at dusk";

    #[tokio::test]
    async fn a_password_is_known_again_by_its_hash_alone() {
        let (one, run) = runs(hash(&password(RIGHT))).await;
        let (one, other) = (one.unwrap(), hash(&password(RIGHT)).await.unwrap());
        assert_eq!(run, 1);
        assert_ne!(one, other, "each hash has its own salt");
        assert!(one.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        for (text, expected) in [
            (RIGHT, Checked::Right),
            ("a quiet harbour at dus", Checked::Wrong),
            ("Correct horse battery staple", Checked::Wrong),
            ("", Checked::Wrong),
        ] {
            let (checked, run) = runs(check(Some(&one), &given(text))).await;
            assert_eq!((checked.unwrap(), run), (expected, 1), "{text}");
        }
    }

    #[tokio::test]
    async fn without_a_hash_the_same_work_is_done() {
        let hash = hash(&password(RIGHT)).await.unwrap();
        let (nobody, wasted) = runs(check(None, &given(RIGHT))).await;
        let (_somebody, spent) = runs(check(Some(&hash), &given(RIGHT))).await;
        assert_eq!(nobody.unwrap(), Checked::Wrong);
        assert_eq!(wasted, spent);
    }

    #[tokio::test]
    async fn a_hash_of_other_times_is_right_and_outdated() {
        let hash_by = |algorithm, version, memory, passes, output| {
            let params = Params::new(memory, passes, 1, Some(output)).unwrap();
            let argon2 = Argon2::new(algorithm, version, params);
            let hash = argon2.hash_password_with_salt(RIGHT.as_bytes(), &[7; SALT]);
            PasswordHash::try_from(hash.unwrap().to_string()).unwrap()
        };
        let (id, v13) = (Algorithm::Argon2id, Version::V0x13);
        let present = hash_by(id, v13, MEMORY_KIB, PASSES, OUTPUT);
        let right = check(Some(&present), &given(RIGHT)).await;
        assert_eq!(right, Ok(Checked::Right));
        for hash in [
            hash_by(Algorithm::Argon2i, v13, MEMORY_KIB, PASSES, OUTPUT),
            hash_by(id, Version::V0x10, MEMORY_KIB, PASSES, OUTPUT),
            hash_by(id, v13, 64, PASSES, OUTPUT),
            hash_by(id, v13, MEMORY_KIB, 1, OUTPUT),
            hash_by(id, v13, MEMORY_KIB, PASSES, 16),
        ] {
            let right = check(Some(&hash), &given(RIGHT)).await;
            assert_eq!(right, Ok(Checked::RightOutdated), "{}", hash.as_str());
            let wrong = check(Some(&hash), &given("another one")).await;
            assert_eq!(wrong, Ok(Checked::Wrong), "{}", hash.as_str());
        }
    }

    #[tokio::test]
    async fn a_hash_that_can_not_be_read_is_no_wrong_password() {
        for unknown in ["$", "$2b$12$abcdefghijklmnopqrstuv", "$scrypt$ln=1$c2FsdHNhbHQ$aGFzaA"] {
            let hash = PasswordHash::try_from(unknown.to_owned()).unwrap();
            assert!(check(Some(&hash), &given(RIGHT)).await.is_err(), "{unknown}");
        }
    }
}
