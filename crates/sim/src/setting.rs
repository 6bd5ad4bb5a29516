//! What kind of world it is: the first bytes of its string.

use std::time::Duration;

use crate::choices::Choices;
use crate::server::Kind;
use crate::wire::FAULTS;

/// The number of bytes that the setting takes.
pub const LENGTH: usize = 16;

/// The place of the byte that says how many requests are in flight.
pub const IN_FLIGHT: usize = 13;

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the world")]
pub struct Setting {
    pub kind: Kind,
    /// The faults of the wire that happen, as bits.
    pub faults: u32,
    /// One request in this many has a fault; 0 if the string says so for each request.
    pub rate: u8,
    pub is_late: bool,
    /// The process dies at one of its first touches of the world.
    pub dies_at: Option<u32>,
    pub loses_power: bool,
    pub full_disk: std::ops::Range<u32>,
    /// One arriving request in this many meets another writer.
    pub others: u8,
    pub attempts: u32,
    pub deadline: Duration,
    pub users: usize,
    pub in_flight: usize,
    pub is_synced: bool,
    pub jitters: bool,
    pub programs: usize,
}

impl Setting {
    /// Whether both APIs have to do the same, at the same times: one request after the other, and no line
    /// that is cut off, which both wait for, but not at the same moment.
    pub fn is_one_after_the_other(&self) -> bool {
        self.in_flight == 1 && self.full_disk.is_empty()
    }

    /// Whether plans have groups, too.
    pub fn plans_groups(&self) -> bool {
        !self.kind.wats && self.users == 12
    }

    pub fn read(choices: &mut Choices) -> Self {
        let [
            server,
            cap,
            lag,
            faults_1,
            faults_2,
            faults_3,
            rate,
            dies,
            disk,
            others,
            expiry,
            policy,
            users,
            flight,
            journal,
            programs,
        ] = std::array::from_fn(|_| choices.byte());
        let bit = |byte: u8, bit: u8| byte & 1 << bit != 0;
        let wats = bit(server, 0);
        let seconds = |n: u8| Duration::from_secs(n.into());
        let kind = Kind {
            wats,
            allows_twins: bit(server, 1) && !wats,
            has_no_versions: bit(server, 2),
            shows_no_patch: bit(server, 3),
            renames: bit(server, 4) && !wats,
            has_bulk: bit(server, 5) && !wats,
            has_cursors: bit(server, 6) && !wats,
            lag: if lag % 8 == 1 { Duration::from_millis(u64::from(lag) * 20) } else { Duration::ZERO },
            cap: [100, 3, 1, 7][usize::from(cap) % 4],
            expires: (expiry % 8 == 1).then(|| Duration::from_millis(u64::from(expiry) * 3)),
        };
        Self {
            kind,
            faults: u32::from_le_bytes([faults_1, faults_2, faults_3, 0]) & ((1 << FAULTS.len()) - 1),
            rate,
            is_late: bit(server, 7),
            dies_at: (dies != 0 && dies < 128).then(|| u32::from(dies)),
            loses_power: dies % 2 == 1,
            full_disk: if disk % 2 == 1 {
                u32::from(disk / 4)..u32::from(disk / 4) + 1 + u32::from(disk % 3)
            } else {
                0..0
            },
            others: if others % 2 == 1 { others | 3 } else { 0 },
            attempts: [3, 1, 2, 5][usize::from(policy) % 4],
            deadline: [seconds(120), seconds(1), seconds(10), seconds(200)][usize::from(policy / 4) % 4],
            users: [6, 5, 12, 40][usize::from(users) % 4],
            in_flight: [1, 2, 4, 8][usize::from(flight) % 4],
            is_synced: bit(journal, 0),
            jitters: bit(journal, 1),
            programs: 1 + usize::from(programs) % 3,
        }
    }
}
