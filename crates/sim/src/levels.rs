//! How worlds are chosen: every fault at every event of every program, or at random.

use crate::choices::string;
use crate::setting::{self, LENGTH};
use crate::{FAULTS, PROGRAMS};

/// The length of the strings of random worlds.
const LONG: usize = 700;

/// The string of a random world.
pub fn random(seed: u64) -> Vec<u8> {
    let mut bytes = string(seed, LONG);
    // Most worlds have few kinds of faults, so that one does not hide another.
    let masks = string(!seed, 4);
    for (byte, mask) in bytes[3..6].iter_mut().zip(&masks) {
        *byte &= mask;
    }
    match masks[3] % 4 {
        0 => bytes[6] = 200,
        // The disk runs full, and the process goes on.
        1 => (bytes[7], bytes[8], bytes[15]) = (0, bytes[8] | 1, 0),
        // A plan is applied while another writer changes the directory.
        2 => (bytes[9], bytes[15], bytes[LENGTH]) = (3, 0, 7),
        _ => {}
    }
    bytes
}

/// Kinds of servers for the exhaustive level, as the first byte of a string.
const SERVERS: [u8; 6] = [0b1000_0000, 0b1000_0001, 0b1000_0010, 0b1000_0100, 0b1010_1000, 0b1101_0000];

/// The places of the faults in the programs of the exhaustive level.
pub const EVENTS: usize = 14;

/// The string of one program on one server, with faults at the given requests.
fn one(server: u8, program: usize, faults: &[(usize, usize)], dies: u8) -> Vec<u8> {
    let mut bytes = vec![0; LENGTH + 1];
    bytes[0] = server;
    // A page is one user, so that a list has several.
    bytes[1] = 1;
    bytes[3..6].fill(0xff);
    bytes[7] = dies;
    bytes[setting::IN_FLIGHT] = 0;
    bytes[LENGTH] = u8::try_from(program).unwrap_or(0);
    for (event, fault) in faults {
        let at = LENGTH + 1 + event;
        bytes.resize(bytes.len().max(at + 1), 0);
        bytes[at] = u8::try_from(fault + 1).unwrap_or(0);
    }
    bytes
}

/// Every fault at every event of every program on every kind of server, then pairs of faults, and the
/// end of the process at every touch.
pub fn exhaustive() -> impl Iterator<Item = Vec<u8>> {
    let programs = || SERVERS.iter().flat_map(|server| (0..PROGRAMS).map(move |program| (*server, program)));
    let places = || (0..EVENTS).flat_map(|event| (0..FAULTS.len()).map(move |fault| (event, fault)));
    let none = programs().map(|(server, program)| one(server, program, &[], 0));
    let single =
        programs().flat_map(move |(server, program)| places().map(move |place| one(server, program, &[place], 0)));
    let killed = programs().flat_map(move |(server, program)| {
        (1..60).flat_map(move |dies| {
            [None, Some((1, 3)), Some((3, 6))].map(move |place| one(server, program, place.as_slice(), dies))
        })
    });
    let pairs = programs().flat_map(move |(server, program)| {
        places().filter(|(event, _)| *event < 2).flat_map(move |first| {
            let second = places().filter(move |(event, _)| *event > first.0 && *event < first.0 + 3);
            second.map(move |second| one(server, program, &[first, second], 0))
        })
    });
    none.chain(single).chain(killed).chain(pairs)
}
