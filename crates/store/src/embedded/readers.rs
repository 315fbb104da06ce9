//! Threads that answer questions, so that no file is read on the async threads.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::limits::{QUESTION_MS, QUESTIONS_WAITING_MAX};
use super::shared::Shared;
use crate::error::QuestionError;

type Job = Box<dyn FnOnce(&Shared) + Send>;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether the question that runs on this thread has used up its time.
pub(crate) fn deadline_passed() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() >= deadline)
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// A few threads with one bounded queue.
pub(crate) struct Readers {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts `count` threads.
    pub fn start(name: &str, count: usize, shared: &Arc<Shared>) -> std::io::Result<Self> {
        let queue = Arc::new((Mutex::new(Queue::default()), Condvar::new()));
        let mut threads = Vec::new();
        for number in 0..count {
            let (queue, shared) = (Arc::clone(&queue), Arc::clone(shared));
            threads.push(Builder::new().name(format!("{name}-{number}")).spawn(move || work(&queue, &shared))?);
        }
        Ok(Self { queue, threads: Mutex::new(threads) })
    }

    /// Puts a question and waits for the answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Shared) -> Result<T, QuestionError> + Send + 'static,
    ) -> Result<T, QuestionError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |shared| {
            // Nobody waits any more: the work would be for nothing.
            if !answer.is_closed() {
                let _ = answer.send(question(shared));
            }
        });
        {
            let mut queue = self.queue.0.lock();
            if queue.closed {
                return Err(QuestionError::Closed);
            }
            if queue.jobs.len() >= QUESTIONS_WAITING_MAX {
                return Err(QuestionError::Overloaded);
            }
            queue.jobs.push_back(job);
        }
        self.queue.1.notify_one();
        answered.await.unwrap_or(Err(QuestionError::Closed))
    }

    /// Answers what is waiting and stops.
    pub fn stop(&self) {
        self.queue.0.lock().closed = true;
        self.queue.1.notify_all();
        for thread in self.threads.lock().drain(..) {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

fn work(queue: &(Mutex<Queue>, Condvar), shared: &Shared) {
    loop {
        let job = {
            let mut waiting = queue.0.lock();
            loop {
                if let Some(job) = waiting.jobs.pop_front() {
                    break job;
                }
                if waiting.closed {
                    return;
                }
                queue.1.wait(&mut waiting);
            }
        };
        DEADLINE.set(Some(Instant::now() + Duration::from_millis(QUESTION_MS)));
        job(shared);
        DEADLINE.set(None);
    }
}
