//! A limited number of threads for work that waits.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{Builder, Scope, scope},
};

/// A limited number of threads for work that waits, however deeply nested: the calling thread works too, and free
/// threads join it if there is more to do.
#[derive(Debug)]
pub struct WorkerPool {
    free: AtomicUsize,
}

/// A permit to run one thread, released on drop.
struct Permit<'a>(&'a WorkerPool);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Relaxed);
    }
}

impl WorkerPool {
    /// No threads except the calling one.
    pub fn none() -> &'static Self {
        static NONE: WorkerPool = WorkerPool::new(0);
        &NONE
    }

    /// The given number of threads in addition to the calling one.
    pub const fn new(threads: usize) -> Self {
        Self { free: AtomicUsize::new(threads) }
    }

    fn take(&self) -> Option<Permit<'_>> {
        let taken = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1));
        // Created only if a thread was taken, because dropping a permit releases one.
        taken.is_ok().then(|| Permit(self))
    }

    /// Runs `work` on every item and returns the results in the order of the items. After the first error no new work
    /// begins; of several errors that of the first item is returned.
    pub fn map<T: Sync, R: Send, E: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, E> + Sync,
    ) -> Result<Vec<R>, E> {
        let job = Job {
            pool: self,
            items,
            work,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            done: Mutex::new(Vec::with_capacity(items.len())),
        };
        scope(|scope| job.run(scope));
        let mut done = job.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(i, _)| *i);
        done.into_iter().map(|(_, result)| result).collect()
    }

    /// Like `map`, but the first item is done before the others begin, so that they can use what it learned.
    pub fn map_after_first<T: Sync, R: Send, E: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, E> + Sync,
    ) -> Result<Vec<R>, E> {
        let Some((first, others)) = items.split_first() else { return Ok(Vec::new()) };
        let mut done = vec![work(first)?];
        done.extend(self.map(others, work)?);
        Ok(done)
    }
}

/// One call of [`WorkerPool::map`].
struct Job<'a, T, R, E, W> {
    pool: &'a WorkerPool,
    items: &'a [T],
    work: W,
    next: AtomicUsize,
    stop: AtomicBool,
    done: Mutex<Vec<(usize, Result<R, E>)>>,
}

impl<T: Sync, R: Send, E: Send, W: Fn(&T) -> Result<R, E> + Sync> Job<'_, T, R, E, W> {
    fn run<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        while !self.stop.load(Ordering::Relaxed) {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = self.items.get(i) else { return };
            if i + 1 < self.items.len()
                && let Some(permit) = self.pool.take()
            {
                // If the system has no more threads, continue with the existing ones.
                let _ = Builder::new().spawn_scoped(scope, move || {
                    let _permit = permit;
                    self.run(scope);
                });
            }
            let result = (self.work)(item);
            if result.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push((i, result));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_keep_the_order_and_the_first_error_wins() {
        let items: Vec<u32> = (0..100).collect();
        let pool = WorkerPool::new(3);
        assert_eq!(pool.map(&items, |n| Ok::<_, ()>(n * 2)), Ok((0..100).map(|n| n * 2).collect()));
        assert_eq!(WorkerPool::none().map(&items, |n| if *n > 2 { Err(*n) } else { Ok(()) }), Err(3));
        assert_eq!(pool.map(&[], |n: &u32| Ok::<_, ()>(*n)), Ok(vec![]));
        assert_eq!(pool.map_after_first(&items, |n| Ok::<_, ()>(*n)), Ok(items.clone()));
        assert_eq!(pool.free.into_inner(), 3, "all are free again");
    }

    #[test]
    fn nested_work_shares_the_threads() {
        let (pool, inside, most) = (WorkerPool::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        let leaf = |_: &usize| {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, ()>(())
        };
        let items: Vec<_> = (0..20).collect();
        pool.map(&items, |_| pool.map(&items, leaf)).unwrap();
        assert!(most.into_inner() <= 4);
    }

    #[test]
    fn a_free_thread_joins_nested_work() {
        // None of the four continues until all four have arrived.
        let (pool, all) = (WorkerPool::new(3), Barrier::new(4));
        let met =
            pool.map(&[(), ()], |()| pool.map(&[(), ()], |()| Ok::<_, ()>(all.wait().is_leader()))).unwrap();
        assert_eq!(met.into_iter().flatten().filter(|leader| *leader).count(), 1);
    }
}
