//! Test support. A world is a whole Purser of its own: empty at first, with a clock that the test turns, and reached
//! over HTTP.
//!
//! Invariant: worlds share nothing, so tests can run in any order and in parallel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod caller;
pub mod contract;
pub mod document;
pub mod faults;
pub mod lambda;
pub mod people;
pub mod prelude;
pub mod reply;
pub mod schema;
pub mod seals;
pub mod world;

pub use caller::Caller;
pub use reply::Reply;
pub use world::{Partner, World};

/// Polls all futures concurrently and returns their results in the same order.
pub async fn futures_all<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut work: Vec<_> = work.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = work.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (work, done) in work.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(it) = work.as_mut().poll(context)
            {
                *done = Some(it);
            }
        }
        if done.iter().any(Option::is_none) {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
    })
    .await
}
