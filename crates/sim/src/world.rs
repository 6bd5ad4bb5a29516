//! The world: one clock, one queue of events, and everything that the client touches.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use wats_scim::sim::{self, AppendFile};

use crate::choices::Choices;
use crate::disk::{Disk, OnDisk};
use crate::log::Log;
use crate::marks::{Mark, Marks};
use crate::server::Server;
use crate::setting::Setting;
use crate::wire::Wire;

/// Something that happens at its time.
#[derive(Debug)]
pub enum Event {
    /// A request arrives at the server.
    Arrive(usize),
    /// The client receives the answer to a request.
    Answer(usize),
    Wake(Waker),
    /// The locks of a process that was killed are free.
    Unlock,
}

#[derive(Debug)]
pub struct World {
    base: Instant,
    now: Cell<Duration>,
    events: RefCell<BTreeMap<(Duration, u64), Event>>,
    sequence: Cell<u64>,
    choices: RefCell<Choices>,
    pub setting: Setting,
    pub server: RefCell<Server>,
    pub wire: RefCell<Wire>,
    pub disk: RefCell<Disk>,
    pub log: RefCell<Log>,
    /// The number of the process that runs.
    pub process: Cell<u32>,
    is_dead: Cell<bool>,
    /// Nothing goes wrong any more.
    is_calm: Cell<bool>,
    touches: Cell<u32>,
    /// At how many touches the process dies.
    dies_at: Cell<Option<u32>>,
    mistake: Option<&'static str>,
    marks: Cell<Marks>,
    trace: Cell<u64>,
    violations: RefCell<Vec<String>>,
    history: Option<RefCell<Vec<String>>>,
}

thread_local! {
    static HERE: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// The world that this thread is in.
///
/// # Panics
///
/// If it is in none.
pub fn here() -> Rc<World> {
    HERE.with_borrow(Clone::clone).expect("this thread is in a world")
}

/// What happened last is that a process was killed.
pub struct Died;

impl World {
    pub fn new(string: &[u8], mistake: Option<&'static str>, records: bool) -> Rc<Self> {
        let mut choices = Choices::new(string);
        let setting = Setting::read(&mut choices);
        let disk = Disk::new(setting.full_disk.clone());
        Rc::new(Self {
            base: Instant::now(),
            now: Cell::default(),
            events: RefCell::default(),
            sequence: Cell::default(),
            choices: RefCell::new(choices),
            server: RefCell::new(Server::new(setting.kind.clone())),
            wire: RefCell::default(),
            disk: RefCell::new(disk),
            log: RefCell::default(),
            process: Cell::new(0),
            is_dead: Cell::new(false),
            is_calm: Cell::new(true),
            touches: Cell::new(0),
            dies_at: Cell::new(None),
            setting,
            mistake,
            marks: Cell::default(),
            trace: Cell::new(0xcbf2_9ce4_8422_2325),
            violations: RefCell::default(),
            history: records.then(RefCell::default),
        })
    }

    /// Runs something in this world.
    pub fn enter<T>(self: &Rc<Self>, run: impl FnOnce() -> T) -> T {
        let _inside = sim::enter(Rc::clone(self) as Rc<dyn sim::World>);
        let before = HERE.replace(Some(Rc::clone(self)));
        let done = run();
        HERE.set(before);
        done
    }

    /// The time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.now.get()
    }

    /// A choice below `n`.
    pub fn choose(&self, n: usize) -> usize {
        self.choices.borrow_mut().below(n)
    }

    pub fn chance(&self, one_in: u8) -> bool {
        self.choices.borrow_mut().one_in(one_in)
    }

    pub fn choices_made(&self) -> usize {
        self.choices.borrow().read()
    }

    pub fn schedule(&self, after: Duration, event: Event) {
        let sequence = self.sequence.get();
        self.sequence.set(sequence + 1);
        self.events.borrow_mut().insert((self.now.get().saturating_add(after), sequence), event);
    }

    /// Lets the next event happen, if it is not after `limit`; false if there is none.
    pub fn step(&self, limit: Duration) -> bool {
        let mut events = self.events.borrow_mut();
        let Some(((at, _), event)) = events.pop_first() else { return false };
        if at > limit {
            events.insert((at, 0), event);
            return false;
        }
        drop(events);
        self.now.set(self.now.get().max(at));
        match event {
            Event::Arrive(number) => self.arrive(number),
            Event::Answer(number) => self.deliver(number),
            Event::Wake(waker) => waker.wake(),
            Event::Unlock => self.disk.borrow_mut().unlock(),
        }
        true
    }

    /// Processes all events in flight.
    pub fn settle(&self) {
        while self.step(Duration::from_secs(100_000_000)) {}
        // Reads have caught up.
        self.now.set(self.now.get() + self.setting.kind.lag);
    }

    /// The process touches the world; it may be its last touch.
    pub fn touch(&self) {
        self.touches.set(self.touches.get() + 1);
        if self.dies_at.get() == Some(self.touches.get()) && !self.is_calm() {
            self.is_dead.set(true);
            self.say(|| "the process is killed".to_owned());
            let is_busy = self.wire.borrow().tickets.iter().any(|ticket| ticket.is_open && ticket.is_write());
            self.mark(if is_busy { Mark::KilledInFlight } else { Mark::KilledAtTheStart });
        }
    }

    pub fn is_dead(&self) -> bool {
        self.is_dead.get()
    }

    pub fn is_calm(&self) -> bool {
        self.is_calm.get()
    }

    pub fn set_calm(&self, is_calm: bool) {
        self.is_calm.set(is_calm);
        self.say(|| if is_calm { "the world is calm" } else { "the world is not calm any more" }.to_owned());
    }

    /// A process begins, with this many requests in flight at most.
    pub fn begin_process(&self, in_flight: usize, may_die: bool) {
        self.process.set(self.process.get() + 1);
        self.touches.set(0);
        self.dies_at.set(self.setting.dies_at.filter(|_| may_die));
        self.disk.borrow_mut().begin_process();
        let mut wire = self.wire.borrow_mut();
        wire.begin(in_flight);
    }

    /// The process has ended, or is dead.
    pub fn end_process(&self, is_apply: bool) {
        let wire = self.wire.borrow();
        if is_apply && wire.since_rejection.is_some_and(|since| since > wire.most_open * self.setting.attempts as usize)
        {
            self.violation("(g) an apply went on after its credentials were rejected");
        }
        drop(wire);
        if self.is_dead() {
            let keeps = self.setting.loses_power.then(|| self.choose(256));
            if self.chance(4) {
                // A child that the process was starting has them for a moment.
                self.schedule(Duration::from_millis(120), Event::Unlock);
            } else {
                self.disk.borrow_mut().unlock();
            }
            let (is_lost, is_torn) = self.disk.borrow_mut().crash(keeps);
            if is_lost {
                self.mark(Mark::LinesLost);
            }
            if is_torn {
                self.say(|| "a file ends within a line".to_owned());
            }
            self.wire.borrow_mut().open = 0;
            for ticket in &mut self.wire.borrow_mut().tickets {
                ticket.is_open = false;
            }
        }
        self.is_dead.set(false);
    }

    pub fn mark(&self, mark: Mark) {
        let mut marks = self.marks.get();
        marks.add(mark);
        self.marks.set(marks);
    }

    pub fn marks(&self) -> Marks {
        self.marks.get()
    }

    /// Adds to the fingerprint of what happened.
    pub fn trace(&self, what: u64) {
        let mixed = (self.trace.get() ^ what ^ u64::try_from(self.now.get().as_nanos()).unwrap_or(0))
            .wrapping_mul(0x0100_0000_01b3);
        self.trace.set(mixed ^ mixed >> 29);
    }

    pub fn fingerprint(&self) -> u64 {
        self.trace.get()
    }

    pub fn violation(&self, what: &str) {
        self.say(|| format!("VIOLATION: {what}"));
        self.violations.borrow_mut().push(what.to_owned());
    }

    pub fn violations(&self) -> Vec<String> {
        self.violations.borrow().clone()
    }

    /// Adds a line to the history, if it is recorded.
    pub fn say(&self, what: impl FnOnce() -> String) {
        if let Some(history) = &self.history {
            history.borrow_mut().push(format!("{:>12.3} s  {}", self.now.get().as_secs_f64(), what()));
        }
    }

    pub fn history(&self) -> String {
        self.history.as_ref().map_or_else(String::new, |history| history.borrow().join("\n"))
    }
}

impl sim::World for World {
    fn now(&self) -> Instant {
        self.base + self.now.get()
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000) + self.now.get()
    }

    fn random(&self) -> u64 {
        if self.is_calm() { 0 } else { self.choices.borrow_mut().number() }
    }

    fn pause(&self, duration: Duration) {
        let until = self.now.get().saturating_add(duration);
        while self.step(until) {}
        self.now.set(until);
        if self.is_dead() {
            std::panic::resume_unwind(Box::new(Died));
        }
    }

    fn poll_sleep(&self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let until = until.saturating_duration_since(self.base);
        if self.now.get() >= until {
            return Poll::Ready(());
        }
        self.schedule(until.saturating_sub(self.now.get()), Event::Wake(cx.waker().clone()));
        Poll::Pending
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(OnDisk::open(path)))
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.disk.borrow().read(path)
    }

    fn makes(&self, mistake: &str) -> bool {
        self.mistake == Some(mistake)
    }
}
