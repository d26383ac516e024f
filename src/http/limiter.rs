use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Limits the number of concurrent requests (`--jobs`). The limit is shared by all clones.
///
/// A 429 response halves the limit. It grows by one whenever as many requests as it allows have succeeded (additive
/// increase, multiplicative decrease, as in RFC 5681): a limit that drops too little is hit again, and one that never
/// recovers stays slow.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The limit set by the user.
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    running: usize,
    allowed: usize,
    /// Requests that succeeded since the limit changed.
    good: usize,
    /// How often the limit was halved.
    halved: u64,
}

/// The permit for one request, released on drop.
pub(super) struct Permit<'a> {
    shared: &'a Shared,
    /// The value of [`State::halved`] when the request began: of many requests refused together, only the first one
    /// counts.
    since: u64,
}

impl Limiter {
    /// A limiter for up to `most` concurrent requests, and at least one.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = Mutex::new(State { running: 0, allowed: most, good: 0, halved: 0 });
        Self(Arc::new(Shared { most, state, freed: Condvar::new() }))
    }

    /// The limit that was set.
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// The current limit.
    #[cfg(test)]
    fn allowed(&self) -> usize {
        self.0.lock().allowed
    }

    /// Waits for a permit.
    pub(super) fn acquire(&self) -> Permit<'_> {
        let full = |state: &mut State| state.running >= state.allowed;
        let state = self.0.freed.wait_while(self.0.lock(), full);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.running += 1;
        Permit { shared: &self.0, since: state.halved }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Call when the request was answered.
    pub(super) fn answered(&self) {
        let mut state = self.shared.lock();
        state.good += 1;
        if state.good >= state.allowed {
            state.good = 0;
            state.allowed = (state.allowed + 1).min(self.shared.most);
        }
    }

    /// Call when the server asked for fewer requests.
    pub(super) fn refused(&self) {
        let mut state = self.shared.lock();
        if state.halved == self.since {
            state.allowed = (state.allowed / 2).max(1);
            state.good = 0;
            state.halved += 1;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.shared.lock().running -= 1;
        // The limit may have grown.
        self.shared.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::Limiter;

    #[test]
    fn no_more_requests_than_allowed_run() {
        let (limiter, inside, most) = (Limiter::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let limiter = limiter.clone();
                let (inside, most) = (&inside, &most);
                scope.spawn(move || {
                    for _ in 0..100 {
                        let _permit = limiter.acquire();
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 2);
    }

    #[test]
    fn the_limit_is_halved_once_for_a_burst_and_grows_by_one() {
        let limiter = Limiter::new(16);
        let burst: Vec<_> = (0..16).map(|_| limiter.acquire()).collect();
        burst.iter().for_each(super::Permit::refused);
        assert_eq!(limiter.allowed(), 8);
        drop(burst);
        limiter.acquire().refused();
        assert_eq!(limiter.allowed(), 4);
        for _ in 0..4 {
            limiter.acquire().answered();
        }
        assert_eq!(limiter.allowed(), 5);
        for _ in 0..1000 {
            limiter.acquire().answered();
        }
        assert_eq!(limiter.allowed(), 16, "never more than was set");
        for _ in 0..9 {
            limiter.acquire().refused();
        }
        assert_eq!(limiter.allowed(), 1, "never none");
    }
}
