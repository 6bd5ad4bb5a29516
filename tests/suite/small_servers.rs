//! Small servers with random peculiarities. The tests of `src/listing` include this file too.

use std::collections::BTreeSet;

use super::random::Random;

/// A page, without the rest of its resources.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) ids: Vec<u32>,
    pub(crate) total: Option<u64>,
    pub(crate) next_cursor: Option<String>,
}

/// A server with a few users.
#[derive(Debug)]
pub(crate) struct SmallServer {
    /// The user at each position; the same one can be at two.
    positions: Vec<u32>,
    /// The positions that are counted but never shown.
    hidden: BTreeSet<usize>,
    total: Total,
    cap: usize,
    /// Each page ends with its first user.
    closes_pages: bool,
    paging: Paging,
    pub(crate) pages_by_cursor: bool,
    random: Random,
    pub(crate) requests: u64,
    /// The last total that was stated.
    last_total: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Total {
    True,
    OfThePage,
    Omitted,
    TooLow(u64),
    TooHigh(u64),
    Changing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Paging {
    Index { ignores_start: bool, ignores_count: bool, past_end: PastEnd },
    Cursor(Cursors),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum PastEnd {
    Nothing,
    LastPage,
    Everything,
}

/// The page that follows the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cursors {
    Honest,
    /// The last page has its own cursor.
    Itself,
    /// The last page has the cursor of the second one.
    Alternating,
    /// Some empty pages precede each page.
    EmptyBetween(u64),
    /// Empty pages with new cursors follow the last one.
    EmptyForEver,
    /// The last page follows the last one, with new cursors.
    LastForEver,
    /// The list ends in the middle.
    Lost,
}

impl SmallServer {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let users = random.below(31);
        let mut positions: Vec<u32> = (0..users).map(|n| u32::try_from(n).unwrap()).collect();
        if random.below(4) == 0 && positions.len() > 1 {
            for _ in 0..=random.below(2) {
                let (from, to) = (index(&mut random, positions.len()), index(&mut random, positions.len()));
                positions[to] = positions[from];
            }
        }
        let mut hidden = BTreeSet::new();
        if random.below(3) == 0 {
            let in_a_hundred = [5, 30, 60][index(&mut random, 3)];
            hidden.extend((0..positions.len()).filter(|_| random.below(100) < in_a_hundred));
        }
        let total = match random.below(12) {
            0..5 => Total::True,
            5 => Total::OfThePage,
            6 | 7 => Total::Omitted,
            8 => Total::TooLow(1 + random.below(5)),
            9 => Total::TooHigh(1 + random.below(40)),
            10 => Total::TooHigh(1 << 62),
            _ => Total::Changing,
        };
        let paging = match random.below(10) {
            0 => Paging::Cursor(Cursors::Honest),
            1 => Paging::Cursor(
                [Cursors::Itself, Cursors::Alternating, Cursors::EmptyForEver, Cursors::LastForEver, Cursors::Lost]
                    [index(&mut random, 5)],
            ),
            2 => Paging::Cursor(Cursors::EmptyBetween(random.below(4))),
            _ => Paging::Index {
                ignores_start: random.below(6) == 0,
                ignores_count: random.below(8) == 0,
                past_end: [PastEnd::Nothing, PastEnd::Nothing, PastEnd::LastPage, PastEnd::Everything]
                    [index(&mut random, 4)],
            },
        };
        Self {
            positions,
            hidden,
            total,
            cap: [1, 2, 3, 5, 1000][index(&mut random, 5)],
            closes_pages: matches!(paging, Paging::Index { ignores_start: true, .. }) && random.below(3) == 0,
            paging,
            // A server can ignore the cursor. Then only its total tells that there are other pages.
            pages_by_cursor: match paging {
                Paging::Cursor(_) => random.below(2) == 0,
                Paging::Index { .. } => matches!(total, Total::True | Total::TooHigh(_)) && random.below(10) == 0,
            },
            random,
            requests: 0,
            last_total: None,
        }
    }

    /// The answer to a request.
    pub(crate) fn page(&mut self, start: Option<u64>, count: Option<u64>, cursor: Option<&str>) -> Page {
        self.requests += 1;
        let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        let mut page = match self.paging {
            Paging::Index { ignores_start, ignores_count, past_end } => {
                let size = if ignores_count { usize::MAX } else { count }.min(self.cap);
                let start = if ignores_start { 1 } else { start.unwrap_or(1) };
                self.at(usize::try_from(start - 1).unwrap_or(usize::MAX), size, past_end)
            }
            Paging::Cursor(cursors) => self.follow(cursors, cursor.unwrap_or_default(), count.min(self.cap)),
        };
        if self.closes_pages && page.ids.len() > 1 {
            page.ids.push(page.ids[0]);
        }
        let all = u64::try_from(self.positions.len()).unwrap();
        page.total = match self.total {
            Total::True => Some(all),
            Total::OfThePage => u64::try_from(page.ids.len()).ok(),
            Total::Omitted => None,
            Total::TooLow(by) => Some(all.saturating_sub(by)),
            Total::TooHigh(by) => Some(all + by),
            Total::Changing => (self.random.below(5) > 0).then(|| self.random.below(2 * all + 2)),
        };
        self.last_total = page.total.or(self.last_total);
        page
    }

    fn shown(&self, positions: impl IntoIterator<Item = usize>) -> Vec<u32> {
        let positions = positions.into_iter().filter(|at| !self.hidden.contains(at));
        positions.filter_map(|at| self.positions.get(at).copied()).collect()
    }

    fn at(&self, first: usize, size: usize, past_end: PastEnd) -> Page {
        let all = self.positions.len();
        let positions = if first < all {
            first..first.saturating_add(size).min(all)
        } else {
            match past_end {
                PastEnd::Nothing => 0..0,
                PastEnd::LastPage => all.saturating_sub(size)..all,
                PastEnd::Everything => 0..all.min(self.cap),
            }
        };
        Page { ids: self.shown(positions), ..Page::default() }
    }

    fn follow(&self, cursors: Cursors, cursor: &str, size: usize) -> Page {
        let all = self.positions.len();
        let size = size.max(1);
        // A cursor is a position, and the number of empty pages so far.
        let (at, empty) = cursor.split_once('/').unwrap_or(("0", "0"));
        let (at, empty): (usize, u64) = (at.parse().unwrap(), empty.parse().unwrap());
        let next = at + size;
        let is_last = next >= all;
        let (ids, next_cursor) = match cursors {
            Cursors::EmptyBetween(pages) if empty < pages => (Vec::new(), Some(format!("{at}/{}", empty + 1))),
            Cursors::EmptyForEver if at >= all => (Vec::new(), Some(format!("{at}/{}", empty + 1))),
            Cursors::LastForEver if is_last => (self.shown(at..all), Some(format!("{at}/{}", empty + 1))),
            Cursors::Itself if is_last => (self.shown(at..all), Some(format!("{at}/{empty}"))),
            Cursors::Alternating if is_last => (self.shown(at..all), Some(format!("{}/{empty}", size.min(at)))),
            Cursors::Lost if next > all / 2 => (self.shown(at..next.min(all)), None),
            Cursors::EmptyForEver => (self.shown(at..next.min(all)), Some(format!("{next}/0"))),
            _ => (self.shown(at..next.min(all)), (!is_last).then(|| format!("{next}/0"))),
        };
        Page { ids, next_cursor, total: None }
    }

    /// The users that a listing must return at least, whether or not it ends with an error.
    fn reachable(&self, page_size: u64) -> BTreeSet<u32> {
        let all = 0..self.positions.len();
        let size = usize::try_from(page_size).unwrap().min(self.cap);
        let ids = match self.paging {
            Paging::Index { ignores_start: true, .. } | Paging::Cursor(Cursors::Lost) => {
                self.shown(all.start..size.min(all.end))
            }
            Paging::Cursor(_) => self.shown(all),
            // Without a usable total, a page without users is the end of the list.
            Paging::Index { .. } => match self.total {
                Total::True | Total::TooHigh(_) => self.shown(all),
                _ if self.hidden.is_empty() && self.repeated() == 0 => self.shown(all),
                _ => Vec::new(),
            },
        };
        ids.into_iter().collect()
    }

    /// The number of positions whose user is at an earlier one, too.
    fn repeated(&self) -> u64 {
        let distinct: BTreeSet<u32> = self.positions.iter().copied().collect();
        u64::try_from(self.positions.len() - distinct.len()).unwrap()
    }

    /// Checks the result of a listing without a maximum.
    pub(crate) fn check(
        &self,
        page_size: u64,
        is_sequential: bool,
        returned: &[u32],
        is_complete: bool,
    ) -> Result<(), String> {
        let distinct: BTreeSet<u32> = returned.iter().copied().collect();
        let mut problems = Vec::new();
        if distinct.len() < returned.len() {
            problems.push(format!("a user was returned twice: {returned:?}"));
        }
        let missing: Vec<u32> = self.reachable(page_size).difference(&distinct).copied().collect();
        if !missing.is_empty() {
            problems.push(format!("{missing:?} can be reached and were not returned"));
        }
        // The same user twice on a page is one user.
        let twice = self.repeated();
        // The last total can be on a page that was requested in advance and then not needed.
        let is_seen = is_sequential || self.total != Total::Changing;
        let stated = self.last_total.filter(|_| is_seen && self.total != Total::Omitted);
        if is_complete && stated.is_some_and(|total| u64::try_from(distinct.len()).unwrap() + twice < total) {
            problems.push(format!("complete with {} of {stated:?} users", distinct.len()));
        }
        let honest = matches!(self.total, Total::True)
            && self.hidden.is_empty()
            && twice == 0
            && !self.closes_pages
            && match self.paging {
                Paging::Index { ignores_start, .. } => !ignores_start,
                Paging::Cursor(cursors) => matches!(cursors, Cursors::Honest | Cursors::EmptyBetween(_)),
            };
        if honest && !is_complete {
            problems.push("an honest server's list is incomplete".to_owned());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

fn index(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.below(u64::try_from(end).unwrap())).unwrap()
}
