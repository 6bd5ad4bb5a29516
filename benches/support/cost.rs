//! The cost of work, and comparisons of two costs.

use std::time::{Duration, Instant};

use super::Result;
use super::figures::median;

/// The processor time of this process so far: all threads, user and system.
#[cfg(unix)]
fn cpu_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Elsewhere, wall time is used instead.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

    START.get_or_init(Instant::now).elapsed()
}

/// Pins this process, and those it starts from now on, to one processor: the scheduler's placement
/// of client and server would have a larger effect than the measured difference.
#[cfg(target_os = "linux")]
pub(crate) fn on_one_processor() -> Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None)?;
    let first = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu)).ok_or("there is no processor")?;
    let mut only = CpuSet::new();
    only.set(first);
    Ok(sched_setaffinity(None, &only)?)
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "as on Linux")]
pub(crate) fn on_one_processor() -> Result<()> {
    Ok(())
}

/// The cost of work: processor time and wall time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

impl Cost {
    /// Measures the cost of work in this process.
    pub(crate) fn of(work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let mut spent = Duration::ZERO;
        let wall = wall(|| {
            spent = cpu(work)?;
            Ok(())
        })?;
        Ok(Self { cpu: spent, wall })
    }
}

/// Measures the processor time of work in this process.
pub(crate) fn cpu(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let before = cpu_time();
    work()?;
    Ok(cpu_time().saturating_sub(before))
}

/// Measures the wall time of work.
pub(crate) fn wall(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let before = Instant::now();
    work()?;
    Ok(before.elapsed())
}

/// The ratio of two costs: the median over rounds in which both run, and take turns at being first.
pub(crate) fn ratio(
    rounds: u32,
    mut one: impl FnMut() -> Result<Duration>,
    mut other: impl FnMut() -> Result<Duration>,
) -> Result<f64> {
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let (one, other) = if round % 2 == 0 {
            let one = one()?;
            (one, other()?)
        } else {
            let other = other()?;
            (one()?, other)
        };
        ratios.push(one.as_secs_f64() / other.as_secs_f64());
    }
    Ok(median(ratios))
}
